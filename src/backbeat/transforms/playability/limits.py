"""How fast and how far hands and feet go: the limits of playability, in milliseconds.

The figures and their sources stand in ``docs/playability.md``; they were set on Groove MIDI, which people played (``benchmarks/playability.py`` prints
how many of its bars pass).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backbeat.transforms.playability.surfaces import PEDAL, list_instruments, list_places
from backbeat.units import Floats, Ints


@dataclass(frozen=True)
class Limits:
    """What two hands and two feet can do.

    Args:
        hand_press: shortest time between the bounces of a stick pressed on one surface (buzz roll); only soft strokes bounce so.
        hand_bounce: shortest time between two full strokes of a hand on one surface (a diddle, only once in a row).
        hand_steady: shortest time that a hand repeats strokes with.
        hand_rest: shortest time from the second stroke of a diddle, or the last bounce, to the hand's next.
        soft: velocity (0-1) up to which a stroke can be a bounce.
        hand_move: shortest time to any other surface, to which the way is added.
        hand_speed: centimetres a hand goes in a millisecond.
        foot_press, foot_bounce, foot_steady, foot_rest, foot_soft: the same of a foot on its pedal.
        foot_move: shortest time for the left foot from the hat's pedal to the second kick pedal, or back.
        double_kick: whether there is a second kick pedal, for the left foot.
        open_closed: within how many milliseconds a hat cannot be struck open and closed.
        open_pedal: within how many milliseconds a hat cannot be struck open and closed by its pedal.
        one_stroke: two hits of one drum alone within so many milliseconds count as one stroke; 0 = none do, and no trigger is in doubt.
        one_kick: the same of the pedals.
        crosstalk: velocity up to which a hit beside a louder one may be the trigger's, not the drummer's.
        splash: velocity up to which an open hat beside the pedal may be a splash of the foot alone.
        together: within how many milliseconds such hits stand beside each other.
        percussionist: whether somebody else plays what is no part of a drum kit (congas, shaker, tambourine, claps ...).
    """

    hand_press: float = 14
    hand_bounce: float = 38
    hand_steady: float = 95
    hand_rest: float = 100
    soft: float = 0.5
    hand_move: float = 55
    hand_speed: float = 1.6
    foot_press: float = 20
    foot_bounce: float = 45
    foot_steady: float = 110
    foot_rest: float = 120
    foot_soft: float = 0.0
    foot_move: float = 130
    double_kick: bool = True
    open_closed: float = 35
    open_pedal: float = 35
    one_stroke: float = 0.0
    one_kick: float = 0.0
    crosstalk: float = 0.0
    splash: float = 0.0
    together: float = 35
    percussionist: bool = False

    def __post_init__(self) -> None:
        numbers = [v for v in vars(self).values() if not isinstance(v, bool)]
        if min(numbers) < 0 or self.hand_speed <= 0 or not self.hand_press <= self.hand_bounce <= self.hand_steady or self.foot_bounce > self.foot_steady:
            raise ValueError("limits are milliseconds from 0, a bounce no longer than a steady stroke")

    def with_pedals(self, double_kick: bool) -> Limits:
        """The same with one or two kick pedals."""
        return replace(self, double_kick=double_kick)

    def with_percussionist(self, percussionist: bool) -> Limits:
        """The same with somebody else for the hand percussion, or without."""
        return replace(self, percussionist=percussionist)

    @property
    def zones(self) -> Ints:
        """int64 [surfaces]: the drum that each is a zone of; each its own where zones are not taken together."""
        return list_instruments() if self.one_stroke else np.arange(len(list_places()))

    def tabulate_hands(self) -> Floats:
        """float64 [surfaces, surfaces]: seconds that a hand needs at least from one surface to another."""
        places = list_places()
        way = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1))
        times = self.hand_move + way / self.hand_speed
        times[self.zones[:, None] == self.zones[None, :]] = self.hand_bounce
        return np.asarray(times / 1000, dtype=np.float64)

    def tabulate_feet(self) -> Floats:
        """float64 [surfaces, surfaces]: the same of a foot."""
        times = np.full((len(list_places()),) * 2, self.foot_bounce)
        times[PEDAL, :PEDAL] = times[:PEDAL, PEDAL] = self.foot_move
        times[PEDAL, PEDAL] = self.foot_steady
        return np.asarray(times / 1000, dtype=np.float64)


PLAYED = Limits(
    soft=0.7,
    hand_move=45,
    hand_speed=2.0,
    foot_soft=0.16,
    open_pedal=0.5,
    one_stroke=10,
    one_kick=35,
    crosstalk=0.3,
    splash=0.5,
    together=50,
)
"""For files: the edge of what ten people played on an electronic kit, whose triggers are sometimes late, double or somebody else's."""

WRITTEN = Limits()
"""For what is written: a little within that edge; an open hat and the pedal that closes it do not fall together. What passes here passes there."""
