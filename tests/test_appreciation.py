"""The appreciation: drums that fit score above drums that do not, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.appreciation import Appreciation, Passage, appreciate
from backbeat.appreciation.judge import LIMIT, Judge, fit_judge, load_judges
from backbeat.appreciation.pairing import Band, Pairing
from backbeat.appreciation.parts import PARTS, Tally, take_residual, tally_all
from backbeat.appreciation.verdict import cut_passages, lay_drums
from backbeat.cues import hear
from backbeat.drummer import load_drummer
from backbeat.errors import ModelError, SongError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.midi import parse_song, splice_drums
from backbeat.models.drummer import DrummerModel
from backbeat.song import Song
from tests.midi.builders import METRES, Track, band_song, midi

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMES = ("one", "two", "three")


@pytest.fixture(scope="module")
def model(shipped_folder: Path) -> DrummerModel:
    return DrummerModel(shipped_folder)


@pytest.fixture(scope="module")
def bare() -> Song:
    """55 bars of 4/4 and 7/8 without drums."""
    return parse_song((EXAMPLES / "song.mid").read_bytes())


@pytest.fixture(scope="module")
def groove(bare: Song, shipped_folder: Path) -> Groove:
    return load_drummer(shipped_folder).accompany(bare, seed=3)


@pytest.fixture(scope="module")
def played(bare: Song, groove: Groove, model: DrummerModel) -> Appreciation:
    return appreciate(with_drums(bare, groove), model=model)


def with_drums(song: Song, groove: Groove) -> Song:
    return parse_song(splice_drums(song, groove))


def move(groove: Groove, steps: int) -> Groove:
    return groove.replace(**{n: np.roll(getattr(groove, n), steps, axis=0) for n in ("hits", "velocities", "offsets")})


def value(result: Appreciation, part: str) -> float:
    return next(p.value for p in result.parts if p.name == part)


@pytest.mark.parametrize("steps", [2, 4, 16], ids=["half a beat", "a beat", "a bar"])
def test_drums_that_come_late_score_lower(bare: Song, groove: Groove, played: Appreciation, model: DrummerModel, steps: int) -> None:
    late = appreciate(with_drums(bare, move(groove, steps)), model=model)
    assert late.score < played.score and late.chance < played.chance


def test_random_drums_do_not_suit(bare: Song, groove: Groove, played: Appreciation, model: DrummerModel) -> None:
    hits = np.random.default_rng(0).permutation(groove.hits.ravel()).reshape(groove.hits.shape)
    noise = Groove(groove.grid, groove.kit, hits, np.where(hits, 0.7, 0).astype(np.float32), np.zeros(hits.shape, np.float32))
    result = appreciate(with_drums(bare, noise), model=model)
    assert result.score < played.score and result.verdict == "does not suit"
    assert played.verdict == "suits" and played.above_other > 0.8
    assert result.list_worst()


def test_every_part_is_worse_with_the_bars_in_disorder(bare: Song, groove: Groove, played: Appreciation, model: DrummerModel) -> None:
    result = appreciate(with_drums(bare, move(groove, 7 * 16)), model=model)
    for part in ("gain", "ear", "place", "kick_moves", "stops", "turns", "form", "density"):
        assert value(result, part) < value(played, part), part


def test_the_drums_of_another_file_are_those_of_the_song(bare: Song, groove: Groove, model: DrummerModel, played: Appreciation) -> None:
    apart = appreciate(bare, with_drums(bare, groove), model=model)
    assert apart.to_dict() == played.to_dict()


def test_an_empty_track_changes_nothing(bare: Song, groove: Groove, played: Appreciation, model: DrummerModel) -> None:
    data = splice_drums(bare, groove)
    tracks = int.from_bytes(data[10:12], "big") + 1
    more = data[:10] + tracks.to_bytes(2, "big") + data[12:] + Track().name("Nothing").chunk()
    assert appreciate(parse_song(more), model=model).to_dict() == played.to_dict()


def test_passages_cover_the_song_and_its_metres(played: Appreciation) -> None:
    bars = [b for p in played.passages for b in range(p.first, p.last + 1)]
    assert bars == list(range(55))
    assert all(0 <= p.chance <= 1 and p.trouble in PARTS for p in played.passages)


@pytest.mark.parametrize(("numerator", "denominator"), METRES)
def test_every_metre_is_judged(model: DrummerModel, numerator: int, denominator: int) -> None:
    result = appreciate(parse_song(band_song(6, numerator=numerator, denominator=denominator)), model=model)
    assert np.isfinite(result.score) and 0 <= result.chance <= 1
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_song_without_drums_is_refused(bare: Song, model: DrummerModel) -> None:
    with pytest.raises(SongError, match="no drums to judge: name some with --drums"):
        appreciate(bare, model=model)
    with pytest.raises(SongError, match="no drums to judge: name a file with a drum part"):
        appreciate(bare, bare, model=model)


def test_drums_without_a_band_are_refused(model: DrummerModel) -> None:
    drums = Track()
    for k in range(16):
        drums.note(480 * k, 100, 36, channel=9)
    with pytest.raises(SongError, match="only drums"):
        appreciate(parse_song(midi(drums.chunk())), model=model)


def test_silence_and_notes_outside_the_kit_are_refused(bare: Song, model: DrummerModel) -> None:
    with pytest.raises(SongError, match="has no notes"):
        appreciate(parse_song(midi(Track().chunk(9600))), model=model)
    strange = parse_song(midi(Track().note(0, 100, 1, channel=9).chunk()))
    with pytest.raises(SongError, match="no drum note that a drum kit has: nothing to judge"):
        appreciate(bare, strange, model=model)


def loop_of(bars: int, division: int = 480) -> Song:
    drums = Track().metre(0, 4, 4)
    for k in range(4 * bars):
        drums.note(k * division, division // 4, 38 if k % 2 else 36, channel=9)
    return parse_song(midi(drums.chunk(4 * division * bars), division=division))


@pytest.mark.parametrize("division", [96, 480, 960])
def test_a_loop_is_repeated_beat_for_beat(division: int) -> None:
    song = parse_song(band_song(8))
    _, once, _ = lay_drums(song, loop_of(2, division))
    grid, again, warnings = lay_drums(song, loop_of(2, division), loop=True)
    assert not warnings and grid.bars == 8
    assert np.array_equal(np.flatnonzero(once.hits.any(axis=1)), np.arange(0, 32, 4))
    assert np.array_equal(np.flatnonzero(again.hits.any(axis=1)), np.arange(0, 128, 4))
    assert np.array_equal(again.hits[:32], again.hits[96:])


def test_drums_longer_than_the_song_are_cut_and_counted() -> None:
    grid, groove, warnings = lay_drums(parse_song(band_song(4)), loop_of(6))
    assert grid.bars == 4 and groove.hits.sum() == 16
    assert warnings == ("8 drum notes behind the end of the song are left out",)


def test_notes_outside_the_kit_are_named() -> None:
    drums = Track().note(0, 100, 36, channel=9).note(480, 100, 1, channel=9).note(960, 100, 1, channel=9)
    _, _, warnings = lay_drums(parse_song(band_song(4)), parse_song(midi(drums.chunk())))
    assert warnings[-1] == "2 drum notes that the kit does not know are left out: 1"


def test_drums_of_another_form_are_told() -> None:
    waltz, short = Track().metre(0, 3, 4), loop_of(2)
    for k in range(12):
        waltz.note(480 * k, 100, 36, channel=9)
    _, _, warnings = lay_drums(parse_song(band_song(4)), parse_song(midi(waltz.chunk())))
    assert warnings == ("the drums are in 3/4, the song in 4/4: they are laid over it beat for beat",)
    _, _, warnings = lay_drums(parse_song(band_song(8)), short)
    assert warnings == ("the drums end after 8 of the song's 32 quarters, and rest from there on: --loop repeats them",)
    assert not lay_drums(parse_song(band_song(8)), short, loop=True)[2] and not lay_drums(parse_song(band_song(8)), loop_of(7))[2]


def test_the_worst_passages_are_joined_where_they_touch() -> None:
    passages = [
        Passage(0, 3, 0.9, 0.5, "form"),
        Passage(4, 7, 0.2, 0.02, "ear"),
        Passage(8, 11, 0.1, 0.01, "ear"),
        Passage(12, 15, 0.15, 0.02, "form"),
        Passage(20, 23, 0.05, 0.0, "form"),
    ]
    result = Appreciation(0.0, 0.5, 0.5, 0.5, (), tuple(passages), 1)
    assert [(p.first, p.last, p.trouble) for p in result.list_worst()] == [(20, 23, "form"), (4, 11, "ear"), (12, 15, "form")]
    assert [w["bars"] for w in result.to_dict()["worst"]] == [[21, 24], [5, 12], [13, 16]]
    assert len(result.list_worst(1)) == 1 and result.verdict == "suits in part"


def test_a_tally_of_nothing_is_nan() -> None:
    tally = Tally(np.array([0.0, 2.0]), np.array([0.0, 4.0]))
    assert np.isnan(tally.value(0, 1)) and tally.value() == 0.5


def test_passages_are_cut_from_the_start() -> None:
    assert cut_passages(9) == [(0, 4), (4, 8), (8, 9)] and cut_passages(4) == [(0, 4)]


@given(st.integers(1, 12), st.sampled_from([(4, 4), (7, 8), (3, 4)]), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_a_residual_is_what_the_place_does_not_explain(bars: int, metre: tuple[int, int], seed: int) -> None:
    grid = Grid.regular(bars, *metre)
    length = int(grid.bar_steps[0])
    values = np.random.default_rng(seed).random((grid.steps, 2))
    left = take_residual(values, grid)
    assert np.allclose(left.reshape(bars, length, 2).sum(axis=0), 0)
    assert np.allclose(take_residual(np.tile(values[:length], (bars, 1)), grid), 0), "a loop has none"


def test_the_network_gives_bits_for_what_it_expects() -> None:
    song = parse_song(band_song(6))
    grid, groove, _ = lay_drums(song)
    hits = nine(groove)
    sure = np.where(hits, 3.0, -3.0)
    flat = np.full(hits.shape, -1.0)
    for expected, sign in ((sure, 1), (-sure, -1)):
        p = Pairing(Band(hear(song, grid), expected, flat), hits, np.zeros(hits.shape), np.zeros(len(hits)))
        assert np.sign(tally_all(p)["ear"].value()) == sign


def test_hits_beside_the_metre_lie_worse_in_it(played: Appreciation, bare: Song, groove: Groove, model: DrummerModel) -> None:
    late = appreciate(with_drums(bare, move(groove, 2)), model=model)
    assert value(late, "metre") < value(played, "metre") - 0.3 and late.above_real < played.above_real - 0.2


def nine(groove: Groove) -> np.ndarray:
    from backbeat.kits import load_kit

    return groove.to_kit(load_kit("drums_rnn_9")).hits


def test_kick_and_bass_are_counted_by_hand() -> None:
    song = parse_song(band_song(6))
    grid, groove, _ = lay_drums(song)
    hits = nine(groove)
    none = np.zeros(hits.shape)
    parts = tally_all(Pairing(Band(hear(song, grid), none, none), hits, none, np.zeros(len(hits))))
    assert parts["kick_and_bass"].value() == 0.5, "bass on every beat, kick on 1 and 3"
    for part in ("kick_moves", "stops", "density", "place"):
        assert np.isnan(parts[part].value()), f"{part}: the band strikes the same in every bar, there is nothing to follow"
    cues = hear(song, grid)
    cues.onsets[grid.first_steps[3] + 2, 0] = 1
    parts = tally_all(Pairing(Band(cues, none, none), hits, none, np.zeros(len(hits))))
    assert parts["kick_moves"].value() == 0, "the bass moves now, and a kick that never changes does not follow it"
    assert parts["rests"].value() == 1 and parts["feel"].value() == 0
    assert np.isnan(parts["accents"].value()), "there is no crash"


def test_shapes_are_checked() -> None:
    song = parse_song(band_song(6))
    none = np.zeros((song.grid().steps, 9))
    with pytest.raises(ValueError, match="must be"):
        Pairing(Band(hear(song, song.grid()), none, none), none[:-1] > 0, none, none[:, 0])


def draw(seed: int, lift: float) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(200, 3)) + np.array([lift, 0, -lift])


def test_a_judge_learns_what_separates_and_never_weighs_below_zero() -> None:
    judge = fit_judge(NAMES, draw(0, 1.5), draw(1, 0))
    assert judge.weight[0] > 0.3 and judge.weight.min() >= 0 and judge.weight[2] == 0
    assert np.mean(judge.score(draw(2, 1.5)) > judge.score(draw(3, 0))) > 0.75
    assert judge.chance(5.0) > 0.9 > 0.1 > judge.chance(-5.0)


def test_tracks_out_of_place_teach_the_weights_but_are_no_other_songs() -> None:
    real, other = draw(0, 0), draw(1, 0)
    donated = np.arange(200) < 100
    other[~donated, 1] -= 4
    judge = fit_judge(NAMES, real, other, donated)
    assert judge.weight[1] > max(judge.weight[0], judge.weight[2])
    assert judge.other[1, 0] > -4, "the percentiles are those of other songs' tracks"


def test_a_judge_survives_json_and_nothing_counts_as_the_mean() -> None:
    judge = fit_judge(NAMES, draw(0, 1), draw(1, 0))
    again = Judge.from_dict(json.loads(json.dumps(judge.to_dict())))
    values = draw(5, 0)
    assert np.allclose(judge.score(values), again.score(values), atol=1e-3)
    assert judge.score(np.full(3, np.nan)) == 0
    assert np.allclose(judge.weigh(np.full(3, 1e9)), LIMIT * judge.weight)


def test_shares_of_tracks_below_run_from_0_to_1() -> None:
    judge = fit_judge(NAMES, draw(0, 1), draw(1, 0))
    assert judge.place(-99) == (0, 0) and judge.place(99) == (1, 1)
    real, other = judge.place(float(np.median(draw(0, 1)[:, 0])), "one")
    assert real == pytest.approx(0.5, abs=0.02) and other > 0.7


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no readable config\.json"):
        load_judges(tmp_path)
    config = {"schema": 1, "song": fit_judge(NAMES, draw(0, 1), draw(1, 0)).to_dict(), "passage": {}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="damaged"):
        load_judges(tmp_path)
    config["song"]["mean"] = [0]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="do not fit"):
        load_judges(tmp_path)


def test_shipped_weights_fit_the_parts() -> None:
    for judge in load_judges():
        assert judge.parts == tuple(PARTS) and judge.weight.min() >= 0 and (judge.weight > 0).sum() >= 8
        assert np.all(np.diff(judge.real, axis=1) >= 0) and np.mean(judge.real[-1] > judge.other[-1]) > 0.9


def test_the_song_is_not_changed(bare: Song, groove: Groove, model: DrummerModel) -> None:
    before = replace(bare)
    appreciate(bare, with_drums(bare, groove), model=model)
    assert bare.data == before.data and bare.parts == before.parts
