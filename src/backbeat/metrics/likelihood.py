"""How well a model predicts real drums: bits per onset, bits per step, perplexity per step.

Conventions: ``log2_p`` is float64 [steps], log2 of the probability of each real word given its past (and the band); ``words``
is uint16 [steps], the same words, whose set bits are the onsets. Concatenate pieces to pool them: every step weighs the
same. A figure says its context: whole takes, or windows of N bars with nothing before. Models that read text score BAR
tokens, too (float64 [bars]): their bits are kept apart from those of words, which every model scores.
"""

from __future__ import annotations

import numpy as np

from backbeat.codecs.words import Words, words_to_hits
from backbeat.metrics.checks import check_words
from backbeat.units import Floats


def validate(log2_p: Floats, words: Words) -> None:
    """Check that likelihoods and words belong together.

    Raises:
        ValueError: shapes differ, nothing is given, words are none, or a value is not the log of a probability.
    """
    if log2_p.ndim != 1 or log2_p.shape != words.shape or not words.size:
        raise ValueError(f"log2_p and words must be [steps] of one length >= 1, not {log2_p.shape} and {words.shape}")
    check_words(words)
    if log2_p.dtype.kind != "f" or np.isnan(log2_p).any() or log2_p.max() > 1e-6:
        raise ValueError("log2_p holds a value that is not the logarithm of a probability")


def count_onsets(words: Words) -> int:
    """Number of onsets in words.

    Raises:
        ValueError: they are not words.
    """
    check_words(words)
    return int(words_to_hits(words).sum())


def bits_per_step(log2_p: Floats, words: Words) -> float:
    """Mean of -log2 p over steps."""
    validate(log2_p, words)
    return float(-log2_p.mean())


def bits_per_onset(log2_p: Floats, words: Words) -> float:
    """Sum of -log2 p over steps, divided by the number of onsets.

    Raises:
        ValueError: there is no onset.
    """
    validate(log2_p, words)
    onsets = count_onsets(words)
    if not onsets:
        raise ValueError("bits per onset of drums without an onset")
    return float(-log2_p.sum() / onsets)


def perplexity(log2_p: Floats, words: Words) -> float:
    """2 to the bits per step."""
    return float(2.0 ** bits_per_step(log2_p, words))


def evaluate(log2_p: Floats, words: Words) -> dict[str, float]:
    """All figures, and the numbers of steps and onsets they stand on."""
    return {
        "perplexity": perplexity(log2_p, words),
        "bits_per_step": bits_per_step(log2_p, words),
        "bits_per_onset": bits_per_onset(log2_p, words),
        "steps": float(len(words)),
        "onsets": float(count_onsets(words)),
    }


def evaluate_bars(log2_p: Floats, bars: Floats) -> dict[str, float]:
    """Figures of a text: perplexity per token with BAR tokens, and the bits of a BAR token.

    Args:
        log2_p: float64 [steps], of the words.
        bars: float64 [bars], log2 p of each BAR token.

    Raises:
        ValueError: either is empty, or holds a value that is not the logarithm of a probability.
    """
    validate(log2_p, np.zeros(log2_p.shape, np.uint16))
    validate(bars, np.zeros(bars.shape, np.uint16))
    both = float(log2_p.sum() + bars.sum()) / (len(log2_p) + len(bars))
    return {"perplexity_with_bars": float(2.0**-both), "bits_per_bar_token": float(-bars.mean())}
