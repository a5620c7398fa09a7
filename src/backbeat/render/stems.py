"""A song's sound in stems: some drums each, and the band, at one level, and a mix that is their sum sample by sample.

A stem is the whole song with the notes of the others left out: programs, controllers and the end are the same for all. The synthesiser's
effects are linear, so the stems add up to the song, but for roundings, and where the song has more notes at a time than it has voices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.midi.drumparts import DRUM_CHANNEL
from backbeat.midi.notes import VoiceEvents
from backbeat.render.audio import CEILING, CHANNELS, FULL_SCALE, HEADROOM, MAX_ATTEMPTS, MAX_SECONDS, SILENCE, TAIL_SECONDS, build_wave_header, synthesise
from backbeat.render.fontcache import load_soundfont
from backbeat.render.timeline import Only, seconds_of, write_timeline
from backbeat.song import Song

CHUNK = 1 << 18
"""Frames that are added up at once."""

NOTES_BELOW = 0xA0

Samples = npt.NDArray[np.int16]


class Stems:
    """Stems on disk, and the level at which they may be added.

    Args:
        folder: where the sound of each is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: list[str] = []
        self.gain = 1.0
        self._volumes: list[float] = []
        self._arrays: list[Samples] = []

    def render(self, song: Song, name: str, pitches: Sequence[int] | None) -> None:
        """Make one stem.

        Args:
            song: the whole song, drums and all.
            name: of the stem.
            pitches: notes of the drum channel that are heard; none = all but the drums.

        Raises:
            InputError: the song lasts too long.
        """
        if float(seconds_of(song.tempo, np.array([song.last_note_tick]))[0]) > MAX_SECONDS:
            raise InputError(f"the song lasts longer than the {MAX_SECONDS / 3600:.0f} hours that sound is made for")
        font, only, volume = load_soundfont(), _select(pitches), 1.0
        for _ in range(MAX_ATTEMPTS):
            samples = synthesise(font, write_timeline(song, TAIL_SECONDS, volume, only))
            if _find_peak(samples) < FULL_SCALE:
                break
            volume *= HEADROOM
        path = self.folder / f"{len(self.names)}.raw"
        samples.astype("<i2").tofile(path)
        self.names.append(name)
        self._volumes.append(volume)
        self._arrays.append(np.memmap(path, dtype="<i2", mode="r").reshape(-1, CHANNELS))

    @property
    def frames(self) -> int:
        """Length in frames."""
        return max((len(a) for a in self._arrays), default=0)

    def level(self) -> None:
        """Find the gain at which neither a stem nor their sum clips.

        Raises:
            InputError: nothing is to be heard.
        """
        self.gain, peak = 1.0, 0.0
        for first in range(0, self.frames, CHUNK):
            parts = [self._read(k, first).astype(np.float64) / volume for k, volume in enumerate(self._volumes)]
            peak = max(peak, float(np.abs(sum(parts)).max()), *(float(np.abs(p).max()) for p in parts))
        if peak < SILENCE * FULL_SCALE:
            raise InputError("nothing to hear: there are no notes, or they make no sound")
        if peak > FULL_SCALE:
            self.gain = CEILING * FULL_SCALE / peak

    def write(self, file: BinaryIO, which: int | None) -> None:
        """Write one stem, or their sum, as a 16-bit WAV file.

        Args:
            file: where to.
            which: number of the stem; none = the sum of all.
        """
        file.write(build_wave_header(self.frames))
        for samples in self._scale(range(len(self.names)) if which is None else [which]):
            file.write(samples.astype("<i2").tobytes())

    def _scale(self, which: Sequence[int]) -> Iterator[npt.NDArray[np.int32]]:
        for first in range(0, self.frames, CHUNK):
            factors = [self.gain / self._volumes[k] for k in which]
            parts = [np.rint(self._read(k, first) * factor).astype(np.int32) for k, factor in zip(which, factors, strict=True)]
            yield np.clip(np.sum(parts, axis=0), -FULL_SCALE - 1, FULL_SCALE)

    def _read(self, which: int, first: int) -> Samples:
        """int16 [up to CHUNK, 2]: some frames of a stem, silence behind its end."""
        part = self._arrays[which][first : first + CHUNK]
        missing = min(CHUNK, self.frames - first) - len(part)
        return np.pad(part, ((0, missing), (0, 0))) if missing else part


def _select(pitches: Sequence[int] | None) -> Only:
    """Which events a stem keeps: its notes, and all that are no notes."""

    def only(voices: VoiceEvents) -> npt.NDArray[np.bool_]:
        note, drums = (voices.status & 0xF0) < NOTES_BELOW, (voices.status & 15) == DRUM_CHANNEL
        heard = ~drums if pitches is None else drums & np.isin(voices.data1, list(pitches))
        return np.asarray(~note | heard, dtype=np.bool_)

    return only


def _find_peak(samples: Samples) -> int:
    return max(int(samples.max(initial=0)), -int(samples.min(initial=0)))
