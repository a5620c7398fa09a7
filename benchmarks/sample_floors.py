"""How far samples of an n-gram are from drummers: the floors of C2ST and novelty.

    python benchmarks/sample_floors.py [DATA] [--order 5] [--seeds 3]

DATA is the folder that holds ``groove`` (default: the environment variable BACKBEAT_DATA). 4/4 takes of Groove MIDI, official
split, words of ``drums_rnn_9`` on 16ths; windows of 2 bars, silent ones left out. C2ST folds are grouped by take. Below each
row stands what YARDSTICKS.md says.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Words, groove_to_words, hits_to_words
from backbeat.kits import load_kit
from backbeat.metrics import novelty
from backbeat.metrics.discrimination import c2st, make_windows
from backbeat.midi import extract_groove, read_song
from backbeat.models.ngram import NGram
from backbeat.models.protocol import Piece

LOOSE = 8
"""Every so many windows are compared in all rotations and tempi, which takes some 100 times as long."""
Windows = tuple[Words, npt.NDArray[np.int64]]


def read_takes(data: Path, split: str) -> list[Piece]:
    """The 4/4 takes of a split, named by style and file."""
    with (data / "groove" / "info.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split and r["time_signature"] == "4-4"]
    pieces = []
    for row in rows:
        song = read_song(data / "groove" / row["midi_filename"])
        grid = song.grid()
        pieces.append(Piece(f"{row['style']} {row['beat_type']}", grid, groove_to_words(extract_groove(song, grid, load_kit("drums_rnn_9"))[0])))
    return pieces


def cut(takes: list[Piece], first: int) -> Windows:
    """Windows of all takes, and the take of each, numbered from ``first``."""
    windows = [make_windows(t.words, t.grid.first_steps) for t in takes]
    return np.concatenate(windows), np.repeat(np.arange(len(windows)) + first, [len(w) for w in windows])


def print_c2st(name: str, real: Windows, other: Windows, seeds: int, published: str) -> None:
    """Mean and range of the figure over seeds."""
    figures = [c2st(*real, *other, seed=s) for s in range(seeds)]
    print(f"{name:40} {len(real[0]):6} {len(other[0]):6} {np.mean(figures):8.3f} {min(figures):7.3f}-{max(figures):.3f}   {published}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--order", type=int, default=5, help="of the n-gram that is sampled")
    parser.add_argument("--seeds", type=int, default=3, help="of folds and trees")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder, or set BACKBEAT_DATA")
    started = time.perf_counter()
    train, validation, test = (read_takes(Path(options.data), s) for s in ("train", "validation", "test"))
    model, rng = NGram.of_order(options.order), np.random.default_rng(0)
    model.fit(train)
    sampled = [Piece(t.name, t.grid, hits_to_words(model.play(t, rng))) for t in test if t.grid.bars > 1]
    known, real, human, ours = cut(train, 0), cut(test, 10_000), cut(validation, 20_000), cut(sampled, 30_000)
    print(f"{'novelty against train, 2 bars':40} {'median':>8} {'copies':>8} {f'every {LOOSE}th, rotations, tempi':>26}")
    for name, windows, published in (("real test", real[0], "15, 1-1.8 %"), (f"{options.order}-gram", ours[0], "27, .2 %")):
        plain, loose = novelty.evaluate(windows, known[0]), novelty.evaluate(windows[::LOOSE], known[0], rotations=True, tempi=True)
        figures = f"{plain['median_distance']:8.1f} {plain['exact_copies']:8.2%} {loose['median_distance']:12.1f} {loose['exact_copies']:13.2%}"
        print(f"{name:40} {figures}   YARDSTICKS {published}", flush=True)
    print(f"\n{'C2ST, AUC':40} {'real':>6} {'other':>6} {'mean':>8} {'range':>13}")
    print_c2st("real test vs real validation", real, human, options.seeds, "YARDSTICKS .458")
    print_c2st(f"real test vs {options.order}-gram", real, ours, options.seeds, "YARDSTICKS .922")
    noise = (np.random.default_rng(1).permuted(real[0], axis=1), real[1])
    print_c2st("real test vs its own steps shuffled", real, noise, options.seeds, "")
    print(f"\n{time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
