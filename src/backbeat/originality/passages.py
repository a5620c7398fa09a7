"""Which of many alignments are worth telling: the best ones, and none that a better one explains as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backbeat.codecs.words import Words
from backbeat.originality.seeds import Alignments
from backbeat.originality.tracks import Library
from backbeat.units import Ints

LEAST_SCORE = 10
MOST = 400
SLACK = 4
"""Steps by which a better passage may be shorter at either end and still explain another."""


@dataclass(frozen=True)
class Passage:
    """A passage of the query that nearly stands in a training track.

    Args:
        start, steps: where in the query, in steps.
        place: where in the library it begins.
        place_steps: its length there.
        tempo: tempo of the query as written, against the training track's: 1, 0.5 (half time) or 2 (double time).
        distance: hits that differ, of both.
        hits: hits of the query in it.
        score: hits in common, less three times the distance.
    """

    start: int
    steps: int
    place: int
    place_steps: int
    tempo: float
    distance: int
    hits: int
    score: int


@dataclass(frozen=True, eq=False)
class _Spans:
    """Alignments in steps of the query."""

    starts: Ints
    ends: Ints
    chosen: list[int]


def choose_passages(library: Library, words: Words, found: Sequence[Alignments]) -> list[Passage]:
    """The passages of several streams, best first; the query's own tempo goes before others.

    A passage is left out where one that is chosen already covers it and differs there in as few hits.
    """
    hits = np.concatenate([[0], np.cumsum(np.bitwise_count(words), dtype=np.int64)])
    spans = [_Spans(_to_query(a, a.starts), _to_query(a, a.ends), []) for a in found]
    passages = list[Passage]()
    for alignments, span in zip(found, spans, strict=True):
        for i in np.argsort(-alignments.scores, kind="stable")[: 4 * MOST].tolist():
            if alignments.scores[i] < LEAST_SCORE or len(span.chosen) >= MOST:
                break
            distance = int(alignments.apart[i, alignments.ends[i]] - alignments.apart[i, alignments.starts[i]])
            start, end = int(span.starts[i]), min(int(span.ends[i]), len(words))
            if any(_explain(a, s, start, end, distance) for a, s in zip(found, spans, strict=True)):
                continue
            span.chosen.append(i)
            place = int(alignments.lines[i] + alignments.starts[i])
            length = int(alignments.ends[i] - alignments.starts[i])
            counted = int(hits[end] - hits[start])
            passages.append(Passage(start, end - start, place, length, alignments.stream.tempo, distance, counted, int(alignments.scores[i])))
    return sorted(passages, key=lambda p: (-p.score, p.tempo != 1, p.start))


def _to_query(alignments: Alignments, steps: Ints) -> Ints:
    return np.asarray(alignments.stream.first + steps * alignments.stream.every, dtype=np.int64)


def _explain(alignments: Alignments, spans: _Spans, start: int, end: int, distance: int) -> bool:
    """Whether a chosen alignment covers these steps of the query and differs there in no more hits."""
    chosen = np.array(spans.chosen, dtype=np.int64)
    covering = chosen[(spans.starts[chosen] <= start + SLACK) & (spans.ends[chosen] >= end - SLACK)]
    if not len(covering):
        return False
    stream = alignments.stream
    low, high = (np.clip(int((step - stream.first) / stream.every), 0, len(stream.words)) for step in (start, end))
    first = np.maximum(alignments.starts[covering], low)
    last = np.minimum(alignments.ends[covering], high)
    apart = alignments.apart[covering, last] - alignments.apart[covering, first]
    return bool((apart <= distance).any())
