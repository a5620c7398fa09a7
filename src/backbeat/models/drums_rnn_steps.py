"""The original's Drums RNN step by step in numpy: for one step at a time, a graph costs more to enter than to compute.

The numbers are those of the graph in the same folder (a test compares them); matrices that follow one another are multiplied once, when the
folder is written, and tanh(key + question) is made of exp(2 key) and exp(2 question), as in ``networks.attention_scan``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from backbeat.errors import ModelError

FILE = "steps.npz"
Array = npt.NDArray[np.float32]
_LIMIT = np.float32(40)


class StepWeights:
    """What ``training.drums_rnn.export`` writes beside the graph.

    Args:
        arrays: ``table`` [classes, 4 U] and ``counters`` [counters, 4 U], what an event and a counter add to the gates; ``inner``, what the state
            [U, 4 U] (and what is attended to, [2 U, 4 U]) adds; with attention ``query``, ``query_bias``, ``make``, ``make_bias`` and ``minus``;
            ``layer1``, ``bias1`` ... [inputs + U, 4 U] of the layers above; ``logits`` [U, classes] and ``logits_bias``. Gates come as
            input, forget, output, twice the candidate.
        length: outputs attended to, 0 = no attention.

    Raises:
        ModelError: an array is missing.
    """

    def __init__(self, arrays: dict[str, Any], length: int) -> None:
        try:
            self.table, self.counters, self.inner = arrays["table"], arrays["counters"], arrays["inner"]
            self.logits, self.logits_bias = arrays["logits"], arrays["logits_bias"]
            names = ("query", "query_bias", "make", "make_bias", "minus") if length else ()
            self.attention = tuple(np.ascontiguousarray(arrays[n]) for n in names)
        except KeyError as error:
            raise ModelError(f"{FILE} has no array {error}: export the model again") from error
        count = sum(name.startswith("layer") for name in arrays)
        self.layers = [(arrays[f"layer{k}"], arrays[f"bias{k}"]) for k in range(1, count + 1)]
        self.length, self.units = length, self.table.shape[1] // 4


def load_steps(folder: Path, length: int) -> StepWeights | None:
    """The weights in a folder; none where it has none.

    Raises:
        ModelError: the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise ModelError(f"{path}: the weights cannot be read ({type(error).__name__}): install or train the model again") from error
    return StepWeights(arrays, length)


class EventSteps:
    """What has been read so far, and the logits of what comes next.

    Args:
        weights: of ``load_steps``.
    """

    def __init__(self, weights: StepWeights) -> None:
        self._w = weights
        units = weights.units
        self._first = np.zeros(3 * units, np.float32)  # cell, state, attended
        self._others = [(np.zeros(len(bias) // 4, np.float32),) * 2 for _, bias in weights.layers]
        self._outputs, self._known = np.zeros((weights.length, units), np.float32), np.ones((weights.length, units), np.float32)
        self._step = 0

    def fork(self) -> Self:
        """One of its own that goes on from here."""
        twin = type(self).__new__(type(self))
        twin.__dict__ |= self.__dict__ | {"_others": list(self._others), "_outputs": self._outputs.copy(), "_known": self._known.copy()}
        return twin

    def read(self, event: int, counters: Array) -> Array:
        """Read an event.

        Args:
            event: its number.
            counters: float32 [counters].

        Returns:
            float32 [classes]: logits of the event behind it.
        """
        w = self._w
        gates = w.table[event] + self._first[w.units : (3 if w.length else 2) * w.units] @ w.inner
        if len(counters):
            gates += counters @ w.counters
        before = self._first
        self._first = after = np.empty_like(before)
        cell, state = _step(gates, before[: w.units])
        after[: w.units], after[w.units : 2 * w.units] = cell, state
        out = self._attend(after) if w.length else state
        for k, (matrix, bias) in enumerate(w.layers):
            cell, state = self._others[k]
            cell, out = _step(np.concatenate((out, state)) @ matrix + bias, cell)
            self._others[k] = cell, out
        self._step += 1
        logits: Array = out @ w.logits + w.logits_bias
        return logits

    def _attend(self, row: Array) -> Array:
        """Fill in what is attended to, and give the layer's output."""
        query, query_bias, make, make_bias, minus = self._w.attention
        units, length = self._w.units, self._w.length
        asked = np.exp(np.minimum(row[: 2 * units] @ query + query_bias, _LIMIT))
        scores = np.reciprocal(self._known * asked + np.float32(1)) @ minus
        share = np.exp(scores - scores.max())
        row[2 * units :] = share @ self._outputs
        row[2 * units :] /= share.sum()
        made: Array = row[units:] @ make + make_bias
        at = self._step % length
        self._outputs[at] = made[:units]
        np.exp(np.minimum(made[units:], _LIMIT), out=self._known[at])
        return made[:units]


def _step(gates: Array, cell: Array) -> tuple[Array, Array]:
    """Cell and state [U] of a layer whose gates [4 U] are given, which are written over."""
    units = len(cell)
    np.negative(gates, out=gates)
    np.exp(np.minimum(gates, _LIMIT, out=gates), out=gates)
    gates += np.float32(1)
    np.reciprocal(gates, out=gates)
    after = gates[units : 2 * units] * cell + gates[:units] * (2 * gates[3 * units :] - np.float32(1))
    state: Array = gates[2 * units : 3 * units] * np.tanh(after)
    return after, state
