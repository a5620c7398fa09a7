"""What a song's drums have done so far, for networks that play whole songs: words that stood at places like this one.

Eleven references give a word each: the same place 1, 2, 4 and 8 bars back; the words behind the latest occurrence of the
last 24, 12 and 6 words, and of the last 2 at this place in the bar; a passage that is being followed word by word as long
as it is mostly right (the match model of PAQ-like compressors, Mahoney 2005, which forgives a slip); and the words most often
heard at this place, and at this place behind the word before (in-take counts; Grave, Joulin and Usunier 2017).

Conventions: words are 9-bit sets, one a 16th; a bar has 16 of them; ``NO_WORD`` where a reference has nothing to say.
Agreement is a running mean of how often a reference was right; everything is looked up before the word at hand is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, VOCABULARY

NO_WORD = VOCABULARY
STEPS = 16
"""Words of a bar."""
BACK = (16, 32, 64, 128)
LENGTHS = (24, 12, 6)
REFERENCES = (
    *(f"{lag // STEPS} bars back" for lag in BACK),
    *(f"behind the same {n} words" for n in LENGTHS),
    "behind the same 2 words here",
    "the passage that is followed",
    "most often behind this word here",
    "most often here",
)
HINTS = len(REFERENCES) + 4
"""Columns of what else is remembered: agreements; how long the followed passage has been right; shares of the two counts; age."""
_RATE, _FORGET, _LOST = 0.08, 0.97, 0.55
_ALL = (1 << CLASSES * max(LENGTHS)) - 1


@dataclass(frozen=True, eq=False)
class Remembered:
    """What is remembered at every step.

    Args:
        words: int16 [steps, references], ``NO_WORD`` where there is none.
        hints: float32 [steps, HINTS] in 0-1.
    """

    words: npt.NDArray[np.int16]
    hints: npt.NDArray[np.float32]


class _Counts:
    """Words counted under keys, older ones less and less; the likeliest of each key is at hand."""

    def __init__(self) -> None:
        self._seen: dict[int, dict[int, float]] = {}

    def look(self, key: int) -> tuple[int, float]:
        """The likeliest word under a key, and its share."""
        seen = self._seen.get(key)
        if not seen:
            return NO_WORD, 0.0
        word = max(seen, key=seen.__getitem__)
        return word, seen[word] / (sum(seen.values()) + 0.5)

    def push(self, key: int, word: int) -> None:
        """Count a word."""
        seen = self._seen.setdefault(key, {})
        for other in seen:
            seen[other] *= _FORGET
        seen[word] = seen.get(word, 0.0) + 1.0


class SongMemory:
    """The memory of one song, filled word by word: ``look``, then ``push``."""

    def __init__(self) -> None:
        self._words: list[int] = []
        self._key = 0
        self._behind: list[dict[int, int]] = [{} for _ in LENGTHS]
        self._here: dict[int, int] = {}
        self._counts = (_Counts(), _Counts())
        self._agreement = [0.5] * len(REFERENCES)
        self._followed, self._length, self._trust = -1, 0, 0.5
        self._now: list[int] = []

    def fork(self) -> SongMemory:
        """A memory of its own that starts from this one."""
        return deepcopy(self)

    def _find_keys(self, step: int) -> list[int]:
        """Keys of the last 24, 12 and 6 words."""
        return [self._key & ((1 << CLASSES * n) - 1) | 1 << CLASSES * n if step >= n else -1 for n in LENGTHS]

    def look(self) -> tuple[list[int], list[float]]:
        """What is remembered at the step to come: a word of each reference, and the hints."""
        words, step = self._words, len(self._words)
        now = [words[step - lag] if step >= lag else NO_WORD for lag in BACK]
        places = [seen.get(key, -1) for seen, key in zip(self._behind, self._find_keys(step), strict=True)]
        now += [words[p] if p >= 0 else NO_WORD for p in places]
        here = self._here.get(self._key_here(step), -1)
        now.append(words[here] if here >= 0 else NO_WORD)
        if self._followed < 0 or self._trust < _LOST:  # another passage is followed where one as long as this can be found
            place = next((p for p in places if p >= 0), -1)
            if place >= 0 and place != self._followed:
                self._followed, self._length, self._trust = place, 0, 0.8
        now.append(words[self._followed] if self._followed >= 0 else NO_WORD)
        likely, often = (counts.look(key) for counts, key in zip(self._counts, self._count_keys(step), strict=True))
        now += [likely[0], often[0]]
        self._now = now
        age = min(1.0, step / (64 * STEPS))
        return now, [*self._agreement[:8], self._trust, *self._agreement[9:], min(1.0, self._length / 64), likely[1], often[1], age]

    def _key_here(self, step: int) -> int:
        return (self._key & ((1 << 2 * CLASSES) - 1)) * STEPS + step % STEPS if step >= 2 else -1 - step

    def _count_keys(self, step: int) -> tuple[int, int]:
        last = self._words[-1] if step else NO_WORD
        return last * STEPS + step % STEPS, step % STEPS

    def push(self, word: int) -> None:
        """Play a word, and go on to the next step."""
        step = len(self._words)
        agreement = self._agreement
        for k, known in enumerate(self._now):
            if known != NO_WORD:
                agreement[k] += _RATE * ((known == word) - agreement[k])
        if self._followed >= 0:
            right = self._words[self._followed] == word
            self._length = self._length + 1 if right else 0
            self._trust += 0.15 * (right - self._trust)
            self._followed += 1
        for seen, key in zip(self._behind, self._find_keys(step), strict=True):
            if key >= 0:
                seen[key] = step
        self._here[self._key_here(step)] = step
        for counts, key in zip(self._counts, self._count_keys(step), strict=True):
            counts.push(key, word)
        self._words.append(word)
        self._key = (self._key << CLASSES | word) & _ALL


def remember(words: Iterable[int]) -> Remembered:
    """Everything remembered along a whole song, and at the step behind its last word.

    Args:
        words: [steps] in 0-511.

    Returns:
        rows for steps + 1.
    """
    memory, rows, hints = SongMemory(), [], []
    for word in words:
        row, hint = memory.look()
        rows.append(row)
        hints.append(hint)
        memory.push(int(word))
    row, hint = memory.look()
    return Remembered(np.array([*rows, row], np.int16), np.array([*hints, hint], np.float32))
