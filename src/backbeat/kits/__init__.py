"""Kit maps as data: which MIDI notes are read as which class, and which note is written for it.

Each ``*.json`` beside this file is one kit: ``{"name", "title", "source", "licence", "version", "classes": [{"name",
"label", "notes", "write"}]}``. Adding a kit is adding a file. Samplers that do not follow General MIDI say so by ``"layout"``: their
notes mean something else, so their classes are found by name, and are called as those of the kit ``backbeat``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError

GENERAL_MIDI = "general_midi"
STAND_INS = {
    "side_stick": "snare",
    "clap": "snare",
    "cowbell": "ride_bell",
    "claves": "side_stick",
    "pedal_hat": "closed_hat",
    "tambourine": "closed_hat",
    "shaker": "closed_hat",
    "light_shaker": "closed_hat",
    "open_hat": "closed_hat",
    "hand_percussion_high": "ride_bell",
    "low_conga": "low_tom",
    "mute_conga": "mid_tom",
    "high_bongo": "high_tom",
    "high_tom": "mid_tom",
    "mid_tom": "low_tom",
    "splash": "crash",
    "china": "crash",
    "ride_bell": "ride",
}
"""What sounds for a class of the kit ``backbeat`` that a sampler lacks."""


@dataclass(frozen=True)
class KitClass:
    """One class of a kit: its name, label for people, the MIDI notes read as it and the one written for it."""

    name: str
    label: str
    notes: tuple[int, ...]
    write: int


@dataclass(frozen=True)
class Kit:
    """A kit map, in the order in which a groove's columns stand; ``layout`` names what its notes mean where that is not General MIDI."""

    name: str
    title: str
    source: str
    licence: str
    version: int
    classes: tuple[KitClass, ...]
    layout: str = GENERAL_MIDI

    def __post_init__(self) -> None:
        notes = [n for c in self.classes for n in c.notes]
        if len(notes) != len(set(notes)) or any(not 0 <= n <= 127 for n in notes):
            raise InputError(f"kit {self.name}: a note is outside 0-127 or belongs to two classes")
        if len(set(self.names)) != len(self.classes) or any(not 0 <= c.write <= 127 for c in self.classes):
            raise InputError(f"kit {self.name}: class names must differ and written notes lie in 0-127")

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return tuple(c.name for c in self.classes)

    @property
    def lookup(self) -> npt.NDArray[np.int64]:
        """int64 [128]: the class of each MIDI note, -1 where the kit does not know it."""
        table = np.full(128, -1, dtype=np.int64)
        for index, cls in enumerate(self.classes):
            table[list(cls.notes)] = index
        return table

    @property
    def written(self) -> npt.NDArray[np.int64]:
        """int64 [classes]: the MIDI note written for each class."""
        return np.array([c.write for c in self.classes], dtype=np.int64)

    def index(self, name: str) -> int:
        """The column of a class.

        Raises:
            InputError: the kit has no class of that name.
        """
        if name not in self.names:
            raise InputError(f"kit {self.name} has no class {name!r}; it has {', '.join(self.names)}")
        return self.names.index(name)

    def mapping(self, other: Kit) -> npt.NDArray[np.int64]:
        """int64 [classes]: the class of ``other`` that reads the note written for each class here, -1 where none does.

        Between kits of different layouts it is the class called alike, or what stands in for it.
        """
        if self.layout == other.layout:
            return other.lookup[self.written]
        return np.array([other.find_stand_in(name) for name in self.names], dtype=np.int64)

    def find_stand_in(self, name: str) -> int:
        """The column of a class of the kit ``backbeat``, or of what stands in for it here; -1 where nothing does."""
        while name not in self.names and name in STAND_INS:
            name = STAND_INS[name]
        return self.names.index(name) if name in self.names else -1

    def to_dict(self) -> dict[str, Any]:
        """The kit as its JSON object, to be kept inline in a checkpoint."""
        classes = [{"name": c.name, "label": c.label, "notes": list(c.notes), "write": c.write} for c in self.classes]
        about = {"name": self.name, "title": self.title, "source": self.source, "licence": self.licence, "version": self.version}
        return {**about, **({} if self.layout == GENERAL_MIDI else {"layout": self.layout}), "classes": classes}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Kit:
        """The inverse of ``to_dict``.

        Raises:
            InputError: a field is missing or of the wrong type.
        """
        try:
            classes = tuple(KitClass(str(c["name"]), str(c["label"]), tuple(int(n) for n in c["notes"]), int(c["write"])) for c in data["classes"])
            name, title, source, licence = (str(data[key]) for key in ("name", "title", "source", "licence"))
            return cls(name, title, source, licence, int(data["version"]), classes, str(data.get("layout", GENERAL_MIDI)))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"not a kit map: {error!r}") from error


def list_kits() -> tuple[str, ...]:
    """Names of the kits that ship with Backbeat."""
    return tuple(sorted(p.name.removesuffix(".json") for p in resources.files(__package__).iterdir() if p.name.endswith(".json")))


@cache
def load_kit(name: str) -> Kit:
    """Load a shipped kit by name.

    Raises:
        InputError: there is no such kit.
    """
    if name not in list_kits():
        raise InputError(f"no kit {name!r}: choose from {', '.join(list_kits())}")
    text = resources.files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    return Kit.from_dict(json.loads(text))
