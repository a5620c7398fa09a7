"""Words against hand-made numbers."""

import numpy as np
import pytest

from backbeat.codecs.words import groove_to_words, hits_to_words, words_to_groove, words_to_hits
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit


def test_bit_i_is_class_i():
    assert hits_to_words(np.eye(9, dtype=bool)).tolist() == [1, 2, 4, 8, 16, 32, 64, 128, 256]


def test_all_words_round_trip():
    words = np.arange(512, dtype=np.uint16)
    hits = words_to_hits(words)
    assert hits.shape == (512, 9) and hits.dtype == np.bool_
    assert np.array_equal(hits_to_words(hits), words) and hits_to_words(hits).dtype == np.uint16


def test_any_kit_is_mapped_down():
    kit = load_kit("backbeat")
    hits = np.zeros((16, len(kit)), bool)
    hits[0, [kit.index("kick"), kit.index("pedal_hat"), kit.index("closed_hat")]] = True
    hits[4, [kit.index("side_stick"), kit.index("ride_bell")]] = True
    words = groove_to_words(Groove(Grid.regular(1), kit, hits, hits * 0.5, hits * 0.0))
    assert words[[0, 4]].tolist() == [1 + 4, 2 + 256] and words.sum() == 5 + 258


def test_decoded_hits_get_the_plain_velocity():
    groove = words_to_groove(np.array([5, 0, 2, 0] * 4, np.uint16), Grid.regular(1))
    assert groove.count_hits()["kick"] == 4 and np.unique(groove.velocities).tolist() == [0, np.float32(100 / 127)]


@pytest.mark.parametrize("word", [512, -1])
def test_a_word_outside_the_vocabulary_is_refused(word):
    with pytest.raises(ValueError, match="words lie in 0-511"):
        words_to_hits(np.array([word]))


def test_another_number_of_classes_is_refused():
    with pytest.raises(ValueError, match=r"hits must be \[..., 9\]"):
        hits_to_words(np.zeros((4, 8), bool))
