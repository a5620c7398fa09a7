"""Training the drummer: losses, validation, a loss that falls, and the export; resuming is tested with all trainables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install 'backbeat[train]'")

from backbeat.errors import ModelError  # noqa: E402
from backbeat.evaluation.cases import list_corpus  # noqa: E402
from backbeat.evaluation.learning import Data  # noqa: E402
from backbeat.kits import load_kit  # noqa: E402
from backbeat.runtime import Session  # noqa: E402
from backbeat.training import export  # noqa: E402
from backbeat.training.drummer import TRAINABLE, DrummerTask, Recipe, articulation_groups, compute_losses, measure, to_tensors  # noqa: E402
from backbeat.training.drummer_lanes import NOTHING, Lanes, Library  # noqa: E402
from backbeat.training.loop import read_log  # noqa: E402
from backbeat.training.running import run_training  # noqa: E402
from tests.networks.tiny import SIZES, make_network  # noqa: E402
from tests.training.corpora import make_corpus  # noqa: E402

GROUPS = articulation_groups(load_kit("backbeat"))
QUIET = dict.fromkeys(("no_band", "no_lane", "no_style", "no_memory", "no_reference", "gaps", "classes", "line", "control"), 0.0)
SHORT = Recipe(updates=20, batch=2, length=64, rate=1e-2, warm_up=2, validate_every=20, save_every=1000, width=16, encoder_width=12, **QUIET)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    sources = list_corpus(make_corpus(tmp_path_factory.mktemp("training")).folder)
    return Data("made up", sources, sources)


@pytest.fixture(scope="module")
def library(data: Data) -> Library:
    return Library(data.train)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


def test_every_articulation_belongs_to_one_class() -> None:
    assert GROUPS.sum(dim=0).tolist() == [1] * len(load_kit("backbeat"))
    assert GROUPS.any(dim=1).all()


def test_an_even_network_needs_nine_bits_a_step(library: Library) -> None:
    network = make_network()
    for parameter in network.player.parameters():
        parameter.data.zero_()
    figures = measure(network, library, GROUPS, lanes=3)
    assert figures["bits_per_step"] == pytest.approx(9, abs=1e-3)
    pieces = [library[i].arrays for i in range(len(library))]
    hits = sum(int((p["velocities"] > 0).sum()) for p in pieces)
    assert figures["bits_per_onset"] == pytest.approx(9 * int(library.steps.sum()) / hits, abs=1e-3)
    assert figures["velocity"] == pytest.approx(np.log(8), abs=1e-3)


def test_validation_does_not_depend_on_the_lanes(library: Library) -> None:
    network = make_network()
    one, many = measure(network, library, GROUPS, lanes=1), measure(network, library, GROUPS, lanes=6)
    assert one["bits_per_step"] == pytest.approx(many["bits_per_step"], abs=2e-4)


@torch.no_grad()
def test_what_is_known_costs_nothing(library: Library) -> None:
    network = make_network()
    batch = to_tensors(Lanes(library, 2, 64, NOTHING).take(0))
    batch["mask"] = torch.ones_like(batch["mask"])
    losses, _ = compute_losses(network, batch, network.start(2), GROUPS)
    assert float(losses.nats) == pytest.approx(0, abs=1e-3)
    assert float(losses.hits) == 0


@torch.no_grad()
def test_chunks_that_are_not_valid_cost_nothing(library: Library) -> None:
    network = make_network()
    batch = to_tensors(Lanes(library, 2, 64, NOTHING).take(0))
    batch["valid"][:] = False
    losses, _ = compute_losses(network, batch, network.start(2), GROUPS)
    assert (float(losses.nats), float(losses.steps), float(losses.guess), float(losses.velocity)) == (0, 0, 0, 0)


@pytest.mark.slow
def test_the_loss_falls_and_the_run_ships(data: Data, library: Library, tmp_path: Path) -> None:
    before = measure(DrummerTask(SHORT, library, library).network, library, GROUPS, lanes=2)
    run = run_training(TRAINABLE, SHORT, data, tmp_path, device="cpu")
    assert run.best < before["bits_per_onset"] / 2, "the average lags behind, but not far"
    assert measure(run.task.network, library, GROUPS)["bits_per_onset"] == pytest.approx(run.best, rel=1e-6), "averaged weights ship"
    assert Session(tmp_path / "model").config["training"]["validation"] == read_log(tmp_path)[-1]["validation"]
    card = (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    assert "20 updates from random weights" in card and "4 pieces" in card


def test_the_twin_never_hears_a_band(library: Library) -> None:
    twin = replace(SHORT, no_band=1.0)
    task = DrummerTask(twin, library, library)
    task.network.eval()
    hears = DrummerTask(SHORT, library, library)
    hears.network.load_state_dict(task.network.state_dict())
    hears.network.eval()
    with torch.no_grad():
        assert task.validate() != hears.validate()
    assert TRAINABLE.choose("without-band").no_band == 1.0  # type: ignore[attr-defined]


def write_export(folder: Path, network: object) -> None:
    export.export_drummer(network, folder, kit=load_kit("backbeat").to_dict(), styles=["any"] * 17, training={"updates": 0}, card="# Card\n")  # type: ignore[arg-type]


def test_an_export_is_a_folder_that_runs(tmp_path: Path) -> None:
    network = make_network(layers=2)
    write_export(tmp_path / "out", network)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["card.md", "config.json", "listener.onnx", "player.onnx"]
    session = Session(tmp_path / "out")
    assert session.start(3).shape == (2, 3, SIZES["width"])
    heard = np.random.default_rng(1).random((90, network.config.heard), dtype=np.float32)
    with torch.no_grad():
        expected = network.listener(torch.from_numpy(heard)[None], torch.tensor([2]))[0][0].numpy()
    assert session.listen(heard, 2)[0] == pytest.approx(expected, abs=1e-4)


def test_an_export_that_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="the exported network differs from the trained one by"):
        write_export(tmp_path / "out", make_network())
