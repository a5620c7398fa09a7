"""Profiles: distributions stay distributions, a player is learned, the performer stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.strokes import Strokes
from backbeat.errors import InputError, ModelError, OutputError
from backbeat.models.performer import SHIPPED, PerformerNet, open_performer
from backbeat.models.performer_inputs import FAMILIES, LATE_SCALE, VELOCITY_SCALE
from backbeat.performer import Performer
from backbeat.profiles import Manner, compare, cross_validate, learn_manner, load_profile, make_take, write_profile
from backbeat.profiles.calibration import KNOTS, Calibration, Mixture, make_identity
from backbeat.profiles.drawing import learn_drawing
from backbeat.profiles.habits import COMPONENTS, EXPECTED, LATEST, Habits, count_strokes
from backbeat.profiles.steadiness import Frame, count_frames, fit_steadiness
from backbeat.profiles.takes import cut_frame
from tests.performing import make_rock

FAR = np.random.default_rng(3)


@pytest.fixture(scope="module")
def net() -> PerformerNet:
    return open_performer()


def play_takes(net: PerformerNet, count: int, bars: int = 6) -> list[Strokes]:
    return [Performer(net).perform_strokes(make_rock(bars, qpm=100 + 10 * k), seed=k) for k in range(count)]


def soften(strokes: Strokes) -> Strokes:
    """Half as loud, and the snare 12 ms late."""
    late = strokes.late + 12 * (strokes.columns == strokes.kit.index("snare"))
    return strokes.play(velocities=(np.floor(strokes.velocities * 63 + 0.5).clip(1, 127) / 127).astype(np.float32), late=late.astype(np.float32))


def even_out(strokes: Strokes) -> Strokes:
    """A steady hand: all of a drum nearly alike."""
    means = (np.bincount(strokes.columns, strokes.velocities) / np.maximum(np.bincount(strokes.columns), 1))[strokes.columns]
    loud = means + 0.2 * (strokes.velocities - means)
    return strokes.play(velocities=(np.floor(loud * 127 + 0.5) / 127).astype(np.float32), late=(0.3 * strokes.late).astype(np.float32))


@pytest.fixture(scope="module")
def soft(net: PerformerNet) -> Manner:
    return learn_manner(net, [make_take(soften(s)) for s in play_takes(net, 4)])


@pytest.fixture
def folder(soft: Manner, tmp_path: Path) -> Path:
    write_profile(soft, tmp_path / "me", {"takes": 4}, {"fall": 0.1})
    return tmp_path / "me"


def make_calibration() -> Calibration:
    numbers = np.random.default_rng(0).normal(0, 0.4, (len(FAMILIES), KNOTS + 3))
    numbers[:, 0] = 0.05
    numbers[:, -2] *= 20
    return Calibration(numbers)


def test_a_calibrated_distribution_is_one() -> None:
    rng = np.random.default_rng(1)
    mixture = Mixture(np.log(np.full((1, 2), 0.5)), rng.normal(size=(1, 2)), np.full((1, 2), 0.2), rng.normal(size=(1, 2)), np.full((1, 2), 0.3))
    calibration, drum = make_calibration(), np.full(127, 3)
    many = Mixture(*(m.repeat(127, axis=0) for m in mixture))
    nats = calibration.measure(many, np.arange(1, 128) / 127, np.zeros(127), drum)
    assert np.exp(nats[:, 0]).sum() == pytest.approx(1, abs=1e-9)
    ms = np.arange(-400, 400, 0.5)
    many = Mixture(*(m.repeat(len(ms), axis=0) for m in mixture))
    nats = calibration.measure(many, np.full(len(ms), 0.5), ms, np.full(len(ms), 3))
    assert np.exp(nats[:, 1]).sum() * 0.5 == pytest.approx(1, abs=1e-3)


def test_to_the_player_and_back() -> None:
    calibration, rng = make_calibration(), np.random.default_rng(2)
    families = rng.integers(0, len(FAMILIES), 200)
    velocities, late = rng.uniform(0.05, 0.95, 200), rng.normal(0, 20, 200)
    frame = calibration.to_frame(velocities, late, families)
    again = calibration.to_player(*frame, families)
    np.testing.assert_allclose(again[0], velocities, atol=1e-9)
    np.testing.assert_allclose(again[1], late, atol=1e-9)
    same = make_identity().to_frame(velocities, late, families)
    np.testing.assert_allclose(same[0], velocities, atol=1e-12)


def test_habits_are_distributions_and_draws_follow_them() -> None:
    rng = np.random.default_rng(4)
    families, places = np.full(400, 1), rng.integers(0, 16, 400)
    counts = count_strokes(rng.choice([40, 90], 400) / 127, rng.normal(8, 2, 400), families, places)
    weights = np.full((2, len(FAMILIES), COMPONENTS), 1 / (COMPONENTS - EXPECTED))
    weights[:, :, :EXPECTED] = 0
    habits = Habits(*counts, weights)
    levels = np.arange(1, 128) / 127
    shares = habits.share(levels, np.zeros(127), np.full(127, 1), np.full(127, 5))
    np.testing.assert_allclose(shares[0].sum(axis=0), 1, atol=1e-9)
    ms = np.arange(-LATEST, LATEST + 1.0)
    shares = habits.share(np.full(len(ms), 0.5), ms, np.full(len(ms), 1), np.full(len(ms), 5))
    np.testing.assert_allclose(shares[1].sum(axis=0), 1, atol=1e-9)
    loud, late = habits.draw(np.full(4000, 0.99), np.full(4000, -50.0), np.full(4000, 1), np.full(4000, 5), rng)
    assert abs(late.mean() - 8) < 1 and loud.max() < 0.85


def make_frame(count: int, seed: int = 0) -> Frame:
    """Strokes of two drums at two places, as the performer might expect them."""
    rng = np.random.default_rng(seed)
    logits = np.log(np.full((count, 2), 0.5))
    mixture = Mixture(logits, rng.normal(0, 0.2, (count, 2)), np.full((count, 2), 0.4), rng.normal(0, 0.2, (count, 2)), np.full((count, 2), 0.5))
    families, places = rng.integers(0, 2, count), rng.integers(0, 2, count)
    loud, late = 0.3 * families - 0.3 * places + rng.normal(0, 0.05, count), 0.5 * places + rng.normal(0, 0.05, count)
    half = 0.5 / 127 / VELOCITY_SCALE
    return Frame(mixture, loud + half, loud - half, (loud, late), np.full(count, np.log(LATE_SCALE)), families, places)


def test_steadiness_keeps_distributions_and_finds_accents_and_lags() -> None:
    frames = [make_frame(150, seed) for seed in range(4)]
    tables, whole = [count_frames([f]) for f in frames], count_frames(frames)
    steady = fit_steadiness(frames[:3], [whole - t - tables[3] for t in tables[:3]], whole - tables[3])
    nothing = replace(steady, numbers=np.zeros_like(steady.numbers))
    gain = (steady.measure(frames[3]) - nothing.measure(frames[3])).mean(axis=0) / np.log(2)
    assert (gain > 1).all(), gain
    one = cut_frame(frames[3], slice(0, 1))
    edges = (np.arange(0, 128) - 0.5 - 63.5) / 127 / VELOCITY_SCALE
    edges[0], edges[-1] = -1e4, 1e4
    whole_range = [one._replace(lower=np.array([a]), upper=np.array([b])) for a, b in pairwise(edges)]
    assert np.exp([steady.measure(f)[0, 0] for f in whole_range]).sum() == pytest.approx(1, abs=1e-6)
    grid = np.arange(-20, 20, 0.02)
    density = [np.exp(steady.measure(one._replace(values=(one.values[0], np.array([x]))))[0, 1]) * LATE_SCALE for x in grid]
    assert np.sum(density) * 0.02 == pytest.approx(1, abs=1e-2)


def test_draws_are_carried_to_the_mean_and_the_spread_of_the_player() -> None:
    rng = np.random.default_rng(5)
    families, places = rng.integers(0, 2, 4000), rng.integers(0, 4, 4000)
    rests = np.stack([0.4 * families + rng.normal(0, 0.2, 4000), -0.3 * places + rng.normal(0, 0.5, 4000)], axis=1)
    theirs = rng.normal(0.1, 1.0, (4000, 2))
    drawing = learn_drawing(rests, theirs, families, places)
    carried = drawing.carry(theirs, np.zeros((4000, 2)), families, places)
    for drum in (0, 1):
        own = families == drum
        np.testing.assert_allclose(carried[own].mean(axis=0), rests[own].mean(axis=0), atol=0.03)
        np.testing.assert_allclose(carried[own].std(axis=0), rests[own].std(axis=0), rtol=0.1)


def test_takes_unlike_others_become_likelier(net: PerformerNet) -> None:
    takes = [make_take(even_out(s)) for s in play_takes(net, 6)]
    result = compare(net, learn_manner(net, takes[:4]), takes[4:])
    assert result.fall >= 0.10, result
    assert result.after[0] < result.before[0] and result.after[1] < result.before[1]


def test_a_player_as_the_performer_expects_hardly_changes(net: PerformerNet) -> None:
    result = cross_validate(net, [make_take(s) for s in play_takes(net, 3, bars=4)])
    assert result.fall > -0.05


def test_the_last_third_of_the_only_take_is_measured(net: PerformerNet) -> None:
    take = make_take(even_out(make_rock(9).play(late=FAR.normal(0, 10, len(make_rock(9))).astype(np.float32))))
    done: list[int] = []
    result = cross_validate(net, [take], watch=done.append)
    assert done == [1] and result.strokes == len(take.strokes) // 3


def test_too_few_strokes_are_refused(net: PerformerNet) -> None:
    with pytest.raises(InputError, match="too few"):
        learn_manner(net, [make_take(make_rock(1).play())._replace(stop=5)])


def test_it_plays_as_it_learned(net: PerformerNet, folder: Path) -> None:
    before = {p.name: p.read_bytes() for p in resources.files("backbeat").joinpath(SHIPPED).iterdir()}  # type: ignore[attr-defined]
    rock, player = make_rock(16), load_profile(folder)
    usual, own = Performer(net).perform_strokes(rock, seed=1), player.perform_strokes(rock, seed=1)
    assert own.velocities.mean() < 0.75 * usual.velocities.mean()
    snare = rock.columns == rock.kit.index("snare")
    lag = [float(s.late[snare].mean() - s.late[~snare].mean()) for s in (usual, own)]
    assert 4 < lag[1] - lag[0] < 20
    again = player.perform_strokes(rock, seed=1)
    assert np.array_equal(own.velocities, again.velocities) and np.array_equal(own.late, again.late)
    assert np.array_equal(own.columns, rock.columns) and np.array_equal(own.places, rock.places)
    assert before == {p.name: p.read_bytes() for p in resources.files("backbeat").joinpath(SHIPPED).iterdir()}  # type: ignore[attr-defined]


def test_likelihood_of_a_loaded_profile_is_that_of_the_learned(net: PerformerNet, soft: Manner, folder: Path) -> None:
    strokes = soften(play_takes(net, 5)[4])
    loaded = load_profile(folder).log_likelihood(strokes)
    usual = Performer(net).log_likelihood(strokes)
    assert loaded.sum(axis=1).mean() > usual.sum(axis=1).mean()
    result = compare(net, soft, [make_take(strokes)])
    assert -loaded.mean(axis=0) == pytest.approx(result.after, abs=1e-4)


def test_wrong_folders_are_refused(folder: Path, soft: Manner, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="holds something"):
        write_profile(soft, folder, {}, {})
    with pytest.raises(ModelError, match="not a profile"):
        load_profile(tmp_path / "nothing")
    (folder / "arrays.npz").write_bytes(b"PK broken")
    with pytest.raises(ModelError, match="damaged"):
        load_profile(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"performer": "0"}))
    with pytest.raises(ModelError, match="another performer"):
        load_profile(folder)
