"""Humanising whole files: what changes, what does not, and that each feel comes out as it was asked for, read back from the file."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.strokes import Strokes
from backbeat.errors import InputError
from backbeat.humanising import Wish, humanise, measure_feel
from backbeat.midi import parse_song
from backbeat.midi.clock import Clock
from backbeat.midi.splice import list_events
from backbeat.song import Song
from backbeat.transforms.feel import Feel
from backbeat.transforms.ornaments import KINDS, Ornaments
from backbeat.transforms.playability import find_note_conflicts
from tests.humanising.made import HAT, KICK, SNARE, Dice, band_and, list_drums, list_others, rock, song_of
from tests.midi.builders import METRES, Track, midi


def play(song: Song, player: Dice | None = None, groove: Song | None = None, **wish: object) -> tuple[Song, object]:
    """The song humanised by dice, and the report."""
    done = humanise(song, Wish(**wish), player=player or Dice(), groove=groove)
    return parse_song(done.data), done


def read_late(before: Song, after: Song, pitches: tuple[int, ...] = (KICK, SNARE, HAT)) -> np.ndarray:
    """Milliseconds between the ticks of the notes of some pitches, note by note, in two files."""
    clock = Clock(before.tempo)
    rows = [[r for r in list_drums(s.data) if r[1] in pitches] for s in (before, after)]
    a, b = (clock.seconds(np.array([r[2] for r in row])) for row in rows)
    return (b - a) * 1000


def read_velocities(song: Song) -> np.ndarray:
    return np.array([row[3] for row in list_drums(song.data)], dtype=float)


def make_drums(rng: np.random.Generator, division: int, metre: tuple[int, int]) -> Track:
    """Drums at random, on and off every grid, sometimes near one another, in a metre that changes."""
    track = Track().tempo(0, int(rng.integers(214_286, 1_500_000))).metre(0, *metre).tempo(3 * division, 400_000).metre(8 * division, 7, 8)
    at = 0
    for _ in range(int(rng.integers(1, 60))):
        at += int(rng.choice([0, 1, division // 48, division // 12, division // 4, division // 3, division // 2, division]))
        track.note(at, int(rng.integers(0, division)), int(rng.choice([35, KICK, SNARE, 40, HAT, 46, 3, 49])), int(rng.integers(1, 128)), 9)
    return track


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([24, 96, 480, 960]), st.sampled_from(METRES), st.booleans())
def test_hits_and_everything_else_stay(seed, division, metre, with_feel):
    rng = np.random.default_rng(seed)
    song = band_and(make_drums(rng, division, metre), division=division)
    feel = Feel(swing=62, late_ms=-20, late_ms_of={"snare": 15}, tightness=0.5, dynamics=1.5) if with_feel else Feel()
    after, _ = play(song, feel=feel, seed=seed)
    for track, was in zip(list_others(after.data), list_others(song.data), strict=True):
        assert track[:-1] == was[:-1]
        assert track[-1] == was[-1] or (track[-1][0] > was[-1][0] and track[-1][1:] == was[-1][1:]), "a track ends later only"
    assert [row[:2] for row in list_drums(after.data)] == [row[:2] for row in list_drums(song.data)]
    for track, was in zip(list_events(after.data), list_events(song.data), strict=True):
        struck = [tick for tick, status, body in track if status == 0x99 and body[1]]
        assert track[-1][0] == was[-1][0] or max(struck) > was[-1][0], "and only behind a hit that lies there"
        for pitch in {body[0] for _, status, body in track if status in (0x99, 0x89)}:
            kinds = [status for _, status, body in track if status in (0x99, 0x89) and body[0] == pitch]
            assert all(kinds[: k + 1].count(0x99) >= kinds[: k + 1].count(0x89) for k in range(len(kinds)))


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from([96, 480]))
def test_strokes_of_two_places_never_change_order(seed, division):
    rng = np.random.default_rng(seed)
    track, steps = Track().tempo(0, int(rng.integers(214_286, 1_500_000))), np.flatnonzero(rng.random(48) < 0.5)
    for step in steps.tolist():
        for pitch in rng.permutation([KICK, SNARE, HAT])[: rng.integers(1, 4)].tolist():
            track.note(step * division // 4, 5, pitch, 90, 9)
    after, _ = play(song_of(track, division=division), Dice(spread=60), seed=seed)
    struck = {step: [] for step in steps.tolist()}
    for (_, _, was, _), (_, _, now, _) in zip(list_drums(song_of(track, division=division).data), list_drums(after.data), strict=True):
        struck[was * 4 // division].append(now)
    assert all(max(a) <= min(b) for a, b in pairwise(struck.values()))


@pytest.mark.parametrize("wish", [{}, {"feel": Feel(swing=60)}, {"ornaments": Ornaments(KINDS, 3)}])
def test_the_same_seed_plays_the_same(wish):
    song = band_and(rock())
    one, same, other = (play(song, seed=seed, **wish)[0].data for seed in (1, 1, 2))
    assert one == same != other


def test_a_seed_can_be_below_0():
    assert play(band_and(rock()), seed=-3, ornaments=Ornaments(KINDS, 3))[1].notes


@pytest.mark.parametrize("qpm", [40, 120, 280])
@pytest.mark.parametrize("swing", [50, 54, 62, 66.7, 75])
def test_swing_is_exact(swing, qpm):
    song = song_of(rock(8, qpm=qpm))
    after, done = play(song, feel=Feel(swing=swing))
    pair = 60_000 / qpm
    late = read_late(song, after, (HAT,))
    assert 50 + 100 * late[1::2].mean() / pair == pytest.approx(swing, abs=0.3)
    assert late[::2].mean() == pytest.approx(0, abs=0.5)
    assert done.after.swing == pytest.approx(swing, abs=0.3) and done.after.swing_of == 8
    if qpm < 200:
        assert measure_feel(after).swing == pytest.approx(swing, abs=1)
        assert late.std() > 3


@pytest.mark.parametrize("swing", [53, 58, 66])
def test_swing_of_16ths_is_exact(swing):
    song = song_of(rock(8, qpm=90, parts=4))
    after, done = play(song, feel=Feel(swing=swing))
    late = read_late(song, after, (HAT,))
    assert 50 + 100 * late[1::2].mean() / (30_000 / 90) == pytest.approx(swing, abs=0.3)
    assert done.after.swing_of == 16 and measure_feel(after).swing == pytest.approx(swing, abs=1)
    assert play(song, feel=Feel(swing=swing, swing_of=8))[1].after.swing_of == 8


@pytest.mark.parametrize("places", [(0, 2 / 3), (0, 0.58)])
def test_swung_drums_keep_their_swing_and_can_be_made_straight(places):
    song = song_of(rock(8, places=places))
    assert play(song)[1].after.swing == pytest.approx(100 * places[1], abs=0.5)
    after, done = play(song, feel=Feel(swing=50))
    assert done.after.swing == pytest.approx(50, abs=0.3)
    assert np.mean([t % 480 for _, p, t, _ in list_drums(after.data) if p == HAT and 60 < t % 480 < 420]) == pytest.approx(240, abs=2)


def test_triplets_are_not_swung():
    song = song_of(rock(8, places=(0, 1 / 3, 2 / 3)))
    after, done = play(song, feel=Feel(swing=70))
    assert "nothing to swing" in done.remarks[0] and np.abs(read_late(song, after)).max() < 60


@pytest.mark.parametrize("qpm", [60, 120, 280])
@pytest.mark.parametrize("late", [-25, -8, 0, 12])
def test_push_and_lay_back_are_exact(late, qpm):
    song = band_and(rock(8, qpm=qpm))
    after, done = play(song, feel=Feel(late_ms=late))
    assert read_late(song, after).mean() == pytest.approx(late, abs=0.6) and done.after.late_ms["all"] == pytest.approx(late, abs=0.6)


def test_classes_are_pushed_apart():
    song = song_of(rock(8))
    after, done = play(song, feel=Feel(late_ms=-3, late_ms_of={"snare": 9, "hat": -6}))
    for pitch, name, ms in ((SNARE, "snare", 9), (HAT, "closed_hat", -6), (KICK, "kick", -3)):
        assert read_late(song, after, (pitch,)).mean() == pytest.approx(ms, abs=0.5) and done.after.late_ms[name] == pytest.approx(ms, abs=0.5)
    assert "no ride" in play(song, feel=Feel(late_ms_of={"ride": 5}))[1].remarks[0]


def test_without_a_push_the_kit_stays_where_it_is_against_the_band():
    song = band_and(rock(8))
    assert read_late(song, play(song, Dice(late=-20))[0]).mean() == pytest.approx(0, abs=1)


class Rushing(Dice):
    """Plays what stands off the beat earlier than the dice do, the slower the tempo, the more: 30 ms at 120."""

    def perform_strokes(self, strokes: Strokes, **asked: object) -> Strokes:
        """The same strokes."""
        played = super().perform_strokes(strokes, **asked)
        return played.play(velocities=played.velocities, late=played.late - 3600 / strokes.qpm.astype(np.float32) * (strokes.places % 1 > 0.1))


def test_a_swing_that_is_kept_does_not_move_the_kit():
    song = band_and(rock(16, places=[0, 2 / 3]))
    after, done = play(song, Rushing())
    assert np.average(read_late(song, after)) == pytest.approx(0, abs=0.5)
    assert done.after.swing == pytest.approx(200 / 3, abs=0.5)


def test_swing_is_exact_in_percent_where_the_tempo_jumps():
    song = song_of(rock(16).tempo(8 * 1920, 1_500_000))
    ticks = [np.array([r[2] for r in list_drums(s.data) if r[1] == HAT]) for s in (song, play(song, Rushing(), feel=Feel(swing=60))[0])]
    moved = (ticks[1] - ticks[0]) / 480 * 100
    for half in np.split(moved, 2):
        assert 50 + half[1::2].mean() - half[::2].mean() == pytest.approx(60, abs=0.5)


def test_8ths_do_not_swing_where_they_are_the_beat():
    eighths = [Track().metre(0, *metres[0]).metre(7 * 240 * 4, *metres[1]) for metres in (((7, 8), (7, 8)), ((7, 8), (4, 4)))]
    for track in eighths:
        for k in range(28 + 64):
            track.note(k * 240, 60, HAT, 90, 9)
    only, mixed = (play(song_of(track), feel=Feel(swing=62, swing_of=8))[1] for track in eighths)
    assert only.after.swing_of == 0 and "nothing to swing" in only.remarks[0]
    assert mixed.after.swing == pytest.approx(62, abs=0.5) and not mixed.remarks


@pytest.mark.parametrize("tightness", [0.5, 2, 4])
def test_tightness_divides_the_spread(tightness):
    song = song_of(rock(16))
    plain, tight = (read_late(song, play(song, feel=Feel(tightness=t))[0]) for t in (1, tightness))
    assert tight.std() * tightness == pytest.approx(plain.std(), rel=0.01 if tightness < 3 else 0.02)


@pytest.mark.parametrize("dynamics", [0.5, 1.5, 2])
def test_dynamics_multiply_the_spread(dynamics):
    song = song_of(rock(16))
    plain, wide = (read_velocities(play(song, feel=Feel(dynamics=d))[0]) for d in (1, dynamics))
    assert wide.std() == pytest.approx(plain.std() * dynamics, rel=0.01) and wide.mean() == pytest.approx(plain.mean(), abs=1)


def test_the_feel_of_another_take_is_taken():
    song = song_of(rock(8, qpm=100))
    model = song_of(rock(4, qpm=100))
    model, _ = play(model, Dice(spread=15), seed=9)
    after, done = play(song, groove=model)
    assert done.likeness.covered == 1 and done.likeness.late_ms < 1 and done.likeness.velocity < 1.27
    assert done.likeness.late_r > 0.99 and done.likeness.velocity_r > 0.99
    means = [{}, {}]
    for k, (one, plain) in enumerate(((model, rock(4, qpm=100)), (after, rock(8, qpm=100)))):
        for (_, pitch, was, _), (_, _, tick, velocity) in zip(list_drums(song_of(plain).data), list_drums(one.data), strict=True):
            means[k].setdefault((pitch, was % 1920), []).append(((tick - was) * 60_000 / 48_000, velocity))
    for cell, rows in means[1].items():
        assert np.mean(rows, axis=0) == pytest.approx(np.mean(means[0][cell], axis=0), abs=1)


def test_the_swing_of_another_take_is_taken():
    _, done = play(song_of(rock(8)), groove=song_of(rock(4, places=(0, 0.64))))
    assert done.after.swing == pytest.approx(64, abs=0.5) and done.likeness.late_ms < 1


def test_velocity_or_timing_can_be_kept():
    song = band_and(rock(8))
    after, _ = play(song, keep_velocity=True)
    assert np.array_equal(read_velocities(after), read_velocities(song)) and np.abs(read_late(song, after)).max() > 5
    after, _ = play(song, keep_timing=True)
    assert not read_late(song, after).any() and read_velocities(after).std() > 5
    assert play(song, keep_timing=True, keep_velocity=True)[0].data == song.data
    after, _ = play(song, keep_timing=True, keep_velocity=True, feel=Feel(late_ms=10))
    assert read_late(song, after).mean() == pytest.approx(10, abs=0.5) and read_late(song, after).std() < 1


@pytest.mark.parametrize("before", [8, 15, 27])
@pytest.mark.parametrize("feel", [Feel(), Feel(tightness=0.5), Feel(swing=62), Feel(late_ms=-15)])
def test_flams_stay_flams(before, feel):
    track = rock(8)
    ticks = round(before * 0.96)
    for bar in range(8):
        track.note(bar * 1920 + 480 - ticks, 5, SNARE, 50, 9).note(bar * 1920 + 960 + ticks, 30, 40, 100, 9)
    song = song_of(track)
    after, _ = play(song, Dice(spread=25), feel=feel)
    ons = [(t, p, v) for _, p, t, v in list_drums(after.data)]
    snares = sorted(o for o in ons if o[1] == SNARE)
    graces = [(b[0] - a[0]) / 0.96 for a, b in pairwise(snares) if b[0] - a[0] < 100]
    assert len(graces) == 8 and all(0 < g < 30 for g in graces)
    kicks = sorted(o[0] for o in ons if o[1] == KICK)[1::2]
    backs = sorted(o[0] for o in ons if o[1] == 40)
    assert all(0 < (s - k) / 0.96 < 30 for k, s in zip(kicks, backs, strict=True))


def test_soft_and_loud_notes_stay_soft_and_loud():
    track = rock(8)
    for bar in range(8):
        track.note(bar * 1920 + 360, 20, SNARE, 30, 9).note(bar * 1920 + 1560, 20, SNARE, 125, 9)
    song = song_of(track)
    after, _ = play(song)
    sounding = dict.fromkeys((30, 92, 125), ())
    for (_, pitch, _, was), (_, _, _, now) in zip(list_drums(song.data), list_drums(after.data), strict=True):
        if pitch == SNARE:
            sounding[was] += (now,)
    assert np.mean(sounding[30]) < np.mean(sounding[92]) < np.mean(sounding[125])
    free, _ = play(song, accents=False)
    soft = [now[3] for was, now in zip(list_drums(song.data), list_drums(free.data), strict=True) if was[3] == 30]
    assert np.mean(soft) > 1.5 * np.mean(sounding[30])


def test_ornaments_are_added_and_reported():
    song = band_and(rock(16))
    after, done = play(song, ornaments=Ornaments(KINDS, 3))
    plain, _ = play(song)
    assert list_others(after.data) == list_others(song.data)
    assert len(done.ornaments) > 5 and len(list_drums(after.data)) == len(list_drums(song.data)) + len(done.ornaments)
    clock, found = Clock(after.tempo), {(p, t) for _, p, t, _ in list_drums(after.data)}
    for ornament in done.ornaments:
        assert ornament.pitch == SNARE and ornament.velocity < 70
        assert (SNARE, int(clock.ticks(np.array([ornament.seconds]))[0] + 0.5)) in found
    assert len(list_drums(plain.data)) == len(list_drums(song.data))


def test_flams_that_are_added_lie_before_their_stroke():
    track = rock(32)
    track.events = [e for e in track.events if not (e[1][0] in (0x99, 0x89) and e[1][1] == HAT)]
    after, done = play(song_of(track), ornaments=Ornaments(("flams", "drags"), 10), player=Dice(spread=5))
    snares = sorted((t, v) for _, p, t, v in list_drums(after.data) if p == SNARE)
    assert {o.kind for o in done.ornaments} == {"flam", "drag"}
    for a, b in pairwise(snares):
        if b[0] - a[0] < 100:
            assert a[1] < 0.9 * b[1]
            assert 12 <= (b[0] - a[0]) / 0.96 <= 40
    assert play(song_of(track, division=480), ornaments=Ornaments((), 10))[1].ornaments == ()


@pytest.mark.parametrize("division", [24, 0xE728])
def test_coarse_ticks_are_remarked_upon_and_means_kept(division):
    ticks = 24 if division == 24 else 500
    song = song_of(rock(16, division=ticks), division=division)
    after, done = play(song, feel=Feel(late_ms=-7))
    assert any("a tick of this file" in r for r in done.remarks) == (division == 24)
    assert read_late(song, after).mean() == pytest.approx(-7, abs=1)


def test_a_push_that_is_large_for_the_tempo_is_remarked_upon():
    assert "more than a third of a 16th" in play(song_of(rock(8, qpm=280)), feel=Feel(late_ms=20))[1].remarks[0]


@pytest.mark.parametrize("metre", METRES)
def test_any_metre_is_played(metre):
    track, beat = Track().metre(0, *metre), 1920 // metre[1]
    for k in range(4 * metre[0]):
        track.note(k * beat, 20, HAT if k % metre[0] else KICK, 90, 9)
    song = song_of(track)
    after, done = play(song)
    assert np.abs(read_late(song, after)).max() < 81 and done.after.strokes == 4 * metre[0] and not done.remarks


def test_drums_of_a_human_are_played_anew_without_wandering():
    rng = np.random.default_rng(3)
    track = Track()
    for k in range(128):
        track.note(max(0, k * 240 + int(rng.normal(-5, 10))), 20, HAT, int(rng.integers(30, 100)), 9)
    song = song_of(track)
    after, done = play(song)
    assert done.aligned and np.abs(read_late(song, after)).max() < 90
    assert done.before.late_ms["all"] == pytest.approx(done.after.late_ms["all"], abs=1)


def test_drums_without_bars_are_said_to_be_so():
    rng = np.random.default_rng(3)
    track = Track()
    for tick in np.cumsum(rng.integers(100, 400, 200)).tolist():
        track.note(tick, 20, SNARE, 90, 9)
    song = song_of(track)
    after, done = play(song)
    assert not done.aligned and "do not lie on the bars" in done.remarks[-1] and np.abs(read_late(song, after)).max() < 81


@pytest.mark.parametrize("data", [midi(Track().note(0, 480, 60).chunk()), midi(Track().chunk()), midi(Track().program(0, 0, 9).chunk())])
def test_a_file_without_drums_is_refused(data):
    with pytest.raises(InputError, match="no drum notes"):
        humanise(parse_song(data), player=Dice())
    with pytest.raises(InputError, match="no drum notes"):
        humanise(song_of(rock(1)), player=Dice(), groove=parse_song(data))


def test_one_note_is_played():
    after, done = play(song_of(Track().note(0, 10, SNARE, 90, 9)), feel=Feel(swing=60, late_ms=5, tightness=2, dynamics=2))
    assert len(list_drums(after.data)) == 1 and done.notes == 1


class Dragging(Dice):
    """Plays the snare 35 ms late, all else 35 ms early."""

    def perform_strokes(self, strokes: Strokes, **asked: object) -> Strokes:
        """The same strokes."""
        snare = np.array(strokes.kit.names)[strokes.columns] == "snare"
        return strokes.play(velocities=super().perform_strokes(strokes, **asked).velocities, late=np.where(snare, 35, -35).astype(np.float32))


def test_bars_that_can_no_longer_be_played_are_named():
    track = rock(2, qpm=90, parts=2)
    for k in range(32):
        track.note(2 * 1920 + k * 60, 30, SNARE, 70, 9)
    song = song_of(track.note(3 * 1920, 60, 49, 110, 9).note(3 * 1920, 60, HAT, 90, 9))
    assert find_note_conflicts(song) == []
    after, done = play(song, Dragging())
    bars = sorted({c.bar + 1 for c in find_note_conflicts(after)})
    assert bars and f"bar {', '.join(map(str, bars))}:" in done.remarks[-1]
    assert not any("two hands" in remark for remark in play(song, Dice(spread=3))[1].remarks)


def test_no_ornament_stands_in_a_bar_that_nobody_can_play():
    track = rock(16)
    for eighth in range(64):  # the first eight bars ask for four hands
        for pitch in (51, 49, 46):
            track.note(eighth * 240, 30, pitch, 100, 9)
    song = song_of(track)
    after, done = play(song, ornaments=Ornaments(KINDS, 5))
    assert find_note_conflicts(song) and done.ornaments
    assert not {o.bar for o in done.ornaments} & {c.bar for c in find_note_conflicts(after)}
