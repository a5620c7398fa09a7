"""Onset F1 against hand-made numbers."""

import numpy as np
import pytest

from backbeat.metrics import onsets


def make(cells, steps=8):
    """Hits at the given cells."""
    hits = np.zeros((steps, 9), bool)
    for step, column in cells:
        hits[step, column] = True
    return hits


REAL = make([(0, 0), (0, 2), (2, 2), (4, 1)])
PLAYED = make([(0, 0), (0, 2), (1, 2), (4, 0), (6, 1)])
BARS = np.array([0, 4, 8])


def test_micro_counts_found_cells_of_all_classes():
    assert onsets.micro_f1(REAL, PLAYED) == pytest.approx(2 * 2 / (4 + 5))


def test_a_step_beside_or_another_class_is_not_found():
    assert onsets.micro_f1(make([(3, 0)]), make([(4, 0), (3, 1)])) == 0


def test_by_class():
    scores = onsets.class_f1(REAL, PLAYED)
    assert scores[:3].tolist() == pytest.approx([2 / 3, 0, 1 / 2]) and scores[3:].sum() == 0


def test_bar_mean_leaves_out_bars_silent_on_both_sides():
    # bar 0: 2 found of 3 + 3; bar 1: 0 found of 1 + 2
    assert onsets.bar_mean_f1(REAL, PLAYED, BARS) == pytest.approx((2 / 3 + 0) / 2)
    longer = [np.concatenate([a, np.zeros((4, 9), bool)]) for a in (REAL, PLAYED)]
    assert onsets.bar_mean_f1(*longer, np.array([0, 4, 8, 12])) == pytest.approx(1 / 3)
    assert np.isnan(onsets.bar_mean_f1(REAL & False, REAL & False, BARS))


def test_evaluate_pools_songs_and_their_bars():
    silent = np.zeros((4, 9), bool)
    figures = onsets.evaluate([REAL, silent, REAL], [PLAYED, silent, REAL], [BARS, BARS[:2], BARS])
    assert figures["micro_f1"] == pytest.approx(2 * 6 / (4 + 5 + 4 + 4))
    assert figures["song_mean_f1"] == pytest.approx((4 / 9 + 1) / 2)
    assert figures["bar_mean_f1"] == pytest.approx((2 / 3 + 0 + 1 + 1) / 4)
    assert figures["precision"] == pytest.approx(6 / 9) and figures["recall"] == pytest.approx(6 / 8)
    assert figures["kick"] == pytest.approx(4 / 5)


def test_silence_scores_nothing():
    assert onsets.micro_f1(REAL, REAL & False) == 0


@pytest.mark.parametrize(("played", "message"), [(PLAYED[:4], r"must both be \[steps, 9\]"), (PLAYED.astype(float), "must be bool")])
def test_what_does_not_fit_is_refused(played, message):
    with pytest.raises(ValueError, match=message):
        onsets.micro_f1(REAL, played)


def test_bars_must_cover_the_steps():
    with pytest.raises(ValueError, match="ascend from 0"):
        onsets.bar_mean_f1(REAL, PLAYED, np.array([0, 4]))
