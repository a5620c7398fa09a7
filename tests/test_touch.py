import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.asking import Wishes
from backbeat.codecs.controls import velocity_of
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.performer import Playing
from backbeat.touch import TOUCH, TYPED, Touch, mean_it, perform, play_by_hand, set_loudness, soften, spread_loudest, stay_with_band
from backbeat.transforms.playability import find_conflicts
from backbeat.units import TempoMap

KIT = load_kit("backbeat")
TEMPO = TempoMap(480, (0, 480 * 16), (500_000, 400_000))


def make_rock(bars: int = 8, velocity: float = 0.8) -> Groove:
    grid = Grid.regular(bars)
    hits = np.zeros((grid.steps, len(KIT)), np.bool_)
    hits[::2, KIT.index("closed_hat")] = hits[::8, KIT.index("kick")] = hits[4::8, KIT.index("snare")] = True
    return Groove(grid, KIT, hits, np.where(hits, velocity, 0).astype(np.float32), np.zeros(hits.shape, np.float32))


def test_hits_stay_and_are_played_by_a_person() -> None:
    groove = make_rock()
    played = play_by_hand(groove, TEMPO, seed=3)
    assert np.array_equal(played.hits, groove.hits)
    assert played.velocities[played.hits].std() > 0.03 and played.offsets[played.hits].std() > 0.01
    again, other = play_by_hand(groove, TEMPO, seed=3), play_by_hand(groove, TEMPO, seed=4)
    assert np.array_equal(again.velocities, played.velocities) and not np.array_equal(other.velocities, played.velocities)


def test_typed_is_left_as_it_is() -> None:
    groove = make_rock()
    assert play_by_hand(groove, TEMPO, TYPED) is groove
    empty = Groove.empty(groove.grid, KIT)
    assert not play_by_hand(empty, TEMPO).hits.any()


def test_swing_is_kept_under_the_playing() -> None:
    groove = make_rock(16)
    late = np.zeros(groove.hits.shape, np.float32)
    late[2::4] = 0.33
    played = perform(groove.replace(offsets=late * groove.hits), TEMPO, Playing())
    off, on = (played.offsets[first::4][groove.hits[first::4]] for first in (2, 0))
    assert off.mean() - on.mean() == pytest.approx(0.33, abs=0.15)


def test_crashes_are_meant_and_ghost_notes_stay_ghosts() -> None:
    groove = make_rock(32)
    crash, snare = KIT.index("crash"), KIT.index("snare")
    hits, velocities = groove.hits.copy(), groove.velocities.copy()
    hits[7::16, crash] = hits[11::16, snare] = True
    velocities[7::16, crash], velocities[11::16, snare] = 0.8, 0.3
    groove = groove.replace(hits=hits, velocities=velocities)
    played = [play_by_hand(groove, TEMPO, Touch(playable=False), seed=seed).velocities for seed in range(4)]
    struck = np.concatenate([velocities[7::16, crash] for velocities in played])
    assert struck.min() >= 0.6 * 0.8 - 0.01 and struck.max() <= 1 and struck.std() > 0.03
    assert mean_it(np.float32([0.1, 0.6, 0.9]), np.float32([0.8, 0.8, 0.8])) == pytest.approx([0.5, 0.6, 0.9])
    assert min(velocities[11::16, snare].min() for velocities in played) < 0.3


def test_no_two_accents_are_alike() -> None:
    played = play_by_hand(make_rock(32, 1.0), TEMPO, seed=1).velocities
    backbeats = played[4::8, KIT.index("snare")]
    assert np.median(backbeats) > 0.75 and len(np.unique(backbeats)) >= 8
    assert np.bincount(np.round(backbeats * 127).astype(int)).max() <= len(backbeats) / 4, "not all at the kit's end"
    assert spread_loudest(np.float32([0.2, 0.99]), np.random.default_rng(1)) == pytest.approx([0.2, 0.99])


def test_loud_bars_stay_loud_and_soft_songs_soft() -> None:
    groove = make_rock(16)
    louder = groove.velocities * np.where(groove.grid.bar_of_step >= 8, 1.2, 0.5).astype(np.float32)[:, None]
    played = play_by_hand(groove.replace(velocities=louder.astype(np.float32)), TEMPO).velocities
    soft, loud = (played[half][groove.hits[half]].mean() for half in (slice(0, 128), slice(128, 256)))
    assert loud > 1.2 * soft
    quiet, forte = (play_by_hand(make_rock(8, v), TEMPO).velocities[make_rock().hits].mean() for v in (0.3, 0.95))
    assert forte > 1.1 * quiet


@pytest.mark.parametrize("touch", [TOUCH, Touch(performed=False)])
def test_nothing_is_left_that_nobody_can_play(touch: Touch) -> None:
    rng = np.random.default_rng(0)
    grid = Grid.regular(4)
    hits = rng.random((grid.steps, len(KIT))) < 0.3
    groove = Groove(grid, KIT, hits, np.where(hits, 0.7, 0).astype(np.float32), np.zeros(hits.shape, np.float32))
    assert find_conflicts(groove, TEMPO)
    played = play_by_hand(groove, TEMPO, touch)
    assert not find_conflicts(played, TEMPO) and played.hits.any()
    assert play_by_hand(groove, TEMPO, Touch(playable=False)).hits.sum() == hits.sum()


def test_a_style_is_passed_on_where_the_performer_knows_it() -> None:
    assert TOUCH.in_style("jazz").playing.style == "jazz"
    assert TOUCH.in_style("no such style") is TOUCH and TYPED.in_style("jazz") is TYPED
    asked = Touch(playing=Playing(style="funk"))
    assert asked.in_style("jazz") is asked


def test_a_drummer_comes_back_to_the_band() -> None:
    rng = np.random.default_rng(1)
    quarters = np.arange(400) / 4
    rushed = (-30 + 10 * np.sin(quarters / 20) + rng.normal(0, 8, 400)).astype(np.float32)
    held = stay_with_band(rushed, quarters)
    assert abs(held.mean()) < 1 and abs(held[100:140].mean()) < 3
    assert np.corrcoef(held, rushed - (-30 + 10 * np.sin(quarters / 20)))[0, 1] > 0.9, "what lies within a bar stays"
    assert stay_with_band(np.float32([5]), np.array([3.0])) == pytest.approx(0)


def test_the_loudest_are_held_back_in_order() -> None:
    loud = np.linspace(0, 1.5, 50)
    held = soften(loud)
    assert np.all(np.diff(held) > 0) and held.max() < 0.97 and np.array_equal(held[loud < 0.7], loud[loud < 0.7])


NAN = float("nan")


@given(st.integers(0, 1000), st.floats(0.05, 0.95))
def test_loudness_is_what_is_asked_and_the_order_of_hits_stays(seed: int, level: float) -> None:
    groove = make_rock(4)
    rng = np.random.default_rng(seed)
    groove = groove.replace(velocities=np.where(groove.hits, rng.uniform(0.3, 1, groove.hits.shape), 0).astype(np.float32))
    set_ = set_loudness(groove, np.full(4, level, np.float32))
    wanted = float(velocity_of(np.array([level]))[0])
    assert set_.velocities[groove.hits].mean() * 127 == pytest.approx(wanted, abs=1)
    order = np.argsort(groove.velocities[groove.hits], kind="stable")
    assert (np.diff(set_.velocities[groove.hits][order]) >= 0).all()
    assert np.array_equal(set_.hits, groove.hits) and np.array_equal(set_.offsets, groove.offsets)


def test_bars_of_which_nothing_is_said_stay_as_loud() -> None:
    groove = make_rock(4)
    assert set_loudness(groove, np.full(4, NAN, np.float32)) is groove
    louder = set_loudness(groove, np.array([NAN, 0.9, 0.9, NAN], np.float32))
    bar = groove.grid.bar_of_step
    assert np.array_equal(louder.velocities[(bar == 0) | (bar == 3)], groove.velocities[(bar == 0) | (bar == 3)])
    assert louder.velocities[bar == 1].sum() > groove.velocities[bar == 1].sum()


def test_each_bar_is_played_in_its_style() -> None:
    groove = make_rock(8)
    styles = [Wishes.nothing(8).ask(style=s) for s in ("jazz", "funk")]
    jazz, funk = (play_by_hand(groove, TEMPO, seed=1, wishes=w) for w in styles)
    mixed = play_by_hand(groove, TEMPO, seed=1, wishes=styles[0].ask(range(4, 8), style="funk"))
    early = groove.grid.bar_of_step < 4
    assert np.array_equal(mixed.offsets[early], jazz.offsets[early]) and np.array_equal(mixed.offsets[~early], funk.offsets[~early])
    assert not np.array_equal(jazz.offsets, funk.offsets)
