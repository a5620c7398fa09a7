"""The eight filters, each at its edge, and coincidence with drums."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.metrics.melodies import (
    FILTERS,
    count_faults,
    has_clash,
    has_long_pause,
    is_crowded,
    is_dominated,
    is_monotonous,
    is_off_key,
    is_sparse,
    is_wide,
    list_faults,
    measure_coincidence,
)


def loop(*notes):
    """Bool [64, 128] of (tick, pitch)."""
    out = np.zeros((64, 128), np.bool_)
    for tick, pitch in notes:
        out[tick, pitch] = True
    return out


def every(pitches, apart=4):
    return loop(*((i * apart, p) for i, p in enumerate(pitches)))


GOOD = every([60, 64, 67, 64, 60, 67, 72, 67, 65, 62, 59, 62, 60, 64, 67, 60])


def test_a_plain_tune_passes_all_eight():
    assert len(FILTERS) == 8 and list_faults(GOOD, 0) == []


def test_three_sounds_are_too_few_and_four_are_not():
    assert is_sparse(loop((0, 60), (0, 64), (9, 62), (12, 60))) and is_sparse(loop())
    assert not is_sparse(loop((0, 60), (5, 64), (9, 62), (12, 60)))


@pytest.mark.parametrize("last", [47, 46])
def test_a_pause_of_17_ticks_is_too_long_at_the_end(last):
    sounds = [(t, 60) for t in range(0, 46, 5)]
    assert has_long_pause(loop(*sounds, (last, 60))) == (last == 46)


def test_a_pause_of_16_ticks_is_allowed_between_and_before_notes():
    assert not has_long_pause(loop((16, 60), (33, 60), (50, 60)))
    assert has_long_pause(loop((16, 60), (34, 60), (51, 60)))  # 17 between
    assert has_long_pause(loop((17, 60), (33, 60), (50, 60)))  # 17 before
    assert has_long_pause(loop())


def test_a_semitone_or_tone_at_once_clashes_a_third_does_not():
    assert has_clash(loop((3, 60), (3, 61))) and has_clash(loop((3, 60), (3, 62)))
    assert not has_clash(loop((3, 60), (3, 63))) and not has_clash(loop((3, 60), (4, 61)))


def test_24_semitones_are_two_octaves_25_are_more():
    assert not is_wide(loop((0, 40), (9, 64))) and is_wide(loop((0, 40), (9, 65)))
    assert not is_wide(loop())


def test_two_notes_are_too_few_and_three_are_not():
    assert is_monotonous(every([60, 62, 60, 62])) and not is_monotonous(every([60, 62, 72]))


def test_three_at_once_are_allowed_and_four_are_not():
    assert not is_crowded(loop((0, 60), (0, 64), (0, 67))) and is_crowded(loop((0, 60), (0, 64), (0, 67), (0, 72)))


def test_three_quarters_of_one_note_are_allowed_and_more_are_not():
    assert not is_dominated(every([60, 60, 60, 62])) and is_dominated(every([60, 60, 60, 60, 62]))
    assert not is_dominated(loop())


def test_another_key_than_the_one_asked_for():
    assert not is_off_key(GOOD, 0) and is_off_key(GOOD, 7) and is_off_key(GOOD, 21)


def test_shares_are_counted_by_filter_and_overall():
    accepted, shares = count_faults([GOOD, loop()], [0, 0])
    assert accepted == 0.5 and shares["three sounds or fewer"] == 0.5 and shares["four or more at once"] == 0
    with pytest.raises(ValueError, match="at least one"):
        count_faults([], [])


def test_coincidence_is_the_share_of_onsets_on_drums():
    onsets, drums = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert measure_coincidence([onsets], [drums]) == 0.5 and np.isnan(measure_coincidence([~onsets & onsets], [drums]))
