"""A song as the synthesiser gets it: one track of plain channel events in real time.

The synthesiser's own reader knows neither SMPTE division nor format 2, stops at the last event and is not made for
damaged files. So it never sees the user's bytes: the events are placed in seconds through the song's tempo map and
written anew.
"""

from __future__ import annotations

import struct

import numpy as np

from backbeat.midi.events import write_varlen
from backbeat.midi.notes import VoiceEvents, collect_voice_events
from backbeat.midi.reader import dissect
from backbeat.song import Song
from backbeat.units import Floats, Ints, TempoMap

TICKS_PER_SECOND = 20_000
"""Resolution of the written file, whose quarter lasts one second: 50 microseconds, one sample at 20 kHz."""

CHANNELS = 16
VOLUME, ALL_NOTES_OFF, RESET = 7, 123, 121
DEFAULT_VOLUME = 100
CONTROL = 0xB0


def seconds_of(tempo: TempoMap, ticks: Ints) -> Floats:
    """Seconds from tick 0, for many ticks at once.

    Args:
        tempo: the song's tempo map.
        ticks: int64 [n].
    """
    if tempo.ticks_per_second is not None:
        return np.asarray(ticks / float(tempo.ticks_per_second), dtype=np.float64)
    starts = np.array(tempo.ticks, dtype=np.int64)
    per_tick = np.array(tempo.microseconds, dtype=np.float64) / (1e6 * tempo.ticks_per_quarter)
    anchors = np.concatenate([[0.0], np.cumsum(np.diff(starts) * per_tick[:-1])])
    segment = np.searchsorted(starts, ticks, side="right") - 1
    return np.asarray(anchors[segment] + (ticks - starts[segment]) * per_tick[segment], dtype=np.float64)


def write_timeline(song: Song, tail: float, volume: float = 1.0) -> bytes:
    """The song's channel events as a MIDI file whose ticks are real time.

    Args:
        song: the song.
        tail: seconds to go on after the last note, so that what rings may ring.
        volume: amplitude that all channels are scaled by, 0-1.
    """
    voices = _collect(song)
    times = np.floor(seconds_of(song.tempo, voices.tick) * TICKS_PER_SECOND + 0.5).astype(np.int64)
    stop = int(np.floor(seconds_of(song.tempo, np.array([song.last_note_tick]))[0] * TICKS_PER_SECOND + 0.5))
    # The synthesiser's gain goes with the square of the volume controller.
    share = volume**0.5
    body = [b"\x00\xff\x51\x03", (1_000_000).to_bytes(3, "big")]
    body += [bytes((0, CONTROL | channel, VOLUME, round(DEFAULT_VOLUME * share))) for channel in range(CHANNELS)]
    now = 0
    for time, status, first, second in zip(times.tolist(), voices.status.tolist(), voices.data1.tolist(), voices.data2.tolist(), strict=True):
        body.append(write_varlen(time - now))
        body.append(_write_event(status, first, second, share))
        now = time
    body.append(write_varlen(stop - now))
    body += [bytes((CONTROL | channel, ALL_NOTES_OFF, 0, 0)) for channel in range(CHANNELS)]
    end = round(tail * TICKS_PER_SECOND)
    track = b"".join(body)[:-1] + write_varlen(end) + bytes((CONTROL, ALL_NOTES_OFF, 0)) + b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS_PER_SECOND) + b"MTrk" + struct.pack(">I", len(track)) + track


def _collect(song: Song) -> VoiceEvents:
    """The channel events until the last note has ended, by time; at one time in file order."""
    voices = collect_voice_events(song.data, dissect(song.data).tracks)
    voices = voices.select(voices.tick <= song.last_note_tick)
    return voices.select(np.argsort(voices.tick, kind="stable"))


def _write_event(status: int, first: int, second: int, share: float) -> bytes:
    if 0xC0 <= status < 0xE0:
        return bytes((status, first))
    if status & 0xF0 == CONTROL and first == VOLUME:
        return bytes((status, first, min(127, round(second * share))))
    return bytes((status, first, second))
