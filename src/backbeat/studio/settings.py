"""What can be set: for the song, for a section, for a bar. Null leaves it to the drummer, or to what is set above."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from backbeat.errors import InputError

MAX_TAKES, MAX_SEED = 8, 2**31 - 1
STYLE = re.compile(r"[a-z0-9][a-z0-9_ -]{0,39}")
Values = Mapping[str, Any]
Setting = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Number:
    """A number of a range: whole ones only, or any."""

    least: float
    most: float
    whole: bool = False

    def __call__(self, name: str, value: object) -> float | int:
        """The value, checked.

        Raises:
            InputError: it is no such number.
        """
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float) or not self.least <= value <= self.most:
            raise InputError(f"{name} is a {'whole ' * self.whole}number from {self.least:g} to {self.most:g}, not {show(value)}")
        return int(value) if self.whole else float(value)


def show(value: object) -> str:
    """A value in a message, in a few characters on one line."""
    text = re.sub(r"[^ -~\w]+", " ", repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a number of many digits")
    return text if len(text) <= 60 else text[:59] + "…"


def read_style(name: str, value: object) -> str:
    """The name of a style; whether the drummer knows it shows when it plays.

    Raises:
        InputError: it cannot be one.
    """
    if not isinstance(value, str) or not STYLE.fullmatch(value):
        raise InputError(f"{name} is the name of a style, not {show(value)}")
    return value


def read_flag(name: str, value: object) -> bool:
    """True or false.

    Raises:
        InputError: it is neither.
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} is true or false, not {show(value)}")
    return value


BELOW: dict[str, Setting] = {"style": read_style, "density": Number(0, 1), "intensity": Number(0, 1), "fills": Number(0, 1)}
"""What can be set for a section and a bar, too."""
SONG: dict[str, Setting] = BELOW | {
    "temperature": Number(0, 5),
    "seed": Number(0, MAX_SEED, whole=True),
    "swing": Number(50, 75),
    "tightness": Number(0.25, 100),
    "dynamics": Number(0, 4),
    "push_ms": Number(-100, 100),
    "takes": Number(1, MAX_TAKES, whole=True),
}
BAR: dict[str, Setting] = BELOW | {"fill": read_flag}
DEFAULTS: dict[str, Any] = dict.fromkeys(SONG) | {"style": "any", "takes": 3}


def read_settings(data: object, table: Mapping[str, Setting]) -> dict[str, Any]:
    """Settings as given, checked; null stays null.

    Args:
        data: from JSON.
        table: the names that there are, and how each is checked.

    Raises:
        InputError: there is no such setting, or a value is out of range.
    """
    if not isinstance(data, dict):
        raise InputError(f"settings are names with values, not {show(data)}")
    unknown = [name for name in data if name not in table]
    if unknown:
        raise InputError(f"there is no setting {show(unknown[0])} here: there are {', '.join(table)}")
    return {name: None if value is None else table[name](name, value) for name, value in data.items()}


def check_styles(values: Values, styles: Collection[str]) -> None:
    """Refuse a style that the drummer does not know.

    Raises:
        InputError: it does not.
    """
    style = values.get("style")
    if style is not None and style not in styles:
        raise InputError(f"no style {show(style)}: choose from {', '.join(styles)}")


def lay_over(old: Values, new: Values, defaults: Values | None = None) -> dict[str, Any]:
    """Old settings with new ones over them; a null takes the old one away, or brings the default back.

    Args:
        old, new: settings.
        defaults: of the song; none below it.
    """
    merged = {**old, **new}
    if defaults is not None:
        return {name: defaults[name] if merged.get(name) is None else merged[name] for name in defaults}
    return {name: value for name, value in merged.items() if value is not None}
