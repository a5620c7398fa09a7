"""Drum patterns of the pattern space: steps as bit words, their text, and what is the same however it is turned.

A pattern is uint16 [steps], one word a step; bit 0-13 of a word is a class of kit ``drum_space_14``. Two bars of 4/4 in 16ths have 32
steps, as in altsoph/drum_space (Tikhonov, Yamshchikov: Artificial Neural Networks Jamming on the Beat, arXiv 2007.06284); two bars
of 3/4 have 24, of 12/8 48. A loop that is entered elsewhere is the same loop: ``find_canonical`` turns a pattern so that its words are
the smallest in order, and ``hash_patterns`` gives eight bytes of that. Both take time in proportion to the number of patterns.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.units import Floats, Ints

CLASSES, STEPS = 14, 32
KIT, MERGING_KIT = "drum_space_14", "drum_space_merged"
MOST_STEPS = 192
"""Longer patterns are refused: two bars of 12/8 in 64ths."""
Patterns = npt.NDArray[np.uint16]
Hits = npt.NDArray[np.bool_]
_CHUNK = 4096


def check_patterns(patterns: npt.NDArray[Any], steps: int | None = None) -> None:
    """Check that patterns are uint16 [n, steps] of words below 16,384.

    Args:
        patterns: to be checked.
        steps: that each must have; none = any.

    Raises:
        ValueError: they are not.
    """
    if patterns.ndim != 2 or patterns.dtype != np.uint16 or not patterns.shape[1]:
        raise ValueError(f"patterns must be uint16 [n, steps], not {patterns.dtype} {patterns.shape}")
    if steps is not None and patterns.shape[1] != steps:
        raise ValueError(f"patterns must have {steps} steps, not {patterns.shape[1]}")
    if patterns.size and patterns.max() >= 1 << CLASSES:
        raise ValueError(f"words of a pattern lie in 0-{(1 << CLASSES) - 1}")


def patterns_to_hits(patterns: Patterns) -> Hits:
    """Which classes are struck: bool [n, steps, 14].

    Args:
        patterns: uint16 [n, steps].
    """
    bits: Hits = ((patterns[..., None] >> np.arange(CLASSES, dtype=np.uint16)) & 1).astype(np.bool_)
    return bits


def hits_to_patterns(hits: npt.NDArray[Any]) -> Patterns:
    """uint16 [n, steps]: the words of hits.

    Args:
        hits: bool [n, steps, 14], or numbers of which those above 0.5 are hits (a decoder's probabilities).
    """
    return np.asarray(((hits > 0.5) * (1 << np.arange(CLASSES))).sum(axis=-1), dtype=np.uint16)


def measure_entropy(patterns: Patterns) -> Floats:
    """float64 [n]: Shannon entropy of each pattern's words in nats; 0 where all steps are alike, log(steps) where all differ.

    Args:
        patterns: uint16 [n, steps].
    """
    count, steps = patterns.shape
    out = np.zeros(count)
    for first in range(0, count, _CHUNK):
        ordered = np.sort(patterns[first : first + _CHUNK], axis=1)
        new = np.ones(ordered.shape, np.bool_)
        np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
        counts = np.bincount(np.cumsum(new.ravel()) - 1)  # how often each word of each pattern occurs, pattern after pattern
        terms = counts / steps * np.log(counts / steps)
        out[first : first + _CHUNK] = -np.add.reduceat(terms, np.concatenate([[0], np.cumsum(new.sum(axis=1))[:-1]]))
    return out + 0.0


def find_turns(patterns: Patterns) -> Ints:
    """int64 [n]: the first step of each pattern's canonical rotation, the one whose words are smallest in lexical order.

    Every start is a candidate; step by step, those whose word is not the smallest leave. Of equal rotations the first is taken.

    Args:
        patterns: uint16 [n, steps].
    """
    count, steps = patterns.shape
    turns = np.zeros(count, np.int64)
    places = np.arange(steps)
    for first in range(0, count, _CHUNK):
        words = patterns[first : first + _CHUNK].astype(np.int32)
        alive = np.ones(words.shape, np.bool_)
        for step in range(steps):
            ahead = np.where(alive, words[:, (places + step) % steps], 1 << 16)
            alive &= ahead == ahead.min(axis=1, keepdims=True)
        turns[first : first + _CHUNK] = alive.argmax(axis=1)
    return turns


def turn_patterns(patterns: Patterns, turns: Ints) -> Patterns:
    """uint16 [n, steps]: each pattern, begun at a step of its own.

    Args:
        patterns: uint16 [n, steps].
        turns: int64 [n], the step that comes first; any whole number.
    """
    steps = patterns.shape[1]
    return np.take_along_axis(patterns, (np.arange(steps) + turns[:, None]) % steps, axis=1)


def find_canonical(patterns: Patterns) -> Patterns:
    """uint16 [n, steps]: the canonical rotation of each pattern; equal for two patterns exactly where one is the other, turned.

    Args:
        patterns: uint16 [n, steps].
    """
    return turn_patterns(patterns, find_turns(patterns))


def hash_patterns(patterns: Patterns) -> npt.NDArray[np.uint64]:
    """uint64 [n]: eight bytes (BLAKE2b) of each pattern's canonical rotation; the same for all its rotations, on every machine.

    Args:
        patterns: uint16 [n, steps].
    """
    rows = np.ascontiguousarray(find_canonical(patterns), dtype="<u2")
    digests = b"".join(hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def find_first(hashes: npt.NDArray[np.uint64]) -> Ints:
    """int64 [m], ascending: where each different hash stands first.

    Args:
        hashes: uint64 [n].
    """
    return np.sort(np.unique(hashes, return_index=True)[1]).astype(np.int64)


def parse_pattern(text: str) -> Patterns:
    """uint16 [steps]: a pattern written as comma-separated words.

    Raises:
        InputError: it is not a pattern; the message says why.
    """
    parts = text.strip().split(",")
    if not 1 < len(parts) <= MOST_STEPS:
        raise InputError(f"{_shorten(text)}: a pattern is 2 to {MOST_STEPS} comma-separated whole numbers (32 for two bars of 4/4), this has {len(parts)}")
    if not all(part.strip().isascii() and part.strip().isdigit() and len(part.strip()) < 7 for part in parts) or max(map(int, parts)) >= 1 << CLASSES:
        raise InputError(f"{_shorten(text)}: each step of a pattern is a whole number from 0 to {(1 << CLASSES) - 1}")
    return np.array([int(part) for part in parts], np.uint16)


def _shorten(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."


def write_pattern(pattern: Patterns) -> str:
    """A pattern as comma-separated words.

    Args:
        pattern: uint16 [steps].
    """
    return ",".join(map(str, pattern.tolist()))
