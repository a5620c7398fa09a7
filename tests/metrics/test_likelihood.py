"""Likelihood figures against hand-made numbers."""

import numpy as np
import pytest

from backbeat.metrics import likelihood

WORDS = np.array([5, 0, 2, 0], np.uint16)  # three onsets
LOG2_P = np.array([-3.0, -1.0, -2.0, 0.0])


def test_golden():
    assert likelihood.evaluate(LOG2_P, WORDS) == {
        "perplexity": pytest.approx(2**1.5),
        "bits_per_step": 1.5,
        "bits_per_onset": 2.0,
        "steps": 4,
        "onsets": 3,
    }


def test_uniform_guessing_has_the_vocabulary_as_perplexity():
    assert likelihood.perplexity(np.full(4, -9.0), WORDS) == 512


@pytest.mark.parametrize(
    ("log2_p", "words", "message"),
    [
        (LOG2_P[:3], WORDS, "of one length"),
        (LOG2_P[:0], WORDS[:0], "of one length"),
        (-LOG2_P, WORDS, "not the logarithm of a probability"),
        (LOG2_P * np.nan, WORDS, "not the logarithm of a probability"),
    ],
)
def test_what_does_not_fit_is_refused(log2_p, words, message):
    with pytest.raises(ValueError, match=message):
        likelihood.bits_per_step(log2_p, words)


def test_bits_per_onset_needs_an_onset():
    with pytest.raises(ValueError, match="without an onset"):
        likelihood.bits_per_onset(LOG2_P, WORDS * 0)


def test_bar_tokens_stand_apart():
    figures = likelihood.evaluate_bars(LOG2_P, np.array([-2.0, 0.0]))
    assert figures == {"perplexity_with_bars": pytest.approx(2 ** (8 / 6)), "bits_per_bar_token": 1.0}
    with pytest.raises(ValueError, match="of one length"):
        likelihood.evaluate_bars(LOG2_P, LOG2_P[:0])
