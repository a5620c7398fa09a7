"""NeuralDrummer's tokens, byte for byte, and what becomes of them."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.half_beats import read_half_beats
from backbeat.codecs.intensity import (
    count_ahead,
    encode_steps,
    groove_to_steps,
    join_steps,
    normalise,
    read_lines,
    replace_outliers,
    split_line,
    steps_to_groove,
    tokenise,
)
from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song, splice_drums

GOLDENS = json.loads((Path(__file__).parents[1] / "goldens" / "intensity.json").read_text(encoding="utf-8"))
REASONS = ("Broken!", "File too short!", "Empty!")


def find(name):
    return next(base64.b64decode(g["midi"]) for g in GOLDENS if g["name"] == name)


def tell(data, **options):
    try:
        return join_steps(tokenise(data, **options))
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("golden", GOLDENS, ids=[g["name"] for g in GOLDENS])
@pytest.mark.parametrize(("key", "drums_only"), [("line", True), ("whole", False)])
def test_every_byte_is_the_originals(golden, key, drums_only):
    line, expected = tell(base64.b64decode(golden["midi"]), drums_only=drums_only), golden[key]
    assert line.startswith(expected) if expected in REASONS else line == expected


def test_the_goldens_hold_every_reason_and_a_song_without_change():
    assert {g["line"] for g in GOLDENS} >= set(REASONS)
    assert "inan" in next(g["line"] for g in GOLDENS if g["name"] == "the same each step")


def test_only_the_last_drum_track_is_learned_from():
    two = tokenise(find("two drum tracks"))
    assert sum(not t.startswith("i") for step in two for t in step) < sum(not t.startswith("i") for step in tokenise(find("plain")) for t in step)


def test_half_beats_go_on_for_32_behind_the_last_beat():
    beats = read_half_beats(find("plain"))
    assert len(beats.times) % 2 == 0 and np.allclose(np.diff(beats.times), 0.25)
    assert beats.last_downbeat % 8 == 0


def test_an_outlier_is_replaced_by_its_neighbours():
    counts = np.array([1.0, 2, 1, 2, 90, 4, 2, 1, 2, 1])
    assert replace_outliers(counts).tolist() == [1, 2, 1, 2, 3, 4, 2, 1, 2, 1]
    assert replace_outliers(np.array([50.0, *[1] * 5, 3, *[1] * 5, 50]))[[0, -1]].tolist() == [1, 1]


@given(st.lists(st.integers(0, 30), min_size=2, max_size=60))
def test_intensities_have_one_decimal_and_mean_nothing(counts):
    values = normalise(np.array(counts, float))
    if np.isfinite(values).all():
        assert np.allclose(values, np.round(values, 1)) and abs(values.mean()) < 0.06


def test_intensity_is_that_of_the_half_beat_to_come():
    assert count_ahead([5, 1, 2, 3, 9, 9], 5).tolist() == [1, 2, 3, 3, 3, 3, 3, 3]
    with pytest.raises(InputError, match="no intensities"):
        count_ahead([1], 9)


@given(st.lists(st.lists(st.sampled_from(["36", "42", "127", "0", "i0.0", "i-2.3", "i1.0"]), max_size=4), max_size=12))
def test_lines_go_there_and_back(steps):
    assert split_line(join_steps(steps)) == steps


@pytest.mark.parametrize("line", ["42,x", "128", "i", "-2", "42,,36", "iinf"])
def test_what_is_no_token_is_told(line):
    with pytest.raises(InputError, match="is no token"):
        split_line(line)


def test_saved_txt_is_read_as_the_original_reads_it():
    line = join_steps(tokenise(find("plain")))
    files = read_lines(f"{line}\n42,i0.0,-1\n{line}\n")
    assert len(files) == 2 and files[0] == split_line(line)
    with pytest.raises(InputError, match="line 2: 'y' is no token"):
        read_lines(f"{line}\n{line},y\n")


def test_rows_have_a_column_a_class_and_the_intensity_last():
    rows = encode_steps([["35", "36", "45", "i-0.5"], [], ["42", "57", "i2.2"]], load_kit("neuraldrummer_6"))
    assert rows.tolist() == [[1, 0, 0, 0, 0, 0, -0.5], [0] * 7, [0, 0, 1, 0, 1, 0, np.float32(2.2)]]
    assert encode_steps([["45", "i1.0"]], load_kit("neuraldrummer_17")).shape == (1, 18)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.integers(1, 6), st.sampled_from([2, 3, 4, 5, 7]))
def test_a_groove_of_eighths_goes_there_and_back_in_quarters(seed, bars, numerator):
    grid, kit = Grid.regular(bars, numerator, 4, steps_per_quarter=2), load_kit("neuraldrummer_6")
    hits = np.random.default_rng(seed).random((grid.steps, 6)) < 0.3
    groove = Groove(grid, kit, hits, hits * np.float32(1), np.zeros(hits.shape, np.float32))
    back = steps_to_groove(groove_to_steps(groove), grid)
    assert np.array_equal(back.hits, hits) and not back.offsets.any() and set(back.velocities[hits]) <= {1.0}


def test_only_eighths_become_half_beats():
    with pytest.raises(InputError, match="two steps a quarter"):
        groove_to_steps(Groove.empty(Grid.regular(1), load_kit("neuraldrummer_6")))


def test_combined_file_has_velocity_127_kick_35_and_every_other_byte_of_the_song():
    song = parse_song(find("plain"))
    groove = steps_to_groove([["35", "42", "i0.0"], ["38"]] * 8, song.grid(2))
    again = parse_song(splice_drums(song, groove))
    (drums,) = again.drum_parts
    assert drums.notes["pitch"].tolist()[:3] == [35, 42, 38] and set(drums.notes["velocity"].tolist()) == {127}
    assert [p.notes.tolist() for p in again.band] == [p.notes.tolist() for p in song.band]
    assert extract_groove(again, song.grid(2), load_kit("neuraldrummer_6"))[0].count_hits()["snare"] == 8


def test_in_six_eight_the_original_runs_away_from_the_song():
    """A beat is a dotted quarter there, its half is written as an eighth: the drums end after two thirds of the song."""
    grid = Grid.regular(30, 6, 8, steps_per_quarter=2)
    beats = 30 * 2 * 2
    groove = steps_to_groove([["42"]] * beats, grid)
    assert np.flatnonzero(groove.hits.any(axis=1)).max() == beats - 1 < grid.steps * 0.67
