"""Nominal places: where the notation would put strokes that were played, or typed in, on whatever subdivision of each beat.

A beat is heard as divided in two, four, eight, three, six ... parts; the division is the one under which its strokes are most
likely: normal around their places in *milliseconds* (two Gaussians, so that a drummer and a step sequencer can share a file), with a
price for fine and rare divisions and for changing between twos and threes (the best path over the beats, Viterbi). The spread and the
common lateness are those of the file itself, by a few rounds of expectation and maximisation. Swung 8ths and 16ths are the divisions by two whose
second part begins late; how late is found with them.

Source: a plain form of the generative quantisers of Cemgil and Kappen (2003, Monte Carlo Methods for Tempo Tracking and Rhythm
Quantization), with the tempo given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.units import Floats, Ints

SIMPLE, COMPOUND = 0, 1
_LABELS = (
    {1: (0, 0.0), 2: (0, 0.0), 4: (0, 0.5), 8: (0, 3.0), 16: (0, 7.0), 3: (1, 2.0), 6: (1, 4.0), 12: (1, 6.0), 5: (2, 8.0), 7: (2, 9.0)},
    {1: (0, 0.0), 3: (0, 0.0), 6: (0, 0.5), 12: (0, 3.0), 24: (0, 7.0), 2: (1, 3.0), 4: (1, 4.0), 9: (1, 5.0)},
)
"""By kind of beat: parts -> family (twos, threes, odd) and price in nats."""
_WEIGHTS = (
    {1: 1.0, 2: 0.8, 4: 0.4, 8: 0.12, 16: 0.05, 3: 0.6, 6: 0.3, 12: 0.1, 5: 0.5, 7: 0.5},
    {1: 1.0, 3: 0.8, 6: 0.4, 12: 0.12, 24: 0.05, 2: 0.4, 4: 0.2, 9: 0.1, 8: 0.05},
)
"""By kind of beat: how usual a stroke is at a fraction with this denominator."""
_TURN = 1.2
"""Price of changing the family from one struck beat to the next."""
_FINE_SWUNG = 4.5
"""Swung 8ths have few 16ths between them: triplets are likelier."""
_BROAD_MS, _WIDEST_MS, _SHARE, _LOST = 15.0, 25.0, 0.1, 10.8
_STRAY = 0.02
"""Nats a ms for strokes that are near nothing: they still go to what is nearest."""
_ROUNDS, _SAMPLE = 3, 3000
_LEAST_GAIN = 6.0


class Swing(NamedTuple):
    """Which notes are paired (8, 16, or 0 = none) and where in a pair the second begins, in percent (50 = straight)."""

    of: int
    percent: float


STRAIGHT = Swing(0, 50.0)


class Metre(NamedTuple):
    """The beats of a piece, which may be parts of the metre's own (a half is two of ours).

    Args:
        starts: float64 [beats + 1], quarters from the start of the piece; the last ends the piece.
        lengths: float64 [beats], quarters.
        kinds: int64 [beats], SIMPLE or COMPOUND.
        bars: int64 [beats].
        bar_starts: float64 [bars + 1], quarters.
    """

    starts: Floats
    lengths: Floats
    kinds: Ints
    bars: Ints
    bar_starts: Floats


@dataclass(frozen=True, eq=False)
class Places:
    """Where strokes are meant.

    Args:
        bars: int64 [n].
        straight: float64 [n], quarters from the start of the bar as notated, swing taken out.
        places: float64 [n], the same with the swing: where the stroke nominally sounds.
        binary: bool [n], in a beat that is divided by twos (in compound metres: into plain 8ths and finer), which swing applies to.
        swing: of the piece.
        spread_ms: how far strokes lie from their places, as a standard deviation.
        aligned: whether strokes lie near places at all; where not, places are where the strokes are.
    """

    bars: Ints
    straight: Floats
    places: Floats
    binary: npt.NDArray[np.bool_]
    swing: Swing
    spread_ms: float
    aligned: bool


def lay_metre(bar_starts: Floats, numerators: tuple[int, ...], denominators: tuple[int, ...]) -> Metre:
    """The beats of bars: quarters, in x/8 and shorter 8ths, in 6/8, 9/8, 12/8 and their like dotted beats.

    Args:
        bar_starts: float64 [bars + 1], quarters; the last ends the piece.
        numerators, denominators: the metre of each bar.
    """
    starts, lengths, kinds, bars = list[float](), list[float](), list[int](), list[int]()
    for bar, (start, end, numerator, denominator) in enumerate(zip(bar_starts[:-1].tolist(), bar_starts[1:].tolist(), numerators, denominators, strict=True)):
        compound = denominator >= 8 and numerator % 3 == 0 and numerator > 3
        length = 12 / denominator if compound else 1.0 if denominator <= 4 else 0.5
        count = max(1, int(np.ceil((end - start) / length - 1e-6)))
        starts += [start + k * length for k in range(count)]
        lengths += [length] * count
        kinds += [COMPOUND if compound else SIMPLE] * count
        bars += [bar] * count
    return Metre(np.array([*starts, bar_starts[-1]]), np.array(lengths), np.array(kinds, np.int64), np.array(bars, np.int64), bar_starts)


def warp(quarters: Floats, swing: Swing) -> Floats:
    """Where notated quarters sound in a swing: each half of a pair is stretched evenly, so that order stays.

    Args:
        quarters: float64 [n] from the start of the bar or beat.
        swing: none leaves them as they are.
    """
    if not swing.of:
        return quarters
    length, late = 8 / swing.of, swing.percent / 100
    pair = np.floor(quarters / length + 1e-9)
    inside = np.maximum(quarters / length - pair, 0)
    return np.asarray((pair + np.where(inside < 0.5, 2 * inside * late, late + (2 * inside - 1) * (1 - late))) * length)


class _Fit(NamedTuple):
    """A reading under one swing: its cost in nats, and of each stroke the notated and the sounding quarters in its beat, family and residual in ms."""

    cost: float
    straight: Floats
    sounding: Floats
    family: Ints
    off_ms: Floats
    spread_ms: float
    mean_ms: float


def find_places(metre: Metre, quarters: Floats, qpm: Floats, tick_ms: float = 0.5) -> Places:
    """The nominal places of strokes.

    Args:
        metre: the beats of the piece.
        quarters: float64 [n], where each was struck, in quarters from the start of the piece, ascending.
        qpm: float64 [n], the tempo there.
        tick_ms: what a tick is worth, the least spread that can be seen.
    """
    beat = np.clip(np.searchsorted(metre.starts[1:-1], quarters, side="right"), 0, len(metre.lengths) - 1)
    heard = _Heard(quarters - metre.starts[beat], 60_000 / qpm, beat, metre.lengths[beat], metre.kinds[beat], max(1.0, 0.3 * tick_ms))
    if not _is_aligned(quarters):
        bars = metre.bars[beat]
        inside = np.maximum(quarters - metre.bar_starts[bars], 0)
        return Places(bars, inside, inside, np.zeros(len(beat), np.bool_), STRAIGHT, 0.0, False)
    swing = _choose_swing(heard) if len(beat) else STRAIGHT
    fit = _fit(heard, swing)
    for _ in range(2 if swing.of else 0):
        swing = _refine(heard, fit, swing)
        fit = _fit(heard, swing)
    bars, straight = _put_in_bars(metre, metre.starts[beat] + fit.straight, beat)
    _, places = _put_in_bars(metre, metre.starts[beat] + fit.sounding, beat)
    return Places(bars, straight, places, fit.family == 0, swing, fit.spread_ms, True)


def _put_in_bars(metre: Metre, quarters: Floats, beat: Ints) -> tuple[Ints, Floats]:
    """Bars and places in them; the end of a beat may be the start of the next bar."""
    bars = metre.bars[beat]
    bars = bars + (quarters >= metre.bar_starts[bars + 1] - 1e-6)
    return bars, np.maximum(quarters - metre.bar_starts[bars], 0)


class _Heard(NamedTuple):
    """Strokes as heard: quarters into their beat, ms of a quarter, number, length and kind of the beat; and the least spread in ms."""

    inside: Floats
    quarter_ms: Floats
    beat: Ints
    length: Floats
    kind: Ints
    least_ms: float

    def first(self, count: int) -> _Heard:
        """The first strokes."""
        return _Heard(self.inside[:count], self.quarter_ms[:count], self.beat[:count], self.length[:count], self.kind[:count], self.least_ms)


def _is_aligned(quarters: Floats) -> bool:
    """Whether strokes gather around 8ths, 16ths or triplets at all; of few strokes it is taken for granted."""
    if len(quarters) < 48:
        return True
    gathered = max(abs(np.exp(2j * np.pi * n * quarters).mean()) for n in (1, 2, 3, 4, 6, 8))
    return bool(gathered > max(0.1, np.sqrt(5 / len(quarters))))  # Rayleigh's test, and a least effect


def _fit(heard: _Heard, swing: Swing, rounds: int = _ROUNDS) -> _Fit:
    """Read under a swing, with the spread and the common lateness that come out of it."""
    guess = _guess_lateness(heard)
    spread, mean, reach = 12.0, guess, min(40.0, float(heard.quarter_ms.mean()) / 10) if len(heard.beat) else 0.0
    for turn in range(rounds):
        fit = _read(heard, swing, spread, mean)
        if turn + 1 < rounds and len(fit.off_ms):
            mean = float(np.clip(np.median(fit.off_ms), guess - reach, guess + reach))
            spread = float(np.clip(1.4826 * np.median(np.abs(fit.off_ms - mean)), heard.least_ms, _WIDEST_MS))
    return fit


def _guess_lateness(heard: _Heard) -> float:
    """How late all strokes are together, in ms, where they clearly are."""
    for parts in (4, 3):
        mean = np.exp(2j * np.pi * parts * heard.inside).mean() if len(heard.inside) else 0
        if abs(mean) > 0.9:
            return float(np.angle(mean) / (2 * np.pi * parts) * heard.quarter_ms.mean())
    return 0.0


def _read(heard: _Heard, swing: Swing, spread: float, mean: float) -> _Fit:
    """The best division of every beat, given how strokes spread around places."""
    count, beats = len(heard.beat), int(heard.beat.max(initial=-1)) + 1
    best = np.full((3, beats), np.inf)
    own = np.zeros((3, count))
    straight, sounding, off = np.zeros((3, count)), np.zeros((3, count)), np.zeros((3, count))
    for kind, labels in enumerate(_LABELS):
        chosen = np.flatnonzero(heard.kind == kind)
        if not len(chosen):
            continue
        for parts, (family, price) in labels.items():
            cost, *found = _price(heard, chosen, kind, parts, swing if family == 0 else STRAIGHT, spread, mean)
            extra = _FINE_SWUNG if swing.of == 8 and family == 0 and kind == SIMPLE and parts > 2 else 0.0
            total = np.full(beats, np.inf)
            struck = heard.beat[chosen]
            total[struck] = 0
            np.add.at(total, struck, cost)
            total += price + extra
            better = total < best[family]
            best[family][better] = total[better]
            taken = better[struck]
            for array, values in zip((own, straight, sounding, off), (cost, *found), strict=True):
                array[family, chosen[taken]] = values[taken]
    families, cost_all = _find_path(best)
    chosen_family = families[heard.beat]
    pick = (chosen_family, np.arange(count))
    return _Fit(cost_all, straight[pick], sounding[pick], chosen_family, off[pick], spread, mean)


def _price(heard: _Heard, chosen: Ints, kind: int, parts: int, swing: Swing, spread: float, mean: float) -> tuple[Floats, Floats, Floats, Floats]:
    """For strokes in beats of one kind divided into parts: cost, notated and sounding quarters in the beat, and lateness in ms."""
    lengths = heard.length[chosen]
    fractions = np.arange(parts + 1) / parts
    weight = np.array([_WEIGHTS[kind].get(parts // int(np.gcd(j, parts)), 0.05) for j in range(parts)])
    rarity = -np.log(np.append(weight, weight[0]) / weight.sum())
    out = np.zeros((4, len(chosen)))
    for length in np.unique(lengths).tolist():
        these = np.flatnonzero(lengths == length)
        notated = fractions * length
        fits = swing.of and abs(round(length * swing.of / 8) - length * swing.of / 8) < 1e-9
        points = warp(notated, swing) if fits else notated
        at, unit = heard.inside[chosen[these]], heard.quarter_ms[chosen[these]]
        right = np.clip(np.searchsorted(points, at - mean / unit), 1, parts)
        sides = np.stack([right - 1, right])
        late = (at - points[sides]) * unit
        cost = _weigh(late - mean, spread) + rarity[sides]
        side = cost.argmin(axis=0)
        index = sides[side, np.arange(len(these))]
        out[:, these] = cost[side, np.arange(len(these))], notated[index], points[index], late[side, np.arange(len(these))]
    return out[0], out[1], out[2], out[3]


def _weigh(late: Floats, spread: float) -> Floats:
    """Nats of a lateness in ms: most strokes are as exact as the file, some as a human, a few are lost."""
    broad = max(_BROAD_MS, spread)
    close = late**2 / (2 * spread**2) + np.log(spread / (1 - _SHARE))
    wide = late**2 / (2 * broad**2) + np.log(broad / _SHARE)
    return np.asarray(np.minimum(np.minimum(close, wide), _LOST + _STRAY * np.abs(late)))


def _find_path(cost: Floats) -> tuple[Ints, float]:
    """Int64 [beats]: the family of each beat on the cheapest path, and its cost; beats without strokes do not count.

    Args:
        cost: float64 [families, beats].
    """
    struck = np.flatnonzero(np.isfinite(cost).any(axis=0))
    families = np.zeros(cost.shape[1], np.int64)
    total, back = np.zeros(len(cost)), []
    for column in cost[:, struck].T:
        leave = int(total.argmin())
        turned = total[leave] + _TURN
        back.append(np.where(turned < total, leave, np.arange(len(cost))))
        total = np.minimum(total, turned) + column
    if not back:
        return families, 0.0
    state = int(total.argmin())
    cheapest = float(total[state])
    for beat, before in zip(struck[::-1].tolist(), reversed(back), strict=True):
        families[beat] = state
        state = int(before[state])
    return families, cheapest


def _choose_swing(heard: _Heard) -> Swing:
    """The swing under which the strokes are likeliest; none unless it makes a clear difference."""
    heard = heard.first(_SAMPLE)
    straight = _fit(heard, STRAIGHT)
    best, gain = STRAIGHT, _LEAST_GAIN + 0.03 * len(heard.beat)
    for swing in _list_candidates(heard):
        fit = _fit(heard, swing)
        shift = (swing.percent / 100 - 0.5) * 8 / swing.of * float(heard.quarter_ms.mean())
        if straight.cost - fit.cost > gain and shift >= (15 if fit.spread_ms > 4 else 3):
            best, gain = swing, straight.cost - fit.cost
    return best


def _list_candidates(heard: _Heard) -> list[Swing]:
    """Where in a pair strokes gather, beyond its middle."""
    out = []
    for of, length in ((8, 1.0), (16, 0.5)):
        paired = (heard.kind == SIMPLE) & (heard.length >= length - 1e-9) if of == 8 else heard.length % 0.5 < 1e-9
        place = heard.inside[paired] % length / length
        found = np.histogram(place, bins=60, range=(0.5, 0.8))[0].astype(np.float64)
        width = np.clip(8 / float(heard.quarter_ms.mean() * length) / 0.005, 0.7, 6)
        kernel = np.exp(-0.5 * (np.arange(-18, 19) / width) ** 2)
        smooth = np.convolve(found, kernel, mode="same")
        peaks = [i for i in range(3, 54) if smooth[i] >= smooth[max(0, i - 3) : i + 4].max() and smooth[i] > 0.05 * max(8, paired.sum() * kernel.max() / 4)]
        for i in sorted(peaks, key=lambda i: -smooth[i])[:3]:
            middle = 0.5025 + 0.005 * i
            near = place[np.abs(place - middle) < 0.005 * max(2, width)]
            out.append(Swing(of, float(100 * (np.median(near) if len(near) else middle))))
        if paired.any():
            out.append(Swing(of, 200 / 3))
    return out


def _refine(heard: _Heard, fit: _Fit, swing: Swing) -> Swing:
    """The swing at which the second strokes of pairs are as late as the first ones."""
    length = 8 / swing.of
    place = np.round(fit.straight / length * 2, 6) % 2
    fits = (fit.family == 0) & (heard.length * swing.of % 8 < 1e-9) & (np.abs(fit.off_ms - fit.mean_ms) < 60)
    first, second = (fits & (place == n) for n in (0, 1))
    if not second.any():
        return swing
    late = np.median(fit.off_ms[first]) if first.any() else 0.0
    off = (fit.off_ms[second] - late) / (heard.quarter_ms[second] * length)
    middle = float(np.mean(off[np.abs(off - np.median(off)) < 0.1]))
    return Swing(swing.of, float(np.clip(swing.percent + 100 * middle, 50, 80)))
