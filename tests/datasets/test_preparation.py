"""Grooves folded to words, songs that should not be learned from, and files prepared."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.codecs.words import groove_to_words, hits_to_words
from backbeat.cues import encode, hear_nothing
from backbeat.datasets.preparation import KIT, NO_ARTICULATION, Example, find_fault, fold_groove, pack, prepare, prepare_bytes, prepare_with_cues
from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from tests.midi.builders import Track, band_song, chunk, midi, varlen

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


def prepare_song(data: bytes, **options: Any) -> Example | str:
    return prepare_bytes(data, "song.mid", **options)


def test_a_song_becomes_an_example() -> None:
    example = prepare_song(band_song(12))
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
def test_a_song_is_rejected_with_its_reason(data: bytes, reason: str) -> None:
    got = prepare_song(data)
    assert isinstance(got, str) and got.startswith(reason)


def test_a_song_that_is_too_long_is_rejected() -> None:
    bass, kit = Track().program(0, 33), Track()
    for bar in range(40):
        bass.note(bar * 1920 * 50, 480, 40)
        kit.note(bar * 1920 * 50, 60, 36, 100, 9)
    assert prepare_song(midi(bass.chunk(), kit.chunk())) == "too long"


def test_a_drum_take_needs_no_band_and_no_length() -> None:
    kit = Track().note(0, 60, 36, 100, 9).note(480, 60, 38, 100, 9)
    example = prepare_song(midi(kit.chunk()), band=False)
    assert isinstance(example, Example)
    assert not example.band and not example.step[:, :24].any()
    assert example.words[[0, 4]].tolist() == [1, 2]


def test_faults_count_only_where_they_are_asked_for() -> None:
    assert isinstance(prepare_song(band_song(7), clean=False), Example)


def test_a_path_gives_what_its_bytes_give(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(band_song(12, numerator=6, denominator=8))
    whole, pair, direct = prepare(str(path)), prepare_with_cues(str(path)), prepare_song(path.read_bytes())
    assert isinstance(whole, Example) and isinstance(direct, Example) and isinstance(pair, tuple)
    for name in ("step", "bar", "song", "words", "velocities", "articulations", "offsets", "matches", "layout"):
        assert np.array_equal(getattr(whole, name), getattr(direct, name)) and np.array_equal(getattr(pair[0], name), getattr(direct, name))
    assert np.array_equal(direct.matches, pair[1].matches) and direct.matches.dtype == np.int32
    missing = prepare(str(tmp_path / "none.mid"))
    assert isinstance(missing, str) and missing.startswith("unreadable: ") and "no such file" in missing


def test_how_late_a_hit_is_is_kept_in_254ths_of_a_step() -> None:
    kit = Track()
    for onset in (0, 480 + 30, 960 - 60, 1440 + 59):
        kit.note(onset, 10, 36, 100, 9)
    example = prepare_song(midi(kit.chunk()), band=False)
    assert isinstance(example, Example) and example.offsets.dtype == np.int8
    assert example.offsets[[0, 4, 8, 12], 0].tolist() == [0, 64, -127, 125]
    assert np.count_nonzero(example.offsets) == 3


def test_of_two_hits_the_louder_brings_its_offset() -> None:
    members = [BACKBEAT.names[i] for i in np.flatnonzero(BACKBEAT.mapping(NINE) == 1)]
    groove = strike(Grid.regular(1), (4, members[0], 0.25), (4, members[1], 0.75))
    offsets = np.where(groove.hits, 0.25, 0).astype(np.float32)
    offsets[4, BACKBEAT.index(members[1])] = -0.5
    assert fold_groove(groove.replace(offsets=offsets)).offsets[4].tolist() == [0, -127, 0, 0, 0, 0, 0, 0, 0]


def test_of_equals_the_first_class_stays() -> None:
    members = np.flatnonzero(BACKBEAT.mapping(NINE) == 1)
    groove = strike(Grid.regular(1), *((4, BACKBEAT.names[i], 0.5) for i in members))
    assert fold_groove(groove).articulations[4, 1] == members[0]


@pytest.mark.parametrize("kit", ["drums_rnn_9", "roland_td11", "general_midi"])
def test_another_kit_names_the_articulations(kit: str) -> None:
    example, usual = prepare_song(band_song(12), kit=kit), prepare_song(band_song(12))
    assert isinstance(example, Example) and isinstance(usual, Example)
    assert example.words.tolist() == usual.words.tolist()
    struck = {load_kit(kit).names[i] for i in np.unique(example.articulations) if i != NO_ARTICULATION}
    assert {load_kit(kit).written[load_kit(kit).index(name)] for name in struck} <= set(range(35, 60))
    assert len(struck) == 3


@pytest.mark.parametrize("density", [1, 3, 6, 8, 12, 24])
def test_another_density_gives_other_steps(density: int) -> None:
    example = prepare_song(band_song(12, numerator=7, denominator=8), steps_per_quarter=density, clean=False)
    assert isinstance(example, Example) and example.steps_per_quarter == density
    assert len(example.words) == int(example.layout[:, 0].sum()) == 12 * -(-7 * density // 2)
    assert len(example.step) == len(example.words) and len(example.matches) == 12


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="no kit 'none'"):
        prepare_song(band_song(9), kit="none")
    with pytest.raises(InputError, match="steps per quarter lie in 1-96, not 0"):
        prepare_song(band_song(9), steps_per_quarter=0)
    with pytest.raises(InputError, match="steps per quarter"):
        prepare("none.mid", steps_per_quarter=97)


END = b"\x00\xff\x2f\x00"


def poison(*bodies: bytes, division: int = 480) -> bytes:
    """A song that could be learned from, with tracks that cost a reader dearly."""
    bass, kit = Track().program(0, 33), Track()
    for beat in range(80):
        bass.note(beat * 480, 400, 40 + beat % 5)
        kit.note(beat * 480, 60, 36 + beat % 2 * 2, 60 + beat % 9, 9)
    return midi(bass.chunk(), kit.chunk(), *(chunk(b"MTrk", body) for body in bodies), division=division)


def change_metre(count: int, apart: int) -> bytes:
    return b"".join(bytes([apart]) + b"\xff\x58\x04" + bytes([1 + i % 7, 2, 24, 8]) for i in range(count)) + END


BOMBS = {
    "notes in a large file": (poison(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 2_000_000 + END), "too large"),
    "notes": (poison(b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 150_000 + END), "too many notes"),
    "drum notes": (poison(b"\x00\x99\x24\x40" + b"\x01\x24\x00\x01\x24\x40" * 150_000 + END), "too many notes"),
    "a note at tick 10 ** 9": (
        poison(b"\xff\xff\xff\x7f\xff\x01\x00" * 4 + b"\x00\x90\x3c\x40\x10\x3c\x00" + END),
        "unreadable: song.mid: the song would have",
    ),
    "a note after months": (poison(b"\xff\xff\xff\x7f\xff\x01\x00" * 5000 + b"\x00\x90\x3c\x40\x10\x3c\x00" + END), "unreadable: song.mid: track 3"),
    "metres": (poison(change_metre(100_000, 1)), "unreadable: song.mid: the song would have"),
    "one tick a quarter": (poison(division=1), "too long"),
    "text without end": (poison(b"\x00\xff\x01" + varlen(0x0FFFFFFF) + END), "unreadable: song.mid: track 3"),
    "tracks": (poison(*[b""] * 10_001), "unreadable: song.mid: 10,003 tracks"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_rejected_at_once(name: str) -> None:
    data, reason = BOMBS[name]
    before, memory = time.thread_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    got = prepare_song(data)
    assert isinstance(got, str) and got.startswith(reason)
    assert time.thread_time() - before < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 500_000, "kB more than before"


@pytest.mark.parametrize(
    "body",
    [
        b"\x00\xff\x01\x00" * 200_000 + END,
        b"\x00\xf0\x01\xf7" * 100_000 + END,
        b"".join(b"\x01\xff\x51\x03" + (500_000 + i % 7).to_bytes(3, "big") for i in range(100_000)) + END,
        b"\x01\xc1\x05" * 200_000 + END,
        b"\x00\xff\x03\x01\x20" * 100_000 + END,
    ],
    ids=["texts", "sysex", "tempi", "programs", "names"],
)
def test_endless_messages_cost_little_and_leave_the_song_as_it_is(body: bytes) -> None:
    before = time.thread_time()
    got, plain = prepare_song(poison(body)), prepare_song(poison())
    assert time.thread_time() - before < 5
    assert isinstance(got, Example) and isinstance(plain, Example)
    assert np.array_equal(got.words, plain.words) and np.array_equal(got.step, plain.step)


def test_programs_of_one_track_do_not_cost_each_of_many_parts() -> None:
    part = b"\x00\x91\x3c\x40\x10\x3c\x00" + END
    before = time.thread_time()
    prepare_song(poison(b"\x01\xc1\x05" * 300_000 + END, *[part] * 2000))
    assert time.thread_time() - before < 5
