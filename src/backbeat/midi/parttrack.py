"""A melodic part as the bytes of a track chunk, and a song's file with one more such track."""

from __future__ import annotations

import numpy as np

from backbeat.errors import InputError
from backbeat.midi.drumtrack import DRUM_CHANNEL, RELEASE_VELOCITY, encode_chunk, encode_delta, encode_meta
from backbeat.midi.events import END_OF_TRACK, TRACK_NAME
from backbeat.midi.reader import dissect
from backbeat.song import Notes, Song


def build_part_chunk(notes: Notes, *, channel: int, program: int, name: str, end_tick: int) -> bytes:
    """The track chunk of a part: name, program, notes, and an end of track at ``end_tick`` or the last note's end.

    Of notes that would sound together on one pitch the earlier ends where the later begins.

    Args:
        notes: NOTE_DTYPE [n], in ticks, none before tick 0.
        channel: 0-15.  program: General MIDI, 0-127.
        name: of the track.
        end_tick: where the song ends.
    """
    ordered = notes[np.lexsort((notes["onset"], notes["pitch"]))]
    onset, pitch = ordered["onset"].astype(np.int64), ordered["pitch"]
    end = np.maximum(ordered["end"].astype(np.int64), onset + 1)
    same = pitch[1:] == pitch[:-1]
    end[:-1] = np.where(same, np.maximum(np.minimum(end[:-1], onset[1:]), onset[:-1]), end[:-1])
    kept = end > onset
    rows = zip(onset[kept].tolist(), end[kept].tolist(), pitch[kept].tolist(), ordered["velocity"][kept].tolist(), strict=True)
    events = [e for a, b, p, v in rows for e in ((a, 1, bytes([0x90 | channel, p, v])), (b, 0, bytes([0x80 | channel, p, RELEASE_VELOCITY])))]
    body, now = [b"\x00" + encode_meta(TRACK_NAME, name.encode("utf-8")), b"\x00" + bytes([0xC0 | channel, program])], 0
    for tick, _, event in sorted(events):  # of one tick the note-offs come first
        body.append(encode_delta(tick - now) + event)
        now = tick
    body.append(encode_delta(max(0, end_tick - now)) + encode_meta(END_OF_TRACK, b""))
    return encode_chunk(b"MTrk", b"".join(body))


def find_free_channel(song: Song) -> int:
    """The lowest channel that no part of a song uses, and that is not the drums'.

    Raises:
        InputError: there is none.
    """
    used = {part.channel for part in song.parts} | {DRUM_CHANNEL}
    free = [channel for channel in range(16) if channel not in used]
    if not free:
        raise InputError(f"{song.source or 'the song'}: all 16 channels are in use, so no part can be added")
    return free[0]


def add_part(song: Song, notes: Notes, *, program: int, name: str, channel: int | None = None) -> bytes:
    """The song's file with one more part; every byte of its tracks is kept.

    Args:
        song: the song, with its bytes.
        notes: NOTE_DTYPE [n], in its ticks.
        program: General MIDI, 0-127.
        name: of the new track.
        channel: 0-15; none = the first that is free.

    Raises:
        InputError: no channel is free.
    """
    file = dissect(song.data)
    channel = find_free_channel(song) if channel is None else channel
    new = build_part_chunk(notes, channel=channel, program=program, name=name, end_tick=song.end_tick)
    header, *others = file.layout.chunks
    last = max((i for i, chunk in enumerate(others) if chunk.kind == b"MTrk"), default=-1)
    out = [song.data[chunk.start : chunk.end] + (new if i == last else b"") for i, chunk in enumerate(others)] or [new]
    # One track (format 0) is not enough any more, and all tracks sound together (not format 2).
    head = song.data[: header.end]
    return head[:8] + b"\0\1" + (len(file.tracks) + 1).to_bytes(2, "big") + head[12:] + b"".join(out)
