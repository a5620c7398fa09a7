"""How far generated drums are from the training data: the guard against a plagiarist and against noise.

Conventions: a window is uint16 [steps] words (2 bars of 16ths = 32); distances are Hamming distances over its 9 x steps hits.
With ``rotations`` the training window may be turned to start at any of its steps (a loop entered elsewhere is the same loop).
With ``tempi`` it may be played at half and at double tempo, too (the same loop written in 8ths or in 32nds). Both multiply the
work, so this is for small sets; a corpus wants an index.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Words, words_to_hits
from backbeat.metrics.checks import check_words
from backbeat.units import Ints

_CHUNK = 8192


def validate(windows: Words, training: Words) -> None:
    """Check that windows can be compared.

    Raises:
        ValueError: they are not two non-empty arrays of words in windows of one length.
    """
    if windows.ndim != 2 or training.ndim != 2 or windows.shape[1] != training.shape[1] or not windows.size or not training.size:
        raise ValueError(f"windows and training must be [n, steps] of one length, not {windows.shape} and {training.shape}")
    check_words(windows, 2)
    check_words(training, 2)


def halve_tempo(windows: Words) -> Words:
    """uint16 [2 n, steps]: each half of each window twice as slow, its words on every other step, rests between.

    Raises:
        ValueError: the windows are not words [n, steps].
    """
    check_words(windows, 2)
    half = windows.shape[1] // 2
    slow = np.zeros((2 * len(windows), windows.shape[1]), dtype=np.uint16)
    slow[:, : 2 * half : 2] = np.concatenate([windows[:, :half], windows[:, half : 2 * half]])
    return slow


def double_tempo(windows: Words) -> Words:
    """uint16 [n, steps]: each window twice as fast, played twice; two neighbouring words fall into one step.

    Raises:
        ValueError: the windows are not words [n, steps].
    """
    check_words(windows, 2)
    half = windows.shape[1] // 2
    fast = windows[:, : 2 * half : 2] | windows[:, 1 : 2 * half : 2]
    return np.asarray(np.concatenate([fast, fast, windows[:, 2 * half :]], axis=1), dtype=np.uint16)


def find_nearest(windows: Words, training: Words, *, rotations: bool = False, tempi: bool = False) -> Ints:
    """int64 [n]: the distance of each window to its nearest training window.

    Args:
        windows: uint16 [n, steps].
        training: uint16 [m, steps].
        rotations: turn the training windows, too; takes ``steps`` times as long.
        tempi: play them at half and double tempo, too; takes up to four times as long.

    Raises:
        ValueError: the windows do not fit, or have an odd number of steps where tempi are asked for.
    """
    validate(windows, training)
    if tempi and training.shape[1] % 2:
        raise ValueError(f"windows of {training.shape[1]} steps cannot be played at half or double tempo")
    queries = _flatten(windows)
    ones = queries.sum(axis=1)
    nearest = np.full(len(windows), np.inf, dtype=np.float32)
    heard = [training, halve_tempo(training), double_tempo(training)] if tempi else [training]
    unique = np.unique(np.concatenate(heard), axis=0)
    for turn in range(training.shape[1] if rotations else 1):
        turned = np.roll(unique, turn, axis=1)
        for first in range(0, len(turned), _CHUNK):
            chunk = _flatten(turned[first : first + _CHUNK])
            # |a - b| = |a| + |b| - 2 a.b for 0/1 vectors: one matrix product a chunk.
            distances = ones[:, None] + chunk.sum(axis=1) - 2 * (queries @ chunk.T)
            nearest = np.minimum(nearest, distances.min(axis=1))
    return np.asarray(np.rint(nearest), dtype=np.int64)


def _flatten(windows: Words) -> npt.NDArray[np.float32]:
    return words_to_hits(windows).reshape(len(windows), -1).astype(np.float32)


def find_longest_run(words: Words, training: Sequence[Words]) -> int:
    """Length in steps of the longest passage of ``words`` that stands word for word in a training piece, rests included.

    Raises:
        ValueError: any of it is not words [steps].
    """
    for piece in (words, *training):
        check_words(piece)
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        passages = _list_passages(words, middle)
        if any(passages & _list_passages(piece, middle) for piece in training):
            low = middle
        else:
            high = middle - 1
    return low


def _list_passages(words: Words, length: int) -> set[bytes]:
    data = np.ascontiguousarray(words, dtype=np.uint16).tobytes()
    return {data[i : i + 2 * length] for i in range(0, len(data) - 2 * length + 1, 2)}


def evaluate(windows: Words, training: Words, *, rotations: bool = False, tempi: bool = False) -> dict[str, float]:
    """Median distance to the nearest training window, and the share of exact copies."""
    nearest = find_nearest(windows, training, rotations=rotations, tempi=tempi)
    return {"median_distance": float(np.median(nearest)), "exact_copies": float((nearest == 0).mean())}
