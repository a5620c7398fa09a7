"""Options of commands that play drums: how the hits are played."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from backbeat.drummer import Drummer
    from backbeat.plain_drummer import PlainDrummer
    from backbeat.touch import Touch

_OPTIONS = (
    click.option("--machine", is_flag=True, help="Also hits that two hands and two feet cannot play; else the least important of them leave."),
    click.option("--typed", is_flag=True, help="Velocities and places as decided, without the performer."),
    click.option("--drummer", default="any", show_default=True, help="Play like one of the performer's drummers: drummer1 to drummer10."),
    click.option("--profile", type=click.Path(path_type=Path), help="Play and strike like the player of a profile, a folder that 'backbeat learn' wrote."),
    click.option("--tightness", type=float, help="How near to the beat: 1 as the performer's drummers, 2 twice as tight. Default: 1.5."),
    click.option("--dynamics", type=float, default=1.0, show_default=True, help="Contrast of loud and soft hits: 0 none, 2 twice as much."),
)


def touch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which takes them as machine, typed, drummer, profile, tightness and dynamics."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def lean_on_profile(player: Drummer | PlainDrummer, profile: Path | None) -> Drummer | PlainDrummer:
    """The drummer with the vocabulary of a profile; models that cannot lean, or no profile, stay as they are.

    Raises:
        ModelError: the folder holds no profile, or is damaged.
    """
    from backbeat.drummer import Drummer
    from backbeat.profiles import LeaningDrummer, load_profile

    if profile is None or not isinstance(player, Drummer):
        return player
    return Drummer(LeaningDrummer(player.model, load_profile(profile).manner.vocabulary))


def make_touch(*, machine: bool, typed: bool, drummer: str, profile: Path | None, tightness: float | None, dynamics: float) -> Touch:
    """What the options ask for.

    Raises:
        InputError: a number is out of range.
    """
    from backbeat.touch import TOUCH, Touch

    playing = replace(TOUCH.playing, drummer=drummer, dynamics=dynamics)
    playing = replace(playing, tightness=tightness) if tightness is not None else playing
    return Touch(performed=not typed, playable=not machine, playing=playing, profile=profile)
