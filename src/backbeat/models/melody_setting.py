"""What a melody is played on, and who plays it phrase by phrase."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from backbeat.codecs.melodies import Melody, find_base
from backbeat.codecs.patterns import MERGING_KIT, hits_to_patterns
from backbeat.errors import InputError
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.units import Ints

PHRASE = 4
"""Bars of a phrase."""
Words = npt.NDArray[np.uint16]


class Setting:
    """What a melody is played on.

    Args:
        groove: the drums, of any kit.
        key: 0-23.  program: General MIDI.  octave: of the base, C4 = 60 is 4.
        chords: int64 [bars], see ``tonality.chords``; none = drawn from usual ones.
        density: 0-3 calm to dense, -1 = as it comes.
        temperature, top_p: of drawing.

    Raises:
        InputError: a number is out of range.
    """

    def __init__(
        self,
        groove: Groove,
        key: int,
        program: int,
        octave: int,
        *,
        chords: Ints | None = None,
        density: int = -1,
        temperature: float = 1.0,
        top_p: float = 1.0,
    ) -> None:
        if not 0 <= octave <= 8:
            raise InputError(f"the octave must lie in 0-8 (C4 is middle C), not {octave}")
        if not 0 <= temperature <= 5 or not 0 < top_p <= 1:
            raise InputError(f"the temperature must lie in 0-5 and top-p in (0, 1], not {temperature} and {top_p}")
        if chords is not None and len(chords) != groove.grid.bars:
            raise InputError(f"{len(chords)} chords for {groove.grid.bars} bars: one a bar is needed")
        self.grid, self.key, self.program, self.octave = groove.grid, key, program, octave
        self.words: Words = hits_to_patterns(groove.to_kit(load_kit(MERGING_KIT)).hits[None])[0]
        self.chords, self.density, self.temperature, self.top_p = chords, density, temperature, top_p

    @property
    def base(self) -> int:
        """MIDI pitch of the tonic in the asked octave."""
        return find_base(self.key, self.octave)

    def cut(self, first: int, end: int) -> Words:
        """The drums of bars: uint16 [steps]."""
        return self.words[self.grid.first_steps[first] : self.grid.first_steps[end]]


class Phraser(Protocol):
    """A melody being played, phrase by phrase."""

    def draw(self, first: int, end: int, rng: np.random.Generator, keep: Melody | None = None) -> Melody:
        """A phrase from bar ``first`` to ``end``, steps counted from the phrase's first; what ``keep`` has before its last bar is kept."""

    def accept(self, first: int, end: int, phrase: Melody) -> None:
        """Go on behind a phrase."""


class MelodyModel(Protocol):
    """Plays phrases on drums."""

    name: str

    def begin(self, setting: Setting) -> Phraser:
        """Start a melody."""
