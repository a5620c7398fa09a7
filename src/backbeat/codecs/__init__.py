"""Codecs: a groove to what a model eats, and back. One representation a file; ``CODECS`` lists them for the contract tests."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from backbeat.codecs.metallica_text import MetallicaCodec
from backbeat.codecs.words import WordCodec
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit

__all__ = ["CODECS", "Codec", "WordCodec"]


class Codec(Protocol):
    """Turns a groove into integers and back.

    The contract, tested for every codec of ``CODECS``: decoding what was encoded gives the hits of the groove in the
    codec's kit, and encoding that again gives the same integers, all of them in ``range(size)``.
    """

    @property
    def name(self) -> str:
        """The name that checkpoints use."""

    @property
    def kit(self) -> Kit:
        """The kit whose classes it can tell apart."""

    @property
    def size(self) -> int:
        """Number of different codes."""

    def encode(self, groove: Groove) -> npt.NDArray[np.int64]:
        """A groove of any kit as int64 [n]."""

    def decode(self, codes: npt.NDArray[np.int64], grid: Grid) -> Groove:
        """The groove that ``codes`` describe, on ``grid``."""


CODECS: dict[str, Codec] = {codec.name: codec for codec in (WordCodec(), MetallicaCodec())}
"""Every codec by name; a new one is a file and an entry here."""
