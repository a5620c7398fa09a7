"""Passages of a track that stand in training tracks: word for word (the longest run), or nearly (shifted, at another tempo, some hits changed).

Method: seed and extend, as BLAST does (Altschul et al. 1990). A seed is eight words with three hits or more; an index holds the places
of every seed of the library. Of every eight seeds of the track the rarest is looked up (its *anchor*), and extended to both sides: as
long as the words are equal for a run, and for a passage as long as a score (hits in common - 3 x hits that differ) gains.
Where a seed stands in very many places, those that agree best around it are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import VOCABULARY, Words
from backbeat.originality.tracks import MARGIN, Int32s, Library
from backbeat.originality.windows import Keys, make_codes
from backbeat.units import Ints

LENGTH = 8
LEAST_HITS = 3
NO_WORD = 0xFFFE
"""Stands around a query; equals neither a word nor a barrier."""

PENALTY = 3
DROP = 24
"""A passage ends where its score falls so far below its best."""

STAGES = ((16, 400), (40, 100))
"""Where a seed stands in many places: how many steps before and behind an anchor are compared, and how many places are kept, twice."""

COMMON, SIDE = 2000, 5
"""Of a seed with more places only so many are compared, those whose next words before or behind agree best: so many words."""

REACH = 80
PER_ANCHOR = 4
_BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Seeds:
    """Where every seed stands.

    Args:
        keys: uint64 [n], ascending.
        bounds: int32 [n + 1].
        places: int32; seed i begins at ``places[bounds[i]:bounds[i + 1]]``.
    """

    keys: Keys
    bounds: Int32s
    places: Int32s

    @classmethod
    def plant(cls, words: Words) -> Seeds:
        """Index the seeds of a library's words."""
        keys, sound = hash_seeds(words)
        places = np.flatnonzero(sound).astype(np.int32)
        keys = keys[places]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
        return cls(keys[first], np.append(first, len(keys)).astype(np.int32), places[order])

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What is stored, by name."""
        return {"keys": self.keys, "bounds": self.bounds, "places": self.places}

    @classmethod
    def restore(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Seeds:
        """The seeds whose ``arrays`` these are."""
        return cls(arrays["keys"], arrays["bounds"], arrays["places"])

    def find_anchors(self, words: Words, block: int = LENGTH) -> list[tuple[int, int]]:
        """The rarest seed of every ``block`` that follow each other, as (step, number of the seed); seeds that stand nowhere are no anchors."""
        keys, sound = hash_seeds(words)
        if not len(keys) or not len(self.keys):
            return []
        found = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = sound & (self.keys[found] == keys)
        counts = np.where(known, self.bounds[found + 1] - self.bounds[found], np.iinfo(np.int32).max)
        anchors = [first + int(np.argmin(counts[first : first + block])) for first in range(0, len(counts), block)]
        return [(a, int(found[a])) for a in anchors if known[a]]

    def list_places(self, seed: int) -> Int32s:
        """Where a seed begins."""
        return self.places[self.bounds[seed] : self.bounds[seed + 1]]


def hash_seeds(words: Words) -> tuple[Keys, npt.NDArray[np.bool_]]:
    """uint64 key of the eight words from each step on, and whether they are a seed."""
    count = max(0, len(words) - LENGTH + 1)
    codes = make_codes(words)
    hits = np.bitwise_count(words).astype(np.int8)
    hits[words >= VOCABULARY] = -100
    keys, sound = np.zeros(count, dtype=np.uint64), np.zeros(count, dtype=np.int16)
    for step in range(LENGTH):
        keys *= _BASE
        keys += codes[step : step + count]
        sound += hits[step : step + count]
    return keys, sound >= LEAST_HITS


def frame(words: Words) -> Words:
    """The words with a margin on both sides in which nothing is equal to anything."""
    edge = np.full(MARGIN, NO_WORD, dtype=np.uint16)
    return np.concatenate([edge, words, edge])


@dataclass(frozen=True, eq=False)
class Run:
    """The longest passage that stands word for word in a training track; from a hit to a hit, rests between them included.

    Args:
        steps: its length.
        start: its first step in the query.
        places: where it stands in the library.
    """

    steps: int
    start: int
    places: Ints


def find_longest_run(library: Library, seeds: Seeds, words: Words, *, exclude: int = -2) -> Run | None:
    """The longest run that holds a seed; None where there is none.

    Args:
        library, seeds: the training tracks and their seeds.
        words: uint16 [steps].
        exclude: leave out this group of training tracks.
    """
    best = _find_run(library, seeds, words, LENGTH, exclude)
    # A run of 3 x 8 - 1 steps holds eight seeds that follow each other, so it holds an anchor; a shorter one may not.
    return best if best and best.steps >= 3 * LENGTH - 1 else _find_run(library, seeds, words, 1, exclude)


def _find_run(library: Library, seeds: Seeds, words: Words, block: int, exclude: int) -> Run | None:
    framed, sounding = frame(words), np.flatnonzero(words)
    fresh: dict[bytes, tuple[Ints, Ints]] = {}
    best, previous = None, 0
    for anchor, seed in seeds.find_anchors(words, block):
        context = framed[MARGIN + previous : MARGIN + anchor + LENGTH].tobytes()
        if context not in fresh:
            fresh[context] = _trace_back(library, framed, anchor, previous, _leave_out(library, seeds.list_places(seed), exclude))
        places, back = fresh[context]
        previous = anchor
        run = _trace_on(library, framed, anchor, places, back, sounding)
        if run and (best is None or run.steps > best.steps):
            best = run
    return best


def _leave_out(library: Library, places: Int32s, exclude: int) -> Ints:
    whole = places.astype(np.int64)
    return whole if exclude < 0 else whole[library.find_group(places) != exclude]


def _trace_back(library: Library, framed: Words, anchor: int, previous: int, places: Ints) -> tuple[Ints, Ints]:
    """Places at which a run begins behind the anchor before (others were seen from there), and how many steps before this one."""
    alive, kept, lengths = places, [], []
    for back in range(1, anchor - previous + 1):
        same = library.words[alive - back] == framed[MARGIN + anchor - back]
        kept.append(alive[~same])
        lengths.append(np.full(len(kept[-1]), back - 1))
        alive = alive[same]
        if not len(alive):
            break
    if previous == 0:
        kept.append(alive)
        lengths.append(np.full(len(alive), anchor))
    none = np.zeros(0, dtype=np.int64)
    return np.concatenate([none, *kept]), np.concatenate([none, *lengths])


def _trace_on(library: Library, framed: Words, anchor: int, places: Ints, back: Ints, sounding: Ints) -> Run | None:
    """The longest run of those that begin so many steps before an anchor."""
    if not len(places):
        return None
    alive = np.arange(len(places))
    last = np.full(len(places), LENGTH)
    ahead = LENGTH
    while len(alive):
        alive = alive[library.words[places[alive] + ahead] == framed[MARGIN + anchor + ahead]] if MARGIN + anchor + ahead < len(framed) else alive[:0]
        ahead += 1
        last[alive] = ahead
    start, end = anchor - back, anchor + last
    first_hit = sounding[np.searchsorted(sounding, start)]
    last_hit = sounding[np.searchsorted(sounding, end) - 1]
    steps = last_hit - first_hit + 1
    longest = np.flatnonzero(steps == steps.max())
    begin = first_hit[longest[0]]
    same = longest[first_hit[longest] == begin]
    return Run(int(steps.max()), int(begin), places[same] + begin - anchor)


@dataclass(frozen=True, eq=False)
class Stream:
    """A query as it is searched for: at its own tempo, every second step of it, or with a rest behind every step.

    Args:
        words: uint16 [steps].
        lost: int [steps], hits of the query that the stream leaves out, at the step behind which they stand.
        first, every: step i of the stream is step ``first + i * every`` of the query.
        tempo: tempo of the query as it is written, against the training track's: 1, 1/2 (steps twice as long) or 2.
    """

    words: Words
    lost: Ints
    first: int
    every: float
    tempo: float


def make_streams(words: Words) -> list[Stream]:
    """The four streams of a query."""
    hits = np.bitwise_count(np.append(words, [0, 0]).astype(np.uint16)).astype(np.int64)
    streams = [Stream(words, np.zeros(len(words), np.int64), 0, 1, 1)]
    for phase in range(2):
        half = words[phase::2]
        streams.append(Stream(half, hits[phase + 1 :: 2][: len(half)], phase, 2, 0.5))
    stretched = np.zeros(2 * len(words), dtype=np.uint16)
    stretched[::2] = words
    streams.append(Stream(stretched, np.zeros(len(stretched), np.int64), 0, 0.5, 2))
    return streams


@dataclass(frozen=True, eq=False)
class Alignments:
    """Passages of one stream, each on its line through a training track.

    Args:
        stream: whose.
        lines: int64 [n], place in the library less step of the stream.
        starts, ends: int64 [n], steps of the stream.
        scores: int64 [n].
        apart: int32 [n, steps + 1], hits that differ on the line up to each step.
    """

    stream: Stream
    lines: Ints
    starts: Ints
    ends: Ints
    scores: Ints
    apart: Int32s


def align(library: Library, seeds: Seeds, stream: Stream, *, exclude: int = -2) -> Alignments:
    """The best passages through every anchor of a stream."""
    framed = frame(stream.words)
    chosen: dict[bytes, Ints] = {}
    lines, anchors = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for anchor, seed in seeds.find_anchors(stream.words, round(LENGTH * max(1, stream.tempo))):
        around = framed[MARGIN + anchor - REACH : MARGIN + anchor + REACH].tobytes()
        if around not in chosen:
            chosen[around] = _choose_places(library, framed, anchor, _leave_out(library, seeds.list_places(seed), exclude))
        lines.append(chosen[around] - anchor)
        anchors.append(np.full(len(lines[-1]), anchor))
    whole, through = np.concatenate(lines), np.concatenate(anchors)
    whole, first = np.unique(whole, return_index=True)
    return _extend(library, stream, whole, through[first])


def _choose_places(library: Library, framed: Words, anchor: int, places: Ints) -> Ints:
    """The places of a seed around which most is equal."""
    if len(places) > COMMON:
        apart = np.minimum(
            _count_apart(library, framed, anchor, places, range(LENGTH, LENGTH + SIDE)), _count_apart(library, framed, anchor, places, range(-SIDE, 0))
        )
        places = places[np.argpartition(apart, COMMON)[:COMMON]]
    for reach, kept in STAGES:
        if len(places) > kept:
            gain = _gain(library, framed, anchor, places, range(LENGTH, LENGTH + reach)) + _gain(library, framed, anchor, places, range(-1, -reach, -1))
            places = places[np.argpartition(-gain, kept)[:kept]]
    scores = _score(library.words[places[:, None] + np.arange(-REACH, REACH)], framed[MARGIN + anchor - REACH : MARGIN + anchor + REACH])[0]
    ahead = np.cumsum(scores[:, REACH:], axis=1).max(axis=1, initial=0)
    behind = np.cumsum(scores[:, REACH - 1 :: -1], axis=1).max(axis=1, initial=0)
    return places[np.argsort(-(ahead + behind), kind="stable")[:PER_ANCHOR]]


def _count_apart(library: Library, framed: Words, anchor: int, places: Ints, steps: range) -> npt.NDArray[np.uint8]:
    """Hits that differ at a few steps."""
    apart = np.zeros(len(places), dtype=np.uint8)
    for step in steps:
        apart += np.bitwise_count(library.words.take(places + step) ^ framed[MARGIN + anchor + step])
    return apart


def _gain(library: Library, framed: Words, anchor: int, places: Ints, steps: range) -> npt.NDArray[np.int16]:
    """The best score of the words from an anchor on, to one side."""
    total, best = np.zeros(len(places), dtype=np.int16), np.zeros(len(places), dtype=np.int16)
    table = _tabulate_gains()
    for step in steps:
        ours = min(int(framed[MARGIN + anchor + step]), VOCABULARY)
        total += table[ours].take(library.words.take(places + step), mode="clip")
        np.maximum(best, total, out=best)
    return best


@cache
def _tabulate_gains() -> npt.NDArray[np.int8]:
    """int8 [513, 513]: the score of a word against another; the last row and column are no words, of which nothing is gained."""
    words = np.arange(VOCABULARY + 1, dtype=np.uint16)
    table: npt.NDArray[np.int8] = np.bitwise_count(words[:, None] & words).astype(np.int8) - PENALTY * np.bitwise_count(words[:, None] ^ words).astype(np.int8)
    table[VOCABULARY] = table[:, VOCABULARY] = -127
    return table


def _score(theirs: Words, ours: Words) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Score and hits that differ, by step; beyond the end of either track nothing is worth going."""
    apart = np.bitwise_count(theirs ^ ours).astype(np.int32)
    outside = (theirs >= VOCABULARY) | (ours >= VOCABULARY)
    score = np.bitwise_count(theirs & ours).astype(np.int32) - PENALTY * apart
    return np.where(outside, -10_000, score), np.where(outside, 100, apart)


def _extend(library: Library, stream: Stream, lines: Ints, anchors: Ints) -> Alignments:
    """Passages through anchors, to where the score has dropped."""
    steps = len(stream.words)
    starts, ends, scores = (np.zeros(len(lines), dtype=np.int64) for _ in range(3))
    table = np.zeros((len(lines), steps + 1), dtype=np.int32)
    for i, (line, anchor) in enumerate(zip(lines.tolist(), anchors.tolist(), strict=True)):
        low, high = max(0, -line), min(steps, len(library.words) - line)
        score, apart = _score(library.words[low + line : high + line], stream.words[low:high])
        apart = apart + stream.lost[low:high]
        score = score - PENALTY * stream.lost[low:high]
        table[i, low + 1 : high + 1] = np.cumsum(apart)
        table[i, high + 1 :] = table[i, high]
        ahead, gain = _find_peak(score[anchor - low :])
        behind, more = _find_peak(score[: anchor - low][::-1])
        starts[i], ends[i], scores[i] = anchor - behind, anchor + ahead, gain + more
    return Alignments(stream, lines, starts, ends, scores, table)


def _find_peak(scores: npt.NDArray[np.int32]) -> tuple[int, int]:
    """How far to go for the highest sum, without passing a drop, and the sum."""
    total = np.cumsum(scores)
    dropped = np.flatnonzero(np.maximum.accumulate(np.maximum(total, 0)) - total > DROP)
    reached = total[: dropped[0]] if len(dropped) else total
    if not len(reached) or reached.max() <= 0:
        return 0, 0
    return int(np.argmax(reached)) + 1, int(reached.max())
