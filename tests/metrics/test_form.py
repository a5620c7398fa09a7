import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.metrics.form import compare_bars, evaluate, measure_curve, shuffle_blocks

STEPS = 16


def make(labels: str, seed: int = 0):
    rng = np.random.default_rng(seed)
    bars = {c: rng.random((STEPS, 9)) < 0.15 for c in sorted(set(labels))}
    return np.concatenate([bars[c] for c in labels]), np.arange(len(labels) + 1) * STEPS


def test_a_loop_is_alike_everywhere():
    hits, first = make("a" * 40)
    assert measure_curve(hits, first, 39) == pytest.approx(1)
    assert evaluate(hits, first)["form_far"] == 1


def test_what_comes_back_is_seen_where_it_comes_back():
    curve = measure_curve(*make(("aaaa" + "bbbb") * 5), 32)
    assert curve[7] == curve[15] == pytest.approx(1) and curve[3] < 0.5
    assert np.isnan(measure_curve(*make("abc"))[5])


@given(st.integers(0, 1000))
def test_shuffling_keeps_the_bars_and_changes_their_order(seed):
    hits, first = make("aabbccdd")
    mixed, edges = shuffle_blocks(hits, first, np.array([0, 2, 4, 6]), np.random.default_rng(seed))
    assert mixed.sum() == hits.sum() and np.array_equal(edges, first)
    assert sorted(b.tobytes() for b in mixed.reshape(8, -1)) == sorted(b.tobytes() for b in hits.reshape(8, -1))
    assert compare_bars(mixed, edges)[0, 1] == 1, "sections stay whole"


def test_bars_of_other_lengths_are_not_alike_and_empty_ones_are():
    hits = np.zeros((16 + 12 + 16, 9), np.bool_)
    matrix = compare_bars(hits, np.array([0, 16, 28, 44]))
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    with pytest.raises(ValueError, match="ascending"):
        shuffle_blocks(hits, np.array([0, 16, 28, 44]), np.array([1]), np.random.default_rng(0))
