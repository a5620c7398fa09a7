"""The floors of velocity and microtiming on Groove MIDI: what simple performers make of a drummer's hits.

    python benchmarks/timing_floors.py [DATA] [--split test]

DATA is the folder that holds ``groove`` (default: the environment variable BACKBEAT_DATA). 4/4 takes, beats and fills, official
split, ``drums_rnn_9`` on 16ths, the loudest hit of a cell; everything is fitted on the train split. Errors are against the
drummer, W1 per class x step of the bar and pooled; below each row stands what YARDSTICKS.md says.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.kits import load_kit
from backbeat.metrics import timing
from backbeat.metrics.timing import Feel
from backbeat.midi import extract_groove, read_song

REACH = 4
PENALTIES = (1, 10, 100, 1000, 10_000)
COLUMNS = ("timing_mae_ms", "timing_mse", "velocity_mae", "velocity_r2", "timing_w1_ms", "velocity_w1", "timing_w1_pooled_ms", "velocity_w1_pooled")
PUBLISHED = {
    "quantised": {"timing_mae_ms": 22.65, "timing_mse": 0.0415},
    "ridge": {"timing_mae_ms": 20.12, "timing_mse": 0.0340, "velocity_r2": 0.267},
    "sampler": {"timing_w1_pooled_ms": 2.97, "velocity_w1_pooled": 1.2},
}
Floats = npt.NDArray[np.float64]


class Split(NamedTuple):
    """Hits of a split: how they were struck, their class, and what a ridge may see of them."""

    feel: Feel
    classes: npt.NDArray[np.int64]
    context: Floats
    takes: int


def read_split(data: Path, split: str) -> Split:
    """The hits of the 4/4 takes of a split."""
    with (data / "groove" / "info.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split and r["time_signature"] == "4-4"]
    feels, classes, contexts = [], [], []
    for row in rows:
        song = read_song(data / "groove" / row["midi_filename"])
        groove = extract_groove(song, song.grid(), load_kit("drums_rnn_9"))[0]
        steps, columns = np.nonzero(groove.hits)
        padded = np.pad(groove.hits, ((REACH, REACH), (0, 0)))
        around = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=0)[steps].reshape(len(steps), -1)
        place = np.eye(16)[groove.grid.step_in_bar[steps]]
        tempo = np.full((len(steps), 1), float(row["bpm"]) / 100)
        feels.append(timing.collect_feel(groove, song.tempo))
        classes.append(columns)
        contexts.append(np.concatenate([around, place, tempo, 1 / tempo], axis=1))
    return Split(timing.join_feels(feels), np.concatenate(classes), np.concatenate(contexts), len(rows))


def fit_ridge(x: Floats, y: Floats) -> list[Callable[[Floats], Floats]]:
    """Least squares with a penalty on all weights but the mean's, one for each of ``PENALTIES``."""
    centre, middle = x.mean(axis=0), y.mean(axis=0)
    gram, product = (x - centre).T @ (x - centre), (x - centre).T @ (y - middle)
    solved = [np.linalg.solve(gram + penalty * np.eye(x.shape[1]), product) for penalty in PENALTIES]
    return [lambda new, weights=w: (new - centre) @ weights + middle for w in solved]


def play_ridge(train: Split, validation: Split, test: Split) -> Floats:
    """Offsets and velocities [n, 2]: one ridge a class, its penalty chosen on validation; sees the hits around, the place in the bar, the tempo."""
    played = np.zeros((len(test.feel), 2))
    targets = [np.stack([s.feel.offsets, s.feel.velocities], axis=1) for s in (train, validation)]
    for column in np.unique(test.classes):
        inside, held, wanted = (s.classes == column for s in (train, validation, test))
        models = fit_ridge(train.context[inside], targets[0][inside])
        errors = np.array([((m(validation.context[held]) - targets[1][held]) ** 2).sum(axis=0) for m in models])
        tried = np.array([m(test.context[wanted]) for m in models])
        played[wanted] = np.stack([tried[best, :, i] for i, best in enumerate(errors.argmin(axis=0))], axis=1)
    return played


def play_mean(train: Feel, test: Feel, values: Floats) -> Floats:
    """The training mean of each hit's class and step of the bar; of all hits where training has none."""
    cells, place = np.unique(train.cells, return_inverse=True)
    means = np.bincount(place, values) / np.bincount(place)
    at = np.minimum(np.searchsorted(cells, test.cells), len(cells) - 1)
    return np.where(cells[at] == test.cells, means[at], values.mean())


def draw_hits(train: Feel, test: Feel, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """For each hit a training hit of its class and step of the bar, at random; any hit where training has none."""
    order = np.argsort(train.cells, kind="stable")
    ordered = train.cells[order]
    low, high = (np.searchsorted(ordered, test.cells, side=side) for side in ("left", "right"))
    place = low + (rng.random(len(test)) * (high - low)).astype(np.int64)
    return np.where(high > low, order[np.minimum(place, len(order) - 1)], rng.integers(0, len(order), len(test)))


def play_floors(train: Split, validation: Split, test: Split) -> dict[str, Feel]:
    """What each floor makes of the test hits."""
    rng = np.random.default_rng(0)
    known, hits = train.feel, test.feel
    drawn = draw_hits(known, hits, rng)
    plain = np.full(len(hits), known.velocities.mean())
    late, loud = play_ridge(train, validation, test).T
    uniform = rng.uniform(-20, 20, len(hits)) / timing.steps_to_ms(np.ones(len(hits)), hits.qpm)
    played = {
        "quantised": (np.zeros(len(hits)), plain),
        "class x position mean": (play_mean(known, hits, known.offsets), play_mean(known, hits, known.velocities)),
        "ridge": (late, np.clip(loud, 0, 1)),
        "sampler": (known.offsets[drawn], known.velocities[drawn]),
        "uniform +-20 ms": (uniform, rng.uniform(0, 1, len(hits))),
        "the drummer": (hits.offsets, hits.velocities),
    }
    return {name: timing.replace_feel(hits, offsets=late, velocities=loud) for name, (late, loud) in played.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--split", default="test", choices=["validation", "test"])
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder, or set BACKBEAT_DATA")
    started = time.perf_counter()
    train, validation, test = (read_split(Path(options.data), s) for s in ("train", "validation", options.split))
    print(" / ".join(f"{s.takes} takes, {len(s.feel):,} hits" for s in (train, validation, test)))
    print(f"\n{'':24} " + " ".join(f"{c.replace('timing', 't').replace('velocity', 'v'):>14}" for c in COLUMNS))
    for name, feel in play_floors(train, validation, test).items():
        figures = timing.evaluate(test.feel, feel)
        print(f"{name:24} " + " ".join(f"{figures[c]:14.4f}" for c in COLUMNS))
        if options.split == "test" and name in PUBLISHED:
            print(f"{'  YARDSTICKS':24} " + " ".join(f"{PUBLISHED[name].get(c, ''):>14}" for c in COLUMNS))
    print(f"\n{figures['covered']:.1%} of the hits stand in cells of at least {timing.MINIMUM} hits; {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
