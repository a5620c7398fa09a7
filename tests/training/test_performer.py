"""Training of the performer: takes in several readings, batches, learning, and the folder that ships."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.codecs.strokes import Strokes, strokes_to_groove  # noqa: E402
from backbeat.datasets.source import Source  # noqa: E402
from backbeat.errors import InputError  # noqa: E402
from backbeat.evaluation.learning import Data  # noqa: E402
from backbeat.grid import Grid  # noqa: E402
from backbeat.groove import Groove  # noqa: E402
from backbeat.kits import load_kit  # noqa: E402
from backbeat.midi import write_groove  # noqa: E402
from backbeat.performer import Playing, load_performer  # noqa: E402
from backbeat.training.performer import TEMPO_COLUMNS, TRAINABLE, PerformerRecipe, list_names  # noqa: E402
from backbeat.training.performer_data import find_player, make_take, notate, thin  # noqa: E402
from backbeat.training.running import run_training  # noqa: E402
from backbeat.units import MetreMap, TempoMap  # noqa: E402
from tests.performing import make_rock, make_strokes  # noqa: E402

SMALL = replace(PerformerRecipe(), updates=4, batch=300, length=64, width=16, blocks=2, hidden=12, inner=8, components=3, validate_every=2, save_every=1)


def play(strokes: Strokes, seed: int) -> Strokes:
    """Loud on the beat, the snare 20 ms late."""
    rng = np.random.default_rng(seed)
    velocities = np.where(strokes.places % 1 == 0, 0.8, 0.4) + rng.normal(0, 0.03, len(strokes))
    late = np.where(strokes.columns == strokes.kit.index("snare"), 20, 0) + rng.normal(0, 3, len(strokes))
    return strokes.play(velocities=velocities.astype(np.float32), late=late.astype(np.float32))


def write_take(path: Path, seed: int) -> None:
    strokes = play(make_rock(8), seed)
    grid, kit = Grid.regular(8), load_kit("backbeat")
    hits = np.zeros((grid.steps, len(kit)), np.bool_)
    hits[(strokes.quarters * 4).astype(int), strokes.columns] = True
    groove = Groove(grid, kit, hits, hits.astype(np.float32), np.zeros(hits.shape, np.float32))
    write_groove(strokes_to_groove(strokes, groove, TempoMap(480)), path, TempoMap(480), MetreMap())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("takes")
    sources = []
    for seed in range(4):
        path = folder / f"{seed}.mid"
        write_take(path, seed)
        sources.append(Source(str(path), f"drummer{1 + seed % 2}/{seed}.mid", genre="rock", tags=(f"drummer{1 + seed % 2}",)))
    return Data("takes", sources, sources[:2])


def test_triplets_are_notated_as_such_and_16ths_stay() -> None:
    for step in (1 / 4, 1 / 3, 1 / 8):
        nominal = np.arange(0, 8 - 1e-9, step)
        late = np.random.default_rng(0).normal(0, 6, len(nominal))
        played = make_strokes((nominal + late / 500).clip(0).tolist(), ["snare"] * len(nominal), qpm=120)
        found = notate(played)
        if len(found) == len(nominal):
            np.testing.assert_allclose(found.quarters, nominal, atol=1e-6)
        assert len(found) >= 0.9 * len(nominal)
        np.testing.assert_allclose(found.quarters + found.late / 500, played.quarters[: len(found)], atol=0.2)


def test_notating_keeps_times_and_bars() -> None:
    strokes = play(make_rock(4), 0)
    found = notate(strokes)
    assert len(found) == len(strokes)
    np.testing.assert_allclose(found.quarters * 500 + found.late, strokes.quarters * 500 + strokes.late, atol=1e-3)
    assert np.array_equal(found.bars, np.floor(found.quarters / 4)) and found.places.min() >= 0


def test_thinning_takes_whole_drums() -> None:
    rock = make_rock()
    rest = thin(rock, np.random.default_rng(1))
    lost = set(rock.columns.tolist()) - set(rest.columns.tolist())
    assert 1 <= len(lost) <= 2 and len(rest) == int((~np.isin(rock.columns, list(lost))).sum())
    alone = make_strokes([0, 1], ["kick", "kick"])
    assert thin(alone, np.random.default_rng(0)) is alone


def test_who_played_is_found() -> None:
    assert find_player(Source("a", "a.mid", tags=("beat", "drummer10"))) == "drummer10"
    assert find_player(Source("a", "drummer3/session1/a.mid")) == "drummer3"
    assert find_player(Source("a", "drummers/a.mid")) == "any"
    assert list_names(["drummer10", "any", "drummer2"]) == ["any", "drummer2", "drummer10"]


def test_the_tempo_stands_where_training_moves_it() -> None:
    slow, fast = (make_take(make_rock(2, qpm), "rock", "any", "notated").seen.features for qpm in (60, 120))
    changed = np.flatnonzero((slow != fast).any(axis=0))
    assert changed.tolist() == list(range(TEMPO_COLUMNS.start, TEMPO_COLUMNS.stop))
    np.testing.assert_allclose(slow[0, TEMPO_COLUMNS], [-1, 1])
    np.testing.assert_allclose(fast[0, TEMPO_COLUMNS], [0, 0])


def test_batches_hold_what_they_should(data: Data) -> None:
    task = TRAINABLE.make_task(SMALL, data)
    told = task.take(3)
    count, length = told.valid.shape
    assert count * length <= 300 and told.features.shape[:2] == (count, length)
    assert torch.equal(told.features, task.take(3).features), "the same update, the same batch"
    assert int(told.references.max()) < length and bool((told.references < torch.arange(length)[None, :, None]).all())
    assert {0, 1} >= set(told.style.flatten().tolist()) and set(told.drummer.flatten().tolist()) <= {0, 1, 2}


def test_no_takes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of 1 pieces has 4 strokes"):
        TRAINABLE.make_task(SMALL, Data("none", [Source(str(tmp_path / "no.mid"), "no")], []))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_learns_who_is_late_and_what_is_loud_and_ships(data: Data, tmp_path: Path) -> None:
    recipe = replace(SMALL, updates=40, rate=0.02, warm_up=5, batch=1000, validate_every=40, save_every=40, dropout=0.0, width=24)
    run_training(TRAINABLE, recipe, data, tmp_path / "run")
    performer = load_performer(tmp_path / "run" / "model")
    assert performer.styles == ("any", "rock") and performer.drummers == ("any", "drummer1", "drummer2")
    rock = make_rock(8)
    mean = performer.perform_strokes(rock, how=Playing(mean=True, style="rock"))
    snare, beat = rock.columns == rock.kit.index("snare"), rock.places % 1 == 0
    assert mean.late[snare].mean() > mean.late[~snare].mean() + 10
    assert mean.velocities[beat].mean() > mean.velocities[~beat].mean() + 0.2
    human, flat = play(rock, 99), rock.play(late=np.full(len(rock), 5, np.float32))
    assert performer.log_likelihood(human).mean() > performer.log_likelihood(flat).mean()
    assert "parameters" in (tmp_path / "run" / "model" / "card.md").read_text(encoding="utf-8")
