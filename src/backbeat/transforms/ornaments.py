"""Ornaments: ghost notes, flams and drags on the snare, where drummers play them and a hand is free.

How often each is played at each 16th of the bar was counted in the training takes of Groove MIDI (``ornament_rates.json``, written by
``benchmarks/ornament_rates.py``); other metres take the rates of the same place in the beat. A habit holds for a piece: a place that was
chosen is played in most bars. Ghosts need a bar with time kept on hats or ride and a backbeat, and a hand that has time; flams and drags need
both hands, so they stand on strokes of the snare without hat or cymbal.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.strokes import Strokes
from backbeat.errors import InputError
from backbeat.units import Floats, Ints

Flags = npt.NDArray[np.bool_]
KINDS = ("ghosts", "flams", "drags")
KEEPERS = ("closed_hat", "open_hat", "ride", "ride_bell")
LEFT = ("snare", "side_stick", "low_tom", "mid_tom", "high_tom")
HANDS = (*KEEPERS, *LEFT, "crash", "splash", "china", "cowbell", "clap")
SNARE = "snare"
LEAST_BACKBEAT = 50 / 127
HAND_SECONDS = 0.09
"""A hand strikes again at the earliest after this."""
ONE_HAND_SECONDS = 0.125
"""Time kept faster than this is kept with both hands."""
BEFORE_FLAM_SECONDS, BEFORE_DRAG_SECONDS = 0.12, 0.16
FLAM_MS, DRAG_MS = (15.0, 28.0), (28.0, 36.0)
"""How far a grace note lies before its stroke; the graces of a drag lie so far apart."""
GRACE_SHARE = (0.3, 0.55)
"""Velocity of a grace note as a share of its stroke's."""
HABIT = 0.8
"""Share of the bars in which a chosen place is played."""


@dataclass(frozen=True)
class Ornaments:
    """What may be added.

    Args:
        kinds: of ``KINDS``.
        amount: 1 = as often as in Groove MIDI.

    Raises:
        InputError: there is no such kind, or the amount is not in 0-10.
    """

    kinds: tuple[str, ...] = ()
    amount: float = 1.0

    def __post_init__(self) -> None:
        unknown = [k for k in self.kinds if k not in KINDS]
        if unknown:
            raise InputError(f"--ornaments {unknown[0]}: say {', '.join(KINDS)} or all")
        if not 0 <= self.amount <= 10:
            raise InputError(f"--ornament-amount {self.amount:g}: it lies in 0-10, 1 = as often as people do")


@dataclass(frozen=True)
class Ornament:
    """A note that was added.

    Args:
        kind: "ghost", "flam" or "drag".
        bar: from 0.
        place: quarters from the start of the bar, of the ghost or of the stroke that the grace note belongs to.
        pitch: MIDI note.  velocity: 1-127.
        seconds: when it sounds.
    """

    kind: str
    bar: int
    place: float
    pitch: int
    velocity: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON; bars from 1."""
        out = {"kind": self.kind, "bar": self.bar + 1, "quarter": round(self.place + 1, 4)}
        return out | {"note": self.pitch, "velocity": self.velocity, "seconds": round(self.seconds, 4)}


@cache
def load_rates() -> dict[str, Floats]:
    """Kind -> float64 [16]: at each 16th of a 4/4 bar, the share of bars with a ghost, of snare strokes with a flam or drag."""
    data = json.loads(resources.files("backbeat.transforms").joinpath("ornament_rates.json").read_text(encoding="utf-8"))
    return {kind: np.array(data[kind], dtype=np.float64) for kind in KINDS}


def look_up_rates(kind: str, straight: Floats, bar_quarters: Floats) -> Floats:
    """float64 [n]: how usual a kind is at places; nothing between the 16ths.

    Args:
        kind: of ``KINDS``.
        straight: float64 [n], quarters from the start of the bar.
        bar_quarters: float64 [n], length of the bar; other lengths than 4 take the mean of the place in the beat.
    """
    table = load_rates()[kind]
    step = np.floor(straight * 4 + 0.5).astype(np.int64)
    by_beat = table.reshape(4, 4).mean(axis=0)
    rates = np.where(np.abs(bar_quarters - 4) < 1e-6, table[step % 16], by_beat[step % 4])
    return np.asarray(np.where(np.abs(straight * 4 - step) < 1e-3, rates, 0.0))


@dataclass(frozen=True, eq=False)
class Scene:
    """Strokes and when they sound.

    Args:
        strokes: what is played.
        straight: float64 [m], places without swing.
        binary: bool [m], in beats divided by two.
        seconds: float64 [m], when they nominally sound.
    """

    strokes: Strokes
    straight: Floats
    binary: Flags
    seconds: Floats

    def of(self, names: tuple[str, ...]) -> Flags:
        """Bool [m]: strokes of some classes."""
        kit = self.strokes.kit.names
        return np.isin(self.strokes.columns, [kit.index(n) for n in names if n in kit])


def list_ghost_places(scene: Scene) -> tuple[Ints, Floats]:
    """Bars and straight places of 16ths at which a ghost note may stand, before hands are asked.

    Returns:
        int64 [k] and float64 [k], quarters from the start of the bar.
    """
    strokes = scene.strokes
    keeper, snare = scene.of(KEEPERS), scene.of((SNARE,))
    bars, places = list[int](), list[float]()
    for bar in np.unique(strokes.bars).tolist():
        here = strokes.bars == bar
        length = float(strokes.bar_quarters[here][0])
        backbeat = here & snare & (strokes.velocities >= LEAST_BACKBEAT)
        if np.count_nonzero(here & keeper) < length or not backbeat.any():
            continue
        taken = set(np.round(scene.straight[here & scene.of(LEFT)] * 4, 3).tolist())
        threes = set(np.floor(scene.straight[here & ~scene.binary] + 1e-6).tolist())
        free = [k for k in range(int(length * 4 + 1e-6)) if k not in taken and k // 4 not in threes]
        bars += [bar] * len(free)
        places += [k / 4 for k in free]
    return np.array(bars, dtype=np.int64), np.array(places, dtype=np.float64)


def choose_ghosts(scene: Scene, bars: Ints, places: Floats, seconds: Floats, amount: float, rng: np.random.Generator) -> Ints:
    """Which of the places get a ghost note.

    Args:
        scene: what is played.
        bars, places: as ``list_ghost_places`` gives them.
        seconds: float64 [k], when a stroke there would sound.
        amount: 1 = as often as people do.
        rng: the same state chooses the same.

    Returns:
        int64, ascending.
    """
    lengths = dict(zip(scene.strokes.bars.tolist(), scene.strokes.bar_quarters.tolist(), strict=True))
    rates = np.minimum(1, amount * look_up_rates("ghosts", places, np.array([lengths[b] for b in bars.tolist()])))
    habits: dict[float, float] = {}
    for place, rate in sorted(set(zip(places.tolist(), rates.tolist(), strict=True))):
        habits[place] = HABIT if rng.random() < min(1.0, rate / HABIT) else rate * (1 - HABIT)
    wanted = rng.random(len(places)) < np.array([habits[p] for p in places.tolist()]) if len(places) else np.zeros(0, np.bool_)
    hands, left = _sort(scene.seconds[scene.of(HANDS)]), _sort(scene.seconds[scene.of(LEFT)])
    keepers = _sort(np.unique(np.round(scene.seconds[scene.of(KEEPERS)], 4)))
    chosen, last = [], -1.0
    for i in np.flatnonzero(wanted).tolist():
        now = float(seconds[i])
        if now - last >= HAND_SECONDS and _count(hands, now, 0.02) <= 1 and not _count(left, now, HAND_SECONDS) and not _is_fast(keepers, now):
            chosen.append(i)
            last = now
    return np.array(chosen, dtype=np.int64)


def choose_graces(scene: Scene, kind: str, amount: float, rng: np.random.Generator) -> Ints:
    """int64, ascending: the strokes of the snare that get a flam or a drag.

    Args:
        scene: what is played.
        kind: "flams" or "drags".
        amount: 1 = as often as people do.
        rng: the same state chooses the same.
    """
    strokes = scene.strokes
    loud = scene.of((SNARE,)) & (strokes.velocities >= LEAST_BACKBEAT)
    rates = amount * look_up_rates(kind, scene.straight, strokes.bar_quarters)
    lots = rng.random(len(strokes))
    hands = _sort(scene.seconds[scene.of(HANDS)])
    room = BEFORE_FLAM_SECONDS if kind == "flams" else BEFORE_DRAG_SECONDS
    chosen = []
    for i in np.flatnonzero(loud & (lots < rates)).tolist():
        now = float(scene.seconds[i])
        if _count(hands, now, 0.02) == 1 and np.searchsorted(hands, now - 0.02) == np.searchsorted(hands, now - room):
            chosen.append(i)
    return np.array(chosen, dtype=np.int64)


def draw_graces(kind: str, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Milliseconds before the stroke and share of its velocity, of each grace note of a flam or drag."""
    share = float(rng.uniform(*GRACE_SHARE))
    if kind == "flams":
        return [(float(rng.uniform(*FLAM_MS)), share)]
    apart = float(rng.uniform(*DRAG_MS))
    return [(2 * apart, 0.85 * share), (apart, share)]


def _sort(seconds: Floats) -> Floats:
    return np.sort(seconds)


def _count(times: Floats, now: float, reach: float) -> int:
    """How many of some times, ascending, lie nearer to now than a reach."""
    return int(np.searchsorted(times, now + reach - 1e-9) - np.searchsorted(times, now - reach + 1e-9, side="right"))


def _is_fast(times: Floats, now: float) -> bool:
    """Whether time is kept with both hands around now."""
    at = int(np.searchsorted(times, now))
    near = times[max(0, at - 2) : at + 3]
    return len(near) > 1 and float(np.median(np.diff(near))) < ONE_HAND_SECONDS
