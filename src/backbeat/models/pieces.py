"""Pieces of a corpus, as models that count learn from them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from backbeat.datasets.corpus import Corpus
from backbeat.grid import Grid
from backbeat.models.protocol import HeardBand, Piece


def read_pieces(corpus: Corpus, *, every: int = 1, band_only: bool = False) -> Iterator[Piece]:
    """The pieces of a corpus as floors learn from them."""
    for index in range(0, len(corpus), every):
        row = corpus.pieces[index]
        if band_only and not row["band"]:
            continue
        arrays = corpus.piece(index)
        layout = arrays["layout"]
        quarters = tuple(Fraction(int(n), int(d)) for n, d in layout[:, 3:5])
        ticks = np.cumsum([0, *(max(1, int(q * 480)) for q in quarters)])
        grid = Grid(ticks, quarters, tuple(layout[:, 1].tolist()), tuple(layout[:, 2].tolist()))
        if grid.steps != len(arrays["words"]):
            continue
        step = arrays["step"]
        active = np.maximum.reduceat(step[:, 12:18].max(axis=1), grid.first_steps[:-1]) > 0
        yield Piece(str(index), grid, np.array(arrays["words"]), HeardBand(step[:, :6].astype(np.float32) * (4 / 255), active))
