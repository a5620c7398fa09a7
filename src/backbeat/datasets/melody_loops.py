"""Mine drum-melody loop pairs: four bars of drums and what one other part plays on them.

After Tikhonov and Yamshchikov (arXiv 2007.06284, section 3.5): where the drums play a pattern of two bars at least three times in a row, the
parts beside them are melodies on that pattern. Such windows are *looped*; windows of any other four bars of 4/4 with drums are mined,
too, as drums that change teach more than drums that do not. A pair keeps the instrument, the key and the octave, the chords of its
bars, and lengths and velocities of notes, which the paper's network does not use.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from backbeat.codecs.melodies import DRUM_STEPS, MELODY_DTYPE, TICKS, Melody, find_octave
from backbeat.datasets.mining import Rules, find_loops, read_track, split_at_pauses
from backbeat.datasets.source import Source
from backbeat.errors import BackbeatError, InputError
from backbeat.files import write_bytes
from backbeat.grid import Grid
from backbeat.midi import parse_song
from backbeat.song import Part, Song
from backbeat.tonality.chords import find_chords
from backbeat.tonality.keys import find_key_of_notes
from backbeat.units import Ints

LEAST_NOTES, MOST_AT_ONCE = 4, 6
MOST_LOOPED, MOST_OTHER = 12, 6
"""Pairs of one song, by kind of window."""
MAX_BYTES = 4 << 20
OFF_GRID = 0.2
"""Largest share of a part's onsets that are more than a quarter of a step off the grid."""


class Pair(NamedTuple):
    """One pair: drums uint16 [64], the part's notes, and what is known of them; chords int64 [4]."""

    drums: npt.NDArray[np.uint16]
    melody: Melody
    program: int
    key: int
    octave: int
    chords: Ints
    looped: bool


@dataclass(frozen=True, eq=False)
class MelodyLoops:
    """Pairs of a collection.

    Args:
        drums: uint16 [n, 64] words of kit ``drum_space_14``.
        program: uint8 [n], General MIDI.
        key: uint8 [n] 0-23, of the whole song.
        octave: int8 [n], of the middle pitch.
        chords: uint8 [n, 4], see ``tonality.chords``.
        looped: bool [n]: the drums play two bars at least three times.
        song: int32 [n]: number of the source.
        notes: MELODY_DTYPE [m], of all pairs one behind the other.
        first: int64 [n + 1]: where the notes of each begin.
    """

    drums: npt.NDArray[np.uint16]
    program: npt.NDArray[np.uint8]
    key: npt.NDArray[np.uint8]
    octave: npt.NDArray[np.int8]
    chords: npt.NDArray[np.uint8]
    looped: npt.NDArray[np.bool_]
    song: npt.NDArray[np.int32]
    notes: Melody
    first: Ints

    def __len__(self) -> int:
        return len(self.drums)

    def melody(self, index: int) -> Melody:
        """The notes of a pair."""
        return self.notes[self.first[index] : self.first[index + 1]]

    def select(self, mask: npt.NDArray[np.bool_]) -> MelodyLoops:
        """The pairs that a mask bool [n] keeps."""
        rows = np.flatnonzero(mask)
        counts = np.diff(self.first)[rows]
        notes = np.concatenate([self.notes[:0], *(self.melody(int(i)) for i in rows)])
        kept = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in ("notes", "first")}
        return MelodyLoops(**kept, notes=notes, first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def mine_song(song: Song, seed: int = 0) -> list[Pair]:
    """The pairs of a song, at most ``MOST_LOOPED`` and ``MOST_OTHER`` of each kind, chosen at random.

    Args:
        song: any.
        seed: of the choice.

    Raises:
        SongError: the song is longer than can be laid out.
    """
    words, _, _ = read_track(song, Rules())
    estimate = find_key_of_notes([p.notes for p in song.band])
    if not len(words) or estimate is None:
        return []
    grid = song.grid()
    words = np.concatenate([words, np.zeros(max(0, grid.steps - len(words)), np.uint16)])
    looped, other = list_windows(words, grid)
    parts = [_locate(part, grid) for part in song.band if len(part.notes) >= LEAST_NOTES]
    rng, pairs = np.random.default_rng([seed, zlib.crc32(song.data[:4096])]), list[Pair]()
    for windows, most, is_looped in ((looped, MOST_LOOPED, True), (other, MOST_OTHER, False)):
        chances = [(w, p) for w in windows for p in parts]
        kept = 0
        for index in rng.permutation(len(chances)).tolist():
            start, part = chances[index]
            pair = _cut(words, start, part, parts, estimate.key, is_looped)
            if pair is not None:
                pairs.append(pair)
                kept += 1
            if kept == most:
                break
    return pairs


class _Located(NamedTuple):
    part: Part
    step: Ints
    end: Ints
    on_grid: bool


def _locate(part: Part, grid: Grid) -> _Located:
    step, late = grid.locate(part.notes["onset"].astype(np.int64))
    end, _ = grid.locate(part.notes["end"].astype(np.int64))
    return _Located(part, step, np.maximum(end, step + 1), float(np.mean(np.abs(late) > 0.25)) <= OFF_GRID)


def list_windows(words: npt.NDArray[np.uint16], grid: Grid) -> tuple[list[int], list[int]]:
    """First steps of windows of four bars of 4/4: those in which the drums repeat two bars, and others with drums.

    Args:
        words: uint16 [steps].
        grid: the bars they lie on.
    """
    common = np.array([n == 4 and d == 4 for n, d in zip(grid.numerators, grid.denominators, strict=True)]) & (grid.bar_steps == 16)
    bars = [b for b in range(grid.bars - 3) if common[b : b + 4].all()]
    starts = {int(grid.first_steps[b]) for b in bars}
    looped: list[int] = []
    for a, b in split_at_pauses(words, 16):
        for start, length in find_loops(words[a:b], DRUM_STEPS, 3):
            inside = [s for s in sorted(starts) if a + start <= s and s + TICKS <= a + start + length]
            looped += inside[::4]
    taken = set(looped)
    other = [int(grid.first_steps[b]) for b in bars[::4]]
    return sorted(taken), [s for s in other if s not in taken and len(np.flatnonzero(words[s : s + TICKS])) >= 8]


def _cut(words: npt.NDArray[np.uint16], start: int, chosen: _Located, parts: Sequence[_Located], key: int, looped: bool) -> Pair | None:
    """The pair of a window and a part; None where the part has too few notes, too many at once, or is off the grid."""
    melody = _take(chosen, start)
    if not chosen.on_grid or len(np.unique(melody["step"])) < LEAST_NOTES or np.bincount(melody["step"]).max() > MOST_AT_ONCE:
        return None
    step, end, pitch = (np.concatenate(columns) for columns in zip(*((p.step, p.end, p.part.notes["pitch"].astype(np.int64)) for p in parts), strict=True))
    chords = find_chords(step, end, pitch, start + np.arange(0, TICKS + 1, 16))
    return Pair(words[start : start + TICKS], melody, chosen.part.program, key, find_octave(melody["pitch"].astype(np.int64)), chords, looped)


def _take(located: _Located, start: int) -> Melody:
    inside = (located.step >= start) & (located.step < start + TICKS)
    melody = np.zeros(int(inside.sum()), MELODY_DTYPE)
    melody["step"] = located.step[inside] - start
    melody["length"] = np.minimum(located.end[inside] - located.step[inside], TICKS - melody["step"])
    melody["pitch"], melody["velocity"] = located.part.notes["pitch"][inside], located.part.notes["velocity"][inside]
    return melody[np.unique(melody["step"] * 128 + melody["pitch"], return_index=True)[1]]


def mine(sources: Sequence[Source], *, seed: int = 0, progress: Callable[[int], None] = lambda done: None) -> MelodyLoops:
    """The pairs of a collection; of pairs with the same drums and melody, in any key, the first stays.

    Args:
        sources: the files; those that cannot be read are left out.
        seed: of the choice within a song.
        progress: called with the number of sources done.
    """
    pairs, owners, seen = list[Pair](), list[int](), set[int]()
    for index, source in enumerate(sources):
        try:
            data = source.read()
            found = mine_song(parse_song(data, source.name), seed) if len(data) <= MAX_BYTES else []
        except (BackbeatError, MemoryError):
            found = []
        for pair in found:
            if (mark := _mark(pair)) not in seen:
                seen.add(mark)
                pairs.append(pair)
                owners.append(index)
        progress(index + 1)
    return _join(pairs, owners)


def _mark(pair: Pair) -> int:
    melody = pair.melody
    relative = melody["pitch"].astype(np.int16) - melody["pitch"].min()
    return hash((pair.drums.tobytes(), melody["step"].tobytes(), relative.tobytes()))


def _join(pairs: Sequence[Pair], owners: Sequence[int]) -> MelodyLoops:
    def column(name: str, dtype: Any, shape: tuple[int, ...] = ()) -> npt.NDArray[Any]:  # noqa: ANN401 - a numpy type
        return np.array([getattr(p, name) for p in pairs], dtype).reshape(-1, *shape)

    return MelodyLoops(
        drums=column("drums", np.uint16, (TICKS,)),
        program=column("program", np.uint8),
        key=column("key", np.uint8),
        octave=column("octave", np.int8),
        chords=column("chords", np.uint8, (4,)),
        looped=column("looped", np.bool_),
        song=np.array(owners, np.int32),
        notes=np.concatenate([np.zeros(0, MELODY_DTYPE), *(p.melody for p in pairs)]),
        first=np.cumsum([0, *(len(p.melody) for p in pairs)]).astype(np.int64),
    )


def write_loops(loops: MelodyLoops, path: str | Path) -> None:
    """Keep pairs as a file of arrays (.npz).

    Raises:
        OutputError: it cannot be written.
    """
    buffer = BytesIO()
    np.savez_compressed(buffer, **{f.name: getattr(loops, f.name) for f in fields(loops)})
    write_bytes(path, buffer.getvalue())


def read_loops(path: str | Path) -> MelodyLoops:
    """Read what ``write_loops`` wrote.

    Raises:
        InputError: it is no such file.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return MelodyLoops(**{f.name: stored[f.name] for f in fields(MelodyLoops)})
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, AttributeError) as error:
        raise InputError(f"{path}: not a file of melody loops ({type(error).__name__}): make one with 'backbeat melody --mine'") from error
