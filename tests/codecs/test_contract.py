"""What every codec promises; a new codec is tested by standing in ``CODECS``."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs import CODECS
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import list_kits, load_kit


def make_groove(kit_name: str, seed: int, bars: int, numerator: int, density: float) -> Groove:
    """A random groove with velocities and offsets."""
    rng = np.random.default_rng(seed)
    grid, kit = Grid.regular(bars, numerator, 8), load_kit(kit_name)
    hits = rng.random((grid.steps, len(kit))) < density
    return Groove(grid, kit, hits, rng.uniform(0.1, 1, hits.shape), rng.uniform(-0.5, 0.49, hits.shape))


@pytest.mark.parametrize("name", sorted(CODECS))
@settings(max_examples=30, deadline=None)
@given(st.sampled_from(list_kits()), st.integers(0, 99), st.integers(1, 3), st.integers(2, 12), st.sampled_from([0.0, 0.1, 0.9]))
def test_round_trip_keeps_the_hits(name, kit_name, seed, bars, numerator, density):
    codec = CODECS[name]
    groove = make_groove(kit_name, seed, bars, numerator, density)
    codes = codec.encode(groove)
    back = codec.decode(codes, groove.grid)
    assert codes.dtype == np.int64 and codes.ndim == 1 and (codes.size == 0 or 0 <= codes.min() <= codes.max() < codec.size)
    assert back.kit == codec.kit
    assert np.array_equal(back.hits, groove.to_kit(codec.kit).hits)
    assert np.array_equal(codec.encode(back), codes)


@pytest.mark.parametrize("name", sorted(CODECS))
def test_name_and_size(name):
    assert CODECS[name].name == name and CODECS[name].size > 1
