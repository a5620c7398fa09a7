"""Bars of a song's own drums anew: what leaves, what comes, and that everything outside stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbeat.drummer import Drummer, load_drummer
from backbeat.errors import InputError, SongError
from backbeat.infilling import infill_song
from backbeat.midi import parse_song
from backbeat.midi.splice import list_events
from backbeat.song import Song
from tests.midi.builders import METRES, Track, band_song, midi
from tests.midi.test_splice import chunks_of

NEVER_HURRY = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def drummer(drummer_folder: Path) -> Drummer:
    return load_drummer(drummer_folder)


def notes_of(song: Song) -> set[tuple[int, int, int, int]]:
    """Onset, pitch, velocity and channel of all drum notes."""
    return {(int(n["onset"]), int(n["pitch"]), int(n["velocity"]), p.channel) for p in song.drum_parts for n in p.notes}


def outside(data: bytes, edges: list[tuple[int, int]]) -> list[list[tuple[int, int, bytes]]]:
    """All events but those of channel 10 between the edges."""
    return [[e for e in track if not (e[1] in (0x99, 0x89) and any(a <= e[0] < b for a, b in edges))] for track in list_events(data)]


def edges_of(song: Song, bars: list[int]) -> list[tuple[int, int]]:
    ticks = song.grid().bar_ticks
    return [(int(ticks[b]), int(ticks[b + 1])) for b in bars]


def human_song(seed: int, bars: int = 6) -> bytes:
    """A band and a drummer who is now early, now late, with notes that ring over bar lines."""
    rng = np.random.default_rng(seed)
    bass, kit = Track().name("Bass").program(0, 33), Track().name("Drums")
    for beat in range(4 * bars):
        bass.note(beat * 480, 400, 33 + beat % 5)
        for pitch, chance in ((42, 0.9), (36, 0.5), (38, 0.5), (49, 0.2)):
            if rng.random() < chance:
                kit.note(max(0, beat * 480 + int(rng.integers(-40, 40))), int(rng.integers(1, 900)), pitch, int(rng.integers(20, 120)), 9)
    return midi(bass.chunk(1920 * bars), kit.chunk(1920 * bars, running=bool(rng.random() < 0.5)))


@NEVER_HURRY
@given(st.integers(0, 10**6), st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True))
def test_every_event_outside_the_bars_stays(drummer: Drummer, seed: int, bars: list[int]) -> None:
    data = human_song(seed)
    song = parse_song(data)
    done = infill_song(drummer, song, bars, seed=seed)[0]
    edges = edges_of(song, bars)
    assert outside(done.data, edges) == outside(data, edges)
    assert chunks_of(done.data)[:2] == chunks_of(data)[:2], "header and band"
    was, now = notes_of(song), notes_of(parse_song(done.data))
    inside = {n for n in was if any(a <= n[0] < b for a, b in edges)}
    assert was - inside <= now and len(was - now) <= done.removed
    assert done.kept == len(inside) - done.removed


@NEVER_HURRY
@given(st.integers(0, 10**6), st.sampled_from([("kick",), ("kick", "snare"), ("closed_hat", "crash")]))
def test_kept_classes_stay_exactly_and_nothing_joins_them(drummer: Drummer, seed: int, keep: tuple[str, ...]) -> None:
    pitches = {"kick": 36, "snare": 38, "closed_hat": 42, "crash": 49}
    song = parse_song(human_song(seed))
    done = infill_song(drummer, song, [1, 2], keep=keep, seed=1)[0]
    kept = {pitches[name] for name in keep}
    was, now = ({n for n in notes_of(s) if n[1] in kept} for s in (song, parse_song(done.data)))
    assert was == now


def test_a_class_of_the_drummers_own_kit_can_be_kept(drummer: Drummer) -> None:
    kit = Track().name("Drums")
    for step in range(64):
        kit.note(step * 120, 60, 56 if step % 2 else 38, 70 + step % 3, 9)
    song = parse_song(midi(Track().program(0, 33).note(0, 7000, 40).chunk(), kit.chunk(7680)))
    done = infill_song(drummer, song, [1], keep=["cowbell"])[0]
    was, now = ({n for n in notes_of(s) if n[1] == 56} for s in (song, parse_song(done.data)))
    assert was == now and done.kept == 8


def test_an_anticipated_downbeat_stays_with_the_bar_it_belongs_to(drummer: Drummer) -> None:
    kit = Track().name("Drums")
    for step in range(0, 64, 2):
        kit.note(step * 120, 60, 42, 80, 9)
    kit.note(1920 * 2 - 20, 60, 49, 101, 9).note(1920 * 3 - 20, 60, 49, 102, 9)
    song = parse_song(midi(Track().program(0, 33).note(0, 7000, 40).note(4000, 200, 43).chunk(), kit.chunk(7680)))
    now = notes_of(parse_song(infill_song(drummer, song, [2])[0].data))
    assert {(1920 * 2 - 20, 49, 101, 9), (1920 * 3 - 20, 49, 102, 9)} <= now
    assert not any(n[1] == 49 and n[0] == 1920 * 2 for n in now), "it is not struck twice"


@pytest.mark.parametrize(("numerator", "denominator"), METRES)
def test_new_notes_lie_between_the_bar_lines_in_every_metre(drummer: Drummer, numerator: int, denominator: int) -> None:
    data = band_song(5, numerator=numerator, denominator=denominator)
    song = parse_song(data)
    for bars in ([1, 2], [4], [0]):
        edges = edges_of(song, bars)
        done = infill_song(drummer, song, bars, temperature=1.5)[0]
        assert outside(done.data, edges) == outside(data, edges)
        assert all(parse_song(done.data).end_tick == song.end_tick for _ in edges)


def test_takes_differ_and_seeds_repeat(drummer: Drummer) -> None:
    song = parse_song(human_song(3))
    takes = infill_song(drummer, song, [2, 3], takes=3, seed=5)
    assert len({t.data for t in takes}) == 3
    assert takes[0].data == infill_song(drummer, song, [2, 3], seed=5)[0].data


def test_new_hits_go_to_the_tracks_and_notes_of_the_song(drummer: Drummer) -> None:
    kick, rest = Track().name("Kick"), Track().name("Rest")
    for step in range(0, 96, 2):
        (kick if step % 4 == 0 else rest).note(step * 120, 60, 35 if step % 4 == 0 else 40, 64, 9)
    song = parse_song(midi(Track().program(0, 33).note(0, 11000, 40).chunk(), kick.chunk(11520), rest.chunk(11520)))
    for seed in range(4):
        done = parse_song(infill_song(drummer, song, [1, 2, 3, 4], seed=seed, temperature=1.5)[0].data)
        pitches = {p.track: set(p.notes["pitch"].tolist()) for p in done.drum_parts}
        assert 36 not in pitches[1] | pitches[2] and 38 not in pitches[1] | pitches[2]
        assert 35 not in pitches[2] and 40 not in pitches[1]


def test_drums_of_one_velocity_stay_so(drummer: Drummer) -> None:
    song = parse_song(band_song(6))
    velocities = {(n[1], n[2]) for n in notes_of(song)}
    new = notes_of(parse_song(infill_song(drummer, song, [2, 3])[0].data))
    assert {(p, v) for _, p, v, _ in new if p in (36, 38, 42)} <= velocities


def test_swung_drums_stay_swung(drummer: Drummer) -> None:
    kit = Track().name("Drums")
    for bar in range(8):
        for beat in range(4):
            kit.note(bar * 1920 + beat * 480, 60, 42, 80, 9).note(bar * 1920 + beat * 480 + 280, 60, 42, 70, 9)
    song = parse_song(midi(Track().program(0, 33).note(0, 15000, 40).chunk(), kit.chunk(15360)))
    late = [n[0] % 480 for seed in range(3) for n in notes_of(parse_song(infill_song(drummer, song, [3, 4], seed=seed)[0].data))]
    assert 280 in late and not {240, 239, 241} & set(late)


NO_DRUMS = band_song(4, drums=False)


@pytest.mark.parametrize(
    ("data", "bars", "options", "error", "message"),
    [
        (NO_DRUMS, [0], {}, SongError, "has no drums that could be played anew"),
        (band_song(4), [4], {}, InputError, "no bar 5: there are bars 1-4"),
        (band_song(4), [-1], {}, InputError, "no bar 0"),
        (band_song(4), [0], {"keep": ["triangle"]}, InputError, "no class 'triangle' to keep: name kick, snare"),
        (band_song(4), [0], {"takes": 0}, InputError, "takes must lie in 1-16"),
        (band_song(4), [0], {"style": "polka"}, InputError, "no style 'polka'"),
    ],
)
def test_what_cannot_be_done_is_said(drummer: Drummer, data: bytes, bars: list[int], options: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        infill_song(drummer, parse_song(data), bars, **options)


def test_drums_without_a_band_are_played_anew_too(drummer: Drummer) -> None:
    kit = Track().name("Drums")
    for step in range(0, 96, 2):
        kit.note(step * 120, 60, 36 + 2 * (step % 4 > 0), 64, 9)
    song = parse_song(midi(kit.chunk(11520)))
    done = infill_song(drummer, song, [2])[0]
    assert outside(done.data, edges_of(song, [2])) == outside(song.data, edges_of(song, [2])) and done.removed == 8
