"""What a player hits: likelier where it was learned, played where it is asked for, and nothing where there is nothing to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backbeat.codecs.words import groove_to_words
from backbeat.cues import hear_nothing
from backbeat.datasets.preparation import Example, pack
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.models.drummer import DrummerModel, Known
from backbeat.profiles import LeaningDrummer, Take, VocabularyEar, make_take, open_drummer
from backbeat.profiles.vocabulary import MOST, Heard, fit_vocabulary, join_heard, learn_vocabulary, like_nothing, measure_words, prefer_words
from tests.performing import make_rock

PATTERN = {"kick": (0, 3, 6, 10), "snare": (4, 12, 15), "closed_hat": tuple(range(0, 16, 2))}


@pytest.fixture(scope="module")
def model() -> DrummerModel:
    return open_drummer()


def make_groove(seed: int, bars: int = 8) -> Groove:
    """The player's pattern with 4 % of its cells otherwise."""
    grid, kit, rng = Grid.regular(bars), load_kit("backbeat"), np.random.default_rng(seed)
    hits = np.zeros((grid.steps, len(kit)), np.bool_)
    for name, steps in PATTERN.items():
        hits[np.isin(np.arange(grid.steps) % 16, steps), kit.index(name)] = True
        hits[:, kit.index(name)] ^= rng.random(grid.steps) < 0.04
    return Groove(grid, kit, hits, hits * np.float32(0.7), np.zeros(hits.shape, np.float32))


def make_piece(seed: int) -> Example:
    groove = make_groove(seed)
    return pack(groove.grid, groove, hear_nothing(groove.grid, 110.0), band=False)


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    return [make_take(make_rock(4), make_piece(seed)) for seed in range(5)]


def test_the_player_s_own_pattern_becomes_likelier(model: DrummerModel, takes: list[Take]) -> None:
    ear = VocabularyEar(model)
    vocabulary = learn_vocabulary(ear, takes[:4])
    before, after = (float(measure_words(ear, takes[4], v).sum()) for v in (like_nothing(), vocabulary))
    assert 1 - after / before >= 0.05


def test_the_drummer_plays_the_player_s_pattern_on_the_player_s_drums(model: DrummerModel, takes: list[Take]) -> None:
    vocabulary = learn_vocabulary(VocabularyEar(model), takes)
    grid = Grid.regular(8)
    usual, own = (m.play(hear_nothing(grid, 110.0), [np.random.default_rng(1)], band=False)[0] for m in (model, LeaningDrummer(model, vocabulary)))
    bars = [groove_to_words(g).reshape(8, 16) for g in (usual, own)]
    wanted = np.bincount([s for steps in PATTERN.values() for s in steps], minlength=16)
    away = [np.abs(np.vectorize(lambda w: int(w).bit_count())(b).mean(axis=0) - wanted).mean() for b in bars]
    assert away[1] < 0.6 * away[0]
    kit = load_kit("backbeat")
    assert not own.hits[:, kit.index("pedal_hat")].any() and own.hits[:, kit.index("closed_hat")].any()


def test_what_is_known_stays(model: DrummerModel, takes: list[Take]) -> None:
    vocabulary = learn_vocabulary(VocabularyEar(model), takes)
    given = make_groove(9, bars=2)
    kit = given.kit
    hits = np.zeros_like(given.hits)
    hits[::4, kit.index("pedal_hat")] = True
    given = replace(given, hits=hits, velocities=hits * np.float32(0.5))
    known = Known(np.ones((given.grid.steps, 9), np.bool_), given)
    played = LeaningDrummer(model, vocabulary).play(hear_nothing(given.grid, 110.0), [np.random.default_rng(0)], known=known, band=False)[0]
    assert np.array_equal(played.hits, hits)


def test_takes_off_the_grid_say_nothing_of_hits(model: DrummerModel) -> None:
    ear, take = VocabularyEar(model), make_take(make_rock(4))
    vocabulary = learn_vocabulary(ear, [take])
    assert not len(vocabulary.words) and not vocabulary.suggest(Grid.regular(2)).any()
    assert not len(measure_words(ear, take, vocabulary))


def test_a_leaning_distribution_is_one_and_other_bars_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (64, 512))
    expected = (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)
    heard = Heard(rng.integers(0, 8, 64), expected, np.arange(64) % 16, np.full(64, 16))
    vocabulary = fit_vocabulary(heard, "any", 1.0)
    step = Heard(np.arange(512), expected[:1].repeat(512, axis=0), np.zeros(512, np.int64), np.full(512, 16))
    assert np.exp(vocabulary.measure(step)).sum() == pytest.approx(1, abs=1e-4)
    assert vocabulary.measure(heard).sum() > like_nothing().measure(heard).sum()
    assert not np.array_equal(vocabulary.bias[0], vocabulary.bias[1])
    assert len(join_heard([heard, heard]).words) == 128


def test_preferences_lie_between_nothing_and_the_most() -> None:
    counts = np.zeros((3, 512))
    counts[0, 5], counts[1, 3], counts[2, [3, 5]] = 90, 10, [10, 90]
    preferred = prefer_words(counts)
    assert preferred.max() == 0 and preferred.min() >= -MOST
    assert preferred[0, 5] == 0 and preferred[1, 3] == 0 and preferred[1, 5] < 0
    assert preferred[0, 3] > preferred[0, 100]
