"""Musical sense against hand-made performances."""

import math

import numpy as np
import pytest

from backbeat.metrics import sense

KICK, SNARE, HAT, CRASH = 0, 1, 2, 7


def perform(bars=16, steps=16, metre=(4, 4), **arrays):
    """A silent performance with some arrays exchanged."""
    blank = {
        "hits": np.zeros((bars * steps, 9), bool),
        "first_steps": np.arange(bars + 1) * steps,
        "numerators": (metre[0],) * bars,
        "denominators": (metre[1],) * bars,
        "bass": np.zeros(bars * steps, bool),
        "band_active": np.ones(bars, bool),
        "section_starts": np.zeros(bars, bool),
    }
    return sense.Performance(**(blank | arrays))


def hit(cells, bars=16, steps=16):
    """Hits [bars * steps, 9] at (bar, step in bar, class)."""
    hits = np.zeros((bars, steps, 9), bool)
    for bar, step, column in cells:
        hits[bar, step, column] = True
    return hits.reshape(-1, 9)


def test_kick_with_a_bass_that_changes_from_bar_to_bar():
    rng = np.random.default_rng(0)
    places = rng.integers(0, 16, 16)
    bass = np.zeros((16, 16), bool)
    bass[np.arange(16), places] = True
    p = perform(hits=hit([(b, int(s), KICK) for b, s in enumerate(places)]), bass=bass.reshape(-1))
    assert sense.count_bass_with_kick(p) == (16, 16)
    same = sum(places[b] == places[(b + 7) % 16] for b in range(16))
    assert sense.count_bass_with_kick_shifted(p) == (same, 16)
    assert sense.evaluate([p])["kick_bass_excess"] == pytest.approx(1 - same / 16)


def test_the_same_bar_throughout_has_no_excess():
    p = perform(hits=hit([(b, 0, KICK) for b in range(16)]), bass=np.tile(np.arange(16) == 0, 16))
    assert sense.evaluate([p])["kick_bass_excess"] == 0


def test_shifted_bass_leaves_out_steps_the_other_bar_lacks():
    first_steps = np.array([0, *(16 * np.arange(1, 8) - 4), 16 * 8 - 4])  # bar 0 has 12 steps, seven more have 16
    hits = np.zeros((124, 9), bool)
    hits[[12 + 15, 12 + 2], KICK] = True  # in bar 1, whose bass comes from bar 0 (8 bars)
    p = perform(bars=8, hits=hits, first_steps=first_steps, bass=np.arange(124) == 2)
    assert sense.count_bass_with_kick_shifted(p) == (1, 1)


def test_a_short_piece_has_no_shifted_bass():
    p = perform(bars=7, hits=hit([(0, 0, KICK)], bars=7))
    assert sense.count_bass_with_kick_shifted(p) == (0, 0)


def test_backbeat_counts_snares_of_whole_4_4_bars():
    cells = [(0, 4, SNARE), (0, 12, SNARE), (1, 0, SNARE), (1, 5, SNARE), (2, 4, HAT)]
    assert sense.count_backbeat_snares(perform(hits=hit(cells))) == (2, 4)
    assert sense.count_backbeat_snares(perform(hits=hit(cells), metre=(2, 2))) == (0, 0)


def test_crash_lift_leaves_out_bar_0():
    starts = np.isin(np.arange(16), [0, 4, 8])
    p = perform(hits=hit([(0, 0, CRASH), (4, 0, CRASH), (8, 1, CRASH), (9, 0, CRASH)]), section_starts=starts)
    assert sense.count_crashes(p, at_sections=True) == (1, 2)
    assert sense.count_crashes(p, at_sections=False) == (1, 13)
    assert sense.evaluate([p])["crash_lift"] == pytest.approx(13 / 2)


def test_change_of_density_before_a_section():
    # one hit a bar, four in bar 3 (before the section at 4), two in bar 10, none from bar 14 on
    many = [(3, s, HAT) for s in (4, 8, 12)] + [(10, 8, HAT)]
    p = perform(hits=hit([(b, 0, HAT) for b in range(14)] + many), section_starts=np.arange(16) == 4)
    before, elsewhere = sense.sum_density_changes(p, before_sections=True), sense.sum_density_changes(p, before_sections=False)
    assert before == (pytest.approx(3 / 16), 1)
    assert elsewhere == (pytest.approx((3 + 1 + 1) / 16), 12)
    assert sense.evaluate([p])["change_lift"] == pytest.approx(3 / (5 / 12))


def test_silent_bars_steps_hit_and_distinct_bars():
    active = np.arange(16) < 12
    p = perform(hits=hit([(b, 0, KICK) for b in range(13)] + [(1, 4, SNARE)]), band_active=active)
    assert sense.count_silent_bars_kept(p) == (3, 4)
    assert sense.count_steps_hit(p) == (14, 256)
    assert sense.count_distinct_bars(p) == (2, 13)


def test_figures_of_songs_are_pooled():
    one, other = perform(hits=hit([(0, 4, SNARE)])), perform(hits=hit([(0, 0, SNARE), (1, 0, SNARE), (2, 4, SNARE)]))
    assert sense.evaluate([one, other])["backbeat_snares"] == 0.5


def test_nothing_to_compare_with_is_nan_or_inf():
    figures = sense.evaluate([perform()])
    assert math.isnan(figures["crash_at_sections"]) and math.isnan(figures["crash_lift"]) and figures["steps_hit"] == 0
    starts = np.arange(16) == 4
    assert sense.evaluate([perform(hits=hit([(4, 0, CRASH)]), section_starts=starts)])["crash_lift"] == math.inf


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"hits": np.zeros((256, 8), bool)}, "hits must be"),
        ({"first_steps": np.arange(17) * 8}, "first_steps must ascend"),
        ({"bass": np.zeros(3, bool)}, "bass must be"),
        ({"band_active": np.ones(3, bool)}, "each of 16 bars"),
    ],
)
def test_what_does_not_fit_is_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        perform(**arrays)


def test_no_performance_is_refused():
    with pytest.raises(ValueError, match="no performance"):
        sense.evaluate([])
