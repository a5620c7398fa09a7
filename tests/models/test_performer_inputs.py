"""What the performer sees: any place in any metre, neighbours without a grid, and never how a stroke is played."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.kits import list_kits, load_kit
from backbeat.models.performer_inputs import FAMILIES, FEATURES, NEAREST, REFERENCES, describe_strokes, map_families, scale_played
from tests.performing import make_rock, make_strokes


@pytest.mark.parametrize("kit", list_kits())
def test_every_class_has_a_family(kit: str) -> None:
    families = map_families(load_kit(kit))
    assert families.shape == (len(load_kit(kit)),) and families.min() >= 0 and families.max() < len(FAMILIES)


def test_families_of_the_own_kit_are_told_by_name() -> None:
    kit = load_kit("backbeat")
    assert {FAMILIES[f] for f in map_families(kit)} == set(FAMILIES)
    assert set(kit.names) == set(FAMILIES) | set(NEAREST)
    assert FAMILIES[map_families(load_kit("drums_rnn_9"))[0]] == "kick"


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_strokes_are_described(data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 30))
    places = data.draw(st.lists(st.floats(0, 40, allow_subnormal=False), min_size=count, max_size=count))
    names = data.draw(st.lists(st.sampled_from(load_kit("backbeat").names), min_size=count, max_size=count))
    bar, beat = data.draw(st.sampled_from([(0.25, 0.25), (2.5, 0.5), (3, 1.5), (4, 1), (11, 1)]))
    seen = describe_strokes(make_strokes(places, names, bar=bar, beat=beat, qpm=data.draw(st.sampled_from([1, 90, 5000]))))
    assert seen.features.shape == (count, FEATURES) and np.isfinite(seen.features).all() and np.abs(seen.features).max(initial=0) < 10
    assert seen.references.shape == (count, len(REFERENCES))
    assert np.all(seen.references < np.arange(count)[:, None]) and seen.references.min(initial=0) >= -1


def test_references_are_the_same_drum_so_long_ago() -> None:
    rock = make_rock(6)
    references = describe_strokes(rock).references
    for name, back in (("beat ago", 1.0), ("two beats ago", 2.0), ("bar ago", 4.0), ("two bars ago", 8.0), ("four bars ago", 16.0)):
        column = references[:, REFERENCES.index(name)]
        known = column >= 0
        assert known.any()
        np.testing.assert_allclose(rock.quarters[known] - rock.quarters[column[known]], back)
        assert np.array_equal(rock.columns[known], rock.columns[column[known]])
    own = references[:, REFERENCES.index("same drum")]
    assert np.array_equal(rock.columns[own >= 0], rock.columns[own[own >= 0]])


def test_how_strokes_are_played_is_not_seen() -> None:
    rock = make_rock()
    rng = np.random.default_rng(0)
    other = rock.play(velocities=rng.uniform(0.1, 1, len(rock)).astype(np.float32), late=rng.normal(0, 9, len(rock)).astype(np.float32))
    assert np.array_equal(describe_strokes(rock).features, describe_strokes(other).features)


def test_a_bar_in_the_middle_looks_like_the_next() -> None:
    rock = make_rock(24)
    features = describe_strokes(rock).features
    one, two = (features[rock.bars == bar] for bar in (11, 12))
    assert np.abs(one - two).max() < 0.01


def test_small_moves_are_small_changes() -> None:
    places = [0.0, 1.0, 5 / 3, 2.0, 3.0, 4.0]
    moved = [p + 0.001 * (0 < p < 4 and p % 1 > 0) for p in places]
    one, two = (describe_strokes(make_strokes(p, ["snare"] * 6)).features for p in (places, moved))
    assert np.abs(one - two).max() < 0.05, "no grid in what is seen"


def test_units() -> None:
    played = scale_played(np.array([0.5, 0.75], np.float32), np.array([20, -10], np.float32))
    np.testing.assert_allclose(played, [[0, 1], [1, -0.5]])
