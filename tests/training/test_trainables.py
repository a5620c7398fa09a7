"""What holds for everything the common loop trains: it resumes to the same weights, ships, and its recipes can be built."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.datasets import list_sources  # noqa: E402
from backbeat.datasets.pattern_table import PatternTable, write_table  # noqa: E402
from backbeat.evaluation.learning import Data  # noqa: E402
from backbeat.training.checkpoints import load_tensors  # noqa: E402
from backbeat.training.loop import LAST, Run, Schedule, train  # noqa: E402
from backbeat.training.running import finish_run  # noqa: E402
from backbeat.training.trainables import TRAINABLES, Trainable, find_trainable  # noqa: E402
from tests.midi.builders import band_song  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
SMALL = {"first": "16", "second": "8", "latent": "4", "units": "16,16", "width": "16", "encoder_width": "12", "batch": "2", "lanes": "2", "hidden": "16"}
"""Sizes that are made small where a recipe has them."""

SEEDS = ("lstmetallica", "drums-rnn", "neural-drummer", "notes")
"""Models of the systems that Backbeat grew from: one recipe is faithful to the source."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("songs")
    for number in range(6):
        (folder / f"{number}.mid").write_bytes(band_song(10 + number))
    sources = list_sources(str(folder))
    return Data("made up", sources[:4], sources[4:])


@pytest.fixture(scope="module")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """What pattern spaces learn from: the songs above have one pattern in all."""
    rows = np.random.default_rng(0).integers(0, 8, (40, 32)).astype(np.uint16)
    path = tmp_path_factory.mktemp("patterns") / "p.tsv"
    write_table(PatternTable(rows, genres=("rock", "jazz") * 20), path)
    sources = list_sources(str(path))
    return Data("made up", sources[:30], sources[30:])


def make_recipe(trainable: Trainable, updates: int) -> Schedule:
    first = next(iter(trainable.configs.values()))
    known = {f.name: getattr(first, f.name) for f in fields(first)}
    small = [f"{k}={v if isinstance(known[k], tuple) else v.split(',')[0]}" for k, v in SMALL.items() if k in known]
    return trainable.choose("", [*small, f"updates={updates}", "validate_every=2", "save_every=1", "warm_up=1"])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", TRAINABLES)
def test_a_killed_run_resumed_ends_with_the_same_weights_and_ships(name: str, data: Data, patterns: Data, tmp_path: Path) -> None:
    trainable = find_trainable(name)
    data = patterns if name == "pattern-space" else data

    def begin(folder: str, updates: int) -> Run:
        recipe = make_recipe(trainable, updates)
        torch.manual_seed(recipe.seed)
        return Run(tmp_path / folder, trainable.make_task(recipe, data), make_recipe(trainable, 4), {"model": name})

    whole = train(begin("whole", 4))
    stopped = begin("parts", 4)
    for _ in range(2):
        stopped.step()
    stopped.validate()
    stopped.save()
    stopped.step()  # lost when the run is killed
    resumed = train(begin("parts", 4))
    assert resumed.update == whole.update == 4
    expected, got = load_tensors(whole.folder / LAST), load_tensors(resumed.folder / LAST)
    assert set(expected) == set(got)
    different = [n for n, t in expected.items() if not torch.equal(t, got[n])]
    assert not different, different
    finish_run(trainable, resumed, {"model": name, "recipe": {}, "data": data.describe(), "begin": None})
    made = {p.name for p in (resumed.folder / "model").iterdir()}
    assert {"config.json", "card.md"} <= made and any(made_name.endswith(".onnx") for made_name in made)


@pytest.mark.parametrize("name", TRAINABLES)
def test_every_recipe_can_be_chosen(name: str) -> None:
    trainable = find_trainable(name)
    assert trainable.configs and trainable.name == name
    assert "original" in trainable.configs or name not in SEEDS
    for config in trainable.configs:
        recipe = trainable.choose(config, ["updates=7"])
        assert recipe.updates == 7
