"""What a take has played at places like this one, for networks that hear no band: nearest neighbours within the take.

At every step the same place in each of the last 64 bars is a candidate for what comes now. Candidates are weighed in three
ways (``KERNELS``): by how few hits differed in the last 6 steps, in the last 24 steps, and by nothing but how recent they are.
Each gives a distribution over words; its four likeliest words are kept with their shares, and the mean of its hits.
The idea is that of cache and nearest-neighbour language models (Grave, Joulin and Usunier 2017; Khandelwal et al. 2020).

Conventions: words are the 9-bit sets of ``drums_rnn_9``, one a step; ``NO_WORD`` where there is none; shares are bytes, 255 = all.
Only steps before the one at hand are looked at. ``TakeMemory`` gives step by step the same numbers that ``remember`` gives at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, VOCABULARY, WORD_BITS
from backbeat.units import Floats, Ints

NO_WORD = VOCABULARY
BARS = 64
"""So many bars back a candidate may lie."""
NEAR, FAR = 6, 24
"""Steps over which a candidate's past is compared with the present."""
TOP = 4
"""Words that are kept of each distribution."""


class Kernel(NamedTuple):
    """How candidates are weighed: exp(-near x differing hits in NEAR steps - far x those in FAR steps - age x bars back)."""

    near: float
    far: float
    age: float


KERNELS = (Kernel(1.2, 0.0, 0.03), Kernel(0.15, 0.4, 0.01), Kernel(0.0, 0.0, 0.1))
COLUMNS = len(KERNELS) * CLASSES + 3
"""Columns of ``Memories.hints``."""

_BITS = WORD_BITS.astype(np.float64)
_SIZES = _BITS.sum(axis=1).astype(np.int64)
_NEAR, _FAR, _AGE = np.array(KERNELS).T[:, :, None, None]
_BARS_BACK = np.arange(1, BARS + 1)
_BLOCK = 512


@dataclass(frozen=True, eq=False)
class Memories:
    """What is remembered at every step of a take.

    Args:
        words: uint16 [steps, 12], the four likeliest words of each kernel, NO_WORD where there are fewer.
        shares: uint8 [steps, 12], how likely each is.
        hints: uint8 [steps, COLUMNS]: mean hits of each kernel; how many candidates there are; how much the nearest differs, near and far.
    """

    words: npt.NDArray[np.uint16]
    shares: npt.NDArray[np.uint8]
    hints: npt.NDArray[np.uint8]


class _Candidates(NamedTuple):
    """Candidates of n steps: valid bool, words, and differing hits near and far, all [n, BARS]."""

    valid: npt.NDArray[np.bool_]
    words: Ints
    near: Ints
    far: Ints


def remember(words: npt.NDArray[np.integer[Any]], bar_steps: npt.NDArray[np.integer[Any]]) -> Memories:
    """Everything remembered along a whole take.

    Args:
        words: integers [steps].
        bar_steps: integers [bars], steps of each bar; together at least as long as the words.
    """
    heard = np.asarray(words, np.int64)
    lengths, places = (a[: len(heard)] for a in _list_places(np.asarray(bar_steps, np.int64)))
    found = _weigh_all(_find_candidates(heard, lengths, places)) if len(heard) else [np.zeros((0, n)) for n in (12, 12, COLUMNS)]
    return Memories(found[0].astype(np.uint16), found[1].astype(np.uint8), found[2].astype(np.uint8))


def _list_places(bar_steps: Ints) -> tuple[Ints, Ints]:
    """int64 [steps] each: the length of the bar a step is in, and its place there."""
    lengths = np.repeat(bar_steps, bar_steps)
    return lengths, np.arange(len(lengths)) - np.repeat(np.cumsum(bar_steps) - bar_steps, bar_steps)


def _make_candidates(steps: int) -> _Candidates:
    """No candidates at so many steps."""
    shape = steps, BARS
    return _Candidates(np.zeros(shape, np.bool_), np.full(shape, NO_WORD, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64))


def _find_candidates(words: Ints, lengths: Ints, places: Ints) -> _Candidates:
    steps = len(words)
    out = _make_candidates(steps)
    for length in np.unique(lengths).tolist():
        for back in range(1, min(BARS, (steps - 1) // length) + 1):
            lag = back * length
            valid = np.zeros(steps, np.bool_)
            valid[lag:] = (lengths[lag:] == length) & (lengths[:-lag] == length) & (places[lag:] == places[:-lag])
            at = np.flatnonzero(valid)
            if not len(at):
                continue
            before = np.concatenate([np.zeros(lag, np.int64), words[:-lag]])
            total = np.concatenate([[0], np.cumsum(_SIZES[words ^ before])])
            out.valid[at, back - 1] = True
            out.words[at, back - 1] = words[at - lag]
            out.near[at, back - 1] = total[at] - total[np.maximum(at - NEAR, 0)]
            out.far[at, back - 1] = total[at] - total[np.maximum(at - FAR, 0)]
    return out


def _weigh_all(candidates: _Candidates) -> list[Floats]:
    """``_weigh`` in blocks, so that memory stays small."""
    valid, words, near, far = candidates
    spans = [slice(k, k + _BLOCK) for k in range(0, len(valid), _BLOCK)]
    blocks = [_weigh(_Candidates(valid[s], words[s], near[s], far[s])) for s in spans]
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def _weigh(candidates: _Candidates) -> tuple[Floats, Floats, Floats]:
    """Words, shares and hints of n steps, see ``Memories``."""
    valid, words, near, far = candidates
    n, kernels = len(valid), len(KERNELS)
    any_valid = valid.any(axis=1)
    score = np.where(valid, -_NEAR * near - _FAR * far - _AGE * _BARS_BACK, -np.inf)
    best = np.where(any_valid, score.max(axis=2), 0.0)
    weight = np.exp(score - best[:, :, None])
    weight /= np.maximum(weight.sum(axis=2, keepdims=True), 1e-300)
    row = np.arange(kernels * n)[:, None]
    cells = row.reshape(kernels, n, 1) * (VOCABULARY + 1) + words
    share = np.bincount(cells.ravel(), weight.ravel(), kernels * n * (VOCABULARY + 1)).reshape(kernels * n, -1)[:, :VOCABULARY]
    share = np.floor(share * 255 + 0.5)
    chosen = np.argpartition(-share, TOP, axis=1)[:, :TOP]
    chosen = chosen[row, np.argsort(chosen - share[row, chosen] * VOCABULARY, axis=1)]
    amount = share[row, chosen]
    means = np.floor((share @ _BITS) / np.maximum(share.sum(axis=1, keepdims=True), 1) * 255 + 0.5)
    least = [np.where(any_valid, np.where(valid, d, 1 << 20).min(axis=1), 31) for d in (near, far)]
    rest = np.stack([valid.sum(axis=1) * 3, np.minimum(least[0], 31) * 8, np.minimum(least[1], 63) * 4], axis=1)
    named, amount, means = (a.reshape(kernels, n, -1).transpose(1, 0, 2).reshape(n, -1) for a in (np.where(amount > 0, chosen, NO_WORD), amount, means))
    return named, amount, np.concatenate([means, rest], axis=1)


class TakeMemory:
    """The memory of one take, filled word by word.

    Args:
        bar_steps: steps of each bar of the take.
    """

    def __init__(self, bar_steps: Sequence[int] | npt.NDArray[np.integer[Any]]) -> None:
        self._lengths, self._places = _list_places(np.asarray(bar_steps, np.int64))
        self._words = np.zeros(FAR + len(self._lengths), np.int64)
        self._step = 0
        self._reach = np.arange(-FAR, 0)

    def fork(self) -> TakeMemory:
        """A memory of its own that starts from this one."""
        twin = TakeMemory.__new__(TakeMemory)
        twin.__dict__ |= self.__dict__ | {"_words": self._words.copy()}
        return twin

    def look(self) -> Memories:
        """What is remembered at the step about to be played; arrays of one row."""
        step = self._step
        length = int(self._lengths[step])
        back = _BARS_BACK[: min(BARS, step // length)]
        at = step - back * length
        good = (self._lengths[at] == length) & (self._places[at] == self._places[step])
        row = _make_candidates(1)
        chosen, at = back[good] - 1, at[good]
        if len(at):
            past = self._words[FAR + at[:, None] + self._reach]
            differing = _SIZES[past ^ self._words[step : step + FAR]]
            row.valid[0, chosen], row.words[0, chosen] = True, self._words[FAR + at]
            row.far[0, chosen], row.near[0, chosen] = differing.sum(axis=1), differing[:, -NEAR:].sum(axis=1)
        words, shares, hints = _weigh(row)
        return Memories(words.astype(np.uint16), shares.astype(np.uint8), hints.astype(np.uint8))

    def push(self, word: int) -> None:
        """Play a word, and go on to the next step."""
        self._words[FAR + self._step] = word
        self._step += 1
