"""Musical sense: whether drums do what drummers do with a band. Read every figure beside the real drums of the same songs.

Conventions: ``hits`` bool [steps, 9] of ``drums_rnn_9``; ``first_steps`` int64 [bars + 1]; ``bass`` bool [steps], a bass onset;
``band_active`` bool [bars], whether the band sounds; ``section_starts`` bool [bars]. Each count is a ``Share`` (so many found,
of so many); shares add over songs, so that figures of many songs pool their bars rather than average ratios of nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Hits, hits_to_words
from backbeat.kits import load_kit
from backbeat.metrics.checks import check_bars, check_flags, check_hits
from backbeat.metrics.fills import before_sections as mark_before_sections
from backbeat.metrics.fills import find_fills
from backbeat.units import Floats, Ints

Bars = npt.NDArray[np.bool_]
SHIFT_BARS = 7
"""How far the bass is moved to see what kick and bass share by chance."""


class Share(NamedTuple):
    """``found`` out of ``of``; ``value`` is their ratio, nan of nothing."""

    found: float
    of: float

    @property
    def value(self) -> float:
        """The ratio."""
        return self.found / self.of if self.of else float("nan")


@dataclass(frozen=True, eq=False)
class Performance:
    """Drums with what is needed to judge them, see the module's conventions.

    Args:
        numerators, denominators: the metre of each bar.
        steps_per_quarter: density of the grid.

    Raises:
        ValueError: a shape does not fit.
    """

    hits: Hits
    first_steps: Ints
    numerators: tuple[int, ...]
    denominators: tuple[int, ...]
    bass: npt.NDArray[np.bool_]
    band_active: Bars
    section_starts: Bars
    steps_per_quarter: int = 4

    def __post_init__(self) -> None:
        check_hits(self.hits)
        check_bars(self.first_steps, len(self.hits), least=1)
        for name in ("bass", "band_active", "section_starts"):
            check_flags(getattr(self, name), name)
        steps, bars = len(self.hits), len(self.first_steps) - 1
        if self.bass.shape != (steps,):
            raise ValueError(f"bass must be [steps] = {steps}, not {self.bass.shape}")
        if not all(len(a) == bars for a in (self.numerators, self.denominators, self.band_active, self.section_starts)):
            raise ValueError(f"numerators, denominators, band_active and section_starts need one value for each of {bars} bars")

    def column(self, name: str) -> npt.NDArray[np.bool_]:
        """Bool [steps]: the hits of one class."""
        return np.asarray(self.hits[:, load_kit("drums_rnn_9").index(name)], dtype=np.bool_)

    @property
    def bar_hits(self) -> Floats:
        """float64 [bars]: hits in each bar."""
        return np.add.reduceat(self.hits.sum(axis=1), self.first_steps[:-1]).astype(np.float64)


def _share(where: npt.NDArray[np.bool_] | np.bool_) -> Share:
    return Share(float(where.sum()), float(where.size))


def count_bass_with_kick(p: Performance) -> Share:
    """Kicks that fall together with a bass onset."""
    return _share(p.bass[p.column("kick")])


def count_bass_with_kick_shifted(p: Performance, bars: int = SHIFT_BARS) -> Share:
    """The same with the bass of the bar ``bars`` later (from the end on to the beginning), step for step of the bar.

    Kicks whose step that bar does not have are left out; nothing is counted in a piece of ``bars`` bars or fewer.
    """
    count = len(p.first_steps) - 1
    if count <= bars:
        return Share(0, 0)
    kicks = np.flatnonzero(p.column("kick"))
    bar = np.searchsorted(p.first_steps, kicks, side="right") - 1
    other = (bar + bars) % count
    place = p.first_steps[other] + kicks - p.first_steps[bar]
    return _share(p.bass[place[place < p.first_steps[other + 1]]])


def count_backbeat_snares(p: Performance) -> Share:
    """Snares on beats 2 and 4, of all snares in whole 4/4 bars."""
    whole = [n == d == 4 and s == 4 * p.steps_per_quarter for n, d, s in zip(p.numerators, p.denominators, np.diff(p.first_steps), strict=True)]
    starts = p.first_steps[:-1][np.array(whole, dtype=np.bool_)]
    places = np.arange(4 * p.steps_per_quarter)
    snares = p.column("snare")[starts[:, None] + places]
    backbeat = (places == p.steps_per_quarter) | (places == 3 * p.steps_per_quarter)
    return Share(float(snares[:, backbeat].sum()), float(snares.sum()))


def count_crashes(p: Performance, *, at_sections: bool) -> Share:
    """Bars with a crash on their first step, of those that start a section, or of the others; bar 0 is left out."""
    crash = p.column("crash")[p.first_steps[:-1]]
    return _share(crash[1:][p.section_starts[1:] == at_sections])


def sum_density_changes(p: Performance, *, before_sections: bool) -> Share:
    """Sum of |hits per step - hits per step of the bar before|, and the number of bars.

    Args:
        p: the drums.
        before_sections: look at bars before a section start, or at the others. Only bars count that, like the bar before
            them, have a hit; the last bar, before nothing, is left out.
    """
    density = p.bar_hits / np.diff(p.first_steps)
    change = np.abs(np.diff(density))[:-1]
    played = ((density[1:] > 0) & (density[:-1] > 0))[:-1]
    chosen = played & (p.section_starts[2:] == before_sections)
    return Share(float(change[chosen].sum()), float(chosen.sum()))


def count_fills(p: Performance, *, before_sections: bool) -> Share:
    """Bars that are fills (see ``fills``), of those before a section start, or of the others; the last bar is left out."""
    chosen = mark_before_sections(p.section_starts) == before_sections
    return _share(find_fills(p.hits, p.first_steps)[:-1][chosen[:-1]])


def count_silent_bars_kept(p: Performance) -> Share:
    """Bars without a drum hit, of those in which the band is silent."""
    return _share(p.bar_hits[~p.band_active] == 0)


def count_steps_hit(p: Performance) -> Share:
    """Steps with any hit, of all steps."""
    return _share(np.asarray(p.hits.any(axis=1), dtype=np.bool_))


def count_distinct_bars(p: Performance) -> Share:
    """Different bars, of all bars with a hit."""
    words = hits_to_words(p.hits)
    bars = [words[a:b].tobytes() for a, b in zip(p.first_steps[:-1], p.first_steps[1:], strict=True) if words[a:b].any()]
    return Share(len(set(bars)), len(bars))


def count(p: Performance) -> dict[str, Share]:
    """Every count of one performance."""
    return {
        "bass_with_kick": count_bass_with_kick(p),
        "bass_with_kick_shifted": count_bass_with_kick_shifted(p),
        "backbeat_snares": count_backbeat_snares(p),
        "crash_at_sections": count_crashes(p, at_sections=True),
        "crash_elsewhere": count_crashes(p, at_sections=False),
        "change_before_sections": sum_density_changes(p, before_sections=True),
        "change_elsewhere": sum_density_changes(p, before_sections=False),
        "fills_before_sections": count_fills(p, before_sections=True),
        "fills_elsewhere": count_fills(p, before_sections=False),
        "silent_bars_kept": count_silent_bars_kept(p),
        "steps_hit": count_steps_hit(p),
        "distinct_bars": count_distinct_bars(p),
    }


def evaluate(performances: Iterable[Performance]) -> dict[str, float]:
    """Every figure over several performances, pooled: the shares, kick-bass excess, and the lifts at sections.

    A lift is the value at (before) section starts over the value elsewhere: 1 = sections are not marked; nan or inf where
    there is nothing to compare with. Distinct bars are counted within each piece.

    Raises:
        ValueError: there is no performance.
    """
    counted = [count(p) for p in performances]
    if not counted:
        raise ValueError("nothing to evaluate: no performance given")
    pooled = {n: Share(sum(c[n].found for c in counted), sum(c[n].of for c in counted)) for n in counted[0]}
    values = {n: s.value for n, s in pooled.items()}
    return values | {
        "kick_bass_excess": values["bass_with_kick"] - values["bass_with_kick_shifted"],
        "crash_lift": _divide(values["crash_at_sections"], values["crash_elsewhere"]),
        "change_lift": _divide(values["change_before_sections"], values["change_elsewhere"]),
        "fill_lift": _divide(values["fills_before_sections"], values["fills_elsewhere"]),
    }


def _divide(a: float, b: float) -> float:
    """A / b, inf for something over nothing, nan for nothing over nothing."""
    if b:
        return a / b
    return float("inf") if a > 0 else float("nan")
