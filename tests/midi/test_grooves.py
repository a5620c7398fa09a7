"""Song to Groove: merging, unknown notes, early and late hits."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song
from tests.midi.builders import Track, band_song, midi

KIT = load_kit("lstmetallica_9")
KICK, SNARE, HAT = (KIT.index(name) for name in ("kick", "snare", "closed_hat"))


def extract(track: Track, end: int = 1920):  # type: ignore[no-untyped-def]
    song = parse_song(midi(Track().note(0, end, 60).chunk(), track.chunk()))
    return extract_groove(song, song.grid(), KIT)


def test_notes_become_hits_with_velocity_and_offset() -> None:
    groove, report = extract(Track().note(0, 10, 36, 127, 9).note(492, 10, 38, 64, 9).note(948, 10, 42, 1, 9))
    assert np.argwhere(groove.hits).tolist() == [[0, KICK], [4, SNARE], [8, HAT]]
    assert groove.velocities[groove.hits] == pytest.approx([1, 64 / 127, 1 / 127])
    assert groove.offsets[groove.hits] == pytest.approx([0, 0.1, -0.1])
    assert (report.notes, report.merged, report.unknown) == (3, 0, {})


def test_of_two_notes_in_a_cell_the_louder_stays_and_the_other_is_counted() -> None:
    groove, report = extract(Track().note(0, 10, 36, 50, 9).note(12, 10, 35, 90, 9).note(24, 10, 36, 20, 9))
    assert (groove.hits.sum(), report.notes, report.merged) == (1, 3, 2)
    assert groove.velocities[0, KICK] == pytest.approx(90 / 127)
    assert groove.offsets[0, KICK] == pytest.approx(0.1)


def test_of_two_equally_loud_notes_the_nearer_stays() -> None:
    groove, _ = extract(Track().note(110, 10, 36, 50, 9).note(130, 10, 36, 50, 9).note(120, 10, 36, 50, 9))
    assert groove.offsets[1, KICK] == 0


def test_notes_that_the_kit_does_not_know_are_counted() -> None:
    groove, report = extract(Track().note(0, 10, 22, 50, 9).note(240, 10, 22, 50, 9).note(0, 10, 90, 50, 9))
    assert (groove.hits.sum(), report.notes, report.merged, report.unknown) == (0, 3, 0, {22: 2, 90: 1})


def test_a_hit_just_before_a_bar_line_belongs_to_that_bar() -> None:
    groove, _ = extract(Track().note(1910, 5, 36, 90, 9), end=3840)
    assert np.argwhere(groove.hits).tolist() == [[16, KICK]]
    assert groove.offsets[16, KICK] == pytest.approx(-10 / 120)


def test_a_hit_behind_the_last_step_stays_in_it() -> None:
    groove, _ = extract(Track().note(1919, 1, 36, 90, 9))
    assert np.argwhere(groove.hits).tolist() == [[15, KICK]]
    assert 0.49 < groove.offsets[15, KICK] < 0.5


def test_all_drum_parts_are_gathered() -> None:
    shaker = Track().name("Percussion").note(0, 10, 42, 60, 3)
    song = parse_song(midi(Track().note(0, 1920, 60).chunk(), Track().note(0, 10, 36, 90, 9).chunk(), shaker.chunk()))
    groove, report = extract_groove(song, song.grid(), KIT)
    assert (report.notes, sorted(np.flatnonzero(groove.hits[0]).tolist())) == (2, sorted([KICK, HAT]))


def test_a_song_without_drums_gives_an_empty_groove() -> None:
    song = parse_song(band_song(2, drums=False))
    groove, report = extract_groove(song, song.grid(), KIT)
    assert (groove.hits.any(), report.notes) == (False, 0)
