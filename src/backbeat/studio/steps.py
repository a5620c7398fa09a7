"""Actions that take no time: the state that each leads to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.midi import extract_groove
from backbeat.studio.actions import Action
from backbeat.studio.drums import HIT, LATEST, Cell, Drums, Flags, exchange, pack, studio_kit
from backbeat.studio.project import Project
from backbeat.studio.settings import DEFAULTS, check_styles, lay_over
from backbeat.studio.states import Locks, State, Take

_USUAL_VELOCITY, _ENOUGH = 90, 8


@dataclass(frozen=True)
class Step:
    """What an action comes to.

    Args:
        action: with everything that it left open filled in.
        label: the same for people.
        state: that it leads to.
        drums: those of its takes that may be new.
    """

    action: Mapping[str, Any]
    label: str
    state: State
    drums: tuple[Drums, ...] = ()


def take_step(project: Project, state: State, action: Action, styles: Collection[str] | None = None) -> Step:
    """Do an action that takes no time.

    Args:
        project: of the state.
        state: from which it starts.
        action: one that is no job.
        styles: those that the drummer knows; none = not asked.

    Raises:
        InputError: it cannot be done.
    """
    if styles is not None:
        check_styles(action.values["values"], styles)
    return _STEPS[action.type](project, state, action)


def _set(project: Project, state: State, action: Action) -> Step:
    scope, values = action.values["scope"], action.values["values"]
    said = ", ".join(f"{name} {_tell(value)}" for name, value in values.items()) or "nothing"
    if scope == "song":
        return Step(action.to_dict(), f"Song: {said}"[:200], replace(state, settings=lay_over(state.settings, values, DEFAULTS)))
    kind, value = next(iter(scope.items()))
    if kind == "section":
        if value >= len(project.sections):
            raise InputError(f"no section {value + 1}: there are {len(project.sections)}")
        return Step(action.to_dict(), f"Section {value + 1}: {said}"[:200], replace(state, sections=_set_at(state.sections, [value], values)))
    bars = range(value[0], value[1] + 1) if kind == "bars" else [value]
    return Step(action.to_dict(), f"{name_bars(bars)}: {said}"[:200], replace(state, bars=_set_at(state.bars, bars, values)))


def _set_at(old: Mapping[int, Mapping[str, Any]], numbers: Sequence[int], values: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    out = {**old, **{number: lay_over(old.get(number, {}), values) for number in numbers}}
    return {number: kept for number, kept in out.items() if kept}


def _tell(value: object) -> str:
    return "as it comes" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def find_cells(grid: Grid, bars: Sequence[int] | None, classes: Sequence[str] | None) -> Flags:
    """Bool [steps, classes]: the cells of some bars and classes; none = all.

    Args:
        grid: bars and steps.
        bars: 0-based.  classes: names.
    """
    names = studio_kit().names
    rows = np.ones(grid.steps, np.bool_) if bars is None else np.isin(grid.bar_of_step, list(bars))
    columns = np.ones(len(names), np.bool_) if classes is None else np.isin(names, list(classes))
    return np.asarray(rows[:, None] & columns, dtype=np.bool_)


def find_locked(grid: Grid, locks: Locks) -> Flags:
    """Bool [steps, classes]: the cells that are locked."""
    kit = studio_kit()
    by_bar = np.zeros((grid.bars, len(kit)), np.bool_)
    for bar, names in locks.items():
        by_bar[bar, [kit.names.index(name) for name in names]] = True
    return np.asarray(by_bar[grid.bar_of_step], dtype=np.bool_)


def _edit(project: Project, state: State, action: Action) -> Step:
    grid, kit, drums = project.grid, studio_kit(), project.drums(state=state)
    cells = [(cell["step"], kit.index(cell["class"]), cell) for cell in action.values["cells"]]
    locked = find_locked(grid, state.locks)
    for step, column, _ in cells:
        if locked[step, column]:
            raise InputError(f"bar {grid.bar_of_step[step] + 1}: {kit.classes[column].label.lower()} is locked there, unlock it first")
    chosen = np.zeros((grid.steps, len(kit)), np.bool_)
    chosen[[s for s, _, _ in cells], [c for _, c, _ in cells]] = True
    coming = _fill_in(cells, drums, grid)
    bars = sorted({int(grid.bar_of_step[step]) for step, _, _ in cells})
    full = [
        {
            "step": step,
            "class": kit.names[column],
            "velocity": None,
            **({"velocity": coming[step, column][2], "offset": coming[step, column][3]} if (step, column) in coming else {}),
        }
        for step, column, _ in cells
    ]
    label = f"Edit {_name_cells(bars, dict.fromkeys(column for _, column, _ in cells))}"
    return _put(state, {"type": "edit", "cells": full}, label, exchange(drums, chosen, pack(coming.values()), grid))


def _fill_in(cells: Sequence[tuple[int, int, Mapping[str, Any]]], drums: Drums, grid: Grid) -> dict[tuple[int, int], Cell]:
    """The hits that an edit makes, with velocity and offset where it says none."""
    bars = {int(grid.bar_of_step[step]) for step, _, _ in cells}
    there = {(step, column): (velocity, offset) for bar in bars for step, column, velocity, offset in np.frombuffer(drums.bars[bar], HIT).tolist()}
    out = {}
    for step, column, cell in cells:
        velocity, late, before = cell.get("velocity", -1), cell.get("offset"), there.get((step, column))
        if velocity is None:
            continue
        if velocity == -1:
            velocity = before[0] if before else _find_usual_velocity(drums, column)
        if late is None:
            late = before[1] if before else _find_usual_offset(drums, step, grid)
        out[step, column] = (step, column, int(velocity), min(float(np.float32(late)), LATEST))
    return out


def _find_usual_velocity(drums: Drums, column: int) -> int:
    """How loud a class usually is."""
    hits = drums.hits
    own = hits["velocity"][hits["column"] == column]
    return int(np.median(own)) if len(own) else _USUAL_VELOCITY


def _find_usual_offset(drums: Drums, step: int, grid: Grid) -> float:
    """How late a new hit is: as the others of its step, or as is usual at its place in the quarter."""
    steps, offsets = drums.hits["step"], drums.hits["offset"]
    here = offsets[np.searchsorted(steps, step) : np.searchsorted(steps, step, side="right")]
    if len(here):
        return float(np.median(here))
    phases = grid.step_in_bar % grid.steps_per_quarter
    alike = offsets[phases[steps.astype(np.int64)] == phases[step]]
    return float(np.median(alike)) if len(alike) >= _ENOUGH else 0.0


def _clear(project: Project, state: State, action: Action) -> Step:
    cells = find_cells(project.grid, action.values["bars"], action.values["classes"]) & ~find_locked(project.grid, state.locks)
    if not cells.any():
        raise InputError("all of these cells are locked: unlock some first")
    drums = exchange(project.drums(state=state), cells, pack([]), project.grid)
    return _put(state, action.to_dict(), f"Clear {name_place(action)}", drums)


def _put(state: State, action: Mapping[str, Any], label: str, drums: Drums) -> Step:
    """The current take with other drums."""
    take = state.current or Take("Take 1", None, "")
    return Step(action, label, state.put(replace(take, groove=drums.key)), (drums,))


def _lock(project: Project, state: State, action: Action) -> Step:
    locking = action.type == "lock"
    names = studio_kit().names
    chosen = set(action.values["classes"] or names)
    locks = dict(state.locks)
    for bar in range(project.grid.bars) if action.values["bars"] is None else action.values["bars"]:
        was = set(locks.pop(bar, ()))
        now = was | chosen if locking else was - chosen
        if now:
            locks[bar] = tuple(name for name in names if name in now)
    return Step(action.to_dict(), f"{action.type.capitalize()} {name_place(action)}", replace(state, locks=dict(sorted(locks.items()))))


def _choose(_: Project, state: State, action: Action) -> Step:
    chosen = state.choose(action.values["index"])
    return Step(action.to_dict(), f"Choose {chosen.takes[action.values['index']].name}", chosen)


def _rename(_: Project, state: State, action: Action) -> Step:
    index, name = action.values["index"], action.values["name"]
    old = state.choose(index).takes[index]
    takes = (*state.takes[:index], replace(old, name=name), *state.takes[index + 1 :])
    return Step(action.to_dict(), f"Call {old.name} {name}"[:200], replace(state, takes=takes))


def _remove(_: Project, state: State, action: Action) -> Step:
    index = action.values["index"]
    old = state.choose(index).takes[index]
    takes = (*state.takes[:index], *state.takes[index + 1 :])
    current = state.take or 0
    return Step(action.to_dict(), f"Remove {old.name}", replace(state, takes=takes, take=min(current - (index < current), len(takes) - 1) if takes else None))


def _take_original(project: Project, state: State, action: Action) -> Step:
    if not any(len(part.notes) for part in project.song.drum_parts):
        raise InputError("the song has no drums of its own")
    drums = Drums.from_groove(extract_groove(project.song, project.grid, studio_kit())[0])
    return Step(action.to_dict(), "The song's own drums", state.add([Take("Original", None, drums.key)]), (drums,))


_STEPS: dict[str, Callable[[Project, State, Action], Step]] = {
    "settings": _set,
    "edit": _edit,
    "clear": _clear,
    "lock": _lock,
    "unlock": _lock,
    "take": _choose,
    "rename_take": _rename,
    "remove_take": _remove,
    "original": _take_original,
}


def name_bars(bars: Sequence[int]) -> str:
    """Bars for people: "Bar 17", "Bars 9-12, 17"."""
    runs: list[list[int]] = []
    for bar in bars:
        if runs and runs[-1][1] == bar - 1:
            runs[-1][1] = bar
        else:
            runs.append([bar, bar])
    texts = [f"{a + 1}" if a == b else f"{a + 1}-{b + 1}" for a, b in runs]
    return f"Bar{'s' * (len(bars) > 1)} {', '.join(texts[:6])}{' ...' * (len(texts) > 6)}"


def name_place(action: Action) -> str:
    """Bars and classes of an action for people."""
    classes = action.values["classes"]
    return _name_cells(action.values["bars"], None if classes is None else map(studio_kit().index, classes))


def _name_cells(bars: Sequence[int] | None, columns: Iterable[int] | None) -> str:
    where = "all bars" if bars is None else name_bars(bars).lower()
    if columns is None:
        return where
    labels = [studio_kit().classes[column].label.lower() for column in columns]
    return f"{where}: {', '.join(labels[:4])}{' ...' * (len(labels) > 4)}"
