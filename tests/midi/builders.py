"""Small MIDI files made by hand, for tests: from commented hexdumps, or event by event.

Nothing here uses the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

METRES = ((2, 2), (3, 4), (4, 4), (5, 4), (6, 4), (3, 8), (5, 8), (6, 8), (7, 8), (9, 8), (12, 8), (7, 16))
"""Every metre that Backbeat promises."""


def undump(text: str) -> bytes:
    """Bytes of a hexdump; ``#`` begins a comment, ``"MThd"`` stands for its letters."""
    out = b""
    for line in text.splitlines():
        for word in line.split("#")[0].split():
            out += word.strip('"').encode() if word.startswith('"') else bytes.fromhex(word)
    return out


def varlen(value: int) -> bytes:
    """A variable-length quantity."""
    out = bytes([value & 0x7F])
    while value := value >> 7:
        out = bytes([value & 0x7F | 0x80]) + out
    return out


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with its length."""
    return kind + len(body).to_bytes(4, "big") + body


def header(format_: int, tracks: int, division: int = 480) -> bytes:
    """A header chunk; ``division`` is the raw 16-bit value."""
    return chunk(b"MThd", b"".join(v.to_bytes(2, "big") for v in (format_, tracks, division)))


def midi(*tracks: bytes, format_: int = 1, division: int = 480) -> bytes:
    """A file of track chunks."""
    return header(format_, len(tracks), division) + b"".join(tracks)


@dataclass
class Track:
    """A track to be filled event by event at absolute ticks, in any order; events of one tick keep the order of the calls."""

    events: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, tick: int, event: bytes) -> Track:
        """Any event, with its status byte."""
        self.events.append((tick, event))
        return self

    def meta(self, tick: int, kind: int, payload: bytes) -> Track:
        """A meta event."""
        return self.add(tick, bytes([0xFF, kind]) + varlen(len(payload)) + payload)

    def sysex(self, tick: int, text: str) -> Track:
        """A SysEx event, its bytes in hex, between F0 and F7."""
        payload = bytes.fromhex(text) + b"\xf7"
        return self.add(tick, b"\xf0" + varlen(len(payload)) + payload)

    def name(self, text: str | bytes) -> Track:
        """The track's name."""
        return self.meta(0, 0x03, text.encode() if isinstance(text, str) else text)

    def tempo(self, tick: int, microseconds: int) -> Track:
        """A tempo."""
        return self.meta(tick, 0x51, microseconds.to_bytes(3, "big"))

    def metre(self, tick: int, numerator: int, denominator: int) -> Track:
        """A metre."""
        return self.meta(tick, 0x58, bytes([numerator, denominator.bit_length() - 1, 24, 8]))

    def program(self, tick: int, program: int, channel: int = 0) -> Track:
        """A program change."""
        return self.add(tick, bytes([0xC0 | channel, program]))

    def control(self, tick: int, number: int, value: int, channel: int = 0) -> Track:
        """A control change."""
        return self.add(tick, bytes([0xB0 | channel, number, value]))

    def note(self, onset: int, length: int, pitch: int, velocity: int = 100, channel: int = 0) -> Track:
        """A note, ended by a note-off."""
        return self.add(onset, bytes([0x90 | channel, pitch, velocity])).add(onset + length, bytes([0x80 | channel, pitch, 64]))

    def chunk(self, end: int | None = None, *, running: bool = False, end_of_track: bool = True) -> bytes:
        """The track chunk; ``running`` leaves out status bytes that repeat."""
        ordered = sorted(self.events, key=lambda event: event[0])
        if end_of_track:
            last = ordered[-1][0] if ordered else 0
            ordered.append((max(last, end or 0), b"\xff\x2f\x00"))
        body, now, status = b"", 0, -1
        for tick, event in ordered:
            repeated = running and event[0] == status and event[0] < 0xF0
            body += varlen(tick - now) + (event[1:] if repeated else event)
            now, status = tick, event[0]
        return chunk(b"MTrk", body)


def band_song(bars: int = 4, *, numerator: int = 4, denominator: int = 4, division: int = 480, drums: bool = True) -> bytes:
    """A band of bass and piano, with drums on channel 10 or without, in any metre; format 1."""
    bar = Fraction(4 * division * numerator, denominator)
    beat = bar / numerator
    conductor = Track().name("A song").metre(0, numerator, denominator).tempo(0, 500_000)
    bass, piano, kit = Track().name("Bass").program(0, 33), Track().name("Piano").program(0, 0, 1), Track().name("Drums")
    for b in range(bars):
        for n in range(numerator):
            tick = int(b * bar + n * beat)
            bass.note(tick, max(1, int(beat * 3 / 4)), 33 + (b * 5 + n) % 12)
            kit.note(tick, max(1, int(beat / 4)), 36 if n % 2 == 0 else 38, 90 + n, 9)
            kit.note(tick, max(1, int(beat / 4)), 42, 70, 9)
        for pitch in (60, 64, 67):
            piano.note(int(b * bar), max(1, int(bar) - 1), pitch + b % 5, 80, 1)
    end = int(bars * bar)
    tracks = [conductor, bass, piano, *([kit] if drums else [])]
    return midi(*(t.chunk(end) for t in tracks), division=division)
