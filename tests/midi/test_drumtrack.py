"""The new drum track: where its notes lie in any metre, tempo and division, how long they are, and its bytes."""

from __future__ import annotations

import io
from fractions import Fraction

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, KitClass, load_kit
from backbeat.midi import parse_song, splice_drums
from backbeat.midi.drumtrack import build_drum_chunk, encode_delta, plan_notes
from backbeat.song import Song
from tests.midi.builders import METRES, Track, band_song, midi, undump

KIT = load_kit("lstmetallica_9")


def groove_on(grid: Grid, places: dict[tuple[int, int], tuple[float, float]], kit: Kit = KIT) -> Groove:
    """A groove with (velocity, offset) at some (step, class)."""
    hits, velocities, offsets = (np.zeros((grid.steps, len(kit)), dtype) for dtype in (np.bool_, np.float32, np.float32))
    for place, (velocity, offset) in places.items():
        hits[place], velocities[place], offsets[place] = True, velocity, offset
    return Groove(grid, kit, hits, velocities, offsets)


def random_groove(grid: Grid, seed: int = 0) -> Groove:
    """Kicks on every bar's first step, straight; other classes anywhere, anyhow."""
    rng = np.random.default_rng(seed)
    hits = rng.random((grid.steps, len(KIT))) < 0.15
    offsets = rng.uniform(-0.5, 0.499, hits.shape)
    hits[:, 0] = False
    hits[grid.first_steps[:-1], 0] = True
    offsets[:, 0] = 0
    return Groove(grid, KIT, hits, rng.uniform(0.01, 1, hits.shape).astype(np.float32), offsets.astype(np.float32))


def mido_onsets(data: bytes) -> list[tuple[int, int]]:
    """(tick, note) of the last track's note-ons, read by another library."""
    out, now = [], 0
    for message in mido.MidiFile(file=io.BytesIO(data)).tracks[-1]:
        now += message.time
        if message.type == "note_on":
            assert message.channel == 9
            out.append((now, message.note))
    return out


def check_times(song: Song, bar: Fraction, bars: int, steps: Fraction) -> None:
    """Every written note lies within a tick of bar start + step + offset, and bar lines are hit exactly.

    Args:
        song: the song.
        bar: exact length of a bar in ticks, computed by the test; bar lines lie on the tick nearest to their place.
        bars: number of bars.
        steps: steps in a bar.
    """
    groove = random_groove(song.grid())
    lines = [int(b * bar + Fraction(1, 2)) for b in range(bars + 1)]
    by_note: dict[int, list[int]] = {}
    for tick, note in mido_onsets(splice_drums(song, groove)):
        by_note.setdefault(note, []).append(tick)
    assert by_note[36] == lines[:-1]  # no drift, at the last bar neither
    for column, cls in enumerate(KIT.classes[1:], 1):
        wanted = []
        for index in np.flatnonzero(groove.hits[:, column]).tolist():
            b = int(groove.grid.bar_of_step[index])
            place = index - int(groove.grid.first_steps[b]) + Fraction(float(groove.offsets[index, column]))
            wanted.append(max(0.0, float(lines[b] + place * (lines[b + 1] - lines[b]) / steps)))
        found = by_note.get(cls.write, [])
        if len(found) != len(wanted):  # two hits of a class may meet in one tick where steps are a few ticks long
            assert bar / steps < 12
            wanted = [min(wanted, key=lambda tick, f=f: abs(tick - f)) for f in found]
        assert np.abs(np.array(found) - np.sort(wanted)).max(initial=0) <= 1


@pytest.mark.parametrize("division", [24, 25, 96, 480, 30_720])
@pytest.mark.parametrize("metre", METRES, ids=lambda m: f"{m[0]}-{m[1]}")
def test_notes_lie_where_the_bars_say_in_every_metre_and_resolution(metre: tuple[int, int], division: int) -> None:
    bar = Fraction(4 * division * metre[0], metre[1])
    end = int(8 * bar) + 1
    data = midi(Track().metre(0, *metre).tempo(0, 500_000).chunk(), Track().note(0, end, 40).chunk(), division=division)
    check_times(parse_song(data), bar, 9, Fraction(16 * metre[0], metre[1]))


def test_notes_follow_metre_changes_also_in_the_middle_of_a_bar() -> None:
    changes = [(0, 4, 4), (480 * 7, 7, 8), (480 * 7 + 1680 * 2, 3, 4), (480 * 7 + 3360 + 1000, 12, 8)]  # the first and third bar lines are cut
    conductor = Track()
    for change in changes:
        conductor.metre(*change)
    end = changes[-1][0] + 2 * 2880
    starts = [0, 1920, 3360, 3360 + 1680, 6720, 7720, 7720 + 2880]
    song = parse_song(midi(conductor.chunk(), Track().note(0, end, 40).chunk()))
    groove = random_groove(song.grid())
    assert groove.grid.bar_ticks.tolist() == [*starts, end]
    assert [t for t, note in mido_onsets(splice_drums(song, groove)) if note == 36] == starts


def test_a_hundred_tempo_changes_move_no_note() -> None:
    conductor = Track().metre(0, 5, 4)
    for n in range(100):
        conductor.tempo(n * 777, 300_000 + 5003 * n)
    end = 2400 * 40
    song = parse_song(midi(conductor.chunk(), Track().note(0, end, 40).chunk()))
    assert len(song.tempo.ticks) == 100
    check_times(song, Fraction(2400), 40, Fraction(20))


@pytest.mark.parametrize("format_", [0, 1, 2])
def test_notes_lie_right_in_every_format(format_: int) -> None:
    track = Track().metre(0, 6, 8).tempo(0, 500_000).note(0, 1440 * 5, 40)
    check_times(parse_song(midi(track.chunk(), format_=format_)), Fraction(1440), 5, Fraction(12))


@pytest.mark.parametrize(("division", "per_second"), [(0xE728, Fraction(1000)), (0xE350, Fraction(2_400_000, 1001))])
def test_notes_lie_right_in_smpte_time(division: int, per_second: Fraction) -> None:
    quarter = per_second * Fraction(600_000, 1_000_000)  # a tempo of 100 qpm
    end = int(quarter * 4 * 30)
    song = parse_song(midi(Track().metre(0, 4, 4).tempo(0, 600_000).chunk(), Track().note(0, end, 40).chunk(), division=division))
    check_times(song, quarter * 4, 30, Fraction(16))


def test_a_hit_before_the_song_is_moved_to_tick_0() -> None:
    grid = Grid.regular(1)
    notes = plan_notes(groove_on(grid, {(0, 0): (1, -0.5)}), 1920)
    assert (notes.tick.tolist(), notes.end.tolist()) == ([0], [60])


def test_a_note_is_half_a_step_long_and_ends_before_the_next_of_its_pitch() -> None:
    grid = Grid.regular(1)
    notes = plan_notes(groove_on(grid, {(0, 0): (1, 0), (1, 0): (1, -0.49), (2, 0): (1, -0.5), (4, 1): (1, 0.25)}), 1920)
    assert notes.tick.tolist() == [0, 61, 180, 510]
    assert notes.end.tolist() == [60, 121, 240, 570]
    near = plan_notes(groove_on(grid, {(1, 0): (1, 0.49), (2, 0): (1, -0.49)}), 1920)
    assert near.tick.tolist() == [179, 181]
    assert near.end.tolist() == [181, 241]


def test_no_note_runs_past_the_end_and_each_has_a_tick() -> None:
    grid = Grid.regular(1)
    groove = groove_on(grid, {(14, 0): (1, 0), (15, 0): (1, 0.4)})
    assert plan_notes(groove, 1700).end.tolist() == [1700, 1849]
    assert plan_notes(groove, 1850).end.tolist() == [1740, 1850]


def test_two_classes_that_write_one_note_at_one_tick_become_the_louder() -> None:
    kit = Kit("t", "", "", "", 1, (KitClass("a", "", (36,), 36), KitClass("b", "", (35,), 36)))
    notes = plan_notes(groove_on(Grid.regular(1), {(0, 0): (0.2, 0), (0, 1): (0.8, 0)}, kit), 1920)
    assert (notes.velocity.tolist(), notes.merged) == ([102], 1)


@pytest.mark.parametrize(("velocity", "written"), [(0.0001, 1), (0.5, 64), (1.0, 127), (64 / 127, 64)])
def test_velocities_are_rounded_and_never_0(velocity: float, written: int) -> None:
    assert plan_notes(groove_on(Grid.regular(1), {(0, 0): (velocity, 0)}), 1920).velocity.tolist() == [written]


def test_the_bytes_of_a_drum_track() -> None:
    notes = plan_notes(groove_on(Grid.regular(1), {(0, 0): (1, 0), (0, 2): (0.5, 0), (1, 0): (1, -0.5)}), 960)
    assert build_drum_chunk(notes, "Drums", 960) == undump("""
        "MTrk" 00000026
        00 FF 03 05 "Drums"
        00 99 24 7F         # kick
        00 99 2A 40         # closed hat
        3C 89 24 40         # the kick ends before it is struck again
        00 89 2A 40
        00 99 24 7F
        3C 89 24 40
        86 48 FF 2F 00      # the end of the song
    """)


def test_a_groove_without_hits_is_a_track_that_lasts_as_long_as_the_song() -> None:
    song = parse_song(band_song(2, drums=False))
    track = mido.MidiFile(file=io.BytesIO(splice_drums(song, Groove.empty(song.grid(), KIT), name="Stille"))).tracks[-1]
    assert [(m.type, m.time) for m in track] == [("track_name", 0), ("end_of_track", song.end_tick)]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([24, 480]), st.sampled_from(METRES), st.sampled_from([1, 3, 4, 6, 12]))
def test_notes_never_hang_overlap_or_pass_the_end(seed: int, division: int, metre: tuple[int, int], density: int) -> None:
    grid = Grid.regular(3, *metre, ticks_per_quarter=division, steps_per_quarter=density)
    end = int(grid.bar_ticks[-1])
    notes = plan_notes(random_groove(grid, seed), end)
    assert np.all(notes.end > notes.tick)
    assert np.all(notes.tick >= 0)
    assert np.all(notes.end <= np.maximum(end, notes.tick + 1))
    for note in np.unique(notes.note):
        mine = notes.note == note
        assert np.all(notes.tick[mine][1:] >= notes.end[mine][:-1])


@pytest.mark.parametrize("ticks", [0, 127, 128, 0x0FFFFFFF, 0x10000000, 0x1FFFFFFE, 0x20000000, 10**10])
def test_a_delta_of_any_length_adds_up(ticks: int) -> None:
    data = midi(b"MTrk" + len(body := encode_delta(ticks) + b"\xff\x2f\x00").to_bytes(4, "big") + body)
    assert parse_song(data).end_tick == ticks
