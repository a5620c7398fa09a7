"""Checks that the metrics share: what an array must be before a figure is made of it.

All of them raise ValueError, whatever is wrong: a figure of the wrong array is worse than none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, VOCABULARY

Array = npt.NDArray[Any]


def check_bars(first_steps: Array, steps: int | None = None, least: int = 0) -> None:
    """Check the bars of a piece.

    Args:
        first_steps: integers [bars + 1], where each bar starts and the last one ends.
        steps: of the piece; none = not known here.
        least: bars that there must be.

    Raises:
        ValueError: they are no integers that ascend from 0 to the number of steps.
    """
    if first_steps.ndim != 1 or first_steps.dtype.kind not in "iu" or len(first_steps) < least + 1:
        raise ValueError(f"first_steps must be integers [bars + 1], not {first_steps.dtype} {first_steps.shape}")
    if first_steps[0] != 0 or (steps is not None and first_steps[-1] != steps) or np.any(np.diff(first_steps.astype(np.int64)) <= 0):
        raise ValueError("first_steps must ascend from 0 to the number of steps")


def check_hits(hits: Array) -> None:
    """Check that hits are bool [steps, 9].

    Raises:
        ValueError: they are not.
    """
    if hits.ndim != 2 or hits.shape[1] != CLASSES or hits.dtype != np.bool_:
        raise ValueError(f"hits must be bool [steps, {CLASSES}], not {hits.dtype} {hits.shape}")


def check_flags(flags: Array, name: str) -> None:
    """Check that flags are bool [n].

    Raises:
        ValueError: they are not.
    """
    if flags.ndim != 1 or flags.dtype != np.bool_:
        raise ValueError(f"{name} must be bool [n], not {flags.dtype} {flags.shape}")


def check_words(words: Array, dimensions: int = 1) -> None:
    """Check that words are integers below 512, of one piece or of windows.

    Args:
        words: integers [steps], or [n, steps].
        dimensions: 1 or 2.

    Raises:
        ValueError: they are not.
    """
    if words.ndim != dimensions or words.dtype.kind not in "iu":
        raise ValueError(f"words must be integers [{'steps' if dimensions == 1 else 'n, steps'}], not {words.dtype} {words.shape}")
    if words.size and (words.min() < 0 or words.max() >= VOCABULARY):
        raise ValueError(f"words lie in 0-{VOCABULARY - 1}")


def check_numbers(values: Array, name: str, dimensions: int = 1) -> None:
    """Check that values are finite real numbers.

    Args:
        values: of any size.
        name: for the message.
        dimensions: of the array.

    Raises:
        ValueError: they are not.
    """
    if values.ndim != dimensions or values.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be numbers of {dimensions} dimension{'s' * (dimensions > 1)}, not {values.dtype} {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite")
