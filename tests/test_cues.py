"""What is heard of a song, and as which bytes; never its drums."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.cues import BAND_BAR, BAND_SONG, BAND_STEP, LANES, Cues, assign_lanes, choose_lane, encode, hear, hear_nothing, silence
from backbeat.grid import Grid
from backbeat.midi import parse_song
from backbeat.song import NOTE_DTYPE, Part, Song
from backbeat.units import MetreMap, TempoMap
from tests.midi.builders import METRES, Track, band_song, midi

ARRAYS = ("qpm", "onsets", "velocities", "sustained", "pitches", "offsets", "descriptors", "section_starts", "matches", "similarity")


def make_part(*notes: tuple[int, int, int, int], program: int = 0, name: str = "", drums: str = "") -> Part:
    return Part(0, 0, program, name, np.array(list(notes), dtype=NOTE_DTYPE), drums)


def hear_parts(*parts: Part, bars: int = 2) -> Cues:
    return hear(Song(b"", 1, parts, TempoMap(480), MetreMap(), 0), Grid.regular(bars))


def test_drums_are_never_heard() -> None:
    with_drums, without = parse_song(band_song(12)), parse_song(band_song(12, drums=False))
    one, two = hear(with_drums, with_drums.grid()), hear(without, without.grid())
    for name in ARRAYS:
        assert np.array_equal(getattr(one, name), getattr(two, name)), name
    for a, b in zip(encode(one), encode(two), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("why", ["channel 10", "program", "name", "notes"])
def test_drum_parts_off_channel_10_are_not_heard_either(why: str) -> None:
    bass = make_part((0, 400, 40, 90), program=33)
    beat = make_part((0, 10, 36, 127), (960, 970, 38, 127), program=33, drums=why)
    for name in ARRAYS:
        assert np.array_equal(getattr(hear_parts(bass), name), getattr(hear_parts(bass, beat), name)), name


def test_a_drum_kit_on_another_channel_changes_nothing_in_a_real_file() -> None:
    conductor, bass = Track().metre(0, 4, 4), Track().name("Bass").program(0, 33)
    for beat in range(64):
        bass.note(beat * 480, 240, 40 + beat % 3)
    kit = Track().name("Drums").program(0, 0, 3)
    for beat in range(64):
        kit.note(beat * 480, 60, 36 if beat % 2 == 0 else 38, 100, 3).note(beat * 480, 60, 42, 80, 3)
    alone, both = (parse_song(midi(*(t.chunk() for t in tracks))) for tracks in ((conductor, bass), (conductor, bass, kit)))
    assert len(both.drum_parts) == 1
    grid = alone.grid()
    for a, b in zip(encode(hear(alone, grid)), encode(hear(both, grid)), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("program", "name", "lane"),
    [
        (0, "", "keys"),
        (25, "", "guitar"),
        (33, "", "bass"),
        (48, "", "pads"),
        (56, "", "lead"),
        (120, "", "other"),
        (0, "Synth Bass", "bass"),
        (70, "Bassoon", "lead"),
        (56, "Basse", "bass"),
        (0, "bass drum", "keys"),
    ],
)
def test_the_lane_of_a_part(program: int, name: str, lane: str) -> None:
    assert choose_lane(make_part(program=program, name=name)) == lane


def test_without_a_bass_the_lowest_part_takes_its_place() -> None:
    low = make_part(*((k * 480, k * 480 + 240, 36, 90) for k in range(8)), program=0)
    high = make_part(*((k * 480, k * 480 + 240, 72, 90) for k in range(8)), program=0)
    assert assign_lanes((high, low)) == ["keys", "bass"]
    assert assign_lanes((high,)) == ["keys"]
    assert assign_lanes((low, make_part(program=33))) == ["keys", "bass"]
    assert assign_lanes(()) == []


def test_notes_are_counted_on_their_nearest_step() -> None:
    cues = hear_parts(make_part((0, 240, 60, 50), (0, 240, 64, 127), (475, 600, 67, 80)))
    keys = LANES.index("keys")
    assert np.argwhere(cues.onsets).tolist() == [[0, keys], [4, keys]]
    assert cues.onsets[[0, 4], keys].tolist() == [2, 1]
    assert cues.velocities[0, keys] == 1
    assert cues.pitches[0, keys] == pytest.approx(64 / 127), "the highest, outside the bass"
    assert cues.offsets[4] == pytest.approx(-5 / 120), "early is negative"


def test_the_bass_is_heard_by_its_lowest_note() -> None:
    cues = hear_parts(make_part((0, 240, 40, 50), (0, 240, 52, 50), program=33))
    assert cues.pitches[0, 0] == pytest.approx(40 / 127)
    assert cues.pitches[1, 0] == 0


def test_a_note_sounds_until_its_end() -> None:
    cues = hear_parts(make_part((240, 960, 60, 50)), make_part((1920, 1921, 60, 50)))
    assert np.flatnonzero(cues.sustained[:, LANES.index("keys")]).tolist() == [2, 3, 4, 5, 6, 7, 16]


def test_active_bars() -> None:
    cues = hear_parts(make_part((0, 100, 60, 90), (3840, 3900, 60, 90)), bars=4)
    assert cues.active_bars.tolist() == [True, False, True, False]


def test_each_bar_has_its_tempo() -> None:
    song = Song(b"", 1, (make_part((0, 100, 60, 90)),), TempoMap(480, (0, 1920), (500_000, 250_000)), MetreMap(), 0)
    assert hear(song, Grid.regular(2)).qpm.tolist() == [120, 240]


def test_sections_are_heard() -> None:
    verse, chorus = Track().program(0, 33), Track().program(0, 30, 1)
    for bar in range(24):
        for beat in range(4):
            verse.note(bar * 1920 + beat * 480, 400, 40)
            if 8 <= bar < 16:
                chorus.note(bar * 1920 + beat * 480 + 240, 200, 64 + beat, 100, 1)
    song = parse_song(midi(verse.chunk(), chorus.chunk()))
    assert np.flatnonzero(hear(song, song.grid()).section_starts).tolist() == [0, 8, 16]


@pytest.mark.parametrize(("numerator", "denominator"), METRES)
def test_every_metre_is_encoded_alike(numerator: int, denominator: int) -> None:
    song = parse_song(band_song(3, numerator=numerator, denominator=denominator))
    grid = song.grid()
    cues = hear(song, grid)
    step, bar, whole = encode(cues)
    assert (step.dtype, bar.dtype, whole.dtype) == (np.uint8,) * 3
    reference = encode(hear_nothing(Grid.regular(1)))
    assert (step.shape, bar.shape, whole.shape) == ((grid.steps, reference[0].shape[1]), (grid.bars, reference[1].shape[1]), reference[2].shape)
    assert np.isfinite(cues.descriptors).all() and np.linalg.norm(cues.descriptors, axis=1).max() <= 1 + 1e-5
    first_in_bar = step[:, len(BAND_STEP) + 12]
    assert np.flatnonzero(first_in_bar).tolist() == grid.first_steps[:-1].tolist()


def test_features_are_rounded_to_bytes() -> None:
    cues = hear_parts(make_part((0, 240, 60, 127), (0, 240, 64, 127)))
    step, _, _ = encode(cues)
    keys = LANES.index("keys")
    assert [int(step[0, keys + 6 * k]) for k in range(4)] == [128, 255, 255, int(64 / 127 * 255 + 0.5)]
    assert step[0, 24] == 128, "no offset is the middle"


def test_silence_takes_exactly_the_columns_of_the_band() -> None:
    arrays = [np.full(shape, 9, np.uint8) for shape in ((4, 46), (2, encode(hear_nothing(Grid.regular(1)))[1].shape[1]), (44,))]
    step, bar, song = silence(*arrays)
    assert np.flatnonzero(step[0] == 0).tolist() == list(BAND_STEP)
    assert np.flatnonzero(bar[0] == 0).tolist() == list(BAND_BAR)
    assert np.flatnonzero(song == 0).tolist() == list(BAND_SONG)
    assert all((a == 9).all() for a in arrays), "the arguments stay as they are"


def test_in_silence_no_band_can_be_told_from_another() -> None:
    one = parse_song(band_song(12))
    grid = one.grid()
    for cues in (hear(one, grid), hear_parts(make_part((0, 7000, 30, 20), program=33), bars=12)):
        for got, expected in zip(silence(*encode(cues)), silence(*encode(hear_nothing(grid))), strict=True):
            assert np.array_equal(got, expected)


def test_nothing_sounds_where_there_is_no_band() -> None:
    cues = hear_nothing(Grid.regular(3, 6, 8), 90)
    assert not cues.active_bars.any() and not cues.onsets.any()
    assert cues.qpm.tolist() == [90] * 3
    assert cues.section_starts.tolist() == [True, False, False]
    assert (cues.matches == -1).all()
