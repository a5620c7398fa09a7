"""Players without learning, or nearly: what a network has to be better than.

``CopyBars`` is the only one that looks at the real drums (of earlier bars): it is the floor of the task *with history*.
The others hear the band alone, play in any metre, and rest in bars where the band rests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from backbeat.codecs.words import CLASSES, Hits
from backbeat.errors import ModelError
from backbeat.grid import Grid
from backbeat.kits import load_kit
from backbeat.metrics.onsets import micro_f1
from backbeat.models.protocol import LANES, Arrays, Piece
from backbeat.units import Floats

_COLUMNS = {name: i for i, name in enumerate(load_kit("drums_rnn_9").names)}
KICK, SNARE, CLOSED_HAT = _COLUMNS["kick"], _COLUMNS["snare"], _COLUMNS["closed_hat"]
BASS = LANES.index("bass")
THRESHOLDS = np.linspace(0.05, 0.95, 37)
"""Thresholds that are tried on validation."""

Metre = tuple[int, int, int]


def list_pulses(grid: Grid, bar: int) -> list[int]:
    """Steps of a bar on which a drummer counts: dotted quarters in 6/8, 9/8, 12/8 ..., else quarters (in 7/8 the last is short)."""
    numerator, denominator = grid.numerators[bar], grid.denominators[bar]
    compound = denominator >= 8 and numerator % 3 == 0
    pulse = grid.steps_per_quarter * 12 // denominator if compound else grid.steps_per_quarter
    return list(range(0, int(grid.bar_steps[bar]), max(1, pulse)))


def play_rock_bar(grid: Grid, bar: int) -> Hits:
    """Bool [steps of the bar, 9]: closed hat on 8ths, kick on 1 and in the middle, snare on every second pulse."""
    hits = np.zeros((int(grid.bar_steps[bar]), CLASSES), np.bool_)
    hits[:: max(1, grid.steps_per_quarter // 2), CLOSED_HAT] = True
    pulses = list_pulses(grid, bar)
    hits[pulses[1::2], SNARE] = True
    hits[[0, pulses[2 * (len(pulses) // 4)]], KICK] = True
    return hits


def _key(grid: Grid, bar: int) -> Metre:
    return grid.numerators[bar], grid.denominators[bar], int(grid.bar_steps[bar])


def _list_active_bars(piece: Piece) -> Iterator[tuple[int, slice]]:
    """Number and steps of each bar in which the band plays."""
    first = piece.grid.first_steps
    return ((int(b), slice(int(first[b]), int(first[b + 1]))) for b in np.flatnonzero(piece.active_bars))


class _Fixed:
    """A player that learns nothing."""

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Nothing is learned."""

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Nothing is tuned."""


class CopyBars(_Fixed):
    """Plays the real bar of ``back`` bars before; a step that bar does not have, and the first bars, stay silent."""

    def __init__(self, back: int) -> None:
        if back < 1:
            raise ValueError("back must be at least 1: a bar cannot copy itself")
        self.back = back
        self.name = f"copy {back} {'bar' if back == 1 else 'bars'} back (with history)"

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: see the class."""
        grid, real = piece.grid, piece.hits
        hits = np.zeros_like(real)
        for bar in range(self.back, grid.bars):
            source = real[grid.first_steps[bar - self.back] : grid.first_steps[bar - self.back + 1]]
            into = hits[grid.first_steps[bar] : grid.first_steps[bar + 1]]
            length = min(len(source), len(into))
            into[:length] = source[:length]
        return hits


class RockLoop(_Fixed):
    """Closed hat on 8ths, kick on 1 and 3, snare on 2 and 4 (and their like in other metres) wherever the band plays."""

    name = "rock loop"

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: see the class."""
        hits = np.zeros((piece.grid.steps, CLASSES), np.bool_)
        for bar, steps in _list_active_bars(piece):
            hits[steps] = play_rock_bar(piece.grid, bar)
        return hits


class RockWithBass(RockLoop):
    """The rock loop with its kick replaced by the bass's onsets."""

    name = "rock + kick = bass"

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: see the class."""
        hits = super().play(piece, rng)
        hits[:, KICK] = piece.band_onsets[:, BASS] > 0
        return hits


class Template:
    """One bar a metre: hit what the training data hits there in more than ``threshold`` of the bars where the band plays.

    A metre that training did not have gets the rock loop's bar.
    """

    name = "template"

    def __init__(self) -> None:
        self.threshold = 0.5
        self._shares: dict[Metre, Floats] = {}

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Count, for each metre, how often each step and class of an active bar is hit."""
        sums: dict[Metre, Floats] = {}
        counts: dict[Metre, int] = defaultdict(int)
        for piece in pieces:
            real = piece.hits
            for bar, steps in _list_active_bars(piece):
                key = _key(piece.grid, bar)
                sums[key] = sums[key] + real[steps] if key in sums else real[steps].astype(np.float64)
                counts[key] += 1
        self._shares = {key: sums[key] / counts[key] for key in sums}

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Choose the threshold with the best micro F1."""
        kept = list(pieces)
        real = np.concatenate([p.hits for p in kept])
        shares = np.concatenate([self._expect(p) for p in kept])
        self.threshold = float(max(THRESHOLDS, key=lambda t: micro_f1(real, shares > t)))

    def _expect(self, piece: Piece) -> Floats:
        """float64 [steps, 9]: the share of bars that hit there; 0 where the band rests."""
        expected = np.zeros((piece.grid.steps, CLASSES))
        for bar, steps in _list_active_bars(piece):
            shares = self._shares.get(_key(piece.grid, bar))
            expected[steps] = play_rock_bar(piece.grid, bar) if shares is None else shares
        return expected

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: see the class."""
        return np.asarray(self._expect(piece) > self.threshold, dtype=np.bool_)

    def pack(self) -> tuple[dict[str, Any], Arrays]:
        """What is kept of the model.

        Raises:
            ModelError: it is not fitted.
        """
        if not self._shares:
            raise ModelError(f"{self.name} is not fitted: there is nothing to keep")
        arrays: Arrays = {str(n): shares for n, shares in enumerate(self._shares.values())}
        return {"threshold": self.threshold, "metres": [list(metre) for metre in self._shares]}, arrays

    def unpack(self, settings: dict[str, Any], arrays: Arrays) -> None:
        """Become the model that was packed."""
        metres: list[Metre] = [(int(n), int(d), int(steps)) for n, d, steps in settings["metres"]]
        shares = {metre: np.asarray(arrays[str(n)], dtype=np.float64) for n, metre in enumerate(metres)}
        if any(own.shape != (metre[2], CLASSES) for metre, own in shares.items()):
            raise ValueError("a template needs a share for each step and class of a metre")
        self.threshold, self._shares = float(settings["threshold"]), shares
