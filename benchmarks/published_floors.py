"""The published floors beside ours: likelihoods of counting models, copies, quantised timing.

    python benchmarks/published_floors.py [DATA] [--json] [--only NAME ...]

DATA is the folder that holds ``groove`` and ``lstmetallica`` (default: the environment variable BACKBEAT_DATA). Each row has the
published figure, ours by the protocol that the published one was made with as far as it is known, their ratio (marked where
it is off by more than 2 %), and what ``backbeat evaluate`` gives where its protocol differs. Why they differ: docs/measures.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from backbeat.evaluation.cases import Choice, load_case
from backbeat.evaluation.contexts import cut_all
from backbeat.evaluation.fitting import DataSet, TextReader, plan_rounds, read_pieces
from backbeat.evaluation.metallica import make_cache, split_scores
from backbeat.evaluation.results import Case, Result
from backbeat.evaluation.tables import read_feel
from backbeat.metrics import copying, likelihood, timing
from backbeat.models.cache import CacheMixture
from backbeat.models.ngram import NGram
from backbeat.models.protocol import Piece
from backbeat.models.stream import Stream

TOLERANCE = 0.02
Model = TypeVar("Model", NGram, CacheMixture, TextReader)


@dataclass(frozen=True)
class Row:
    """A published figure and ours; ``evaluate`` is None where the command's protocol is the published one."""

    section: str
    name: str
    published: float
    ours: float
    evaluate: float | None = None

    @property
    def is_off(self) -> bool:
        """Whether ours differs by more than 2 %."""
        return abs(self.ours / self.published - 1) > TOLERANCE


def read_takes(data: Path, split: str, choice: Choice | None = None) -> list[Piece]:
    """The 4/4 takes of a split of Groove MIDI."""
    chosen = choice or Choice(metre="4/4")
    return read_pieces(DataSet(f"groove_midi:{split}", data, chosen).list(), chosen)


def score(model: NGram | CacheMixture, pieces: Sequence[Piece]) -> dict[str, float]:
    """Figures of a fitted model over pieces."""
    stream = Stream.join(pieces)
    return likelihood.evaluate(np.log2(model.probabilities(stream)), stream.words)


def keep_full(windows: Sequence[Piece], bars: int) -> list[Piece]:
    """Windows that have all their bars."""
    return [w for w in windows if w.grid.bars == bars]


def fit(model: Model, training: Sequence[Piece], validation: Sequence[Piece]) -> Model:
    """A model, fitted and tuned."""
    model.fit(training)
    model.tune(validation)
    return model


def measure_takes(data: Path) -> Iterator[Row]:
    """Groove MIDI, 4/4, beats and fills: whole takes and windows."""
    train, validation, test = (read_takes(data, s) for s in ("train", "validation", "test"))
    title = "Groove MIDI test, 4/4, whole takes, perplexity per step"
    for order, name, published in ((1, "unigram", 14.64), (5, "5-gram", 6.69), (17, "17-gram", 6.02)):
        yield Row(title, name, published, score(fit(NGram.of_order(order), train, validation), test)["perplexity"])
    cache = fit(CacheMixture(), train, validation)
    figures = score(cache, test)
    yield Row(title, "n-gram + in-take cache", 2.91, figures["perplexity"])
    yield Row(title, "the same, bits per onset", 1.33, figures["bits_per_onset"])
    for bars, fifth, published in ((4, 6.81, 3.94), (2, 6.82, 4.87)):
        title = f"the same, windows of {bars} bars"
        windows = [cut_all(part, bars) for part in (train, validation, test)]
        full = [keep_full(part, bars) for part in windows]
        ours = score(fit(NGram.of_order(5), full[0], full[1]), full[2])["perplexity"]
        yield Row(title, "5-gram", fifth, ours, score(fit(NGram.of_order(5), windows[0], windows[1]), windows[2])["perplexity"])
        cache.tune(windows[1])
        ours = score(cache, windows[2])["perplexity"]
        yield Row(title, "n-gram + in-take cache", published, ours)


def measure_rock(data: Path) -> Iterator[Row]:
    """Groove MIDI, rock beats, learned from rock beats."""
    choice = Choice(style="rock", kind="beat", metre="4/4")
    train, validation, test = (read_takes(data, s, choice) for s in ("train", "validation", "test"))
    title = "Groove MIDI test, rock beats, learned from rock beats, perplexity per step"
    for order, name, published in ((1, "unigram", 11.75), (2, "bigram", 9.95), (5, "5-gram", 5.96)):
        yield Row(title, name, published, score(fit(NGram.of_order(order), train, validation), test)["perplexity"])
    plain, ours = (score(fit(model, train, validation), test)["perplexity"] for model in (CacheMixture(contexts=()), CacheMixture()))
    yield Row(title, "n-gram + in-take cache", 3.16, plain, ours)


def measure_text(data: Path) -> Iterator[Row]:
    """LSTMetallica's text, ten folds by song, BAR tokens counted as the published figures do."""
    makers: dict[str, tuple[Callable[[], Any], float]] = {
        "unigram": (lambda: NGram.of_order(1), 8.43),
        "5-gram": (lambda: NGram.of_order(5), 3.52),
        "17-gram": (lambda: NGram.of_order(17), 3.08),
        "n-gram + in-take cache": (make_cache, 1.67),
    }
    scores: dict[str, list[tuple[Any, Any]]] = {name: [] for name in makers}
    choice = Choice(text=True)
    for part in plan_rounds(DataSet("lstmetallica", data, choice)):
        learn, tune, held = part.learn(), part.tune(), read_pieces(part.sources, choice)
        for name, (make, _) in makers.items():
            model = TextReader(make())
            if name.endswith("cache"):
                fit(model, learn, tune)
            model.fit(learn + tune)
            scores[name] += [split_scores(model.score(p)) for p in held]
    for name, (_, published) in makers.items():
        words, bars = (np.concatenate([s[k] for s in scores[name]]) for k in (0, 1))
        both = likelihood.evaluate_bars(words, bars)["perplexity_with_bars"]
        yield Row("LSTMetallica, ten folds by song, perplexity per word with BAR", name, published, both)


def measure_copies(data: Path) -> Iterator[Row]:
    """Copies of earlier bars, where there is one to copy."""
    rock = Choice(style="rock", kind="beat", metre="4/4")
    sets = {
        "Groove MIDI test, 4/4": (read_takes(data, "test"), (0.580, 0.714, 0.758)),
        "Groove MIDI test, rock beats": (read_takes(data, "test", rock), (0.529, 0.616, 0.677)),
        "LSTMetallica": (read_pieces(DataSet("lstmetallica", data, Choice(text=True)).list(), Choice(text=True)), (0.739, 0.689)),
    }
    for title, (pieces, published) in sets.items():
        figures = copying.evaluate([p.hits for p in pieces], [p.grid.first_steps for p in pieces])
        names = {"step accuracy, 1 bar back": "step_accuracy_1", "onset F1, 1 bar back": "onset_f1_1", "onset F1, 4 bars back": "onset_f1_4"}
        for (name, key), value in zip(names.items(), published, strict=False):
            yield Row(f"copies, {title}", name, value, figures[key])


def measure_timing(data: Path) -> Iterator[Row]:
    """The drummers' hits moved to the grid."""
    cases = [load_case(s, Choice(metre="4/4")) for s in DataSet("groove_midi:test", data, Choice()).list()]
    real = timing.join_feels([read_feel(Result(c)) for c in cases if isinstance(c, Case)])
    flat = timing.quantise(real)
    yield Row("Groove MIDI test, quantised timing", "MAE, ms", 22.65, timing.timing_mae(real, flat))
    yield Row("Groove MIDI test, quantised timing", "MSE, 16ths^2", 0.0415, timing.timing_mse(real, flat))


PARTS = {"takes": measure_takes, "rock": measure_rock, "text": measure_text, "copies": measure_copies, "timing": measure_timing}


def tell(rows: Sequence[Row]) -> Iterator[str]:
    """The rows as text."""
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            yield f"\n{section:74} {'published':>10} {'ours':>8} {'ratio':>7} {'':3} {'evaluate':>9}"
        other = "" if row.evaluate is None else f"{row.evaluate:9.3f}"
        yield f"  {row.name:72} {row.published:10.4g} {row.ours:8.4g} {row.ours / row.published:7.3f} {'off' if row.is_off else '':3} {other}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--only", nargs="*", choices=list(PARTS), help="parts to measure; all without it")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder, or set BACKBEAT_DATA")
    started, rows = time.perf_counter(), list[Row]()
    for name in options.only or PARTS:
        rows += PARTS[name](Path(options.data))
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if options.json:
        print(json.dumps([asdict(row) | {"off": row.is_off} for row in rows], indent=1))
    else:
        print("\n".join(tell(rows)))
        print(f"\n{sum(row.is_off for row in rows)} of {len(rows)} rows are off by more than {TOLERANCE:.0%}")


if __name__ == "__main__":
    main()
