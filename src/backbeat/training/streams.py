"""Batches for the drummer: lanes that play one piece after the other, chunk by chunk, so that the state is carried.

What is known of the drums is drawn anew for every piece (nothing, all but some bars, some classes), the band is left out
now and then, and so is the memory: one network learns to accompany, to continue, to fill gaps and to play alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backbeat.codecs.recall import NO_WORD
from backbeat.cues import silence
from backbeat.datasets.corpus import Corpus
from backbeat.errors import InputError
from backbeat.models.drummer_inputs import Arrays, chunk, unfold


@dataclass(frozen=True)
class Augmentation:
    """How often something is left out or given away, per piece.

    Args:
        no_band, no_lane, no_style: the band, one of its lanes, the style is left out.
        no_memory, no_reference: all references, or one, are left out.
        gaps: all drums but some bars are known.  classes: some classes are known throughout.
    """

    no_band: float = 0.1
    no_lane: float = 0.08
    no_style: float = 0.3
    no_memory: float = 0.12
    no_reference: float = 0.08
    gaps: float = 0.1
    classes: float = 0.1


NOTHING = Augmentation(0, 0, 0, 0, 0, 0, 0)


def augment(piece: Arrays, rng: np.random.Generator, how: Augmentation, *, band: bool) -> Arrays:
    """Leave things out of an unfolded piece, and give some of its drums away; changes and returns ``piece``."""
    if not band or rng.random() < how.no_band:
        piece["step"], piece["bar"], piece["song"] = silence(piece["step"], piece["bar"], piece["song"])
        piece["recalled_words"][:, 4:6] = NO_WORD
    elif how.no_lane:
        lanes = np.flatnonzero(rng.random(6) < how.no_lane)
        if len(lanes):
            piece["step"], piece["bar"] = piece["step"].copy(), piece["bar"].copy()
            piece["step"][:, (lanes[:, None] + 6 * np.arange(4)).ravel()] = 0
            piece["bar"][:, 31 + lanes] = 0
    if rng.random() < how.no_memory:
        piece["recalled_words"][:] = NO_WORD
        piece["agreement"], piece["habit"] = np.full_like(piece["agreement"], 128), np.zeros_like(piece["habit"])
    else:
        piece["recalled_words"][:, rng.random(7) < how.no_reference] = NO_WORD
    if rng.random() < how.no_style:
        piece["style"][:] = 0
    _give_away(piece, rng, how)
    return piece


def _give_away(piece: Arrays, rng: np.random.Generator, how: Augmentation) -> None:
    kind, bars = rng.random(), len(piece["layout"])
    if kind < how.gaps:
        gap = np.zeros(bars, np.bool_)
        bar = int(rng.integers(0, 8))
        while bar < bars:
            length = int(rng.integers(1, 9))
            gap[bar : bar + length] = True
            bar += length + int(rng.integers(4, 24))
        piece["mask"][~gap[piece["bar_of_step"]]] = 1
    elif kind < how.gaps + how.classes:
        chosen = [0] if rng.random() < 0.4 else np.flatnonzero(rng.random(9) < rng.random())
        piece["mask"][:, chosen] = 1


class Streams:
    """Endless or single-pass batches of a corpus.

    Args:
        corpus: the pieces.  lanes: batch size.  length: steps of a chunk.
        how: augmentation.  seed: of order and augmentation.  endless: start again when all pieces are played.

    Raises:
        InputError: the corpus is empty.
    """

    def __init__(self, corpus: Corpus, lanes: int, length: int, how: Augmentation, *, seed: int = 0, endless: bool = True) -> None:
        corpus.check_density()
        if not len(corpus):
            raise InputError(f"{corpus.folder} holds no piece to learn from: 'backbeat corpus describe' says why files were left out")
        self.corpus, self.lanes, self.length, self.how, self.endless = corpus, lanes, length, how, endless
        self.rng = np.random.default_rng(seed)
        self.articulations = len(corpus.meta["kit"]["classes"])

    def _pieces(self) -> Iterator[Arrays]:
        while True:
            order = self.rng.permutation(len(self.corpus)) if self.endless else np.arange(len(self.corpus))
            for index in order:
                row = self.corpus.pieces[index]
                piece = unfold(self.corpus.piece(int(index)), self.articulations)
                piece["style"][:] = row["style"]
                piece["dynamic"] = np.array(row["dynamic"])
                yield augment(piece, self.rng, self.how, band=bool(row["band"]))
            if not self.endless:
                return

    def __iter__(self) -> Iterator[Arrays]:
        """Batches: the arrays of ``chunk`` stacked, with ``fresh`` bool [lanes] where a new piece begins and ``dynamic`` bool [lanes]."""
        pieces = self._pieces()
        current: list[Arrays | None] = [None] * self.lanes
        place = [0] * self.lanes
        while True:
            rows, fresh = [], np.zeros(self.lanes, np.bool_)
            for lane in range(self.lanes):
                piece = current[lane]
                if piece is None or place[lane] >= len(piece["words"]):
                    piece, place[lane], fresh[lane] = next(pieces, None), 0, True
                    current[lane] = piece
                if piece is not None:
                    rows.append(chunk(piece, place[lane], self.length))
                    rows[-1]["dynamic"] = piece["dynamic"]
                    place[lane] += self.length
                elif rows:
                    rows.append({k: np.zeros_like(v) for k, v in rows[0].items()})
            if not rows or not any(r["valid"].any() for r in rows):
                return
            while len(rows) < self.lanes:
                rows.insert(0, {k: np.zeros_like(v) for k, v in rows[0].items()})
            yield {k: np.stack([r[k] for r in rows]) for k in rows[0]} | {"fresh": fresh}
