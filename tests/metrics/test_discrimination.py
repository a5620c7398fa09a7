"""The classifier two-sample test: it tells noise, cannot tell the same, and never splits a take."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.words import words_to_hits
from backbeat.errors import MissingExtraError
from backbeat.metrics import discrimination
from backbeat.metrics.discrimination import FeelWindows
from tests.metrics.strategies import samples


def make_takes(seed, takes=20, windows=6, noise=0.05):
    """Windows of takes that each repeat a loop of their own."""
    rng = np.random.default_rng(seed)
    loops = np.repeat(np.tile(rng.choice([0, 1, 2, 4, 5, 6], (takes, 1, 8)), (1, 1, 4)), windows, axis=1)
    struck = rng.random(loops.shape) < noise
    loops[struck] = rng.integers(0, 512, struck.sum())
    return loops.reshape(-1, 32).astype(np.uint16), np.repeat(np.arange(takes), windows)


def test_windows_are_whole_bars_of_one_length_with_a_hit():
    words = np.arange(1, 109, dtype=np.uint16)
    windows = discrimination.make_windows(words, np.array([0, 16, 32, 44, 60, 76, 92, 108]))
    assert [w[0] for w in windows] == [1, 61] and windows.shape == (2, 32)
    assert discrimination.make_windows(words[:32] * 0, np.array([0, 16, 32])).shape == (0, 32)
    assert discrimination.make_windows(words[:16], np.array([0, 16])).shape == (0, 32)
    assert discrimination.make_windows(words, np.arange(10) * 12, steps=24).shape == (4, 24)


@given(samples(least=4), st.integers(0, 2**16))
def test_auc_is_a_probability_that_turns_with_its_labels(scores, seed):
    labels = np.random.default_rng(seed).permutation(np.arange(len(scores)) % 2 == 0)
    value = discrimination.auc(scores, labels)
    assert 0 <= value <= 1
    assert discrimination.auc(scores, ~labels) == pytest.approx(1 - value)
    assert discrimination.auc(labels.astype(float), labels) == 1
    assert discrimination.auc(scores * 0, labels) == 0.5


@given(st.lists(st.integers(0, 12), min_size=10, max_size=60), st.integers(2, 4), st.integers(0, 99))
def test_no_take_is_ever_in_two_folds(groups, folds, seed):
    groups = np.array(groups)
    labels = groups % 2 == 0
    fold = discrimination.assign_folds(groups, labels, folds, seed)
    assert fold.min() >= 0 and fold.max() < folds
    for group in np.unique(groups):
        assert len(set(fold[groups == group])) == 1


def test_folds_hold_both_labels_in_even_shares():
    groups = np.arange(100) // 2
    labels = groups >= 25
    fold = discrimination.assign_folds(groups, labels, 5, 0)
    for side in (False, True):
        assert np.bincount(fold[labels == side]).tolist() == [10] * 5


@pytest.mark.slow
def test_noise_is_told_and_the_same_source_is_not():
    pytest.importorskip("sklearn")
    real, groups = make_takes(0, takes=16, windows=4)
    same, _ = make_takes(1, takes=16, windows=4)
    noise = np.random.default_rng(2).permuted(same, axis=1)
    assert discrimination.c2st(real, groups, noise, groups + 100, folds=2) > 0.9
    assert 0.3 < discrimination.c2st(real, groups, same, groups + 100, folds=2) < 0.7
    silence = np.zeros_like(same)
    assert discrimination.c2st(real, groups, silence, groups + 100, folds=2) > 0.9


@pytest.mark.slow
def test_takes_of_one_source_are_not_told_by_heart():
    """Few takes of many nearly equal windows: ungrouped folds would recognise each take and tell everything."""
    pytest.importorskip("sklearn")
    real, groups = make_takes(3, takes=8, windows=12, noise=0.01)
    same, _ = make_takes(4, takes=8, windows=12, noise=0.01)
    assert discrimination.c2st(real, groups, same, groups + 100, folds=2) < 0.75
    alone = np.arange(len(real))
    assert discrimination.c2st(real, alone, same, alone + 1000, folds=2) > 0.95


def test_the_same_seed_gives_the_same_figure():
    pytest.importorskip("sklearn")
    (real, groups), (same, _) = make_takes(5, 6, 3), make_takes(6, 6, 3)
    figures = [discrimination.c2st(real, groups, same, groups + 100, folds=2, seed=4) for _ in range(2)]
    assert figures[0] == figures[1]


def make_feel(seed, late=0.0, takes=12, windows=5):
    rng = np.random.default_rng(seed)
    hits = words_to_hits(make_takes(9, takes, windows)[0])
    shape = hits.shape
    return FeelWindows(hits, rng.uniform(0.3, 0.9, shape) * hits, rng.normal(late, 0.1, shape) * hits)


@pytest.mark.slow
def test_feel_is_told_by_timing_alone():
    pytest.importorskip("sklearn")
    groups = np.repeat(np.arange(12), 5)
    real = make_feel(0)
    assert discrimination.c2st_feel(real, groups, make_feel(1, late=0.1), groups, folds=2) > 0.9
    assert 0.3 < discrimination.c2st_feel(real, groups, make_feel(2), groups, folds=2) < 0.7
    flat = FeelWindows(real.hits, real.hits * 0.6, real.hits * 0.0)
    assert discrimination.c2st_feel(real, groups, flat, groups, folds=2) > 0.95


def test_features_are_finite_for_hits_and_nan_only_where_nothing_is_struck():
    assert np.isfinite(discrimination.describe_windows(make_takes(0, 2, 2)[0])).all()
    described = discrimination.describe_feel(make_feel(0, takes=1, windows=2))
    assert len(described) == 2 and np.isfinite(described).any() and np.isnan(described).any()


def test_what_does_not_fit_is_refused():
    real, groups = make_takes(0, 6, 2)
    with pytest.raises(ValueError, match="of one length"):
        discrimination.c2st(real, groups, real[:, :16], groups)
    with pytest.raises(ValueError, match="12 real windows with groups"):
        discrimination.c2st(real, groups[:3], real, groups)
    with pytest.raises(ValueError, match="6 real takes are too few for 7 folds"):
        discrimination.c2st(real, groups, real, groups, folds=7)
    with pytest.raises(ValueError, match="at least 2 folds"):
        discrimination.c2st(real, groups, real, groups, folds=1)
    with pytest.raises(ValueError, match="both labels"):
        discrimination.auc(np.zeros(3), np.ones(3, bool))
    with pytest.raises(ValueError, match="must all be"):
        FeelWindows(np.zeros((1, 32, 9), bool), np.zeros((1, 32, 9)), np.zeros((1, 32, 8)))
    with pytest.raises(ValueError, match="at least 1 bar"):
        discrimination.find_windows(np.array([0, 16]), bars=0)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    real, groups = make_takes(0, 6, 2)
    with pytest.raises(MissingExtraError, match=r"scikit-learn.*backbeat\[report\]"):
        discrimination.c2st(real, groups, real, groups)
