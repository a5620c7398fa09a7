"""The performer that ships: hits stay, playing is human, the wishes are followed, and nothing becomes unplayable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.strokes import Strokes, groove_to_strokes
from backbeat.errors import InputError, ModelError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import list_kits, load_kit
from backbeat.models.performer_inputs import read_accents
from backbeat.performer import Performer, Playing, load_performer
from backbeat.units import TempoMap
from tests.performing import make_rock, make_strokes

ROCK = make_rock()


@pytest.fixture(scope="module")
def performer() -> Performer:
    return load_performer()


def make_groove(numerator: int = 4, denominator: int = 4, steps_per_quarter: int = 4, kit: str = "backbeat") -> Groove:
    grid = Grid.regular(6, numerator, denominator, steps_per_quarter=steps_per_quarter)
    rng = np.random.default_rng(5)
    hits = rng.random((grid.steps, len(load_kit(kit)))) < 0.08
    return Groove(grid, load_kit(kit), hits, np.where(hits, 0.6, 0).astype(np.float32), np.zeros(hits.shape, np.float32))


def select(strokes: Strokes, name: str) -> np.ndarray:
    return strokes.columns == strokes.kit.index(name)


def assert_same_hits(one: Strokes, two: Strokes) -> None:
    for name in ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


def measure_ms(strokes: Strokes) -> np.ndarray:
    """When each is struck, of strokes of one tempo."""
    return np.asarray(strokes.quarters * 60_000 / strokes.qpm + strokes.late)


def test_the_same_seed_plays_the_same_and_another_otherwise(performer: Performer) -> None:
    one, two, other = (performer.perform_strokes(ROCK, seed=s) for s in (3, 3, 4))
    assert not np.array_equal(performer.perform_strokes(ROCK, seed=-3).late, one.late), "negative seeds are seeds of their own"
    assert_same_hits(one, ROCK)
    assert np.array_equal(one.velocities, two.velocities) and np.array_equal(one.late, two.late)
    assert not np.array_equal(one.velocities, other.velocities) and not np.array_equal(one.late, other.late)


def test_how_it_was_played_before_counts_for_nothing(performer: Performer) -> None:
    rng = np.random.default_rng(0)
    other = ROCK.play(velocities=rng.uniform(0.1, 1, len(ROCK)).astype(np.float32), late=rng.uniform(-15, 15, len(ROCK)).astype(np.float32))
    assert np.array_equal(performer.perform_strokes(ROCK).late, performer.perform_strokes(other).late)


def test_playing_varies_as_people_do(performer: Performer) -> None:
    played = performer.perform_strokes(make_rock(32))
    assert 5 < played.late.std() < 40 and 0.05 < played.velocities.std() < 0.4
    assert np.abs(played.late).max() <= 60
    steps = played.velocities * 127
    assert np.abs(steps - np.round(steps)).max() < 1e-3 and steps.min() >= 1, "velocities of MIDI"


def test_who_drags_keeps_dragging(performer: Performer) -> None:
    takes = [performer.perform_strokes(make_rock(32), seed=s).late for s in range(4)]
    near = np.mean([np.corrcoef(t[:-1], t[1:])[0, 1] for t in takes])
    assert near > 0.08
    together = performer.perform_strokes(make_rock(32))
    same = np.diff(together.quarters) == 0
    assert np.corrcoef(together.late[:-1][same], together.late[1:][same])[0, 1] > 0.3, "strokes of one place hang together"


def test_the_mean_needs_no_seed_and_lies_amid_the_samples(performer: Performer) -> None:
    mean = performer.perform_strokes(ROCK, how=Playing(mean=True), seed=1)
    assert np.array_equal(mean.late, performer.perform_strokes(ROCK, how=Playing(mean=True), seed=2).late)
    drawn = [performer.perform_strokes(ROCK, seed=s) for s in range(30)]
    assert np.corrcoef(mean.velocities, np.mean([d.velocities for d in drawn], axis=0))[0, 1] > 0.9
    assert mean.late.std() < np.mean([d.late.std() for d in drawn])


@pytest.mark.parametrize("tightness", [2.0, 4.0, 20.0])
def test_tightness_divides_the_spread(performer: Performer, tightness: float) -> None:
    human, tight = (performer.perform_strokes(ROCK, how=Playing(tightness=t)).late.astype(float) for t in (1, tightness))
    assert tight.std() == pytest.approx(human.std() / tightness, rel=0.005)
    assert tight.mean() == pytest.approx(human.mean(), abs=0.1)


def test_looser_is_looser(performer: Performer) -> None:
    human, loose = (performer.perform_strokes(ROCK, how=Playing(tightness=t)).late for t in (1, 0.7))
    assert loose.std() > 1.2 * human.std() and np.abs(loose).max() <= 60


@pytest.mark.parametrize("dynamics", [0.0, 0.5])
def test_dynamics_scale_the_spread_of_each_class(performer: Performer, dynamics: float) -> None:
    human, scaled = (performer.perform_strokes(ROCK, how=Playing(dynamics=d)) for d in (1, dynamics))
    for name in ("closed_hat", "snare", "kick"):
        chosen = select(ROCK, name)
        assert scaled.velocities[chosen].std() == pytest.approx(human.velocities[chosen].std() * dynamics, abs=0.004)
    assert performer.perform_strokes(ROCK, how=Playing(dynamics=1.5)).velocities.std() > human.velocities.std()


def test_ghosts_and_backbeats_come_out_in_order(performer: Performer) -> None:
    plays = [performer.perform_strokes(ROCK, seed=s, how=Playing(style="funk")) for s in range(10)]
    loud = np.mean([p.velocities for p in plays], axis=0)
    snare, backbeat = select(ROCK, "snare"), np.isin(ROCK.places, (1, 3))
    assert loud[snare & ~backbeat].mean() < loud[snare & backbeat].mean() - 0.15
    told = np.where(snare, np.where(backbeat, 2, 0), -1)
    loud = np.mean([performer.perform_strokes(ROCK, seed=s, accents=told).velocities for s in range(10)], axis=0)
    normal = np.mean([performer.perform_strokes(ROCK, seed=s, accents=np.where(snare, 1, -1)).velocities for s in range(10)], axis=0)
    assert loud[snare & ~backbeat].mean() < 50 / 127 < normal[snare].mean() < 100 / 127 < loud[snare & backbeat].mean()


def test_hats_breathe_with_the_beat(performer: Performer) -> None:
    strokes = make_rock(8, 96, 0.25)
    loud = np.mean([performer.perform_strokes(strokes, seed=s).velocities for s in range(8)], axis=0)
    hats = select(strokes, "closed_hat")
    on, off = (loud[hats & (strokes.places % 1 == place)].mean() for place in (0, 0.25))
    assert on > off + 0.03


def test_accents_are_read_and_checked(performer: Performer) -> None:
    strokes = make_strokes([0, 1, 2], ["snare"] * 3, velocity=[0.2, 0.6, 0.9])
    assert read_accents(strokes).tolist() == [0, 1, 2]
    for wrong in (np.array([0, 1]), np.array([0, 1, 3]), np.array([-2, 0, 0])):
        with pytest.raises(InputError, match="accents are 3 numbers from -1 to 2"):
            performer.perform_strokes(strokes, accents=wrong)


def test_styles_and_drummers_are_heard(performer: Performer) -> None:
    assert performer.styles[0] == performer.drummers[0] == "any"
    assert {"funk", "jazz", "rock"} < set(performer.styles) and set(performer.drummers[1:]) == {f"drummer{n}" for n in range(1, 11)}
    plays = {how: performer.perform_strokes(ROCK, how=how).late for how in (Playing(), Playing(style="jazz"), Playing(drummer="drummer7"))}
    assert len({p.tobytes() for p in plays.values()}) == 3
    with pytest.raises(InputError, match="knows no drummer 'ringo': choose from any, drummer1"):
        performer.perform_strokes(ROCK, how=Playing(drummer="ringo"))
    with pytest.raises(InputError, match="knows no style 'polka'"):
        performer.log_likelihood(ROCK, Playing(style="polka"))


@pytest.mark.parametrize(("name", "value"), [("tightness", 0), ("tightness", float("nan")), ("dynamics", -1), ("temperature", 6)])
def test_wishes_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name} must lie in"):
        Playing(**{name: value})


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_strokes(performer: Performer, count: int) -> None:
    strokes = make_strokes([0.0, 1.0][:count], ["kick", "snare"][:count])
    for how in (Playing(), Playing(mean=True), Playing(temperature=0), Playing(tightness=2, dynamics=0)):
        played = performer.perform_strokes(strokes, how=how)
        assert_same_hits(played, strokes)
        assert performer.log_likelihood(played, how).shape == (count, 2)


def test_a_thousand_strokes_in_one_bar(performer: Performer) -> None:
    strokes = make_strokes([i * 0.004 for i in range(1000)], ["snare"] * 1000)
    played = performer.perform_strokes(strokes)
    assert np.all(np.diff(measure_ms(played)) >= -1e-3)


@pytest.mark.parametrize("qpm", [0.5, 10, 600, 5000])
def test_no_tempo_makes_it_unplayable(performer: Performer, qpm: float) -> None:
    strokes = make_rock(4, qpm, 0.25)
    for how in (Playing(), Playing(tightness=0.01), Playing(temperature=5)):
        played = performer.perform_strokes(strokes, how=how)
        assert np.abs(played.late).max() <= 60
        for name in ("closed_hat", "snare", "kick"):
            assert np.all(np.diff(measure_ms(played)[select(strokes, name)]) >= -1e-3), "no stroke passes another"


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_strokes_are_played_in_their_order(data: st.DataObject) -> None:
    performer = load_performer()
    count = data.draw(st.integers(1, 40))
    places = data.draw(st.lists(st.floats(0, 30, allow_subnormal=False), min_size=count, max_size=count))
    names = data.draw(st.lists(st.sampled_from(load_kit("backbeat").names), min_size=count, max_size=count))
    strokes = make_strokes(places, names, bar=data.draw(st.sampled_from([0.5, 2.5, 3, 4, 7])), qpm=data.draw(st.sampled_from([40, 133, 280])))
    played = performer.perform_strokes(strokes, seed=1)
    assert_same_hits(played, strokes)
    assert np.isfinite(played.late).all() and np.abs(played.late).max() <= 60.001 and played.velocities.min() > 0
    nominal = strokes.quarters * 60_000 / strokes.qpm
    for column in np.unique(strokes.columns):
        own = strokes.columns == column
        apart = np.diff(nominal[own]) >= 35
        assert np.all(np.diff(measure_ms(played)[own])[apart] >= -1e-3)


def test_the_order_in_which_strokes_are_given_is_of_no_matter(performer: Performer) -> None:
    order = np.random.default_rng(0).permutation(len(ROCK))
    names = ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm", "velocities", "late")
    mixed = replace(ROCK, **{n: getattr(ROCK, n)[order] for n in names})
    assert np.array_equal(performer.perform_strokes(mixed).late, performer.perform_strokes(ROCK).late[order])


def test_flams_stay_flams(performer: Performer) -> None:
    quarters = [0, 1, 1, 2, 3, 3, 3]
    names = ["kick", "snare", "snare", "kick", "snare", "snare", "snare"]
    late, loud = [0, -20, 0, 0, -30, -15, 0], [0.8, 0.3, 0.8, 0.8, 0.2, 0.3, 0.9]
    strokes = make_strokes(quarters, names, late=late, velocity=loud)
    for seed in range(5):
        played = performer.perform_strokes(strokes, seed=seed)
        assert played.late[2] - played.late[1] == pytest.approx(20, abs=1e-3)
        assert (played.late[6] - played.late[4:6]).tolist() == pytest.approx([30, 15], abs=1e-3)
        assert played.velocities[1] < played.velocities[2] and np.all(played.velocities[4:6] < played.velocities[6])


@pytest.mark.parametrize(("numerator", "denominator"), [(4, 4), (3, 4), (6, 8), (7, 8), (12, 8), (5, 16)])
@pytest.mark.parametrize("steps_per_quarter", [4, 12, 24])
def test_grooves_of_any_metre_and_grid(performer: Performer, numerator: int, denominator: int, steps_per_quarter: int) -> None:
    groove, tempo = make_groove(numerator, denominator, steps_per_quarter), TempoMap(480, (0, 3000), (500_000, 300_000))
    played = performer.perform(groove, tempo, seed=1)
    assert np.array_equal(played.hits, groove.hits) and played.grid is groove.grid
    assert played.offsets[played.hits].std() > 0.01 and played.velocities[played.hits].std() > 0.05


@pytest.mark.parametrize("kit", list_kits())
def test_every_kit_is_played(performer: Performer, kit: str) -> None:
    groove = make_groove(kit=kit)
    assert np.array_equal(performer.perform(groove, TempoMap(480)).hits, groove.hits)


def test_its_own_playing_is_likelier_than_any_other(performer: Performer) -> None:
    played = performer.perform_strokes(ROCK)
    own = performer.log_likelihood(played)
    assert own.shape == (len(ROCK), 2) and np.isfinite(own).all() and own[:, 0].max() <= 0
    shuffled = np.random.default_rng(0).permutation(len(ROCK))
    mixed = performer.log_likelihood(played.play(velocities=played.velocities[shuffled], late=played.late[shuffled]))
    assert np.all(own.mean(axis=0) > mixed.mean(axis=0) + 0.1)


def test_velocities_have_probabilities(performer: Performer) -> None:
    strokes = performer.perform_strokes(ROCK)
    for place in (0, 17):
        chances = []
        for velocity in range(1, 128):
            velocities = strokes.velocities.copy()
            velocities[place] = velocity / 127
            chances.append(2 ** performer.log_likelihood(strokes.play(velocities=velocities))[place, 0])
        assert sum(chances) == pytest.approx(1, abs=0.02)


def test_a_piece_without_the_future_is_as_likely_so_far(performer: Performer) -> None:
    strokes = performer.perform_strokes(ROCK)
    late = strokes.late.copy()
    late[40:] = 0
    one, two = performer.log_likelihood(strokes), performer.log_likelihood(strokes.play(late=late))
    np.testing.assert_allclose(one[:40], two[:40], atol=1e-6)
    assert not np.allclose(one[40:, 1], two[40:, 1])


def test_a_groove_on_16ths_is_taken_as_rounded(performer: Performer) -> None:
    groove, tempo = make_groove(), TempoMap(480)
    strokes = groove_to_strokes(groove, tempo)
    rounded, meant = (performer.perform_strokes(strokes, rounded=r) for r in (True, False))
    played = groove_to_strokes(performer.perform(groove, tempo), tempo)
    np.testing.assert_allclose(played.late, rounded.late, atol=1e-3)
    assert not np.array_equal(rounded.late, meant.late)


def test_a_folder_of_something_else_is_refused(tmp_path, shipped_folder) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match="not a model folder"):
        load_performer(tmp_path)
    with pytest.raises(ModelError, match="not a performer"):
        load_performer(shipped_folder)
