"""Training of the note network: batches, the original's losses, learning, stopping and writing."""

from dataclasses import asdict, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.codecs.notes import VOCABULARY, notes_to_midi, notes_to_tokens  # noqa: E402
from backbeat.datasets.source import Source  # noqa: E402
from backbeat.errors import InputError  # noqa: E402
from backbeat.evaluation.learning import Data  # noqa: E402
from backbeat.models.notes import open_notes  # noqa: E402
from backbeat.training.loop import Run, train  # noqa: E402
from backbeat.training.notes import TRAINABLE, LstmRecipe, TokenRecipe, press, read_pieces, scale_notes, transpose  # noqa: E402
from backbeat.training.running import run_training  # noqa: E402

SMALL = replace(TokenRecipe(), updates=6, batch=2, length=8, units=12, embedding=6, validate_every=3, save_every=2, warm_up=0, floor=1.0)
LSTM = replace(LstmRecipe(), updates=12, units=8, batch=16, validate_every=6)


def make_scale(seed, count=48):
    """Eighths up and down a scale, at a tempo of its own."""
    rng = np.random.default_rng(seed)
    step = rng.choice([0.2, 0.25, 0.3])
    pitches = 60 + np.resize([0, 2, 4, 5, 7, 5, 4, 2], count)
    return np.stack([pitches, np.full(count, step), np.full(count, 0.9 * step)], axis=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("notes")
    sources = []
    for k in range(5):
        path = folder / f"{k}.mid"
        path.write_bytes(notes_to_midi(make_scale(k)))
        sources.append(Source(str(path), path.name))
    return Data("scales", sources, sources[:2])


def test_pieces_are_read_or_refused(data, tmp_path):
    assert [len(p) for p in read_pieces(data.train, "first")] == [48] * 5
    with pytest.raises(InputError, match="'first' or 'all', not 'some'"):
        read_pieces(data.train, "some")
    with pytest.raises(InputError, match="none of 1 pieces has 32 notes"):
        read_pieces([Source(str(tmp_path / "no.mid"), "no")], "all")


def test_an_epoch_plays_every_note_once_each_with_the_one_before(data):
    task = TRAINABLE.make_task(replace(SMALL, batch=1, transpose=0), data)
    updates, heard = int(task.chunks.sum()), []
    for update in range(updates):
        tokens, before, fresh = task.take(update, 0, 1)
        known = tokens[0] >= 0
        if fresh[0]:
            heard.append([])
            assert before[0, 0] == VOCABULARY
        heard[-1] += tokens[0][known].tolist()
        line = np.array([VOCABULARY, *heard[-1]])
        assert np.array_equal(before[0][known], line[-1 - known.sum() : -1])
    assert sorted(heard) == sorted(p.tolist() for p in task.pieces)


def test_transposing_keeps_pitches_in_range():
    tokens = notes_to_tokens(np.array([[60, 0, 1.0], [1, 0.5, 1.0], [127, 0.5, 1.0]]))
    assert transpose(tokens, 3)[1::3].tolist() == [64 + 63, 64 + 4, 64 + 118]
    assert transpose(tokens, -3)[1::3].tolist() == [64 + 57, 64 + 10, 64 + 124]
    assert np.array_equal(transpose(tokens, 3)[0::3], tokens[0::3]) and np.array_equal(transpose(tokens, 3)[2::3], tokens[2::3])


def test_the_originals_losses():
    real, told = torch.tensor([1.0, 2.0]), torch.tensor([1.5, -0.5])
    assert float(press(real, told, 10)) == pytest.approx((0.25 + 6.25 + 10 * 0.5) / 2)
    assert scale_notes(torch.tensor([[64.0, 0.5, 2.0]])).tolist() == [[0.5, 0.5, 2.0]]
    told_of = {"rate": 0.005, "batch": 64, "length": 25, "units": 128, "weights": (0.05, 1.0, 1.0), "pressure": 10.0, "patience": 5, "files": 5}
    original = asdict(TRAINABLE.configs["original"])
    assert {k: original[k] for k in told_of} == told_of


def test_it_learns_scales_and_is_written(data, tmp_path):
    run = run_training(TRAINABLE, replace(SMALL, updates=50, rate=0.03, units=24, transpose=0, validate_every=25), data, tmp_path / "run")
    assert run.best < 4, "of 3 x 4 nats and more at the start"
    player = open_notes(tmp_path / "run" / "model")
    assert player.parts == "all" and float(player.score(make_scale(0)).sum(axis=1).mean()) == pytest.approx(run.best, abs=0.7)
    assert "pitch nats, held out" in (tmp_path / "run" / "model" / "card.md").read_text(encoding="utf-8")


def test_the_original_learns_and_is_written(data, tmp_path):
    run = run_training(TRAINABLE, LSTM, data, tmp_path / "run")
    assert run.update == 12
    player = open_notes(tmp_path / "run" / "model")
    assert (player.parts, player.least) == ("first", 25)


@pytest.mark.parametrize("recipe", [SMALL, LSTM])
def test_a_stopped_run_ends_with_the_same_weights(recipe, data, tmp_path):
    def go(folder, updates):
        torch.manual_seed(1)
        return train(Run(folder, TRAINABLE.make_task(recipe, data), replace(recipe, updates=updates), {}))

    go(tmp_path / "stopped", 4)
    stopped, whole = go(tmp_path / "stopped", 6), go(tmp_path / "whole", 6)
    for one, two in zip(stopped.task.network.parameters(), whole.task.network.parameters(), strict=True):
        assert torch.equal(one, two)
