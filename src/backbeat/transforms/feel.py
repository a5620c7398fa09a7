"""Feel: where strokes lie against their nominal places, and how loud they are, brought to exact figures.

What a performer plays is the material; these functions shift and scale it so that what is asked for comes out: a push in ms is the mean
lateness, a swing the mean place of second notes, tightness and dynamics scale spreads, a groove gives each place of the bar the mean lateness and
velocity of another take. Conventions: ``late`` float64 [m] in ms, positive = late; velocities in MIDI units, 1-127.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backbeat.codecs.places import Swing
from backbeat.codecs.strokes import Strokes
from backbeat.errors import InputError
from backbeat.units import Floats, Ints

Flags = npt.NDArray[np.bool_]
LEAST_SWING, MOST_SWING = 50.0, 75.0
MOST_PUSH_MS = 100.0
GROUPS = {
    "hat": ("closed_hat", "open_hat", "pedal_hat"),
    "hats": ("closed_hat", "open_hat", "pedal_hat"),
    "toms": ("low_tom", "mid_tom", "high_tom"),
    "cymbals": ("crash", "splash", "china"),
    "rides": ("ride", "ride_bell"),
}
"""Names for several kit classes at once; each of them gets the mean that is asked for."""
TIGHTNESS, DYNAMICS = (0.25, 100.0), (0.0, 4.0)
REACH = 0.45
"""Share of the way to the next place that a stroke may be early or late."""
MOST_LATE_MS = 80.0
APART_MS = 28.0
"""Kick and snare of one place that were a flam (under 30 ms) stay nearer than this."""
_LEAST_APART_MS = 2.5
_TURNS = 6
_ENOUGH = 6
"""Strokes whose mean is set apart, at the least."""


@dataclass(frozen=True)
class Feel:
    """What is asked for.

    Args:
        swing: percent of a pair at which its second note falls, 50-75; none = as the drums have it.
        swing_of: 8 or 16, which notes are paired; none = what the drums play.
        late_ms: mean lateness of all strokes, negative = a push; none = as performed.
        late_ms_of: mean lateness of kit classes by name, or of ``GROUPS``; they do not count for ``late_ms``.
        tightness: 2 halves the spread of offsets.
        dynamics: 2 doubles the spread of velocities.

    Raises:
        InputError: a value is out of range.
    """

    swing: float | None = None
    swing_of: int | None = None
    late_ms: float | None = None
    late_ms_of: Mapping[str, float] = field(default_factory=dict)
    tightness: float = 1.0
    dynamics: float = 1.0

    def __post_init__(self) -> None:
        if self.swing is not None and not LEAST_SWING <= self.swing <= MOST_SWING:
            raise InputError(f"--swing {self.swing:g}: it lies in {LEAST_SWING:g} (straight) to {MOST_SWING:g} percent")
        if self.swing_of not in (None, 8, 16):
            raise InputError(f"--swing-of {self.swing_of}: 8 or 16")
        for late in (0 if self.late_ms is None else self.late_ms, *self.late_ms_of.values()):
            if not abs(late) <= MOST_PUSH_MS:
                raise InputError(f"--push and --lay-back lie in 0-{MOST_PUSH_MS:g} ms, not {abs(late):g}")
        for name, value, (least, most) in (("tightness", self.tightness, TIGHTNESS), ("dynamics", self.dynamics, DYNAMICS)):
            if not least <= value <= most:
                raise InputError(f"--{name} {value:g}: it lies in {least:g}-{most:g}, 1 = as played by people")


@dataclass(frozen=True, eq=False)
class Aim:
    """A group of strokes and the mean lateness that it shall have.

    Args:
        strokes: int64, which.
        late_ms: the mean, ms.
    """

    strokes: Ints
    late_ms: float


def find_pairs(straight: Floats, binary: Flags, bar_quarters: Floats, of: int) -> tuple[Flags, Flags]:
    """Bool [m] each: the first and the second notes of pairs of 8ths or 16ths.

    Args:
        straight: float64 [m], quarters from the start of the bar, as notated without swing.
        binary: bool [m], strokes that swing applies to.
        bar_quarters: float64 [m], length of the bar; a pair that the bar line cuts is none.
        of: 8 or 16.
    """
    length = 8 / of
    half = straight / length * 2
    near = np.abs(half - np.floor(half + 0.5)) < 1e-3
    index = np.floor(half + 0.5).astype(np.int64)
    whole = (index // 2 + 1) * length <= bar_quarters + 1e-6
    return binary & near & whole & (index % 2 == 0), binary & near & whole & (index % 2 == 1)


def list_pair_aims(late: Floats, strokes: Strokes, first: Flags, second: Flags, goals: Mapping[int, float] | None) -> list[Aim]:
    """First and second notes of pairs equally late, class by class, and at every tempo, so that the percent of the pair is right too.

    Args:
        late: float64 [m], ms.
        strokes: the strokes.
        first, second: bool [m], see ``find_pairs``.
        goals: column -> lateness in ms; none = second notes as late as the first ones are.
    """
    aims = []
    for column in np.unique(strokes.columns).tolist():
        here = strokes.columns == column
        one, two = np.flatnonzero(here & first), np.flatnonzero(here & second)
        if goals is not None:
            aims += [Aim(part, goals[column]) for notes in (one, two) for part in _part_by_tempo(notes, strokes.qpm)]
        elif len(two):
            source = one if len(one) else np.flatnonzero(first)
            aims.append(Aim(two, float(late[source].mean()) if len(source) else 0.0))
    return aims


def _part_by_tempo(notes: Ints, qpm: Floats) -> list[Ints]:
    """Some strokes in parts of like tempo (within an octave); all in one where a part would be small."""
    octave = np.floor(np.log2(qpm[notes] / qpm.min()) + 1e-9)
    parts = [notes[octave == k] for k in np.unique(octave)]
    return parts if parts and min(map(len, parts)) >= _ENOUGH else [notes]


def choose_pairs(straight: Floats, binary: Flags, swing: Swing, eighths: Flags) -> int:
    """8 or 16: the notes that a swing would pair, by what the drums play.

    Args:
        straight, binary: as for ``find_pairs``.
        swing: what the drums have; its pairs are kept.
        eighths: bool [m], whether the stroke stands in a metre whose beats can be halved into 8ths (x/4, x/2).
    """
    if swing.of:
        return swing.of
    quarter = straight % 1
    on_16ths = np.abs(quarter % 0.5 - 0.25) < 1e-3
    on_8ths = np.abs(quarter - 0.5) < 1e-3
    if not np.any(eighths & binary):
        return 16
    return 16 if np.count_nonzero(on_16ths & binary) > 0.6 * np.count_nonzero(on_8ths & binary) else 8


def list_columns(late_ms_of: Mapping[str, float], strokes: Strokes) -> tuple[dict[int, float], list[str]]:
    """Column -> mean lateness that is asked for, and the names that the strokes have nothing of.

    Args:
        late_ms_of: by class or group of classes; a class goes before its group.
        strokes: what is played.

    Raises:
        InputError: the kit has no such class.
    """
    names, struck = strokes.kit.names, set(strokes.columns.tolist())
    out: dict[int, float] = {}
    missing = []
    for name, ms in sorted(late_ms_of.items(), key=lambda item: item[0] not in GROUPS):
        if name not in GROUPS and name not in names:
            raise InputError(f"there is no kit class {name!r}: choose from {', '.join((*names, *GROUPS))}")
        columns = [names.index(n) for n in GROUPS.get(name, (name,)) if n in names]
        found = {c: ms for c in columns if c in struck}
        out |= found
        missing += [] if found else [name]
    return out, missing


def hold_back(late: Floats, nominal: Floats) -> Floats:
    """Strokes that would come too near the place before or behind theirs, or stray, held back.

    Args:
        late: float64 [m], ms.
        nominal: float64 [m], seconds, when they are meant to sound.

    Returns:
        float64 [m]: none more than ``REACH`` of the way to a neighbouring place, so that strokes of two places never change order.
    """
    places = np.unique(np.round(nominal, 6))
    if not len(places):
        return late
    at = np.searchsorted(places, np.round(nominal, 6))
    gaps = np.concatenate([[np.inf], np.diff(places), [np.inf]]) * 1000 * REACH
    least, most = np.minimum(gaps[at], MOST_LATE_MS), np.minimum(gaps[at + 1], MOST_LATE_MS)
    return np.asarray(np.clip(late, -least, most))


def keep_flams(late: Floats, given: Floats, place: Ints, is_kick: Flags, is_snare: Flags, limit: float = APART_MS) -> Floats:
    """Kick and snare of one place that were struck less than 30 ms apart stay so, in their order.

    Args:
        late: float64 [m], ms, as performed.
        given: float64 [m], ms, as they were in the file.
        place: int64 [m], number of the place, ascending.
        is_kick, is_snare: bool [m].
        limit: the most that may lie between them, ms.
    """
    out = late.copy()
    snares = dict(zip(place[is_snare].tolist(), np.flatnonzero(is_snare).tolist(), strict=True))
    for kick in np.flatnonzero(is_kick).tolist():
        snare = snares.get(int(place[kick]))
        if snare is None:
            continue
        before = given[snare] - given[kick]
        if abs(before) >= 30:
            continue
        apart = out[snare] - out[kick]
        least, most = (-limit, limit) if abs(before) < 0.5 else (_LEAST_APART_MS, limit) if before > 0 else (-limit, -_LEAST_APART_MS)
        move = (float(np.clip(apart, least, most)) - apart) / 2
        out[snare], out[kick] = out[snare] + move, out[kick] - move
    return out


def scale_spread(values: Floats, factor: float) -> Floats:
    """Values [m] drawn together (factor < 1) or apart around their mean; their standard deviation is multiplied by the factor."""
    return values if factor == 1 or not len(values) else np.asarray(values.mean() + (values - values.mean()) * factor)


def scale_velocities(velocities: Floats, factor: float) -> tuple[Floats, int]:
    """Velocities with ``factor`` times their spread, around the same mean, within 1-127.

    Where 1 or 127 cut some off, the others are spread a little more, until the standard deviation is what was asked for or cannot be had.

    Args:
        velocities: float64 [m], MIDI units.
        factor: >= 0.

    Returns:
        float64 [m], and how many are cut off at 1 or 127.
    """
    if factor == 1 or not len(velocities) or velocities.std() < 1e-9:
        return velocities, 0
    mean, wanted = float(velocities.mean()), factor * float(velocities.std())
    plain = scale_spread(velocities, factor)
    if plain.min() >= 1 and plain.max() <= 127:
        return plain, 0

    def spread(scale: float) -> Floats:
        low, high = -127.0, 127.0
        for _ in range(30):  # the shift that keeps the mean
            shift = (low + high) / 2
            out = np.clip(mean + shift + (velocities - mean) * scale, 1, 127)
            low, high = (shift, high) if out.mean() < mean else (low, shift)
        return np.asarray(out)

    low, high = factor, 20 * factor
    for _ in range(30):
        scale = (low + high) / 2
        low, high = (scale, high) if spread(scale).std() < wanted else (low, scale)
    out = spread((low + high) / 2)
    return out, int(np.count_nonzero((out <= 1) | (out >= 127)))


def reach_means(late: Floats, aims: list[Aim], nominal: Floats, weights: Floats) -> Floats:
    """Shift groups of strokes until their mean lateness is what is wanted, as it will be heard.

    Args:
        late: float64 [m], ms.
        aims: groups and their means; later ones go before earlier ones.
        nominal: float64 [m], seconds; nothing sounds before second 0, which is counted in.
        weights: float64 [m], notes that a stroke stands for.
    """
    out, earliest = late.copy(), -nominal * 1000
    for _ in range(_TURNS):
        for aim in aims:
            if len(aim.strokes):
                heard = np.maximum(out[aim.strokes], earliest[aim.strokes])
                out[aim.strokes] += aim.late_ms - np.average(heard, weights=weights[aim.strokes])
    return out


def round_evenly(values: Floats, groups: Ints) -> Ints:
    """Round so that the sum over each group is that of the values, to half a unit (largest remainders).

    Args:
        values: float64 [m].
        groups: int64 [m].
    """
    low = np.floor(values + 1e-9)
    rest = values - low
    up = np.zeros(len(values), np.int64)
    order = np.lexsort((-rest, groups))
    first = np.searchsorted(groups[order], groups[order], side="left")
    rank = np.arange(len(values)) - first
    _, number = np.unique(groups, return_inverse=True)
    wanted = np.floor(np.bincount(number, rest, minlength=1) + 0.5).astype(np.int64) if len(values) else np.zeros(0, np.int64)
    up[order] = rank < wanted[number[order]]
    return np.asarray(low.astype(np.int64) + up)
