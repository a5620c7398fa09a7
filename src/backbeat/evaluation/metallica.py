"""LSTMetallica's text as pieces: 16 words a bar whatever the metre, a BAR token behind each bar, folds by song.

How a file becomes words is said in ``codecs.metallica_text``. ``spell_bars`` writes the BAR tokens down as words of their own, for
models that read text: bars of 17 steps whose last word is ``BAR``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from backbeat.codecs.metallica_text import STEPS
from backbeat.grid import Grid
from backbeat.models.cache import CacheMixture
from backbeat.models.protocol import Piece
from backbeat.models.stream import POSITION
from backbeat.units import Floats

T = TypeVar("T")
BAR = 511
"""The word that stands for BAR: all nine drums at once, which nobody plays."""
FOLDS = 10
CONTEXTS: tuple[tuple[int, ...], ...] = (
    (4, 3, 2, 1, POSITION),
    (8, 7, 6, 5, 4, 3, 2, 1, POSITION),
    (4, 8, 17, 1, POSITION),
    (18, 16, 17, 2, 1, POSITION),
    (34, 18, 16, 17, 1, POSITION),
    (68, 34, 17, POSITION),
)
"""The context n-grams of ``cache.CONTEXTS`` where a bar has 17 words."""
COPIES = (17, 34, 68)


def spell_bars(piece: Piece) -> Piece:
    """The piece with a BAR token behind each bar, as a word of its own; bars have one length.

    Raises:
        ValueError: they have not, or BAR is played.
    """
    steps = np.unique(piece.grid.bar_steps)
    if len(steps) != 1 or np.any(piece.words == BAR):
        raise ValueError(f"{piece.name}: BAR tokens need bars of one length, and a word that is not played")
    rows = piece.words.reshape(piece.grid.bars, -1)
    spelt = np.concatenate([rows, np.full((len(rows), 1), BAR, np.uint16)], axis=1)
    return Piece(piece.name, Grid.regular(len(rows), int(steps[0]) + 1, 16), spelt.ravel())


def split_scores(log2_p: Floats, steps: int = STEPS) -> tuple[Floats, Floats]:
    """Scores of a spelt piece apart: float64 [steps] of its words and float64 [bars] of its BAR tokens."""
    rows = log2_p.reshape(-1, steps + 1)
    return rows[:, :-1].ravel(), rows[:, -1].copy()


def make_cache() -> CacheMixture:
    """The cache mixture for spelt pieces."""
    return CacheMixture(contexts=CONTEXTS, copies=COPIES)


def deal_folds(songs: Sequence[T], folds: int = FOLDS, seed: int = 0) -> Iterator[tuple[list[T], list[T], list[T]]]:
    """Ten folds by song: shuffled with a fixed seed, every tenth is held out, the next tenth is there to tune on.

    Returns:
        for each fold the songs to learn from, to tune on (they are learned from, too, once the tuning is done), and held out.
    """
    order = list(songs)
    random.Random(seed).shuffle(order)
    for fold in range(folds):
        held, tuning = order[fold::folds], order[(fold + 1) % folds :: folds]
        yield [s for i, s in enumerate(order) if i % folds not in (fold, (fold + 1) % folds)], tuning, held
