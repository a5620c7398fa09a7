"""Options of commands that play drums: what is asked for, for the whole, for sections and for single bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from backbeat.errors import InputError

if TYPE_CHECKING:
    from backbeat.asking import Wishes
    from backbeat.cues import Cues

MOST_BARS = 100_000
"""Numbers of bars beyond are refused before any list of them is made."""
_NUMBERS = ("density", "intensity", "fills")
_HOW = "write it as 17-24:density=.8,style=jazz"
_OPTIONS = (
    click.option("--density", type=float, help="How many hits: 0-1, 0.5 as in half of all bars of songs. Default: the drummer decides."),
    click.option("--intensity", type=float, help="How loud: 0-1, the same. Default: the drummer decides."),
    click.option("--fills", type=float, help="How many fills: 0 none, 0.25 one in eight bars, 0.5 one in four, 1 one in two; at ends of sections first."),
    click.option("--fill-bars", help="Bars that get a fill for certain, such as 8,16."),
    click.option(
        "--at",
        multiple=True,
        metavar="BARS:NAME=VALUE,...",
        help="For some bars: 17-24:density=.8,style=jazz. Names: density, intensity, fills, fill (yes or no), style; "
        "s2 is the second section. May be repeated; what comes later wins.",
    ),
)


def wish_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which takes what they ask for as ``asked``."""

    @wraps(command)
    def ask(*args: Any, density: float | None, intensity: float | None, fills: float | None, fill_bars: str | None, at: tuple[str, ...], **rest: Any) -> Any:  # noqa: ANN401 - of the command
        return command(*args, asked=read_wishes(density=density, intensity=intensity, fills=fills, fill_bars=fill_bars, at=at), **rest)

    for option in reversed(_OPTIONS):
        ask = option(ask)
    return ask


@dataclass(frozen=True)
class Asked:
    """What the options ask for, before it is known of how many bars.

    Args:
        whole: density, intensity, fills for all bars.
        places: bars as they were written, and what is said of them.
        fill_bars: 1-based bars that get a fill.
    """

    whole: dict[str, Any]
    places: tuple[tuple[str, dict[str, Any]], ...]
    fill_bars: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.whole or self.places or self.fill_bars)

    def describe(self) -> dict[str, Any]:
        """The same for machines; {} where nothing is asked for."""
        if not self:
            return {}
        return self.whole | {"fill_bars": list(self.fill_bars), "at": [{"bars": place} | said for place, said in self.places]}

    def lay(self, cues: Cues, styles: tuple[str, ...]) -> Wishes:
        """The same for the bars of a song.

        Args:
            cues: what is heard of it.
            styles: those of the drummer.

        Raises:
            InputError: there is no such bar, section or style.
        """
        from backbeat.asking import Wishes
        from backbeat.takes import check_style

        wishes = _say(Wishes.nothing(cues.grid.bars), self.whole, None, cues)
        for place, said in self.places:
            check_style(said.get("style", "any"), styles)
            wishes = _say(wishes, said, _find_bars(place, cues), cues)
        return wishes.ask([b - 1 for b in self.fill_bars], fill=True) if self.fill_bars else wishes


def read_wishes(*, density: float | None, intensity: float | None, fills: float | None, fill_bars: str | None, at: tuple[str, ...]) -> Asked:
    """What the options ask for.

    Raises:
        InputError: an option is out of range, or written wrongly.
    """
    whole = {name: value for name, value in (("density", density), ("intensity", intensity), ("fills", fills)) if value is not None}
    for name, value in whole.items():
        _check(f"--{name}", value)
    return Asked(whole, tuple(_read_place(text) for text in at), tuple(read_bars(fill_bars, "--fill-bars")) if fill_bars is not None else ())


def read_bars(text: str, option: str = "--bars") -> list[int]:
    """Bars as people write them: "9-12,20" is 9, 10, 11, 12 and 20.

    Raises:
        InputError: it is written otherwise.
    """
    chosen: set[int] = set()
    for part in text.split(","):
        first, dash, last = (p.strip() for p in part.partition("-"))
        ends = (first, last) if dash else (first, first)
        if not all(e.isascii() and e.isdigit() and len(e) < 7 for e in ends) or not 1 <= int(ends[0]) <= int(ends[1]) <= MOST_BARS:
            raise InputError(f"{option} {text}: write bars as 9-12 or 9-12,20, counted from 1")
        chosen |= set(range(int(ends[0]), int(ends[1]) + 1))
    return sorted(chosen)


def _read_place(text: str) -> tuple[str, dict[str, Any]]:
    place, colon, settings = text.partition(":")
    place, said = place.strip(), dict[str, Any]()
    if not colon:
        raise InputError(f"--at {text}: {_HOW}")
    if _read_section(place) is None:
        read_bars(place, "--at")
    for setting in settings.split(","):
        name, _, value = (p.strip() for p in setting.partition("="))
        said[name] = _read_setting(text, name, value)
    return place, said


def _read_setting(text: str, name: str, value: str) -> float | bool | str:
    if name == "style" and value:
        return value
    if name == "fill" and value in ("yes", "no"):
        return value == "yes"
    if name not in _NUMBERS:
        raise InputError(f"--at {text}: {_HOW}; there are density, intensity, fills, fill=yes or fill=no, and style")
    try:
        number = float(value)
    except ValueError as error:
        raise InputError(f"--at {text}: {name} is a number in 0-1, not {value!r}") from error
    return _check(f"--at {text}: {name}", number)


def _check(what: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise InputError(f"{what} must lie in 0-1, not {value:g}")
    return value


def _read_section(place: str) -> int | None:
    """The number of a section written as s2; None for anything else."""
    digits = place[1:]
    return int(digits) if place[:1] == "s" and digits.isascii() and digits.isdigit() and len(digits) < 7 else None


def _find_bars(place: str, cues: Cues) -> list[int]:
    """0-based bars of a place."""
    section = _read_section(place)
    if section is None:
        return [b - 1 for b in read_bars(place, "--at")]
    edges = list_sections(cues)
    if not 1 <= section <= len(edges):
        raise InputError(f"--at {place}: there are {len(edges)} sections: {', '.join(f's{k} = {a + 1}-{b}' for k, (a, b) in enumerate(edges[:12], 1))}")
    return list(range(*edges[section - 1]))


def list_sections(cues: Cues) -> list[tuple[int, int]]:
    """First bar of each section that is heard, 0-based, and the one behind its last."""
    edges = [0, *(b for b, starts in enumerate(cues.section_starts.tolist()) if starts and b), cues.grid.bars]
    return list(pairwise(edges))


def _say(wishes: Wishes, said: dict[str, Any], bars: list[int] | None, cues: Cues) -> Wishes:
    """Wishes with some more; fills go where the band plays, or anywhere where there is none."""
    amount = said.get("fills")
    out = wishes.ask(bars, **{name: value for name, value in said.items() if name != "fills"})
    if amount is None:
        return out
    here = range(cues.grid.bars) if bars is None else bars
    playing = [b for b in here if cues.active_bars[b]] or list(here)
    return out.ask(bars, fill=False).ask_fills(amount, cues.section_starts, playing)
