"""Weak measures: their definitions, and that nonsense wins them, which is why they are only distances."""

import numpy as np
import pytest
from hypothesis import assume, given, settings

from backbeat.codecs.words import hits_to_words
from backbeat.metrics import weak
from tests.metrics.strategies import first_steps, hits, samples


@given(hits(1))
def test_one_loop_wins_groove_consistency(bar):
    assert weak.groove_consistency(np.tile(bar, (4, 1)), first_steps(4)) == 1


@given(hits(4))
def test_consistency_is_a_share(drums):
    assert 0 <= weak.groove_consistency(drums, first_steps(4)) <= 1
    assert np.isnan(weak.groove_consistency(drums, np.array([0, len(drums)])))


def test_everything_on_16ths_is_a_pattern():
    places = np.random.default_rng(0).integers(0, 64, 30)
    assert weak.drum_pattern_consistency(places, 4) == 1
    assert weak.drum_pattern_consistency(places * 8, 24) == 1  # 8th triplets
    assert weak.drum_pattern_consistency(np.array([0, 1, 5, 6]), 24) == 0.5
    assert np.isnan(weak.drum_pattern_consistency(np.zeros(0, np.int64), 4))


def test_noise_wins_the_entropy_filter_and_silence_fails_it():
    noise = np.random.default_rng(0).integers(0, 512, (20, 32)).astype(np.uint16)
    assert weak.entropy_pass(noise) == 1 and weak.entropy_pass(noise * 0) == 0
    assert weak.word_entropy(np.array([[1, 2, 1, 2]], np.uint16)).tolist() == pytest.approx([np.log(2)])


@settings(max_examples=25)
@given(samples(least=3), samples(least=3))
def test_overlap_is_a_symmetric_share_and_whole_for_itself(a, b):
    assume(min(a.std(), b.std()) > 0.05)
    assert weak.overlap_area(a, a) == pytest.approx(1, abs=0.01)
    assert 0 <= weak.overlap_area(a, b) <= 1.01
    assert weak.overlap_area(a, b) == pytest.approx(weak.overlap_area(b, a))
    assert weak.overlap_area(a, a + 100) == pytest.approx(0, abs=1e-6)


def make_pieces(seed):
    rng = np.random.default_rng(seed)
    drums = [rng.random((32, 9)) < rng.uniform(0.05, 0.4) for _ in range(8)]
    return drums, [first_steps(4)] * 8, np.array([hits_to_words(d) for d in drums])


def test_human_drums_are_no_distance_from_themselves_and_a_loop_is_not():
    real = make_pieces(0)
    same = weak.evaluate(*real, *real)
    assert same["weak_groove_consistency_distance"] == same["weak_entropy_pass_distance"] == 0
    loops = [np.tile(d[:8], (4, 1)) for d in real[0]]
    looped = weak.evaluate(loops, real[1], np.array([hits_to_words(d) for d in loops]), *real)
    assert looped["weak_groove_consistency_distance"] > 0.1
    assert weak.distance_to_human(0.4, 0.7) == weak.distance_to_human(0.7, 0.4) == pytest.approx(0.3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="two different values"):
        weak.overlap_area(np.zeros(5), np.arange(5.0))
    with pytest.raises(ValueError, match="at least 1"):
        weak.drum_pattern_consistency(np.zeros(1, np.int64), 0)
    with pytest.raises(ValueError, match="must be"):
        weak.word_entropy(np.zeros(4, np.uint16))
