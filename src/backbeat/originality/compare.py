"""How original a drum track is: its nearest training bars, its longest verbatim run, and passages that it shares, with their sources.

Conventions: bars are counted from 1, as people count. A distance is the number of hits, of both, that stand on one side only: a hit
moved to another step counts twice. ``tempo`` is that of the query as written: 0.5 where its steps last twice as long as the training track's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Words
from backbeat.originality.index import BARS, Index
from backbeat.originality.passages import choose_passages
from backbeat.originality.results import Originality, Place, SharedPassage, Summary, VerbatimRun, Window
from backbeat.originality.seeds import align, find_longest_run, make_streams
from backbeat.originality.tracks import Int32s, Library, Track
from backbeat.originality.windows import LONGEST, Match, Shelf, find_nearest, make_codes, make_keys
from backbeat.units import Ints

SOURCES = 5
NEARLY = 2
"""A bar at this distance or less counts as a copy when copies across bar lines are looked for."""


def compare(index: Index, track: Track, *, exclude: int = -2, sources: int = SOURCES) -> Originality:
    """Compare a drum track with the training tracks.

    Args:
        index: of the training tracks.
        track: the query.
        exclude: leave out this group of training tracks.
        sources: name so many places, at most one a track.
    """
    windows = [w for bars in BARS for w in find_windows(index, track, bars, exclude=exclude, sources=sources)]
    shifted = find_shifted(index, track, [w for w in windows if w.bars == 1], exclude=exclude, sources=sources)
    streams = make_streams(track.words)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda stream: align(index.library, index.seeds, stream, exclude=exclude), streams))
    passages = []
    for p in choose_passages(index.library, track.words, found):
        bar, step = _find_bar(track, p.start)
        passages.append(SharedPassage(bar, step, p.steps, p.tempo, p.distance, p.hits, _name_place(index.library, p.place)))
    return Originality(
        track.name,
        len(track.first_steps) - 1,
        len(index.library.names),
        len(index.library.bars),
        summarise(windows),
        tuple(sorted(windows + shifted, key=_rank)),
        find_run(index, track, exclude=exclude, sources=sources),
        tuple(passages),
        index.human,
    )


def _rank(window: Window) -> tuple[bool, float, int, int, int]:
    """Near ones first, of these those that few tracks have, and the longest."""
    share = window.distance / max(1, window.hits)
    return window.far, round(share * 10), window.tracks, -window.bars, window.bar


def _find_bar(track: Track, step: int) -> tuple[int, int]:
    bar = int(np.searchsorted(track.first_steps[:-1], step, side="right"))
    return bar, step - int(track.first_steps[bar - 1])


def _name_place(library: Library, place: int) -> Place:
    bar, step = library.find_bar(place)
    return Place(library.names[int(library.find_track(np.array([place]))[0])], bar, step)


def name_sources(library: Library, places: Ints | Int32s, most: int, exclude: int = -2) -> tuple[int, tuple[Place, ...]]:
    """The number of tracks that some places belong to, and the first place in each of the first of them."""
    owners, first = np.unique(library.find_track(places), return_index=True)
    first = first[library.track_groups[owners] != exclude]
    return len(first), tuple(_name_place(library, int(places[i])) for i in first[:most])


def find_run(index: Index, track: Track, *, exclude: int = -2, sources: int = SOURCES) -> VerbatimRun | None:
    """The longest verbatim run and its sources."""
    run = find_longest_run(index.library, index.seeds, track.words, exclude=exclude)
    if run is None:
        return None
    (bar, step), (last_bar, last_step) = _find_bar(track, run.start), _find_bar(track, run.start + run.steps - 1)
    lengths = np.diff(track.first_steps)
    bars = last_bar - bar + (last_step + 1) / lengths[last_bar - 1] - step / lengths[bar - 1]
    return VerbatimRun(run.steps, round(float(bars), 2), bar, step, *name_sources(index.library, run.places, sources))


@dataclass(frozen=True, eq=False)
class _Found:
    shelf: Shelf | None
    match: Match | None
    distance: int
    tempo: float


def find_windows(index: Index, track: Track, bars: int, *, exclude: int = -2, sources: int = SOURCES) -> list[Window]:
    """The nearest training window of every window of so many bars that has a hit.

    Args:
        index: of the training tracks.
        track: the query.
        bars: length of a window.
        exclude: leave out the windows that only this group of training tracks has.
        sources: name so many places of each, at most one a track.
    """
    first = track.first_steps
    spans = [(b, track.words[first[b] : first[b + bars]]) for b in range(len(first) - bars)]
    spans = [(b, words) for b, words in spans if words.any() and len(words) <= LONGEST]
    distinct = {words.tobytes(): words for _, words in spans}
    keys = _hash_all(list(distinct.values()))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(distinct, pool.map(lambda words: _search(index, words, keys, exclude), distinct.values()), strict=True))
    windows, named = [], dict[bytes, tuple[int, tuple[Place, ...]]]()
    for b, words in spans:
        data, hits = words.tobytes(), int(np.bitwise_count(words).sum())
        best = found[data]
        if best.shelf is None or best.match is None:
            windows.append(Window(b + 1, bars, hits, best.distance, True))
            continue
        if data not in named:
            named[data] = name_sources(index.library, best.shelf.list_places(best.match.window), sources, exclude)
        windows.append(Window(b + 1, bars, hits, best.distance, False, 0, best.tempo, best.match.turn, *named[data]))
    return windows


@dataclass(frozen=True, eq=False)
class _Reading:
    """A stretch of the query across a bar line: its bar from 0, its step in it, as what it is looked for, and the hits left out."""

    bar: int
    step: int
    words: Words
    tempo: float
    lost: int

    @property
    def below(self) -> int:
        hits = int(np.bitwise_count(self.words).sum())
        return max(NEARLY, hits // 10) + 1 - self.lost


def find_shifted(index: Index, track: Track, aligned: Sequence[Window], *, exclude: int = -2, sources: int = SOURCES) -> list[Window]:
    """Copies of one training bar, also at half time, that stand across a bar line, where the bars themselves are no copies.

    Args:
        index: of the training tracks.
        track: the query.
        aligned: its windows of one bar.
        exclude: leave out the windows that only this group of training tracks has.
        sources: name so many places of each, at most one a track.
    """
    odd = np.zeros(len(track.first_steps), dtype=np.bool_)
    odd[[w.bar - 1 for w in aligned if w.distance > NEARLY]] = True
    readings = [r for r in _list_shifted(track, odd) if r.words.any() and r.below > 0 and (len(r.words), 1) in index.shelves]
    keys = _hash_all([r.words for r in readings])
    # A loop is the same in all its rotations, so one of them stands for all.
    distinct = {(keys[r.words.tobytes()], r.tempo): r for r in sorted(readings, key=lambda r: -r.lost)}

    def search(r: _Reading) -> Match | None:
        return find_nearest(index.shelves[len(r.words), 1], r.words, key=keys[r.words.tobytes()], below=r.below, exclude=exclude)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(search, distinct.values()))
    windows = []
    for r, match in zip(distinct.values(), found, strict=True):
        if match:
            named = name_sources(index.library, index.shelves[len(r.words), 1].list_places(match.window), sources, exclude)
            hits = int(np.bitwise_count(r.words).sum()) + r.lost
            windows.append(Window(r.bar + 1, round(1 / r.tempo), hits, match.distance + r.lost, False, r.step, r.tempo, match.turn, *named))
    return windows


def _list_shifted(track: Track, odd: npt.NDArray[np.bool_]) -> Iterator[_Reading]:
    """Stretches as long as the bar they begin in, and twice as long at half time, across the bar lines of odd bars."""
    first = track.first_steps.tolist()
    hits = np.bitwise_count(track.words).astype(np.int64)
    for b in np.flatnonzero(odd[:-1] | odd[1:]).tolist():
        steps = first[b + 1] - first[b]
        if steps > LONGEST:
            continue
        for start in range(first[b] + 1, first[b + 1]):
            if start + steps <= len(track.words):
                yield _Reading(b, start - first[b], track.words[start : start + steps], 1.0, 0)
            if start + 2 * steps <= len(track.words):
                yield _Reading(b, start - first[b], track.words[start : start + 2 * steps : 2], 0.5, int(hits[start + 1 : start + 2 * steps : 2].sum()))


def _hash_all(windows: Sequence[Words]) -> dict[bytes, np.uint64]:
    keys = dict[bytes, np.uint64]()
    for steps in {len(w) for w in windows}:
        same = [w for w in windows if len(w) == steps]
        keys |= zip((w.tobytes() for w in same), make_keys(make_codes(np.stack(same))), strict=True)
    return keys


def _search(index: Index, words: Words, keys: dict[bytes, np.uint64], exclude: int) -> _Found:
    """The nearest at the query's own tempo, or nearer at half or double."""
    hits = np.bitwise_count(words).astype(np.int64)
    below = max(9, int(hits.sum()) // 4 + 1)
    best = _Found(None, None, below, 1.0)
    for shelf, query, tempo, lost in _list_readings(index, words, hits):
        limit = best.distance - lost
        match = find_nearest(shelf, query, key=keys.get(query.tobytes()), below=limit, exclude=exclude) if limit > 0 else None
        if match:
            best = _Found(shelf, match, match.distance + lost, tempo)
    return best


def _list_readings(index: Index, words: Words, hits: Ints) -> list[tuple[Shelf, Words, float, int]]:
    """Shelves, what to look for there, the tempo that means, and the hits that are left out."""
    steps = len(words)
    readings = [(index.shelves.get((steps, 1)), words, 1.0, 0), (index.shelves.get((steps, 2)), words, 2.0, 0)]
    if steps % 2 == 0:
        phase = int(hits[1::2].sum() > hits[::2].sum())
        readings.append((index.shelves.get((steps // 2, 1)), words[phase::2], 0.5, int(hits[1 - phase :: 2].sum())))
    return [(shelf, query, tempo, lost) for shelf, query, tempo, lost in readings if shelf is not None and query.any()]


def summarise(windows: Iterable[Window]) -> tuple[Summary, ...]:
    """One summary a length; none for a length without windows."""
    every = list(windows)
    summaries = []
    for bars in BARS:
        mine = [w for w in every if w.bars == bars]
        if not mine:
            continue
        distances, hits = (np.array([getattr(w, n) for w in mine]) for n in ("distance", "hits"))
        far = float(np.mean([w.far for w in mine]))
        share = float(np.median(distances / hits))
        summaries.append(Summary(bars, len(mine), float(np.median(distances)), round(share, 4), float((distances == 0).mean()), far))
    return tuple(summaries)
