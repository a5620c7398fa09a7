"""Models that decide only what is hit, as drummers for songs."""

from __future__ import annotations

from typing import Any

import numpy as np

from backbeat.asking import Wishes
from backbeat.codecs.words import groove_to_words, hits_to_words, words_to_groove
from backbeat.cues import hear
from backbeat.errors import InputError, SongError
from backbeat.finishing import finish
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove
from backbeat.models.drummer_asked import Watch
from backbeat.models.floors import CopyBars
from backbeat.models.protocol import Piece
from backbeat.song import Song
from backbeat.takes import STEPS_PER_QUARTER, check_song, check_style, check_takes, make_generators
from backbeat.touch import TOUCH, Touch


class PlainDrummer:
    """Any other model as a drummer: it decides what is hit, with one velocity for all.

    Args:
        model: a player of the registry. One that improvises does not hear the band, but rests where the band rests; one that
            copies bars takes them from the song's own drums.
    """

    styles = ("any",)

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - a protocol.Player, some with a temperature
        self.model = model

    def accompany(
        self,
        song: Song,
        *,
        style: str = "any",
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        steps_per_quarter: int = STEPS_PER_QUARTER,
        touch: Touch = TOUCH,
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> Groove:
        """Play drums to a song, see ``Drummer.accompany``."""
        options: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "wishes": wishes, "watch": watch}
        return self.accompany_takes(song, 1, style=style, seed=seed, steps_per_quarter=steps_per_quarter, touch=touch, **options)[0]

    def accompany_takes(
        self,
        song: Song,
        takes: int,
        *,
        style: str = "any",
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        steps_per_quarter: int = STEPS_PER_QUARTER,
        touch: Touch = TOUCH,
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> list[Groove]:
        """Several takes at once, see ``Drummer.accompany_takes``."""
        how = self._choose(style, temperature, top_p, wishes)
        check_takes(takes, steps_per_quarter)
        check_song(song)
        grid = song.grid(STEPS_PER_QUARTER)
        words = np.zeros(grid.steps, np.uint16)
        if isinstance(self.model, CopyBars):
            if not song.drum_parts:
                raise SongError(f"{song.source or 'the song'} has no drums of its own, which {self.model.name} could copy")
            words = groove_to_words(extract_groove(song, grid, load_kit("drums_rnn_9"))[0])
        cues = hear(song, grid)
        piece = Piece(song.source or "the song", grid, words, cues)
        grooves = [words_to_groove(hits_to_words(self.model.play(piece, rng, **how)), grid) for rng in make_generators(seed, takes)]
        return finish(grooves, cues, song, steps_per_quarter, touch, seed, watch=watch)

    def play_alone(
        self,
        grid: Grid,
        *,
        style: str = "any",
        qpm: float = 120.0,
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> Groove:
        """Play with no song at all, on any grid of 16ths; the tempo makes no difference."""
        how = self._choose(style, temperature, top_p, wishes)
        if isinstance(self.model, CopyBars):
            raise InputError(f"{self.model.name}: without a song there is nothing to copy")
        piece = Piece("a groove", grid, np.zeros(grid.steps, np.uint16))
        return words_to_groove(hits_to_words(self.model.play(piece, make_generators(seed, 1)[0], **how)), grid)

    def _choose(self, style: str, temperature: float | None, top_p: float | None, wishes: Wishes | None) -> dict[str, float]:
        check_style(style, self.styles)
        if wishes is not None:
            raise InputError(f"{self.model.name} cannot be asked for density, intensity, fills or styles: leave them out, or the model")
        how = {name: value for name, value in (("temperature", temperature), ("top_p", top_p)) if value is not None}
        if how and not hasattr(self.model, "begin"):
            raise InputError(f"{self.model.name} draws nothing: leave temperature and top-p out")
        return how
