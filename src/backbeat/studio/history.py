"""The history of a project: a tree of states that only grows, where the musician is in it, and how both are written line by line.

Lines are of three kinds::

    {"groove": key, "from": key or null, "bars": {bar: hits}}       drums, as the bars that differ from other drums
    {"entry": n, "parent": m, "time": ..., "action": ..., "label": ..., "change": ..., "aside": true}
    {"at": n}                                                       undo, redo, or going anywhere else

An entry becomes the current one, but for those set aside. The revision counts what changed the current one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.studio.drums import Drums, read_bar, write_bar
from backbeat.studio.settings import MAX_SEED, show
from backbeat.studio.states import State, apply_difference

MAX_LABEL, MAX_TIME = 300, 40
MAX_BARS_KEPT = 40_000_000
"""Bars of all drums of a history together; bounds the memory that a hostile file takes."""

Line = dict[str, Any]


class MissingError(InputError):
    """There is no such project, state or drums."""


class StaleError(InputError):
    """The project has changed since.

    Args:
        revision: the one that it has now.
    """

    def __init__(self, revision: int) -> None:
        super().__init__("the project has changed in the meantime (another tab?): look at it as it is now and try again")
        self.revision = revision


@dataclass(frozen=True)
class Entry:
    """One state of the history.

    Args:
        number: counted from 0.
        parent: the entry it was made from; none = the first.
        time: when, ISO 8601, UTC.
        action: what was done, with its seed.
        label: the same for people.
        state: what came of it.
        aside: whether it was made when the musician had already gone on.
    """

    number: int
    parent: int | None
    time: str
    action: Mapping[str, Any]
    label: str
    state: State
    aside: bool = False

    @property
    def seed(self) -> int | None:
        """The seed of the action, where it has one."""
        seed = self.action.get("seed")
        return seed if type(seed) is int and 0 <= seed <= MAX_SEED else None


@dataclass
class History:
    """The states of a project and its drums.

    Args:
        grid: of the song.
    """

    grid: Grid
    entries: list[Entry] = field(default_factory=list)
    grooves: dict[str, Drums] = field(default_factory=dict)
    visited: dict[int, int] = field(default_factory=dict)
    at: int = 0
    revision: int = 0
    seeds: set[int] = field(default_factory=set)

    @property
    def current(self) -> Entry:
        """Where the musician is."""
        return self.entries[self.at]

    def find(self, number: object) -> Entry:
        """An entry by its number.

        Raises:
            MissingError: there is none.
        """
        if type(number) is not int or not 0 <= number < len(self.entries):
            raise MissingError(f"there is no state {show(number)} in this history")
        return self.entries[number]

    def find_undo(self) -> int | None:
        """The number of the entry that undoing leads to."""
        return self.current.parent

    def find_redo(self) -> int | None:
        """The number of the entry that redoing leads to: the child that was visited last."""
        return self.visited.get(self.at)

    def find_free_seed(self, first: int) -> int:
        """The first seed from a given one on that no action has used; behind the greatest comes 0."""
        return next(seed for seed in chain(range(first, MAX_SEED + 1), range(first)) if seed not in self.seeds)

    def check_room(self, more: int) -> None:
        """Refuse more drums than a history holds.

        Raises:
            InputError: it is full.
        """
        if (len(self.grooves) + more) * self.grid.bars > MAX_BARS_KEPT:
            raise InputError("the history of this project is full: download the song and go on in a new project")

    def apply(self, line: object) -> None:
        """Go on by one line.

        Raises:
            InputError: it is none of the three kinds, or speaks of what is not there.
        """
        if not isinstance(line, dict):
            raise InputError(f"it is {show(line)}")
        if set(line) == {"groove", "from", "bars"}:
            self._apply_groove(line)
        elif set(line) == {"at"}:
            self.go(self.find(line["at"]).number)
        elif set(line) - {"aside"} == {"entry", "parent", "time", "action", "label", "change"}:
            self._apply_entry(line)
        else:
            raise InputError(f"it has {show(sorted(map(str, line)))}")

    def _apply_groove(self, line: Line) -> None:
        base = Drums.empty(self.grid) if line["from"] is None else self.grooves.get(_read_text(line["from"], 40))
        if base is None:
            raise InputError(f"the drums {show(line['from'])} are not there")
        self.check_room(1)
        if not isinstance(line["bars"], dict):
            raise InputError(f"bars are numbers with hits, not {show(line['bars'])}")
        changes = {}
        for name, rows in line["bars"].items():
            bar = int(name) if name.isascii() and name.isdigit() and len(name) < 7 else -1
            if not 0 <= bar < self.grid.bars:
                raise InputError(f"there is no bar {show(name)}")
            changes[bar] = read_bar(rows, int(self.grid.first_steps[bar]), int(self.grid.first_steps[bar + 1]))
        drums = base.with_bars(changes)
        if drums.key != line["groove"]:
            raise InputError(f"the drums {show(line['groove'])} are not what they were")
        self.grooves[drums.key] = drums

    def _apply_entry(self, line: Line) -> None:
        number, parent = line["entry"], line["parent"]
        if type(number) is not int or number != len(self.entries) or (parent is None) != (number == 0) or line.get("aside", True) is not True:
            raise InputError(f"entry {show(number)} with parent {show(parent)} does not follow entry {len(self.entries) - 1}")
        if not isinstance(line["action"], dict) or not isinstance(line["action"].get("type"), str):
            raise InputError(f"there is no action {show(line['action'])}")
        before = State() if parent is None else self.find(parent).state
        state = apply_difference(before, line["change"], self.grid.bars, self.grooves)
        texts = _read_text(line["time"], MAX_TIME), line["action"], _read_text(line["label"], MAX_LABEL)
        self.add(Entry(number, parent, *texts, state, "aside" in line and number > 0))

    def add(self, entry: Entry) -> None:
        """Grow by an entry."""
        self.entries.append(entry)
        if entry.seed is not None:
            self.seeds.add(entry.seed)
        if not entry.aside:
            self.go(entry.number)
        elif entry.parent is not None:
            self.visited.setdefault(entry.parent, entry.number)

    def go(self, number: int) -> None:
        """Make an entry the current one."""
        if self.entries[self.at].parent == number:
            self.visited[number] = self.at
        parent = self.entries[number].parent
        if parent is not None:
            self.visited[parent] = number
        self.at = number
        self.revision += 1


def _read_text(data: object, most: int) -> str:
    if not isinstance(data, str) or len(data) > most or not data.isprintable():
        raise InputError(f"{show(data)} is not a line of at most {most} characters")
    return data


def write_groove(drums: Drums, base: Drums | None, grid: Grid) -> Line:
    """The line of drums, as their difference to others.

    Args:
        drums: the drums.
        base: others that are in the history already.
        grid: of the song.
    """
    changes = drums.find_changes(base or Drums.empty(grid))
    return {"groove": drums.key, "from": base.key if base else None, "bars": {str(bar): write_bar(packed) for bar, packed in changes.items()}}


def write_entry(entry: Entry, before: State) -> Line:
    """The line of an entry; ``before`` is the state of its parent."""
    line: Line = {"entry": entry.number, "parent": entry.parent, "time": entry.time, "action": dict(entry.action), "label": entry.label}
    return line | {"change": entry.state.difference(before)} | ({"aside": True} if entry.aside else {})
