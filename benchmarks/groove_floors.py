"""The likelihood floors on Groove MIDI: perplexity per step and bits per onset of counting models.

    python benchmarks/groove_floors.py [DATA] [--windows 4 2] [--split test]

DATA is the folder that holds ``groove`` (default: the environment variable BACKBEAT_DATA). 4/4 takes, beats and fills,
official split, words of ``drums_rnn_9`` on 16ths; models see whole takes, or windows of N bars with nothing before them.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path

import numpy as np

from backbeat.codecs.words import groove_to_words
from backbeat.kits import load_kit
from backbeat.metrics import likelihood
from backbeat.midi import extract_groove, read_song
from backbeat.models.cache import CacheMixture
from backbeat.models.ngram import NGram
from backbeat.models.protocol import Piece, Scorer

CLEAN = "eval_session"


def read_takes(data: Path, split: str) -> list[Piece]:
    """The 4/4 takes of a split, each to the end of the bar of its last hit."""
    with (data / "groove" / "info.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split and r["time_signature"] == "4-4"]
    pieces = []
    for row in rows:
        song = read_song(data / "groove" / row["midi_filename"])
        grid = song.grid()
        words = groove_to_words(extract_groove(song, grid, load_kit("drums_rnn_9"))[0])
        pieces.append(Piece(row["midi_filename"], grid, words))
    return pieces


def report(model: Scorer, pieces: list[Piece]) -> str:
    """One row of the table: all takes, and those of test-only sessions."""
    scores = [model.score(p) for p in pieces]
    figures = likelihood.evaluate(np.concatenate(scores), np.concatenate([p.words for p in pieces]))
    clean = [i for i, p in enumerate(pieces) if CLEAN in p.name]
    row = f"{model.name:24} {figures['perplexity']:8.2f} {figures['bits_per_onset']:8.3f}"
    if clean:
        apart = likelihood.evaluate(np.concatenate([scores[i] for i in clean]), np.concatenate([pieces[i].words for i in clean]))
        row += f" {apart['perplexity']:8.2f} {apart['bits_per_onset']:8.3f}"
    return row


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--windows", nargs="*", type=int, default=[4, 2], help="windows in bars, besides whole takes")
    parser.add_argument("--split", default="test", choices=["validation", "test"])
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder, or set BACKBEAT_DATA")
    started = time.perf_counter()
    training, validation, pieces = (read_takes(Path(options.data), s) for s in ("train", "validation", options.split))
    steps = [sum(p.grid.steps for p in part) for part in (training, validation, pieces)]
    print(" / ".join(f"{len(part)} takes, {n:,} steps" for part, n in zip((training, validation, pieces), steps, strict=True)))
    mixture = CacheMixture()
    models: list[Scorer] = [*(NGram.of_order(n) for n in (1, 2, 5, 9, 17)), mixture]
    for model in models:
        model.fit(training)
    for bars in (0, *options.windows):
        cut = (lambda part, bars=bars: [w for p in part for w in p.windows(bars)]) if bars else list
        mixture.tune(cut(validation))
        print(f"\n{f'windows of {bars} bars' if bars else 'whole takes':24} {'ppl/step':>8} {'bits/on':>8} {'clean':>8} {'bits/on':>8}")
        for model in models:
            print(report(model, cut(pieces)))
        print("weights: " + ", ".join(f"{n} {w:.3f}" for n, w in zip(mixture.parts, mixture.weights, strict=True)))
    print(f"\n{time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
