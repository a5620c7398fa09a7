"""The drummer network behind the protocol of all models: it scores and plays a piece of words.

A piece holds what is hit, not how loud nor on which instrument of a class; here every hit has the same velocity, of which the
network is told that it means nothing, and the first instrument of its class. ``DrummerModel.score`` hears the rest, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from backbeat.codecs.words import PLAIN_VELOCITY, Hits, groove_to_words, words_to_hits
from backbeat.cues import Cues, hear_nothing
from backbeat.datasets.preparation import Example, pack
from backbeat.errors import ModelError
from backbeat.features import find_matches, find_section_starts, normalise_rows
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.models.drummer import DrummerModel, Sampling
from backbeat.models.protocol import Piece
from backbeat.units import Floats


class Accompanist:
    """A drummer for pieces.

    Args:
        folder: a drummer's checkpoint folder.

    Raises:
        ModelError: the folder is not a drummer's.
    """

    name = "drummer"

    def __init__(self, folder: Path) -> None:
        self.model = DrummerModel(folder)

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Refuse: a network is not fitted in one go.

        Raises:
            ModelError: always.
        """
        raise ModelError("the drummer is trained by 'backbeat train drummer CORPUS --validation CORPUS -o RUN'")

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Nothing is tuned."""

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word, given the words before it and the whole band."""
        return self.model.score(prepare_piece(piece, self.model.kit), band=piece.band is not None)

    def play(self, piece: Piece, rng: np.random.Generator, *, temperature: float = 1.0, top_p: float = 1.0) -> Hits:
        """Bool [steps, 9]: its drums for the band, or alone where there is none."""
        how = replace(Sampling(), temperature=temperature, top_p=top_p)
        groove = self.model.play(give_cues(piece), [rng], how=how, band=piece.band is not None)[0]
        return words_to_hits(groove_to_words(groove))


def give_cues(piece: Piece) -> Cues:
    """What a piece gives to hear: its cues where the band is ``Cues``, else what its onsets say, else silence."""
    band, grid = piece.band, piece.grid
    if isinstance(band, Cues):
        return band
    silent = hear_nothing(grid)
    if band is None:
        return silent
    onsets = np.asarray(band.onsets, dtype=np.float32)
    struck = (onsets > 0).astype(np.float32)
    sounding = band.active_bars[grid.bar_of_step].astype(np.float32)[:, None] * (struck.sum(axis=0) > 0)
    bars = np.stack([np.add.reduceat(struck[:, lane], grid.first_steps[:-1]) for lane in range(struck.shape[1])], axis=1)
    descriptors = normalise_rows(bars)
    matches, similarity = find_matches(descriptors, grid.bar_steps)
    starts = find_section_starts(np.zeros(grid.bars, np.float32))
    heard = {"onsets": onsets, "velocities": 0.7 * struck, "sustained": sounding.astype(np.float32), "pitches": 0.4 * struck}
    return replace(silent, **heard, descriptors=descriptors, section_starts=starts, matches=matches, similarity=similarity)


def prepare_piece(piece: Piece, kit: Kit) -> Example:
    """A piece as the network takes it, its words played plainly on a kit whose classes lie within those of words."""
    group = kit.mapping(load_kit("drums_rnn_9"))
    hits = np.zeros((piece.grid.steps, len(kit)), np.bool_)
    for cls in range(piece.hits.shape[1]):
        hits[:, np.flatnonzero(group == cls)[0]] = piece.hits[:, cls]
    groove = Groove(piece.grid, kit, hits, hits * np.float32(PLAIN_VELOCITY), np.zeros(hits.shape, np.float32))
    return pack(piece.grid, groove, give_cues(piece), band=piece.band is not None)
