"""A song as the synthesiser gets it: one track of plain channel events in real time.

The synthesiser's own reader knows neither SMPTE division nor format 2, stops at the last event and is not made for
damaged files. So it never sees the user's bytes: the events are placed in seconds through the song's tempo map and
written anew.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from backbeat.midi.drumparts import DRUM_CHANNEL
from backbeat.midi.events import write_varlen
from backbeat.midi.notes import VoiceEvents, collect_voice_events
from backbeat.midi.reader import dissect
from backbeat.song import Song
from backbeat.units import Floats, Ints, TempoMap

TICKS_PER_SECOND = 20_000
"""Resolution of the written file, whose quarter lasts one second: 50 microseconds, one sample at 20 kHz."""

CHANNELS = 16
VOLUME, EXPRESSION, ALL_NOTES_OFF = 7, 11, 123
DEFAULT_VOLUME = 100
FADE_SECONDS, FADE_STEPS = 0.4, 16
CONTROL = 0xB0
BANK, BANK_LSB = 0, 32
Only = Callable[[VoiceEvents], npt.NDArray[np.bool_]]
DECLARED = ("sysex", "bank")
"""Reasons why a part is a drum part that the file states; by the others it may be one, but every player plays it as it is written."""


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


def write_timeline(song: Song, tail: float, volume: float = 1.0, only: Only | None = None) -> bytes:
    """The song's channel events as a MIDI file whose ticks are real time.

    Args:
        song: the song.
        tail: seconds to go on after the last note, so that what rings may ring.
        volume: amplitude that all channels are scaled by, 0-1.
        only: which of the channel events (bool [n]), whose drums are all on the drum channel; none = all. The end stays where it is.
    """
    voices = _collect(song)
    voices = voices if only is None else voices.select(only(voices))
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
    body.append(write_varlen(stop - now) + _write_ending(round(tail * TICKS_PER_SECOND)))
    track = b"".join(body)
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS_PER_SECOND) + b"MTrk" + struct.pack(">I", len(track)) + track


def _write_ending(tail: int) -> bytes:
    """What follows the last note: all keys are released, what rings goes on and is faded out, so that it does not end in a click.

    Args:
        tail: ticks that it lasts.
    """
    fade = round(FADE_SECONDS * TICKS_PER_SECOND)
    body = b"\0".join(bytes((CONTROL | channel, ALL_NOTES_OFF, 0)) for channel in range(CHANNELS))
    gap = max(0, tail - fade)
    for step in range(1, FADE_STEPS + 1):
        level = round(127 * (1 - step / FADE_STEPS))
        body += write_varlen(gap) + b"\0".join(bytes((CONTROL | channel, EXPRESSION, level)) for channel in range(CHANNELS))
        gap = min(fade, tail) // FADE_STEPS
    return body + write_varlen(gap) + b"\xff\x2f\0"


def _collect(song: Song) -> VoiceEvents:
    """The channel events until the last note has ended, by time; at one time in file order."""
    voices = collect_voice_events(song.data, dissect(song.data).tracks)
    voices = _gather_drums(song, voices.select(voices.tick <= song.last_note_tick))
    return voices.select(np.argsort(voices.tick, kind="stable"))


def _gather_drums(song: Song, voices: VoiceEvents) -> VoiceEvents:
    """Move the notes of channels that the file itself makes rhythm parts to the drum channel, and leave out its bank changes.

    Only the drum channel plays kits here, and only of one bank; on the channels the notes come from, nothing else may follow them.
    """
    declared = [part.track * CHANNELS + part.channel for part in song.drum_parts if part.drums in DECLARED]
    channel = voices.status & 15
    moved = np.isin(voices.track * CHANNELS + channel, declared)
    kind = voices.status & 0xF0
    is_note = kind < 0xA0
    is_bank = (kind == CONTROL) & ((voices.data1 == BANK) | (voices.data1 == BANK_LSB))
    keep = np.where(moved, is_note, ~(is_bank & (channel == DRUM_CHANNEL)))
    return voices._replace(status=np.where(moved, kind | DRUM_CHANNEL, voices.status)).select(keep)


def _write_event(status: int, first: int, second: int, share: float) -> bytes:
    if 0xC0 <= status < 0xE0:
        return bytes((status, first))
    if status & 0xF0 == CONTROL and first == VOLUME:
        return bytes((status, first, min(127, round(second * share))))
    return bytes((status, first, second))
