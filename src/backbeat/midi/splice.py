"""Put a drum track into a MIDI file, and take drum parts out, without touching anything else.

Everything else keeps its bytes: chunks without a drum event are copied whole; from the others only channel-voice events of
drum parts leave, and the delta time of the event behind them is lengthened.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.groove import Groove
from backbeat.midi.drumtrack import DRUM_CHANNEL, DrumNotes, build_drum_chunk, encode_chunk, encode_delta, plan_notes
from backbeat.midi.events import TrackEvents, read_varlen
from backbeat.midi.reader import dissect
from backbeat.song import Song

Drums = Literal["replace", "keep"]


class Spliced(NamedTuple):
    """A finished file, the notes written into it, and the number of events taken out."""

    data: bytes
    notes: DrumNotes | None
    removed: int


def splice_drums(song: Song, groove: Groove | None, *, drums: Drums = "replace", name: str = "Drums (Backbeat)") -> bytes:
    """The song's file with a drum track added.

    Args:
        song: the song, with its bytes.
        groove: what to add, on a grid of this song; none adds no track.
        drums: ``replace`` takes the song's own drum parts out, ``keep`` leaves every chunk as it is.
        name: name of the new track.

    Raises:
        ValueError: ``drums`` is neither.
    """
    return splice(song, groove, drums=drums, name=name).data


def splice(song: Song, groove: Groove | None, *, drums: Drums = "replace", name: str = "Drums (Backbeat)") -> Spliced:
    """Like ``splice_drums``, and tells what was written and removed."""
    if drums not in ("replace", "keep"):
        raise ValueError(f"drums is 'replace' or 'keep', not {drums!r}")
    file = dissect(song.data)
    pairs = {(part.track, part.channel) for part in song.drum_parts} if drums == "replace" else set()
    chunks, removed = _strip_tracks(song.data, file.tracks, pairs)
    notes = None
    if groove is not None:
        notes = plan_notes(groove, song.end_tick)
        last = notes.end.max(initial=song.end_tick)
        chunks[-1] += build_drum_chunk(notes, name, int(last))
    out, track = [], iter(chunks)
    for chunk in file.layout.chunks[1:]:
        out.append(next(track) if chunk.kind == b"MTrk" else song.data[chunk.start : chunk.end])
    header = song.data[: file.layout.chunks[0].end]
    if groove is not None:
        # One track (format 0) is not enough any more, and all tracks sound together (not format 2).
        header = header[:8] + b"\0\1" + (len(file.tracks) + 1).to_bytes(2, "big") + header[12:]
    return Spliced(header + b"".join(out), notes, removed)


def list_events(data: bytes) -> list[list[tuple[int, int, bytes]]]:
    """The events of every track as (tick, status, bytes behind the status): how tests compare files.

    Raises:
        MidiError: the bytes are no MIDI file, or a damaged one.
    """
    file = dissect(data)
    return [[(tick, status, _get_body(file.data, start, end, status)) for start, tick, end, status in _iterate(track)] for track in file.tracks]


def _iterate(track: TrackEvents) -> list[tuple[int, int, int, int]]:
    return list(zip(track.starts.tolist(), track.ticks.tolist(), track.ends.tolist(), track.statuses.tolist(), strict=True))


def _get_body(data: bytes, start: int, end: int, status: int) -> bytes:
    body = data[read_varlen(data, start)[1] : end]
    return body[1:] if body[0] >= 0x80 else body


def _strip_tracks(data: bytes, tracks: list[TrackEvents], pairs: set[tuple[int, int]]) -> tuple[list[bytes], int]:
    """The track chunks without the events of drum parts, and how many those were."""
    chunks, removed = [], 0
    status = status_before = 0  # running status across tracks, in the output and in the input
    for index, track in enumerate(tracks):
        leaving = _find_leaving(track, index, pairs)
        chunk = data[track.chunk.start : track.chunk.end]
        needs_status = track.borrowed and status != status_before
        if leaving.any() or needs_status:
            chunk = encode_chunk(b"MTrk", _strip(data, track, leaving, needs_status))
        chunks.append(chunk)
        removed += int(leaving.sum())
        staying = track.statuses[track.is_voice & ~leaving]
        status = int(staying[-1]) if len(staying) else status
        status_before = track.last_status
    return chunks, removed


def _find_leaving(track: TrackEvents, index: int, pairs: set[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """Bool [n]: the channel-voice events of the drum parts, and with them all others on the drum channel."""
    channels = [channel for channel in range(16) if (index, channel) in pairs or (pairs and channel == DRUM_CHANNEL)]
    return track.is_voice & np.isin(track.statuses & 15, channels)


def _strip(data: bytes, track: TrackEvents, leaving: npt.NDArray[np.bool_], needs_status: bool) -> bytes:
    """The body of a track chunk without some channel-voice events.

    Within a track a status byte never has to be added: an event with running status has the channel of the event that wrote
    it, so both leave or both stay. Only a track that begins with the running status of the track before can lose its own.
    """
    out: list[bytes] = []
    before, copied = 0, True  # tick of the last event that stays; whether the event just before stays
    add_status = int(np.argmax(track.is_voice)) if needs_status else -1
    for index, (start, tick, end, status) in enumerate(_iterate(track)):
        if leaving[index]:
            copied = False
            continue
        body = read_varlen(data, start)[1]
        out.append(data[start:body] if copied else encode_delta(tick - before))
        if index == add_status:
            out.append(bytes([status]))
        out.append(data[body:end])
        before, copied = tick, True
    rest = int(track.ends[-1]) if len(track.ends) else track.chunk.body
    out.append(data[rest : track.chunk.end])
    return b"".join(out)
