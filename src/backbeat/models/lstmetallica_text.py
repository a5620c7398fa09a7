"""The original LSTMetallica's tokens: a closed vocabulary over the 512 words, and takes of words played by a network that reads text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from backbeat.codecs.metallica_text import BAR, STEPS, list_spellings
from backbeat.codecs.words import VOCABULARY
from backbeat.runtime.recurrent import RecurrentSession
from backbeat.units import Floats


def normalise_log(log_p: npt.NDArray[Any]) -> Floats:
    """Probabilities float64 [n] of logarithms [n], summing to one."""
    weights = np.exp(log_p.astype(np.float64) - float(log_p.max()))
    return np.asarray(weights / weights.sum())


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Tokens of a text model and the 512 words.

    Args:
        types: the tokens.
        unseen: probability that is kept for all words together that are no token.
    """

    types: tuple[str, ...]
    unseen: float

    def __post_init__(self) -> None:
        numbers = {token: k for k, token in enumerate(self.types)}
        rest = numbers.get(list_spellings()[0], 0)
        tokens = np.array([numbers.get(text, -1) for text in list_spellings()], np.int64)
        object.__setattr__(self, "known", tokens >= 0)
        object.__setattr__(self, "tokens", np.where(tokens < 0, rest, tokens))
        object.__setattr__(self, "bar", numbers.get(BAR, -1))

    known: npt.NDArray[np.bool_] = None  # type: ignore[assignment]
    tokens: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    bar: int = -1

    def share(self, probabilities: Floats) -> Floats:
        """float64 [..., 513] of types float64 [..., types]: every word, then BAR; a mark's probability is lost to none of them."""
        out = np.where(self.known, probabilities[..., self.tokens], 0.0)
        out = np.concatenate([out, probabilities[..., [self.bar]] if self.bar >= 0 else np.zeros((*out.shape[:-1], 1))], axis=-1)
        out /= np.maximum(out.sum(axis=-1, keepdims=True), 1e-300)
        missing = np.append(~self.known, False)
        return out * (1 - self.unseen) + missing * (self.unseen / missing.sum()) if missing.any() else out


class TextTake:
    """Words played by the original's network; BAR is read behind every 16.

    Args:
        session: the network.
        vocabulary: its tokens.
    """

    def __init__(self, session: RecurrentSession, vocabulary: Vocabulary) -> None:
        self._session, self._vocabulary, self._state, self._step = session, vocabulary, session.start(), 0
        self._now = np.full(len(vocabulary.types), 1 / len(vocabulary.types))

    def distribution(self) -> Floats:
        """float64 [512]: the probability of each word at the step to come."""
        words = self._vocabulary.share(self._now)[:VOCABULARY]
        return np.asarray(words / words.sum())

    def push(self, word: int) -> None:
        """Play a word."""
        self._read(int(self._vocabulary.tokens[word]))
        self._step += 1
        if self._step % STEPS == 0 and self._vocabulary.bar >= 0:
            self._read(self._vocabulary.bar)

    def _read(self, token: int) -> None:
        outputs, self._state = self._session.run({"tokens": np.array([[token]], np.int64)}, self._state)
        self._now = normalise_log(outputs["log_p"][0, 0])

    def fork(self) -> Self:
        """A take of its own that starts from this one."""
        twin = type(self).__new__(type(self))
        twin.__dict__ |= self.__dict__
        return twin
