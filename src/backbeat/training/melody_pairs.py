"""Mined pairs of drums and melody as what the networks learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.codecs.melodies import DRUM_STEPS, TICKS, encode_loop, find_base, melody_to_matrix, melody_to_tokens
from backbeat.codecs.melody_features import NO_CHORD, Places, encode_features, find_density
from backbeat.datasets.melody_loops import MelodyLoops, mine, read_loops, write_loops
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.learning import Data
from backbeat.metrics.melodies import FILTERS
from backbeat.tonality.chords import list_triad
from backbeat.tonality.scales import list_scale
from backbeat.tonality.tonika import detect_tonika_key
from backbeat.units import Ints

MOST_PROGRESSIONS, FEWEST_SONGS = 60, 3
"""Progressions that are kept of a mode, and in how many songs each must stand."""


def read_pairs(folder: str, data: Data) -> tuple[MelodyLoops, MelodyLoops]:
    """The pairs to learn from and to measure on.

    Args:
        folder: with mined pairs (train.npz, validation.npz), made there if missing; "" mines anew.
        data: the songs.

    Raises:
        InputError: there are none.
    """
    found = [_read_or_mine(folder, name, sources) for name, sources in (("train", data.train), ("validation", data.validation))]
    if not all(map(len, found)):
        raise InputError(f"{data.name}: {len(found[0])} melodies on drums to learn from and {len(found[1])} to measure on: songs with drums are needed")
    return found[0], found[1]


def _read_or_mine(folder: str, name: str, sources: Sequence[Source]) -> MelodyLoops:
    path = Path(folder) / f"{name}.npz"
    if folder and path.is_file():
        return read_loops(path)
    loops = mine(sources)
    if folder:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_loops(loops, path)
    return loops


def choose_melodies(loops: MelodyLoops, in_scale: float, alone: float) -> MelodyLoops:
    """The pairs that are melodies in their key: mostly one note at a time, mostly of the scale (in minor the raised sixth and seventh, too)."""
    kept = np.zeros(len(loops), np.bool_)
    for i in range(len(loops)):
        notes, key = loops.melody(i), int(loops.key[i])
        scale = {*list_scale(key), *((key + step) % 12 for step in ((9, 11) if key >= 12 else ()))}
        counts = np.unique(notes["step"], return_counts=True)[1]
        kept[i] = np.isin(notes["pitch"] % 12, list(scale)).mean() >= in_scale and np.mean(counts == 1) >= alone
    return loops.select(kept)


def choose_accepted(loops: MelodyLoops) -> tuple[MelodyLoops, Ints]:
    """The looped pairs that the first seven filters let pass, and the key int64 [n] that the eighth would find in each."""
    kept, keys = np.zeros(len(loops), np.bool_), []
    first_seven = list(FILTERS.values())[:-1]
    for i in np.flatnonzero(loops.looped).tolist():
        matrix = melody_to_matrix(loops.melody(i))
        if not any(is_out(matrix, 0) for is_out in first_seven):
            kept[i] = True
            keys.append(detect_tonika_key(np.nonzero(matrix)[1].tolist()))
    return loops.select(kept), np.array(keys, np.int64)


def list_tokens(loops: MelodyLoops) -> Ints:
    """int64 [n, 64]: the tokens of every pair."""
    bases = [find_base(int(key), int(octave)) for key, octave in zip(loops.key, loops.octave, strict=True)]
    return np.stack([melody_to_tokens(loops.melody(i), TICKS, base) for i, base in enumerate(bases)])


def make_features(loops: MelodyLoops, index: int, tokens: Ints, *, chords: bool, density: bool) -> npt.NDArray[np.float32]:
    """float32 [64, f]: what is known of a pair, chords and density only if wanted."""
    key = int(loops.key[index])
    told = loops.chords[index].astype(np.int64) if chords else np.full(4, NO_CHORD)
    return encode_features(
        loops.drums[index],
        Places.common(TICKS),
        family=int(loops.program[index]) // 8,
        minor=key >= 12,
        octave=int(loops.octave[index]),
        chords=told,
        tonic=key % 12,
        density=find_density(tokens) if density else -1,
    )


def count_progressions(loops: MelodyLoops) -> dict[str, list[list[int]]]:
    """The usual chords of four bars, by mode: rows of four chords seen from a tonic of C, and how many songs have them.

    Only chords of the scale count, and only rows of at least two different ones.

    Args:
        loops: pairs.
    """
    triads = {(chord, minor) for minor in (0, 1) for chord in range(24) if set(list_triad(chord)) <= set(list_scale(12 * minor))}
    counts: dict[str, Counter[tuple[int, ...]]] = {"major": Counter(), "minor": Counter()}
    seen = set()
    for key, chords, song in zip(loops.key.tolist(), loops.chords.tolist(), loops.song.tolist(), strict=True):
        row = tuple(c if c == NO_CHORD else (c % 12 - key) % 12 + c // 12 * 12 for c in chords)
        if len(set(row)) > 1 and all((c, key // 12) in triads for c in row) and (song, row) not in seen:
            seen.add((song, row))
            counts["minor" if key >= 12 else "major"][row] += 1
    return {mode: [[*row, n] for row, n in found.most_common(MOST_PROGRESSIONS) if n >= FEWEST_SONGS] for mode, found in counts.items()}


def encode_pairs(loops: MelodyLoops, keys: Ints) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Inputs float32 [n, 496] and targets uint8 [n, 1024] (bits of 64 x 128) of the paper's network.

    Args:
        loops: pairs; the drums' first two bars count.
        keys: int64 [n], that are given.
    """
    conditions = zip(loops.drums[:, :DRUM_STEPS], (loops.program // 8).tolist(), keys.tolist(), loops.octave.tolist(), strict=True)
    inputs = np.stack([encode_loop(*row) for row in conditions])
    targets = np.stack([np.packbits(melody_to_matrix(loops.melody(i)).reshape(-1)) for i in range(len(loops))])
    return inputs, targets
