"""What an evaluation gives: figures by piece, and the tables made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.cues import Cues
from backbeat.datasets.preparation import Example
from backbeat.datasets.source import Source
from backbeat.models.protocol import Piece

Floats = npt.NDArray[np.float64]
REAL = "real drums"
"""The row of every table that holds the human drummer."""


@dataclass(frozen=True, eq=False)
class Case:
    """A piece to measure on.

    Args:
        source: where it comes from.
        piece: its real drums as words, and its band.
        example: both packed as a network eats them.
        cues: what the band gives to hear; of a drum take, silence.
    """

    source: Source
    piece: Piece
    example: Example
    cues: Cues


@dataclass(frozen=True, eq=False)
class Result:
    """What the models made of a case.

    Args:
        case: the piece.
        log2_p: model name -> float64 [steps], log2 p of each real word. The measured model comes first, then variants
            ("drummer, no band", "drummer, wrong band"), then floors.
        hits: player name -> bool [steps, 9], what it played; ``REAL`` comes first, then the measured model, then floors.
            A song is played from its band alone; a name with "history" was given real drums of earlier bars.
        bars: model name -> float64 [bars], log2 p of each BAR token, where a data set has them (LSTMetallica's text).
        expected: model name -> float32 [steps, 9], the probability of each hit given all real steps before it.
    """

    case: Case
    log2_p: dict[str, Floats] = field(default_factory=dict)
    hits: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    bars: dict[str, Floats] = field(default_factory=dict)
    expected: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Report:
    """A whole evaluation.

    Args:
        model: the measured model's name.  data: data set and split.  context: "whole takes" or "windows of N bars".
        tables: title -> rows; a row maps "model" to its name and column names to figures.
        rejected: piece name -> why it could not be measured on.
        results: one a piece.
    """

    model: str
    data: str
    context: str
    tables: dict[str, list[dict[str, Any]]]
    rejected: dict[str, str]
    results: list[Result]
