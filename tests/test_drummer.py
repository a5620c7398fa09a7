"""The façade: seeds, takes, what stays as it is, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backbeat
from backbeat.asking import Wishes
from backbeat.codecs.controls import velocity_of
from backbeat.drummer import MAX_STEPS, Drummer, check_song, load_drummer
from backbeat.errors import InputError, ModelError, SongError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.midi import parse_song, write_song
from backbeat.song import Song
from backbeat.touch import TOUCH, TYPED, Touch
from tests.midi.builders import METRES, Track, band_song, midi

ARRAYS = ("hits", "velocities", "offsets")


@pytest.fixture(scope="module")
def drummer(drummer_folder: Path) -> Drummer:
    return load_drummer(drummer_folder)


@pytest.fixture(scope="module")
def song() -> Song:
    return parse_song(band_song(6))


def same(one: Groove, two: Groove) -> bool:
    return all(getattr(one, n).tobytes() == getattr(two, n).tobytes() for n in ARRAYS)


def test_the_same_seed_gives_the_same_groove(drummer: Drummer, song: Song) -> None:
    one, two, other = (drummer.accompany(song, seed=s) for s in (7, 7, 8))
    assert same(one, two) and not same(one, other)
    assert not same(drummer.accompany(song, seed=-7), one), "negative seeds are seeds of their own"


def test_a_new_session_gives_the_same_groove(drummer: Drummer, drummer_folder: Path, song: Song) -> None:
    assert same(load_drummer(drummer_folder).accompany(song, seed=3), drummer.accompany(song, seed=3))


def test_takes_differ_and_the_first_is_the_single_one(drummer: Drummer, song: Song) -> None:
    takes = drummer.accompany_takes(song, 3, seed=5)
    assert len({t.hits.tobytes() for t in takes}) == 3
    assert np.array_equal(takes[0].hits, drummer.accompany(song, seed=5).hits)


def test_drums_in_the_song_are_not_heard(drummer: Drummer, song: Song) -> None:
    assert same(drummer.accompany(song, seed=1), drummer.accompany(parse_song(band_song(6, drums=False)), seed=1))


def test_the_style_is_heard(drummer: Drummer, song: Song) -> None:
    assert drummer.styles[0] == "any" and "jazz" in drummer.styles
    assert not same(drummer.accompany(song, style="jazz"), drummer.accompany(song, style="metal"))


@pytest.mark.parametrize(("numerator", "denominator"), METRES)
def test_every_metre_is_accompanied(drummer: Drummer, numerator: int, denominator: int) -> None:
    song = parse_song(band_song(3, numerator=numerator, denominator=denominator))
    groove = drummer.accompany(song)
    assert groove.hits.any()
    assert np.array_equal(groove.grid.bar_ticks, song.grid().bar_ticks)


def make_swung(end: int) -> Song:
    """A band whose second eighths are late by 50 ticks; its last note ends at ``end``."""
    bass = Track().name("Bass").program(0, 33)
    onsets = [t for beat in range(0, end, 480) for t in (beat, beat + 290) if t < end]
    for onset, following in zip(onsets, [*onsets[1:], end], strict=True):
        bass.note(onset, following - onset, 40)
    return parse_song(midi(bass.chunk()))


@pytest.mark.parametrize("end", [4321, 5540, 5570, 5571, 7230])
@pytest.mark.parametrize("steps_per_quarter", [1, 4, 12])
def test_no_hit_at_or_behind_the_end_of_the_band(drummer: Drummer, end: int, steps_per_quarter: int) -> None:
    song = make_swung(end)
    for groove in drummer.accompany_takes(song, 3, temperature=2.0, steps_per_quarter=steps_per_quarter):
        steps, columns = np.nonzero(groove.hits)
        assert len(steps) and groove.grid.ticks(steps, groove.offsets[steps, columns].astype(np.float64)).max() < end


def test_drums_follow_a_swung_band(drummer: Drummer) -> None:
    groove = drummer.accompany(make_swung(480 * 16), seed=1, touch=TYPED)
    offbeats = groove.offsets[2::4][groove.hits[2::4]]
    assert len(offbeats) and offbeats == pytest.approx(50 / 120)
    assert not groove.offsets[0::4].any()
    by_hand = drummer.accompany(make_swung(480 * 16), seed=1)
    late = by_hand.offsets[2::4][by_hand.hits[2::4]]
    assert late.std() > 0 and abs(late.mean() - 50 / 120) < 0.2, "a person's 8ths lie about the band's"


def test_a_finer_grid_is_quantised_to(drummer: Drummer, song: Song) -> None:
    fine = drummer.accompany(song, seed=2, steps_per_quarter=12, touch=TYPED)
    assert fine.grid.steps_per_quarter == 12
    assert fine.hits[::3].sum() == fine.hits.sum() == drummer.accompany(song, seed=2, touch=TYPED).hits.sum()


def test_infill_leaves_everything_else_as_it_is(drummer: Drummer, song: Song) -> None:
    rng = np.random.default_rng(0)
    given = drummer.accompany(song, seed=1)
    given = given.replace(offsets=np.where(given.hits, rng.uniform(-0.4, 0.4, given.hits.shape), 0).astype(np.float32))
    filled = drummer.infill(song, given, [2, 3], seed=9, temperature=2)
    inside = np.isin(given.grid.bar_of_step, [2, 3])
    for name in ARRAYS:
        assert getattr(filled, name)[~inside].tobytes() == getattr(given, name)[~inside].tobytes()
    assert not np.array_equal(filled.hits[inside], given.hits[inside])


def test_infill_keeps_the_classes_it_should(drummer: Drummer, song: Song) -> None:
    given = drummer.accompany(song, seed=1)
    filled = drummer.infill(song, given, range(6), keep=["kick", "snare"], seed=9, temperature=2)
    kept = np.isin(drummer.model.group, [0, 1])
    for name in ARRAYS:
        assert np.array_equal(getattr(filled, name)[:, kept], getattr(given, name)[:, kept])
    assert not np.array_equal(filled.hits, given.hits)


def test_infill_of_no_bar_changes_nothing(drummer: Drummer, song: Song) -> None:
    given = drummer.accompany(song, seed=1)
    assert same(drummer.infill(song, given, []), given)


def test_infill_keeps_only_classes_that_exist(drummer: Drummer, song: Song) -> None:
    with pytest.raises(InputError, match="no class 'triangle'"):
        drummer.infill(song, drummer.accompany(song), [0], keep=["triangle"])


def test_continuing_keeps_the_primer(drummer: Drummer) -> None:
    primer = drummer.play_alone(Grid.regular(2, 7, 8), seed=4)
    rng = np.random.default_rng(0)
    primer = primer.replace(offsets=np.where(primer.hits, rng.uniform(-0.4, 0.4, primer.hits.shape), 0).astype(np.float32))
    longer = drummer.continue_groove(primer, 5, seed=1)
    assert longer.grid.bars == 5 and longer.grid.numerators == (7,) * 5
    assert longer.grid.bar_ticks.tolist() == Grid.regular(5, 7, 8).bar_ticks.tolist()
    for name in ARRAYS:
        assert getattr(longer, name)[: primer.grid.steps].tobytes() == getattr(primer, name).tobytes()
    assert longer.hits[primer.grid.steps :].any()


def test_continuing_needs_more_bars(drummer: Drummer) -> None:
    with pytest.raises(InputError, match="the primer has 2 bars: ask for more"):
        drummer.continue_groove(drummer.play_alone(Grid.regular(2)), 2)


def test_playing_alone_depends_on_seed_and_tempo(drummer: Drummer) -> None:
    grid = Grid.regular(4)
    one = drummer.play_alone(grid, seed=1)
    assert same(one, drummer.play_alone(grid, seed=1))
    assert not same(one, drummer.play_alone(grid, seed=2))
    assert not same(one, drummer.play_alone(grid, seed=1, qpm=240))


def test_density_is_followed_bar_by_bar(drummer: Drummer) -> None:
    song = parse_song(band_song(24))
    wishes = Wishes.nothing(24).ask(range(12), density=0.15).ask(range(12, 24), density=0.85)
    hits = drummer.accompany(song, seed=1, wishes=wishes, touch=TYPED).hits.sum(axis=1).reshape(24, -1).sum(axis=1)
    assert hits[15:].mean() > 1.5 * hits[3:12].mean()


@pytest.mark.parametrize("touch", [TYPED, TOUCH])
def test_intensity_is_what_is_heard_in_the_end(drummer: Drummer, touch: Touch) -> None:
    song = parse_song(band_song(8))
    wishes = Wishes.nothing(8).ask(range(4), intensity=0.2).ask([5], intensity=0.9).ask(density=0.6)
    groove = drummer.accompany(song, seed=1, wishes=wishes, touch=touch)
    bars = groove.grid.bar_of_step[np.nonzero(groove.hits)[0]]
    loud = groove.velocities[groove.hits] * 127
    assert loud[bars < 4].mean() == pytest.approx(velocity_of(np.array([0.2]))[0], abs=1)
    assert loud[bars == 5].mean() == pytest.approx(velocity_of(np.array([0.9]))[0], abs=1)


def test_fills_come_where_they_are_asked_for(drummer: Drummer) -> None:
    song = parse_song(band_song(24))
    leading = [drummer.model.kit.index(n) for n in ("snare", "low_tom", "mid_tom", "high_tom")]

    def count(fill: bool) -> int:
        groove = drummer.accompany(song, seed=1, wishes=Wishes.nothing(24).ask([7, 15], fill=fill), touch=TYPED)
        late = np.isin(groove.grid.bar_of_step, [7, 15]) & (groove.grid.step_in_bar >= 8)
        return int(groove.hits[late][:, leading].sum())

    assert count(True) > count(False)


def test_styles_may_change_from_bar_to_bar(drummer: Drummer) -> None:
    song = parse_song(band_song(12))
    whole = drummer.accompany(song, style="jazz", seed=1)
    assert same(whole, drummer.accompany(song, seed=1, wishes=Wishes.nothing(12).ask(style="jazz")))
    mixed = drummer.accompany(song, style="jazz", seed=1, wishes=Wishes.nothing(12).ask(range(6, 12), style="metal"))
    assert not same(mixed, whole)


def test_wishes_outside_the_gap_change_nothing(drummer: Drummer, song: Song) -> None:
    given = drummer.accompany(song, seed=1)
    wishes = Wishes.nothing(6).ask(density=1.0, intensity=0.1, fill=True, style="metal")
    filled = drummer.infill(song, given, [2], seed=9, wishes=wishes)
    outside = given.grid.bar_of_step != 2
    for name in ARRAYS:
        assert getattr(filled, name)[outside].tobytes() == getattr(given, name)[outside].tobytes()
    inside = filled.hits & ~outside[:, None]
    assert filled.velocities[inside].mean() * 127 == pytest.approx(velocity_of(np.array([0.1]))[0], abs=1)


def test_wishes_for_another_song_are_refused(drummer: Drummer, song: Song) -> None:
    with pytest.raises(InputError, match="wishes are for 5 bars, but there are 6"):
        drummer.accompany(song, wishes=Wishes.nothing(5))
    with pytest.raises(InputError, match="no style 'polka'"):
        drummer.play_alone(Grid.regular(2), wishes=Wishes.nothing(2).ask(style="polka"))


def test_who_watches_sees_it_grow_and_may_stop_it(drummer: Drummer, song: Song, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backbeat.models.drummer_asked.INTERVAL", 0.0)
    told: list[float] = []
    drummer.accompany_takes(song, 2, seed=1, watch=told.append)
    assert told == sorted(told) and told[0] == 0 and told[-1] == 1 and len(told) > song.grid().steps

    class StopError(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0.3:
            raise StopError

    given = drummer.accompany(song, seed=1)
    for play in (
        lambda: drummer.accompany(song, watch=stop),
        lambda: drummer.infill(song, given, [2], watch=stop),
        lambda: drummer.play_alone(Grid.regular(4), watch=stop),
        lambda: drummer.continue_groove(given, 9, watch=stop),
    ):
        with pytest.raises(StopError):
            play()


NO_NOTES = midi(Track().name("Silence").chunk(9600))
DRUMS_ONLY = midi(Track().note(0, 60, 36, 100, 9).note(4800, 60, 38, 100, 9).chunk())
ONE_BAR = midi(Track().note(0, 60, 60).note(1900, 20, 60).chunk())
MUCH_TOO_LONG = midi(Track().note(0, 60, 60).note(120 * (MAX_STEPS + 10), 60, 60).chunk())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (NO_NOTES, "the song has no notes"),
        (DRUMS_ONLY, "only drums: add the band's parts"),
        (ONE_BAR, "one bar only"),
        (MUCH_TOO_LONG, "more than can be played"),
    ],
)
def test_what_cannot_be_accompanied_is_refused(drummer: Drummer, data: bytes, message: str) -> None:
    with pytest.raises(SongError, match=message):
        drummer.accompany(parse_song(data))


def test_a_song_over_two_bar_lines_is_enough() -> None:
    check_song(parse_song(midi(Track().note(1919, 5, 60).note(1920, 20, 60).chunk())))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "polka"}, "no style 'polka': choose from any"),
        ({"temperature": -0.1}, "temperature must lie in 0-5"),
        ({"temperature": 5.1}, "temperature must lie in 0-5"),
        ({"temperature": float("nan")}, "temperature must lie in 0-5"),
        ({"top_p": 0.0}, "top-p in"),
        ({"top_p": 1.5}, "top-p in"),
        ({"steps_per_quarter": 0}, "steps per quarter must lie in 1-48"),
        ({"steps_per_quarter": 49}, "steps per quarter must lie in 1-48"),
    ],
)
def test_options_out_of_range_are_refused(drummer: Drummer, song: Song, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        drummer.accompany(song, **options)


@pytest.mark.parametrize("takes", [0, 17])
def test_the_number_of_takes_is_bounded(drummer: Drummer, song: Song, takes: int) -> None:
    with pytest.raises(InputError, match="takes must lie in 1-16"):
        drummer.accompany_takes(song, takes)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no readable config.json"):
        load_drummer(tmp_path)


def test_playing_needs_no_torch(drummer_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(band_song(3))
    code = (
        "import sys\nsys.modules['torch'] = None\nimport backbeat\nsong = backbeat.read_song(sys.argv[1])\n"
        "print(int(backbeat.load_drummer(sys.argv[2]).accompany(song).hits.any()))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(backbeat.__file__).parents[1])}
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "song.mid"), str(drummer_folder)], capture_output=True, text=True, timeout=60, env=environment
    )
    assert (result.stdout.strip(), result.stderr) == ("1", "")


def test_the_shipped_drummer_plays_a_song(shipped_folder: Path, song: Song, tmp_path: Path) -> None:
    groove = load_drummer().accompany(song, seed=1)
    assert same(groove, load_drummer(shipped_folder).accompany(song, seed=1))
    counts = groove.count_hits()
    assert counts["kick"] and counts["snare"], "a drummer of a plain 4/4 song plays kick and snare"
    write_song(song, groove, tmp_path / "out.mid")
    assert parse_song((tmp_path / "out.mid").read_bytes()).drum_parts
