"""Speed of Drums RNN: processor seconds of a training update (2 x 64, batch 64, tracks of up to 512 steps) and of 64 bars of drums.

    python benchmarks/drums_rnn_speed.py [DATA] [--updates 6]

DATA is the folder that holds ``groove`` (default: BACKBEAT_DATA); the tracks are Groove MIDI's rock beats by the original's rules, or, where it is
not there, random ones of the same lengths. The peer's figures (magenta's Drums RNN on TensorFlow, an idle 2-core machine) are published
ones, not measured here: 5.4 processor seconds an update, 1.85 s for 64 bars with the process up. One thread; what is compared is the fewest processor seconds of
all times, for other jobs on the machine make every time longer; the wall's median stands beside it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch

from backbeat.datasets.groove_midi import DATASET
from backbeat.models.drums_rnn import DrumsRnnModel, load_shipped
from backbeat.training.drums_rnn import CONFIGS, OriginalTask, export, read_tracks
from backbeat.training.loop import Run

PEER_UPDATE, PEER_BARS = 5.4, 1.85


def take_tracks(data: Path) -> list[np.ndarray]:
    """Tracks to learn from."""
    recipe = CONFIGS["small"]
    if (data / "groove" / "info.csv").is_file():
        rock = [s for s in DATASET.list_sources(data, "train") if "beat" in s.tags and (s.genre == "rock" or "rock" in s.tags)]
        return read_tracks(rock, recipe)
    rng = np.random.default_rng(0)
    return [rng.integers(0, 64, n) for n in [512] * 47 + list(range(112, 512, 7))]


def measure(action: Callable[[], object], times: int) -> tuple[float, float]:
    """Fewest processor seconds, and the median of those on the wall."""
    cpu, wall = [], []
    for _ in range(times):
        started = time.process_time(), time.perf_counter()
        action()
        cpu.append(time.process_time() - started[0])
        wall.append(time.perf_counter() - started[1])
    return min(cpu), median(wall)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=Path(os.environ.get("BACKBEAT_DATA", ".")))
    parser.add_argument("--updates", type=int, default=6)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = replace(CONFIGS["small"], updates=10_000)
    tracks = take_tracks(arguments.data)
    task = OriginalTask(recipe, tracks, tracks[:4])
    with tempfile.TemporaryDirectory() as name:
        run = Run(Path(name) / "run", task, recipe, {})
        run.step()
        cpu, wall = measure(run.step, arguments.updates)
        print(f"{'training update, 2 x 64, batch 64':44} {cpu:6.2f} CPU-s {wall:6.2f} s   peer (published) {PEER_UPDATE} CPU-s: {PEER_UPDATE / cpu:.1f} times")
        export(task, run, Path(name) / "out", {})
        for title, model in (("64 bars, 2 x 64 with attention", DrumsRnnModel(Path(name) / "out")), ("64 bars, the one that ships", load_shipped())):
            cpu, wall = measure(lambda m=model: m.continue_words([5], [16] * 64, np.random.default_rng(0)), 15)
            print(f"{title:44} {cpu:6.2f} CPU-s {wall:6.2f} s   peer (published) {PEER_BARS} s: {PEER_BARS / cpu:.1f} times")


if __name__ == "__main__":
    main()
