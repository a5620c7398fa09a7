"""What a musician can ask for: the types of actions, and what each says.

An action is a JSON object: its ``type`` and the values below. Bars are counted from 0; null for bars or classes means all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.studio.drums import LATEST
from backbeat.studio.settings import BAR, BELOW, MAX_SEED, MAX_TAKES, SONG, Number, read_settings, show
from backbeat.studio.states import MAX_LISTED, read_classes, read_name

MAX_CELLS = 10_000
"""Cells of one edit."""


@dataclass(frozen=True)
class Action:
    """What is asked for.

    Args:
        type: one of ``FORMS``.
        values: what it says, checked, nothing missing.
    """

    type: str
    values: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"type": self.type, **self.values}

    def with_seed(self, seed: int) -> Action:
        """The same with a seed."""
        return replace(self, values={**self.values, "seed": seed})


Reader = Callable[[Any, Grid], Any]
Scope = str | dict[str, Any]


def _or_none(reader: Reader) -> Reader:
    return lambda data, grid: None if data is None else reader(data, grid)


def _number(name: str, least: float, most: float) -> Reader:
    check = Number(least, most, whole=True)
    return lambda data, _: check(name, data)


def _read_bars(data: object, grid: Grid) -> list[int]:
    if not isinstance(data, list) or not 0 < len(data) <= 4 * grid.bars:
        raise InputError(f"bars are a list of numbers, not {show(data)}")
    return sorted({check_bar(bar, grid) for bar in data})


def check_bar(bar: object, grid: Grid) -> int:
    """The number of a bar, from 0.

    Raises:
        InputError: there is no such bar.
    """
    if type(bar) is not int:
        raise InputError(f"a bar is a number, not {show(bar)}")
    if not 0 <= bar < grid.bars:
        raise InputError(f"no bar {show(bar + 1)}: there are bars 1-{grid.bars}")
    return bar


def _read_some_classes(data: object, _: Grid) -> list[str]:
    names = list(read_classes(data))
    if not names:
        raise InputError("name at least one kit class")
    return names


def _read_cells(data: object, grid: Grid) -> list[dict[str, Any]]:
    if not isinstance(data, list) or not 0 < len(data) <= MAX_CELLS:
        raise InputError(f"cells are a list of at most {MAX_CELLS:,}, not {show(data)}")
    cells = [_read_cell(cell, grid) for cell in data]
    if len({(cell["step"], cell["class"]) for cell in cells}) != len(cells):
        raise InputError("two of the cells are the same")
    return cells


def _read_cell(data: object, grid: Grid) -> dict[str, Any]:
    if not isinstance(data, dict) or not {"step", "class"} <= set(data) <= {"step", "class", "velocity", "offset"}:
        raise InputError(f"a cell has step, class, velocity and offset, not {show(data)}")
    cell: dict[str, Any] = {"step": Number(0, grid.steps - 1, whole=True)("a step", data["step"]), "class": read_classes([data["class"]])[0]}
    if "velocity" in data:
        cell["velocity"] = None if data["velocity"] is None else Number(1, 127, whole=True)("a velocity", data["velocity"])
    if data.get("offset") is not None:
        cell["offset"] = Number(-0.5, LATEST)("an offset", data["offset"])
    return cell


def _read_scope(data: object, grid: Grid) -> Scope:
    if data == "song":
        return "song"
    if not isinstance(data, dict) or len(data) != 1 or not set(data) <= {"section", "bar", "bars"}:
        raise InputError(f'the scope is "song", a section, a bar or bars, not {show(data)}')
    kind, value = next(iter(data.items()))
    if kind == "bars":
        if not isinstance(value, list) or len(value) != 2:
            raise InputError(f"the bars of a scope are the first and the last, not {show(value)}")
        first, last = (check_bar(bar, grid) for bar in value)
        if last < first:
            raise InputError(f"the bars of a scope are the first and the last, not {show(value)}")
        return {kind: [first, last]}
    return {kind: check_bar(value, grid) if kind == "bar" else Number(0, grid.bars - 1, whole=True)("a section", value)}


_SEED, _TAKES = _or_none(_number("seed", 0, MAX_SEED)), _or_none(_number("takes", 1, MAX_TAKES))
_WHERE: dict[str, Reader] = {"bars": _or_none(_read_bars), "classes": _or_none(_read_some_classes)}
_INDEX = _number("the number of a take", 0, MAX_LISTED - 1)
FORMS: dict[str, dict[str, Reader]] = {
    "settings": {"scope": _read_scope, "values": lambda data, _: data},
    "generate": {"takes": _TAKES, "seed": _SEED},
    "redo": {**_WHERE, "takes": _TAKES, "seed": _SEED},
    "feel": {**_WHERE, "seed": _SEED},
    "edit": {"cells": _read_cells},
    "clear": _WHERE,
    "lock": _WHERE,
    "unlock": _WHERE,
    "take": {"index": _INDEX},
    "rename_take": {"index": _INDEX, "name": lambda data, _: read_name(data)},
    "remove_take": {"index": _INDEX},
    "original": {},
}
"""The types of actions, and what each says."""
JOBS = frozenset({"generate", "redo", "feel"})
"""Those that take a while."""


def read_action(data: object, grid: Grid) -> Action:
    """An action as it comes from the page, or from a history.

    Args:
        data: from JSON.
        grid: of the song.

    Raises:
        InputError: it is no action, or a value is out of range.
    """
    if not isinstance(data, dict) or not isinstance(data.get("type"), str) or data["type"] not in FORMS:
        raise InputError(f"an action has a type, one of {', '.join(FORMS)}; not {show(data.get('type') if isinstance(data, dict) else data)}")
    form = FORMS[data["type"]]
    unknown = [name for name in data if name not in form and name != "type"]
    if unknown:
        raise InputError(f"{data['type']} has no {show(unknown[0])}: it has {', '.join(form) or 'nothing to say'}")
    values = {name: read(data.get(name), grid) for name, read in form.items()}
    if data["type"] == "settings":
        values["values"] = _read_values(values["scope"], values["values"])
    return Action(data["type"], values)


def _read_values(scope: Scope, data: object) -> dict[str, Any]:
    table = SONG if scope == "song" else BELOW if "section" in scope else BAR
    return read_settings(data, table)
