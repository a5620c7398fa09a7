"""Players against hand-made bars."""

import sys

import numpy as np
import pytest

from backbeat.codecs.words import hits_to_words
from backbeat.errors import MissingExtraError, ModelError
from backbeat.metrics.onsets import micro_f1
from backbeat.models.floors import BASS, CLOSED_HAT, KICK, SNARE, CopyBars, RockLoop, RockWithBass, Template
from backbeat.models.trees import BoostedTrees, choose_thresholds, describe_steps
from tests.models.pieces import make_piece

RNG = np.random.default_rng(0)


def steps_of(hits, column):
    return np.flatnonzero(hits[:, column]).tolist()


@pytest.mark.parametrize(
    ("metre", "kick", "snare"),
    [
        ((4, 4), [0, 8], [4, 12]),
        ((2, 2), [0, 8], [4, 12]),
        ((3, 4), [0], [4]),
        ((2, 4), [0], [4]),
        ((5, 4), [0, 8], [4, 12]),
        ((6, 8), [0], [6]),
        ((12, 8), [0, 12], [6, 18]),
        ((7, 8), [0, 8], [4, 12]),
        ((3, 8), [0], []),
        ((7, 16), [0], [4]),
    ],
)
def test_rock_loop_in_any_metre(metre, kick, snare):
    steps = 16 * metre[0] // metre[1]
    hits = RockLoop().play(make_piece(np.zeros(steps), *metre), RNG)
    assert (steps_of(hits, KICK), steps_of(hits, SNARE), steps_of(hits, CLOSED_HAT)) == (kick, snare, list(range(0, steps, 2)))


def test_rock_rests_with_the_band():
    piece = make_piece(np.zeros(48), onsets=np.zeros((48, 6)), active=[True, False, True])
    hits = RockLoop().play(piece, RNG)
    assert hits[:16].any() and not hits[16:32].any() and hits[32:].any()


def test_kick_follows_the_bass():
    onsets = np.zeros((16, 6))
    onsets[[3, 7], BASS] = 1
    onsets[5, BASS + 1] = 1
    hits = RockWithBass().play(make_piece(np.zeros(16), onsets=onsets), RNG)
    assert steps_of(hits, KICK) == [3, 7] and steps_of(hits, SNARE) == [4, 12]


def test_copy_takes_the_real_bar():
    piece = make_piece(np.arange(64))
    hits = CopyBars(2).play(piece, RNG)
    assert not hits[:32].any() and np.array_equal(hits[32:], piece.hits[:32])


def test_copy_of_a_bar_onto_itself_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        CopyBars(0)


def test_template_is_what_most_bars_do():
    bar = np.zeros((16, 9), bool)
    bar[[0, 10], KICK] = bar[8, SNARE] = True
    other = bar.copy()
    other[10, KICK] = False
    words = hits_to_words(np.concatenate([bar, bar, other]))
    template = Template()
    template.fit([make_piece(words)])
    piece = make_piece(np.zeros(16))
    template.threshold = 0.5
    assert np.array_equal(template.play(piece, RNG), bar)
    template.tune([make_piece(hits_to_words(other))])
    assert template.threshold >= 2 / 3 and np.array_equal(template.play(piece, RNG), other)
    strange = make_piece(np.zeros(12), 3, 4)
    assert np.array_equal(template.play(strange, RNG), RockLoop().play(strange, RNG))


def make_band_pieces(seed, count):
    """Kick wherever the bass plays, snare two steps after a guitar."""
    rng = np.random.default_rng(seed)
    pieces = []
    for _ in range(count):
        onsets = (rng.random((64, 6)) < 0.3).astype(np.float32)
        hits = np.zeros((64, 9), bool)
        hits[:, KICK] = onsets[:, BASS] > 0
        hits[2:, SNARE] = onsets[:-2, 1] > 0
        pieces.append(make_piece(hits_to_words(hits), onsets=onsets, active=[1, 1, 1, 1]))
    return pieces


@pytest.mark.slow
def test_trees_learn_what_the_band_tells():
    model = BoostedTrees(steps=2000, rounds=15)
    model.fit(make_band_pieces(0, 20))
    model.tune(make_band_pieces(1, 5))
    (piece,) = make_band_pieces(2, 1)
    hits = model.play(piece, RNG)
    assert np.array_equal(hits[:, KICK], piece.hits[:, KICK]) and np.array_equal(hits[:, SNARE], piece.hits[:, SNARE])
    assert not hits[:, 3:].any()


def test_thresholds_serve_the_micro_f1():
    rng = np.random.default_rng(0)
    expected = rng.random((2000, 9))
    real = rng.random((2000, 9)) < expected**2
    real[:, 5] = rng.random(2000) < 0.01  # a class that only costs: its probabilities say nothing
    thresholds = choose_thresholds(real, expected)
    best = micro_f1(real, expected > thresholds)
    assert thresholds[5] > 0.9
    for column in range(9):
        for other in (0.1, 0.3, 0.5, 0.7, 0.95):
            changed = thresholds.copy()
            changed[column] = other
            assert micro_f1(real, expected > changed) <= best + 1e-9


def test_features_see_before_and_after():
    onsets = np.zeros((16, 6), np.float32)
    onsets[5, BASS] = 2
    features = describe_steps(make_piece(np.zeros(16), onsets=onsets))
    assert features.shape == (16, 6 * 17 + 6 + 4)
    assert [int(np.flatnonzero(features[t, :17])[0]) for t in (0, 5, 13)] == [13, 8, 0] and not features[14, :17].any()


def test_trees_without_pieces_are_refused():
    with pytest.raises(ModelError, match="nothing to learn from"):
        BoostedTrees().fit([])
    with pytest.raises(ModelError, match="not fitted"):
        BoostedTrees().predict(make_piece(np.zeros(16)))


def test_trees_without_scikit_learn_name_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    with pytest.raises(MissingExtraError, match=r"scikit-learn.*backbeat\[train\]"):
        BoostedTrees().fit(make_band_pieces(0, 1))
