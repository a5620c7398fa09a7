"""What is asked of a humanising, and of whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from backbeat.codecs.strokes import Strokes
from backbeat.performer import Playing
from backbeat.transforms.feel import Feel
from backbeat.transforms.ornaments import Ornaments
from backbeat.units import Ints


class Player(Protocol):
    """Whoever plays strokes anew, such as ``backbeat.performer.Performer``."""

    def perform_strokes(self, strokes: Strokes, *, seed: int = 0, how: Playing = ..., accents: Ints | None = None) -> Strokes:
        """The same strokes, played."""


@dataclass(frozen=True)
class Wish:
    """How drums shall be played.

    Args:
        playing: style, drummer, temperature and mean of the performer; its tightness and dynamics are those of ``feel``.
        feel: swing, push, tightness, dynamics.
        ornaments: what may be added; the default adds nothing.
        keep_velocity, keep_timing: leave velocities, or timing, as they are in the file (but for what the feel asks).
        accents: whether strokes that are soft or loud in the file are so afterwards.
        seed: the same wish plays the same.
    """

    playing: Playing = field(default_factory=Playing)
    feel: Feel = field(default_factory=Feel)
    ornaments: Ornaments = field(default_factory=Ornaments)
    keep_velocity: bool = False
    keep_timing: bool = False
    accents: bool = True
    seed: int = 0
