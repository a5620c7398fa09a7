"""Choosing from a distribution: temperature, top-k, top-p. Pure numpy; every function takes a generator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float32]


def normalise(logits: Logits, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """Probabilities of logits [..., n] at a temperature > 0."""
    scaled = np.asarray(logits, np.float64) / temperature
    weights = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def keep_top(probabilities: npt.NDArray[np.float64], top_p: float = 1.0, top_k: int = 0) -> npt.NDArray[np.float64]:
    """Keep the most likely outcomes [n] that together reach ``top_p``, at most ``top_k`` of them (0 = all); renormalised."""
    if top_p >= 1 and not top_k:
        return probabilities
    order = np.argsort(-probabilities, kind="stable")
    before = np.cumsum(probabilities[order]) - probabilities[order]
    kept = order[before < top_p] if top_p < 1 else order
    out = np.zeros_like(probabilities)
    kept = kept[: top_k or None]
    out[kept] = probabilities[kept]
    return np.asarray(out / out.sum())


def draw(logits: Logits, rng: np.random.Generator, *, temperature: float = 1.0, top_p: float = 1.0, top_k: int = 0) -> int:
    """Draw an index from logits [n]; temperature 0 takes the most likely.

    Raises:
        ValueError: the temperature is negative or top_p is not in (0, 1].
    """
    if temperature < 0 or not 0 < top_p <= 1:
        raise ValueError("temperature must not be negative, and top_p lies in (0, 1]")
    if temperature == 0:
        return int(np.argmax(logits))
    cumulative = np.cumsum(keep_top(normalise(logits, temperature), top_p, top_k))
    return min(int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")), len(logits) - 1)
