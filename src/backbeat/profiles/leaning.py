"""A drummer who hits what a player likes to hit."""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np

from backbeat.cues import Cues
from backbeat.groove import Groove
from backbeat.models.drummer import DrummerModel, Known
from backbeat.profiles.vocabulary import Vocabulary

SHIPPED = "weights/drummer"
LEAST_STRUCK = 16
"""Strokes of a class by which it is known which of its drums the player has."""


class LeaningDrummer(DrummerModel):
    """The drummer with a player's vocabulary; the model itself stays as it is.

    Args:
        model: the drummer.
        vocabulary: what the player likes to hit.
    """

    def __init__(self, model: DrummerModel, vocabulary: Vocabulary) -> None:
        vars(self).update(vars(model))
        self.patterns = None  # the player's own habits go before those of a style
        self.vocabulary = vocabulary

    def play(self, cues: Cues, rngs: list[np.random.Generator], **how: Any) -> list[Groove]:  # noqa: ANN401 - of ``DrummerModel.play``
        """As ``DrummerModel.play``; a style that is asked for goes before the player's."""
        bias = self.vocabulary.suggest(cues.grid)
        given, style = how.pop("bias", None), how.pop("style", 0)
        own = self.styles.index(self.vocabulary.style) if self.vocabulary.style in self.styles else 0
        styles = np.where(np.asarray(style) == 0, own, style).astype(np.int64)
        told = styles if styles.ndim else int(styles)
        played = super().play(cues, rngs, bias=bias if given is None else bias + given, style=told, **how)
        known: Known | None = how.get("known")
        return [self._take_own_drums(groove, known) for groove in played]

    def _take_own_drums(self, groove: Groove, known: Known | None) -> Groove:
        """Hits on drums that the player never touches go to the one of the class that he strikes most; what is known stays."""
        touched = self.vocabulary.touched
        hits, velocities, offsets = groove.hits.copy(), groove.velocities.copy(), groove.offsets.copy()
        for group in range(int(self.group.max()) + 1 if len(touched) else 0):
            members = np.flatnonzero(self.group == group)
            favourite = int(members[np.argmax(touched[members])])
            if touched[members].sum() < LEAST_STRUCK:
                continue
            for column in members[touched[members] == 0].tolist():
                moved = hits[:, column] & ~hits[:, favourite]
                if known is not None:
                    moved &= ~known.mask[:, group]
                for array in (hits, velocities, offsets):
                    array[moved, favourite] = array[moved, column]
                    array[moved, column] = 0
        return Groove(groove.grid, groove.kit, hits, velocities, offsets)


def open_drummer() -> DrummerModel:
    """The drummer that ships.

    Raises:
        ModelError: it is damaged.
    """
    with resources.as_file(resources.files("backbeat").joinpath(SHIPPED)) as folder:
        return DrummerModel(folder)
