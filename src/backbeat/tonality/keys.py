"""The key of a melody or a song: 24 keys scored by learned weights, and how sure that is.

Two descriptions of the notes are weighed, both over the twelve pitch classes counted from the candidate's tonic: how much of the piece each
class sounds (square roots, so that a held note does not drown the others), and how much of its opening, where the first notes count most.
The 48 weights, 24 for major and 24 for minor keys, are those of a conditional logit over the 24 keys; ``fit_weights`` learns them, and
``benchmarks/key_figures.py`` does from the 256 labelled melodies of altsoph/tonika_detector. They are in ``keys.json``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.song import NOTE_DTYPE, Notes, Song
from backbeat.tonality.estimate import KeyEstimate
from backbeat.tonality.scales import KEYS
from backbeat.units import Floats, Ints

OPENING = 4.0
"""Moments (notes that start together are one) after which a note of the opening counts 1/e of the first."""
BLOCKS = 2
SETTINGS = "keys.json"
_FEATURES = BLOCKS * 24


def find_key(song: Song) -> KeyEstimate:
    """The key of a song, from all parts but the drums.

    Raises:
        InputError: it has no note but drums.
    """
    estimate = find_key_of_notes([part.notes for part in song.band])
    if estimate is None:
        raise InputError(f"{song.source or 'the song'}: no note but drums, so it has no key")
    return estimate


def find_key_of_notes(parts: Sequence[Notes], weights: Floats | None = None) -> KeyEstimate | None:
    """The key of notes; None where there are none.

    Args:
        parts: NOTE_DTYPE [n] each; a note lasts until its end, or the next one of its part, whichever comes first.
        weights: float64 [48]; none = those that ship.
    """
    found = describe(parts)
    if found is None:
        return None
    scores = list_features(found) @ (load_weights() if weights is None else weights)
    chances = np.exp(scores - scores.max())
    return KeyEstimate(int(np.argmax(chances)), chances / chances.sum())


def describe(parts: Sequence[Notes]) -> Floats | None:
    """float64 [2, 12]: share of the piece (its square root) and of the opening that each pitch class has, C first; None without notes."""
    notes = [np.asarray(part, NOTE_DTYPE) for part in parts if len(part)]
    if not notes:
        return None
    onset, pitch = (np.concatenate([part[name] for part in notes]).astype(np.int64) for name in ("onset", "pitch"))
    lengths = np.concatenate([measure_lengths(part) for part in notes])
    _, moment, size = np.unique(onset, return_inverse=True, return_counts=True)
    opening = np.exp(-moment / OPENING) / size[moment]
    return np.stack([np.sqrt(_share(pitch, lengths)), _share(pitch, opening)])


def measure_lengths(notes: Notes) -> Floats:
    """float64 [n], ticks: how long each note of a part sounds before the next moment; the last as long as it is, or as the median of the others.

    A note of no length counts as one tick.
    """
    moments, index = np.unique(notes["onset"].astype(np.int64), return_inverse=True)
    gaps = np.diff(moments)
    last = int(np.median(gaps)) if len(gaps) else np.iinfo(np.int64).max
    room = np.append(gaps, last)[index]
    return np.asarray(np.maximum(1, np.minimum(notes["end"].astype(np.int64) - notes["onset"], room)), dtype=np.float64)


def _share(pitch: Ints, weights: Floats) -> Floats:
    counts = np.bincount(pitch % 12, weights=weights, minlength=12)
    return np.asarray(counts / counts.sum())


def list_features(description: Floats) -> Floats:
    """float64 [24, 48]: what the weights are multiplied with, a row a key.

    Args:
        description: float64 [2, 12], of ``describe``.
    """
    rows = np.zeros((KEYS, 2, BLOCKS, 12))
    for key in range(KEYS):
        rows[key, key // 12] = np.roll(description, -(key % 12), axis=1)
    return rows.reshape(KEYS, _FEATURES)


def fit_weights(features: Floats, keys: Ints, ridge: float = 0.3, rounds: int = 100) -> Floats:
    """Weights of a conditional logit over the keys, by Newton's method.

    Args:
        features: float64 [n, 24, 48], of ``list_features``.
        keys: int64 [n]: the labels.
        ridge: pulls the weights towards 0; a Gaussian prior of precision ``ridge``.
        rounds: at most so many steps.

    Returns:
        float64 [48].
    """
    weights = np.zeros(features.shape[2])
    real = features[np.arange(len(keys)), keys].sum(axis=0)
    for _ in range(rounds):
        scores = features @ weights
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        told = np.matmul(chances[:, None], features)[:, 0]
        slope = told.sum(axis=0) - real + ridge * weights
        rows = (features * np.sqrt(chances)[..., None]).reshape(-1, len(weights))
        bend = rows.T @ rows - told.T @ told + ridge * np.eye(len(weights))
        step = np.linalg.solve(bend, slope)
        weights = weights - step * min(1.0, 5.0 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-8:
            break
    return weights


@cache
def load_weights() -> npt.NDArray[np.float64]:
    """float64 [48]: the weights that ship, major then minor keys, of each the whole piece and then the opening."""
    settings = json.loads(resources.files(__package__).joinpath(SETTINGS).read_text(encoding="utf-8"))
    rows = [settings[mode][block] for mode in ("major", "minor") for block in ("piece", "opening")]
    weights = np.array(rows, np.float64).reshape(-1)
    weights.setflags(write=False)
    return weights
