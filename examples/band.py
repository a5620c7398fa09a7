"""A toolbox for composing by rules: bars and chords, players of patterns and melodies, and a tiny writer of MIDI files.

Only the standard library is needed, and the same rules give the same bytes on every run. A bar is written as one character a
16th: ``R`` root, ``5`` fifth, ``7`` seventh, ``O`` octave, ``A`` a step below the next root, ``X`` a struck chord, ``x`` a muted
one, ``-`` holds what sounds, ``.`` is a rest. Melodies are written as ``NAME:LENGTH``, lengths in 16ths, ``r`` for a rest.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PPQ = 480
STEP = PPQ // 4
PITCHES = {"C": 0, "C#": 1, "D": 2, "D#": 3, "E": 4, "F": 5, "F#": 6, "G": 7, "G#": 8, "A": 9, "A#": 10, "B": 11}
QUALITIES = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11), "sus4": (0, 5, 7)}
META_TEXT, META_COPYRIGHT, META_NAME, META_LYRIC, META_MARKER = 1, 2, 3, 5, 6
VOLUME, PAN, EXPRESSION, PEDAL, MODULATION = 7, 10, 11, 64, 1


@dataclass(frozen=True)
class Section:
    """A section: what it is, how fast and loud, and a chord a bar."""

    name: str
    kind: str
    chords: str
    qpm: float
    level: float = 1.0
    numerator: int = 4
    denominator: int = 4
    transpose: int = 0


@dataclass(frozen=True)
class Bar:
    """One bar of the piece, with all that a player needs to know of it."""

    tick: int
    steps: int
    chord: str
    following: str
    section: Section
    place: int
    last: bool

    @property
    def root(self) -> int:
        """Pitch class of the chord's root, as it sounds."""
        return (split_chord(self.chord)[0] + self.section.transpose) % 12

    @property
    def tones(self) -> tuple[int, ...]:
        """Intervals of the chord over its root."""
        return split_chord(self.chord)[1]


@dataclass
class Track:
    """A track being written: events as (tick, order, bytes)."""

    name: str
    channel: int = 0
    program: int | None = None
    events: list[tuple[int, int, bytes]] = field(default_factory=list)

    def note(self, tick: int, length: int, pitch: int, velocity: float) -> None:
        """A note; lengths in ticks."""
        loud = max(1, min(127, int(velocity)))
        self.events.append((tick, 3, bytes([0x90 | self.channel, pitch, loud])))
        self.events.append((tick + max(10, length), 0, bytes([0x80 | self.channel, pitch, 64])))

    def control(self, tick: int, number: int, value: float) -> None:
        """A controller."""
        self.events.append((tick, 2, bytes([0xB0 | self.channel, number, max(0, min(127, int(value)))])))

    def bend(self, tick: int, value: int) -> None:
        """A pitch bend, -8192 to 8191."""
        raw = 8192 + value
        self.events.append((tick, 2, bytes([0xE0 | self.channel, raw & 127, raw >> 7])))

    def meta(self, tick: int, kind: int, payload: bytes | str) -> None:
        """A meta event."""
        data = payload.encode() if isinstance(payload, str) else payload
        self.events.append((tick, 1, bytes([0xFF, kind]) + varlen(len(data)) + data))

    def encode(self, end: int) -> bytes:
        """The track chunk."""
        head = varlen(0) + bytes([0xFF, META_NAME]) + varlen(len(self.name)) + self.name.encode()
        if self.program is not None:
            head += varlen(0) + bytes([0xC0 | self.channel, self.program])
        now = 0
        for tick, _, data in sorted(self.events):
            head += varlen(tick - now) + data
            now = tick
        head += varlen(max(0, end - now)) + b"\xff\x2f\x00"
        return b"MTrk" + struct.pack(">I", len(head)) + head


def varlen(value: int) -> bytes:
    """A number in MIDI's groups of seven bits."""
    out = [value & 127]
    while value := value >> 7:
        out.append(value & 127 | 128)
    return bytes(reversed(out))


def write_midi(path: Path, tracks: list[Track], end: int) -> None:
    header = b"MThd" + struct.pack(">IHHH", 6, 1, len(tracks), PPQ)
    path.write_bytes(header + b"".join(t.encode(end) for t in tracks))


def split_chord(name: str) -> tuple[int, tuple[int, ...]]:
    """Root and intervals of a chord such as F#m7."""
    size = 2 if name[1:2] == "#" else 1
    return PITCHES[name[:size]], QUALITIES[name[size:]]


def name_to_pitch(name: str) -> int:
    """C4 is 60."""
    return PITCHES[name[:-1]] + 12 * (int(name[-1]) + 1)


def lay_bars(sections: list[Section]) -> tuple[list[Bar], int]:
    """All bars in order, and the tick where the last one ends."""
    bars, tick = [], 0
    chords = [(s, c) for s in sections for c in s.chords.split()]
    for index, (section, chord) in enumerate(chords):
        place = sum(1 for s, _ in chords[:index] if s is section)
        steps = 16 * section.numerator // section.denominator
        following = chords[min(index + 1, len(chords) - 1)][1]
        bars.append(Bar(tick, steps, chord, following, section, place, place == len(section.chords.split()) - 1))
        tick += steps * STEP
    return bars, tick


def conduct(sections: list[Section], title: str, keys: dict[str, tuple[int, int]]) -> Track:
    """The first track: title, tempi, metres, keys ({section: (sharps, minor)}) and a marker a section."""
    track = Track(title)
    track.meta(0, META_COPYRIGHT, "MIT licence, Backbeat contributors")
    tick, metre, qpm = 0, None, None
    for section in sections:
        if metre != (metre := (section.numerator, section.denominator)):
            track.meta(tick, 0x58, bytes([section.numerator, section.denominator.bit_length() - 1, 24, 8]))
        if qpm != (qpm := section.qpm):
            set_tempo(track, tick, qpm)
        if section.name in keys:
            track.meta(tick, 0x59, struct.pack("bB", *keys[section.name]))
        track.meta(tick, META_MARKER, section.name)
        tick += len(section.chords.split()) * 16 * section.numerator // section.denominator * STEP
    return track


def set_tempo(track: Track, tick: int, qpm: float) -> None:
    track.meta(tick, 0x51, round(60_000_000 / qpm).to_bytes(3, "big"))


def slow_down(track: Track, start: int, end: int, qpm: float, final: float) -> None:
    """A ritardando: a new tempo at each quarter from ``start``."""
    quarters = (end - start) // PPQ
    for k in range(quarters):
        set_tempo(track, start + k * PPQ, qpm + (final - qpm) * ((k + 1) / quarters) ** 1.5)


class Player:
    """Plays patterns on a track like a person: accents on the beat, no two notes equally loud or exactly in time."""

    def __init__(self, track: Track, seed: int, loud: float, late: float = 0, beat: int = 4) -> None:
        self.track, self.rng, self.loud, self.late, self.beat = track, random.Random(seed), loud, late, beat

    def strike(self, bar: Bar, step: int, length: int, pitches: list[int], accent: float = 0, gate: float = 0.94, roll: int = 0) -> None:
        """Play pitches together at a step of a bar, for ``length`` steps; a roll parts them by some ticks."""
        metric = 9 if step == 0 else 4 if step % self.beat == 0 else -3
        tick = max(0, bar.tick + step * STEP + round(self.late + 7 * (self.rng.random() - 0.5)))
        for index, pitch in enumerate(pitches):
            velocity = (self.loud + metric + accent) * bar.section.level + 9 * (self.rng.random() - 0.5)
            self.track.note(tick + index * roll, round(length * STEP * gate) - index * roll, pitch, velocity)

    def pattern(self, bar: Bar, pattern: str, voice: Callable[[Bar, str], list[int]], *, gate: float = 0.94, roll: int = 0) -> None:
        """Play a bar of a pattern; ``voice`` tells the pitches of each character."""
        if len(pattern) != bar.steps:
            raise ValueError(f"a bar of {bar.steps} steps cannot hold {pattern!r}")
        for step, letter in enumerate(pattern):
            if letter not in ".-":
                length = 1 + len(pattern[step + 1 :]) - len(pattern[step + 1 :].lstrip("-"))
                muted = letter == "x"
                accent = -14 if muted else 7 if letter in "XO" else 0
                self.strike(bar, step, length, voice(bar, letter), accent, 0.5 if muted else gate, roll)

    def melody(self, bar: Bar, melody: str, swell: int = 0) -> None:
        """Play a bar of a melody; long notes get vibrato."""
        step = 0
        for word in melody.split():
            name, length = word.split(":")
            if name != "r":
                self.strike(bar, step, int(length), [name_to_pitch(name) + bar.section.transpose], swell)
                if int(length) >= 6:
                    self._vibrate(bar, step, int(length))
            step += int(length)
        if step != bar.steps:
            raise ValueError(f"a bar of {bar.steps} steps cannot hold {melody!r}")

    def _vibrate(self, bar: Bar, step: int, length: int) -> None:
        for k in range(length // 2, length):
            self.track.control(bar.tick + (step + k) * STEP, MODULATION, 12 * (k - length // 2 + 1))
        self.track.control(bar.tick + (step + length) * STEP - 1, MODULATION, 0)


def bass_note(bar: Bar, letter: str) -> list[int]:
    """The bass plays from E1 upwards."""
    root = 28 + (bar.root - 4) % 12
    seventh = 11 if bar.chord.endswith("maj7") else 10
    following = 28 + (split_chord(bar.following)[0] + bar.section.transpose - 4) % 12
    return [{"R": root, "3": root + bar.tones[1], "5": root + 7, "7": root + seventh, "O": root + 12, "A": max(28, following - 1)}[letter]]


def power_chord(bar: Bar, letter: str) -> list[int]:
    """Root, fifth and octave from E2 upwards; only the root where muted."""
    root = 40 + (bar.root - 4) % 12
    return [root] if letter == "x" else [root, root + 7, root + 12]


def close_chord(low: int) -> Callable[[Bar, str], list[int]]:
    """All tones of the chord within an octave above ``low``, so that voices move little."""
    return lambda bar, _: sorted(low + (bar.root + tone - low) % 12 for tone in bar.tones)
