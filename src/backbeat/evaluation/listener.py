"""The drummer behind the protocol of all models, with all that a case holds, and what it does without its band or with a wrong one.

``models.accompanist`` does the same for pieces that hold words alone; here velocities, instruments and cues are the real ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from backbeat.codecs.words import WORD_BITS, Hits, groove_to_words, words_to_hits
from backbeat.datasets.preparation import Example
from backbeat.errors import ModelError
from backbeat.models.accompanist import give_cues, prepare_piece
from backbeat.models.drummer import DrummerModel, Sampling
from backbeat.models.protocol import Piece
from backbeat.units import Floats

_BITS = WORD_BITS.astype(np.float64)


class Listener:
    """A drummer for the pieces of cases.

    Args:
        model: the network.
        name: in tables.
        band: False leaves the band out.
        how: how it chooses when it plays.
    """

    def __init__(self, model: DrummerModel, name: str = "drummer", *, band: bool = True, how: Sampling | None = None) -> None:
        self.model, self.name, self.band, self.how = model, name, band, how or Sampling()

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Refuse: a network is not fitted in one go.

        Raises:
            ModelError: always.
        """
        raise ModelError("the drummer is trained by 'backbeat train drummer CORPUS --validation CORPUS -o RUN'")

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Nothing is tuned."""

    def _example(self, piece: Piece) -> Example:
        return piece.example or prepare_piece(piece, self.model.kit)

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word, given those before it and the band."""
        example = self._example(piece)
        return self.model.score(example, band=self.band and example.band)

    def expect(self, piece: Piece) -> Floats:
        """float64 [steps, 9]: the probability of each hit, given all real words before its step and the band."""
        example = self._example(piece)
        words = self.model.predict(example, band=self.band and example.band).astype(np.float64)
        return np.clip(np.exp(words) @ _BITS, 0, 1)

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: its drums for the band, or alone where there is none."""
        cues = piece.cues or give_cues(piece)
        groove = self.model.play(cues, [rng], how=self.how, band=self.band and piece.band is not None)[0]
        return words_to_hits(groove_to_words(groove))

    def leave_band(self) -> Listener:
        """The same drummer, deaf."""
        return Listener(self.model, f"{self.name}, no band", band=False, how=self.how)


def exchange_band(piece: Piece, donor: Piece) -> Piece | None:
    """A piece's drums with the donor's band, repeated to fill; None where one is not packed or the metres differ."""
    lengths = set(piece.grid.bar_steps.tolist())
    if piece.example is None or donor.example is None or len(lengths) != 1 or lengths != set(donor.grid.bar_steps.tolist()):
        return None
    mine, theirs = piece.example, donor.example
    if not (mine.band and theirs.band):
        return None
    step = np.resize(np.arange(len(theirs.step)), len(mine.step))
    bar = np.resize(np.arange(len(theirs.bar)), len(mine.bar))
    matches = theirs.matches[bar]
    matches = np.where(matches < np.arange(len(bar))[:, None], matches, -1).astype(theirs.matches.dtype)
    return replace(piece, example=replace(mine, step=theirs.step[step], bar=theirs.bar[bar], song=theirs.song, matches=matches), cues=None)
