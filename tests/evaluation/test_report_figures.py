import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.words import hits_to_words
from backbeat.evaluation import report_figures as figures
from backbeat.evaluation.results import REAL, Case, Report, Result
from backbeat.grid import Grid
from backbeat.metrics.sense import Performance
from backbeat.models.protocol import Piece

numbers = st.lists(st.floats(-100, 100), min_size=1, max_size=12).map(np.array)


def make_result(real, name="a", log2_p=None, **hits):
    piece = Piece(name, Grid.regular(len(real) // 16), hits_to_words(real))
    return Result(Case(None, piece, None, None), log2_p or {}, {REAL: real, **hits})


def make_report(*results):
    return Report("drummer", "data", "whole", {}, {}, list(results))


def make_hits(bars, **steps):
    hits = np.zeros((16 * bars, 9), np.bool_)
    for column, (_, places) in enumerate(steps.items()):
        hits[places, column] = True
    return hits


def make_performance(hits, bass=()):
    bars = len(hits) // 16
    bass_steps = np.zeros(len(hits), np.bool_)
    bass_steps[list(bass)] = True
    return Performance(hits, np.arange(bars + 1) * 16, (4,) * bars, (4,) * bars, bass_steps, np.ones(bars, np.bool_), np.zeros(bars, np.bool_))


def test_bits_are_of_the_whole_piece_and_missing_where_nothing_was_scored():
    real = make_hits(1, kick=[0, 8])
    scored = make_result(real, log2_p={"drummer": np.full(16, -0.5), "a floor": np.full(16, -np.inf)})
    report = make_report(scored, make_result(real))
    assert figures.measure_bits(report, "drummer").tolist()[0] == 4.0
    assert np.isnan(figures.measure_bits(report, "drummer")[1])
    assert np.isnan(figures.measure_bits(report, "a floor")).all()


def test_the_best_floor_is_neither_the_model_nor_its_variants():
    real = make_hits(1, kick=[0])
    bits = {"cache": -0.3, "drummer": -0.1, "drummer, no band": -0.2, "unigram": -1.0}
    report = make_report(make_result(real, log2_p={n: np.full(16, b) for n, b in bits.items()}))
    assert figures.find_best_floor(report) == "cache"
    assert figures.list_scorers(report)[0] == "drummer"
    assert figures.pool_bits(report, ["drummer", "cache"]) == pytest.approx({"drummer": 1.6, "cache": 4.8})


def test_floors_that_are_given_real_bars_come_last():
    real = make_hits(2, kick=[0, 16])
    nothing = np.zeros_like(real)
    report = make_report(make_result(real, **{"copy (with history)": real, "empty": nothing, "half": make_hits(2, kick=[0]), "drummer": real}))
    assert figures.rank_floors(report) == ["half", "empty", "copy (with history)"]
    assert figures.list_players(report)[:2] == [REAL, "drummer"]


def test_classes_that_nobody_hits_have_no_score():
    real = make_hits(1, kick=[0, 8], snare=[4])
    scores = figures.score_classes(make_report(make_result(real, drummer=make_hits(1, kick=[0], snare=[5]))), "drummer")
    assert scores[:2].tolist() == [pytest.approx(2 / 3), 0.0] and np.isnan(scores[2:]).all()


def test_density_counts_bars_with_a_hit_only():
    assert figures.measure_density(make_performance(make_hits(4, kick=[0, 4, 8, 12, 16, 20, 24, 28]))) == 1.0
    assert np.isnan(figures.measure_density(make_performance(make_hits(1))))


def test_off_the_beat_looks_at_kick_and_snare():
    hits = make_hits(1, kick=[0, 3], snare=[4, 14], closed_hat=[1, 2, 3, 5])
    assert figures.measure_offbeat(make_performance(hits)) == 0.5


def test_change_is_nothing_in_a_loop_and_one_where_no_hit_returns():
    assert figures.measure_change(make_performance(make_hits(3, kick=[0, 16, 32]))) == 0.0
    assert figures.measure_change(make_performance(make_hits(2, kick=[0, 17]))) == 1.0


def test_kick_and_bass_need_a_bass():
    hits = make_hits(9, kick=[0, 16])
    assert np.isnan(figures.measure_kick_bass(make_performance(hits)))
    assert figures.measure_kick_bass(make_performance(hits, bass=[0, 16])) == 1.0


@given(numbers, numbers)
def test_wasserstein_is_a_distance(a, b):
    assert figures.measure_wasserstein(a, a) == 0
    assert figures.measure_wasserstein(a, b) == pytest.approx(figures.measure_wasserstein(b, a), abs=1e-9)
    assert figures.measure_wasserstein(a, b) >= abs(a.mean() - b.mean()) - 1e-9


@given(numbers, st.floats(-10, 10))
def test_wasserstein_of_a_shift_is_the_shift(a, by):
    assert figures.measure_wasserstein(a, a + by) == pytest.approx(abs(by), abs=1e-6)


def test_wasserstein_of_nothing_is_not_known():
    assert np.isnan(figures.measure_wasserstein(np.array([np.nan]), np.array([1.0])))


def test_calibration_counts_bars_in_which_the_drums_play():
    real, played = make_hits(4, kick=[0, 16, 32]), make_hits(4, kick=[0, 48])
    places = figures.calibrate_places(make_report(make_result(real, drummer=played)), "drummer")
    assert (places.metre, places.bars) == ("4/4", 3)
    assert places.real[0, 0] == 1.0 and places.played[0, 0] == pytest.approx(1 / 3)
    assert places.gap == pytest.approx(2 / 3)
    assert figures.calibrate_places(make_report(make_result(make_hits(1), drummer=real[:16])), "drummer") is None


@pytest.mark.parametrize(("count", "worst", "best"), [(1, [1], [0]), (2, [1], [0, 2]), (3, [1], [0, 2])])
def test_no_piece_is_among_the_worst_and_the_best(count, worst, best):
    real = make_hits(1, kick=[0])
    report = make_report(*(make_result(real, log2_p={"drummer": np.full(16, -b)}) for b in (0.1, 0.9, 0.5)))
    assert figures.rank_results(report, count) == (worst, best, "bits per onset")


def test_a_model_that_only_plays_is_ranked_by_f1():
    real = make_hits(1, kick=[0, 8])
    report = make_report(make_result(real, drummer=make_hits(1)), make_result(real, drummer=real))
    assert figures.rank_results(report) == ([0], [1], "onset F1")


def test_chances_are_held_against_the_real_hits():
    real = make_hits(1, kick=[0, 4, 8, 12])
    result = make_result(real)
    result.expected.update({"drummer, no band": np.full((16, 9), 0.5), "cache": np.zeros((16, 9)), "drummer": real.astype(np.float32)})
    report = make_report(result, make_result(real))
    assert figures.list_expecting(report) == ["drummer", "cache", "drummer, no band"]
    curve, error = figures.calibrate_hits(report, "drummer")
    assert error == 0 and curve.counts.tolist() == [140, *[0] * 8, 4]
    assert figures.calibrate_hits(report, "drummer, no band")[1] == pytest.approx(0.5 - 4 / 144)
