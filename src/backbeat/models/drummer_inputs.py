"""A piece as the drummer network takes it: the same code prepares training chunks, whole pieces to score and songs to play."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.controls import COLUMNS
from backbeat.codecs.recall import recall_bars
from backbeat.datasets.preparation import NO_ARTICULATION

MARGIN = 32
"""Steps of surroundings that the listener is given on either side; zeros beyond the ends of a piece."""

LINE_COLUMNS = 2
ASKED = COLUMNS + LINE_COLUMNS
"""Columns at the end of what is heard: controls and a tapped line; a network that was trained without them has none."""

Arrays = dict[str, npt.NDArray[Any]]


def unfold(piece: Arrays, articulations: int) -> Arrays:
    """Whole-piece arrays for the network, before anything is left out.

    Args:
        piece: a piece of a corpus.
        articulations: classes of the drummer's kit.

    Returns:
        bar_of_step, bits [S, 9], used [S, articulations] (the articulation each class was last played with), what is remembered
        (recalled_words, agreement, habit: see ``codecs.recall.Recalled``), what is asked for (controls [bars, 6] and line [S, 2],
        nothing yet) and the rest.
    """
    words, steps = piece["words"], len(piece["words"])
    bits = ((words[:, None] >> np.arange(9)) & 1).astype(np.uint8)
    used = np.zeros((steps, articulations), np.uint8)
    index = np.arange(steps)
    for column in range(9):
        which = piece["articulations"][:, column]
        last = np.maximum.accumulate(np.where(which != NO_ARTICULATION, index, -1))
        before = np.concatenate([[-1], last[:-1]])
        known = before >= 0
        used[index[known], which[before[known]]] = 1
    bar_of_step = np.repeat(np.arange(len(piece["layout"])), piece["layout"][:, 0])
    out = dict(piece) | {"bits": bits, "used": used, "bar_of_step": bar_of_step, "mask": np.zeros((steps, 9), np.uint8)}
    memory = recall_bars(words, piece["layout"][:, 0], piece["matches"])
    return out | {"recalled_words": memory.words, "agreement": memory.agreement, "habit": memory.habit} | ask_nothing(steps, len(piece["layout"]))


def ask_nothing(steps: int, bars: int) -> Arrays:
    """No style, no controls uint8 [bars, 6] (see ``codecs.controls``), no tapped line uint8 [steps, 2] (255 = a tap, and 255 = there is a line)."""
    return {"style": np.zeros(1, np.int64), "controls": np.zeros((bars, COLUMNS), np.uint8), "line": np.zeros((steps, LINE_COLUMNS), np.uint8)}


def chunk(piece: Arrays, start: int, length: int) -> Arrays:
    """One chunk of an unfolded piece, padded to ``length``, as the network takes it.

    Returns:
        heard uint8 [length + 2 MARGIN, H], style int64, played float32 [length, P], recalled int64 [length, 7],
        mask and bits uint8 [length, 9], words int64 [length], velocities, articulations, and valid bool [length].
    """
    steps = len(piece["words"])
    around = np.arange(start - MARGIN, start + length + MARGIN)
    inside = (around >= 0) & (around < steps)
    at = np.clip(around, 0, steps - 1)
    known = piece["mask"][at]
    song = np.broadcast_to(piece["song"], (len(at), piece["song"].shape[-1]))
    bar = piece["bar_of_step"][at]
    heard = np.concatenate(
        [piece["step"][at], piece["bar"][bar], song, known * 255, known * piece["bits"][at] * 255, piece["controls"][bar], piece["line"][at]], axis=1
    )
    heard[~inside] = 0
    now = np.arange(start, start + length)
    valid = now < steps
    now = np.minimum(now, steps - 1)
    before = np.maximum(now - 1, 0)
    first = (now == 0)[:, None]
    played = np.concatenate(
        [
            np.where(first, 0, piece["bits"][before] * 255),
            np.where(first, 0, piece["velocities"][before].astype(np.float32) * (2 * bool(piece.get("dynamic", True)))),
            piece["habit"][now],
            piece["used"][now] * 255,
            piece["agreement"][now],
        ],
        axis=1,
    ).astype(np.float32)
    out = {"heard": heard, "played": played / 255, "recalled": piece["recalled_words"][now].astype(np.int64), "mask": piece["mask"][now]}
    out |= {"bits": piece["bits"][now], "words": piece["words"][now].astype(np.int64), "valid": valid, "style": piece["style"]}
    return out | {"velocities": piece["velocities"][now], "articulations": piece["articulations"][now]}
