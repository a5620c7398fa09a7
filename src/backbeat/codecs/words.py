"""Words: each step of a groove as one number, the set of Drums RNN classes struck there.

Conventions: bit i of a word is class i of kit ``drums_rnn_9`` (1 = kick, 2 = snare, 4 = closed hat ...), so a word lies in
0-511 and 0 is a rest; one word a step, uint16 [steps]. What words do not hold (velocity, offset, articulation) is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit

CLASSES = 9
VOCABULARY = 1 << CLASSES
PLAIN_VELOCITY = 100 / 127
"""Velocity that decoding gives to every hit, as Drums RNN does."""

Words = npt.NDArray[np.uint16]
Hits = npt.NDArray[np.bool_]
_BITS = (1 << np.arange(CLASSES)).astype(np.uint16)


def hits_to_words(hits: Hits) -> Words:
    """Pack hits into words.

    Args:
        hits: bool [..., 9], the classes of ``drums_rnn_9``.

    Returns:
        uint16 [...].

    Raises:
        ValueError: the last axis is not 9 long.
    """
    if hits.ndim < 1 or hits.shape[-1] != CLASSES:
        raise ValueError(f"hits must be [..., {CLASSES}], not {hits.shape}")
    return np.asarray((np.asarray(hits, dtype=np.bool_) * _BITS).sum(axis=-1), dtype=np.uint16)


def words_to_hits(words: Words) -> Hits:
    """Unpack words into bool [..., 9].

    Args:
        words: integers in 0-511, any shape.

    Raises:
        ValueError: a word is outside 0-511.
    """
    words = np.asarray(words)
    if words.size and not (words.min() >= 0 and words.max() < VOCABULARY):
        raise ValueError(f"words lie in 0-{VOCABULARY - 1}")
    return np.asarray((words[..., None] & _BITS) != 0, dtype=np.bool_)


def groove_to_words(groove: Groove) -> Words:
    """uint16 [steps]: a groove of any kit as words, mapped to ``drums_rnn_9`` first."""
    return hits_to_words(groove.to_kit(load_kit("drums_rnn_9")).hits)


def words_to_groove(words: Words, grid: Grid) -> Groove:
    """Words as a groove of kit ``drums_rnn_9``, on the grid, every hit with ``PLAIN_VELOCITY``.

    Args:
        words: uint16 [steps].
        grid: the bars and steps they stand on.

    Raises:
        ValueError: the lengths differ or a word is outside 0-511.
    """
    hits = words_to_hits(words)
    velocities = hits * np.float32(PLAIN_VELOCITY)
    return Groove(grid, load_kit("drums_rnn_9"), hits, velocities, np.zeros(hits.shape, np.float32))


@dataclass(frozen=True)
class WordCodec:
    """Grooves as words, behind the protocol of codecs."""

    name: str = "words"

    @property
    def kit(self) -> Kit:
        """Drums RNN's nine classes."""
        return load_kit("drums_rnn_9")

    @property
    def size(self) -> int:
        """Number of different words, 512."""
        return VOCABULARY

    def encode(self, groove: Groove) -> npt.NDArray[np.int64]:
        """int64 [steps]: one word a step."""
        return groove_to_words(groove).astype(np.int64)

    def decode(self, codes: npt.NDArray[np.int64], grid: Grid) -> Groove:
        """The hits of ``codes`` on ``grid``."""
        return words_to_groove(np.asarray(codes), grid)


WORD_BITS = words_to_hits(np.arange(VOCABULARY, dtype=np.uint16)).astype(np.float32)
"""float32 [512, 9]: the classes of each word."""
