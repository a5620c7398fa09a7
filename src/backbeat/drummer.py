"""The façade: a drummer who can be given a song."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.asking import Wishes, suggest_fills
from backbeat.cues import Cues, hear, hear_nothing
from backbeat.errors import InputError
from backbeat.finishing import finish
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.models.accompanist import Accompanist
from backbeat.models.drummer import DrummerModel, Known, Sampling
from backbeat.models.drummer_asked import Watch, share_watch
from backbeat.models.drummer_take import Array
from backbeat.models.registry import load_model
from backbeat.plain_drummer import PlainDrummer
from backbeat.song import Song
from backbeat.takes import MAX_STEPS, STEPS_PER_QUARTER, check_song, check_style, check_takes, find_known_cells, make_generators
from backbeat.touch import TOUCH, Touch, set_loudness
from backbeat.transforms.suiting import suit

__all__ = ["MAX_STEPS", "REDO_TEMPERATURE", "Drummer", "PlainDrummer", "check_song", "find_known_cells", "load_drummer", "load_player"]

REDO_TEMPERATURE = 0.6
"""Where most drums are known a drummer who repeats the song's own figures is wanted: at 0.5 the bars are nearer to the real ones than any
copy of others, at 1 they are not; at 0 takes would not differ (``benchmarks/infill_figures.py``)."""

DECIDING = 0.8
"""Share of the time that deciding takes; the rest is playing by hand."""


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
        touch: Touch = TOUCH,
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> Groove:
        """Play drums to a song.

        Args:
            song: what the band plays; drum parts in it are not heard.
            style: one of ``styles``.
            seed: the same song, options, seed and version give the same groove.
            temperature: how adventurous, 0 = the most likely at every step; None = the default.
            top_p: share of the likely choices that stay possible, in (0, 1]; None = the default.
            steps_per_quarter: grid of the groove; the drummer thinks in 16ths (4), other grids are quantised to.
            touch: how the hits are played: by the performer, as two hands and two feet can.
            wishes: what is asked for bar by bar; a style that is said there goes before ``style``.
            watch: called with the share of the work that is done, 0-1, ten times a second; may raise to stop it.

        Raises:
            SongError: there is nothing to accompany.
            InputError: an option is out of range.
        """
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
        """Several takes at once; take k is drawn with generator [seed, k]. See ``accompany``."""
        how = _choose_sampling(temperature, top_p)
        check_style(style, self.styles)
        check_takes(takes, steps_per_quarter)
        check_song(song)
        grid = song.grid(STEPS_PER_QUARTER)
        asked = self._ask(style, wishes, grid)
        cues = hear(song, grid)
        asked = suggest_fills(asked, cues)
        played = self.model.play(cues, make_generators(seed, takes), how=how, watch=share_watch(watch, 0, DECIDING), **self._tell(asked))
        return finish(played, cues, song, steps_per_quarter, touch, seed, asked, share_watch(watch, DECIDING, 1))

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
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> Groove:
        """Play some bars anew; every hit outside them stays as it is.

        Args:
            song: what the band plays.
            groove: drums in the drummer's kit on ``song.grid()``.
            bars: 0-based bars to play anew.
            keep: classes of ``drums_rnn_9`` that stay there too.
            style, seed, temperature, top_p, wishes, watch: see ``accompany``.

        Raises:
            InputError: there is no such bar or class, or an option is out of range.
        """
        mask = find_known_cells(groove.grid, bars, keep)
        return self.redo_takes(song, groove, mask, 1, style=style, seed=seed, temperature=temperature, top_p=top_p, wishes=wishes, watch=watch)[0]

    def redo_takes(
        self,
        song: Song,
        groove: Groove,
        known: npt.NDArray[np.bool_],
        takes: int,
        *,
        style: str = "any",
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> list[Groove]:
        """Play all cells anew that are not known; those that are stay as they are, with velocity and timing.

        Args:
            song: what the band plays.
            groove: drums in the drummer's kit on ``song.grid()``.
            known: bool [steps, 9], cells of ``drums_rnn_9`` that stay.
            takes: how many different takes.
            style, seed, top_p, wishes, watch: see ``accompany``; what is known stays also where something else is asked for.
            temperature: the same; None = ``REDO_TEMPERATURE``.

        Raises:
            InputError: an option is out of range.
        """
        how = _choose_sampling(REDO_TEMPERATURE if temperature is None else temperature, top_p)
        check_takes(takes)
        asked = self._ask(style, wishes, groove.grid)
        cues = hear(song, groove.grid)
        band = any(len(p.notes) for p in song.band)
        played = self.model.play(cues, make_generators(seed, takes), how=how, known=Known(known, groove), band=band, watch=watch, **self._tell(asked))
        stays = known[:, self.model.group]
        given = groove.replace(hits=groove.hits & stays)
        new = [set_loudness(suit(groove.replace(hits=groove.hits & ~stays), given, cues), asked.intensity) for groove in played]
        return [_merge(given, groove) for groove in new]

    def continue_groove(
        self,
        primer: Groove,
        bars: int,
        *,
        style: str = "any",
        qpm: float = 120.0,
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        wishes: Wishes | None = None,
        watch: Watch | None = None,
    ) -> Groove:
        """Go on after a primer, with no band.

        Args:
            primer: drums in the drummer's kit.
            bars: length of the result in bars, primer included; the bars added have the metre of the primer's last.
            style, seed, temperature, top_p, wishes, watch: see ``accompany``; wishes are for all bars of the result.
            qpm: quarters a minute.

        Raises:
            InputError: the primer is that long already, or an option is out of range.
        """
        if bars <= primer.grid.bars:
            raise InputError(f"the primer has {primer.grid.bars} bars: ask for more than that")
        grid = _extend(primer.grid, bars)
        pad = ((0, grid.steps - primer.grid.steps), (0, 0))
        given = Groove(grid, primer.kit, *(np.pad(getattr(primer, n), pad) for n in ("hits", "velocities", "offsets")))
        mask = np.zeros((grid.steps, 9), np.bool_)
        mask[: primer.grid.steps] = True
        how, asked = _choose_sampling(temperature, top_p), self._ask(style, wishes, grid)
        told = self._tell(asked)
        new = self.model.play(hear_nothing(grid, qpm), make_generators(seed, 1), how=how, known=Known(mask, given), band=False, watch=watch, **told)[0]
        return new.replace(offsets=np.where(mask[:, :1], given.offsets, new.offsets))

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
        """Play with no song at all, on any grid of 16ths; see ``accompany``."""
        how, asked = _choose_sampling(temperature, top_p), self._ask(style, wishes, grid)
        played = self.model.play(hear_nothing(grid, qpm), make_generators(seed, 1), how=how, band=False, watch=watch, **self._tell(asked))[0]
        return set_loudness(played, asked.intensity)

    def play_cues(
        self,
        cues: Cues,
        takes: int = 1,
        *,
        known: Known | None = None,
        wishes: Wishes | None = None,
        bias: Array | None = None,
        line: npt.NDArray[np.bool_] | None = None,
        band: bool = True,
        style: str = "any",
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        watch: Watch | None = None,
    ) -> list[Groove]:
        """Play to cues from anywhere, without offsets: what the other jobs are made of.

        Args:
            cues: on a grid of 16ths.
            takes: how many different takes.
            known: drums that are given.
            bias: float32 [steps, 512], added to the words' log-probabilities; -inf forbids a word.
            line: bool [steps], a rhythm to be played, for networks that have learned to.
            band: False where the cues hold no band.
            style, seed, temperature, top_p, wishes, watch: see ``accompany``.

        Raises:
            InputError: an option is out of range.
        """
        how, asked = _choose_sampling(temperature, top_p), self._ask(style, wishes, cues.grid)
        check_takes(takes)
        told = self._tell(asked) | {"bias": bias, "line": line, "band": band, "watch": watch}
        return self.model.play(cues, make_generators(seed, takes), how=how, known=known, **told)

    def _ask(self, style: str, wishes: Wishes | None, grid: Grid) -> Wishes:
        """What is asked for in each bar of a grid, the style for the whole, too."""
        check_style(style, self.styles)
        asked = (wishes or Wishes.nothing(grid.bars)).with_style(style)
        asked.check(grid.bars, self.styles)
        return asked

    def _tell(self, asked: Wishes) -> dict[str, Any]:
        """The same for the model."""
        return {"style": np.array([self.styles.index(s) for s in asked.styles], np.int64), "controls": asked.controls}


def _choose_sampling(temperature: float | None, top_p: float | None) -> Sampling:
    how = Sampling()
    if temperature is not None:
        how = replace(how, temperature=temperature)
    if top_p is not None:
        how = replace(how, top_p=top_p)
    if not 0 <= how.temperature <= 5 or not 0 < how.top_p <= 1:
        raise InputError(f"temperature must lie in 0-5 and top-p in (0, 1], not {how.temperature} and {how.top_p}")
    return how


def _merge(one: Groove, other: Groove) -> Groove:
    """Two grooves on one grid, in one kit, that share no hit."""
    sums = (getattr(one, n) + getattr(other, n) for n in ("velocities", "offsets"))
    return Groove(one.grid, one.kit, one.hits | other.hits, *sums)


def _extend(old: Grid, bars: int) -> Grid:
    """The grid with bars like its last added, until it has so many."""
    more = bars - old.bars
    length = int(old.bar_ticks[-1] - old.bar_ticks[-2])
    ticks = np.concatenate([old.bar_ticks, old.bar_ticks[-1] + length * np.arange(1, more + 1)])
    quarters, numerators, denominators = ((*v, *v[-1:] * more) for v in (old.bar_quarters, old.numerators, old.denominators))
    return Grid(ticks, quarters, numerators, denominators, old.steps_per_quarter)


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
