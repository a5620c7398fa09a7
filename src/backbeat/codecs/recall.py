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

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, VOCABULARY, words_to_hits
from backbeat.grid import Grid

NO_WORD = VOCABULARY
BARS_BACK = (1, 2, 4, 8)
REFERENCES = (*(f"{k} bars back" for k in BARS_BACK), "best match", "second match", "same words before")
_AGREEMENT_RATE, _HABIT_RATE = 0.08, 0.15
_SHORT, _LONG = 6, 16
_BITS = words_to_hits(np.arange(VOCABULARY, dtype=np.uint16)).astype(np.float32)


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


def find_reference_bars(grid: Grid, matches: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """int64 [bars, 6]: the bars that the first six references point at, -1 where the length differs or there is none."""
    index = np.arange(grid.bars)
    columns = []
    for back in BARS_BACK:
        earlier = index - back
        same = (earlier >= 0) & (grid.bar_steps[np.maximum(earlier, 0)] == grid.bar_steps)
        columns.append(np.where(same, earlier, -1))
    return np.concatenate([np.stack(columns, axis=1), matches], axis=1).astype(np.int64)


class Memory:
    """The memory of one take, filled word by word.

    Args:
        grid: bars and steps of the take.
        matches: int64 [bars, 2], see ``features.find_matches``.
    """

    def __init__(self, grid: Grid, matches: npt.NDArray[np.int64]) -> None:
        first = grid.first_steps[:-1]
        bars = find_reference_bars(grid, matches)
        place = grid.step_in_bar
        steps = np.where(bars >= 0, first[bars], -1)[grid.bar_of_step]
        self._pointers: list[list[int]] = np.where(steps >= 0, steps + place[:, None], -1).tolist()
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
        habit[place] += (_BITS[word] - habit[place]) * max(_HABIT_RATE, 1 / counts[place])
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


def recall(words: npt.NDArray[np.uint16], grid: Grid, matches: npt.NDArray[np.int64]) -> Recalled:
    """Everything remembered along a whole take: the same numbers that ``Memory`` gives while playing it.

    Args:
        words: uint16 [steps].
        grid: the take's bars and steps.
        matches: int64 [bars, 2].
    """
    memory = Memory(grid, matches)
    count = len(words)
    known = np.empty((count, len(REFERENCES)), np.uint16)
    agreement, habit = np.empty((count, len(REFERENCES)), np.uint8), np.empty((count, CLASSES), np.uint8)
    for step, word in enumerate(words.tolist()):
        known[step], agreement[step], habit[step] = memory.look()
        memory.push(word)
    return Recalled(known, agreement, habit)
