"""Whom a player is like, of those that a model knows: chosen only where it is clear."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from backbeat.units import Floats

LEANING, SURE, BLOCK = 0.01, 3.0, 32
"""Bits, and standard errors over blocks of strokes or steps, by which one must be likelier than none to be chosen."""


def choose_among(bits: Mapping[str, Floats]) -> str:
    """The name that makes takes likeliest; the first one, which tells nothing, unless another is clearly likelier.

    Args:
        bits: name -> float64 [n], log2 likelihood of strokes or steps that follow each other.
    """
    names = list(bits)
    best = max(names, key=lambda n: float(bits[n].mean()))
    return best if best != names[0] and _is_likelier(bits[best] - bits[names[0]]) else names[0]


def _is_likelier(gains: Floats) -> bool:
    """Whether gains in bits [n] are clearly above 0."""
    blocks = np.array([gains[i : i + BLOCK].mean() for i in range(0, len(gains), BLOCK)])
    if len(blocks) < 3:
        return False
    return float(gains.mean()) > LEANING + SURE * float(blocks.std(ddof=1)) / math.sqrt(len(blocks))
