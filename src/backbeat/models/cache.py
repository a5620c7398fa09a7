"""The cache mixture: n-grams of the corpus beside what this take has done so far. The floor that a network has to beat.

A linear mixture of the 5-gram, the 17-gram, context n-grams, three count models that have seen only this take so far (keyed
by the place in the bar; by place and previous word; by the last six words) and two copy models (the word 16 and 32 steps
back has probability 1). A part without evidence at a step hands on the 17-gram's probability, so that the mixture sums to one.
Weights come from EM on validation pieces (200 rounds) and are then fixed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from backbeat.errors import ModelError
from backbeat.models.ngram import NGram
from backbeat.models.protocol import Piece
from backbeat.models.stream import POSITION, Stream, add_symbols, count_before
from backbeat.units import Floats

EM_ROUNDS = 200
CONTEXTS: tuple[tuple[int, ...], ...] = (
    (4, 3, 2, 1, POSITION),
    (8, 7, 6, 5, 4, 3, 2, 1, POSITION),
    (4, 8, 16, 1, POSITION),
    (17, 15, 16, 2, 1, POSITION),
    (32, 17, 15, 16, 1, POSITION),
    (64, 32, 16, POSITION),
)
"""The context n-grams of the mixture."""

IN_TAKE: tuple[tuple[int, ...], ...] = ((POSITION,), (1, POSITION), (6, 5, 4, 3, 2, 1))
"""What the count models of the take are keyed by."""

COPIES = (16, 32)
"""Lags of the copy models, in steps."""


def count_in_take(stream: Stream, context: tuple[int, ...]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Relative frequency of each word after its context, counted over the take up to the step before.

    Returns:
        probabilities float64 [n] and evidence bool [n]: whether the context occurred before in the take.
    """
    *_, keys = stream.context_keys(context)
    keys = add_symbols(keys, stream.pieces)
    seen = count_before(keys)
    same = count_before(add_symbols(keys, stream.words))
    return same / np.maximum(seen, 1), seen > 0


def copy_in_take(stream: Stream, lag: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Probability 1 for the word ``lag`` steps back, 0 for any other; evidence bool [n]: whether there is one."""
    return (stream.column(lag) == stream.words).astype(np.float64), stream.places >= lag


def fit_weights(probabilities: Floats, rounds: int = EM_ROUNDS) -> Floats:
    """Weights of a linear mixture by expectation maximisation, from equal weights.

    Args:
        probabilities: float64 [n, parts].
        rounds: number of rounds.

    Returns:
        float64 [parts], summing to one.

    Raises:
        ModelError: there is no step to fit them on.
    """
    if not len(probabilities):
        raise ModelError("mixture weights need at least one step")
    weights = np.full(probabilities.shape[1], 1 / probabilities.shape[1])
    for _ in range(rounds):
        weights = weights * ((1 / (probabilities @ weights)) @ probabilities) / len(probabilities)
        weights /= weights.sum()
    return weights


class CacheMixture:
    """The mixture of corpus and take.

    Args:
        orders: orders of the plain n-grams; the last one is what parts without evidence hand on.
        contexts: the context n-grams.
    """

    name = "n-gram + in-take cache"

    def __init__(self, orders: tuple[int, ...] = (5, 17), contexts: tuple[tuple[int, ...], ...] = CONTEXTS) -> None:
        self._contexts = [NGram(context) for context in contexts]
        self._plain = [NGram.of_order(order) for order in orders]
        names = [m.name for m in (*self._contexts, *self._plain)]
        self.parts = (*names, *(f"take, by {NGram(c).name}" for c in IN_TAKE), *(f"copy {lag} steps back" for lag in COPIES))
        self.weights: Floats = np.full(len(self.parts), 1 / len(self.parts))

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Fit the n-grams; the weights stay as they are until ``tune``."""
        self.fit_stream(Stream.join(pieces))

    def fit_stream(self, stream: Stream) -> None:
        """Fit the n-grams on a stream."""
        for model in (*self._contexts, *self._plain):
            model.fit_stream(stream)

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Fit the weights on validation pieces."""
        self.weights = fit_weights(self.part_probabilities(Stream.join(pieces)))

    def part_probabilities(self, stream: Stream) -> Floats:
        """float64 [n, parts]: what each part gives to each word."""
        columns = [model.probabilities(stream) for model in (*self._contexts, *self._plain)]
        handed_on = columns[-1]
        own = [count_in_take(stream, context) for context in IN_TAKE] + [copy_in_take(stream, lag) for lag in COPIES]
        columns += [np.where(evidence, probability, handed_on) for probability, evidence in own]
        return np.stack(columns, axis=1)

    def probabilities(self, stream: Stream) -> Floats:
        """float64 [n]: the probability of each word."""
        return np.asarray(self.part_probabilities(stream) @ self.weights, dtype=np.float64)

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word given those before it in the piece."""
        return np.log2(self.probabilities(Stream.join([piece])))
