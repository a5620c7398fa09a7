import numpy as np
import pytest

from backbeat.codecs.strokes import groove_to_strokes, measure_beats, strokes_to_groove
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.units import TempoMap

KIT = load_kit("backbeat")


def make_groove(numerator: int = 4, denominator: int = 4, seed: int = 0) -> Groove:
    grid = Grid.regular(4, numerator, denominator)
    rng = np.random.default_rng(seed)
    hits = rng.random((grid.steps, len(KIT))) < 0.1
    velocities = np.where(hits, rng.uniform(0.1, 1, hits.shape), 0).astype(np.float32)
    return Groove(grid, KIT, hits, velocities, np.where(hits, rng.uniform(-0.5, 0.49, hits.shape), 0).astype(np.float32))


@pytest.mark.parametrize(("numerator", "denominator"), [(4, 4), (6, 8), (7, 8), (5, 16), (12, 8)])
def test_a_groove_comes_back_from_its_strokes(numerator: int, denominator: int) -> None:
    groove, tempo = make_groove(numerator, denominator), TempoMap(480, (0, 1000), (400_000, 700_000))
    back = strokes_to_groove(groove_to_strokes(groove, tempo), groove, tempo)
    assert np.array_equal(back.hits, groove.hits)
    np.testing.assert_allclose(back.velocities, groove.velocities)
    np.testing.assert_allclose(back.offsets, groove.offsets, atol=1e-5)


def test_lateness_is_in_milliseconds_of_the_tempo() -> None:
    groove = make_groove()
    slow, fast = (groove_to_strokes(groove, TempoMap(480, (0,), (us,))) for us in (1_000_000, 500_000))
    np.testing.assert_allclose(slow.late, 2 * fast.late, rtol=1e-5)
    steps, columns = np.nonzero(groove.hits)
    np.testing.assert_allclose(fast.late, groove.offsets[steps, columns] * 125, rtol=1e-4)


def test_places_and_beats() -> None:
    strokes = groove_to_strokes(make_groove(6, 8), TempoMap(480))
    assert set(strokes.beat_quarters) == {1.5}
    assert strokes.places.max() < 3
    assert np.all(np.diff(strokes.quarters) >= 0)
    assert measure_beats(Grid.regular(1, 3, 8)).tolist() == [0.5]


def test_a_stroke_beyond_half_a_step_is_cut() -> None:
    groove, tempo = make_groove(), TempoMap(480)
    strokes = groove_to_strokes(groove, tempo)
    late = strokes_to_groove(strokes.play(late=np.full(len(strokes), 900, np.float32)), groove, tempo)
    assert late.offsets.max() < 0.5
    with pytest.raises(ValueError, match="one length"):
        strokes.play(late=np.zeros(3, np.float32))
