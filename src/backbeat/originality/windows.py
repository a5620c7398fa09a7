"""Nearest training windows, exactly, however they are turned.

A window is 1, 2 or 4 whole bars of words. Two windows are compared in every rotation (a loop entered elsewhere is the same loop), by the
number of hits in which they differ. A ``Shelf`` holds the distinct training windows of one length, rotations being the same window:

1. Exact: every window has a key that no rotation changes (the least of the polynomial hashes of its rotations, Karp and Rabin 1987).
2. Near: the counts of hits by class do not change in a rotation either, and their L1 distance is never more than the distance; the same
   holds for counts by class and step modulo 4, of which there are four rotations. Windows within a radius by both are compared by popcount,
   class after class, and left as soon as they are too far. The radius grows until a window is found within it: nothing nearer can exist.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, VOCABULARY, Words
from backbeat.originality.tracks import Int32s, Library
from backbeat.units import Ints

Keys = npt.NDArray[np.uint64]
LONGEST = 255
"""Steps of the longest window: counts are kept in bytes."""

RADII = (2, 5, 8, 13, 20, 30, 44, 80, 160, 10_000)
FOLD = 4
ORDER = (1, 0, 2, 3, 7, 8, 4, 5, 6)
"""Classes as they are compared: snare and kick tell most rotations apart."""

_BASE = np.uint64(0x9E3779B97F4A7C15)
_CODES = np.random.default_rng(20261121).integers(1, 1 << 63, VOCABULARY, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_CODES[0] = 0
_PAIRS = 1 << 18
_CHUNK = 1 << 15
_NOTHING = (np.zeros(0, np.uint64), np.zeros(0, np.uint8), np.zeros(0, np.uint8), np.zeros(0, np.int32))
_FAR = np.uint16(65_535)
_SIGNED = 127


def make_codes(words: Words) -> Keys:
    """uint64 of each word, as hashes add them up; barriers count as rests."""
    return np.asarray(_CODES[np.where(words < VOCABULARY, words, 0)], dtype=np.uint64)


def make_keys(codes: Keys) -> Keys:
    """A key for each window that no rotation changes.

    Args:
        codes: uint64 [windows, steps], see ``make_codes``.

    Returns:
        uint64 [windows].
    """
    steps = codes.shape[1]
    top = np.uint64(pow(int(_BASE), steps - 1, 1 << 64))
    value = np.zeros(len(codes), dtype=np.uint64)
    for step in range(steps):
        value = value * _BASE + codes[:, step]
    least = value.copy()
    for step in range(steps - 1):
        value = (value - codes[:, step] * top) * _BASE + codes[:, step]
        np.minimum(least, value, out=least)
    return least


def pack(windows: Words) -> Keys:
    """Windows as bits, class by class.

    Args:
        windows: uint16 [windows, steps].

    Returns:
        uint64 [9, windows, ceil(steps / 64)].
    """
    count, steps = windows.shape
    numbers = -(-steps // 64)
    bits = np.zeros((CLASSES, count, numbers * 64), dtype=np.bool_)
    for c in range(CLASSES):
        bits[c, :, :steps] = (windows >> c) & 1
    return np.packbits(bits, axis=-1, bitorder="little").view("<u8").reshape(CLASSES, count, numbers)


@dataclass(frozen=True, eq=False)
class Shelf:
    """The distinct training windows of one length.

    Args:
        steps: their length.
        stride: 2 where every second step of a passage twice as long is kept, 1 otherwise.
        keys: uint64 [n], ascending, see ``make_keys``.
        ids: int32 [n], the window that has each key. Windows are in the order of their hits.
        hits: int32 [n], ascending.
        rows: uint64 [9, n, numbers], see ``pack``; of the first place of each.
        counts: uint8 [9, n], hits by class.
        folds: uint8 [n, 9 * fold], hits by class and step modulo ``fold``.
        only: int32 [n], the group of tracks that has it where it is the only one, else -1.
        places, bounds: int32, the places of window i are ``places[bounds[i]:bounds[i + 1]]``.
    """

    steps: int
    stride: int
    keys: Keys
    ids: Int32s
    hits: Int32s
    rows: Keys
    counts: npt.NDArray[np.uint8]
    folds: npt.NDArray[np.uint8]
    only: Int32s
    places: Int32s
    bounds: Int32s

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What is stored, by name."""
        return {n: getattr(self, n) for n in ("keys", "ids", "hits", "rows", "counts", "folds", "only", "places", "bounds")}

    @property
    def fold(self) -> int:
        """4, or the largest power of two that divides the length."""
        return int(np.gcd(self.steps, FOLD))

    def list_places(self, window: int) -> Int32s:
        """Where a window begins in the library."""
        return self.places[self.bounds[window] : self.bounds[window + 1]]


def list_starts(library: Library, bars: int) -> dict[int, Int32s]:
    """Places at which so many whole bars of one track begin, by their length in steps."""
    first = np.arange(len(library.bars) - bars + 1)
    first = first[library.bar_tracks[first] == library.bar_tracks[first + bars - 1]]
    ends = library.bars[first + bars - 1] + library.bar_steps[first + bars - 1]
    steps = ends - library.bars[first]
    return {int(n): library.bars[first[steps == n]] for n in np.unique(steps) if 0 < n <= 2 * LONGEST}


def fill_shelf(library: Library, starts: Int32s, steps: int, stride: int = 1) -> Shelf | None:
    """A shelf of the windows that begin at these places; None where all are silent.

    With a stride of 2, passages with more than a tenth of their hits on the odd steps are left out: they cannot be
    written at double time in 16ths.
    """
    words = library.words
    sounding = np.zeros(len(starts), dtype=np.int32)
    between = np.zeros(len(starts), dtype=np.int32)
    for step in range(steps * stride):
        into = sounding if step % stride == 0 else between
        into += np.bitwise_count(words[starts + step])
    starts = np.unique(starts[(sounding > 0) & (between * 10 <= sounding + between)])
    if not len(starts):
        return None
    keys = np.concatenate([_keys_at(words, chunk, steps, stride) for chunk in np.array_split(starts, -(-len(starts) // 50_000))])
    unique, which, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    heads = words[starts[order[np.cumsum(sizes) - sizes]][:, None] + np.arange(steps) * stride]
    hits = np.bitwise_count(heads).sum(axis=1, dtype=np.int32)
    ids = np.empty(len(unique), dtype=np.int32)
    ids[np.argsort(hits, kind="stable")] = np.arange(len(unique))
    order = np.argsort(ids[which], kind="stable")
    places, bounds = starts[order], np.concatenate([[0], np.cumsum(sizes[np.argsort(ids)])]).astype(np.int32)
    return _describe_windows(library, Shelf(steps, stride, unique, ids, np.sort(hits), *_NOTHING, places, bounds))


def _describe_windows(library: Library, shelf: Shelf) -> Shelf:
    """The shelf with rows, counts, folds and owners."""
    owner, first = library.find_group(shelf.places), shelf.bounds[:-1]
    low, high = np.minimum.reduceat(owner, first), np.maximum.reduceat(owner, first)
    windows = library.words[shelf.places[first][:, None] + np.arange(shelf.steps) * shelf.stride]
    rows = pack(windows)
    counts = np.bitwise_count(rows).sum(axis=2).astype(np.uint8)
    only = np.where(low == high, low, -1).astype(np.int32)
    return replace(shelf, rows=rows, counts=counts, folds=fold_windows(windows, shelf.fold), only=only)


def fold_windows(windows: Words, fold: int) -> npt.NDArray[np.uint8]:
    """Hits by class and step modulo ``fold``.

    Args:
        windows: uint16 [windows, steps].
        fold: divides the steps.

    Returns:
        uint8 [windows, 9 * fold], class by class.
    """
    out = np.zeros((len(windows), CLASSES, fold), dtype=np.uint8)
    for c in range(CLASSES):
        out[:, c] = ((windows >> c) & 1).reshape(len(windows), -1, fold).sum(axis=1, dtype=np.uint8)
    return out.reshape(len(windows), -1)


def _keys_at(words: Words, starts: Int32s, steps: int, stride: int) -> Keys:
    return make_keys(make_codes(words[starts[:, None] + np.arange(steps) * stride]))


@dataclass(frozen=True)
class Match:
    """The nearest window of a shelf.

    Args:
        distance: hits in which the two differ.
        window: its number on the shelf.
        turn: the query, turned back by so many steps (``np.roll(query, -turn)``), lies on it.
    """

    distance: int
    window: int
    turn: int


def find_nearest(shelf: Shelf, query: Words, *, key: np.uint64 | None = None, below: int = 1 << 14, exclude: int = -2) -> Match | None:
    """The nearest window.

    Args:
        shelf: windows of the query's length.
        query: uint16 [steps].
        key: of the query, where it is known already (``make_keys`` is faster for many at a time).
        below: nothing at this distance or further is looked for.
        exclude: leave out the windows that only this group of training tracks has.

    Returns:
        None where there is none below.
    """
    rotated = query[np.add.outer(np.arange(shelf.steps), np.arange(shelf.steps)) % shelf.steps]
    turned = pack(rotated)
    exact = _find_exact(shelf, make_keys(make_codes(query[None]))[0] if key is None else key, turned, exclude) if below > 0 else None
    if exact or below <= 1:
        return exact
    return _grow(shelf, turned, fold_windows(rotated[: shelf.fold], shelf.fold), below, exclude)


def _find_exact(shelf: Shelf, key: np.uint64, turned: Keys, exclude: int) -> Match | None:
    at = int(np.searchsorted(shelf.keys, key))
    if at == len(shelf.keys) or shelf.keys[at] != key or shelf.only[shelf.ids[at]] == exclude:
        return None
    window = int(shelf.ids[at])
    same = np.flatnonzero((turned == shelf.rows[:, window][:, None]).all(axis=(0, 2)))
    return Match(0, window, int(same[0])) if len(same) else None


def _grow(shelf: Shelf, turned: Keys, folded: npt.NDArray[np.uint8], below: int, exclude: int) -> Match | None:
    """Search in discs of growing radius; what is found in one is the nearest of all."""
    counts = np.bitwise_count(turned[:, 0]).sum(axis=1, dtype=np.int64)
    total = int(counts.sum())
    best: Match | None = None
    apart = np.zeros(0, dtype=np.uint16)
    first = last = int(np.searchsorted(shelf.hits, np.int32(total)))
    for radius in (min(r, below - 1) for r in RADII):
        low, high = np.searchsorted(shelf.hits, np.array([total - radius, total + radius + 1], dtype=np.int32)).tolist()
        sides = [_measure_counts(shelf, counts, side, exclude) for side in (slice(low, first), slice(last, high))]
        apart, first, last = np.concatenate([sides[0], apart, sides[1]]), low, high
        disc, limit = np.flatnonzero(apart <= radius) + first, radius
        for start in range(0, len(disc), _CHUNK):
            found = _compare(shelf, turned, folded, disc[start : start + _CHUNK], limit)
            if found:
                best, limit = found, found.distance - 1
        if best or radius >= below - 1:
            break
    return best


def _measure_counts(shelf: Shelf, counts: Ints, windows: slice, exclude: int) -> npt.NDArray[np.uint16]:
    """uint16 [windows]: L1 distance of the counts by class; very far where the window is left out."""
    by_class = _take_apart(shelf.counts[:, windows], counts.astype(np.uint8)[:, None], shelf.steps)
    together = max(1, LONGEST // shelf.steps)  # so many classes add up within a byte, which is much faster
    apart: npt.NDArray[np.uint16] = by_class[:together].sum(axis=0, dtype=np.uint8).astype(np.uint16)
    for first in range(together, CLASSES, together):
        apart += by_class[first : first + together].sum(axis=0, dtype=np.uint8)
    if exclude >= 0:
        apart[shelf.only[windows] == exclude] = _FAR
    return apart


def _take_apart(theirs: npt.NDArray[np.uint8], ours: npt.NDArray[np.uint8], most: int) -> npt.NDArray[np.uint8]:
    """uint8: |theirs - ours|. No count is above ``most``; up to 127 the difference is a signed byte, which is thirty times faster."""
    if most > _SIGNED:
        return np.asarray(np.maximum(theirs, ours) - np.minimum(theirs, ours))
    difference = np.subtract(theirs, ours).view(np.int8)  # the same bits, signed or not
    return np.abs(difference, out=difference).view(np.uint8)


def _compare(shelf: Shelf, turned: Keys, folded: npt.NDArray[np.uint8], ring: Ints, limit: int) -> Match | None:
    """The nearest of some windows in all rotations, where it is within a limit."""
    theirs = shelf.folds[ring]
    best = None
    for phase, mine in enumerate(folded):
        near = ring[_take_apart(theirs, mine, shelf.steps // shelf.fold).sum(axis=1, dtype=np.uint16) <= limit] if limit >= 0 else ring[:0]
        for first in range(0, len(near), _PAIRS // shelf.steps + 1):
            found = _compare_bits(shelf.rows, turned, near[first : first + _PAIRS // shelf.steps + 1], range(phase, shelf.steps, len(folded)), limit)
            if found:
                best, limit = found, found.distance - 1
    return best


def _compare_bits(rows: Keys, turned: Keys, windows: Ints, phases: range, limit: int) -> Match | None:
    """As ``_compare``, in some rotations; the first class is compared for all pairs, each further one for the pairs that are left."""
    if limit < 0:
        return None
    kind = ORDER[0]
    apart = np.bitwise_count(rows[kind, windows][None] ^ turned[kind, phases][:, None]).sum(axis=2, dtype=np.uint16)
    phase, column = np.nonzero(apart <= limit)
    distance, turn = apart[phase, column], np.asarray(phases)[phase]
    for kind in ORDER[1:]:
        distance = distance + np.bitwise_count(rows[kind, windows[column]] ^ turned[kind, turn]).sum(axis=1, dtype=np.uint16)
        near = distance <= limit
        turn, column, distance = turn[near], column[near], distance[near]
    if not len(distance):
        return None
    at = int(np.argmin(distance))
    return Match(int(distance[at]), int(windows[column[at]]), int(turn[at]))
