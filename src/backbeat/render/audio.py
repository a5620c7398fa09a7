"""Songs to sound, through a SoundFont, with no system package needed.

Conventions: 48 kHz, stereo, 16 bits; peak and rms are shares of full scale (0-1).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.files import write_bytes
from backbeat.midi.reader import parse_song
from backbeat.render.fontcache import load_soundfont
from backbeat.render.timeline import seconds_of, write_timeline
from backbeat.song import Song

RATE = 48_000
CHANNELS = 2
FULL_SCALE = 32_767
TAIL_SECONDS = 2.0
"""How long the sound goes on after the last note: crashes ring."""

MAX_SECONDS = 7_200.0
CEILING = 0.98
"""Peak that a sound which would clip is brought down to."""

HEADROOM = 0.5
MAX_ATTEMPTS = 5
SILENCE = 1e-4
"""A peak below this (-80 dB) is nothing to hear."""

WAVE_HEADER_BYTES = 44


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound and its level.

    Args:
        samples: int16 [frames, 2], at 48 kHz.
        gain: the amplitude it was brought down by so that it does not clip; 1 = untouched.
    """

    samples: npt.NDArray[np.int16]
    gain: float = 1.0
    peak: float = field(init=False)
    rms: float = field(init=False)

    def __post_init__(self) -> None:
        flat = self.samples.reshape(-1)
        peak = max(int(flat.max(initial=0)), -int(flat.min(initial=0))) / FULL_SCALE
        # In slices: a float copy of an hour of sound would be 1.4 GB.
        square = sum(float(np.square(part, dtype=np.float64).sum()) for part in np.array_split(flat, max(1, len(flat) >> 20)))
        object.__setattr__(self, "peak", min(peak, 1.0))
        object.__setattr__(self, "rms", (square / max(1, len(flat))) ** 0.5 / FULL_SCALE)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / RATE

    @property
    def rate(self) -> int:
        """Frames per second."""
        return RATE

    def write(self, path: str | Path) -> None:
        """Write a 16-bit WAV file; see ``write_wav``."""
        write_wav(self, path)


def write_wav(audio: Audio, path: str | Path) -> None:
    """Write a 16-bit WAV file, whole or not at all.

    Raises:
        OutputError: it cannot be written there.
    """
    body = np.ascontiguousarray(audio.samples, dtype="<i2").data.cast("B")
    write_bytes(path, b"".join((build_wave_header(len(audio.samples)), body)))


def build_wave_header(frames: int) -> bytes:
    """What a 16-bit stereo WAV file at 48 kHz begins with."""
    frame = CHANNELS * 2
    size = frames * frame
    return struct.pack("<4sI8sI2H2I2H4sI", b"RIFF", 36 + size, b"WAVEfmt ", 16, 1, CHANNELS, RATE, RATE * frame, frame, 16, b"data", size)


def render_midi(data: bytes, soundfont: str | Path | None = None) -> Audio:
    """Sound of the bytes of a MIDI file; see ``render_song``."""
    return render_song(parse_song(data), soundfont)


def render_song(song: Song, soundfont: str | Path | None = None) -> Audio:
    """Sound of a song from tick 0 until two seconds after its last note.

    Args:
        song: the song, drums and all.
        soundfont: an SF2 or SF3 file; none = the one that is shipped.

    Raises:
        InputError: there is nothing to hear, it lasts more than two hours, or the SoundFont cannot be used.
    """
    where = f"{song.source}: " if song.source else ""
    if song.last_note_tick <= 0:
        raise InputError(f"{where}nothing to hear: the file has no notes")
    seconds = float(seconds_of(song.tempo, np.array([song.last_note_tick]))[0])
    if seconds > MAX_SECONDS:
        raise InputError(f"{where}lasts {seconds / 3600:.1f} hours; sound is made for {MAX_SECONDS / 3600:.0f} at most")
    font = load_soundfont(None if soundfont is None else Path(soundfont))
    audio = _render_unclipped(song, font)
    if audio.peak < SILENCE:
        raise InputError(f"{where}nothing to hear: its notes make no sound with this SoundFont")
    return audio


def _render_unclipped(song: Song, font: bytes) -> Audio:
    """Render, and where the synthesiser clips (it writes 16 bits), render more softly and bring the peak to the ceiling."""
    volume = 1.0
    for _ in range(MAX_ATTEMPTS):
        samples = synthesise(font, write_timeline(song, TAIL_SECONDS, volume))
        peak = max(int(samples.max(initial=0)), -int(samples.min(initial=0)))
        if peak < FULL_SCALE:
            break
        volume *= HEADROOM
    if volume == 1.0:
        return Audio(samples)
    factor = min(CEILING * FULL_SCALE / peak, 1 / volume)
    return Audio(np.rint(samples * np.float32(factor)).astype(np.int16), volume * factor)


def synthesise(font: bytes, midi: bytes) -> npt.NDArray[np.int16]:
    """int16 [frames, 2] from the synthesiser.

    Args:
        font: an SF2 file.
        midi: what to play, see ``timeline.write_timeline``.

    Raises:
        InputError: the synthesiser cannot use the font.
    """
    import midirenderer  # here, because most of Backbeat never makes a sound

    try:
        wave = midirenderer.render_wave_from(font, midi)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"the SoundFont cannot be used: {error}") from None
    except BaseException as error:
        # A panic of the synthesiser arrives as a BaseException of its own, which is nobody's exit.
        if type(error).__name__ != "PanicException":
            raise
        raise InputError("the SoundFont cannot be used: the synthesiser gave up on it") from None
    return np.frombuffer(wave, dtype="<i2", offset=WAVE_HEADER_BYTES).reshape(-1, CHANNELS)
