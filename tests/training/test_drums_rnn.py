"""Training Drums RNN: tracks and takes, lanes that depend on the update alone, resuming, and the folder that ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from backbeat.codecs.drum_events import DRUM_KIT  # noqa: E402
from backbeat.errors import InputError  # noqa: E402
from backbeat.models.drums_rnn import DrumsRnnModel  # noqa: E402
from backbeat.training.checkpoints import load_tensors  # noqa: E402
from backbeat.training.drum_takes import Lanes, cut, cut_excerpts, make_loops, make_take, pass_once  # noqa: E402
from backbeat.training.drums_rnn import CONFIGS, TRAINABLE, OriginalRecipe, OriginalTask, export, make_batch, read_tracks  # noqa: E402
from backbeat.training.drums_rnn_memory import MemoryRecipe, MemoryTask  # noqa: E402
from backbeat.training.loop import LAST, Run, train  # noqa: E402
from tests.datasets.here import midi  # noqa: E402

torch.set_num_threads(1)
ORIGINAL = OriginalRecipe(updates=6, batch=4, layers=2, units=8, attention=4, validate_every=3, save_every=3)
MEMORY = MemoryRecipe(updates=6, batch=4, units=12, width=16, length=16, validate_every=3, save_every=3, excerpts=2, loops=1.0)


def make_tracks(seed=0, count=6):
    rng = np.random.default_rng(seed)
    return [np.tile(rng.integers(0, 8, 16), 4)[: int(rng.integers(20, 64))] for _ in range(count)]


def make_takes(seed=0, count=5, bars=6):
    rng = np.random.default_rng(seed)
    return [make_take(np.tile(rng.integers(0, 8, 16), bars) ^ (rng.random(16 * bars) < 0.1), 16) for _ in range(count)]


def make_task(recipe):
    if isinstance(recipe, OriginalRecipe):
        return OriginalTask(recipe, make_tracks(), make_tracks(1, 3))
    return MemoryTask(recipe, make_takes(), make_takes(1, 2))


def test_configs_are_those_of_the_original():
    kit, drum, small = CONFIGS["original"], CONFIGS["one-drum"], CONFIGS["small"]
    assert next(iter(CONFIGS)) == "memory"
    assert (kit.batch, kit.rate, kit.clip, kit.optimiser) == (128, 1e-3, 3.0, "adam")
    assert (kit.layers, kit.units, kit.attention, kit.keep, kit.min_bars, kit.max_steps) == (3, 256, 32, 0.5, 7, 512)
    assert (drum.encoding, drum.layers, drum.units, drum.attention, drum.clip) == ("one_drum", 2, 128, 0, 5.0)
    assert (small.layers, small.units, small.batch) == (2, 64, 64)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_makes_its_network(name):
    assert sum(p.numel() for p in CONFIGS[name].make_network().parameters()) > 100_000


def test_an_unknown_encoding_is_refused():
    with pytest.raises(InputError, match="no encoding 'toms': choose from drum_kit, one_drum"):
        replace(ORIGINAL, encoding="toms").make_network()


def test_a_batch_lies_step_by_step_and_labels_what_follows():
    tracks = [np.array([1, 2, 3]), np.array([4, 5, 6, 7, 0])]
    batch = make_batch(tracks, DRUM_KIT)
    assert batch.events.tolist() == [4, 1, 5, 2, 6, 7] and batch.counts == [2, 2, 1, 1]
    assert batch.labels.tolist() == [5, 2, 6, 3, 7, 0]
    assert batch.counters.shape == (6, 6) and batch.counters[1].tolist() == [1, -1, -1, -1, -1, -1] and batch.counters[4].tolist() == [1, 1, -1, -1, -1, -1]


def test_each_round_goes_through_all_tracks():
    task = make_task(ORIGINAL)
    order = [i for update in range(3) for i in task.choose(update, 0, 1)]
    assert sorted(order[:6]) == sorted(order[6:]) == list(range(6))
    assert order == [i for update in range(3) for share in range(1) for i in task.choose(update, share, 1)]
    assert task.choose(0, 0, 2) + task.choose(0, 1, 2) == order[:8]


def test_excerpts_and_loops_are_cut_from_takes():
    words = np.arange(96) % 40
    excerpts = cut_excerpts([make_take(words, 16)], 2)
    assert [e.words.tolist() for e in excerpts] == [words[32:64].tolist(), words[64:].tolist()]
    (loop,) = make_loops([make_take(words, 16)], 1.0, seed=3)
    assert loop.given % 16 == 0 and loop.given >= 32
    follows = loop.words[loop.given :]
    start = int(np.flatnonzero([np.array_equal(words[k : k + len(follows)], follows) for k in range(0, 96, 16)])[0]) * 16
    size = next(n for n in (16, 32, 64) if start >= n and np.array_equal(np.tile(words[start - n : start], loop.given // n), loop.words[: loop.given]))
    assert size in (16, 32, 64)
    assert (cut(loop, 0, len(loop))["target"] >= 0).tolist() == [False] * loop.given + [True] * len(follows)
    assert cut_excerpts([make_take(words[:40], 16)], 2) == [] == make_loops([make_take(words[:48], 16)], 1.0, seed=0)


def test_lanes_play_every_take_whole_and_depend_on_the_update_alone():
    takes = make_takes(2, count=4, bars=3)
    lanes, again = Lanes(takes, 20, 5), Lanes(takes, 20, 5)
    seen = [lanes.find(0, update) for update in range(lanes.round)]
    assert sorted(seen) == [(take, start) for take in range(4) for start in (0, 20, 40)]
    assert [again.find(0, u) for u in (11, 3, 7)] == [seen[u] for u in (11, 3, 7)]
    assert lanes.find(0, lanes.round) == Lanes(takes, 20, 5).find(0, lanes.round)
    batch, fresh = lanes.batch(0, [0, 1, 2])
    assert fresh.all() and batch["target"].shape == (3, 20) and (batch["before"][:, 0] == 512).all()
    later, fresh = lanes.batch(2, [0])
    take = takes[seen[2][0]]
    assert not fresh.any() and later["before"][0, 0] == take.words[39] and later["target"][0].tolist() == [*take.words[40:].tolist(), *[-1] * 12]


def test_one_pass_has_every_step_once():
    takes = make_takes(3, count=5)
    assert sum(int((b["target"] >= 0).sum()) for b in pass_once(takes, 2)) == sum(map(len, takes))


@pytest.mark.parametrize("recipe", [ORIGINAL, MEMORY], ids=["original", "memory"])
def test_a_resumed_run_ends_with_the_same_weights(recipe, tmp_path):
    whole = train(Run(tmp_path / "whole", make_task(recipe), recipe, {}))
    train(Run(tmp_path / "cut", make_task(recipe), replace(recipe, updates=3), {}))
    resumed = train(Run(tmp_path / "cut", make_task(recipe), recipe, {}))
    assert resumed.update == 6
    for one, other in zip(whole.task.network.parameters(), resumed.task.network.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("recipe", [replace(ORIGINAL, updates=30, rate=0.02), replace(MEMORY, updates=30, rate=0.02)], ids=["original", "memory"])
def test_it_learns(recipe, tmp_path):
    task = make_task(recipe)
    with torch.no_grad():
        task.network.eval()
        before = task.validate()["perplexity"]
        task.network.train()
    run = train(Run(tmp_path, task, recipe, {}))
    assert run.best < before / (3 if isinstance(recipe, OriginalRecipe) else 1.5)


@pytest.mark.parametrize("recipe", [ORIGINAL, replace(ORIGINAL, encoding="one_drum", attention=0), MEMORY], ids=["original", "one-drum", "memory"])
def test_the_folder_that_ships_scores_as_the_network_does(recipe, tmp_path):
    if recipe.__dict__.get("encoding") == "one_drum":
        task = OriginalTask(recipe, [t % 2 for t in make_tracks()], [t % 2 for t in make_tracks(1)])
    else:
        task = make_task(recipe)
    run = train(Run(tmp_path / "run", task, replace(recipe, updates=3), {}))
    export(task, run, tmp_path / "out", {"data": {"name": "a test"}, "figures": {"perplexity": 3.0}})
    model = DrumsRnnModel(tmp_path / "out")
    assert model.kind == ("memory" if recipe is MEMORY else "original")
    if model.kind == "memory":
        take = make_takes(4, 1)[0]
        batch = next(pass_once([take], 1))
        task.network.eval()
        log_p = (
            task.network(*(torch.from_numpy(batch[n]) for n in ("before", "place", "words", "shares", "hints")), *task.network.start(1))[0][0].detach().numpy()
        )
        assert model.score_words(take.words, [16] * 6) == pytest.approx(log_p[np.arange(96), take.words] / np.log(2), abs=1e-4)
    config = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert config["training"]["done"] == 3 and config["data"]["name"] == "a test"
    card = (tmp_path / "out" / "card.md").read_text(encoding="utf-8")
    assert "a test" in card and "Limits" in card


def test_tracks_are_read_by_the_original_s_rules(tmp_path):
    from backbeat.datasets.source import Source

    (tmp_path / "long.mid").write_bytes(midi(*[36] * 40))
    (tmp_path / "short.mid").write_bytes(midi(*[36] * 8))
    (tmp_path / "broken.mid").write_bytes(b"MThd")
    sources = [Source(str(p), p.name, band=None) for p in sorted(tmp_path.glob("*.mid"))]
    assert [len(t) for t in read_tracks(sources, ORIGINAL)] == [157]
    assert len(read_tracks(sources, replace(ORIGINAL, min_bars=1))) == 2
    with pytest.raises(InputError, match="has a drum track of 30 bars"):
        read_tracks(sources, replace(ORIGINAL, min_bars=30))


def test_the_trainable_reads_settings():
    assert TRAINABLE.choose("small", ["updates=5"]).updates == 5
    assert Path(TRAINABLE.name).name == "drums-rnn"


class Elsewhere(torch.Tensor):
    """A tensor that was made for the processor while the network is elsewhere: nothing but moving it is allowed."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        with torch._C.DisableTorchFunctionSubclass():
            out = function(*args, **(kwargs or {}))
            if function in (torch.Tensor.to, torch.Tensor.cpu):
                return out.as_subclass(torch.Tensor).clone()
        name = getattr(function, "__name__", "")
        if name in ("__get__", "__len__", "size", "dim", "float", "detach"):  # looked at, or of the same kind
            return out
        if name == "__getitem__" and all(isinstance(a, Elsewhere) or not isinstance(a, torch.Tensor) for a in args):
            return out
        raise AssertionError(f"{name} of a tensor that was not moved to the network's device")


@pytest.mark.parametrize("recipe", [ORIGINAL, replace(ORIGINAL, attention=0), MEMORY], ids=["original", "plain", "memory"])
def test_everything_is_moved_to_the_network_s_device(recipe, monkeypatch):
    """No GPU here: whatever is made without a device raises when it meets the network, as it would beside one."""
    task = make_task(recipe)
    for name in ("from_numpy", "tensor", "zeros", "ones", "arange", "rand", "randn", "empty"):
        made = getattr(torch, name)

        def make(*args, _made=made, **kwargs):
            out = _made(*args, **kwargs)
            return out if kwargs.get("device") is not None else out.as_subclass(Elsewhere)

        monkeypatch.setattr(torch, name, make)
    task.compute(0, 0, 1).loss.backward()
    task.compute(1, 0, 1)
    with torch.no_grad():
        task.network.eval()
        assert task.validate()["perplexity"] > 1


TRAIN = """
import sys, torch
from dataclasses import replace
from pathlib import Path
from backbeat.training.loop import Run, join_processes, train
from tests.training.test_drums_rnn import MEMORY, ORIGINAL, make_task
torch.set_num_threads(1)
join_processes()
for recipe in (ORIGINAL, MEMORY):
    folder = Path(sys.argv[1]) / type(recipe).__name__
    train(Run(folder / "whole", make_task(recipe), recipe, {}))
    train(Run(folder / "cut", make_task(recipe), replace(recipe, updates=3), {}))
    train(Run(folder / "cut", make_task(recipe), recipe, {}))
"""


@pytest.mark.slow
def test_two_processes_share_the_tracks_and_resume(tmp_path):
    """By torchrun: together they learn from twice as much, and a run that was stopped ends with the same weights."""
    (tmp_path / "both.py").write_text(TRAIN, encoding="utf-8")
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(tmp_path / "both.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for recipe in (ORIGINAL, MEMORY):
        folder = tmp_path / type(recipe).__name__
        together, resumed = (load_tensors(folder / name / LAST) for name in ("whole", "cut"))
        assert all(torch.equal(together[name], resumed[name]) for name in together if name.startswith("network."))
        alone = train(Run(folder / "alone", make_task(recipe), recipe, {})).task.network.state_dict()
        assert any(not torch.equal(together[f"network.{name}"], weights) for name, weights in alone.items())


def test_two_shares_of_the_original_are_one_batch_twice_as_large():
    """The mean of both processes' gradients is that of one process with both batches."""
    recipe = replace(ORIGINAL, keep=1.0)
    tracks = [t[:20] for t in make_tracks()]  # of one length, so that means of means are means

    def collect(made, share, shares):
        task = OriginalTask(made, tracks, tracks)
        task.compute(0, share, shares).loss.backward()
        return [p.grad for p in task.network.parameters()]

    halves = zip(collect(recipe, 0, 2), collect(recipe, 1, 2), strict=True)
    whole = collect(replace(recipe, batch=8), 0, 1)
    assert all(torch.allclose((a + b) / 2, c, atol=1e-6) for (a, b), c in zip(halves, whole, strict=True))
