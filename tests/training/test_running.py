"""Runs from data to checkpoint folder, and sweeps."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.cli.train_network import tabulate  # noqa: E402
from backbeat.datasets.source import Source  # noqa: E402
from backbeat.errors import InputError  # noqa: E402
from backbeat.evaluation.cases import Choice  # noqa: E402
from backbeat.evaluation.learning import Data, find_data, split_by_genre  # noqa: E402
from backbeat.training.loop import Run, Schedule, Task  # noqa: E402
from backbeat.training.running import check_recipe, parse_grid, pick_device, read_start, run_training, sweep  # noqa: E402
from backbeat.training.trainables import TRAINABLES, Trainable, find_trainable, set_fields  # noqa: E402
from tests.midi.builders import band_song  # noqa: E402
from tests.training.corpora import make_corpus  # noqa: E402
from tests.training.test_loop import Line  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class LineRecipe(Schedule):
    """A recipe with a field of its own."""

    width: int = 16
    sizes: tuple[int, ...] = (1, 2)
    bias: bool = True


def export(task: Task, run: Run, folder: Path, about: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(about))


LINE = Trainable("line", "a line", {"": LineRecipe(updates=20, validate_every=10, rate=0.05)}, lambda recipe, data: Line(), export)
DATA = Data("made up", [Source("a", "a", "rock")] * 12 + [Source("b", "b", "jazz")] * 3, [Source("c", "c", "rock"), Source("d", "d", "jazz")])


def test_a_run_leaves_weights_curves_and_what_ships(tmp_path: Path) -> None:
    run = run_training(LINE, LINE.configs[""], DATA, tmp_path / "run", device="cpu")
    names = {p.name for p in run.folder.iterdir()}
    assert names == {"config.json", "last.safetensors", "best.safetensors", "log.jsonl", "curves.png", "tensorboard", "model"}
    about = json.loads((run.folder / "model" / "config.json").read_text())
    assert about["data"]["pieces"] == 15 and about["recipe"]["width"] == 16 and about["updates"] == 20
    assert about["validation"]["loss"] == pytest.approx(run.best)


def test_a_sweep_runs_every_combination_once(tmp_path: Path) -> None:
    grid = parse_grid("rate=0.01,0.05 width=8,16")
    assert grid[1] == ["rate=0.01", "width=16"]
    told: list[str] = []
    rows = sweep(LINE, LINE.configs[""], grid, {"all": DATA}, tmp_path, lambda name, progress: told.append(name), "cpu")
    assert [(r["rate"], r["width"]) for r in rows] == [("0.01", "8"), ("0.01", "16"), ("0.05", "8"), ("0.05", "16")]
    assert all(r["loss"] > 0 and r["updates"] == 20 for r in rows) and len(set(told)) == 4
    before = len(told)
    again = sweep(LINE, LINE.configs[""], grid, {"all": DATA}, tmp_path, lambda name, progress: told.append(name), "cpu")
    assert len(told) == before, "finished runs are not run again"
    assert [r["loss"] for r in again] == [r["loss"] for r in rows]
    assert tabulate(rows).splitlines()[0].startswith("| data | rate | width | parameters |") and len(tabulate(rows).splitlines()) == 6


def test_lengths_of_a_sweep_are_one_run_looked_at_again(tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []
    grid = parse_grid("width=8,16 updates=6,20")
    rows = sweep(LINE, LINE.configs[""], grid, {"all": DATA}, tmp_path, lambda name, p: told.append((name, p.update)), "cpu")
    assert [(r["width"], r["updates"]) for r in rows] == [("8", 6), ("8", 20), ("16", 6), ("16", 20)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["width=16", "width=8"] and max(update for _, update in told) == 20
    assert rows[0]["best at"] <= 6 < rows[1]["best at"] and rows[0]["loss"] > rows[1]["loss"]


def test_lengths_that_change_the_rate_are_runs_of_their_own(tmp_path: Path) -> None:
    rows = sweep(LINE, set_fields(LINE.configs[""], ["floor=0.1"]), parse_grid("updates=6,20"), {"all": DATA}, tmp_path, device="cpu")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["updates=20", "updates=6"] and [int(r["updates"]) for r in rows] == [6, 20]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("batch=0", "--set batch=0: batch is 1 at least"),
        ("updates=-1", "--set updates=-1: updates is 1 at least"),
        ("validate_every=0", "validate_every is 1 at least"),
        ("rate=nan", "--set rate=nan: rate is 1e-09 to 10"),
        ("floor=2", "floor is 0 to 1"),
        ("width=0", "width is 1 at least"),
        ("optimiser=sgd", "choose from adam and adamw"),
    ],
)
def test_numbers_that_cannot_be_trained_with_are_told_before_anything_is_done(setting: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        run_training(LINE, set_fields(LINE.configs[""], [setting]), DATA, tmp_path / "run", device="cpu")
    with pytest.raises(InputError, match=message):
        sweep(LINE, LINE.configs[""], [["width=8"], [setting]], {"all": DATA}, tmp_path, device="cpu")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TRAINABLES)
def test_every_recipe_that_ships_is_within_the_limits(name: str) -> None:
    for recipe in find_trainable(name).configs.values():
        assert check_recipe(recipe) == recipe


def test_a_warm_start_takes_weights_of_the_same_network_alone(tmp_path: Path) -> None:
    run = run_training(LINE, LINE.configs[""], DATA, tmp_path / "first", device="cpu")
    own = run.task.network.state_dict()
    assert {k: v.shape for k, v in read_start(run.folder, run.task.network).items()} == {k: v.shape for k, v in own.items()}
    assert torch.equal(read_start(run.folder / "best.safetensors", run.task.network)["0.weight"], own["0.weight"])
    with pytest.raises(InputError, match=r"no best.safetensors in it; name the folder of a run"):
        run_training(LINE, LINE.configs[""], DATA, tmp_path / "second", begin=run.folder / "model", device="cpu")
    for other in (torch.nn.Linear(7, 3), copy.deepcopy(run.task.network).requires_grad_(False)):
        if not isinstance(other, torch.nn.Linear):
            other.load_state_dict(own)
            next(other.parameters()).data = torch.zeros(2, 2)
        with pytest.raises(InputError, match="weights of another network or of other sizes"):
            read_start(run.folder, other)


def test_genres_with_enough_pieces_are_apart() -> None:
    by_genre = split_by_genre(DATA)
    assert list(by_genre) == ["all", "rock"]
    assert len(by_genre["rock"].train) == 12 and len(by_genre["rock"].validation) == 1


@pytest.mark.parametrize(
    ("setting", "message"),
    [("depth=3", "no field 'depth'"), ("width=wide", "'wide' is not a int"), ("bias=maybe", "is not a bool"), ("rate=", "is not a float")],
)
def test_fields_that_cannot_be_set_are_told(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        set_fields(LineRecipe(), [setting])


def test_fields_are_set_by_their_kind() -> None:
    recipe = set_fields(LineRecipe(), ["width=8", "rate=0.5", "bias=no", "sizes=3,4,5", "optimiser=adamw"])
    assert recipe == LineRecipe(width=8, rate=0.5, bias=False, sizes=(3, 4, 5), optimiser="adamw")


@pytest.mark.parametrize("text", ["", "layers", "layers=", "layers=1,,2", "=3"])
def test_a_grid_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--sweep"):
        parse_grid(text)


def test_data_without_a_split_hold_out_every_tenth(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}.mid").write_bytes(band_song(8))
    data = find_data(str(tmp_path), "", None, Choice())
    assert [s.name for s in data.validation] == ["00.mid", "10.mid"] and len(data.train) == 18
    with pytest.raises(InputError, match="0 pieces to learn from"):
        find_data(str(tmp_path), "", None, Choice(style="polka"))


def test_a_corpus_is_data(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path)
    data = find_data(str(corpus.folder), str(corpus.folder), None, Choice())
    assert len(data.train) + len(data.validation) >= len(corpus)


@pytest.mark.parametrize("name", ["nonsense", "cuda:99", "meta", "cpu:x"])
def test_a_device_that_is_not_there_is_told(name: str) -> None:
    assert str(pick_device("auto")) in ("cpu", "cuda")
    with pytest.raises(InputError, match=f"--device {name}"):
        pick_device(name)


def test_processes_of_one_machine_take_a_gpu_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch, "zeros", lambda size, device: torch.ones(size))
    assert str(pick_device("auto")) == "cuda"
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert str(pick_device("auto")) == str(pick_device("cuda")) == "cuda:1" and str(pick_device("cpu")) == "cpu"
