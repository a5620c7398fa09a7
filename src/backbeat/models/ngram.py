"""Interpolated modified Kneser-Ney over any context, vectorised.

Source: Chen and Goodman 1998. Continuation counts below the top order, three discounts per order from the counts of counts,
the uniform distribution over the closed vocabulary of 512 words at the bottom, start padding per piece. A plain n-gram is
the context (n-1, ..., 2, 1); a *context n-gram* has any lags (see ``stream``), such as (32, 16, 1, POSITION).

Training sorts the different tuples of each order once, by 64-bit keys; scoring looks them up. Twelve million words are the
intended size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import VOCABULARY, Hits
from backbeat.errors import ModelError
from backbeat.grid import Grid
from backbeat.models.improvising import improvise
from backbeat.models.protocol import Arrays, Piece
from backbeat.models.stream import History, Keys, Stream, add_words, find_contexts, list_keys
from backbeat.units import Floats

Singles = npt.NDArray[np.float32]
LEAST_DISCOUNT = 1e-6
"""Lowest discount of any count: too little to change a figure, enough for a finite log-probability."""
_WORD = np.uint64(VOCABULARY - 1)


@dataclass(frozen=True, eq=False)
class _Order:
    """The estimates of one order, filed under sorted keys.

    Args:
        keys: uint64 [types] of context and word.  shares: float32 [types], discounted count over the context's total.
        contexts: uint64 [contexts].  left: float32 [contexts], the probability left for the order below.
    """

    keys: Keys
    shares: Singles
    contexts: Keys
    left: Singles

    @classmethod
    def of_types(cls, keys: Keys, shares: Singles, left: Singles) -> _Order:
        """An order from its types alone; the contexts are theirs.

        Raises:
            ValueError: the arrays do not fit one another.
        """
        if keys.dtype != np.uint64 or shares.dtype != np.float32 or left.dtype != np.float32 or not len(keys) or len(keys) != len(shares):
            raise ValueError("an order needs uint64 keys and as many float32 shares")
        if np.any(keys[1:] <= keys[:-1]):
            raise ValueError("the keys of an order must ascend")
        owners = find_contexts(keys)
        contexts = owners[_find_changes(owners)]
        if len(contexts) != len(left):
            raise ValueError("an order needs what each of its contexts leaves")
        return cls(keys, shares, contexts, left)

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """int64 [contexts + 1]: where the types of each context start, and where the last ends."""
        return np.append(np.searchsorted(self.keys, self.contexts), len(self.keys)).astype(np.int64)

    def spread(self, context: int, probabilities: Floats) -> bool:
        """Refine the order below's distribution [512] in place; False, and nothing done, where the context is not known."""
        at = int(self.contexts.searchsorted(np.uint64(context)))
        if at == len(self.contexts) or int(self.contexts[at]) != context:
            return False
        types = slice(self.starts[at], self.starts[at + 1])
        probabilities *= self.left[at]
        probabilities[self.keys[types] & _WORD] += self.shares[types]
        return True

    def interpolate(self, contexts: Keys, words: npt.NDArray[np.uint16], below: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Probability of each step's word, given that of the order below, and bool [n]: whether its context is known.

        A context that is not known hands on the probability below.
        """
        keys = add_words(contexts, words)
        # Looking up in ascending order walks through the tables once instead of jumping about in them.
        order = np.argsort(keys)
        ordered = keys[order]
        left, known = _look_up(self.contexts, self.left, find_contexts(ordered), missing=1.0)
        shares, _ = _look_up(self.keys, self.shares, ordered, missing=0.0)
        probability, found = np.empty(len(keys)), np.empty(len(keys), dtype=np.bool_)
        probability[order] = shares + left * below[order]
        found[order] = known
        return probability, found


def _look_up(keys: Keys, values: Singles, wanted: Keys, missing: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    known = keys[at] == wanted
    return np.where(known, values[at], missing).astype(np.float64), known


def estimate_discounts(counts: npt.NDArray[np.int64]) -> Floats:
    """Discounts float64 [4] for counts 0, 1, 2 and 3 or more (Chen and Goodman, equation 26).

    Where the counts of counts do not allow them (a tiny corpus), absolute discounting with 1/2 stands in.

    Args:
        counts: int64 [types], each >= 1.
    """
    n1, n2, n3, n4 = (int((counts == c).sum()) for c in (1, 2, 3, 4))
    if not (n1 and n2 and n3):
        return np.array([0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    # Never nothing: a context in which no count is discounted would leave a new word without a chance.
    return np.clip([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3], [0, *[LEAST_DISCOUNT] * 3], [0, 1, 2, 3])


def _estimate(contexts: Keys, words: npt.NDArray[np.uint16]) -> tuple[_Order, npt.NDArray[np.int64]]:
    """Estimate one order from the things it counts.

    Args:
        contexts: uint64 [n], keys of the contexts; words: uint16 [n].

    Returns:
        the order, and int64 [types]: where one of each different (context, word) stands.
    """
    keys = add_words(contexts, words)
    order = np.argsort(keys)
    ordered = keys[order]
    starts = _find_changes(ordered)
    types, counts = ordered[starts], np.diff(starts, append=len(keys))
    discounts = estimate_discounts(counts)[np.minimum(counts, 3)]
    owners = find_contexts(types)
    groups = _find_changes(owners)
    totals = np.add.reduceat(counts, groups)
    left = np.add.reduceat(discounts, groups) / totals
    shares = (counts - discounts) / np.repeat(totals, np.diff(groups, append=len(types)))
    return _Order(types, shares.astype(np.float32), owners[groups], left.astype(np.float32)), order[starts]


def _find_changes(ordered: Keys) -> npt.NDArray[np.int64]:
    """Where each run of equal keys starts."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


class NGram:
    """A Kneser-Ney model over a context of lags.

    Args:
        context: lags with the nearest information last, see ``stream``.
        name: the name in tables; made from the context where it is left out.
    """

    def __init__(self, context: tuple[int, ...], name: str = "") -> None:
        self.context = context
        self.name = name or "context " + " ".join(str(lag) if lag else "position" for lag in context)
        self._orders: list[_Order] = []

    @classmethod
    def of_order(cls, order: int) -> NGram:
        """The plain n-gram: each word given the ``order - 1`` before it."""
        return cls(tuple(range(order - 1, 0, -1)), f"{order}-gram" if order > 1 else "unigram")

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Learn from pieces."""
        self.fit_stream(Stream.join(pieces))

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Nothing is tuned."""

    def fit_stream(self, stream: Stream) -> None:
        """Learn from a stream.

        Raises:
            ModelError: the stream is empty.
        """
        if not len(stream):
            raise ModelError(f"{self.name} has nothing to learn from")
        self._orders = []
        levels = list(stream.context_keys(self.context))
        counted = np.arange(len(stream))
        while levels:
            # An order below the top counts the different longer tuples that a tuple ends, not its occurrences.
            order, first = _estimate(levels.pop()[counted], stream.words[counted])
            self._orders.insert(0, order)
            counted = counted[first]

    def probabilities(self, stream: Stream) -> Floats:
        """float64 [n]: the probability of each word of a stream given its context.

        Raises:
            ModelError: the model is not fitted.
        """
        if not self._orders:
            raise ModelError(f"{self.name} is not fitted")
        probability, alive = np.full(len(stream), 1 / VOCABULARY), np.arange(len(stream))
        for order, contexts in zip(self._orders, stream.context_keys(self.context), strict=True):
            probability[alive], known = order.interpolate(contexts[alive], stream.words[alive], probability[alive])
            alive = alive[known]  # what is unknown to one order is unknown to all that look further back
        return probability

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word given those before it in the piece."""
        return np.log2(self.probabilities(Stream.join([piece])))

    def begin(self, grid: Grid) -> NGramTake:
        """A take with nothing played yet."""
        return self.follow(History(grid))

    def follow(self, history: History) -> NGramTake:
        """A take that goes on after what was played.

        Raises:
            ModelError: the model is not fitted.
        """
        if not self._orders:
            raise ModelError(f"{self.name} is not fitted")
        return NGramTake(self._orders, self.context, history)

    def play(self, piece: Piece, rng: np.random.Generator, **how: float) -> Hits:
        """Bool [steps, 9]: drawn step by step, see ``improvise``."""
        return improvise(self, piece, rng, **how)

    def pack(self) -> tuple[dict[str, Any], Arrays]:
        """What is kept of the model.

        Raises:
            ModelError: it is not fitted.
        """
        if not self._orders:
            raise ModelError(f"{self.name} is not fitted: there is nothing to keep")
        arrays: Arrays = {}
        for n, order in enumerate(self._orders):
            arrays |= {f"{n}.keys": order.keys, f"{n}.shares": order.shares, f"{n}.left": order.left}
        return {"name": self.name, "context": list(self.context)}, arrays

    def unpack(self, settings: dict[str, Any], arrays: Arrays) -> None:
        """Become the model that was packed."""
        self.name, self.context = str(settings["name"]), tuple(int(lag) for lag in settings["context"])
        orders = range(len(self.context) + 1)
        self._orders = [_Order.of_types(arrays[f"{n}.keys"], arrays[f"{n}.shares"], arrays[f"{n}.left"]) for n in orders]


class NGramTake:
    """A take that an n-gram plays.

    Args:
        orders: estimates of the model, the shortest context first.
        context: its lags.
        history: what was played so far.
    """

    def __init__(self, orders: list[_Order], context: tuple[int, ...], history: History) -> None:
        self._orders, self._nearest, self._history = orders, tuple(reversed(context)), history

    def distribution(self) -> Floats:
        """float64 [512]: the probability of each word at the step to come."""
        probabilities = np.full(VOCABULARY, 1 / VOCABULARY)
        for order, key in zip(self._orders, list_keys(map(self._history.symbol, self._nearest)), strict=True):
            if not order.spread(key, probabilities):
                break  # what is unknown to one order is unknown to all that look further back
        return probabilities

    def push(self, word: int) -> None:
        """Play a word."""
        self._history.push(word)
