"""Choosing from a distribution: temperature, top-k, top-p. Pure numpy; every function takes a generator."""

from __future__ import annotations

from typing import Protocol, Self, TypeVar

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
    if top_p >= 1 and not top_k:  # the hot path: no sums are needed
        cumulative = np.exp((logits.astype(np.float64) - logits.max()) / temperature).cumsum()
        return min(int(cumulative.searchsorted(rng.random() * cumulative[-1], side="right")), len(logits) - 1)
    cumulative = np.cumsum(keep_top(normalise(logits, temperature), top_p, top_k))
    return min(int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")), len(logits) - 1)


class Branch(Protocol):
    """What is being played, step by step, and can be branched."""

    def distribution(self) -> npt.NDArray[np.float64]:
        """float64 [n]: the probability of each outcome of the step to come."""

    def push(self, word: int) -> None:
        """Take an outcome, and go on to the next step."""

    def fork(self) -> Self:
        """One of its own that starts from this one."""


_B = TypeVar("_B", bound=Branch)


def temper(probabilities: npt.NDArray[np.float64], temperature: float) -> npt.NDArray[np.float64]:
    """Probabilities [n] at a temperature: above 1 more alike, below 1 less, at 0 the first of the most likely is certain.

    Raises:
        ValueError: the temperature is negative.
    """
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    if temperature == 0:
        return np.asarray(np.arange(len(probabilities)) == np.argmax(probabilities), np.float64)
    if temperature == 1:
        return probabilities
    scaled = (probabilities / probabilities.max()) ** (1 / temperature)
    return np.asarray(scaled / scaled.sum())


def draw_steps(take: Branch, steps: int, rng: np.random.Generator, *, temperature: float = 1.0, top_p: float = 1.0) -> tuple[list[int], float]:
    """Play on step by step.

    Args:
        take: is pushed along.
        steps: how many.
        rng: the same seed draws the same.
        temperature, top_p: see ``temper`` and ``keep_top``.

    Returns:
        the outcomes, and the natural logarithm of their probability as they were drawn.
    """
    outcomes, log_p = [], 0.0
    for _ in range(steps):
        chances = keep_top(temper(take.distribution(), temperature), top_p)
        cumulative = np.cumsum(chances)
        chosen = min(int(cumulative.searchsorted(rng.random() * cumulative[-1], side="right")), len(chances) - 1)
        log_p += float(np.log(max(chances[chosen] / cumulative[-1], 1e-300)))
        outcomes.append(chosen)
        take.push(chosen)
    return outcomes, log_p


def search_beams(
    take: _B,
    steps: int,
    rng: np.random.Generator,
    *,
    beam_size: int = 1,
    branch_factor: int = 1,
    steps_per_iteration: int = 1,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> tuple[list[int], float]:
    """Play on by the stochastic beam search of magenta's sequence models.

    Each sequence of the beam is branched, each branch drawn on for some steps, and the likeliest stay. The first iteration is the one
    that takes fewer steps where they do not divide evenly.

    Args:
        take: where to begin; it stays as it is.
        steps: how many steps in all.
        rng: the same seed draws the same.
        beam_size: sequences that stay.  branch_factor: branches of each.  steps_per_iteration: drawn between two choices.
        temperature, top_p: see ``draw_steps``.

    Returns:
        the likeliest outcomes found, and the natural logarithm of their probability.

    Raises:
        ValueError: a number is below 1.
    """
    if min(beam_size, branch_factor, steps_per_iteration, steps) < 1:
        raise ValueError("steps, beam size, branch factor and steps per iteration must be at least 1")
    beam: list[tuple[float, list[int], _B]] = [(0.0, [], take)] * beam_size
    left, length = steps, (steps - 1) % steps_per_iteration + 1
    while left:
        grown = []
        for log_p, outcomes, branch in beam:
            for _ in range(branch_factor):
                twin = branch.fork()
                more, gained = draw_steps(twin, length, rng, temperature=temperature, top_p=top_p)
                grown.append((log_p + gained, outcomes + more, twin))
        left, length = left - length, steps_per_iteration
        beam = sorted(grown, key=lambda entry: -entry[0])[:beam_size]
    return beam[0][1], beam[0][0]
