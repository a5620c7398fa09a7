"""What the page plays of the band: its notes in seconds, and what its channels are set to; the drums come from the grid."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from backbeat.midi.drumparts import DRUM_CHANNEL
from backbeat.midi.notes import VoiceEvents, collect_voice_events
from backbeat.midi.reader import dissect
from backbeat.render.fontcache import list_shipped_programs
from backbeat.render.programs import find_stand_in
from backbeat.render.timeline import seconds_of
from backbeat.song import Song
from backbeat.studio.views import MAX_PARTS
from backbeat.units import Floats, Ints

MAX_NOTES = 200_000
MAX_CONTROLS = 60_000
THINNED_SECONDS = 0.02
"""Where a channel has more changes than can be sent, those of one controller that follow each other more quickly are left out."""
KEY_PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, BEND = 0xA0, 0xB0, 0xC0, 0xD0, 0xE0
RESETS = (120, 121, 123)
"""Controllers that the page's player sends itself when it stops or jumps; in a song they do nothing that is missed. 122 to 127 likewise."""

Playback = dict[str, Any]


def make_playback(song: Song) -> Playback:
    """The band as the page plays it.

    Args:
        song: the song; its drum parts are left out.

    Returns:
        duration in seconds; parts: index, channel and notes [start, end, pitch, velocity] in seconds; controls: [seconds, status, data 1, data 2] by
        time: programs, controllers, pressure and pitch bend; stand_ins: for each program that the shipped SoundFont lacks the one that sounds for it;
        truncated: whether notes were left out because there are too many.
    """
    parts, left, truncated = [], MAX_NOTES, False
    for index, part in enumerate(song.parts[:MAX_PARTS]):
        if part.is_drums:
            continue
        notes = part.notes[:left]
        truncated = truncated or len(notes) < len(part.notes)
        left -= len(notes)
        start, end = (_round(seconds_of(song.tempo, notes[name].astype(np.int64))) for name in ("onset", "end"))
        rows = zip(start.tolist(), end.tolist(), notes["pitch"].tolist(), notes["velocity"].tolist(), strict=True)
        parts.append({"index": index, "channel": part.channel, "notes": [list(row) for row in rows]})
    controls = _collect_controls(song)
    duration = float(seconds_of(song.tempo, np.array([song.last_note_tick]))[0])
    view = {"duration": round(duration, 4), "parts": parts, "controls": controls, "stand_ins": find_stand_ins()}
    return view | {"truncated": truncated or len(song.parts) > MAX_PARTS}


@lru_cache(1)
def find_stand_ins() -> dict[str, int]:
    """Which program sounds for each that the shipped SoundFont lacks."""
    there = list_shipped_programs()
    found = {program: find_stand_in(program, there) for program in range(128) if program not in there}
    return {str(program): other for program, other in found.items() if other is not None}


def _collect_controls(song: Song) -> list[list[float]]:
    voices = collect_voice_events(song.data, dissect(song.data).tracks)
    voices = voices.select(_find_controls(song, voices))
    voices = voices.select(np.argsort(voices.tick, kind="stable"))
    voices = voices.select(_find_changes(voices))
    seconds = seconds_of(song.tempo, voices.tick)
    if len(seconds) > MAX_CONTROLS:
        keep = _thin(voices, seconds)
        voices, seconds = voices.select(keep), seconds[keep]
    rows = zip(_round(seconds).tolist(), voices.status.tolist(), voices.data1.tolist(), voices.data2.tolist(), strict=True)
    return [list(row) for row in rows]


def _find_controls(song: Song, voices: VoiceEvents) -> Ints:
    """Bool [n]: settings of the band's channels until the last note ends, as the reader understood them."""
    drums = [part.track * 16 + part.channel for part in song.drum_parts]
    channel, kind = voices.status & 15, voices.status & 0xF0
    band = (channel != DRUM_CHANNEL) & ~np.isin(voices.track * 16 + channel, drums) & np.isin(channel, [p.channel for p in song.band])
    mode = (kind == CONTROL) & ((voices.data1 >= 122) | np.isin(voices.data1, RESETS))
    return np.asarray(band & (kind >= KEY_PRESSURE) & ~mode & (voices.tick <= song.last_note_tick))


def _name_knobs(voices: VoiceEvents) -> Ints:
    """int64 [n]: which setting each event changes: the channel, the kind, and the controller or key."""
    kind = voices.status & 0xF0
    numbered = (kind == CONTROL) | (kind == KEY_PRESSURE)
    return np.asarray(voices.status * 128 + np.where(numbered, voices.data1, 0))


def _find_changes(voices: VoiceEvents) -> Ints:
    """int64 [m]: the events that set something else than the one before, and all that choose sounds, which depend on each other."""
    knob, value = _name_knobs(voices), voices.data1 * 128 + voices.data2
    order = np.argsort(knob, kind="stable")
    same = np.zeros(len(order), np.bool_)
    same[1:] = (knob[order][1:] == knob[order][:-1]) & (value[order][1:] == value[order][:-1])
    kind, data1 = voices.status & 0xF0, voices.data1
    choosing = (kind == PROGRAM) | ((kind == CONTROL) & np.isin(data1, [0, 6, 32, 38, 96, 97, 98, 99, 100, 101]))
    idle = np.zeros(len(order), np.bool_)
    idle[order] = same
    return np.flatnonzero(~idle | choosing)


def _thin(voices: VoiceEvents, seconds: Floats) -> Ints:
    """int64 [m]: at most ``MAX_CONTROLS`` events: of quick successions of one setting the first, then the earliest in the song."""
    knob, slot = _name_knobs(voices), np.floor(seconds / THINNED_SECONDS).astype(np.int64)
    kind = voices.status & 0xF0
    order = np.lexsort((np.arange(len(knob)), slot, knob))
    first = np.ones(len(order), np.bool_)
    first[1:] = (knob[order][1:] != knob[order][:-1]) | (slot[order][1:] != slot[order][:-1])
    keep = np.zeros(len(order), np.bool_)
    keep[order] = first
    return np.flatnonzero(keep | (kind == PROGRAM))[:MAX_CONTROLS]


def _round(seconds: Floats) -> Floats:
    return np.round(seconds, 4)
