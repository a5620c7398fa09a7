"""Training the drummer: the schedule, a loss that falls, a run that is resumed, and its export."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: pip install 'backbeat[train]'")

from backbeat.datasets.corpus import Corpus  # noqa: E402
from backbeat.errors import ModelError  # noqa: E402
from backbeat.kits import load_kit  # noqa: E402
from backbeat.runtime import Session  # noqa: E402
from backbeat.training import export  # noqa: E402
from backbeat.training.drummer import Recipe, Run, articulation_groups, compute_losses, schedule, to_tensors, train, validate  # noqa: E402
from backbeat.training.streams import NOTHING, Augmentation, Streams  # noqa: E402
from tests.networks.tiny import SIZES, make_network  # noqa: E402
from tests.training.corpora import make_corpus  # noqa: E402

GROUPS = articulation_groups(load_kit("backbeat"))
SHORT = Recipe(updates=20, lanes=2, length=64, rate=1e-2, warm_up=2, validate_every=1000, save_every=1000, augmentation=NOTHING)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("training"))


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


def test_the_schedule_warms_up_and_comes_down() -> None:
    recipe = Recipe(updates=1100, warm_up=100, rate=1.0, floor=0.1)
    assert [schedule(recipe, u) for u in (0, 49, 99, 100)] == pytest.approx([0.01, 0.5, 1.0, 1.0])
    assert schedule(recipe, 600) == pytest.approx(0.55)
    assert schedule(recipe, 1100) == schedule(recipe, 5000) == pytest.approx(0.1)
    rates = [schedule(recipe, u) for u in range(100, 1100)]
    assert all(b <= a for a, b in pairwise(rates))


def test_every_articulation_belongs_to_one_class() -> None:
    assert GROUPS.sum(dim=0).tolist() == [1] * len(load_kit("backbeat"))
    assert GROUPS.any(dim=1).all()


def test_an_even_network_needs_nine_bits_a_step(corpus: Corpus) -> None:
    network = make_network()
    for parameter in network.player.parameters():
        parameter.data.zero_()
    figures = validate(network, corpus, GROUPS, lanes=3)
    assert figures["bits_per_step"] == pytest.approx(9, abs=1e-3)
    hits = sum(int((p["velocities"] > 0).sum()) for p in corpus)
    steps = sum(len(p["words"]) for p in corpus)
    assert figures["bits_per_onset"] == pytest.approx(9 * steps / hits, abs=1e-3)
    assert figures["velocity"] == pytest.approx(np.log(8), abs=1e-3)


def test_validation_does_not_depend_on_the_lanes(corpus: Corpus) -> None:
    network = make_network()
    one, many = validate(network, corpus, GROUPS, lanes=1), validate(network, corpus, GROUPS, lanes=6)
    assert one["bits_per_step"] == pytest.approx(many["bits_per_step"], abs=2e-4)


@torch.no_grad()
def test_what_is_known_costs_nothing(corpus: Corpus) -> None:
    network = make_network()
    batch = to_tensors(next(iter(Streams(corpus, 2, 64, NOTHING, endless=False))))
    batch["mask"] = torch.ones_like(batch["mask"])
    losses, _ = compute_losses(network, batch, network.start(2), GROUPS)
    assert float(losses.nats) == pytest.approx(0, abs=1e-3)
    assert float(losses.hits) == 0


@torch.no_grad()
def test_chunks_that_are_not_valid_cost_nothing(corpus: Corpus) -> None:
    network = make_network()
    batch = to_tensors(next(iter(Streams(corpus, 2, 64, NOTHING, endless=False))))
    batch["valid"][:] = False
    losses, _ = compute_losses(network, batch, network.start(2), GROUPS)
    assert (float(losses.nats), float(losses.steps), float(losses.guess), float(losses.velocity)) == (0, 0, 0, 0)


@pytest.mark.slow
def test_the_loss_falls(corpus: Corpus, tmp_path: Path) -> None:
    before = validate(make_network(), corpus, GROUPS, lanes=2)
    run = train(corpus, corpus, tmp_path, SHORT, SIZES)
    after = validate(run.network, corpus, GROUPS, lanes=2)
    assert after["bits_per_step"] < before["bits_per_step"] / 4
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry["update"] for entry in log] == [20]
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert config["recipe"]["lanes"] == 2 and config["network"]["width"] == SIZES["width"]
    assert config["manifest_sha256"] == corpus.meta["manifest_sha256"]


def test_a_killed_run_goes_on_where_it_was_saved(corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(SHORT, updates=12, save_every=4)
    step = Run.step

    def die(run: Run, losses: object) -> None:
        if run.update == 6:
            raise KeyboardInterrupt
        step(run, losses)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Run, "step", die)
        with pytest.raises(KeyboardInterrupt):
            train(corpus, corpus, tmp_path, recipe, SIZES)
    assert Run(tmp_path, make_network(), recipe).update == 4
    assert train(corpus, corpus, tmp_path, recipe, SIZES).update == 12
    assert Run(tmp_path, make_network(), recipe).update == 12


def test_a_saved_run_is_resumed_with_all_it_had(corpus: Corpus, tmp_path: Path) -> None:
    run = train(corpus, corpus, tmp_path, replace(SHORT, stop=3), SIZES)
    again = Run(tmp_path, make_network(), SHORT)
    assert again.update == run.update == 3
    for name, value in run.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], value), name
        assert torch.equal(again.average[name], run.average[name]), name
    for ours, theirs in zip(again.network.parameters(), run.network.parameters(), strict=True):
        for name, value in run.optimiser.state[theirs].items():
            assert torch.equal(again.optimiser.state[ours][name], value), name


def test_training_is_reproducible(corpus: Corpus, tmp_path: Path) -> None:
    recipe = replace(SHORT, stop=3, augmentation=Augmentation())
    one, two = (train(corpus, corpus, tmp_path / name, recipe, SIZES) for name in ("one", "two"))
    assert all(torch.equal(a, b) for a, b in zip(one.network.parameters(), two.network.parameters(), strict=True))


def test_validation_is_logged_and_the_average_saved(corpus: Corpus, tmp_path: Path) -> None:
    run = train(corpus, corpus, tmp_path, replace(SHORT, stop=2, validate_every=2), SIZES)
    log = json.loads((tmp_path / "log.jsonl").read_text(encoding="utf-8"))
    assert log["validation"] == validate(run.averaged(), corpus, GROUPS)
    assert {p.name for p in tmp_path.iterdir()} == {"average-2.safetensors", "average.safetensors", "config.json", "last.safetensors", "log.jsonl"}


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
