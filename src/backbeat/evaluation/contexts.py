"""Contexts of a likelihood: a whole take, or windows of N bars with no drums before them.

A window is a piece by itself: what a model remembers starts empty, and a reference to a bar before the window points nowhere.
Of the band a network still hears what the whole song told it (the context speaks of drums).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from backbeat.datasets.preparation import Example
from backbeat.errors import InputError
from backbeat.models.protocol import Piece
from backbeat.units import Floats

WHOLE = 0
"""The context of a whole take, in bars."""


def parse_context(text: str) -> int:
    """Bars of a window: 0 for "whole", 4 for "4-bars".

    Raises:
        InputError: it is neither.
    """
    if text == "whole":
        return WHOLE
    found = re.fullmatch(r"([1-9]\d{0,4})-?bars?", text)
    if not found:
        raise InputError(f"no context {text!r}: say 'whole', or a number of bars as in '4-bars'")
    return int(found[1])


def name_context(bars: int) -> str:
    """The context in words, for tables."""
    return "whole takes" if bars == WHOLE else f"windows of {bars} {'bar' if bars == 1 else 'bars'}"


def cut_piece(piece: Piece, first: int, last: int) -> Piece:
    """The bars from ``first`` up to but not including ``last`` as a piece with no drums before it; it can be scored, not played to.

    Raises:
        ValueError: there are no such bars.
    """
    part = piece.cut(first, last)
    if piece.example is None:
        return replace(part, cues=None)
    steps = slice(int(piece.grid.first_steps[first]), int(piece.grid.first_steps[last]))
    return replace(part, example=cut_example(piece.example, steps, slice(first, last)), cues=None)


def cut_example(example: Example, steps: slice, bars: slice) -> Example:
    """The same of a packed piece."""
    matches = example.matches[bars] - bars.start
    return replace(
        example,
        **{name: getattr(example, name)[steps] for name in ("step", "words", "velocities", "articulations", "offsets")},
        bar=example.bar[bars],
        layout=example.layout[bars],
        tempo=example.tempo[bars],
        matches=np.where(example.matches[bars] >= bars.start, matches, -1).astype(example.matches.dtype),
    )


def cut_windows(piece: Piece, bars: int) -> Iterator[Piece]:
    """A piece in windows of ``bars`` bars, the last may be shorter; the piece itself where the context is whole."""
    if bars == WHOLE:
        yield piece
        return
    for first in range(0, piece.grid.bars, bars):
        yield cut_piece(piece, first, min(first + bars, piece.grid.bars))


def cut_all(pieces: Iterable[Piece], bars: int) -> list[Piece]:
    """Many pieces in windows: what a floor is fitted on that is measured in windows."""
    return [window for piece in pieces for window in cut_windows(piece, bars)]


def score_in_context(score: Callable[[Piece], Floats], piece: Piece, bars: int) -> Floats:
    """float64 [steps]: log2 p of each word of a piece, scored window by window."""
    return np.concatenate([score(window) for window in cut_windows(piece, bars)])
