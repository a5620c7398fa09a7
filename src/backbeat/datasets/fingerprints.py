"""Fingerprints by which copies of a piece are found, whatever their key and tempo.

A line (a lane of the band, or the drums) is read as strokes: the interval to the next one in semitones (or
the word struck) and the ratio of the two gaps around it, so that neither transposition nor another tempo, or the same notes
written twice as long, changes anything. The digest of all strokes tells equal content; runs of strokes ("shingles") in a
MinHash (Broder 1997, by the library datasketch) tell pieces that share much of the band's or of the drummer's part.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from backbeat.datasets.preparation import Example
from backbeat.errors import MissingExtraError

PERMUTATIONS, SCHEME = 128, "affine32"
BAND_RUN, DRUM_RUN = 4, 12
"""Strokes of a shingle. Drum patterns repeat by nature, so that only long runs of them speak of a copy."""
FEW = 32
"""With fewer shingles than this there is too little to tell a near-duplicate by."""
SAMPLE = 512
"""Shingles that go into a MinHash."""
LANES = 6

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Signatures = npt.NDArray[np.uint32]
_ODD = np.random.default_rng(1997).integers(0, 1 << 62, 64, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def list_strokes(example: Example) -> tuple[list[Ints], Ints]:
    """int64 [n] for every lane of the band that plays, and for the drums: what is struck and how its gaps compare."""
    lines = []
    for lane in range(LANES if example.band else 0):
        steps = np.flatnonzero(example.step[:, lane])
        pitches = (example.step[steps, 3 * LANES + lane].astype(np.int64) * 127 + 127) // 255
        lines.append(_encode_strokes(steps[1:], np.diff(pitches)))
    return lines, _encode_strokes(np.flatnonzero(example.words), example.words[example.words > 0].astype(np.int64))


def _encode_strokes(steps: Ints, struck: Ints) -> Ints:
    """Each stroke but the first and last: what is struck x 64 + how much longer the gap after it is than that before it."""
    if len(steps) < 3:
        return np.zeros(0, np.int64)
    gaps = np.diff(steps)
    ratio = np.floor(2 * np.log2(gaps[1:] / gaps[:-1]) + 0.5).astype(np.int64)
    return np.asarray((struck[1:-1] + 512) * 64 + np.clip(ratio, -31, 31) + 31, dtype=np.int64)


def hash_content(example: Example) -> str:
    """Hex digest of all strokes; equal for copies in another key or tempo, lines in any order. "" for too few strokes."""
    lines, drums = list_strokes(example)
    if sum(map(len, lines)) + len(drums) < FEW:
        return ""
    digests = sorted(hashlib.blake2b(line.tobytes(), digest_size=16).digest() for line in lines)
    return hashlib.blake2b(b"".join([*digests, drums.tobytes()]), digest_size=16).hexdigest()


def hash_shingles(lines: list[Ints], run: int) -> Hashes:
    """uint64 [n], ascending: a hash of every different run of so many strokes of a line."""
    found = [np.zeros(0, np.uint64)]
    for line in lines:
        if len(line) >= run:
            windows = np.lib.stride_tricks.sliding_window_view(line.astype(np.uint64), run)
            found.append((windows * _ODD[:run]).sum(axis=1, dtype=np.uint64))
    hashes = np.concatenate(found)
    return np.unique(hashes * _ODD[-1] ^ hashes >> np.uint64(29))


def sign(example: Example) -> Signatures:
    """uint32 [2, 128]: MinHashes of the band and of the drums; zeros where there are too few shingles to tell.

    Raises:
        MissingExtraError: datasketch is not installed.
    """
    lines, drums = list_strokes(example)
    return np.stack([_sign(hash_shingles(lines, BAND_RUN)), _sign(hash_shingles([drums], DRUM_RUN))])


def _sign(shingles: Hashes) -> Signatures:
    try:
        from datasketch import MinHash
    except ImportError as error:
        raise MissingExtraError("datasketch", "data") from error
    if len(shingles) < FEW:
        return np.zeros(PERMUTATIONS, np.uint32)
    minhash = MinHash(PERMUTATIONS, scheme=SCHEME, hashfunc=int)
    # The smallest hashes are a sample that copies share; all of them would take four times as long.
    minhash.update_batch((shingles[:SAMPLE] >> np.uint64(32)).tolist())
    return np.asarray(minhash.digest(), dtype=np.uint32)
