"""NeuralDrummer at work: what it draws is what it scores, it stays in time in any metre, and the original's decoding is the original's."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from backbeat.codecs.words import words_to_hits
from backbeat.errors import InputError, ModelError
from backbeat.grid import Grid
from backbeat.kits import load_kit
from backbeat.models.floors import list_pulses
from backbeat.models.neural_drummer import (
    NeuralDrummer,
    OriginalNeuralDrummer,
    Playing,
    find_alarms,
    find_half_beats,
    load_shipped,
    make_start,
    open_neural_drummer,
    read_playing,
    tell_intensity,
)
from backbeat.models.protocol import HeardBand, Piece
from backbeat.models.registry import load_model
from tests.models.pieces import make_piece, vary

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

FOLDER = TemporaryDirectory()


@cache
def folder(variant):
    from backbeat.models.neural_drummer_inputs import BAND, PAST
    from backbeat.networks.neural_drummer import NeuralDrummer as Windows
    from backbeat.networks.neural_drummer import NeuralDrummerConfig, StepDrummer, StepDrummerConfig
    from backbeat.training.neural_drummer import export_steps, export_windows

    torch.manual_seed(2)
    path = Path(FOLDER.name) / variant
    if variant == "steps":
        network = StepDrummer(StepDrummerConfig(BAND, PAST, units=16, layers=2))
        with torch.no_grad():
            network.logits.weight.mul_(8)
        export_steps(network, path, {"data": {"name": "nothing", "pieces": 0}})
    else:
        export_windows(Windows(NeuralDrummerConfig(units=16)), path, "neuraldrummer_6", {})
    return path


def make_song(bars=6, metre=(4, 4), seed=0, rest=()):
    rng = np.random.default_rng(seed)
    grid = Grid.regular(bars, *metre)
    onsets = (rng.random((grid.steps, 6)) < 0.3).astype(np.float32)
    active = np.ones(bars, bool)
    active[list(rest)] = False
    onsets[~active[grid.bar_of_step]] = 0
    return Piece("song", grid, rng.integers(0, 512, grid.steps).astype(np.uint16), HeardBand(onsets, active))


@pytest.fixture(scope="module")
def model():
    return NeuralDrummer(open_neural_drummer(folder("steps")).session)


@pytest.mark.parametrize("metre", [(4, 4), (6, 8), (7, 8), (3, 4)])
def test_it_scores_and_plays_in_any_metre(model, metre):
    song = make_song(metre=metre)
    scores, hits = model.score(song), model.play(song, np.random.default_rng(1))
    assert scores.shape == (song.grid.steps,) and np.isfinite(scores).all() and (scores <= 1e-6).all()
    assert hits.shape == (song.grid.steps, 9) and hits.any()
    last = song.grid.first_steps[-2]
    assert hits[last:].any(), "it must play until the end, in time"


def test_what_it_draws_from_is_what_it_scores(model):
    song = make_song()
    take, scores = model.begin(song.grid, song.band), model.score(song)
    for step, word in enumerate(song.words.tolist()):
        distribution = take.distribution()
        assert distribution.sum() == pytest.approx(1, abs=1e-5)
        assert np.log2(distribution[word]) == pytest.approx(scores[step], abs=1e-4)
        take.push(word)


@pytest.mark.slow
def test_scores_sum_to_one_over_the_words(model):
    song = make_song(bars=1)
    for step in (0, 7):
        variants = [Piece("v", song.grid, p.words, song.band) for p in vary(song.words, step)]
        assert sum(2 ** model.score(p)[step] for p in variants) == pytest.approx(1, abs=1e-4)


def test_it_listens_and_can_be_deafened(model):
    song, other = make_song(seed=0), make_song(seed=5)
    swapped = Piece("swapped", song.grid, song.words, other.band)
    assert not np.allclose(model.score(song), model.score(swapped))
    deaf = model.leave_band()
    assert np.array_equal(deaf.score(song), deaf.score(swapped)) and "no band" in deaf.name
    assert np.array_equal(deaf.score(song), model.score(Piece("alone", song.grid, song.words)))


def test_it_expects_what_it_predicts(model):
    song = make_song(bars=2)
    expected = model.expect(song)
    take = model.begin(song.grid, song.band)
    bits = words_to_hits(np.arange(512))
    assert expected[0] == pytest.approx(take.distribution() @ bits, abs=1e-5)


def test_it_rests_where_the_band_rests_and_its_seed_decides(model):
    song = make_song(rest=(2, 5))
    first, again, other = (model.play(song, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not first[32:48].any() and not first[80:].any()


class Sleeper:
    """A network that would rather rest, always."""

    def start(self):
        return {}

    def run(self, inputs, state):
        log_p = np.full((*inputs["band"].shape[:2], 512), -40.0, np.float32)
        log_p[..., 0], log_p[..., 4] = 0, -20
        return {"words": log_p}, state


@pytest.mark.parametrize("metre", [(4, 4), (6, 8), (5, 8), (7, 8)])
def test_it_does_not_sleep_while_the_band_plays(metre):
    """What has rested goes on resting: in 5/8 a song of 24 bars once got two hits."""
    song = make_song(bars=12, metre=metre, rest=(6, 7))
    hits = NeuralDrummer(Sleeper(), Playing(least_doubt=0, doubt=1e-4)).play(song, np.random.default_rng(0))
    struck = [hits[a:b].any() for a, b in pairwise(song.grid.first_steps.tolist())]
    assert struck == [False] * 2 + [True] * 4 + [False] * 4 + [True] * 2, "two bars of rest are allowed, at the beginning and after a break"
    assert set(song.grid.step_in_bar[hits.any(axis=1)].tolist()) <= set(list_pulses(song.grid, 0))


def test_alarms_look_at_two_bars_in_which_the_band_sounds():
    grid = Grid.regular(4)
    alarms = find_alarms(grid, np.ones(64, bool))
    assert alarms[:32] == [(0, 0)] * 32 and alarms[32] == (16, 3) and alarms[36] == (20, 3) and alarms[33] == (0, 0)
    assert find_alarms(grid, np.arange(64) >= 16)[32:48] == [(0, 0)] * 16
    assert not any(enough for _, enough in find_alarms(Grid.regular(1), np.ones(16, bool)))


def test_a_cutoff_draws_nothing():
    model = NeuralDrummer(open_neural_drummer(folder("steps")).session, Playing(cutoff=0.3))
    song = make_song(rest=(1,))
    hits = model.play(song, np.random.default_rng(0))
    assert np.array_equal(hits, model.play(song, np.random.default_rng(9))) and not hits[16:32].any()
    assert np.array_equal(hits[:16], model.guess(song.grid, song.band)[:16] >= 0.3)


def test_a_temperature_of_zero_draws_nothing_either(model):
    song = make_song()
    assert np.array_equal(*(model.play(song, np.random.default_rng(seed), temperature=0) for seed in (1, 2)))
    with pytest.raises(InputError, match="temperature must lie in 0-5"):
        model.play(song, np.random.default_rng(0), temperature=7)


def test_the_folder_says_how_it_plays(tmp_path):
    for name in ("network.onnx", "card.md"):
        (tmp_path / name).write_bytes((folder("steps") / name).read_bytes())
    config = json.loads((folder("steps") / "config.json").read_text(encoding="utf-8"))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config | {"playing": {"cutoff": 0.4, "temperature": 0.5}}), encoding="utf-8")
    assert load_model(tmp_path).playing == Playing(cutoff=0.4, temperature=0.5)
    path.write_text(json.dumps(config | {"playing": {"volume": 11}}), encoding="utf-8")
    with pytest.raises(ModelError, match="no setting 'volume'"):
        load_model(tmp_path)
    path.write_text(json.dumps(config | {"variant": "waves"}), encoding="utf-8")
    with pytest.raises(ModelError, match="variant 'waves'"):
        load_model(tmp_path)


def test_settings_are_checked():
    assert read_playing({"start": "blank"}).start == "blank"
    for settings, message in (({"start": "loud"}, "no start 'loud'"), ({"cutoff": 2}, "cutoff must lie"), ({"top_p": 0}, "top-p")):
        with pytest.raises(InputError, match=message):
            read_playing(settings)


def test_it_is_trained_elsewhere(model):
    with pytest.raises(ModelError, match="backbeat train neural-drummer"):
        model.fit([])
    assert model.tune([]) is None


# The original's decoding.


class Echo:
    """A network that hits the class by which it is told, and keeps the windows it was given."""

    def __init__(self, logits):
        self.logits, self.windows, self.config = logits, [], {"kit": load_kit("neuraldrummer_6").to_dict()}

    def run(self, inputs, state):
        self.windows.append(inputs["windows"][0].copy())
        return {"hits": np.array([self.logits(len(self.windows) - 1)], np.float32)}, state


def decode(logits, steps=20, start="basic", **playing):
    echo = Echo(logits)
    model = OriginalNeuralDrummer(echo, Playing(**playing))
    intensity = np.linspace(-2, 2, steps).astype(np.float32)
    return model.decode(intensity, make_start(start, 6, np.random.default_rng(0))), echo, intensity


def test_what_reaches_the_cutoff_is_hit_and_the_strongest_always():
    hits, *_ = decode(lambda step: [-9, -1.3, -9, -1.5, -9, -9] if step % 2 else [-9, -8, -9, -9, -9, -9])
    assert hits[0].tolist() == [False, True, False, False, False, False]
    assert hits[1].tolist() == [False, True, False, False, False, False], "sigmoid(-1.3) is above .2, sigmoid(-1.5) is not"
    assert hits.sum(axis=1).min() == 1
    hits, *_ = decode(lambda step: [-1.3, -1, -9, -9, -9, -9], cutoff=0.5)
    assert hits[:, 1].all() and not hits[:, 0].any()


def test_the_window_rolls_and_its_intensities_are_overwritten():
    hits, echo, intensity = decode(lambda step: [9 if k == step % 6 else -9 for k in range(6)])
    start = make_start("basic", 6, np.random.default_rng(0))
    assert np.array_equal(echo.windows[0], start)
    assert np.array_equal(echo.windows[3][:5], start[3:])
    for step in (8, 12, 19):
        assert np.array_equal(echo.windows[step][:, :6] > 0, hits[step - 8 : step])
        assert np.array_equal(echo.windows[step][:, 6], intensity[step - 8 : step])


def test_the_four_starts():
    rng = np.random.default_rng(1)
    basic, count_in, blank, random = (make_start(name, 6, rng) for name in ("basic", "count-in", "blank", "random"))
    assert np.flatnonzero(basic[:, 0]).tolist() == [0, 4] and np.flatnonzero(basic[:, 1]).tolist() == [2, 6] and basic[:, 2].all() and not basic[:, 3:].any()
    assert np.flatnonzero(count_in[:, 2]).tolist() == [0, 2, 4, 6] and (count_in[:, 6] == -2).all() and not count_in[:, [0, 1, 3, 4, 5]].any()
    assert not blank.any() and random[:, :6].sum(axis=1).min() >= 1 and random[:, :6].sum(axis=1).max() <= 4


def test_intensity_at_work_is_normalised_twice_and_never_nan():
    assert not tell_intensity(np.full(40, 2.0)).any() and tell_intensity(np.ones(1)).tolist() == [0]
    values = tell_intensity(np.array([1.0, 5, 1, 5, 1, 5, 1, 5]))
    assert values.tolist()[:7] == [1, -1, 1, -1, 1, -1, 1] or (values[:7:2] > 0).all(), "step t carries the intensity of t + 1"


@pytest.mark.parametrize("metre", [(4, 4), (7, 8), (3, 4)])
def test_the_original_plays_on_eighths_of_our_grid(metre):
    model, song = open_neural_drummer(folder("windows")), make_song(metre=metre)
    hits = model.play(song, np.random.default_rng(0))
    places = find_half_beats(song.grid)
    assert hits.shape == (song.grid.steps, 9) and hits[places].any(axis=1).all(), "it cannot rest"
    hits[places] = False
    assert not hits.any()


def test_the_shipped_one_follows_its_song():
    try:
        model = load_shipped()
    except ModelError:
        pytest.skip("this checkout has no shipped weights (src/backbeat/weights/neural_drummer)")
    words = np.tile(np.array([5, 0, 4, 0, 6, 0, 4, 0], np.uint16), 8)
    onsets = np.zeros((64, 6), np.float32)
    onsets[::4, :2] = 1
    song = make_piece(words, onsets=onsets)
    noise = make_piece(np.random.default_rng(0).integers(0, 512, 64).astype(np.uint16), onsets=onsets)
    assert model.score(song).mean() > -2.5 > model.score(noise).mean()
    assert model.play(song, np.random.default_rng(0)).any()


@pytest.mark.parametrize(("variant", "metre"), [("steps", (6, 8)), ("steps", (7, 8)), ("windows", (6, 8)), ("windows", (4, 4))])
def test_a_whole_song_gets_drums_until_its_end(variant, metre):
    """In 6/8 the original's drums ended after two thirds of the song; on our grid even its network stays in time."""
    from backbeat.drummer import load_player
    from backbeat.midi import parse_song, splice_drums
    from tests.midi.builders import band_song

    song = parse_song(band_song(24, numerator=metre[0], denominator=metre[1], drums=False))
    groove = load_player(folder(variant)).accompany(song, seed=1)
    again = parse_song(splice_drums(song, groove))
    (drums,) = again.drum_parts
    bars = song.grid().bar_ticks
    assert bars[-2] <= drums.notes["onset"].max() < bars[-1]
    assert [p.notes.tolist() for p in again.band] == [p.notes.tolist() for p in song.band]
