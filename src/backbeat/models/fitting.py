"""Fitting a model that counts on a corpus, tuning it on pieces it was not fitted on, and its figures there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backbeat.datasets.corpus import Corpus
from backbeat.errors import InputError
from backbeat.metrics import likelihood, onsets
from backbeat.models.pieces import read_pieces
from backbeat.models.protocol import Piece
from backbeat.models.registry import Entry

HELD_OUT = 10
"""Without a validation corpus, every tenth piece is held out."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model.

    Args:
        model: ready to score or play.
        data: what it was fitted and tuned on.
        figures: measured on the pieces it was tuned on.
    """

    model: Any
    data: dict[str, Any]
    figures: dict[str, float]


def read_training(corpus: Corpus, every: int = 1, *, band_only: bool = False) -> list[Piece]:
    """The pieces of a corpus; those without a band are drums alone, not drums to a silent band.

    Args:
        corpus: on a grid of 16ths.
        every: take every n-th piece.
        band_only: leave out drums alone, unless the corpus has nothing else.

    Raises:
        InputError: the corpus is empty, or on another grid.
    """
    density = corpus.meta.get("steps_per_quarter", 4)
    if density != 4:
        raise InputError(f"{corpus.folder} has {density} steps per quarter: floors learn on 16ths, build it with --steps-per-quarter 4")
    if every < 1:
        raise InputError(f"every n-th piece: n must be at least 1, not {every}")
    pieces = [piece if piece.active_bars.any() else replace(piece, band=None) for piece in read_pieces(corpus, every=every)]
    heard = [piece for piece in pieces if piece.band is not None] if band_only else []
    if not pieces:
        raise InputError(f"{corpus.folder} has no pieces to learn from")
    return heard or pieces


def fit_model(
    model: Any,  # noqa: ANN401 - any floor
    entry: Entry,
    corpus: Corpus,
    validation: Corpus | None = None,
    *,
    every: int = 1,
    report: Callable[[str], None] = lambda line: None,
) -> Fit:
    """Fit, tune and measure a model.

    Args:
        model: made by ``make_model``.  entry: its line in the registry.
        corpus: fitted on every ``every``-th piece.
        validation: tuned and measured on; without it, every tenth piece of the corpus is held out for that.
        report: told what is being done.

    Raises:
        InputError: a corpus is empty, or on another grid.
        MissingExtraError: the model needs a package that is not installed.
    """
    band_only = entry.hears or not entry.scores
    pieces = read_training(corpus, every, band_only=band_only)
    if validation is None:
        pieces, tuning = _hold_out(pieces, corpus)
    else:
        tuning = read_training(validation, band_only=band_only)
    data = {
        "corpus": corpus.folder.name,
        "manifest_sha256": corpus.meta.get("manifest_sha256", ""),
        "tuned_on": f"every {HELD_OUT}th piece of it" if validation is None else validation.folder.name,
    }
    if validation is not None:
        data["tuned_on_manifest_sha256"] = validation.meta.get("manifest_sha256", "")
    return fit_pieces(model, entry, pieces, tuning, data, report)


def fit_pieces(
    model: Any,  # noqa: ANN401 - any floor
    entry: Entry,
    pieces: Sequence[Piece],
    tuning: Sequence[Piece],
    data: dict[str, Any],
    report: Callable[[str], None] = lambda line: None,
) -> Fit:
    """Fit, tune and measure a model on pieces.

    Args:
        model: made by ``make_model``.  entry: its line in the registry.
        pieces: fitted on.  tuning: tuned and measured on.
        data: what they are, for the checkpoint.
        report: told what is being done.

    Raises:
        MissingExtraError: the model needs a package that is not installed.
    """
    report(f"fitting {entry.name} on {len(pieces):,} pieces ({_count_steps(pieces):,} steps)")
    model.fit(pieces)
    report(f"tuning and measuring on {len(tuning):,} pieces ({_count_steps(tuning):,} steps)")
    model.tune(tuning)
    counts = {"pieces": len(pieces), "steps": _count_steps(pieces), "tuned_on_pieces": len(tuning)}
    return Fit(model, data | counts, measure_model(model, entry, tuning))


def measure_model(model: Any, entry: Entry, pieces: Sequence[Piece]) -> dict[str, float]:  # noqa: ANN401 - any floor
    """Figures of a model on pieces: likelihood over whole pieces where it scores, else onset F1 of what it plays."""
    if entry.scores:
        scores = np.concatenate([model.score(piece) for piece in pieces])
        return likelihood.evaluate(scores, np.concatenate([piece.words for piece in pieces]))
    played = [model.play(piece, np.random.default_rng(0)) for piece in pieces]
    figures = onsets.evaluate([piece.hits for piece in pieces], played, [piece.grid.first_steps for piece in pieces])
    return {name: figures[name] for name in ("micro_f1", "bar_mean_f1", "song_mean_f1", "precision", "recall")}


def _hold_out(pieces: list[Piece], corpus: Corpus) -> tuple[list[Piece], list[Piece]]:
    if len(pieces) < HELD_OUT:
        raise InputError(f"{corpus.folder} has {len(pieces)} pieces, too few to hold some out: name another corpus with --validation")
    return [piece for n, piece in enumerate(pieces) if n % HELD_OUT], pieces[::HELD_OUT]


def _count_steps(pieces: Sequence[Piece]) -> int:
    return sum(piece.grid.steps for piece in pieces)
