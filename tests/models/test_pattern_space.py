"""A pattern space at work: shapes, seeds, styles, the filter, and folders that are damaged. Without torch."""

import json
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.patterns import hash_patterns, patterns_to_hits
from backbeat.errors import InputError, ModelError
from backbeat.metrics.patterns import is_novel, is_rich
from backbeat.models.pattern_space import SHIPPED, PatternSpace, open_pattern_space

WEIGHTS = Path(str(resources.files("backbeat"))) / "weights"
ROCK = np.array([5, 0, 4, 0, 6, 0, 4, 0, 5, 0, 4, 1, 6, 0, 4, 0] * 2, np.uint16)
HALF = np.array([5, 0, 4, 0, 4, 0, 4, 0, 6, 0, 4, 0, 4, 0, 4, 0] * 2, np.uint16)


@pytest.fixture(params=SHIPPED)
def space(request):
    if not (WEIGHTS / SHIPPED[request.param] / "config.json").is_file():
        pytest.skip("this model does not ship yet")
    return open_pattern_space(request.param)


def test_shapes_and_kinds(space):
    patterns = np.stack([ROCK, HALF])
    latents = space.encode(patterns)
    assert latents.shape == (2, space.latent) and latents.dtype == np.float32
    decoded = space.decode(latents)
    assert decoded.shape == (2, 32) and decoded.dtype == np.uint16
    likely = space.rate_hits(latents)
    assert likely.shape == (2, 32, 14) and likely.min() >= 0 and likely.max() <= 1
    assert np.array_equal(patterns_to_hits(decoded), likely > 0.5)
    assert space.encode(patterns[:0]).shape == (0, space.latent) and space.decode(latents[:0]).shape == (0, 32)
    assert len(space.known) > 1000 and np.all(np.diff(space.known.astype(object)) > 0) and space.radius > 0


def test_a_plain_beat_survives(space):
    """What every drummer plays must come back nearly as it was."""
    changed = (patterns_to_hits(space.decode(space.encode(ROCK[None]))) != patterns_to_hits(ROCK[None])).sum()
    assert changed <= (2 if space.latent >= 32 else 12)


def test_an_interpolation_begins_and_ends_where_it_should(space):
    path, latents = space.interpolate(ROCK, HALF, 7)
    ends = space.decode(space.encode(np.stack([ROCK, HALF])))
    assert np.array_equal(path[[0, -1]], ends) and latents.shape == (7, space.latent)
    assert np.allclose(np.diff(latents, axis=0), (latents[-1] - latents[0]) / 6, atol=1e-4)


def test_samples_follow_their_seed(space):
    one, two, other = (space.sample(20, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_filtered_samples_pass_the_filter(space):
    patterns, latents = space.sample(50, np.random.default_rng(0), filtered=True)
    assert len(patterns) == len(latents) == 50
    assert is_rich(patterns).all() and is_novel(patterns, space.known).all()
    assert len(np.unique(hash_patterns(patterns))) == 50


def test_the_radius_is_that_of_the_points(space):
    points = space.draw_points(4000, np.random.default_rng(0), radius=3.0)
    assert points.std() == pytest.approx(3, rel=0.03) and abs(points.mean()) < 0.1
    as_data = space.draw_points(4000, np.random.default_rng(0))
    assert as_data.mean(axis=0) == pytest.approx(space.mean, abs=0.25 * space.radius)
    assert np.sqrt(np.mean(as_data.var(axis=0))) == pytest.approx(space.radius, rel=0.25)


def test_between_two_styles_lies_between_them(space):
    first, second = sorted(space.genres)[:2]
    centres = [space.genres[name].centre for name in (first, second)]
    points = space.draw_points(500, np.random.default_rng(0), styles=(first, second), spread=0.01)
    assert points.mean(axis=0) == pytest.approx((centres[0] + centres[1]) / 2, abs=0.01 * space.radius)
    assert all(g.patterns >= 8 for g in space.genres.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"styles": ("xyzzy",)}, "has no style 'xyzzy': choose from "),
        ({"radius": -1.0}, "a radius lies in"),
        ({"radius": float("nan")}, "a radius lies in"),
        ({"spread": float("inf")}, "a radius lies in"),
    ],
)
def test_what_cannot_be_sampled_is_refused(space, options, message):
    with pytest.raises(InputError, match=message):
        space.sample(3, np.random.default_rng(0), **options)
    with pytest.raises(InputError, match="must lie in 0-100,000"):
        space.sample(100_001, np.random.default_rng(0))


def test_other_lengths_and_dimensions_are_refused(space):
    with pytest.raises(InputError, match="patterns of 32 steps, not of 24"):
        space.encode(np.zeros((1, 24), np.uint16))
    with pytest.raises(InputError, match="finite numbers"):
        space.decode(np.zeros((1, space.latent + 1), np.float32))
    with pytest.raises(InputError, match="finite numbers"):
        space.decode(np.full((1, space.latent), np.nan, np.float32))
    with pytest.raises(InputError, match="points"):
        space.interpolate(ROCK, HALF, 1)
    with pytest.raises(InputError, match="of 32 steps"):
        space.interpolate(ROCK, HALF[:24], 3)


def test_the_nearest_is_itself(space):
    patterns = np.stack([HALF, ROCK, ROCK * 2])
    rows, distances = space.find_nearest(ROCK[None], space.encode(patterns), 2)
    assert rows.shape == (1, 2) and rows[0, 0] == 1 and distances[0, 0] == pytest.approx(0, abs=1e-2) and distances[0, 1] > distances[0, 0]


@pytest.fixture
def damaged(space, tmp_path):
    """A copy of a model's folder, to be damaged."""
    return Path(shutil.copytree(space.folder, tmp_path / "model"))


@pytest.mark.parametrize(
    ("name", "content"),
    [("encoder.onnx", b"x"), ("decoder.onnx", None), ("space.npz", b"x"), ("config.json", b"{}"), ("config.json", b"["), ("config.json", None)],
)
def test_a_damaged_folder_is_refused(damaged, name, content):
    (damaged / name).unlink() if content is None else (damaged / name).write_bytes(content)
    with pytest.raises(ModelError, match="model"):
        PatternSpace(damaged)


def test_arrays_and_genres_must_fit(damaged):
    config = json.loads((damaged / "config.json").read_text())
    genre = next(iter(config["genres"].values()))
    genre["centre"] = genre["centre"][:-1]
    (damaged / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="genre of other dimensions"):
        PatternSpace(damaged)
    np.savez(damaged / "space.npz", mean=np.zeros(1))
    with pytest.raises(ModelError, match=r"space.npz is missing or damaged"):
        PatternSpace(damaged)


def test_a_name_that_is_none():
    with pytest.raises(ModelError, match="no model 'gan' of patterns: choose from wide, acai, vae, ae"):
        open_pattern_space("gan")
