"""A few bars of a song as sound, without rendering all of it, and sound as MP3.

Conventions: seconds are counted from tick 0; a passage keeps the rate and the channels of ``audio``.
"""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.midi.events import write_varlen
from backbeat.midi.notes import VoiceEvents, collect_voice_events
from backbeat.midi.reader import dissect, parse_song
from backbeat.render.audio import FULL_SCALE, RATE, render_song
from backbeat.render.timeline import TICKS_PER_SECOND, write_timeline
from backbeat.song import Song

Samples = npt.NDArray[np.float32]
LEAD_SECONDS = 4.0
"""How long before a passage its notes are played, unheard, so that what sounds on into it does."""

FADE_IN_SECONDS, FADE_OUT_SECONDS = 0.01, 0.4
HALF_BAND_TAPS = 63
MP3_COMPRESSION = 0.7


def render_passage(song: Song, start: float, stop: float, soundfont: str | Path | None = None) -> Samples:
    """Sound of a part of a song, faded at both ends.

    Args:
        song: the song, drums and all.
        start, stop: seconds from tick 0.
        soundfont: an SF2 or SF3 file; none = the one that is shipped.

    Returns:
        float32 [frames, 2] in [-1, 1] at ``audio.RATE``, exactly ``stop - start`` seconds.

    Raises:
        InputError: there is nothing to hear in it, or the SoundFont cannot be used.
        ValueError: ``stop`` does not follow ``start``.
    """
    if not 0 <= start < stop:
        raise ValueError(f"a passage goes from 0 or later to a later second, not from {start} to {stop}")
    lead = min(LEAD_SECONDS, start)
    try:
        rendered = render_song(parse_song(_cut(song, start - lead, stop)), soundfont).samples
    except InputError as error:
        raise InputError(f"{song.source or 'the song'}, {start:.0f} to {stop:.0f} s: {error}") from None
    skip, frames = round(lead * RATE), round((stop - start) * RATE)
    samples = np.zeros((frames, rendered.shape[1]), np.float32)
    part = rendered[skip : skip + frames]
    samples[: len(part)] = part.astype(np.float32) / FULL_SCALE
    return samples * _fade(frames)[:, None]


def _fade(frames: int) -> Samples:
    into, out = round(FADE_IN_SECONDS * RATE), round(FADE_OUT_SECONDS * RATE)
    index = np.arange(frames)
    return np.clip(np.minimum((index + 1) / into, (frames - index) / out), 0, 1).astype(np.float32)


def _cut(song: Song, start: float, stop: float) -> bytes:
    """A MIDI file of the events between two seconds; what sets up the channels before them stands at its beginning."""
    data = write_timeline(song, 0.0)
    voices = collect_voice_events(data, dissect(data).tracks)
    first, last = round(start * TICKS_PER_SECOND), round(stop * TICKS_PER_SECOND)
    is_note = (voices.status & 0xF0) < 0xA0
    return _write(voices.select((voices.tick < last) & ((voices.tick >= first) | ~is_note)), first, last - first)


def _write(voices: VoiceEvents, first: int, length: int) -> bytes:
    body, now = [b"\x00\xff\x51\x03", (1_000_000).to_bytes(3, "big")], 0
    times = np.maximum(voices.tick - first, 0)
    for time, status, one, two in zip(times.tolist(), voices.status.tolist(), voices.data1.tolist(), voices.data2.tolist(), strict=True):
        body.append(write_varlen(time - now) + (bytes((status, one)) if 0xC0 <= status < 0xE0 else bytes((status, one, two))))
        now = time
    track = b"".join((*body, write_varlen(length - now), b"\xff\x2f\0"))
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS_PER_SECOND) + b"MTrk" + struct.pack(">I", len(track)) + track


def to_small(samples: Samples) -> Samples:
    """Sound in one channel at half the rate, for pages that should stay small.

    Args:
        samples: float32 [frames, channels] in [-1, 1].

    Returns:
        float32 [frames // 2], low-passed below the new Nyquist frequency (a windowed sinc).
    """
    index = np.arange(HALF_BAND_TAPS) - HALF_BAND_TAPS // 2
    taps = np.sinc(index * 0.46) * np.hamming(HALF_BAND_TAPS)
    low = np.convolve(samples.mean(axis=1), taps / taps.sum(), mode="same")
    return low[: len(low) // 2 * 2 : 2].astype(np.float32)


def encode_mp3(samples: Samples, rate: int = RATE) -> bytes:
    """Sound as an MP3 file: what every browser plays, and the same bytes every time (an Ogg stream has a random number).

    Args:
        samples: float32 [frames] or [frames, channels] in [-1, 1].
        rate: frames per second.

    Raises:
        InputError: the sound library of this machine cannot write MP3.
    """
    import soundfile  # here, because most of Backbeat never writes a sound

    file = io.BytesIO()
    try:
        soundfile.write(file, samples, rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=MP3_COMPRESSION)
    except (soundfile.LibsndfileError, ValueError, TypeError) as error:
        raise InputError(f"this machine's libsndfile cannot write MP3 ({error}): pip install -U soundfile") from None
    return file.getvalue()
