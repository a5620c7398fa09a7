"""A tapped rhythm becomes a groove: every tap is played, with its timing and loudness; parts of a song are found by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbeat.drummer import Drummer, load_drummer
from backbeat.errors import InputError, SongError
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import parse_song
from backbeat.models.tapping import Tapping
from backbeat.tapping import find_parts, make_line_playable, play_line, tap_song, tap_text
from backbeat.touch import TOUCH, TYPED, Touch
from backbeat.transforms.playability import make_playable
from tests.midi.builders import METRES, Track, band_song, midi

NEVER_HURRY = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NINE = load_kit("drums_rnn_9")


@pytest.fixture(scope="module")
def drummer(drummer_folder: Path) -> Drummer:
    return load_drummer(drummer_folder)


@NEVER_HURRY
@given(st.text("xX.", min_size=1, max_size=24).filter(lambda t: "x" in t or "X" in t), st.sampled_from(METRES), st.sampled_from([2, 3, 4]), st.integers(0, 99))
def test_every_tap_is_played_in_every_metre(drummer: Drummer, text: str, metre: tuple[int, int], density: int, seed: int) -> None:
    tapped = tap_text(text, metre=metre, bars=2, steps_per_quarter=density)
    groove = play_line(drummer, tapped, seed=seed, temperature=1.5, touch=Touch(performed=False))[0]
    assert groove.hits[tapped.line.taps].any(axis=1).all()
    at_taps = np.broadcast_to(tapped.line.taps[:, None], groove.hits.shape) & groove.hits
    assert np.array_equal(groove.offsets[at_taps], np.broadcast_to(tapped.line.offsets[:, None], groove.hits.shape)[at_taps])


def test_a_typed_line_is_given_a_players_timing(drummer: Drummer) -> None:
    tapped = tap_text("x.x.x.x.x.x.x.x.", bars=4)
    by_hand, typed = (play_line(drummer, tapped, seed=2, touch=touch)[0] for touch in (TOUCH, TYPED))
    assert by_hand.offsets[by_hand.hits].std() > 0.01 and not typed.offsets[typed.hits].any()
    assert len(set(by_hand.velocities[by_hand.hits].tolist())) > 8


def test_nothing_between_the_taps_is_nothing(drummer: Drummer) -> None:
    tapped = tap_text("x..x....x.......")
    quiet, free = (play_line(drummer, tapped, how=Tapping(between=b))[0].hits[~tapped.line.taps].sum() for b in (0.0, 1.0))
    assert quiet <= 1 and free > quiet


def test_a_class_that_plays_the_line_plays_nothing_else(drummer: Drummer) -> None:
    tapped = tap_text("x..x..X.")
    groove = play_line(drummer, tapped, as_class="kick", seed=3)[0].to_kit(NINE)
    assert np.array_equal(groove.hits[:, 0], tapped.line.taps)
    assert groove.hits[:, 1:].any()


def test_taps_that_one_foot_cannot_play_go_to_the_hands() -> None:
    tapped = tap_text("x" * 64, qpm=200)
    kit, grid = load_kit("backbeat"), tapped.line.grid
    hits = np.zeros((grid.steps, len(kit)), np.bool_)
    hits[:64, kit.index("pedal_hat")] = True
    groove = Groove(grid, kit, hits, np.where(hits, 0.7, 0).astype(np.float32), np.zeros(hits.shape, np.float32))
    assert not make_playable(groove, tapped.tempo).hits[:64].any(axis=1).all()
    played = make_line_playable(groove, tapped.line, tapped.tempo)
    assert played.hits[:64].any(axis=1).all() and np.array_equal(make_playable(played, tapped.tempo).hits, played.hits)
    assert not (played.hits & ~hits)[:, kit.index("crash")].any() and np.allclose(played.velocities[played.hits], 0.7)


def test_accents_are_louder(drummer: Drummer) -> None:
    tapped = tap_text("X...x...")
    snare = drummer.model.kit.index("snare")
    for groove in play_line(drummer, tapped, 4, as_class="snare"):
        accents, others = (groove.velocities[tapped.line.taps & (tapped.line.rank_accents() == rank), snare] for rank in (1, 0))
        assert accents.min() > others.max()


def test_the_shipped_drummer_answers_accents_with_loud_drums(shipped_folder: Path) -> None:
    tapped = tap_text("X.xxx.x.Xxx.x.x.", bars=4)
    hits = play_line(load_drummer(shipped_folder), tapped, seed=1)[0].to_kit(NINE).hits
    rank = tapped.line.rank_accents()
    assert hits[rank == 1][:, [0, 1, 7]].any(axis=1).all()


def test_seeds_repeat_and_takes_differ(drummer: Drummer) -> None:
    tapped = tap_text("x.x...x.x")
    takes = play_line(drummer, tapped, 3, seed=4)
    assert len({t.hits.tobytes() for t in takes}) == 3
    assert np.array_equal(takes[0].hits, play_line(drummer, tapped, seed=4)[0].hits)


def test_a_file_keeps_its_timing_tempo_and_metre(drummer: Drummer) -> None:
    line = Track().metre(0, 3, 4).tempo(0, 400_000)
    ticks = [k * 480 + late for k, late in enumerate((10, -15, 30, 0, 55, 0, -40, 20, 0))]
    for tick in ticks:
        line.note(max(0, tick), 100, 60, 90)
    tapped = tap_song(parse_song(midi(line.chunk())))
    assert tapped.metre.numerators == (3,) and tapped.tempo.microseconds == (400_000,)
    groove = play_line(drummer, tapped, seed=2)[0]
    steps, columns = np.nonzero(groove.hits & tapped.line.taps[:, None])
    played = set(groove.grid.ticks(steps, groove.offsets[steps, columns].astype(np.float64)).tolist())
    assert played == {max(0, t) for t in ticks}


def test_drums_follow_one_part_and_may_hear_the_rest(drummer: Drummer) -> None:
    song = parse_song(band_song(6))
    alone, together = tap_song(song, "bass"), tap_song(song, "bass", band=True)
    assert np.array_equal(alone.line.taps, together.line.taps) and alone.line.taps.sum() == 24
    assert [p.name for p in alone.heard.parts] == ["Bass"] and [p.name for p in together.heard.parts] == ["Bass", "Piano"]
    for tapped in (alone, together):
        assert play_line(drummer, tapped)[0].hits[tapped.line.taps].any(axis=1).all()


def test_a_file_without_a_part_is_one_line_of_all_its_notes() -> None:
    song = parse_song(band_song(3))
    onsets = {int(t) for p in song.parts for t in p.notes["onset"]}
    assert tap_song(song).line.taps.sum() == len(onsets)


@pytest.mark.parametrize(
    ("name", "found"), [("bass", ["Bass"]), ("keys", ["Piano"]), ("piano", ["Piano"]), ("PIA", ["Piano"]), ("track:2", ["Bass"]), ("channel 10", ["Drums"])]
)
def test_parts_are_found_by_family_name_and_number(name: str, found: list[str]) -> None:
    assert [p.name for p in find_parts(parse_song(band_song(2)), name)] == found


@pytest.mark.parametrize("name", ["kazoo", "track:9", "channel:99", "", "  "])
def test_a_part_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(InputError, match=r"has no part .*: it has Bass \(track:2, channel:1\), Piano"):
        find_parts(parse_song(band_song(2)), name)


def test_what_has_no_rhythm_is_refused(drummer: Drummer) -> None:
    with pytest.raises(SongError, match="no notes: there is no rhythm"):
        tap_song(parse_song(midi(Track().name("Silence").chunk(9600))))
    with pytest.raises(InputError, match="has no class 'gong'"):
        play_line(drummer, tap_text("x"), as_class="gong")


def test_a_line_is_as_long_as_it_was_asked_to_be() -> None:
    assert tap_text("x..x").line.grid.bars == 4
    assert tap_text("x" * 100).line.grid.bars == 7
    assert tap_text("x..", bars=3, metre=(7, 8)).line.taps.sum() == 14
    for bars in (0, 100_000):
        with pytest.raises(InputError, match="bars must lie in 1-"):
            tap_text("x", bars=bars)
    with pytest.raises(InputError, match="steps per quarter must lie in 1-48"):
        tap_text("x", steps_per_quarter=0)
