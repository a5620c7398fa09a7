"""From note-on and note-off events to notes, for all tracks of a file at once."""

from __future__ import annotations

from dataclasses import dataclass
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
        new = np.ones(len(part), np.bool_)
        np.not_equal(part[1:], part[:-1], out=new[1:])
        order = _sort_by_time(new.cumsum() - 1, self.onset, pitch)
        notes = np.empty(len(order), dtype=NOTE_DTYPE)
        for name, column in (("onset", self.onset), ("end", self.end), ("pitch", pitch), ("velocity", self.velocity)):
            notes[name] = column.take(order)
        first = new.nonzero()[0]
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
            keys, count = key.take(order).tolist(), len(order)
            first, behind = dict(zip(reversed(keys), range(count - 1, -1, -1), strict=True)), dict(zip(keys, range(1, count + 1), strict=True))
            self._sorted.append((first, behind, changes.tick.take(order), values.take(order)))

    def find(self, track: int, channel: int, notes: Notes) -> int:
        """The setting that most notes of a part sound with, -1 where there is none.

        Args:
            track, channel: the part. Changes in its own track go before those of its channel in other tracks.
            notes: the part's notes.
        """
        for (first, behind, ticks, values), key in zip(self._sorted, (track * 16 + channel, channel), strict=False):
            if key in first:
                a, b = first[key], behind[key]
                if b - a == 1:
                    return int(values[a])
                now = np.maximum(ticks[a:b].searchsorted(notes["onset"], side="right") - 1, 0)
                return int(np.bincount(values[a:b].take(now)).argmax())
        return -1


def collect_voice_events(data: bytes, tracks: list[TrackEvents]) -> VoiceEvents:
    """Gather the channel-voice events of all tracks."""
    if not tracks:
        return VoiceEvents(*np.zeros((5, 0), dtype=np.int64))
    buffer = np.frombuffer(data, dtype=np.uint8)
    status = np.concatenate([track.statuses for track in tracks])
    voice = (status < 0xF0).nonzero()[0]
    first = voice.searchsorted(np.cumsum([0, *(len(track.statuses) for track in tracks)]))
    number = np.repeat(np.arange(len(tracks)), first[1:] - first[:-1])
    tick, end = (np.concatenate(columns).take(voice) for columns in ([t.ticks for t in tracks], [t.ends for t in tracks]))
    status = status.take(voice)
    two = (status < 0xC0) | (status >= 0xE0)
    end -= 1
    last = buffer.take(end)
    end -= 1
    return VoiceEvents(number, tick, status, np.where(two, buffer.take(end), last).astype(np.int64), (last * two).astype(np.int64))


def pair_notes(events: VoiceEvents, end_ticks: Ints) -> PairedNotes:
    """Pair note-ons with note-offs: of notes that sound together on one key, the first struck is the first ended.

    A note-on of velocity 0 is a note-off; a note-off that ends nothing is ignored.

    Args:
        events: channel-voice events.
        end_ticks: int64 [tracks]: where each track ends.
    """
    which = (events.status < 0xA0).nonzero()[0]
    status = events.status.take(which)
    part, pitch = events.track.take(which) * 16 + (status & 15), events.data1.take(which)
    order = _sort_by_key(part, pitch, 16 * len(end_ticks))
    key, which = (part * 128 + pitch).take(order), which.take(order)
    tick, velocity = events.tick.take(which), events.data2.take(which)
    on = (status.take(order) >= 0x90) & (velocity > 0)
    struck = on.nonzero()[0]
    off = _find_offs(key, on).take(struck)
    key, onset, ended = key.take(struck), tick.take(struck), off >= 0
    end = np.maximum(np.where(ended, tick.take(off, mode="clip"), end_ticks.take(key >> 11)), onset)
    return PairedNotes(key, onset, end, velocity.take(struck), len(off) - int(np.count_nonzero(ended)), int(np.count_nonzero((end == onset) & ended)))


def _sort_by_key(part: Ints, pitch: Ints, parts: int) -> Ints:
    """The order of notes by part, then pitch, stable; by radix where the parts that are there leave room in 16 bits."""
    there = np.zeros(parts, np.bool_)
    there[part] = True
    rank = there.cumsum() * 128
    if len(rank) and rank[-1] > 512 * 128:
        return np.argsort(part * 128 + pitch, kind="stable")
    return np.argsort((rank.take(part) + (pitch - 128)).astype(np.uint16), kind="stable")


def _sort_by_time(part: Ints, onset: Ints, pitch: Ints) -> Ints:
    """The order of notes by part, then onset, then pitch, stable."""
    if not len(part) or part[-1] >= 1 << 15:
        return np.lexsort((pitch, onset, part))
    return np.argsort(part << 48 | onset << 7 | pitch, kind="stable")  # the notes of a key ascend already, which a stable sort makes use of


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
