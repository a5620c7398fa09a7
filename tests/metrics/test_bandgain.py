"""Band gain: only what the band changes counts."""

import numpy as np
import pytest

from backbeat.metrics import bandgain

WORDS = np.array([5, 0, 2, 0], np.uint16)  # three onsets
RIGHT = np.array([-2.0, -1.0, -2.0, 0.0])
WRONG = np.array([-3.0, -2.0, -3.0, 0.0])


def test_gain_is_bits_saved_per_onset():
    assert bandgain.wrong_band_gain(RIGHT, WRONG, WORDS) == 1
    assert bandgain.twin_gain(WRONG, RIGHT, WORDS) == -1
    assert bandgain.evaluate(RIGHT, WORDS) == {}
    assert bandgain.evaluate(RIGHT, WORDS, wrong=WRONG, twin=RIGHT) == {"wrong_band_gain": 1, "twin_gain": 0}


def test_a_model_that_does_not_listen_gains_nothing():
    assert bandgain.wrong_band_gain(RIGHT, RIGHT, WORDS) == 0
    assert bandgain.songs_helped([RIGHT], [RIGHT]) == 0.5


def test_songs_helped():
    assert bandgain.songs_helped([RIGHT, RIGHT, WRONG, RIGHT], [WRONG, WRONG, RIGHT, RIGHT]) == pytest.approx(2.5 / 4)
    with pytest.raises(ValueError, match="no song"):
        bandgain.songs_helped([], [])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="of one length"):
        bandgain.wrong_band_gain(RIGHT, WRONG[:3], WORDS)
    with pytest.raises(ValueError, match="without an onset"):
        bandgain.wrong_band_gain(RIGHT, WRONG, WORDS * 0)
