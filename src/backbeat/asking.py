"""What is asked of a drummer, bar by bar: how much, how loud, where to fill, in which style.

Conventions: a wish is a number from 0 to 1 for every bar, nan where the drummer decides (see ``codecs.controls``); of fills 1 is one
for certain, 0 is none, and what lies between is a hint; the style "any" is not said. Bars are counted from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from backbeat.codecs.controls import Controls, Levels
from backbeat.cues import Cues
from backbeat.errors import InputError
from backbeat.takes import check_style

ANY = "any"
MOST_FILLED = 0.5
"""Share of the bars that are filled at amount 1; .5 is a fill in every fourth bar, .25 in every eighth."""
SUGGESTED = (0.1, 0.35, 0.2)
"""Shares of the ends of sections, of phrases of eight bars and of four that get a fill when nothing is said; with those that the drummer
plays by himself, mostly before sections, about as many as in real songs."""
_GOLDEN = (5**0.5 - 1) / 2
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Wishes:
    """What is asked for in each bar.

    Args:
        density: float32 [bars] in 0-1, how many hits; 0.5 is what half of all bars of real songs stay below; nan = the drummer decides.
        intensity: float32 [bars] in 0-1, how loud; the same.
        fills: float32 [bars], 1 a fill for certain, 0 none, between them so much of a hint; nan = the drummer decides.
        styles: a style a bar; "any" = not said.

    Raises:
        InputError: lengths differ, or a value is outside 0-1.
    """

    density: Levels
    intensity: Levels
    fills: Levels
    styles: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("density", "intensity", "fills"):
            values = getattr(self, name)
            if values.shape != (len(self.styles),):
                raise InputError(f"{name} must be said for each of {len(self.styles)} bars, not {values.shape}")
            if np.any((values < 0) | (values > 1)):
                raise InputError(f"{name} must lie in 0-1, not {values[(values < 0) | (values > 1)][0]:g}")

    @classmethod
    def nothing(cls, bars: int) -> Wishes:
        """The drummer decides everything in so many bars."""
        open_ = np.full(bars, np.nan, np.float32)
        return cls(open_, open_.copy(), open_.copy(), (ANY,) * bars)

    @property
    def bars(self) -> int:
        """How many bars there are."""
        return len(self.styles)

    @property
    def controls(self) -> Controls:
        """What a network is told of them, styles apart."""
        return Controls(self.density, self.intensity, self.fills)

    def ask(
        self,
        bars: Iterable[int] | None = None,
        *,
        density: float | None = None,
        intensity: float | None = None,
        fill: bool | None = None,
        style: str | None = None,
    ) -> Wishes:
        """The same with something asked for in some bars; what is None there stays as it was.

        Args:
            bars: which ones, a section's or single ones; None = all.
            density, intensity: 0-1.
            fill: True a fill in each of these bars, False none.
            style: one of the drummer's.

        Raises:
            InputError: there is no such bar, or a value is outside 0-1.
        """
        here = self._choose(bars)
        said: dict[str, float | None] = {"density": density, "intensity": intensity, "fills": None if fill is None else float(fill)}
        for name, value in said.items():
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{name} must lie in 0-1, not {value:g}")
        density_, intensity_, fills = (
            getattr(self, name) if value is None else np.where(here, np.float32(value), getattr(self, name)).astype(np.float32) for name, value in said.items()
        )
        styles = self.styles if style is None else tuple(style if now else old for now, old in zip(here.tolist(), self.styles, strict=True))
        return Wishes(density_, intensity_, fills, styles)

    def ask_fills(self, amount: float, section_starts: Flags, bars: Iterable[int] | None = None) -> Wishes:
        """The same with so many fills, where they belong (see ``plan_fills``), and none elsewhere.

        Args:
            amount: 0 none, 0.25 about one in eight bars, 0.5 one in four, 1 one in two.
            section_starts: bool [bars].
            bars: among which ones; None = all.

        Raises:
            InputError: there is no such bar, or the amount is outside 0-1.
        """
        here = self._choose(bars)
        plan = plan_fills(amount, section_starts, here)
        return replace(self, fills=np.where(here, plan.astype(np.float32), self.fills).astype(np.float32))

    def with_style(self, style: str) -> Wishes:
        """The same with a style where none is said."""
        return replace(self, styles=tuple(style if old == ANY else old for old in self.styles))

    def check(self, bars: int, styles: Sequence[str]) -> None:
        """Refuse wishes for another song or of another drummer.

        Raises:
            InputError: the number of bars differs, or there is no such style.
        """
        if self.bars != bars:
            raise InputError(f"wishes are for {self.bars} bars, but there are {bars}")
        for style in dict.fromkeys(self.styles):
            check_style(style, styles)

    def _choose(self, bars: Iterable[int] | None) -> Flags:
        """Bool [bars]."""
        if bars is None:
            return np.ones(self.bars, np.bool_)
        chosen = list(bars)
        outside = [b for b in chosen if not 0 <= b < self.bars]
        if outside:
            raise InputError(f"no bar {outside[0] + 1}: there are bars 1-{self.bars}")
        return np.isin(np.arange(self.bars), chosen)


def plan_fills(amount: float, section_starts: Flags, among: Flags | None = None) -> Flags:
    """Where fills belong: first at the ends of sections, then of phrases of eight bars, of four, of two, then anywhere.

    Phrases are counted from the beginning of their section. With a greater amount all fills of a smaller one stay.

    Args:
        amount: 0-1, of which ``MOST_FILLED`` is the share of the bars that get a fill.
        section_starts: bool [bars].
        among: bool [bars], bars that may get one; None = all.

    Returns:
        bool [bars].

    Raises:
        InputError: the amount is outside 0-1.
    """
    if not 0 <= amount <= 1:
        raise InputError(f"the amount of fills must lie in 0-1, not {amount:g}")
    bars = len(section_starts)
    among = np.ones(bars, np.bool_) if among is None else among
    ranks = _rank_bars(np.asarray(section_starts, dtype=np.bool_))
    spread = np.zeros(bars)
    for rank in np.unique(ranks):  # within a rank evenly: the places of multiples of the golden section
        here = ranks == rank
        spread[here] = np.arange(np.count_nonzero(here)) * _GOLDEN % 1
    order = [b for b in np.lexsort((spread, ranks)).tolist() if among[b]]
    plan = np.zeros(bars, np.bool_)
    plan[order[: int(amount * MOST_FILLED * len(order) + 0.5)]] = True
    return plan


def _rank_bars(section_starts: Flags) -> npt.NDArray[np.int64]:
    """int64 [bars]: 0 before a section, 1 at the end of eight bars, 2 of four, 3 of two, 4 elsewhere; the last bar of all comes last."""
    bars = len(section_starts)
    index = np.arange(bars)
    since = index - np.maximum.accumulate(np.where(section_starts, index, 0)) + 1
    ranks = np.select([since % 8 == 0, since % 4 == 0, since % 2 == 0], [1, 2, 3], 4)
    ranks[:-1][section_starts[1:]] = 0
    ranks[-1:] = 5
    return np.asarray(ranks, dtype=np.int64)


def suggest_fills(wishes: Wishes, cues: Cues) -> Wishes:
    """The same with fills at some ends of sections and phrases, where nothing is said of fills.

    Left alone, the drummer fills less than people do. Where any fill is asked for or refused, nothing is added.

    Args:
        wishes: what is asked for.
        cues: the band.
    """
    if not np.isnan(wishes.fills).all() or not wishes.bars:
        return wishes
    ranks, going_on = _rank_bars(cues.section_starts), np.zeros(wishes.bars, np.bool_)
    going_on[:-1] = cues.active_bars[1:] & cues.active_bars[:-1]
    chosen = list[int]()
    for rank, share in enumerate(SUGGESTED):  # evenly, from a place that is another one in each song, so that short songs have their share, too
        ends = np.flatnonzero((ranks == rank) & going_on)
        places = (np.arange(len(ends)) + np.count_nonzero(cues.onsets) + rank / 2) * _GOLDEN % 1
        chosen += ends[places < share].tolist()
    return wishes.ask(chosen, fill=True) if chosen else wishes
