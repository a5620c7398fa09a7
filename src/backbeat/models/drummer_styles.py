"""Leaning towards a style: where its drummers hit in the bar, as something to add to the words' log-probabilities.

Most songs that the network has learned from say no style, so a style that is asked for moves it little, and going further in the same direction
than it would makes mush. Beside it stands a small expert that was counted from real drums: for each style a few patterns, each the share of
the bars with a hit at every sixteenth of a bar of 4/4. A take draws one of them. At every step each class's log-odds of a hit, as the network has
them, go part of the way to those of the pattern (a weighted geometric mean, as in products of experts: Hinton, Neural Computation 14, 2002).
So what belongs together in the network's mind stays together, what it has begun it goes on with, and there are about as many hits as real
drummers of the style play. Infilled bars take the pattern that the drums around them have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, WORD_BITS
from backbeat.errors import ModelError
from backbeat.grid import Grid
from backbeat.units import Floats, Ints

FILE = "styles.json"
"""Beside a drummer's weights; ``benchmarks/style_patterns.py`` makes it."""
PLACES = 16
"""Sixteenths of a bar of 4/4."""
_BITS = WORD_BITS.astype(np.float64)
_BEATS = {1: (0,), 2: (0, 1), 3: (0, 1, 3), 4: (0, 1, 2, 3)}
"""Which beats of 4/4 the beats of shorter bars are; longer ones go on from the first."""
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Leaning:
    """How far a style that is asked for moves the words.

    Args:
        weight: how much of the way to the pattern the log-odds go.
        steady: how far a pattern is drawn to its typical bar, which has every class as often as the pattern, at its most frequent
            places; without it hits come and go as if by chance.
        other: the share of the weight in other metres than 4/4, which the expert knows only by their beats.
        most: how far the log-odds of a class may be moved, in nats.
        follow: how much what the band lets expect of a bar counts to tell which pattern it is.
        learn: how much a hit or a rest of known drums counts to tell which pattern it is; below 1 because bars repeat.
    """

    weight: float = 0.65
    steady: float = 0.8
    other: float = 0.5
    most: float = 5.0
    follow: float = 0.05
    learn: float = 0.25


@dataclass(frozen=True, eq=False)
class Patterns:
    """What was counted of each style.

    Args:
        shares: of each style how frequent each of its patterns is, float64 [patterns].
        rates: of each style float64 [patterns, 16, 9], the share of bars with a hit of each class of ``drums_rnn_9``.
    """

    shares: Mapping[str, Floats]
    rates: Mapping[str, Floats]

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Patterns:
        """From a table as ``benchmarks/style_patterns.py`` writes it: rates are counts of a thousand.

        Raises:
            ModelError: the table is damaged.
        """
        try:
            shares = {k: np.array(v["shares"], np.float64) for k, v in table["styles"].items()}
            rates = {k: np.array(v["rates"], np.float64).reshape(-1, PLACES, CLASSES) / 1000 for k, v in table["styles"].items()}
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError("the table of styles is damaged: install the model again") from error
        if any(len(rates[k]) != len(shares[k]) or not (shares[k] > 0).all() or not ((rates[k] > 0) & (rates[k] < 1)).all() for k in shares):
            raise ModelError("the table of styles is damaged: install the model again")
        return cls(shares, rates)


def load_patterns(folder: Path) -> Patterns | None:
    """The table of styles beside a drummer's weights; None where there is none.

    Raises:
        ModelError: it is damaged.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return Patterns.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: install the model again") from error


@dataclass(frozen=True, eq=False)
class Lean:
    """What leans a take towards the styles that are asked for.

    Args:
        patterns: of the styles.
        styles: the styles that are asked for and known.
        style: int64 [steps], index into ``styles``, -1 where nothing is added.
        place: int64 [steps], sixteenth of a bar of 4/4.
        weight: float64 [steps].
        fits: of each style float64 [patterns], log-probabilities before any drums are known.
        key: a number of the song, so that one seed does not draw the same pattern for all songs.
        how: weights.
    """

    patterns: Patterns
    styles: tuple[str, ...]
    style: Ints
    place: Ints
    weight: Floats
    fits: tuple[Floats, ...]
    key: int
    how: Leaning

    @classmethod
    def of(cls, patterns: Patterns, styles: list[str], grid: Grid, share: Floats, expected: Array, key: int, how: Leaning) -> Lean | None:
        """That of a style a bar; None where none is known.

        Args:
            patterns: what was counted.
            styles: one a bar.
            grid: 4 steps a quarter.
            share: float64 [steps] in 0-1, how much of it counts: 0 where the band rests.
            expected: float32 [steps, 9], probabilities of hits as the band lets expect them.
            key: a number of the song.
            how: weights.
        """
        known = tuple(dict.fromkeys(s for s in styles if s in patterns.rates))
        if not known or grid.steps_per_quarter != PLACES // 4:
            return None
        index = np.array([known.index(s) if s in known else -1 for s in styles], np.int64)
        place, weight = np.zeros(grid.steps, np.int64), np.zeros(grid.steps)
        for bar, (steps, first) in enumerate(zip(grid.bar_steps.tolist(), grid.first_steps.tolist(), strict=False)):
            if index[bar] >= 0 and steps % 4 == 0 and grid.denominators[bar] <= 4:
                place[first : first + steps] = _places(steps)
                weight[first : first + steps] = how.weight if steps == PLACES else how.other * how.weight
        weight = weight * share
        style = np.where(weight > 0, index[grid.bar_of_step], -1)
        fits = tuple(np.log(patterns.shares[s]) + how.follow * _suit(patterns.rates[s], place[style == k], expected[style == k]) for k, s in enumerate(known))
        return cls(patterns, known, style, place, weight, fits, key, how)

    def reorder(self, steps: Ints) -> Lean:
        """The same for steps in another order."""
        return Lean(self.patterns, self.styles, self.style[steps], self.place[steps], self.weight[steps], self.fits, self.key, self.how)

    @cached_property
    def wanted(self) -> tuple[Floats, ...]:
        """Of each style float64 [patterns, 16, 9], the rates that are aimed at."""
        rates = [self.patterns.rates[style] for style in self.styles]
        return tuple(r + self.how.steady * (_find_typical(r) - r) for r in rates)

    def draw(self, rng: np.random.Generator, steps: Ints, words: Ints) -> tuple[int, ...]:
        """A pattern of each style, by how frequent it is and how well it suits what is known.

        Args:
            rng: of the take.
            steps: int64 [n], where the drums are known.
            words: int64 [n], what they are there.
        """
        own, drawn = np.random.default_rng([int(rng.integers(1 << 32)), self.key]), []
        for index, (style, fit) in enumerate(zip(self.styles, self.fits, strict=True)):
            here = steps[self.style[steps] == index]
            known = _suit(self.patterns.rates[style], self.place[here], _BITS[words[self.style[steps] == index]])
            drawn.append(int(np.argmax(fit + self.how.learn * len(here) / PLACES * known + own.gumbel(size=len(fit)))))
        return tuple(drawn)

    def favour(self, step: int, drawn: tuple[int, ...], words: Array) -> Array | None:
        """float32 [512]: what is added to the words of a step; None = nothing.

        Args:
            step: where.
            drawn: the pattern of each style.
            words: float32 [512], what they are now: log-probabilities, not necessarily normalised.
        """
        which = int(self.style[step])
        if which < 0:
            return None
        rates = self.wanted[which][drawn[which], self.place[step]]
        likely = np.exp(words - words.max())
        found = np.clip(likely @ _BITS / likely.sum(), 0.0005, 0.9995)
        moved = self.weight[step] * (np.log(rates / (1 - rates)) - np.log(found / (1 - found)))
        return np.asarray(_BITS @ np.clip(moved, -self.how.most, self.how.most), dtype=np.float32)


def _suit(rates: Floats, place: Ints, hits: npt.NDArray[np.floating[Any]]) -> Floats:
    """float64 [patterns]: log-probability of hits [n, 9] at places [n] of each pattern, of a bar on average."""
    here = rates[:, place]
    logs = (hits * np.log(here) + (1 - hits) * np.log1p(-here)).sum(axis=(1, 2))
    return np.asarray(logs * (PLACES / max(len(place), 1)), dtype=np.float64)


def _find_typical(rates: Floats) -> Floats:
    """float64 [patterns, 16, 9]: a bar of each pattern that has every class as often as the pattern, at its most frequent places."""
    ranks = np.argsort(np.argsort(-rates, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(ranks < np.floor(rates.sum(axis=1, keepdims=True) + 0.5), dtype=np.float64)


def _places(steps: int) -> Ints:
    """int64 [steps]: which sixteenth of a bar of 4/4 each of a bar of whole quarters is."""
    quarters = steps // 4
    beats = _BEATS.get(quarters) or tuple(b % 4 for b in range(quarters))
    return np.asarray(np.array(beats)[np.arange(steps) // 4] * 4 + np.arange(steps) % 4, dtype=np.int64)
