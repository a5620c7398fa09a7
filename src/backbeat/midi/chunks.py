"""The chunks of a Standard MIDI File: where each begins and ends, with nothing decoded.

Unknown chunks and junk behind the last one are kept in the list, so that a writer can copy them byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from backbeat.errors import MidiError

MAX_BYTES = 64 << 20
"""Larger files are refused: no piece of music needs them."""

FRAME_RATES = {24: Fraction(24), 25: Fraction(25), 29: Fraction(30_000, 1001), 30: Fraction(30)}
"""SMPTE frames per second as the header names them; 29 is the drop-frame rate of NTSC."""


class Chunk(NamedTuple):
    """One chunk: its four-letter kind (``b""`` for junk), the offset of that kind, of its body, and of its end."""

    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True)
class Layout:
    """What the header says and which chunks follow it.

    Args:
        format: 0, 1 or 2 (or what else the file claims).
        declared_tracks: the header's number of tracks.
        division: the two bytes of the header's division, unsigned.
        chunks: all chunks in file order, the header first, junk last.
        warnings: what was odd.
    """

    format: int
    declared_tracks: int
    division: int
    chunks: tuple[Chunk, ...]
    warnings: tuple[str, ...]

    @property
    def tracks(self) -> tuple[Chunk, ...]:
        """The track chunks."""
        return tuple(c for c in self.chunks if c.kind == b"MTrk")

    def resolve_division(self) -> tuple[int, Fraction | None]:
        """Ticks per quarter, and ticks per second where the division is SMPTE (the first is nominal then).

        Raises:
            MidiError: the division is zero or names no SMPTE rate.
        """
        if not self.division & 0x8000:
            if self.division == 0:
                raise MidiError("the header says 0 ticks per quarter: export the file again from its program")
            return self.division, None
        rate, ticks_per_frame = 256 - (self.division >> 8), self.division & 0xFF
        if rate not in FRAME_RATES or ticks_per_frame == 0:
            raise MidiError(f"the header's time division 0x{self.division:04X} is neither ticks per quarter nor an SMPTE rate")
        per_second = FRAME_RATES[rate] * ticks_per_frame
        return max(1, round(per_second / 2)), per_second


def unwrap_riff(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The MIDI file inside a RIFF RMID wrapper (.rmi), or ``data`` itself, and a warning where a wrapper was taken off.

    Raises:
        MidiError: a RIFF file that holds no MIDI file.
    """
    if data[:4] != b"RIFF":
        return data, ()
    if data[8:12] != b"RMID":
        raise MidiError("a RIFF file (sound or picture), not MIDI: give a .mid file")
    position, inside, others = 12, None, []
    while position + 8 <= len(data):
        kind, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if kind == b"data" and inside is None:
            inside = data[position + 8 : position + 8 + size]
        else:
            others.append(kind.decode("latin-1"))
        position += 8 + size + size % 2
    if inside is None:
        raise MidiError("a RIFF RMID file without a MIDI file inside")
    lost = f" and without its chunks {', '.join(sorted(set(others)))}" if others else ""
    return inside, (f"RIFF wrapper (.rmi): the MIDI file inside is read, and written without the wrapper{lost}",)


def scan_chunks(data: bytes) -> Layout:
    """Find the chunks of a MIDI file.

    Raises:
        MidiError: not a MIDI file, truncated, without tracks, or with chunk lengths that cannot be right.
    """
    _check_header(data)
    header_end = 8 + int.from_bytes(data[4:8], "big")
    format_, declared, division = (int.from_bytes(data[i : i + 2], "big") for i in (8, 10, 12))
    chunks = [Chunk(b"MThd", 0, 8, header_end)]
    found, position = 0, header_end
    while position < len(data):
        chunk = _next_chunk(data, position, found, declared)
        chunks.append(chunk)
        found += chunk.kind == b"MTrk"
        position = chunk.end
    if not found:
        raise MidiError("the file has a MIDI header but no tracks: export it again from its program")
    return Layout(format_, declared, division, tuple(chunks), tuple(_find_oddities(chunks, format_, declared, found)))


def _check_header(data: bytes) -> None:
    if not data:
        raise MidiError("the file is empty")
    if len(data) > MAX_BYTES:
        raise MidiError(f"the file has {len(data) >> 20} MB, more than the {MAX_BYTES >> 20} MB that are read")
    if data[:4] != b"MThd":
        kind = "text" if all(32 <= b < 127 or b in b"\t\r\n" for b in data[:64]) else "something else"
        raise MidiError(f"not a MIDI file: it does not start with MThd (it looks like {kind})")
    length = int.from_bytes(data[4:8], "big")
    if len(data) < 14 or 8 + length > len(data):
        raise MidiError(f"truncated: the file ends within its header, at byte {len(data)}")
    if length < 6:
        raise MidiError(f"the header chunk says {length} bytes, but a MIDI header has 6")


def _next_chunk(data: bytes, position: int, found: int, declared: int) -> Chunk:
    """The chunk at ``position``, or junk up to the end where all declared tracks have been found."""
    kind, size = data[position : position + 4], data[position + 4 : position + 8]
    end = position + 8 + int.from_bytes(size, "big")
    named = len(size) == 4 and all(32 <= b < 127 for b in kind)
    if named and end <= len(data):
        return Chunk(kind, position, position + 8, end)
    if found >= declared and kind != b"MTrk":
        return Chunk(b"", position, position, len(data))
    if kind == b"MTrk":
        raise MidiError(f"truncated: track {found + 1} says it ends at byte {end}, but the file ends at byte {len(data)}")
    if len(size) < 4:
        raise MidiError(f"truncated: the file ends at byte {len(data)} after {found} of {declared} tracks")
    what = "chunk" if named else "chunk length"
    raise MidiError(f"wrong {what} before byte {position}: no chunk starts there after {found} of {declared} tracks")


def _find_oddities(chunks: list[Chunk], format_: int, declared: int, found: int) -> list[str]:
    warnings = []
    if chunks[0].end != 14:
        warnings.append(f"the header has {chunks[0].end - 8} bytes instead of 6: the rest is kept, not understood")
    if format_ == 2:
        warnings.append("format 2 (independent tracks): read as tracks that sound together")
    elif format_ > 2:
        warnings.append(f"format {format_} is unknown: read as tracks that sound together")
    if declared != found:
        warnings.append(f"the header says {declared} tracks, the file has {found}: all {found} are read")
    unknown = sorted({c.kind.decode("latin-1") for c in chunks[1:] if c.kind not in (b"MTrk", b"")})
    if unknown:
        warnings.append(f"unknown chunks are kept, not understood: {', '.join(unknown[:8])}")
    if chunks[-1].kind == b"":
        warnings.append(f"{chunks[-1].end - chunks[-1].start} bytes of junk after the last chunk are kept, not understood")
    return warnings
