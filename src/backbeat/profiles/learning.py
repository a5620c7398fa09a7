"""Learn a player from a few takes: whom of the known drummers they are like, how their strokes differ, and what they do again and again."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from backbeat.codecs.strokes import Strokes
from backbeat.errors import InputError
from backbeat.models.performer import Expected, PerformerNet, Told
from backbeat.models.performer_inputs import Seen, describe_strokes, map_families, scale_played
from backbeat.profiles.calibration import Calibration, Mixture, fit_calibration, make_identity, read_mixture
from backbeat.profiles.habits import COMPONENTS, Habits, count_strokes, find_places, fit_weights
from backbeat.units import Floats, Ints

MOST_TAKES = 10
FEWEST = 16
"""Strokes in all takes together, at least."""
FOLDS = 3
MOST_STROKES, MOST_HEARD = 600, 300
"""Strokes of each take that are learned from, and by which likeness to known drummers is heard."""
_PARTS = 3
_TURNS = 2
_LEANING, _SURE, _BLOCK = 0.01, 3.0, 32
"""Bits a stroke, and standard errors over blocks of strokes, by which a known drummer must be likelier than none to be chosen."""


@dataclass(frozen=True, eq=False)
class Manner:
    """How one player plays.

    Args:
        style, drummer: of the performer's, whom the player is like; "any" = nobody.
        calibration, habits: see there.
    """

    style: str
    drummer: str
    calibration: Calibration
    habits: Habits


class Take(NamedTuple):
    """A take of the player, or a part of one.

    Args:
        strokes: in order of their places.
        seen: of the whole take.
        first, stop: the strokes that are learned from or measured; those before are only heard.
    """

    strokes: Strokes
    seen: Seen
    first: int
    stop: int

    @property
    def part(self) -> slice:
        """The strokes that count."""
        return slice(self.first, self.stop)


class Result(NamedTuple):
    """Bits a stroke of strokes that were not learned from.

    Args:
        before, after: float64 [2], velocity (of one of 127) and lateness (density per ms), told nothing and with what was learned.
        strokes: how many.
    """

    before: Floats
    after: Floats
    strokes: int

    @property
    def fall(self) -> float:
        """By what share the sum falls."""
        return float(1 - self.after.sum() / self.before.sum())


def make_take(strokes: Strokes) -> Take:
    """A whole take.

    Args:
        strokes: as played.
    """
    order = np.lexsort((strokes.columns, strokes.quarters))
    names = ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm", "velocities", "late")
    ordered = replace(strokes, **{n: getattr(strokes, n)[order] for n in names})
    return Take(ordered, describe_strokes(ordered), 0, len(ordered))


class Ear:
    """Hears how likely takes are to the performer told of a style and a drummer, each once.

    Args:
        net: the performer.
    """

    def __init__(self, net: PerformerNet) -> None:
        self._net = net
        self._heard: dict[tuple[int, int, int, str, str], tuple[Take, Floats]] = {}

    def listen(self, take: Take, style: str, drummer: str) -> Floats:
        """float64 [m]: log2 likelihood of each stroke that counts, velocity and lateness together."""
        key = (id(take.seen), take.first, take.stop, style, drummer)
        if key not in self._heard:  # the take is kept, so that its id stays its own
            nats = _measure_calibrated(self._net, take, make_identity(), style, drummer)
            self._heard[key] = (take, np.asarray(nats.sum(axis=1) / math.log(2)))
        return self._heard[key][1]


def learn_manner(net: PerformerNet, takes: Sequence[Take], ear: Ear | None = None) -> Manner:
    """Learn from takes.

    Args:
        net: the performer, which stays as it is.
        takes: of one player.
        ear: remembers what it has heard of takes that are learned from again; none = a new one.

    Raises:
        InputError: there are too few strokes.
    """
    count = sum(t.stop - t.first for t in takes)
    if count < FEWEST:
        raise InputError(f"{count} drum strokes are too few to learn a player from: give takes with {FEWEST} or more")
    takes = _shorten(takes, MOST_STROKES)
    style, drummer = _choose_likeness(net, _shorten(takes, MOST_HEARD), ear or Ear(net))
    calibration = make_identity()
    parts = [_read_part(t) for t in takes]
    velocities, late, families, _ = (np.concatenate(c) for c in zip(*parts, strict=True))
    for _ in range(_TURNS):
        mixture = _join([_hear(net, t, calibration, style, drummer) for t in takes])
        calibration = fit_calibration(mixture, velocities, late, families, calibration)
    nats = [_measure_calibrated(net, t, calibration, style, drummer) for t in takes]
    return Manner(style, drummer, calibration, _learn_habits(nats, parts))


def measure(net: PerformerNet, take: Take, manner: Manner) -> Floats:
    """float64 [m, 2]: log2 of the probability of each velocity and of the density per ms of the lateness, given what was before.

    Args:
        net: the performer.
        take: of m strokes that count.
        manner: whose.
    """
    nats = _measure_calibrated(net, take, manner.calibration, manner.style, manner.drummer)
    return np.asarray(manner.habits.mix(nats, *_read_part(take)) / math.log(2))


def measure_shipped(net: PerformerNet, take: Take) -> Floats:
    """float64 [m, 2]: the same of the performer as it ships, told nothing."""
    told = Told(0, 0, np.zeros(len(take.strokes), np.int64))
    return net.measure(take.seen, net.expect(take.seen, told), scale_played(take.strokes.velocities, take.strokes.late))[take.part]


def compare(net: PerformerNet, manner: Manner, takes: Sequence[Take]) -> Result:
    """Bits a stroke of takes that were not learned from, before and after."""
    before = -np.concatenate([measure_shipped(net, t) for t in takes])
    after = -np.concatenate([measure(net, t, manner) for t in takes])
    return Result(before.mean(axis=0), after.mean(axis=0), len(before))


def cross_validate(net: PerformerNet, takes: Sequence[Take], seed: int = 0, watch: Callable[[int], None] | None = None) -> Result:
    """Bits a stroke before and after, of takes left out of the learning; the last third of the only one.

    Args:
        net: the performer.
        takes: of one player.
        seed: which takes are left out together.
        watch: told how many of ``count_folds`` are done.

    Raises:
        InputError: there are too few strokes.
    """
    folds = _split(takes, seed)
    results, ear = [], Ear(net)
    for number, (learned, kept) in enumerate(folds):
        results.append(compare(net, learn_manner(net, learned, ear), kept))
        if watch is not None:
            watch(number + 1)
    counts = np.array([r.strokes for r in results], dtype=np.float64)
    before, after = (np.average([getattr(r, n) for r in results], axis=0, weights=counts) for n in ("before", "after"))
    return Result(before, after, int(counts.sum()))


def count_folds(takes: int) -> int:
    """How often takes are split into some to learn from and others."""
    return min(FOLDS, takes)


def _split(takes: Sequence[Take], seed: int) -> list[tuple[list[Take], list[Take]]]:
    """Takes to learn from and takes to measure, of each fold."""
    if len(takes) == 1:
        take = takes[0]
        bars = np.flatnonzero(np.diff(take.strokes.bars) > 0) + 1
        middle = 2 * len(take.strokes) // 3
        middle = int(bars[np.abs(bars - middle).argmin()]) if len(bars) else middle
        return [([_cut(take, 0, middle)], [take._replace(first=middle)])]
    number = np.random.default_rng([abs(seed), int(seed < 0)]).permutation(len(takes)) % count_folds(len(takes))
    parts = [[[t for t, n in zip(takes, number, strict=True) if (n == k) == kept] for kept in (False, True)] for k in range(count_folds(len(takes)))]
    return [(learned, kept) for learned, kept in parts]


def _cut(take: Take, first: int, stop: int) -> Take:
    """A part of a take as if nothing else had been played."""
    names = ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm", "velocities", "late")
    return make_take(replace(take.strokes, **{n: getattr(take.strokes, n)[first:stop] for n in names}))


def _read_part(take: Take) -> tuple[Floats, Floats, Ints, Ints]:
    """Velocities, lateness in ms, families and places of the strokes that count."""
    s, part = take.strokes, take.part
    return s.velocities[part].astype(np.float64), s.late[part].astype(np.float64), map_families(s.kit)[s.columns[part]], find_places(s.places[part])


def _hear(net: PerformerNet, take: Take, calibration: Calibration, style: str, drummer: str) -> Mixture:
    """What the performer expects of the strokes that count, given those before as it would have played them."""
    s = take.strokes
    families = map_families(s.kit)[s.columns]
    velocities, late = calibration.to_frame(s.velocities.astype(np.float64), s.late.astype(np.float64), families)
    expected = net.expect(take.seen, Told(net.styles.index(style), net.drummers.index(drummer), np.zeros(len(s), np.int64)))
    played = scale_played(velocities.astype(np.float32), late.astype(np.float32))
    past = slice(take.stop)
    seen = Seen(take.seen.features[past], take.seen.families[past], take.seen.references[past])
    expected = Expected(expected.means[past], expected.lead[past])
    mixture = read_mixture(net.follow(seen, expected, played[past]), expected.means.astype(np.float64))
    return Mixture(*(m[take.first :] for m in mixture))


def _join(mixtures: Sequence[Mixture]) -> Mixture:
    return Mixture(*(np.concatenate(parts) for parts in zip(*mixtures, strict=True)))


def _measure_calibrated(net: PerformerNet, take: Take, calibration: Calibration, style: str, drummer: str) -> Floats:
    velocities, late, families, _ = _read_part(take)
    return calibration.measure(_hear(net, take, calibration, style, drummer), velocities, late, families)


def _shorten(takes: Sequence[Take], most: int) -> list[Take]:
    """Takes of which no more strokes count than so many of each."""
    return [t._replace(stop=min(t.stop, t.first + most)) for t in takes]


def _choose_likeness(net: PerformerNet, takes: Sequence[Take], ear: Ear) -> tuple[str, str]:
    """The drummer, then the style, that make the takes likeliest; "any" unless one is clearly likelier."""

    def bits(style: str, drummer: str) -> Floats:
        return np.concatenate([ear.listen(t, style, drummer) for t in takes])

    style, drummer, best = "any", "any", bits("any", "any")
    found = {name: bits("any", name) for name in net.drummers[1:]}
    name = max(found, key=lambda n: float(found[n].mean()), default="any")
    if name != "any" and _is_likelier(found[name] - best):
        drummer, best = name, found[name]
    styles = {name: bits(name, drummer) for name in net.styles[1:]}
    name = max(styles, key=lambda n: float(styles[n].mean()), default="any")
    if name != "any" and _is_likelier(styles[name] - best):
        style = name
    return style, drummer


def _is_likelier(gains: Floats) -> bool:
    """Whether gains in bits [n] of strokes that follow each other are clearly above 0."""
    blocks = np.array([gains[i : i + _BLOCK].mean() for i in range(0, len(gains), _BLOCK)])
    if len(blocks) < 3:
        return False
    return float(gains.mean()) > _LEANING + _SURE * float(blocks.std(ddof=1)) / math.sqrt(len(blocks))


def _learn_habits(nats: Sequence[Floats], parts: Sequence[tuple[Floats, Floats, Ints, Ints]]) -> Habits:
    """Counts of all takes; weights on each take in turn, counted without it (on each third of the only one)."""
    if len(parts) == 1:
        cuts = np.linspace(0, len(nats[0]), _PARTS + 1).astype(int).tolist()
        spans = [slice(a, b) for a, b in pairwise(cuts)]
        nats, parts = [nats[0][s] for s in spans], [tuple(c[s] for c in parts[0]) for s in spans]  # type: ignore[misc]
    counts = [count_strokes(*p) for p in parts]
    loud, late = (np.sum([c[k] for c in counts], axis=0) for k in (0, 1))
    blank = np.eye(1, COMPONENTS).repeat(2, axis=0)
    shares = [Habits(loud - own[0], late - own[1], blank).share(*p) for own, p in zip(counts, parts, strict=True)]
    weights = fit_weights(np.concatenate(nats), (np.concatenate([s[0] for s in shares]), np.concatenate([s[1] for s in shares])))
    return Habits(loud, late, weights)
