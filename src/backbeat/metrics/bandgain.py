"""Whether a model listens: the bits that the right band saves.

Conventions: all scores are float64 [steps], log2 p of the same real words; ``words`` uint16 [steps]. Figures are in bits per
onset and positive when listening helps. Two are wanted: ``wrong_band_gain`` alone flatters a network that a wrong band merely
confuses, ``twin_gain`` compares with the same network trained without a band for as many updates. A copying model scores 0.
A wrong band is that of another song of the same metre.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backbeat.codecs.words import Words
from backbeat.metrics.checks import check_numbers
from backbeat.metrics.likelihood import count_onsets
from backbeat.metrics.likelihood import validate as validate_likelihood
from backbeat.units import Floats


def validate(log2_p: Floats, other: Floats, words: Words) -> None:
    """Check that two scores are of the same words.

    Raises:
        ValueError: shapes differ, a value is no log of a probability, or there is no onset.
    """
    validate_likelihood(log2_p, words)
    validate_likelihood(other, words)
    if not count_onsets(words):
        raise ValueError("bits per onset of drums without an onset")


def _gain(log2_p: Floats, other: Floats, words: Words) -> float:
    validate(log2_p, other, words)
    return float((log2_p - other).sum() / count_onsets(words))


def wrong_band_gain(log2_p: Floats, wrong: Floats, words: Words) -> float:
    """Bits per onset with the wrong band minus with the right one.

    Args:
        log2_p: float64 [steps], given the right band.
        wrong: float64 [steps], given another song's.
        words: uint16 [steps].
    """
    return _gain(log2_p, wrong, words)


def twin_gain(log2_p: Floats, twin: Floats, words: Words) -> float:
    """Bits per onset of the twin trained without a band minus those of the model with its band.

    Args:
        log2_p: float64 [steps], the model given the right band.
        twin: float64 [steps], its twin.
        words: uint16 [steps].
    """
    return _gain(log2_p, twin, words)


def songs_helped(log2_p: Sequence[Floats], other: Sequence[Floats]) -> float:
    """Share of songs in which the right band saves bits; songs in which nothing changes count half.

    Args:
        log2_p, other: one float64 [steps] a song.

    Raises:
        ValueError: there is no song, or a score is no array of finite numbers.
    """
    for scores in (*log2_p, *other):
        check_numbers(scores, "log2_p")
    saved = np.array([a.sum() - b.sum() for a, b in zip(log2_p, other, strict=True)])
    if not len(saved):
        raise ValueError("nothing to evaluate: no song given")
    return float((saved > 0).mean() + 0.5 * (saved == 0).mean())


def evaluate(log2_p: Floats, words: Words, *, wrong: Floats | None = None, twin: Floats | None = None) -> dict[str, float]:
    """The gains that can be had: over a wrong band, over a twin."""
    validate_likelihood(log2_p, words)
    gains = {}
    if wrong is not None:
        gains["wrong_band_gain"] = wrong_band_gain(log2_p, wrong, words)
    if twin is not None:
        gains["twin_gain"] = twin_gain(log2_p, twin, words)
    return gains
