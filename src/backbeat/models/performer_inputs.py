"""What the performer's network sees of each stroke, in any metre, at any place and tempo.

Places enter as phases of the bar and of the beat, neighbours as soft counts on a lattice of 16ths that a triplet shares between
its two sides; so no grid is assumed, and none is refused. What was played enters by *references*: the strokes that this one is
likely to follow (the last ones, those of its own drum, the same place a beat or a bar ago).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.codecs.strokes import Strokes
from backbeat.kits import Kit, load_kit
from backbeat.units import Floats, Ints

FAMILIES = ("kick", "snare", "side_stick", "closed_hat", "pedal_hat", "open_hat", "low_tom", "mid_tom", "high_tom", "crash", "ride", "ride_bell")
"""Drums that are told apart: those of the kits that Groove MIDI was played on."""
NEAREST = {
    "clap": "snare",
    "cowbell": "ride_bell",
    "claves": "side_stick",
    "tambourine": "closed_hat",
    "shaker": "closed_hat",
    "light_shaker": "closed_hat",
    "hand_percussion_high": "high_tom",
    "low_conga": "low_tom",
    "high_bongo": "high_tom",
    "mute_conga": "mid_tom",
    "splash": "crash",
    "china": "crash",
}
"""Other classes of the kit "backbeat" -> the drum whose manner they take."""
UNKNOWN = "side_stick"
GROUPS = np.array([0, 1, 1, 2, 3, 4, 5, 6, 6, 7, 8, 8])
"""Family -> group, in which neighbours are counted."""
REACH, NEIGHBOURS = 8, 40
"""Neighbours are counted up to 8 16ths away, and at most 40 strokes."""
REFERENCES = ("last", "second last", "third last", "same drum", "same drum twice", "beat ago", "two beats ago", "bar ago", "two bars ago", "four bars ago")
ACCENTS = ("ghost", "normal", "accent")
GHOST, ACCENT = 50 / 127, 100 / 127
"""Velocities below the first are ghosts, from the second on accents."""
SLOWEST, FASTEST = 40.0, 280.0
"""Tempi (qpm) beyond which the network is told these."""
VELOCITY_CENTRE, VELOCITY_SCALE, LATE_SCALE = 0.5, 0.25, 20.0
"""The network's units: velocity 0.5 +- 0.25, lateness in 20 ms."""
FEATURES = 242
"""Columns of ``Seen.features``."""
Singles = npt.NDArray[np.float32]


class Seen(NamedTuple):
    """What is known of n strokes before they are played.

    Args:
        features: float32 [n, FEATURES].
        families: int64 [n], index into ``FAMILIES``.
        references: int64 [n, 10], earlier strokes as in ``REFERENCES``; -1 = none.
    """

    features: Singles
    families: Ints
    references: Ints


def map_families(kit: Kit) -> Ints:
    """int64 [classes]: the family of each class of a kit, by its name or by the MIDI note that it writes."""
    own = load_kit("backbeat")
    out = []
    for cls, into in zip(kit.classes, kit.mapping(own).tolist(), strict=True):
        name = cls.name if cls.name in (*FAMILIES, *NEAREST) else own.names[into] if into >= 0 else UNKNOWN
        out.append(FAMILIES.index(NEAREST.get(name, name)))
    return np.array(out, dtype=np.int64)


def describe_strokes(strokes: Strokes, *, rounded: bool = False) -> Seen:
    """What the network sees of strokes; nothing of how they are played.

    Args:
        strokes: in order of their places.
        rounded: places are those of the nearest 16th, whatever was meant (a grid of 16ths); else they are as notated.
    """
    families = map_families(strokes.kit)[strokes.columns]
    quarters = strokes.quarters
    by_drum = _order_by_drum(families, quarters)
    references = _find_references(strokes, families, by_drum)
    parts = [
        np.eye(len(FAMILIES))[families],
        _describe_place(strokes),
        _describe_gaps(quarters, families, by_drum),
        _describe_company(quarters, families),
        _describe_neighbours(quarters, families),
        references[:, 5:] >= 0,
        _find_later(strokes, families, by_drum),
        _describe_whole(strokes, families),
        np.full((len(strokes), 2), [rounded, len(np.unique(map_families(strokes.kit))) < len(FAMILIES)]),
    ]
    return Seen(np.concatenate(parts, axis=1).astype(np.float32), families, references)


def read_accents(strokes: Strokes) -> Ints:
    """int64 [n]: how loud each is, coarsely: index into ``ACCENTS``."""
    return np.asarray(np.digitize(strokes.velocities, [np.float32(GHOST), np.float32(ACCENT)]), dtype=np.int64)


def _describe_place(strokes: Strokes) -> Floats:
    """Phases of bar and beat, length of bar and beat, tempo."""
    tempo = np.clip(strokes.qpm, SLOWEST, FASTEST)
    bar = strokes.places / np.maximum(strokes.bar_quarters, 1e-6)
    beat = strokes.places / np.maximum(strokes.beat_quarters, 1e-6)
    waves = [wave(2 * np.pi * k * phase) for phase, orders in ((bar, (1, 2, 3, 4, 8)), (beat, (1, 2, 3, 4, 6, 8))) for k in orders for wave in (np.sin, np.cos)]
    lengths = [strokes.bar_quarters == 4, np.minimum(strokes.bar_quarters, 12) / 4, strokes.beat_quarters == 1, np.minimum(strokes.beat_quarters, 4)]
    speed = [np.log2(tempo / 120), 120 / tempo - 1]
    place = [strokes.places < 1e-3, np.abs(beat - np.floor(beat + 0.5)) < 1e-3, np.exp(-2 * np.minimum(strokes.places, 8.0))]
    return np.stack([*waves, *lengths, *speed, *place], axis=1)


def _describe_gaps(quarters: Floats, families: Ints, by_drum: tuple[Ints, Floats]) -> Floats:
    """Logarithms of the quarters to the place before and behind, any drum's and its own."""
    places, place = np.unique(quarters, return_inverse=True)
    step = np.concatenate([[4.0], np.diff(places), [4.0]])
    order, _ = by_drum
    own = np.full((len(quarters), 2), 4.0)
    same = families[order][1:] == families[order][:-1]
    gaps = np.diff(quarters[order])[same]
    own[order[1:][same], 0], own[order[:-1][same], 1] = gaps, gaps
    gaps = np.concatenate([step[place][:, None], step[place + 1][:, None], own], axis=1)
    return np.asarray(np.log2(1 + 16 * np.clip(gaps, 0, 4)) / 3 - 1)


def _describe_company(quarters: Floats, families: Ints) -> Floats:
    """Drums struck at the same place, and how many of them come before this stroke in our order."""
    _, place, counts = np.unique(quarters, return_inverse=True, return_counts=True)
    struck = np.zeros((len(counts), len(FAMILIES)))
    struck[place, families] = 1
    first = np.concatenate([[0], np.cumsum(counts)])[place]
    before = np.arange(len(quarters)) - first
    return np.concatenate([struck[place], np.minimum(np.stack([before, counts[place]], axis=1), 6) / 3], axis=1)


def _describe_neighbours(quarters: Floats, families: Ints) -> Floats:
    """float64 [n, 17 x 9]: drums around, on a lattice of 16ths; a place between two of its points counts for both in part."""
    count, width = len(quarters), 2 * REACH + 1
    groups, kinds = GROUPS[families], int(GROUPS.max()) + 1
    cells, weights = [np.zeros(0, np.int64)], [np.zeros(0)]
    for lag in range(1, min(NEIGHBOURS, count - 1) + 1):
        away = 4 * (quarters[lag:] - quarters[:-lag])
        near = np.flatnonzero(away < REACH)
        if not len(near):
            break
        for here, there, distance in ((near, near + lag, away[near]), (near + lag, near, -away[near])):
            low = np.floor(distance)
            first = (here * width + low.astype(np.int64) + REACH) * kinds + groups[there]
            cells += [first, first + kinds]
            weights += [1 - distance + low, distance - low]
    out = np.bincount(np.concatenate(cells), np.concatenate(weights), minlength=count * width * kinds + kinds)[: count * width * kinds]
    return np.minimum(out, 1).reshape(count, width * kinds)


def _order_by_drum(families: Ints, quarters: Floats) -> tuple[Ints, Floats]:
    """Strokes sorted by drum, then place; and a number that ascends in that order, by which places are looked up."""
    order = np.lexsort((quarters, families))
    return order, (families * _span(quarters) + quarters)[order]


def _span(quarters: Floats) -> float:
    return float(quarters.max() - quarters.min()) + 100 if len(quarters) else 100.0


def _look_up(wanted: Floats, quarters: Floats, families: Ints, by_drum: tuple[Ints, Floats]) -> Ints:
    """int64 [n]: the stroke of the same drum nearest to each place wanted, -1 where none is within a 24th of a quarter."""
    order, keys = by_drum
    key = families * _span(quarters) + wanted
    right = np.clip(np.searchsorted(keys, key), 0, max(0, len(keys) - 1))
    left = np.maximum(right - 1, 0)
    best = np.where(np.abs(keys[left] - key) <= np.abs(keys[right] - key), left, right)
    return np.where(np.abs(keys[best] - key) <= 1 / 24, order[best], -1)


def _find_references(strokes: Strokes, families: Ints, by_drum: tuple[Ints, Floats]) -> Ints:
    count, quarters = len(strokes), strokes.quarters
    number = np.arange(count)
    columns = [np.maximum(number - lag, -1) for lag in (1, 2, 3)]
    order, _ = by_drum
    for lag in (1, 2):
        own = np.full(count, -1, np.int64)
        same = families[order][lag:] == families[order][:-lag]
        own[order[lag:][same]] = order[:-lag][same]
        columns.append(own)
    beat, bar = strokes.beat_quarters, strokes.bar_quarters
    columns += [_look_up(quarters - back, quarters, families, by_drum) for back in (beat, 2 * beat, bar, 2 * bar, 4 * bar)]
    found = np.stack(columns, axis=1)
    return np.asarray(np.where(found < number[:, None], found, -1), dtype=np.int64)


def _find_later(strokes: Strokes, families: Ints, by_drum: tuple[Ints, Floats]) -> Floats:
    """Whether the same drum is struck a beat, a bar and two bars later."""
    quarters = strokes.quarters
    found = [_look_up(quarters + on, quarters, families, by_drum) >= 0 for on in (strokes.beat_quarters, strokes.bar_quarters, 2 * strokes.bar_quarters)]
    return np.stack(found, axis=1).astype(np.float64)


def _describe_whole(strokes: Strokes, families: Ints) -> Floats:
    """The piece: hits of each drum a bar, strokes on 8ths, 16ths and triplets; how far from its beginning and end."""
    if not len(strokes):
        return np.zeros((0, len(FAMILIES) + 6))
    bars = strokes.bars - strokes.bars.min()
    played = np.bincount(families, minlength=len(FAMILIES)) / max(1, len(np.unique(bars)))
    on = [(np.abs(strokes.quarters * n - np.floor(strokes.quarters * n + 0.5)) < 0.02).mean() for n in (2, 4, 3)]
    edges = np.stack([np.exp(-bars / 2.0), np.exp(-(bars.max() - bars) / 2.0), np.full(len(bars), min(bars.max(), 32) / 32)], axis=1)
    return np.concatenate([np.tile(np.concatenate([np.log2(1 + played) / 2, on]), (len(bars), 1)), edges], axis=1)


def scale_played(velocities: Singles, late: Singles) -> Singles:
    """float32 [n, 2]: velocity in 0-1 and lateness in ms, in the network's units."""
    return np.stack([(velocities - VELOCITY_CENTRE) / VELOCITY_SCALE, late / LATE_SCALE], axis=1).astype(np.float32)
