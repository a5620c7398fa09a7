"""What Drums RNN with a memory is told at each step: the same code prepares takes to learn from, to score and to play."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.drum_memory import NO_WORD, Memories, TakeMemory

__all__ = ["LENGTHS", "NO_WORD", "PHRASE", "PLACES", "StepInputs", "list_places", "tell_take"]

PLACES, LENGTHS, PHRASE = 64, 64, 8
"""Places in a bar, lengths of a bar and bars of a phrase that are told apart."""

Arrays = dict[str, npt.NDArray[Any]]


def list_places(bar_steps: Sequence[int] | npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """int64 [steps, 3]: place in the bar, length of the bar in steps, bar of the phrase of eight.

    Args:
        bar_steps: steps of each bar.
    """
    lengths = np.asarray(bar_steps, np.int64)
    bar = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(bar)) - (np.cumsum(lengths) - lengths)[bar]
    return np.stack([np.minimum(place, PLACES - 1), np.minimum(lengths[bar], LENGTHS - 1), bar % PHRASE], axis=1)


def tell_take(words: npt.NDArray[np.integer[Any]], place: npt.NDArray[np.int64], memories: Memories) -> Arrays:
    """The network's inputs along a whole take, each [1, steps, ...].

    Args:
        words: integers [steps].
        place: int64 [steps, 3], of ``list_places``.
        memories: of ``drum_memory.remember``.
    """
    before = np.concatenate([[NO_WORD], np.asarray(words, np.int64)[:-1]]) if len(words) else np.zeros(0, np.int64)
    return {"before": before[None], "place": place[None], **_tell_memories(memories, 1)}


def _tell_memories(memories: Memories, batch: int) -> Arrays:
    """Memories of batch x n steps as the network takes them, [batch, n, ...]."""
    shape = batch, -1
    scale = np.float32(1 / 255)
    return {
        "words": memories.words.astype(np.int64).reshape(*shape, memories.words.shape[1]),
        "shares": (memories.shares * scale).reshape(*shape, memories.shares.shape[1]),
        "hints": (memories.hints * scale).reshape(*shape, memories.hints.shape[1]),
    }


class StepInputs:
    """The network's inputs of one take, step by step.

    Args:
        bar_steps: steps of each bar.
    """

    def __init__(self, bar_steps: Sequence[int] | npt.NDArray[np.integer[Any]]) -> None:
        self._place = list_places(bar_steps)
        self._memory = TakeMemory(bar_steps)
        self._before, self._step = NO_WORD, 0

    def fork(self) -> StepInputs:
        """Inputs of their own that start from these."""
        twin = StepInputs.__new__(StepInputs)
        twin.__dict__ |= self.__dict__ | {"_memory": self._memory.fork()}
        return twin

    def look(self) -> Arrays:
        """The inputs of the step to come, each [1, 1, ...]."""
        place = self._place[self._step][None, None]
        return {"before": np.array([[self._before]], np.int64), "place": place, **_tell_memories(self._memory.look(), 1)}

    def push(self, word: int) -> None:
        """Play a word, and go on to the next step."""
        self._memory.push(word)
        self._before, self._step = word, self._step + 1
