"""From note-on and note-off events to notes, for all tracks of a file at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from backbeat.midi.events import TrackEvents
from backbeat.song import NOTE_DTYPE, Notes
from backbeat.units import Ints


class VoiceEvents(NamedTuple):
    """Channel-voice events of all tracks, in file order; int64 arrays [n]."""

    track: Ints
    tick: Ints
    status: Ints
    data1: Ints
    data2: Ints

    def select(self, mask: Ints | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> VoiceEvents:
        """The events that a mask or index picks."""
        return VoiceEvents(*(column[mask] for column in self))


@dataclass(frozen=True, eq=False)
class PairedNotes:
    """Notes of all tracks, in the order of their keys (track, channel, pitch), then of time.

    Args:
        key: int64 [n]: (track * 16 + channel) * 128 + pitch.
        onset, end: int64 [n], ticks.
        velocity: int64 [n], 1-127.
        stuck: notes that no note-off ends; they last until the end of their track.
        empty: notes of zero length.
    """

    key: Ints
    onset: Ints
    end: Ints
    velocity: Ints
    stuck: int
    empty: int

    def split_parts(self) -> list[tuple[int, int, Notes]]:
        """Track, channel and notes (by onset, then pitch) of every part."""
        part, pitch = self.key >> 7, self.key & 127
        order = np.lexsort((pitch, self.onset, part))
        notes = np.empty(len(order), dtype=NOTE_DTYPE)
        for name, column in (("onset", self.onset), ("end", self.end), ("pitch", pitch), ("velocity", self.velocity)):
            notes[name] = column[order]
        bounds = np.flatnonzero(np.diff(part[order], prepend=-1, append=-1))
        keys = part[order]
        return [(int(keys[a]) >> 4, int(keys[a]) & 15, notes[a:b]) for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]


def collect_voice_events(data: bytes, tracks: list[TrackEvents]) -> VoiceEvents:
    """Gather the channel-voice events of all tracks."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    columns: list[list[Ints]] = [[np.zeros(0, dtype=np.int64)] for _ in range(4)]
    for index, track in enumerate(tracks):
        voice = track.is_voice
        for column, values in zip(columns, (np.full(int(voice.sum()), index), track.ticks[voice], track.statuses[voice], track.ends[voice]), strict=True):
            column.append(values)
    number, tick, status, end = (np.concatenate(column).astype(np.int64) for column in columns)
    two = (status < 0xC0) | (status >= 0xE0)
    last = buffer[end - 1].astype(np.int64)
    return VoiceEvents(number, tick, status, np.where(two, buffer[end - 2], last), np.where(two, last, 0))


def pair_notes(events: VoiceEvents, end_ticks: Ints) -> PairedNotes:
    """Pair note-ons with note-offs: of notes that sound together on one key, the first struck is the first ended.

    A note-on of velocity 0 is a note-off; a note-off that ends nothing is ignored.

    Args:
        events: channel-voice events.
        end_ticks: int64 [tracks]: where each track ends.
    """
    events = events.select(events.status < 0xA0)
    key = (events.track * 16 + (events.status & 15)) * 128 + events.data1
    order = np.argsort(key, kind="stable")
    key, tick, velocity = key[order], events.tick[order], events.data2[order]
    on = (events.status[order] >= 0x90) & (velocity > 0)
    off = ~on & ~_find_idle(key, on)
    onset_key, end_key = key[on], key[off]
    end = end_ticks[onset_key >> 11].copy()
    rank = _rank_within(onset_key)
    first_off = np.searchsorted(end_key, onset_key, side="left")
    offs_of_key = np.searchsorted(end_key, onset_key, side="right") - first_off
    ended = rank < offs_of_key
    end[ended] = tick[off][(first_off + rank)[ended]]
    onset = tick[on]
    end = np.maximum(end, onset)
    return PairedNotes(onset_key, onset, end, velocity[on], int((~ended).sum()), int((end == onset)[ended].sum()))


def find_setting(changes: VoiceEvents, values: Ints, track: int, channel: int, notes: Notes) -> int:
    """The setting of a channel (its program, its bank) that most notes of a part sound with, -1 where it is never set.

    Args:
        changes: the events that set it, of the whole file.
        values: int64 [n]: what each of them sets it to, >= 0.
        track, channel: the part. Changes in its own track go before those of its channel in other tracks.
        notes: the part's notes.
    """
    mine = (changes.status & 15) == channel
    own = mine & (changes.track == track)
    mine = own if own.any() else mine
    if not mine.any():
        return -1
    order = np.argsort(changes.tick[mine], kind="stable")
    ticks, values = changes.tick[mine][order], values[mine][order]
    current = values[np.maximum(np.searchsorted(ticks, notes["onset"], side="right") - 1, 0)]
    return int(np.bincount(current).argmax())


def _rank_within(keys: Ints) -> Ints:
    """int64 [n]: 0, 1, 2 ... within each run of equal keys (sorted)."""
    return np.arange(len(keys)) - np.searchsorted(keys, keys, side="left")


def _find_idle(key: Ints, on: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Bool [n]: the note-offs that come while no note of their key sounds.

    The number of sounding notes is a walk of +1 and -1 held at 0 from below: an off is idle where the walk without that floor reaches a new
    minimum below 0. All keys (sorted) are walked at once, each shifted below the one before, so that a running minimum starts anew.
    """
    if not len(key):
        return np.zeros(0, dtype=np.bool_)
    walk = np.cumsum(np.where(on, 1, -1))
    first = np.concatenate([[True], key[1:] != key[:-1]])
    group = np.cumsum(first) - 1
    before = np.concatenate([[0], walk[:-1]])[first][group]
    shift = group * (len(key) + 1)
    lowest = np.minimum.accumulate(np.minimum(walk - before, 0) - shift)
    previous = np.where(first, -shift, np.concatenate([[0], lowest[:-1]]))
    return np.asarray(lowest < previous, dtype=np.bool_)
