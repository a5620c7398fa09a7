"""Novelty against brute force and hand-made numbers."""

import numpy as np
import pytest

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
