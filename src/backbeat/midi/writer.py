"""Write songs with drums, and grooves alone, as MIDI files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backbeat.errors import OutputError
from backbeat.files import write_bytes
from backbeat.groove import Groove
from backbeat.midi.chunks import FRAME_RATES
from backbeat.midi.drumtrack import build_drum_chunk, encode_chunk, encode_delta, encode_meta, plan_notes
from backbeat.midi.events import END_OF_TRACK, MARKER, SET_TEMPO, TIME_SIGNATURE
from backbeat.midi.splice import Drums, splice
from backbeat.song import Song
from backbeat.units import MetreMap, TempoMap


@dataclass(frozen=True)
class WriteReport:
    """What was written.

    Args:
        path: the file.
        size: its bytes.
        notes: drum notes written.
        merged: hits left out because another class writes the same MIDI note at the same tick.
        removed: MIDI events of the song's own drums that were taken out.
    """

    path: Path
    size: int
    notes: int
    merged: int
    removed: int


def write_song(song: Song, groove: Groove | None, path: str | Path, *, drums: Drums = "replace", force: bool = False) -> WriteReport:
    """Write a song's file with a drum track added.

    Args:
        song: the song, with its bytes.
        groove: the drums, on a grid of this song; none writes the song without new drums.
        path: the file to write; an existing one is replaced, but not the song's own.
        drums: ``replace`` takes the song's own drum parts out, ``keep`` leaves them.
        force: allow ``path`` to be the file that the song was read from.

    Raises:
        OutputError: the path is the input and ``force`` is not set, or cannot be written.
    """
    path = Path(path)
    if not force and _is_input(song, path):
        raise OutputError(f"{path} is the input: use another -o, or --force")
    spliced = splice(song, groove, drums=drums)
    write_bytes(path, spliced.data)
    notes, merged = (len(spliced.notes.tick), spliced.notes.merged) if spliced.notes else (0, 0)
    return WriteReport(path, len(spliced.data), notes, merged, spliced.removed)


def write_groove(groove: Groove, path: str | Path, tempo: TempoMap, metre: MetreMap) -> WriteReport:
    """Write a groove alone: a file of format 1 with a track of tempi and metres and a drum track.

    Args:
        groove: the drums.
        path: the file to write.
        tempo, metre: the maps on which the groove's grid was laid.

    Raises:
        OutputError: the path cannot be written.
        ValueError: the maps do not fit into a MIDI file.
    """
    notes = plan_notes(groove, int(groove.grid.bar_ticks[-1]))
    data = build_song(groove, tempo, metre)
    write_bytes(path, data)
    return WriteReport(Path(path), len(data), len(notes.tick), notes.merged, 0)


def build_song(
    groove: Groove, tempo: TempoMap, metre: MetreMap, parts: Sequence[bytes] = (), markers: Sequence[tuple[int, str]] = (), *, name: str = "Drums"
) -> bytes:
    """A file of format 1: a track of tempi, metres and markers, a drum track, and other tracks.

    Args:
        groove: the drums.
        tempo, metre: the maps on which the groove's grid was laid.
        parts: track chunks, see ``parttrack.build_part_chunk``.
        markers: tick and text of each.
        name: of the drum track.

    Raises:
        ValueError: the maps do not fit into a MIDI file.
    """
    end_tick = int(groove.grid.bar_ticks[-1])
    header = (1).to_bytes(2, "big") + (2 + len(parts)).to_bytes(2, "big") + _encode_division(tempo)
    conductor = _build_conductor(tempo, metre, end_tick, markers)
    return encode_chunk(b"MThd", header) + conductor + build_drum_chunk(plan_notes(groove, end_tick), name, end_tick) + b"".join(parts)


def _is_input(song: Song, path: Path) -> bool:
    try:
        return bool(song.source) and os.path.samefile(song.source, path)
    except (OSError, ValueError):
        return False


def _encode_division(tempo: TempoMap) -> bytes:
    if tempo.ticks_per_second is None:
        if tempo.ticks_per_quarter > 0x7FFF:
            raise ValueError(f"a MIDI file holds at most 32,767 ticks per quarter, not {tempo.ticks_per_quarter}")
        return tempo.ticks_per_quarter.to_bytes(2, "big")
    for rate, exact in FRAME_RATES.items():
        ticks = tempo.ticks_per_second / exact
        if ticks.denominator == 1 and ticks <= 0xFF:
            return bytes([256 - rate, int(ticks)])
    raise ValueError(f"a MIDI file cannot hold {tempo.ticks_per_second} ticks per second")


def _build_conductor(tempo: TempoMap, metre: MetreMap, end_tick: int, markers: Sequence[tuple[int, str]] = ()) -> bytes:
    """The track chunk with the metres, tempi and markers that start before ``end_tick``."""
    events = [(tick, encode_meta(SET_TEMPO, us.to_bytes(3, "big"))) for tick, us in zip(tempo.ticks, tempo.microseconds, strict=True)]
    for tick, numerator, denominator in zip(metre.ticks, metre.numerators, metre.denominators, strict=True):
        payload = bytes([numerator, denominator.bit_length() - 1, max(1, 96 // denominator), 8])
        events.append((tick, encode_meta(TIME_SIGNATURE, payload)))
    events += [(tick, encode_meta(MARKER, text.encode("utf-8"))) for tick, text in markers]
    body, now = b"", 0
    for tick, event in sorted(e for e in events if e[0] < end_tick or e[0] == 0):
        body += encode_delta(tick - now) + event
        now = tick
    return encode_chunk(b"MTrk", body + encode_delta(end_tick - now) + encode_meta(END_OF_TRACK, b""))
