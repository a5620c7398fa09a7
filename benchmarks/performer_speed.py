"""What performing costs: seconds for a song of four minutes, its parts, and microseconds a stroke.

Usage: python benchmarks/performer_speed.py [--model FOLDER]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from backbeat.codecs.strokes import groove_to_strokes
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.performer import Playing, load_performer
from backbeat.units import TempoMap

BARS, RUNS = 120, 7


def make_groove() -> Groove:
    """Four minutes at 120: hats on 16ths, kick, snare with ghosts, a fill in every eighth bar; about 3,300 hits."""
    grid, kit = Grid.regular(BARS), load_kit("backbeat")
    hits = np.zeros((grid.steps, len(kit)), np.bool_)
    hits[:, kit.index("closed_hat")] = True
    for drum, places in (("kick", (0, 6, 8, 10)), ("snare", (4, 7, 9, 12))):
        for place in places:
            hits[place::16, kit.index(drum)] = True
    for bar in range(7, BARS, 8):
        hits[bar * 16 + 8 : bar * 16 + 16, kit.index("high_tom")] = True
        hits[bar * 16 + 16 : bar * 16 + 17, kit.index("crash")] = True
    return Groove(grid, kit, hits, np.where(hits, 0.6, 0).astype(np.float32), np.zeros(hits.shape, np.float32))


def measure(run: Callable[[], object]) -> tuple[float, float]:
    """Least wall and processor seconds of several runs."""
    best = [9e9, 9e9]
    for _ in range(RUNS):
        started = time.perf_counter(), time.process_time()
        run()
        best = [min(b, now - s) for b, now, s in zip(best, (time.perf_counter(), time.process_time()), started, strict=True)]
    return best[0], best[1]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    started = time.perf_counter()
    performer = load_performer(options.model)
    print(f"load, first time: {time.perf_counter() - started:.2f} s; again: {measure(lambda: load_performer(options.model))[0]:.3f} s")
    groove, tempo = make_groove(), TempoMap(480)
    strokes = groove_to_strokes(groove, tempo)
    rows = {
        "drawn": lambda: performer.perform(groove, tempo),
        "mean": lambda: performer.perform(groove, tempo, how=Playing(mean=True)),
        "likelihood": lambda: performer.log_likelihood(strokes, rounded=True),
    }
    print(f"{len(strokes):,} strokes on {len(np.unique(strokes.quarters)):,} places, {BARS} bars of 4/4 at 120")
    for name, run in rows.items():
        wall, cpu = measure(run)
        print(f"{name:12} wall {wall:.3f} s, processor {cpu:.3f} s, {cpu / len(strokes) * 1e6:.0f} us a stroke")


if __name__ == "__main__":
    main()
