"""The façade: a drummer who can be given a song."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from backbeat.codecs.words import groove_to_words, hits_to_words, words_to_groove
from backbeat.cues import Cues, hear, hear_nothing
from backbeat.errors import InputError, SongError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove
from backbeat.models.accompanist import Accompanist
from backbeat.models.drummer import DrummerModel, Known, Sampling
from backbeat.models.floors import CopyBars
from backbeat.models.protocol import Piece
from backbeat.models.registry import load_model
from backbeat.song import Song
from backbeat.transforms import follow_timing, quantise

STEPS_PER_QUARTER = 4
MAX_STEPS_PER_QUARTER = 48
MAX_STEPS = 16_000
"""Longest song in 16ths, more than half an hour at 120 BPM, so that any file is done within 10 s; longer is the sign of a damaged file."""


class Drummer:
    """A drummer for songs.

    Args:
        model: the network, its kit and codec.
    """

    def __init__(self, model: DrummerModel) -> None:
        self.model = model

    @property
    def styles(self) -> tuple[str, ...]:
        """Styles that can be asked for; "any" leaves it to the song."""
        return tuple(self.model.styles)

    def accompany(
        self,
        song: Song,
        *,
        style: str = "any",
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        steps_per_quarter: int = STEPS_PER_QUARTER,
    ) -> Groove:
        """Play drums to a song.

        Args:
            song: what the band plays; drum parts in it are not heard.
            style: one of ``styles``.
            seed: the same song, options, seed and version give the same groove.
            temperature: how adventurous, 0 = the most likely at every step; None = the default.
            top_p: share of the likely choices that stay possible, in (0, 1]; None = the default.
            steps_per_quarter: grid of the groove; the drummer thinks in 16ths (4), other grids are quantised to.

        Raises:
            SongError: there is nothing to accompany.
            InputError: an option is out of range.
        """
        return self.accompany_takes(song, 1, style=style, seed=seed, temperature=temperature, top_p=top_p, steps_per_quarter=steps_per_quarter)[0]

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
    ) -> list[Groove]:
        """Several takes at once; take k is drawn with generator [seed, k]. See ``accompany``."""
        how, index = self._choose(style, temperature, top_p)
        _check_request(takes, steps_per_quarter)
        check_song(song)
        cues = hear(song, song.grid(STEPS_PER_QUARTER))
        grooves = self.model.play(cues, _generators(seed, takes), style=index, how=how)
        return _finish(grooves, cues, song, steps_per_quarter)

    def infill(
        self,
        song: Song,
        groove: Groove,
        bars: Sequence[int],
        *,
        keep: Sequence[str] = (),
        style: str = "any",
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
    ) -> Groove:
        """Play some bars anew; every hit outside them stays as it is.

        Args:
            groove: drums in the drummer's kit on ``song.grid()``.
            bars: 0-based bars to play anew.  keep: classes of ``drums_rnn_9`` that stay there too.
        """
        how, index = self._choose(style, temperature, top_p)
        mask = np.ones((groove.grid.steps, 9), np.bool_)
        fresh = np.isin(groove.grid.bar_of_step, list(bars))
        mask[fresh] = False
        for name in keep:
            mask[:, load_kit("drums_rnn_9").index(name)] = True
        cues = hear(song, groove.grid)
        new = follow_timing(self.model.play(cues, _generators(seed, 1), style=index, how=how, known=Known(mask, groove))[0], cues)
        stays = ~fresh[:, None] | mask[:, self.model.group]
        chosen = [np.where(stays, getattr(groove, n), getattr(new, n)) for n in ("hits", "velocities", "offsets")]
        return Groove(groove.grid, groove.kit, *chosen)

    def continue_groove(
        self, primer: Groove, bars: int, *, style: str = "any", qpm: float = 120.0, seed: int = 0, temperature: float | None = None, top_p: float | None = None
    ) -> Groove:
        """Go on after a primer, with no band.

        Args:
            primer: drums in the drummer's kit.
            bars: length of the result in bars, primer included; the bars added have the metre of the primer's last.
        """
        old = primer.grid
        numerator, denominator = old.numerators[-1], old.denominators[-1]
        if bars <= old.bars:
            raise InputError(f"the primer has {old.bars} bars: ask for more than that")
        length = int(old.bar_ticks[-1] - old.bar_ticks[-2])
        ticks = np.concatenate([old.bar_ticks, old.bar_ticks[-1] + length * np.arange(1, bars - old.bars + 1)])
        more = bars - old.bars
        grid = Grid(
            ticks,
            (*old.bar_quarters, *old.bar_quarters[-1:] * more),
            (*old.numerators, *[numerator] * more),
            (*old.denominators, *[denominator] * more),
            old.steps_per_quarter,
        )
        pad = ((0, grid.steps - old.steps), (0, 0))
        given = Groove(grid, primer.kit, *(np.pad(getattr(primer, n), pad) for n in ("hits", "velocities", "offsets")))
        mask = np.zeros((grid.steps, 9), np.bool_)
        mask[: old.steps] = True
        how, index = self._choose(style, temperature, top_p)
        new = self.model.play(hear_nothing(grid, qpm), _generators(seed, 1), style=index, how=how, known=Known(mask, given), band=False)[0]
        return new.replace(offsets=np.where(mask[:, :1], given.offsets, new.offsets))

    def play_alone(
        self, grid: Grid, *, style: str = "any", qpm: float = 120.0, seed: int = 0, temperature: float | None = None, top_p: float | None = None
    ) -> Groove:
        """Play with no song at all, on any grid of 16ths."""
        how, index = self._choose(style, temperature, top_p)
        return self.model.play(hear_nothing(grid, qpm), _generators(seed, 1), style=index, how=how, band=False)[0]

    def _choose(self, style: str, temperature: float | None, top_p: float | None) -> tuple[Sampling, int]:
        _check_style(style, self.styles)
        how = Sampling()
        if temperature is not None:
            how = replace(how, temperature=temperature)
        if top_p is not None:
            how = replace(how, top_p=top_p)
        if not 0 <= how.temperature <= 5 or not 0 < how.top_p <= 1:
            raise InputError(f"temperature must lie in 0-5 and top-p in (0, 1], not {how.temperature} and {how.top_p}")
        return how, self.styles.index(style)


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
    ) -> Groove:
        """Play drums to a song, see ``Drummer.accompany``."""
        return self.accompany_takes(song, 1, style=style, seed=seed, temperature=temperature, top_p=top_p, steps_per_quarter=steps_per_quarter)[0]

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
    ) -> list[Groove]:
        """Several takes at once, see ``Drummer.accompany_takes``."""
        how = self._choose(style, temperature, top_p)
        _check_request(takes, steps_per_quarter)
        check_song(song)
        grid = song.grid(STEPS_PER_QUARTER)
        words = np.zeros(grid.steps, np.uint16)
        if isinstance(self.model, CopyBars):
            if not song.drum_parts:
                raise SongError(f"{song.source or 'the song'} has no drums of its own, which {self.model.name} could copy")
            words = groove_to_words(extract_groove(song, grid, load_kit("drums_rnn_9"))[0])
        cues = hear(song, grid)
        piece = Piece(song.source or "the song", grid, words, cues)
        return _finish(
            [words_to_groove(hits_to_words(self.model.play(piece, rng, **how)), grid) for rng in _generators(seed, takes)], cues, song, steps_per_quarter
        )

    def play_alone(
        self, grid: Grid, *, style: str = "any", qpm: float = 120.0, seed: int = 0, temperature: float | None = None, top_p: float | None = None
    ) -> Groove:
        """Play with no song at all, on any grid of 16ths; the tempo makes no difference."""
        how = self._choose(style, temperature, top_p)
        if isinstance(self.model, CopyBars):
            raise InputError(f"{self.model.name}: without a song there is nothing to copy")
        piece = Piece("a groove", grid, np.zeros(grid.steps, np.uint16))
        return words_to_groove(hits_to_words(self.model.play(piece, _generators(seed, 1)[0], **how)), grid)

    def _choose(self, style: str, temperature: float | None, top_p: float | None) -> dict[str, float]:
        _check_style(style, self.styles)
        how = {name: value for name, value in (("temperature", temperature), ("top_p", top_p)) if value is not None}
        if how and not hasattr(self.model, "begin"):
            raise InputError(f"{self.model.name} draws nothing: leave temperature and top-p out")
        return how


def load_player(name_or_folder: str | os.PathLike[str] | None = None) -> Drummer | PlainDrummer:
    """Load any model that plays.

    Args:
        name_or_folder: a name of the registry, or a checkpoint folder; None = the drummer that ships with Backbeat.

    Raises:
        ModelError: there is no such model, it has to be trained first, or its folder is damaged.
    """
    if name_or_folder is None:
        return load_drummer()
    model = load_model(os.fspath(name_or_folder))
    return Drummer(model.model) if isinstance(model, Accompanist) else PlainDrummer(model)


def load_drummer(folder: str | os.PathLike[str] | None = None) -> Drummer:
    """Load a drummer.

    Args:
        folder: a checkpoint folder; None = the one that ships with Backbeat.

    Raises:
        ModelError: the folder is not a drummer's.
    """
    if folder is not None:
        return Drummer(DrummerModel(Path(folder)))
    with resources.as_file(resources.files("backbeat").joinpath("weights/drummer")) as path:
        return Drummer(DrummerModel(path))


def check_song(song: Song) -> None:
    """Refuse what cannot be accompanied.

    Raises:
        SongError: no notes, drums only, a single bar, or far too long.
    """
    where = song.source or "the song"
    if not any(len(p.notes) for p in song.parts):
        raise SongError(f"{where} has no notes: there is nothing to accompany")
    if not any(len(p.notes) for p in song.band):
        raise SongError(f"{where} has only drums: add the band's parts, a drummer follows them")
    first, last = min(int(p.notes["onset"].min()) for p in song.band if len(p.notes)), max(int(p.notes["onset"].max()) for p in song.band if len(p.notes))
    grid = song.grid()
    if grid.steps > MAX_STEPS:
        raise SongError(f"{where} has {grid.bars:,} bars, more than can be played ({MAX_STEPS:,} 16ths): look for an event far behind its end, or cut it")
    bars = np.searchsorted(grid.bar_ticks, [first, last], side="right")
    if bars[0] == bars[1]:
        raise SongError(f"{where} plays in one bar only: give at least two, so that there is something to follow")


def _check_request(takes: int, steps_per_quarter: int) -> None:
    if not 1 <= steps_per_quarter <= MAX_STEPS_PER_QUARTER:
        raise InputError(f"steps per quarter must lie in 1-{MAX_STEPS_PER_QUARTER}, not {steps_per_quarter}")
    if not 1 <= takes <= 16:
        raise InputError(f"takes must lie in 1-16, not {takes}")


def _check_style(style: str, styles: Sequence[str]) -> None:
    if style not in styles:
        raise InputError(f"no style {style!r}: choose from {', '.join(styles)}")


def _finish(grooves: Sequence[Groove], cues: Cues, song: Song, steps_per_quarter: int) -> list[Groove]:
    """Grooves on the song's 16ths with the band's timing, on the grid that is asked for, ending with the band."""
    finished = [follow_timing(groove, cues) for groove in grooves]
    if steps_per_quarter != STEPS_PER_QUARTER:
        grid = song.grid(steps_per_quarter)
        finished = [quantise(groove, grid) for groove in finished]
    return [_end_with_band(groove, song) for groove in finished]


def _generators(seed: int, takes: int) -> list[np.random.Generator]:
    return [np.random.default_rng([abs(seed), int(seed < 0), k]) for k in range(takes)]


def _end_with_band(groove: Groove, song: Song) -> Groove:
    """Without the hits that, with their offsets, fall at or behind the end of the band's last note."""
    end = max(int(p.notes["end"].max()) for p in song.band if len(p.notes))
    steps, columns = np.nonzero(groove.hits)
    late = groove.grid.ticks(steps, groove.offsets[steps, columns].astype(np.float64)) >= end
    hits = groove.hits.copy()
    hits[steps[late], columns[late]] = False
    return groove.replace(hits=hits)
