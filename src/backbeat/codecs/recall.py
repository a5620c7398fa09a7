"""What a drummer remembers of this take: words played before at places like this one.

Seven references point at earlier steps: the same place one, two, four and eight bars back, in the two earlier bars where
the band played most alike, and behind the latest occurrence of the last words (sixteen of them, else six: the match
model of PAQ-like compressors, Mahoney 2005). Each comes with how well it has been agreeing lately, and all of them with
the habit of this place: a running mean of what was hit there.

Conventions: words are the 9-bit sets of ``drums_rnn_9`` (see ``codecs.words``), one a step; ``NO_WORD`` where a reference
points nowhere; agreement and habit are bytes, 255 = always.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, VOCABULARY, WORD_BITS
from backbeat.grid import Grid
from backbeat.units import Ints

NO_WORD = VOCABULARY
BARS_BACK = (1, 2, 4, 8)
REFERENCES = (*(f"{k} bars back" for k in BARS_BACK), "best match", "second match", "same words before")
_AGREEMENT_RATE, _HABIT_RATE = 0.08, 0.15
_SHORT, _LONG = 6, 16


@dataclass(frozen=True, eq=False)
class Recalled:
    """What is remembered at every step of a take.

    Args:
        words: uint16 [steps, 7] the word each reference points at, NO_WORD where it points nowhere.
        agreement: uint8 [steps, 7] how often each reference was right lately.
        habit: uint8 [steps, 9] share of earlier bars in which each class was hit at this place.
    """

    words: npt.NDArray[np.uint16]
    agreement: npt.NDArray[np.uint8]
    habit: npt.NDArray[np.uint8]


def find_reference_bars(grid: Grid, matches: Ints) -> Ints:
    """int64 [bars, 6]: the bars that the first six references point at, -1 where the length differs or there is none."""
    return _find_reference_bars(grid.bar_steps, matches)


def _find_reference_bars(bar_steps: Ints, matches: Ints) -> Ints:
    index = np.arange(len(bar_steps))
    earlier = np.concatenate([index[:, None] - BARS_BACK, np.asarray(matches, np.int64).reshape(-1, 2)], axis=1)
    same = (earlier >= 0) & (earlier < index[:, None]) & (bar_steps[np.clip(earlier, 0, len(bar_steps) - 1)] == bar_steps[:, None])
    return np.where(same, earlier, -1).astype(np.int64)


def _find_pointers(bar_steps: Ints, matches: Ints) -> tuple[Ints, Ints]:
    """int64 [steps, 6], the step each of the first six references points at or -1, and int64 [steps], places in the bar."""
    first = np.cumsum(bar_steps) - bar_steps
    bar_of_step = np.repeat(np.arange(len(bar_steps)), bar_steps)
    place = np.arange(len(bar_of_step)) - first[bar_of_step]
    bars = _find_reference_bars(bar_steps, matches)
    steps = np.where(bars >= 0, first[bars], -1)[bar_of_step]
    return np.where(steps >= 0, steps + place[:, None], -1), place


class Memory:
    """The memory of one take, filled word by word.

    Args:
        grid: bars and steps of the take.
        matches: int64 [bars, 2], see ``features.find_matches``.
    """

    def __init__(self, grid: Grid, matches: Ints) -> None:
        pointers, place = _find_pointers(grid.bar_steps, matches)
        self._pointers: list[list[int]] = pointers.tolist()
        self._places: list[int] = place.tolist()
        self._lengths: list[int] = grid.bar_steps[grid.bar_of_step].tolist()
        self._words: list[int] = []
        self._agreement = [0.5] * len(REFERENCES)
        self._habits: dict[int, tuple[npt.NDArray[np.float32], list[int]]] = {}
        self._key = 0
        self._seen: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._now: list[int] = []

    def fork(self) -> Memory:
        """A memory of its own that starts from this one."""
        twin = copy(self)
        twin._words, twin._agreement = list(self._words), list(self._agreement)
        twin._habits = {length: (habit.copy(), list(counts)) for length, (habit, counts) in self._habits.items()}
        twin._seen = (dict(self._seen[0]), dict(self._seen[1]))
        return twin

    def look(self) -> tuple[list[int], list[int], npt.NDArray[np.uint8]]:
        """What is remembered at the step about to be played: 7 words, 7 agreements and uint8 [9] habit."""
        step = len(self._words)
        now = [self._words[p] if p >= 0 else NO_WORD for p in self._pointers[step]]
        now.append(self._look_behind(step))
        self._now = now
        habit, _ = self._habit(step)
        agreement = [int(a * 255 + 0.5) for a in self._agreement]
        return now, agreement, np.floor(habit[self._places[step]] * 255 + 0.5).astype(np.uint8)

    def push(self, word: int) -> None:
        """Play a word; ``look`` comes before each push."""
        step = len(self._words)
        for k, known in enumerate(self._now):
            if known != NO_WORD:
                self._agreement[k] += _AGREEMENT_RATE * ((known == word) - self._agreement[k])
        habit, counts = self._habit(step)
        place = self._places[step]
        counts[place] += 1
        habit[place] += (WORD_BITS[word] - habit[place]) * max(_HABIT_RATE, 1 / counts[place])
        self._words.append(word)
        self._key = (self._key << CLASSES | word) & ((1 << CLASSES * _LONG) - 1)

    def _habit(self, step: int) -> tuple[npt.NDArray[np.float32], list[int]]:
        length = self._lengths[step]
        if length not in self._habits:
            self._habits[length] = (np.zeros((length, CLASSES), np.float32), [0] * length)
        return self._habits[length]

    def _look_behind(self, step: int) -> int:
        """The word behind the latest occurrence of the last words; remembers this place for later."""
        found = -1
        for seen, length in zip(self._seen, (_SHORT, _LONG), strict=True):
            if step >= length:
                key = self._key & ((1 << CLASSES * length) - 1)
                found = seen.get(key, -1) if seen.get(key, -1) >= 0 else found
                seen[key] = step
        return self._words[found] if found >= 0 else NO_WORD


def recall(words: npt.NDArray[np.uint16], grid: Grid, matches: Ints) -> Recalled:
    """Everything remembered along a whole take: the same numbers that ``Memory`` gives while playing it, all at once.

    Args:
        words: uint16 [steps].
        grid: the take's bars and steps.
        matches: int64 [bars, 2].
    """
    return recall_bars(words, grid.bar_steps, matches)


def recall_bars(words: npt.NDArray[np.uint16], bar_steps: npt.NDArray[np.integer[Any]], matches: npt.NDArray[np.integer[Any]]) -> Recalled:
    """The same, where only the lengths of the bars are known.

    Args:
        words: uint16 [steps].
        bar_steps: integers [bars], steps of each bar.
        matches: integers [bars, 2].
    """
    words, lengths = np.asarray(words), np.asarray(bar_steps, np.int64)
    pointers, place = _find_pointers(lengths, np.asarray(matches, np.int64))
    behind = _find_places_behind(words)
    pointers = np.concatenate([pointers[: len(words)], behind[:, None]], axis=1)
    known = np.where(pointers >= 0, words[pointers] if len(words) else 0, NO_WORD).astype(np.uint16)
    return Recalled(known, _follow_agreement(known, words), _follow_habits(words, lengths, place))


def _find_places_behind(words: npt.NDArray[np.uint16]) -> Ints:
    """int64 [steps]: the latest earlier step behind the same last words (sixteen of them, else six), -1 where there is none."""
    found = np.full(len(words), -1, np.int64)
    if len(words) <= _SHORT:
        return found
    key = np.zeros(len(words) - _SHORT, np.int64)
    for back in range(_SHORT):
        key = key << CLASSES | words[back : back + len(key)]
    rank, before = _find_twins(key)
    found[_SHORT:] = np.where(before >= 0, before + _SHORT, -1)
    if len(words) > _LONG:  # sixteen words are three runs of six: the last, the one five steps before, the one ten steps before
        rest, shift = _LONG - _SHORT, len(key).bit_length()
        _, before = _find_twins((rank[rest:] << shift | rank[rest // 2 : -(rest // 2)]) << shift | rank[:-rest])
        found[_LONG:] = np.where(before >= 0, before + _LONG, found[_LONG:])
    return found


def _find_twins(keys: Ints) -> tuple[Ints, Ints]:
    """The rank of each key among the distinct ones, and the index of the same key's latest earlier occurrence, -1 for a first."""
    order = np.argsort(keys, kind="stable")
    again = np.zeros(len(keys), np.bool_)
    again[1:] = keys[order[1:]] == keys[order[:-1]]
    rank, before = np.empty(len(keys), np.int64), np.full(len(keys), -1, np.int64)
    rank[order] = np.cumsum(~again) - 1
    before[order[1:]] = np.where(again[1:], order[:-1], -1)
    return rank, before


def _follow_agreement(known: npt.NDArray[np.uint16], words: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """uint8 [steps, 7]: the agreements before each step. Rounding makes the order of sums count, so each is summed as ``Memory`` does."""
    out = np.empty(known.shape, np.uint8)
    for column in range(known.shape[1]):
        pointing = known[:, column] != NO_WORD
        right = (known[pointing, column] == words[pointing]).tolist()
        levels = np.fromiter(accumulate(right, _agree, initial=0.5), np.float64, len(right) + 1)
        out[:, column] = (levels * 255 + 0.5).astype(np.uint8)[np.cumsum(pointing) - pointing]
    return out


def _agree(level: float, right: bool) -> float:
    return level + _AGREEMENT_RATE * (right - level)


def _follow_habits(words: npt.NDArray[np.uint16], bar_steps: Ints, place: Ints) -> npt.NDArray[np.uint8]:
    """uint8 [steps, 9]: the habit of each step's place, bar after bar among the bars of each length."""
    bits = np.zeros((len(place), CLASSES), np.float32)
    bits[: len(words)] = WORD_BITS[words]
    habits = np.empty_like(bits)
    first = np.cumsum(bar_steps) - bar_steps
    for length in np.unique(bar_steps).tolist():
        habit = np.zeros((length, CLASSES), np.float32)
        for count, start in enumerate(first[bar_steps == length].tolist(), 1):
            habits[start : start + length] = habit
            habit += (bits[start : start + length] - habit) * max(_HABIT_RATE, 1 / count)
    return np.asarray(np.floor(habits[: len(words)] * 255 + 0.5), dtype=np.uint8)
