"""Every figure of an array of the wrong shape or type is refused with a ValueError, never made, never another exception."""

import numpy as np
import pytest

from backbeat.metrics import bandgain, calibration, copying, discrimination, fills, likelihood, novelty, onsets, sense, timing, weak
from backbeat.metrics.checks import check_bars, check_flags, check_hits, check_numbers, check_words

RNG = np.random.default_rng(0)
STEPS = 64
WORDS, HITS, BARS = RNG.integers(0, 512, STEPS).astype(np.uint16), RNG.random((STEPS, 9)) < 0.2, np.arange(5) * 16
LOG, CHANCES, STARTS = -RNG.random(STEPS), RNG.random((STEPS, 9)), np.arange(4) == 2
WINDOWS, TRAINING, TAKES = (RNG.integers(0, 512, (n, 32)).astype(np.uint16) for n in (12, 20, 1))
GROUPS, CELLS = np.arange(12), np.arange(STEPS) % 3
QPM = np.full(STEPS, 120.0)
METRE = (4,) * 4

FIGURES = {
    "likelihood": (likelihood.evaluate, LOG, WORDS),
    "likelihood of bars": (likelihood.evaluate_bars, LOG, LOG[:4]),
    "onsets in words": (likelihood.count_onsets, WORDS),
    "wrong band": (bandgain.wrong_band_gain, LOG, LOG - 1, WORDS),
    "no gain": (bandgain.evaluate, LOG, WORDS),
    "calibration": (calibration.evaluate, CHANCES, HITS),
    "Brier score": (calibration.brier_score, CHANCES, HITS),
    "step accuracy": (copying.step_accuracy, HITS, HITS),
    "sources": (lambda bars: copying.find_sources(bars, 1), BARS),
    "copies": (lambda hits, bars: copying.evaluate([hits], [bars]), HITS, BARS),
    "windows": (discrimination.make_windows, WORDS, BARS),
    "starts of windows": (discrimination.find_windows, BARS),
    "AUC": (discrimination.auc, LOG, LOG > -0.5),
    "described windows": (discrimination.describe_windows, WINDOWS),
    "C2ST": (discrimination.c2st, WINDOWS, GROUPS, TRAINING[:12], GROUPS),
    "fills": (fills.evaluate, HITS, BARS, STARTS),
    "nearest": (novelty.evaluate, WINDOWS, TRAINING),
    "longest run": (lambda words, other: novelty.find_longest_run(words, [other]), WORDS, WORDS),
    "half tempo": (novelty.halve_tempo, WINDOWS),
    "double tempo": (novelty.double_tempo, WINDOWS),
    "F1": (lambda real, played, bars: onsets.evaluate([real], [played], [bars]), HITS, HITS, BARS),
    "bar mean F1": (onsets.bar_mean_f1, HITS, HITS, BARS),
    "sense": (lambda hits, bars, bass, band, starts: sense.Performance(hits, bars, METRE, METRE, bass, band, starts), HITS, BARS, HITS[:, 0], STARTS, STARTS),
    "feel": (timing.Feel, CELLS, LOG / 2, -LOG, QPM),
    "cells": (timing.number_cells, CELLS, CELLS),
    "Wasserstein": (timing.wasserstein, LOG, LOG),
    "Wasserstein by cell": (timing.wasserstein_by_cell, LOG, CELLS, LOG, CELLS),
    "groove consistency": (weak.groove_consistency, HITS, BARS),
    "pattern consistency": (lambda places: weak.drum_pattern_consistency(places, 4), CELLS),
    "entropy": (weak.entropy_pass, WINDOWS),
    "overlap": (weak.overlap_area, LOG, LOG - 1),
    "distances": (weak.list_distances, CHANCES),
    "described bars": (weak.describe_bars, HITS, BARS),
}
SPOILT = {
    "a number": lambda a: np.array(1.0),
    "a dimension more": lambda a: a[None],
    "text": lambda a: np.full(a.shape, "x"),
    "complex": lambda a: a.astype(complex),
}
CASES = [(name, place, how) for name, (_, *arrays) in FIGURES.items() for place in range(len(arrays)) for how in SPOILT]


@pytest.mark.parametrize(("name", "place", "how"), CASES, ids=[f"{n}, argument {p + 1} {h}" for n, p, h in CASES])
def test_an_array_of_another_kind_is_refused(name, place, how):
    make, *arrays = FIGURES[name]
    arrays[place] = SPOILT[how](arrays[place])
    with pytest.raises(ValueError, match=r"\w"):
        make(*arrays)


@pytest.mark.parametrize("name", [n for n in FIGURES if n != "C2ST"])
def test_the_right_arrays_are_not_refused(name):
    make, *arrays = FIGURES[name]
    make(*arrays)


@pytest.mark.parametrize("spoil", [lambda a: np.where(np.arange(len(a)) == 1, np.nan, a), lambda a: np.where(np.arange(len(a)) == 1, np.inf, a)])
@pytest.mark.parametrize("name", ["likelihood", "wrong band", "AUC", "Wasserstein", "overlap"])
def test_what_is_not_finite_is_refused(name, spoil):
    make, first, *others = FIGURES[name]
    with pytest.raises(ValueError, match=r"\w"):
        make(spoil(first), *others)


@pytest.mark.parametrize("words", [WORDS.astype(int) - 600, WORDS.astype(int) + 512, WORDS.astype(float)])
def test_words_lie_in_the_vocabulary(words):
    with pytest.raises(ValueError, match="words"):
        check_words(words)


@pytest.mark.parametrize("bars", [BARS[:-1], BARS[1:], BARS[::-1], BARS * 1.0, np.array([0, 32, 32, 64]), BARS[:0]])
def test_bars_ascend_from_0_to_the_end(bars):
    with pytest.raises(ValueError, match="first_steps must"):
        check_bars(bars, STEPS)
    check_bars(BARS, STEPS)


def test_hits_flags_and_numbers_have_one_type():
    for check, wrong in (
        (check_hits, HITS * 1),
        (check_hits, HITS[:, :8]),
        (lambda a: check_flags(a, "it"), STARTS * 1),
        (lambda a: check_numbers(a, "it"), STARTS),
    ):
        with pytest.raises(ValueError, match="must be"):
            check(wrong)


def test_a_silent_track_has_figures_or_none_but_never_fails():
    silence, rests = np.zeros_like(HITS), np.zeros_like(WORDS)
    assert onsets.evaluate([HITS], [silence], [BARS])["micro_f1"] == 0
    assert np.isnan(onsets.evaluate([silence], [silence], [BARS])["song_mean_f1"])
    assert copying.evaluate([silence], [BARS])["onset_f1_1"] == 0
    assert fills.evaluate(silence, BARS, STARTS)["fills"] == 0
    figures = sense.evaluate([sense.Performance(silence, BARS, METRE, METRE, HITS[:, 0], STARTS, STARTS)])
    assert figures["steps_hit"] == 0 and np.isnan(figures["kick_bass_excess"])
    with pytest.raises(ValueError, match="without an onset"):
        likelihood.evaluate(LOG, rests)
