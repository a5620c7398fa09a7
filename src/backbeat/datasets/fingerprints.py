"""Fingerprints by which copies of a piece are found, whatever their key and tempo.

A line (a lane of the band, or the drums) is read as strokes: the interval to the next one in semitones (or
the word struck) and the ratio of the two gaps around it, so that neither transposition nor another tempo, or the same notes
written twice as long, changes anything. The digest of all strokes tells equal content; runs of strokes ("shingles") in a
MinHash (Broder 1997, by the library datasketch) tell pieces that share much of the band's or of the drummer's part.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.datasets.preparation import Example
from backbeat.errors import MissingExtraError

PERMUTATIONS, SCHEME = 128, "affine32"
BAND_RUN, DRUM_RUN = 3, 12
"""Strokes of a shingle. Drum patterns repeat by nature, so that only long runs of them speak of a copy."""
FEW = 32
"""With fewer shingles than this there is too little to tell a near-duplicate by."""
MOVING = 2
"""Of the strokes of a band's shingle so many change pitch: notes that only repeat are alike in many songs."""
SAMPLE = 128
"""Shingles that go into a MinHash, those that a piece repeats most: edits here and there make many that occur once, and seldom end a riff."""
LANES = 6
STILL = 512
"""Of a band's stroke the upper bits for no change of pitch."""

_PITCHES = (np.arange(256) * 127 + 127) // 255
"""The pitch that a byte of the step cues stands for."""

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Signatures = npt.NDArray[np.uint32]
_ODD = np.random.default_rng(1997).integers(0, 1 << 62, 64, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_MIXING = tuple((np.uint32(shift), np.uint32(factor)) for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)))
"""The end of MurmurHash3, with which datasketch begins; its own code takes four times as long for as few hashes."""


class Strokes(NamedTuple):
    """Strokes of several lines, one line after the other.

    Args:
        line: int64 [n] which line.  code: int64 [n] what is struck, and how much longer the gap after it is than that before it.
    """

    line: Ints
    code: Ints


def list_strokes(example: Example) -> tuple[Strokes, Strokes]:
    """Strokes of the band, a line a lane (none of drums alone), and of the drums."""
    lanes = LANES if example.band else 0
    lane, steps = np.divmod((example.step[:, :lanes].T > 0).ravel().nonzero()[0], len(example.step))
    pitches = _PITCHES.take(example.step[steps, 3 * LANES + lane])
    struck = example.words.nonzero()[0]
    drums = _encode_strokes(np.zeros(len(struck), np.int64), struck, example.words[struck].astype(np.int64))
    pitches[1:] -= pitches[:-1].copy()
    return _encode_strokes(lane, steps, pitches), drums


def _encode_strokes(line: Ints, steps: Ints, struck: Ints) -> Strokes:
    """Every stroke but the first and last of its line."""
    if len(steps) < 3:
        return Strokes(np.zeros(0, np.int64), np.zeros(0, np.int64))
    inner = (line[:-2] == line[2:]).nonzero()[0]  # lines ascend
    gaps = np.maximum(steps[1:] - steps[:-1], 1)
    before, after = gaps.take(inner), gaps.take(inner + 1)
    ratio = np.floor(2 * np.log2(after / before) + 0.5).astype(np.int64)
    code = (struck.take(inner + 1) + STILL) * 64
    code += np.minimum(np.maximum(ratio, -31), 31) + 31
    return Strokes(line.take(inner + 1), code)


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """By what copies of a piece are known.

    Args:
        content: hex digest of all strokes; equal for copies in another key or tempo, lines in any order. "" for too few strokes.
        signature: uint32 [2, 128], MinHashes of the band and of the drums; zeros where there are too few shingles to tell.
    """

    content: str
    signature: Signatures


def take_fingerprint(example: Example) -> Fingerprint:
    """The fingerprint of a piece.

    Raises:
        MissingExtraError: datasketch is not installed.
    """
    band, drums = list_strokes(example)
    signature = np.stack([_sign(hash_shingles(band, BAND_RUN, MOVING)), _sign(hash_shingles(drums, DRUM_RUN))])
    return Fingerprint(_hash_content(band, drums), signature)


def _hash_content(band: Strokes, drums: Strokes) -> str:
    if len(band.code) + len(drums.code) < FEW:
        return ""
    bounds = [0, *((band.line[1:] != band.line[:-1]).nonzero()[0] + 1).tolist(), len(band.line)]
    digests = sorted(hashlib.blake2b(band.code[a:b].tobytes(), digest_size=16).digest() for a, b in pairwise(bounds))
    return hashlib.blake2b(b"".join([*digests, drums.code.tobytes()]), digest_size=16).hexdigest()


def hash_shingles(strokes: Strokes, run: int, moving: int = 0) -> Hashes:
    """Hash every different run of strokes of a line.

    Args:
        strokes: of the band or the drums.
        run: strokes of a run.
        moving: how many of them must change pitch.

    Returns:
        uint64 [n], the most repeated first, equals by their value.
    """
    count = len(strokes.code) - run + 1
    if count < 1:
        return np.zeros(0, np.uint64)
    code, hashes, wanted = strokes.code.astype(np.uint64), np.zeros(count, np.uint64), strokes.line[:count] == strokes.line[run - 1 :]
    for place in range(run):
        hashes += code[place : place + count] * _ODD[place]
    if moving:
        moved = np.concatenate([[0], np.cumsum(strokes.code >> 6 != STILL)])
        wanted &= moved[run:] - moved[:-run] >= moving
    hashes = hashes[wanted]
    mixed = np.sort(hashes * _ODD[-1] ^ hashes >> np.uint64(29))  # np.unique is slower than the comparison with the neighbour
    first = np.concatenate([mixed[:1] == mixed[:1], mixed[1:] != mixed[:-1]]).nonzero()[0]
    counts = np.diff(first, append=len(mixed))
    different: Hashes = mixed[first[np.argsort(-counts, kind="stable")]]
    return different


@cache
def load_minhash() -> Any:  # noqa: ANN401 - datasketch is not always installed
    """An empty MinHash, which knows the permutations.

    Raises:
        MissingExtraError: datasketch is not installed.
    """
    try:
        from datasketch import MinHash
    except ImportError as error:
        raise MissingExtraError("datasketch", "data") from error
    return MinHash(PERMUTATIONS, scheme=SCHEME, hashfunc=int)


def _sign(shingles: Hashes) -> Signatures:
    if len(shingles) < FEW:
        return np.zeros(PERMUTATIONS, np.uint32)
    mixed = (shingles[:SAMPLE] >> np.uint64(32)).astype(np.uint32)
    for shift, factor in _MIXING:
        mixed ^= mixed >> shift
        mixed *= factor
    factor, summand = load_minhash().permutations
    permuted = mixed[:, None] * factor
    permuted += summand
    return np.asarray(permuted.min(axis=0), dtype=np.uint32)
