"""A state of a project: settings, takes and locks, immutable, and as the difference to the state before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from backbeat.errors import InputError
from backbeat.studio.drums import studio_kit
from backbeat.studio.settings import BAR, BELOW, DEFAULTS, MAX_SEED, SONG, Number, Values, lay_over, read_settings, show

MAX_LISTED, MAX_NAME = 16, 120
"""Takes that are listed side by side; characters of a name."""
Locks = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class Take:
    """One of several drum tracks.

    Args:
        name: for people.
        seed: of the action that made it; none = made by hand, or the song's own.
        groove: key of its drums.
    """

    name: str
    seed: int | None
    groove: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "seed": self.seed, "groove": self.groove}


@dataclass(frozen=True)
class State:
    """All that is set and played at one point of the history.

    Args:
        settings: of the song, all of ``settings.SONG``.
        sections, bars: what is set for one section or bar otherwise, by its number from 0.
        takes: the drum tracks.  take: index of the current one; none without takes.
        locks: names of the locked classes by bar, in the order of the kit.
    """

    settings: Values = field(default_factory=lambda: dict(DEFAULTS))
    sections: Mapping[int, Values] = field(default_factory=dict)
    bars: Mapping[int, Values] = field(default_factory=dict)
    takes: tuple[Take, ...] = ()
    take: int | None = None
    locks: Locks = field(default_factory=dict)

    @property
    def current(self) -> Take | None:
        """The current take."""
        return None if self.take is None else self.takes[self.take]

    def to_dict(self) -> dict[str, Any]:
        """As JSON, whole."""
        numbered = {name: {str(k): v for k, v in sorted(getattr(self, name).items())} for name in ("sections", "bars")}
        locks = {str(bar): list(names) for bar, names in sorted(self.locks.items())}
        takes = [take.to_dict() for take in self.takes]
        return {
            "settings": dict(self.settings),
            **{k: {n: dict(v) for n, v in m.items()} for k, m in numbered.items()},
            "takes": takes,
            "take": self.take,
            "locks": locks,
        }

    def choose(self, index: int) -> State:
        """The same with another take as the current one.

        Raises:
            InputError: there is no such take.
        """
        if not 0 <= index < len(self.takes):
            raise InputError(f"there is no take {index + 1}: there are {len(self.takes)}")
        return replace(self, take=index)

    def put(self, take: Take) -> State:
        """The same with the current take exchanged; where there is none it becomes the first."""
        if self.take is None:
            return self.add([take])
        return replace(self, takes=(*self.takes[: self.take], take, *self.takes[self.take + 1 :]))

    def add(self, takes: list[Take]) -> State:
        """The same with takes added behind the others, the first of them the current one; of too many the first leave."""
        kept = self.takes[max(0, len(self.takes) + len(takes) - MAX_LISTED) :]
        return replace(self, takes=(*kept, *takes), take=len(kept))

    def difference(self, before: State) -> dict[str, Any]:
        """What is not as in another state, as JSON; numbered things as runs [first, last, value]."""
        out: dict[str, Any] = {}
        if self.settings != before.settings:
            out["settings"] = {name: value for name, value in self.settings.items() if value != before.settings[name]}
        for name in ("sections", "bars", "locks"):
            new, old = getattr(self, name), getattr(before, name)
            if new is not old and new != old:
                out[name] = _write_runs({k: new.get(k) for k in sorted({*new, *old}) if new.get(k) != old.get(k)})
        if self.takes != before.takes:
            out["takes"] = [take.to_dict() for take in self.takes]
        if self.take != before.take:
            out["take"] = self.take
        return out


def _write_runs(values: Mapping[int, Any]) -> list[list[Any]]:
    runs: list[list[Any]] = []
    for number, value in values.items():
        value = list(value) if isinstance(value, tuple) else value
        if runs and runs[-1][1] == number - 1 and runs[-1][2] == value:
            runs[-1][1] = number
        else:
            runs.append([number, number, value])
    return runs


def apply_difference(before: State, change: object, bars: int, grooves: Mapping[str, Any]) -> State:
    """The inverse of ``State.difference``, with anything else refused.

    Args:
        before: the state that it is a difference to.
        change: from JSON.
        bars: how many the song has.
        grooves: the keys of the drums that there are.

    Raises:
        InputError: a part of it is not as this module writes it.
    """
    if not isinstance(change, dict) or not set(change) <= {"settings", "sections", "bars", "locks", "takes", "take"}:
        raise InputError(f"a change has settings, sections, bars, locks, takes and take, not {show(change)}")
    settings = before.settings
    if "settings" in change:
        settings = lay_over(settings, read_settings(change["settings"], SONG), DEFAULTS)
    sections = _apply_runs(before.sections, change.get("sections", []), bars, lambda value: read_settings(value, BELOW))
    own = _apply_runs(before.bars, change.get("bars", []), bars, lambda value: read_settings(value, BAR))
    locks = _apply_runs(before.locks, change.get("locks", []), bars, read_classes)
    takes = tuple(map(_read_take, _read_list(change["takes"], MAX_LISTED, "takes"))) if "takes" in change else before.takes
    missing = [take.groove for take in takes if take.groove not in grooves]
    if missing:
        raise InputError(f"the drums {show(missing[0])} of a take are not there")
    take = change.get("take", before.take)
    if (take is None) != (not takes) or (take is not None and not (type(take) is int and 0 <= take < len(takes))):
        raise InputError(f"the current take is {show(take)} of {len(takes)}")
    return State(settings, sections, own, takes, take, locks)


def _apply_runs(before: Mapping[int, Any], runs: object, bars: int, read: Callable[[object], object]) -> Mapping[int, Any]:
    if not runs and isinstance(runs, list):
        return before
    out, behind = dict(before), 0
    for run in _read_list(runs, bars, "runs"):
        if not (isinstance(run, list) and len(run) == 3 and all(type(n) is int for n in run[:2]) and behind <= run[0] <= run[1] < bars):
            raise InputError(f"a run is [first bar, last bar, value] behind those before it, not {show(run)}")
        behind = run[1] + 1
        value = None if run[2] is None else read(run[2])
        for number in range(run[0], run[1] + 1):
            if value:
                out[number] = value
            else:
                out.pop(number, None)
    return out


def _read_list(data: object, most: int, what: str) -> list[Any]:
    if not isinstance(data, list) or len(data) > most:
        raise InputError(f"{what} are a list of at most {most}, not {show(data)}")
    return data


def _read_take(data: object) -> Take:
    if not isinstance(data, dict) or set(data) != {"name", "seed", "groove"} or not isinstance(data["groove"], str):
        raise InputError(f"a take has name, seed and groove, not {show(data)}")
    return Take(read_name(data["name"]), None if data["seed"] is None else int(Number(0, MAX_SEED, whole=True)("seed", data["seed"])), data["groove"])


def read_name(data: object) -> str:
    """A name on one line.

    Raises:
        InputError: it is no text, empty, or too long.
    """
    if not isinstance(data, str) or not (name := " ".join("".join(c if c.isprintable() else " " for c in data).split())) or len(name) > MAX_NAME:
        raise InputError(f"a name has 1 to {MAX_NAME} characters, not {show(data)}")
    return name


def read_classes(data: object) -> tuple[str, ...]:
    """Kit classes by name or number, as names in the order of the kit.

    Raises:
        InputError: there is no such class.
    """
    names = studio_kit().names
    out = set()
    for item in _read_list(data, 10 * len(names), "classes"):
        known = item in names if isinstance(item, str) else type(item) is int and 0 <= item < len(names)
        if not known:
            raise InputError(f"there is no kit class {show(item)}: choose from {', '.join(names)}")
        out.add(item if isinstance(item, str) else names[item])
    return tuple(name for name in names if name in out)
