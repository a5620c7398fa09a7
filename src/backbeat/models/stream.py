"""Many pieces as one long stream of words, and the 64-bit keys under which count models file what they see.

Conventions: a *lag* n >= 1 means the word n steps back (``START`` before the piece); lag ``POSITION`` = 0 means the place in
the bar. A context is a tuple of lags with the nearest information last; it backs off by dropping the first.
Keys are hashes with 55 bits for the context: that any two of 12 million contexts share a key has probability 0.002.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import VOCABULARY
from backbeat.grid import Grid
from backbeat.models.protocol import Piece

POSITION = 0
START = VOCABULARY
_POSITIONS_PER_BAR = 1 << 12

Keys = npt.NDArray[np.uint64]
Symbols = npt.NDArray[np.uint32]
_SPREAD, _MULTIPLY, _EMPTY = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT = np.uint64(29)
_ALL = (1 << 64) - 1
_CONTEXT = _ALL ^ (VOCABULARY - 1)


@dataclass(frozen=True, eq=False)
class Stream:
    """Pieces laid end to end; no context reaches across a seam.

    Args:
        words: uint16 [n].
        positions: uint32 [n], the place in the bar together with the bar's length, so that 3/4 and 4/4 keep apart.
        places: uint32 [n], steps since the start of the piece.
        pieces: uint32 [n], number of the piece.
    """

    words: npt.NDArray[np.uint16]
    positions: Symbols
    places: Symbols
    pieces: Symbols

    @classmethod
    def join(cls, pieces: Iterable[Piece]) -> Stream:
        """Lay pieces end to end."""
        words, positions, lengths = [np.zeros(0, np.uint16)], [np.zeros(0, np.uint32)], []
        for piece in pieces:
            grid = piece.grid
            words.append(np.asarray(piece.words, dtype=np.uint16))
            positions.append(list_positions(grid))
            lengths.append(grid.steps)
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        numbers = np.repeat(np.arange(len(lengths), dtype=np.uint32), lengths)
        places = (np.arange(starts[-1]) - starts[:-1][numbers]).astype(np.uint32) if lengths else np.zeros(0, np.uint32)
        return cls(np.concatenate(words), np.concatenate(positions), places, numbers)

    def __len__(self) -> int:
        return len(self.words)

    def column(self, lag: int) -> Symbols:
        """uint32 [n]: the place in the bar, or the word ``lag`` steps back."""
        if lag == POSITION:
            return self.positions
        column = np.full(len(self), START, dtype=np.uint32)
        column[lag:] = self.words[:-lag]
        column[self.places < lag] = START
        return column

    def context_keys(self, context: tuple[int, ...]) -> Iterator[Keys]:
        """Keys uint64 [n] of the empty context, of the nearest lag, of the two nearest ... of all of them."""
        keys = np.full(len(self), _EMPTY)
        yield keys
        for lag in reversed(context):
            keys = add_symbols(keys, self.column(lag))
            yield keys


class History:
    """What was played so far, step by step, with nothing before it.

    Args:
        grid: bars and steps that are played on.
    """

    def __init__(self, grid: Grid) -> None:
        self.words: list[int] = []
        self._positions: list[int] = list_positions(grid).tolist()

    def symbol(self, lag: int) -> int:
        """What stands at a lag of the step to come."""
        if lag == POSITION:
            return self._positions[len(self.words)]
        return self.words[-lag] if lag <= len(self.words) else START

    def push(self, word: int) -> None:
        """Play a word, and go on to the next step."""
        self.words.append(word)


def list_positions(grid: Grid) -> Symbols:
    """uint32 [steps]: the place of each step in its bar together with the bar's length."""
    return np.asarray(grid.bar_steps[grid.bar_of_step] * _POSITIONS_PER_BAR + grid.step_in_bar, dtype=np.uint32)


def list_keys(symbols: Iterable[int]) -> Iterator[int]:
    """The same keys as ``Stream.context_keys`` for one step, in whole numbers, which is quicker there.

    Args:
        symbols: words and positions of the context, the nearest first.
    """
    key = int(_EMPTY)
    yield key & _CONTEXT
    for symbol in symbols:
        mixed = (key ^ (symbol + 1) * int(_SPREAD)) * int(_MULTIPLY) & _ALL
        key = (mixed ^ mixed >> int(_SHIFT)) * int(_SPREAD) & _ALL
        yield key & _CONTEXT


def add_symbols(keys: Keys, symbols: npt.NDArray[np.uint16] | Symbols) -> Keys:
    """Keys of longer tuples: each key with one symbol more."""
    mixed = keys ^ (symbols.astype(np.uint64) + np.uint64(1)) * _SPREAD
    mixed *= _MULTIPLY
    mixed ^= mixed >> _SHIFT
    return np.asarray(mixed * _SPREAD, dtype=np.uint64)


def add_words(contexts: Keys, words: npt.NDArray[np.uint16]) -> Keys:
    """Keys of contexts with the word that follows in the lowest bits, so that sorting keeps a context together."""
    return find_contexts(contexts) | words.astype(np.uint64)


def find_contexts(keys: Keys) -> Keys:
    """The context's part of keys, with or without a word."""
    return np.asarray(keys & ~np.uint64(VOCABULARY - 1), dtype=np.uint64)


def count_before(keys: Keys) -> npt.NDArray[np.int64]:
    """int64 [n]: how often each key occurred earlier in the array."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(keys)]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(keys)), 0))
    counts = np.empty(len(keys), dtype=np.int64)
    counts[order] = np.arange(len(keys)) - starts
    return counts
