"""Where the instruments of a kit stand, and which limbs can strike them.

One drummer plays everything in the file: the kit, and what stands or hangs beside it (cowbell, claps on a pad, congas ...). Places are centimetres on
a right-handed kit seen from above, the drummer at the origin, x to the right, y away; a left-handed kit is its mirror image and has the same limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from backbeat.kits import Kit
from backbeat.units import Floats, Ints

KICK, PEDAL = 0, 1
"""Numbers of the two surfaces that feet play."""


@dataclass(frozen=True)
class Surface:
    """Something to strike.

    Args:
        name: what it is called in messages.
        x, y: centimetres to the right of the drummer, and away from him.
        notes: General MIDI notes of it.
    """

    name: str
    x: float
    y: float
    notes: tuple[int, ...]


SURFACES = (
    Surface("kick", 10, 60, (35, 36)),
    Surface("hat pedal", -35, 50, (44,)),
    Surface("snare", 0, 30, (38, 40)),
    Surface("side stick", 0, 30, (37,)),
    Surface("closed hat", -40, 40, (42, 22)),
    Surface("open hat", -40, 40, (46, 26)),
    Surface("ride", 48, 58, (51,)),
    Surface("ride bell", 46, 60, (53,)),
    Surface("second ride", 50, 57, (59,)),
    Surface("crash", -28, 68, (49,)),
    Surface("second crash", 38, 76, (57,)),
    Surface("splash", 5, 80, (55,)),
    Surface("china", 66, 66, (52,)),
    Surface("high tom", -12, 58, (50,)),
    Surface("high mid tom", -2, 60, (48,)),
    Surface("mid tom", 14, 60, (47,)),
    Surface("low tom", 24, 56, (45,)),
    Surface("floor tom", 42, 34, (43,)),
    Surface("low floor tom", 52, 18, (41,)),
    Surface("clap", -56, 30, (39, 27, 28, 29, 30, 31, 32)),
    Surface("cowbell", 4, 72, (56,)),
    Surface("tambourine", -46, 56, (54,)),
    Surface("vibraslap", -60, 60, (58,)),
    Surface("bongo", -70, 34, (60, 61)),
    Surface("conga", -76, 22, (62, 63, 64)),
    Surface("timbale", -62, 48, (65, 66)),
    Surface("agogo", -50, 66, (67, 68)),
    Surface("shaker", -58, 20, (69, 70, 82)),
    Surface("guiro", -62, 24, (73, 74)),
    Surface("claves", -60, 26, (75,)),
    Surface("wood block", 10, 74, (76, 77)),
    Surface("cuica", -70, 26, (78, 79)),
    Surface("triangle", -52, 60, (80, 81)),
    Surface("bells", -52, 62, (83, 84, 85)),
    Surface("surdo", -64, 10, (86, 87)),
)
"""The kit of General MIDI, Roland's notes added. No surface: metronome clicks (33, 34), whistles (71, 72, they are blown), and notes that have no name."""

NO_KIT = (
    "clap",
    "tambourine",
    "vibraslap",
    "bongo",
    "conga",
    "timbale",
    "agogo",
    "shaker",
    "guiro",
    "claves",
    "wood block",
    "cuica",
    "triangle",
    "bells",
    "surdo",
)
"""What a percussionist may play instead of the drummer."""

DRUMS_OF_ZONES = {"side stick": "snare", "open hat": "closed hat", "ride bell": "ride", "second ride": "ride"}
"""Zones of one instrument: one stroke may trigger two of them on an electronic kit."""


@cache
def list_places() -> Floats:
    """float64 [surfaces, 2]: x and y of each surface in centimetres."""
    return np.array([(s.x, s.y) for s in SURFACES], dtype=np.float64)


@cache
def look_up_notes() -> Ints:
    """int64 [128]: the surface of each MIDI note, -1 where it is none."""
    table = np.full(128, -1, dtype=np.int64)
    for number, surface in enumerate(SURFACES):
        table[list(surface.notes)] = number
    return table


def look_up_kit(kit: Kit) -> Ints:
    """int64 [classes]: the surface that each class of a kit is struck on, that of the note written for it; -1 where it is none."""
    return look_up_notes()[kit.written]


@cache
def list_instruments() -> Ints:
    """int64 [surfaces]: the instrument that each surface is a zone of, the number of its main surface."""
    names = [s.name for s in SURFACES]
    return np.array([names.index(DRUMS_OF_ZONES.get(n, n)) for n in names], dtype=np.int64)


@cache
def find_percussion() -> npt.NDArray[np.bool_]:
    """Bool [surfaces]: what is no part of a drum kit."""
    return np.array([s.name in NO_KIT for s in SURFACES])


def name_surface(surface: int) -> str:
    """Its name, for messages."""
    return SURFACES[surface].name
