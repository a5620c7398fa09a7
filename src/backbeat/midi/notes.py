"""From note-on and note-off events to notes, for all tracks of a file at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.midi.events import TrackEvents
from backbeat.song import NOTE_DTYPE, Notes
from backbeat.units import Ints

Flags = npt.NDArray[np.bool_]


class VoiceEvents(NamedTuple):
    """Channel-voice events of all tracks, in file order; int64 arrays [n]."""

    track: Ints
    tick: Ints
    status: Ints
    data1: Ints
    data2: Ints

    def select(self, mask: Ints | Flags) -> VoiceEvents:
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
        new = np.diff(part, prepend=-1) != 0
        order = _sort_by_time(np.cumsum(new) - 1, self.onset, pitch)
        notes = np.empty(len(order), dtype=NOTE_DTYPE)
        for name, column in (("onset", self.onset), ("end", self.end), ("pitch", pitch), ("velocity", self.velocity)):
            notes[name] = column.take(order)
        first = np.flatnonzero(new)
        bounds = [*first.tolist(), len(notes)]
        keys = part[first].tolist()
        return [(key >> 4, key & 15, notes[a:b]) for key, a, b in zip(keys, bounds[:-1], bounds[1:], strict=True)]


class Settings:
    """What the channels of a file are set to (program, bank), and when.

    Args:
        changes: the events that set it, of the whole file.
        values: int64 [n]: what each of them sets it to, >= 0.
    """

    def __init__(self, changes: VoiceEvents, values: Ints) -> None:
        channel = changes.status & 15
        self._sorted = []
        for key in (changes.track * 16 + channel, channel) if len(channel) else ():
            order = np.lexsort((changes.tick, key))
            keys = key[order]
            first = np.flatnonzero(np.diff(keys, prepend=-1))
            runs = dict(zip(keys[first].tolist(), pairwise([*first.tolist(), len(keys)]), strict=True))
            self._sorted.append((runs, changes.tick[order], values[order]))

    def find(self, track: int, channel: int, notes: Notes) -> int:
        """The setting that most notes of a part sound with, -1 where there is none.

        Args:
            track, channel: the part. Changes in its own track go before those of its channel in other tracks.
            notes: the part's notes.
        """
        for (runs, ticks, values), key in zip(self._sorted, (track * 16 + channel, channel), strict=False):
            first, last = runs.get(key, (0, 0))
            if last - first == 1:
                return int(values[first])
            if last > first:
                now = np.maximum(ticks[first:last].searchsorted(notes["onset"], side="right") - 1, 0)
                return int(np.bincount(values[first:last][now]).argmax())
        return -1


def collect_voice_events(data: bytes, tracks: list[TrackEvents]) -> VoiceEvents:
    """Gather the channel-voice events of all tracks."""
    if not tracks:
        return VoiceEvents(*np.zeros((5, 0), dtype=np.int64))
    buffer = np.frombuffer(data, dtype=np.uint8)
    status = np.concatenate([track.statuses for track in tracks])
    voice = np.flatnonzero(status < 0xF0)
    number = np.repeat(np.arange(len(tracks)), [len(track.statuses) for track in tracks]).take(voice)
    tick, end = (np.concatenate(columns).take(voice) for columns in ([t.ticks for t in tracks], [t.ends for t in tracks]))
    status = status.take(voice)
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
    which = np.flatnonzero(events.status < 0xA0)
    track, tick, status, pitch, velocity = (column.take(which) for column in events)
    key = (track * 16 + (status & 15)) * 128 + pitch
    order = _sort_by_key(key, 16 * len(end_ticks))
    key, tick, velocity = key.take(order), tick.take(order), velocity.take(order)
    on = (status.take(order) >= 0x90) & (velocity > 0)
    struck = np.flatnonzero(on)
    off = _find_offs(key, on).take(struck)
    key, onset, ended = key.take(struck), tick.take(struck), off >= 0
    end = np.maximum(np.where(ended, tick.take(off, mode="clip"), end_ticks.take(key >> 11)), onset)
    return PairedNotes(key, onset, end, velocity.take(struck), len(off) - int(ended.sum()), int((end == onset)[ended].sum()))


def _sort_by_key(key: Ints, parts: int) -> Ints:
    """The order of keys (part * 128 + pitch), stable; by radix where the parts that are there leave room in 16 bits."""
    there = np.zeros(parts, np.bool_)
    there[key >> 7] = True
    if there.sum() > 512:
        return np.argsort(key, kind="stable")
    rank = (np.cumsum(there) - 1) * 128
    return np.argsort((rank[key >> 7] + (key & 127)).astype(np.uint16), kind="stable")


def _sort_by_time(part: Ints, onset: Ints, pitch: Ints) -> Ints:
    """The order of notes by part, then onset, then pitch, stable."""
    if not len(part) or part[-1] >= 1 << 15:
        return np.lexsort((pitch, onset, part))
    place = part << 48 | onset << 7 | pitch
    order = np.argsort(place)
    again = np.diff(place.take(order)) == 0
    return np.argsort(place, kind="stable") if again.any() else order


def _find_offs(key: Ints, on: Flags) -> Ints:
    """int64 [n]: the event that ends each note-on, -1 where none does, and for note-offs."""
    same = key[1:] == key[:-1]
    offs = np.full(len(key), -1, dtype=np.int64)
    next_ends = np.flatnonzero(on[:-1] & ~on[1:] & same)
    offs[next_ends] = next_ends + 1
    doubled = on[:-1] & on[1:] & same
    if doubled.any():  # notes of one key that sound together
        group = np.concatenate([[0], np.cumsum(~same)])
        dense = np.zeros(int(group[-1]) + 1, np.bool_)
        dense[group[:-1][doubled]] = True
        events = np.flatnonzero(dense[group])
        found = _match_dense(key[events], on[events])
        offs[events] = np.where(found >= 0, events[found], -1)
    return offs


def _match_dense(key: Ints, on: Flags) -> Ints:
    """What ``_find_offs`` finds, also where notes of one key sound together."""
    ons, offs = np.flatnonzero(on), np.flatnonzero(~on & ~_find_idle(key, on))
    first_off = np.searchsorted(key[offs], key[ons], side="left")
    rank = _rank_within(key[ons])
    ended = rank < np.searchsorted(key[offs], key[ons], side="right") - first_off
    out = np.full(len(key), -1, dtype=np.int64)
    out[ons[ended]] = offs[(first_off + rank)[ended]]
    return out


def _rank_within(keys: Ints) -> Ints:
    """int64 [n]: 0, 1, 2 ... within each run of equal keys (sorted)."""
    return np.arange(len(keys)) - np.searchsorted(keys, keys, side="left")


def _find_idle(key: Ints, on: Flags) -> Flags:
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
