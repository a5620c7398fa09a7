"""Novelty against brute force and hand-made numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backbeat.metrics import novelty


def test_nearest_is_the_smallest_hamming_distance():
    rng = np.random.default_rng(3)
    windows, training = (rng.integers(0, 512, (n, 8)).astype(np.uint16) for n in (5, 40))
    expected = [min(sum(bin(int(a) ^ int(b)).count("1") for a, b in zip(w, t, strict=True)) for t in training) for w in windows]
    assert novelty.find_nearest(windows, training).tolist() == expected


def test_a_turned_loop_is_a_copy_only_with_rotations():
    loop = np.array([[5, 0, 2, 4, 1, 0, 2, 6]], np.uint16)
    turned = np.roll(loop, 3, axis=1)
    assert novelty.evaluate(turned, loop)["exact_copies"] == 0
    assert novelty.evaluate(turned, loop, rotations=True) == {"median_distance": 0, "exact_copies": 1}


def test_longest_run():
    words = np.array([1, 2, 3, 4, 5, 6], np.uint16)
    assert novelty.find_longest_run(words, [np.array([9, 3, 4, 5, 9], np.uint16), np.array([5, 6], np.uint16)]) == 3
    assert novelty.find_longest_run(words, [np.array([7, 8], np.uint16)]) == 0
    assert novelty.find_longest_run(words, [words]) == 6


def test_windows_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="of one length"):
        novelty.find_nearest(np.zeros((1, 8), np.uint16), np.zeros((1, 16), np.uint16))


WORDS = st.integers(0, 511)


@settings(max_examples=40)
@given(arrays(np.uint16, (6, 8), elements=WORDS), arrays(np.uint16, (9, 8), elements=WORDS))
def test_looser_views_never_find_farther(windows, training):
    plain = novelty.find_nearest(windows, training)
    for loose in ({"rotations": True}, {"tempi": True}, {"rotations": True, "tempi": True}):
        assert (novelty.find_nearest(windows, training, **loose) <= plain).all()
    assert (novelty.find_nearest(training, training) == 0).all()
    assert (plain >= 0).all() and (plain <= 72).all()
    assert novelty.find_nearest(windows, training[::-1]).tolist() == plain.tolist()


@settings(max_examples=40)
@given(arrays(np.uint16, (4, 8), elements=WORDS), st.integers(0, 7))
def test_a_loop_at_another_tempo_is_a_copy_only_with_tempi(windows, turn):
    for played in (novelty.halve_tempo(windows), novelty.double_tempo(windows)):
        assert played.shape[1] == 8
        assert (novelty.find_nearest(np.roll(played, turn, axis=1), windows, rotations=True, tempi=True) == 0).all()


def test_tempi():
    window = np.array([[1, 2, 3, 4]], np.uint16)
    assert novelty.halve_tempo(window).tolist() == [[1, 0, 2, 0], [3, 0, 4, 0]]
    assert novelty.double_tempo(window).tolist() == [[3, 7, 3, 7]]
    with pytest.raises(ValueError, match="3 steps"):
        novelty.find_nearest(window[:, :3], window[:, :3], tempi=True)


def test_silence_is_far_from_drums():
    drums = np.full((1, 8), 5, np.uint16)
    assert novelty.find_nearest(drums * 0, drums).tolist() == [16]
