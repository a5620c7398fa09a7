"""Read a MIDI file into a Song: parts, tempo map, metre map, and what was odd about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from backbeat.errors import InputError, MidiError
from backbeat.midi.chunks import Chunk, Layout, scan_chunks, unwrap_riff
from backbeat.midi.drumparts import mark_drums, read_rhythm_channels
from backbeat.midi.events import INSTRUMENT_NAME, SET_TEMPO, TIME_SIGNATURE, TRACK_NAME, Meta, TrackEvents, walk_track
from backbeat.midi.notes import PairedNotes, Settings, VoiceEvents, collect_voice_events, pair_notes
from backbeat.midi.strides import walk_tracks
from backbeat.song import Part, Song
from backbeat.units import DEFAULT_MICROSECONDS, MetreMap, TempoMap

_T = TypeVar("_T")

MAX_SMPTE_TEMPI = 500
"""With SMPTE division each tempo adds a new fraction to the map; more than this many are cut off, for time's sake."""
MAX_DENOMINATOR_POWER = 6
MAX_TRACKS, MAX_TRACK_BYTES, MAX_EVENTS = 10_000, 8 << 20, 2_000_000
"""More is refused, so that reading stays within 1 GB and a few seconds; a long symphony has 100,000 events."""


class Bytes(NamedTuple):
    """A MIDI file taken apart: its bytes without wrapper, chunks, events by track, and what was odd."""

    data: bytes
    layout: Layout
    tracks: list[TrackEvents]
    warnings: list[str]


def read_song(path: str | Path) -> Song:
    """Read a MIDI file (.mid, .kar, .rmi).

    Raises:
        InputError: the path cannot be read.
        MidiError: the file is no MIDI file, or a damaged one.
    """
    return parse_song(read_bytes(path), str(path))


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file.

    Raises:
        InputError: the path cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder, give a MIDI file") from None
    except PermissionError:
        raise InputError(f"{path}: no permission to read this file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


def parse_song(data: bytes, source: str = "") -> Song:
    """Understand the bytes of a MIDI file.

    Args:
        data: the file.
        source: path or name, for messages.

    Raises:
        MidiError: the bytes are no MIDI file, or a damaged one.
    """
    try:
        return _parse(bytes(data), source)
    except MidiError as error:
        raise MidiError(f"{source or 'MIDI data'}: {error}") from None


def dissect(data: bytes) -> Bytes:
    """Take a MIDI file apart into chunks and events.

    Raises:
        MidiError: the bytes are no MIDI file, or a damaged one.
    """
    data, warnings = unwrap_riff(data)
    layout = scan_chunks(data)
    if len(layout.tracks) > MAX_TRACKS:
        raise MidiError(f"{len(layout.tracks):,} tracks, more than the {MAX_TRACKS:,} that are read")
    tracks: list[TrackEvents] = []
    oddities: dict[str, list[int]] = {}
    status = events = 0
    for number, (chunk, quick) in enumerate(zip(layout.tracks, walk_tracks(data, layout.tracks), strict=True), 1):
        try:
            _check_size(chunk, events)
            track = walk_track(data, chunk, status) if quick is None else quick if quick.last_status else quick._replace(last_status=status)
        except MidiError as error:
            raise MidiError(f"track {number}: {error}") from None
        status = track.last_status
        events += len(track.ticks)
        tracks.append(track)
        for oddity in track.warnings:
            oddities.setdefault(oddity, []).append(number)
    return Bytes(data, layout, tracks, [*warnings, *layout.warnings, *(f"{_name_tracks(numbers)}: {oddity}" for oddity, numbers in oddities.items())])


def _check_size(chunk: Chunk, events: int) -> None:
    if chunk.end - chunk.body > MAX_TRACK_BYTES:
        raise MidiError(f"it has {(chunk.end - chunk.body) >> 20} MB, more than the {MAX_TRACK_BYTES >> 20} MB of a track that are read")
    if events > MAX_EVENTS:
        raise MidiError(f"more than {MAX_EVENTS:,} events come before it, which no song has")


def _name_tracks(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:6])) + (" ..." if len(numbers) > 6 else "")
    return f"track{'s' * (len(numbers) > 1)} {shown}"


def _parse(data: bytes, source: str) -> Song:
    file = dissect(data)
    warnings = list(file.warnings)
    metas = [meta for track in file.tracks for meta in track.metas]
    tempo = _read_tempo(file, metas, warnings.append)
    metre = _read_metre(file.data, metas, warnings.append)
    voices = collect_voice_events(file.data, file.tracks)
    end_ticks = np.array([track.end_tick for track in file.tracks], dtype=np.int64)
    notes = pair_notes(voices, end_ticks)
    _warn_of_notes(notes, warnings.append)
    parts = _build_parts(file, voices, notes)
    end_tick = max(int(end_ticks.max()), int(notes.end.max()) if len(notes.end) else 0)
    return Song(
        file.data,
        file.layout.format,
        mark_drums(parts, voices, read_rhythm_channels(file.data, file.tracks), tempo.ticks_per_quarter),
        tempo,
        metre,
        end_tick,
        tuple(warnings),
        source,
    )


def _warn_of_notes(notes: PairedNotes, warn: Callable[[str], None]) -> None:
    if notes.stuck:
        warn(f"{notes.stuck} notes have no note-off: they end with their track")
    if notes.empty:
        warn(f"{notes.empty} notes have no length")


def _read_tempo(file: Bytes, metas: list[Meta], warn: Callable[[str], None]) -> TempoMap:
    ticks_per_quarter, ticks_per_second = file.layout.resolve_division()
    found: dict[int, int] = {}
    ignored = 0
    for meta in metas:
        if meta.type == SET_TEMPO:
            microseconds = int.from_bytes(file.data[meta.start : meta.end], "big")
            if meta.end - meta.start == 3 and microseconds:
                found[meta.tick] = microseconds
            else:
                ignored += 1
    if ignored:
        warn(f"{ignored} tempo events of tempo 0 or of a wrong size are ignored")
    if not found:
        warn("the file names no tempo: 120 BPM is taken")
    changes = _keep_changes({0: DEFAULT_MICROSECONDS, **found})
    if ticks_per_second is not None and len(changes) > MAX_SMPTE_TEMPI:
        warn(f"{len(changes)} tempi in a file with SMPTE division: the first {MAX_SMPTE_TEMPI} are read")
        changes = changes[:MAX_SMPTE_TEMPI]
    return TempoMap(ticks_per_quarter, tuple(t for t, _ in changes), tuple(us for _, us in changes), ticks_per_second)


def _read_metre(data: bytes, metas: list[Meta], warn: Callable[[str], None]) -> MetreMap:
    found: dict[int, tuple[int, int]] = {}
    ignored = 0
    for meta in metas:
        if meta.type == TIME_SIGNATURE:
            payload = data[meta.start : meta.end]
            if len(payload) >= 2 and payload[0] and payload[1] <= MAX_DENOMINATOR_POWER:
                found[meta.tick] = (payload[0], 1 << payload[1])
            else:
                ignored += 1
    if ignored:
        warn(f"{ignored} metre events that name no metre are ignored")
    if not found:
        warn("the file names no metre: 4/4 is taken")
    changes = _keep_changes({0: (4, 4), **found})
    return MetreMap(tuple(t for t, _ in changes), tuple(m[0] for _, m in changes), tuple(m[1] for _, m in changes))


def _keep_changes(found: dict[int, _T]) -> list[tuple[int, _T]]:
    """The entries in order of time, without those that repeat the one before."""
    kept: list[tuple[int, _T]] = []
    for tick, value in sorted(found.items(), key=lambda entry: entry[0]):
        if not kept or kept[-1][1] != value:
            kept.append((tick, value))
    return kept


def _build_parts(file: Bytes, voices: VoiceEvents, notes: PairedNotes) -> list[Part]:
    names = [_read_name(file.data, track) for track in file.tracks]
    changes = voices.select((voices.status >> 4 == 0xC).nonzero()[0])
    programs = Settings(changes, changes.data1)
    return [Part(track, channel, max(0, programs.find(track, channel, part)), names[track], part) for track, channel, part in notes.split_parts()]


def _read_name(data: bytes, track: TrackEvents) -> str:
    for wanted in (TRACK_NAME, INSTRUMENT_NAME):
        for meta in track.metas:
            if meta.type == wanted and (name := decode_text(data[meta.start : meta.end])):
                return name
    return ""


def decode_text(raw: bytes) -> str:
    """Text of a MIDI file, whose encoding nobody names: UTF-8 if it is, Japanese if it has kana, else Latin-1; in one printable line."""
    text = raw.decode("latin-1")
    if raw.isascii() and text.isprintable():
        return " ".join(text.split())
    encodings = ("utf-8", "cp932") if b"\x83" in raw or b"\x82" in raw else ("utf-8",)
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
