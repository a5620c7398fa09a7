"""Learn a player from a few takes: whom of the known drummers they are like, how they strike, what they do again and again, what they hit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from backbeat.errors import InputError
from backbeat.models.performer import PerformerNet, Told
from backbeat.models.performer_inputs import LATE_SCALE, scale_played
from backbeat.models.performer_limits import bound_lateness, find_graces
from backbeat.profiles.calibration import Calibration, fit_calibration, make_identity
from backbeat.profiles.drawing import Drawing, learn_drawing
from backbeat.profiles.habits import Habits, count_strokes, fit_weights, join_chances
from backbeat.profiles.likeness import choose_among
from backbeat.profiles.steadiness import Frame, Steadiness, count_frames, fit_steadiness, join_frames
from backbeat.profiles.takes import Played, Take, cut_frame, cut_played, cut_take, expect_take, hear_take, read_played, shorten_takes
from backbeat.profiles.vocabulary import Vocabulary, VocabularyEar, count_hits, learn_vocabulary, like_nothing, measure_words
from backbeat.units import Floats

MOST_TAKES = 10
FEWEST = 16
"""Strokes in all takes together, at least."""
FOLDS = 3
MOST_STROKES, MOST_HEARD = 600, 200
"""Strokes of each take that are learned from, and by which likeness to known drummers is heard."""
MOST_MEASURED = 1500
"""Strokes of each take that is left out that are measured."""
_PARTS = 3
_TURNS = 2


@dataclass(frozen=True, eq=False)
class Manner:
    """How one player plays.

    Args:
        style, drummer: of the performer's, whom the player is like; "any" = nobody.
        calibration, steadiness, habits, drawing, vocabulary: see there.
    """

    style: str
    drummer: str
    calibration: Calibration
    steadiness: Steadiness
    habits: Habits
    drawing: Drawing
    vocabulary: Vocabulary


class Result(NamedTuple):
    """Bits of strokes and hits that were not learned from, told nothing and with what was learned.

    Args:
        before, after: float64 [2], bits a stroke: velocity (of one of 127) and lateness (density per ms).
        strokes: how many.
        words_before, words_after: bits an onset: which drums are hit at each 16th; nan where no take lies on a grid.
        onsets: how many.
    """

    before: Floats
    after: Floats
    strokes: int
    words_before: float = math.nan
    words_after: float = math.nan
    onsets: int = 0

    @property
    def fall(self) -> float:
        """By what share the sum of velocity and lateness falls."""
        return float(1 - self.after.sum() / self.before.sum())

    @property
    def words_fall(self) -> float:
        """By what share the bits of the hits fall; nan where there are none."""
        return 1 - self.words_after / self.words_before if self.words_before > 0 else math.nan

    @property
    def fall_in_all(self) -> float:
        """By what share the bits of an onset fall: what is hit, how loud, how late."""
        if not self.onsets:
            return self.fall
        return float(1 - (self.after.sum() + self.words_after) / (self.before.sum() + self.words_before))


class Ear:
    """Hears how likely takes are to the performer told of a style and a drummer, each once.

    Args:
        net: the performer.
        words: hears what is hit; none = that is not learned.
    """

    def __init__(self, net: PerformerNet, words: VocabularyEar | None = None) -> None:
        self._net = net
        self.words = words
        self._heard: dict[tuple[int, int, int, str, str], tuple[Take, Floats]] = {}

    def listen(self, take: Take, style: str, drummer: str) -> Floats:
        """float64 [m]: log2 likelihood of each stroke that counts, velocity and lateness together."""
        key = (id(take.seen), take.first, take.stop, style, drummer)
        if key not in self._heard:  # the take is kept, so that its id stays its own
            identity = make_identity()
            nats = _measure_calibrated(take, hear_take(self._net, take, identity, style, drummer), identity)
            self._heard[key] = (take, np.asarray(nats.sum(axis=1) / math.log(2)))
        return self._heard[key][1]


def learn_manner(net: PerformerNet, takes: Sequence[Take], ear: Ear | None = None) -> Manner:
    """Learn from takes.

    Args:
        net: the performer, which stays as it is.
        takes: of one player.
        ear: remembers what it has heard of takes that are learned from again; none = a new one, which hears no words.

    Raises:
        InputError: there are too few strokes.
    """
    count = sum(t.stop - t.first for t in takes)
    if count < FEWEST:
        raise InputError(f"{count} drum strokes are too few to learn a player from: give takes with {FEWEST} or more")
    ear = ear or Ear(net)
    vocabulary = learn_vocabulary(ear.words, takes) if ear.words is not None else like_nothing()
    takes = shorten_takes(takes, MOST_STROKES)
    style, drummer = _choose_likeness(net, shorten_takes(takes, MOST_HEARD), ear)
    calibration = make_identity()
    parts = [read_played(t) for t in takes]
    velocities, late, families, _ = (np.concatenate(c) for c in zip(*parts, strict=True))
    frames = [hear_take(net, t, calibration, style, drummer) for t in takes]
    for _ in range(_TURNS):
        mixture = join_frames(frames).mixture
        calibration = fit_calibration(mixture, velocities, late, families, calibration)
        frames = [hear_take(net, t, calibration, style, drummer) for t in takes]
    nats = [_measure_calibrated(t, f, calibration) for t, f in zip(takes, frames, strict=True)]
    steadiness, habits = _learn_rest(frames, nats, parts)
    drawing = _learn_drawing(net, takes, calibration, style, drummer)
    return Manner(style, drummer, calibration, steadiness, habits, drawing, vocabulary)


def measure(net: PerformerNet, take: Take, manner: Manner) -> Floats:
    """float64 [m, 2]: log2 of the probability of each velocity and of the density per ms of the lateness, given what was before.

    Args:
        net: the performer.
        take: of m strokes that count.
        manner: whose.
    """
    frame = hear_take(net, take, manner.calibration, manner.style, manner.drummer)
    expected = (_measure_calibrated(take, frame, manner.calibration), manner.steadiness.measure(frame)[take.first :])
    return np.asarray(manner.habits.mix(expected, *read_played(take)) / math.log(2))


def measure_shipped(net: PerformerNet, take: Take) -> Floats:
    """float64 [m, 2]: the same of the performer as it ships, told nothing."""
    told = Told(0, 0, np.zeros(len(take.strokes), np.int64))
    return net.measure(take.seen, net.expect(take.seen, told), scale_played(take.strokes.velocities, take.strokes.late))[take.part]


def compare(net: PerformerNet, manner: Manner, takes: Sequence[Take], words: VocabularyEar | None = None) -> Result:
    """Bits of takes that were not learned from, before and after.

    Args:
        net: the performer.
        manner: what was learned.
        takes: of the player.
        words: hears what is hit; none = that is not measured.
    """
    before = -np.concatenate([measure_shipped(net, t) for t in takes])
    after = -np.concatenate([measure(net, t, manner) for t in takes])
    onsets = sum(count_hits(t) for t in takes) if words is not None else 0
    if words is None or not onsets:
        return Result(before.mean(axis=0), after.mean(axis=0), len(before))
    bits = [-sum(float(measure_words(words, t, v).sum()) for t in takes) / onsets for v in (like_nothing(), manner.vocabulary)]
    return Result(before.mean(axis=0), after.mean(axis=0), len(before), bits[0], bits[1], onsets)


def cross_validate(
    net: PerformerNet, takes: Sequence[Take], seed: int = 0, watch: Callable[[int], None] | None = None, words: VocabularyEar | None = None
) -> Result:
    """Bits before and after, of takes left out of the learning; the last third of the only one.

    Args:
        net: the performer.
        takes: of one player.
        seed: which takes are left out together.
        watch: told how many of ``count_folds`` are done.
        words: hears what is hit; none = that is not learned.

    Raises:
        InputError: there are too few strokes.
    """
    results, ear = [], Ear(net, words)
    for number, (learned, kept) in enumerate(_split(takes, seed)):
        results.append(compare(net, learn_manner(net, learned, ear), shorten_takes(kept, MOST_MEASURED), words))
        if watch is not None:
            watch(number + 1)
    counts = np.array([r.strokes for r in results], dtype=np.float64)
    before, after = (np.average([getattr(r, n) for r in results], axis=0, weights=counts) for n in ("before", "after"))
    onsets = sum(r.onsets for r in results)
    if not onsets:
        return Result(before, after, int(counts.sum()))
    said = [r for r in results if r.onsets]
    bits = [sum(getattr(r, n) * r.onsets for r in said) / onsets for n in ("words_before", "words_after")]
    return Result(before, after, int(counts.sum()), bits[0], bits[1], onsets)


def count_folds(takes: int) -> int:
    """How often takes are split into some to learn from and others."""
    return min(FOLDS, takes)


def _split(takes: Sequence[Take], seed: int) -> list[tuple[list[Take], list[Take]]]:
    """Takes to learn from and takes to measure, of each fold."""
    if len(takes) == 1:
        begun, rest = cut_take(takes[0])
        return [([begun], [rest])]
    number = np.random.default_rng([abs(seed), int(seed < 0)]).permutation(len(takes)) % count_folds(len(takes))
    parts = [[[t for t, n in zip(takes, number, strict=True) if (n == k) == kept] for kept in (False, True)] for k in range(count_folds(len(takes)))]
    return [(learned, kept) for learned, kept in parts]


def _measure_calibrated(take: Take, frame: Frame, calibration: Calibration) -> Floats:
    """float64 [m, 2], nats of the strokes that count."""
    velocities, late, families, _ = read_played(take)
    return calibration.measure(cut_frame(frame, slice(take.first, None)).mixture, velocities, late, families)


def _choose_likeness(net: PerformerNet, takes: Sequence[Take], ear: Ear) -> tuple[str, str]:
    """The style and the drummer that make the takes likeliest, the drummer first; "any" unless one is clearly likelier."""
    drummers = {name: np.concatenate([ear.listen(t, "any", name) for t in takes]) for name in net.drummers}
    drummer = choose_among(drummers)
    styles = {name: np.concatenate([ear.listen(t, name, drummer) for t in takes]) for name in net.styles}
    return choose_among(styles), drummer


def _learn_rest(frames: Sequence[Frame], nats: Sequence[Floats], parts: Sequence[Played]) -> tuple[Steadiness, Habits]:
    """Steadiness and counts of all takes; weights on each take in turn, counted without it (on each third of the only one)."""
    if len(parts) == 1:
        cuts = np.linspace(0, len(nats[0]), _PARTS + 1).astype(int).tolist()
        spans = [slice(a, b) for a, b in pairwise(cuts)]
        nats, parts, frames = [nats[0][s] for s in spans], [cut_played(parts[0], s) for s in spans], [cut_frame(frames[0], s) for s in spans]
    tables = [count_frames([f]) for f in frames]
    whole = count_frames(frames)
    others = [whole - own for own in tables]
    steadiness = fit_steadiness(frames, others, whole)
    moved = [Steadiness(steadiness.numbers, o).measure(f) for f, o in zip(frames, others, strict=True)]
    counts = [count_strokes(*p) for p in parts]
    loud, late = (np.sum([c[k] for c in counts], axis=0) for k in (0, 1))
    shares = [Habits(loud - own[0], late - own[1], np.zeros(0)).share(*p) for own, p in zip(counts, parts, strict=True)]
    chances = [join_chances(both, share) for *both, share in zip(nats, moved, shares, strict=True)]
    families = np.concatenate([p.families for p in parts])
    weights = fit_weights((np.concatenate([c[0] for c in chances]), np.concatenate([c[1] for c in chances])), families)
    return steadiness, Habits(loud, late, weights)


def _learn_drawing(net: PerformerNet, takes: Sequence[Take], calibration: Calibration, style: str, drummer: str) -> Drawing:
    """Moments of the player's strokes and of those that the performer draws for the same hits."""
    rests, drawn, rng = [], [], np.random.default_rng(0)
    for take in takes:
        played = read_played(take)
        loud, late = calibration.to_frame(played.velocities, played.late, played.families)
        expected = expect_take(net, take, style, drummer)
        bounds = (bound_lateness(take.strokes, find_graces(take.strokes)) / LATE_SCALE).astype(np.float32)
        means = expected.means[:, :2].astype(np.float64)
        rests.append(scale_played(loud.astype(np.float32), late.astype(np.float32)) - means[take.part])
        drawn.append((net.play(take.seen, expected, bounds, rng) - means)[take.part])
    families, places = (np.concatenate([getattr(read_played(t), n) for t in takes]) for n in ("families", "places"))
    return learn_drawing(np.concatenate(rests), np.concatenate(drawn), families, places)
