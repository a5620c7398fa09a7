"""Training of melodies on drums."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.codecs.melodies import TOKENS, melody_to_matrix  # noqa: E402
from backbeat.datasets.source import Source  # noqa: E402
from backbeat.errors import InputError  # noqa: E402
from backbeat.evaluation.learning import Data  # noqa: E402
from backbeat.models.melody import open_melody, write_melody  # noqa: E402
from backbeat.models.melody_loops import LoopPlayer  # noqa: E402
from backbeat.training.loop import Run, train  # noqa: E402
from backbeat.training.melody import TRAINABLE, LoopRecipe, StepRecipe, measure_tokens  # noqa: E402
from backbeat.training.melody_pairs import choose_accepted, choose_melodies, count_progressions, encode_pairs, read_pairs  # noqa: E402
from backbeat.training.running import run_training  # noqa: E402
from tests.datasets.test_melody_loops import make_song  # noqa: E402
from tests.models.drum_bars import make_groove  # noqa: E402

STEPS = replace(StepRecipe(), updates=6, batch=2, units=8, embedding=4, validate_every=3, save_every=2, warm_up=0, floor=1.0, measured=3)
LOOPS = replace(LoopRecipe(), updates=4, batch=2, hidden=8, validate_every=2, save_every=2)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("melodies")
    sources = []
    for k in range(2):
        path = folder / f"{k}.mid"
        path.write_bytes(make_song(16, shift=-5 * k))
        sources.append(Source(str(path), path.name))
    return Data("tunes", sources, sources[:1])


def test_pairs_are_mined_once_and_kept(data, tmp_path):
    train_pairs, held = read_pairs(str(tmp_path / "pairs"), data)
    again, _ = read_pairs(str(tmp_path / "pairs"), Data("nothing", [], []))
    assert len(train_pairs) == len(again) > 0 and len(held)
    with pytest.raises(InputError, match="songs with drums are needed"):
        read_pairs("", Data("nothing", [], []))


def test_melodies_are_in_their_scale_and_one_note_at_a_time(data):
    pairs, _ = read_pairs("", data)
    assert len(choose_melodies(pairs, 0.75, 0.7)) == len(pairs)
    foreign = replace(pairs, key=(pairs.key + 6) % 12)
    assert len(choose_melodies(foreign, 0.75, 0.7)) == 0


def test_the_papers_pairs_pass_its_filters_and_have_the_key_that_is_found(data):
    pairs, _ = read_pairs("", data)
    chosen, keys = choose_accepted(pairs)
    inputs, targets = encode_pairs(chosen, keys)
    assert len(chosen) == len(keys) == len(inputs) > 0 and inputs.shape[1] == 496
    assert (np.unpackbits(targets[0]).reshape(64, 128).astype(bool) == melody_to_matrix(chosen.melody(0))).all()


def test_progressions_are_of_the_scale_and_change(data):
    pairs, _ = read_pairs("", data)
    many = replace(pairs, key=np.zeros(len(pairs), np.uint8), song=np.arange(len(pairs), dtype=np.int32))
    for row, kept in (([0, 5, 7, 0], 1), ([0, 0, 0, 0], 0), ([0, 1, 7, 0], 0), ([0, 5, 24, 0], 0)):
        counted = count_progressions(replace(many, chords=np.tile(np.array(row, np.uint8), (len(pairs), 1))))
        assert len(counted["major"]) == (kept if len(pairs) >= 3 else 0) and not counted["minor"]


def test_nats_of_tokens_are_those_of_onset_and_pitch():
    torch.manual_seed(1)
    logits, tokens = torch.randn(2, 6, TOKENS), torch.randint(0, TOKENS, (2, 6))
    nats, onset, pitch = measure_tokens(logits, tokens)
    torch.testing.assert_close(nats, torch.nn.functional.cross_entropy(logits.transpose(1, 2), tokens, reduction="none"))
    is_note = tokens >= 2
    torch.testing.assert_close(onset[is_note] + pitch, nats[is_note])
    assert (nats >= onset).all() and len(pitch) == int(is_note.sum())


@pytest.mark.parametrize("recipe", [STEPS, LOOPS], ids=["steps", "original"])
def test_a_run_learns_exports_and_plays(data, tmp_path, recipe):
    run = run_training(TRAINABLE, replace(recipe, pairs=str(tmp_path / "pairs")), data, tmp_path / "run", device="cpu")
    assert run.update == recipe.updates and np.isfinite(run.best)
    folder = tmp_path / "run" / "model"
    config = json.loads((folder / "config.json").read_text())
    assert config["network"] == "melody" and config["training"]["pairs"] > 0 and "songs" in (folder / "card.md").read_text().lower()
    notes = write_melody(make_groove(4), "C", "lead", 4, model=folder, tries=1)
    assert notes["onset"].min(initial=0) >= 0


def test_the_papers_network_is_the_same_in_torch_and_onnx(data, tmp_path):
    run = run_training(TRAINABLE, LOOPS, data, tmp_path / "run", device="cpu")
    player = open_melody(tmp_path / "run" / "model")
    assert isinstance(player, LoopPlayer)
    told = player.tell(np.arange(32).astype(np.uint16), 4, 21, 3)
    from backbeat.codecs.melodies import encode_loop
    from backbeat.training.checkpoints import load_tensors
    from backbeat.training.loop import BEST

    network = run.task.network.eval()
    network.load_state_dict(load_tensors(run.folder / BEST))
    with torch.no_grad():
        real = network(torch.from_numpy(encode_loop(np.arange(32).astype(np.uint16), 4, 21, 3))[None]).sigmoid()[0].reshape(64, 128)
    np.testing.assert_allclose(told, real.numpy(), atol=1e-4)


def test_a_stopped_run_goes_on_to_the_same_weights(data, tmp_path):
    def finish(name, lengths):
        for updates in lengths:
            torch.manual_seed(1)
            run = train(Run(tmp_path / name, TRAINABLE.make_task(STEPS, data), replace(STEPS, updates=updates), {}))
        return torch.cat([p.flatten() for p in run.task.network.parameters()])

    assert torch.equal(finish("whole", [6]), finish("parts", [4, 6]))
