"""Drum files made by hand, and a player that needs no network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backbeat.codecs.strokes import Strokes
from backbeat.midi import parse_song
from backbeat.midi.splice import list_events
from backbeat.song import Song
from backbeat.units import Ints
from tests.midi.builders import Track, midi

KICK, SNARE, HAT = 36, 38, 42


class Dice:
    """Plays at random: 5 ms early on average, spread 12 ms, velocity 70 spread 19; ghosts soft, accents loud."""

    def __init__(self, late: float = -5.0, spread: float = 12.0) -> None:
        self.late, self.spread = late, spread
        self.asked: Strokes | None = None

    def perform_strokes(self, strokes: Strokes, *, seed: int = 0, how: object = None, accents: Ints | None = None) -> Strokes:
        """The same strokes with other velocities and lateness."""
        self.asked = strokes
        rng = np.random.default_rng(seed)
        middle = np.full(len(strokes), 0.55) if accents is None else np.array([0.55, 0.2, 0.5, 0.85])[accents + 1]
        loud = np.clip(rng.normal(middle, 0.15 if accents is None else 0.04), 0.01, 1)
        return strokes.play(velocities=loud.astype(np.float32), late=rng.normal(self.late, self.spread, len(strokes)).astype(np.float32))


def rock(bars: int = 8, *, qpm: float = 120, division: int = 480, parts: int = 2, places: Sequence[float] | None = None, length: float = 0.125) -> Track:
    """A rock beat: hats ``parts`` to the quarter (or at places of the quarter), kick on 1 and 3, snare on 2 and 4; velocities alike."""
    track = Track().name("Drums").tempo(0, round(60e6 / qpm)).metre(0, 4, 4)
    inside = [k / parts for k in range(parts)] if places is None else places
    for quarter in range(4 * bars):
        for place in inside:
            track.note(round((quarter + place) * division), max(1, round(length * division)), HAT, 90, 9)
        track.note(quarter * division, max(1, round(length * division)), SNARE if quarter % 2 else KICK, 92, 9)
    return track


def song_of(*tracks: Track, division: int = 480) -> Song:
    """A song of tracks."""
    return parse_song(midi(*(t.chunk() for t in tracks), division=division))


def band_and(*drums: Track, division: int = 480) -> Song:
    """A song of a bass, with controllers, and drums."""
    bass = Track().name("Bass").program(0, 33)
    for beat in range(32):
        bass.note(beat * division, division // 2, 40 + beat % 5).control(beat * division + 7, 11, 90 + beat % 20)
    return song_of(bass, *drums, division=division)


def list_others(data: bytes, channel: int = 9) -> list[list[tuple[int, int, bytes]]]:
    """Events of every track but the notes of a channel."""
    return [[e for e in track if e[1] not in (0x80 | channel, 0x90 | channel)] for track in list_events(data)]


def list_drums(data: bytes, channel: int = 9) -> list[tuple[int, int, int, int]]:
    """Track, pitch, tick and velocity of the note-ons of a channel, by track, pitch and order in the file."""
    found = []
    for number, track in enumerate(list_events(data)):
        found += [(number, body[0], tick, body[1]) for tick, status, body in track if status == 0x90 | channel and body[1]]
    return sorted(found, key=lambda row: row[:2])
