"""What every model is measured by: it scores real drums, or plays its own, for a piece.

A model is *fitted* on training pieces and then *tuned* on validation pieces (thresholds, mixture weights); a model that has
nothing to tune ignores the latter. Floors and networks stand behind the same two protocols, so that one table holds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Hits, Words, words_to_hits
from backbeat.cues import Cues
from backbeat.datasets.preparation import Example
from backbeat.grid import Grid
from backbeat.units import Floats

LANES = ("bass", "guitar", "keys", "pads", "lead", "other")
"""The lanes of a band's onsets, as ``cues`` makes them."""


class Band(Protocol):
    """What the floors hear of a band; ``cues.Cues`` is one."""

    @property
    def onsets(self) -> npt.NDArray[np.float32]:
        """float32 [steps, lanes]: number of notes starting, lanes as in ``LANES``."""

    @property
    def active_bars(self) -> npt.NDArray[np.bool_]:
        """Bool [bars]: whether the band sounds in the bar."""


@dataclass(frozen=True, eq=False)
class HeardBand:
    """A band that is already arrays: made by hand in a test, or cut out of a longer piece."""

    onsets: npt.NDArray[np.float32]
    active_bars: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Piece:
    """Real drums on a grid, and the band they were played to.

    Args:
        name: where it came from, for reports.
        grid: bars and steps.
        words: uint16 [steps], the real drums as words of ``drums_rnn_9``.
        band: what the band plays, None where there is none (drums alone).
        example: the piece as a network eats it, for models that need more than words; None where nobody packed it.
        cues: all that a network may hear of the band, to play for it; None where nobody listened.

    Raises:
        ValueError: a length does not fit the grid.
    """

    name: str
    grid: Grid
    words: Words
    band: Band | None = None
    example: Example | None = None
    cues: Cues | None = None

    def __post_init__(self) -> None:
        if len(self.words) != self.grid.steps:
            raise ValueError(f"{self.name}: {len(self.words)} words on a grid of {self.grid.steps} steps")
        if self.band is not None and self.band.onsets.shape != (self.grid.steps, len(LANES)):
            raise ValueError(f"{self.name}: the band's onsets must be [steps, lanes] = {(self.grid.steps, len(LANES))}, not {self.band.onsets.shape}")

    @property
    def hits(self) -> Hits:
        """Bool [steps, 9]: the real drums."""
        return words_to_hits(self.words)

    @property
    def band_onsets(self) -> npt.NDArray[np.float32]:
        """float32 [steps, lanes]: the band's onsets, zeros without a band."""
        return np.zeros((self.grid.steps, len(LANES)), np.float32) if self.band is None else self.band.onsets

    @property
    def active_bars(self) -> npt.NDArray[np.bool_]:
        """Bool [bars]: whether the band plays in the bar; all of them without a band."""
        return np.ones(self.grid.bars, np.bool_) if self.band is None else self.band.active_bars

    def cut(self, first: int, last: int) -> Piece:
        """The bars from ``first`` up to but not including ``last``, as a piece with nothing before it.

        Raises:
            ValueError: there are no such bars.
        """
        grid = self.grid
        if not 0 <= first < last <= grid.bars:
            raise ValueError(f"{self.name} has {grid.bars} bars, not {first} to {last}")
        bars, steps = slice(first, last), slice(int(grid.first_steps[first]), int(grid.first_steps[last]))
        ticks = grid.bar_ticks[first : last + 1] - grid.bar_ticks[first]
        part = Grid(ticks, grid.bar_quarters[bars], grid.numerators[bars], grid.denominators[bars], grid.steps_per_quarter)
        band = None if self.band is None else HeardBand(self.band.onsets[steps], self.band.active_bars[bars])
        return Piece(f"{self.name}[{first}:{last}]", part, self.words[steps], band)

    def windows(self, bars: int) -> Iterator[Piece]:
        """The piece in windows of ``bars`` bars with nothing before them; the last may be shorter."""
        for first in range(0, self.grid.bars, bars):
            yield self.cut(first, min(first + bars, self.grid.bars))


class Fitted(Protocol):
    """Learns from pieces."""

    @property
    def name(self) -> str:
        """The name in tables."""

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Learn from training pieces; what was learned before is forgotten."""

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Choose on validation pieces what is to be chosen there."""


class Scorer(Fitted, Protocol):
    """Says how likely the real drums are."""

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word, given the words before it (and the whole band, if the model listens)."""


class Player(Fitted, Protocol):
    """Plays drums of its own."""

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: its drums for the piece. It looks at real words only where its name says so (copying)."""


class Take(Protocol):
    """A take while it is being played, step by step."""

    def distribution(self) -> Floats:
        """float64 [512]: the probability of each word at the step to come."""

    def push(self, word: int) -> None:
        """Play a word, and go on to the next step."""


class Improviser(Scorer, Protocol):
    """A scorer that gives the whole distribution of the next word, so that it can be drawn from; see ``improvising``."""

    def begin(self, grid: Grid) -> Take:
        """A take with nothing played yet."""


Arrays = dict[str, npt.NDArray[Any]]


class Stored(Protocol):
    """Can be kept in a checkpoint folder; see ``checkpoint``."""

    def pack(self) -> tuple[dict[str, Any], Arrays]:
        """What was chosen or tuned, as JSON takes it, and what was learned, as arrays."""

    def unpack(self, settings: dict[str, Any], arrays: Arrays) -> None:
        """Become the model that was packed.

        Raises:
            KeyError, TypeError, ValueError: something is missing or does not fit.
        """
