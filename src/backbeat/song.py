"""Song: what the band plays, with the file's bytes kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from backbeat.errors import SongError
from backbeat.grid import Grid
from backbeat.units import MetreMap, TempoMap

NOTE_DTYPE = np.dtype([("onset", "<i8"), ("end", "<i8"), ("pitch", "u1"), ("velocity", "u1")])
"""One note of a part: onset and end in ticks, MIDI pitch 0-127, velocity 1-127."""

Notes = npt.NDArray[np.void]


@dataclass(frozen=True, eq=False)
class Part:
    """The notes of one channel of one track.

    Args:
        track: index of the track chunk, from 0.
        channel: MIDI channel 0-15 (9 is the drum channel).
        program: General MIDI program 0-127 that most of its notes sound with.
        name: the track's name, "" where it has none.
        notes: structured array NOTE_DTYPE [n], by onset, then pitch.
        drums: why this part counts as drums ("channel 10", "program", "name", "notes", "sysex", "bank"), "" where it does not.
    """

    track: int
    channel: int
    program: int
    name: str
    notes: Notes
    drums: str = ""

    @property
    def is_drums(self) -> bool:
        """Whether the part is a drum part."""
        return bool(self.drums)


@dataclass(frozen=True, eq=False)
class Song:
    """A MIDI file as Backbeat understands it, and its bytes.

    Args:
        data: the file, byte for byte.
        format: 0, 1 or 2.
        parts: every channel of every track that has notes.
        tempo: tempo map.  metre: metre map.
        end_tick: the last end of track or note end, whichever is later.
        warnings: what was odd in the file and how it was understood, one line each.
        source: path or name for messages.
    """

    data: bytes = field(repr=False)
    format: int
    parts: tuple[Part, ...]
    tempo: TempoMap
    metre: MetreMap
    end_tick: int
    warnings: tuple[str, ...] = ()
    source: str = ""

    @property
    def band(self) -> tuple[Part, ...]:
        """The parts that are not drums: all that a drummer hears."""
        return tuple(p for p in self.parts if not p.is_drums)

    @property
    def drum_parts(self) -> tuple[Part, ...]:
        """The parts that are drums."""
        return tuple(p for p in self.parts if p.is_drums)

    @property
    def last_note_tick(self) -> int:
        """Where the last note of any part ends; 0 without notes."""
        return max((int(p.notes["end"].max()) for p in self.parts if len(p.notes)), default=0)

    def grid(self, steps_per_quarter: int = 4) -> Grid:
        """The bars of the song, from tick 0 until its last note has ended.

        Raises:
            SongError: the song has more bars than can be played.
        """
        try:
            return Grid.lay(self.tempo, self.metre, self.last_note_tick, steps_per_quarter)
        except SongError as error:
            raise SongError(f"{self.source or 'the song'}: {error}") from None
