"""The note networks beside their floors, on held-out pieces. Prints a table.

Usage: python benchmarks/note_floors.py DATA [FOLDER ...] [--pieces 40] [--parts all]
DATA holds ``piano/pop909``; every tenth piece is held out, 40 of those are measured, as in training. FOLDER: checkpoint folders of
``backbeat train notes``; the one that ships comes first. Nats: of the pitch, and for models with a likelihood of every part, of step
and duration bins (64 each). Errors: mean absolute, in milliseconds, of medians (of the original: of what it says, at least 0).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from backbeat.codecs.notes import BINS, KINDS, PITCHES, Notes, bin_to_time, notes_to_tokens, time_to_bin
from backbeat.datasets import list_sources
from backbeat.datasets.source import Source
from backbeat.evaluation.learning import hold_out
from backbeat.models.notes import NotePlayer, WindowNotePlayer, open_notes
from backbeat.training.notes import read_pieces

SEEN = 25
"""Notes at the start of each piece that the original needs; nobody is measured on them."""


def spread(items: list[Source], count: int) -> list[Source]:
    return [items[i * len(items) // count] for i in range(count)] if count < len(items) else items


def count_floor(train: list[Notes], held: list[Notes], order: int) -> list[float]:
    """Nats of pitch, step and duration bins from counts (+ .05), of the value alone or given the one before."""
    nats = []
    for column, size in ((0, PITCHES), (1, BINS), (2, BINS)):
        codes = [notes[:, 0].astype(int) if column == 0 else time_to_bin(notes[:, column]) for notes in train]
        counts = np.full((size, size), 0.05)
        for line in codes:
            np.add.at(counts, (line[:-1], line[1:]), 1)
        if order == 1:
            counts[:] = counts.sum(axis=0)
        p = counts / counts.sum(axis=1, keepdims=True)
        lines = [notes[:, 0].astype(int) if column == 0 else time_to_bin(notes[:, column]) for notes in held]
        nats.append(-np.concatenate([np.log(p[line[SEEN - 1 : -1], line[SEEN:]]) for line in lines]).mean())
    return nats


def median_errors(train: list[Notes], held: list[Notes]) -> list[float]:
    medians = [float(np.median(np.concatenate([n[:, c] for n in train]))) for c in (1, 2)]
    return [np.abs(np.concatenate([n[SEEN:, c] for n in held]) - m).mean() * 1000 for c, m in zip((1, 2), medians, strict=True)]


def measure_tokens(player: NotePlayer, held: list[Notes]) -> tuple[list[float], list[float]]:
    scores = np.concatenate([player.score(n)[SEEN:] for n in held]).mean(axis=0)
    errors = [[], []]
    for notes in held:
        tokens = notes_to_tokens(notes)
        before = np.concatenate([[256], tokens])[:-1].astype(np.int64)
        logits = player.session.run({"tokens": before[None]}, player.session.start())[0]["logits"][0]
        for missed, kind, column in zip(errors, (0, 2), (1, 2), strict=True):
            first, stop = KINDS[kind]
            part = np.exp(logits[kind::3, first:stop] - logits[kind::3, first:stop].max(axis=1, keepdims=True))
            below = (part / part.sum(axis=1, keepdims=True)).cumsum(axis=1) < 0.5
            missed.append(np.abs(bin_to_time(np.minimum(below.sum(axis=1), BINS - 1)) - notes[:, column])[SEEN:])
    return [scores[1], scores[0], scores[2]], [np.concatenate(e).mean() * 1000 for e in errors]


def measure_windows(player: WindowNotePlayer, held: list[Notes]) -> tuple[list[float], list[float]]:
    nats, errors = [], [[], []]
    for notes in held:
        scaled = (notes / [PITCHES, 1, 1]).astype(np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(scaled, SEEN, axis=0).transpose(0, 2, 1)[:-1]
        told = player.session.run({"notes": np.ascontiguousarray(windows)}, {})[0]
        logits = told["pitch"].astype(float)
        log_p = logits - logits.max(axis=1, keepdims=True)
        log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
        nats.append(-log_p[np.arange(len(log_p)), notes[SEEN:, 0].astype(int)])
        for missed, name, column in zip(errors, ("step", "duration"), (1, 2), strict=True):
            missed.append(np.abs(np.maximum(told[name], 0) - notes[SEEN:, column]))
    return [np.concatenate(nats).mean(), float("nan"), float("nan")], [np.concatenate(e).mean() * 1000 for e in errors]


def show(title: str, nats: list[float], errors: list[float]) -> None:
    print(f"{title:46}" + "".join(f"{v:10.3f}" for v in nats) + "".join(f"{v:10.0f}" for v in errors))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--pieces", type=int, default=40)
    parser.add_argument("--parts", default="all", choices=["all", "first"])
    options = parser.parse_args()
    train, held = hold_out(list_sources("pop909", options.data))
    train, held = read_pieces(train, options.parts), read_pieces(spread(held, options.pieces), options.parts)
    print(f"parts {options.parts}: {sum(map(len, train)):,} notes to learn from, {sum(len(n) - SEEN for n in held):,} measured")
    print(f"{'':46}{'pitch':>10}{'step':>10}{'duration':>10}{'step ms':>10}{'dur. ms':>10}")
    errors = median_errors(train, held)
    show("unigram, median", count_floor(train, held, 1), errors)
    show("bigram, median", count_floor(train, held, 2), errors)
    for folder in [None, *options.folders]:
        player = open_notes(folder)
        figures = measure_tokens(player, held) if isinstance(player, NotePlayer) else measure_windows(player, held)
        show("ships" if folder is None else str(folder), *figures)


if __name__ == "__main__":
    main()
