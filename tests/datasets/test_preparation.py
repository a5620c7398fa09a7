"""Grooves folded to words, songs that should not be learned from, and files prepared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.words import groove_to_words, hits_to_words
from backbeat.cues import encode, hear_nothing
from backbeat.datasets.preparation import KIT, NO_ARTICULATION, Example, find_fault, fold_groove, pack, prepare
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from tests.midi.builders import Track, band_song, midi

BACKBEAT, NINE = load_kit(KIT), load_kit("drums_rnn_9")


def strike(grid: Grid, *cells: tuple[int, str, float], late: float = 0) -> Groove:
    shape = (grid.steps, len(BACKBEAT))
    hits, velocities = np.zeros(shape, np.bool_), np.zeros(shape, np.float32)
    for step, name, velocity in cells:
        hits[step, BACKBEAT.index(name)], velocities[step, BACKBEAT.index(name)] = True, velocity
    return Groove(grid, BACKBEAT, hits, velocities, np.where(hits, np.float32(late), 0))


def play_bars(
    bars: int, *, kick: tuple[int, ...] = (0, 8), snare: tuple[int, ...] = (4, 12), vary: bool = True, late: float = 0
) -> tuple[Grid, Groove, np.ndarray]:
    """A beat on ``bars`` bars of 4/4 with a hat that counts the bars, so that no two are equal."""
    grid = Grid.regular(bars)
    cells = [(16 * b + s, name, 0.8) for b in range(bars) for name, steps in (("kick", kick), ("snare", snare)) for s in steps]
    cells += [(16 * b + 1 + 2 * k, "closed_hat", 0.5) for b in range(bars) for k in range(7) if vary and b >> k & 1]
    groove = strike(grid, *cells, late=late)
    return grid, groove, groove_to_words(groove)


def test_of_two_articulations_the_louder_stays() -> None:
    members = [BACKBEAT.names[i] for i in np.flatnonzero(BACKBEAT.mapping(NINE) == 1)]
    words, velocities, which, _ = fold_groove(strike(Grid.regular(1), (4, members[0], 0.25), (4, members[1], 0.75), (0, "kick", 1.0)))
    assert words[[0, 4]].tolist() == [1, 2] and words.sum() == 3
    assert velocities[4].tolist() == [0, 95, 0, 0, 0, 0, 0, 0, 0]
    assert which[4, 1] == BACKBEAT.index(members[1])
    assert (which != NO_ARTICULATION).sum() == 2


def test_the_softest_hit_still_has_a_velocity() -> None:
    _, velocities, *_ = fold_groove(strike(Grid.regular(1), (0, "kick", 0.001)))
    assert velocities[0, 0] == 1


@pytest.mark.parametrize("name", BACKBEAT.names)
def test_every_class_of_the_kit_is_folded_somewhere(name: str) -> None:
    words, velocities, which, _ = fold_groove(strike(Grid.regular(1), (3, name, 0.5)))
    assert words[3] != 0
    assert velocities[3].max() == 64
    assert BACKBEAT.index(name) in which[3]


def test_a_plain_beat_may_be_learned_from() -> None:
    grid, groove, words = play_bars(40)
    assert find_fault(grid, groove, words) == ""


def test_few_bars_with_drums_teach_nothing() -> None:
    assert find_fault(*play_bars(7)) == "fewer than 8 bars with drums"
    grid = Grid.regular(30)
    groove = strike(grid, *((16 * b, "kick", 0.5) for b in range(7)))
    assert find_fault(grid, groove, groove_to_words(groove)) == "fewer than 8 bars with drums"


def test_drums_off_the_grid_teach_nothing() -> None:
    assert find_fault(*play_bars(20, late=0.25)) == "drums off the grid"
    assert find_fault(*play_bars(20, late=-0.19)) == ""
    assert find_fault(*play_bars(20, late=1 / 3)) == "", "triplets are on their own grid"


def test_one_bar_for_ever_teaches_nothing() -> None:
    assert find_fault(*play_bars(32, vary=False)) == "one bar repeated"
    assert find_fault(*play_bars(31, vary=False)) == ""


def test_bars_shifted_against_the_metre_teach_something_wrong() -> None:
    assert find_fault(*play_bars(20, kick=(4, 12), snare=(0, 8))) == "bars shifted against the metre"
    assert find_fault(*play_bars(20, snare=(0,))) == "bars shifted against the metre"
    assert find_fault(*play_bars(20, snare=(4, 8, 12))) == ""


def test_packing_keeps_the_layout() -> None:
    grid = Grid.regular(9, 7, 8)
    groove = strike(grid, *((14 * b, "kick", 0.1 + 0.1 * b) for b in range(9)))
    cues = hear_nothing(grid)
    example = pack(grid, groove, cues, band=False, unknown=3, merged=4)
    assert example.layout.tolist() == [[14, 7, 8, 7, 2]] * 9
    assert (example.unknown, example.merged, example.band, example.dynamic) == (3, 4, False, True)
    for got, expected in zip((example.step, example.bar, example.song), encode(cues), strict=True):
        assert np.array_equal(got, expected)
    assert example.matches.tolist() == cues.matches.tolist()


def test_one_loudness_is_no_dynamics() -> None:
    grid, groove, _ = play_bars(9, vary=False)
    assert not pack(grid, groove, hear_nothing(grid), band=False).dynamic


def prepare_bytes(folder: Path, data: bytes, **options: bool) -> Example | str:
    path = folder / "song.mid"
    path.write_bytes(data)
    return prepare(str(path), **options)


def test_a_song_becomes_an_example(tmp_path: Path) -> None:
    example = prepare_bytes(tmp_path, band_song(12))
    assert isinstance(example, Example)
    assert example.band and example.step.any()
    assert len(example.words) == len(example.step) == 12 * 16
    hits = np.zeros((16, 9), np.bool_)
    hits[[0, 8], 0], hits[[4, 12], 1], hits[::4, 2] = True, True, True
    assert example.words[:16].tolist() == hits_to_words(hits).tolist()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (band_song(12, drums=False), "no drums"),
        (band_song(3), "no band"),
        (band_song(7), "fewer than 8 bars with drums"),
        (b"no midi", "unreadable: "),
        (midi(Track().chunk()), "no drums"),
    ],
)
def test_a_song_is_rejected_with_its_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    got = prepare_bytes(tmp_path, data)
    assert isinstance(got, str) and got.startswith(reason)


def test_a_song_that_is_too_long_is_rejected(tmp_path: Path) -> None:
    bass, kit = Track().program(0, 33), Track()
    for bar in range(40):
        bass.note(bar * 1920 * 50, 480, 40)
        kit.note(bar * 1920 * 50, 60, 36, 100, 9)
    assert prepare_bytes(tmp_path, midi(bass.chunk(), kit.chunk())) == "too long"


def test_a_drum_take_needs_no_band_and_no_length(tmp_path: Path) -> None:
    kit = Track().note(0, 60, 36, 100, 9).note(480, 60, 38, 100, 9)
    example = prepare_bytes(tmp_path, midi(kit.chunk()), band=False)
    assert isinstance(example, Example)
    assert not example.band and not example.step[:, :24].any()
    assert example.words[[0, 4]].tolist() == [1, 2]


def test_faults_count_only_where_they_are_asked_for(tmp_path: Path) -> None:
    assert isinstance(prepare_bytes(tmp_path, band_song(7), clean=False), Example)
