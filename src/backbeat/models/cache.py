"""The cache mixture: n-grams of the corpus beside what this take has done so far. The floor that a network has to beat.

A linear mixture of the 5-gram, the 17-gram, context n-grams, three count models that have seen only this take so far (keyed
by the place in the bar; by place and previous word; by the last six words) and two copy models (the word 16 and 32 steps
back has probability 1). A part without evidence at a step hands on the 17-gram's probability, so that the mixture sums to one.
Weights come from EM on validation pieces (200 rounds) and are then fixed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import VOCABULARY, Hits
from backbeat.errors import ModelError
from backbeat.grid import Grid
from backbeat.models.improvising import improvise
from backbeat.models.ngram import NGram, NGramTake
from backbeat.models.protocol import Arrays, Piece
from backbeat.models.stream import POSITION, History, Stream, add_symbols, count_before
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
        in_take: what the count models of the take are keyed by, each with lags.
        copies: lags of the copy models, in steps.

    Attributes:
        parts: names of the parts.  weights: float64 [parts], summing to one.
    """

    name = "n-gram + in-take cache"

    def __init__(
        self,
        orders: tuple[int, ...] = (5, 17),
        contexts: tuple[tuple[int, ...], ...] = CONTEXTS,
        in_take: tuple[tuple[int, ...], ...] = IN_TAKE,
        copies: tuple[int, ...] = COPIES,
    ) -> None:
        self._arrange([*(NGram(context) for context in contexts), *(NGram.of_order(order) for order in orders)], in_take, copies)
        self.weights: Floats = np.full(len(self.parts), 1 / len(self.parts))

    def _arrange(self, models: Sequence[NGram], in_take: tuple[tuple[int, ...], ...], copies: tuple[int, ...]) -> None:
        self._models, self._in_take, self._copies = models, in_take, copies
        names = [m.name for m in models]
        self.parts = (*names, *(f"take, by {NGram(c).name}" for c in in_take), *(f"copy {lag} steps back" for lag in copies))

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Fit the n-grams; the weights stay as they are until ``tune``."""
        self.fit_stream(Stream.join(pieces))

    def fit_stream(self, stream: Stream) -> None:
        """Fit the n-grams on a stream."""
        for model in self._models:
            model.fit_stream(stream)

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Fit the weights on validation pieces."""
        self.weights = fit_weights(self.part_probabilities(Stream.join(pieces)))

    def part_probabilities(self, stream: Stream) -> Floats:
        """float64 [n, parts]: what each part gives to each word."""
        columns = [model.probabilities(stream) for model in self._models]
        handed_on = columns[-1]
        own = [count_in_take(stream, context) for context in self._in_take] + [copy_in_take(stream, lag) for lag in self._copies]
        columns += [np.where(evidence, probability, handed_on) for probability, evidence in own]
        return np.stack(columns, axis=1)

    def probabilities(self, stream: Stream) -> Floats:
        """float64 [n]: the probability of each word."""
        return np.asarray(self.part_probabilities(stream) @ self.weights, dtype=np.float64)

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word given those before it in the piece."""
        return np.log2(self.probabilities(Stream.join([piece])))

    def begin(self, grid: Grid) -> CacheTake:
        """A take with nothing played yet.

        Raises:
            ModelError: the model is not fitted.
        """
        history = History(grid)
        return CacheTake([model.follow(history) for model in self._models], self._in_take, self._copies, self.weights, history)

    def play(self, piece: Piece, rng: np.random.Generator, **how: float) -> Hits:
        """Bool [steps, 9]: drawn step by step, see ``improvise``."""
        return improvise(self, piece, rng, **how)

    def pack(self) -> tuple[dict[str, Any], Arrays]:
        """What is kept of the model.

        Raises:
            ModelError: it is not fitted.
        """
        packed = [model.pack() for model in self._models]
        arrays = {f"{k}.{name}": array for k, (_, own) in enumerate(packed) for name, array in own.items()}
        settings = {"models": [own for own, _ in packed], "in_take": [list(c) for c in self._in_take], "copies": list(self._copies)}
        return settings, arrays | {"weights": self.weights}

    def unpack(self, settings: dict[str, Any], arrays: Arrays) -> None:
        """Become the model that was packed."""
        models = []
        for k, own in enumerate(settings["models"]):
            models.append(NGram(()))
            models[-1].unpack(own, {name.removeprefix(f"{k}."): array for name, array in arrays.items() if name.startswith(f"{k}.")})
        self._arrange(models, tuple(tuple(c) for c in settings["in_take"]), tuple(settings["copies"]))
        weights = np.asarray(arrays["weights"], dtype=np.float64)
        if weights.shape != (len(self.parts),) or not np.isclose(weights.sum(), 1):
            raise ValueError(f"the mixture needs {len(self.parts)} weights that sum to one")
        self.weights = weights


class CacheTake:
    """A take that the mixture plays.

    Args:
        takes: those of its n-grams; the last one's distribution is what parts without evidence hand on.
        in_take, copies: see ``CacheMixture``.
        weights: float64 [parts].
        history: what was played so far; that of the n-grams, too.
    """

    def __init__(self, takes: list[NGramTake], in_take: tuple[tuple[int, ...], ...], copies: tuple[int, ...], weights: Floats, history: History) -> None:
        self._takes, self._in_take, self._copies = takes, in_take, copies
        self._weights: list[float] = weights.tolist()
        self._counts: list[dict[tuple[int, ...], dict[int, int]]] = [defaultdict(dict) for _ in in_take]
        self._history = history

    def _contexts(self) -> list[tuple[int, ...]]:
        return [tuple(map(self._history.symbol, context)) for context in self._in_take]

    def distribution(self) -> Floats:
        """float64 [512]: the probability of each word at the step to come."""
        mixed, own = np.zeros(VOCABULARY), np.zeros(VOCABULARY)
        weights = iter(self._weights)
        for take, weight in zip(self._takes, weights, strict=False):
            own = take.distribution()
            mixed += weight * own
        handed_on = 0.0
        for counts, context in zip(self._counts, self._contexts(), strict=True):
            weight, seen = next(weights), counts.get(context)
            if not seen:
                handed_on += weight
                continue
            share = weight / sum(seen.values())
            for word, count in seen.items():
                mixed[word] += share * count
        for lag in self._copies:
            weight = next(weights)
            if lag <= len(self._history.words):
                mixed[self._history.words[-lag]] += weight
            else:
                handed_on += weight
        return mixed + handed_on * own

    def push(self, word: int) -> None:
        """Play a word."""
        for counts, context in zip(self._counts, self._contexts(), strict=True):
            seen = counts[context]
            seen[word] = seen.get(word, 0) + 1
        self._history.push(word)
