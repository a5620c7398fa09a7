"""Drums RNN without torch: it scores what it draws from, goes on after primers, searches with beams, and opens only its own folders."""

import json
import shutil
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from backbeat.errors import InputError, ModelError
from backbeat.grid import Grid
from backbeat.models.drums_rnn import DrumsRnnModel, EventTake, load_shipped
from tests.models.pieces import make_piece

SHIPPED = Path(str(resources.files("backbeat"))) / "weights" / "drums_rnn"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Tiny networks of both kinds, and one of one_drum, with random weights."""
    torch = pytest.importorskip("torch")
    from backbeat.training.drum_takes import make_take
    from backbeat.training.drums_rnn import OriginalRecipe, OriginalTask, export
    from backbeat.training.drums_rnn_memory import MemoryRecipe, MemoryTask
    from backbeat.training.loop import Run

    torch.set_num_threads(1)
    take, out = make_take(np.arange(32) % 5, 16), {}
    recipes = {"original": OriginalRecipe(layers=2, units=8, attention=4), "one_drum": OriginalRecipe(encoding="one_drum", layers=1, units=8, attention=0)}
    for name, recipe in {**recipes, "memory": MemoryRecipe(units=12, width=16, batch=2)}.items():
        task = MemoryTask(recipe, [take], [take]) if name == "memory" else OriginalTask(recipe, [take.words % 2], [take.words % 2])
        with torch.no_grad():
            for parameter in task.network.parameters():
                parameter.mul_(1 if name == "memory" else 1.5)  # not more: rounding then grows from step to step
        folder = tmp_path_factory.mktemp(name)
        export(task, Run(folder / "run", task, recipe, {}), folder / "out", {})
        out[name] = folder / "out"
    return out


@pytest.fixture(params=["original", "memory"])
def model(request, folders):
    return DrumsRnnModel(folders[request.param])


def words(bars=4, seed=0):
    rng = np.random.default_rng(seed)
    return np.tile(rng.integers(0, 8, 16), bars) ^ (rng.random(16 * bars) < 0.1)


def test_it_scores_what_it_draws_from(model):
    piece = make_piece(words())
    scores, take = model.score(piece), model.begin(piece.grid)
    assert scores.shape == (64,) and scores.dtype == np.float64
    for step, word in enumerate(piece.words.tolist()):
        chances = take.distribution()
        assert chances.sum() == pytest.approx(1)
        assert np.log2(chances[word]) == pytest.approx(scores[step], abs=1e-4)
        take.push(word)


def test_it_does_not_read_ahead(model):
    before, changed = words(), words()
    changed[40:] = 5
    one, other = (model.score(make_piece(w)) for w in (before, changed))
    assert one[:40] == pytest.approx(other[:40], abs=1e-6)


def test_the_original_says_nothing_of_the_first_event(folders):
    assert DrumsRnnModel(folders["original"]).score(make_piece(words()))[0] == pytest.approx(-9)


def test_a_fork_goes_its_own_way(model):
    take = model.begin_on([16, 16])
    for word in (1, 4, 2, 4):
        take.push(word)
    before, twin = take.distribution(), take.fork()
    twin.push(7)
    assert np.array_equal(take.distribution(), before) and not np.allclose(twin.distribution(), before)
    take.push(7)
    assert np.array_equal(take.distribution(), twin.distribution())


@pytest.mark.parametrize("options", [{}, {"temperature": 0.5}, {"beam_size": 2, "branch_factor": 2, "steps_per_iteration": 3}, {"top_p": 0.5}])
def test_it_goes_on_after_a_primer(model, options):
    primer = words(1)
    (first, likely), (again, _), (other, _) = (model.continue_words(primer, [16] * 3, np.random.default_rng(k), steps=40, **options) for k in (1, 1, 2))
    assert first.shape == (40,) and first[:16].tolist() == primer.tolist() and likely <= 0
    assert first.tolist() == again.tolist() != other.tolist()


def test_the_likelihood_of_a_continuation_is_what_it_scores(model):
    played, log_p = model.continue_words(words(1), [16] * 2, np.random.default_rng(0))
    assert log_p / np.log(2) == pytest.approx(model.score_words(played, [16] * 2)[16:].sum(), abs=1e-3)


def test_more_beams_find_what_is_likelier(model):
    drawn = [model.continue_words(words(1), [16] * 2, np.random.default_rng(k))[1] for k in range(5)]
    searched = model.continue_words(words(1), [16] * 2, np.random.default_rng(0), beam_size=4, branch_factor=4)[1]
    assert searched > np.mean(drawn)


@pytest.mark.parametrize(
    ("steps", "options", "message"),
    [
        (16, {}, "the primer has 16 steps: ask for more"),
        (99, {}, "ask for more than that, not 99"),
        (20, {"temperature": 6}, "temperature must lie in 0-5"),
        (20, {"top_p": 0}, r"top-p in \(0, 1\]"),
        (20, {"beam_size": 0}, "1 at least"),
        (20, {"beam_size": 10, "branch_factor": 10}, "together 64 at most"),
    ],
)
def test_options_out_of_range_are_refused(model, steps, options, message):
    with pytest.raises(InputError, match=message):
        model.continue_words(words(1), [16, 16], np.random.default_rng(0), steps=steps, **options)


def test_one_drum_continues_but_knows_no_words(folders):
    model = DrumsRnnModel(folders["one_drum"])
    played, _ = model.continue_words(np.array([1, 0, 1]), [8, 8], np.random.default_rng(0))
    assert played.shape == (16,) and set(played.tolist()) <= {0, 1}
    with pytest.raises(ModelError, match="knows one_drum in 8ths only"):
        model.begin(Grid.regular(1))


@pytest.mark.parametrize("steps", [16, 15, 1])
def test_one_drum_says_how_likely_strokes_are(folders, steps):
    """Words 5 at 0, 3 at step 3 (between the second and third 8th: the third), 1 at 8."""
    model, heard = DrumsRnnModel(folders["one_drum"]), np.zeros(16, np.int64)
    heard[[0, 3, 8]] = 5, 3, 1
    scores = model.score(SimpleNamespace(words=heard[:steps]))  # odd lengths are those of odd metres
    eighths = model.score_words(np.array([1, 0, 1, 0, 1, 0, 0, 0])[: -(-steps // 2)], [8])
    assert len(scores) == steps and scores[::2] == pytest.approx(eighths) and not scores[1::2].any()
    assert scores[0] == pytest.approx(-1)


@pytest.mark.parametrize("name", ["original", "one_drum"])
def test_steps_in_numpy_are_those_of_the_graph(folders, name):
    model = DrumsRnnModel(folders[name])
    quick, graph = model.begin_on([16] * 5), EventTake(model.session, model.encoding)
    assert "_quick" in vars(quick) and vars(quick)["_quick"] is not None and vars(graph)["_quick"] is None
    for word in (words(5) % model.encoding.classes).tolist():
        quick.push(word)
        graph.push(word)
        assert quick.distribution() == pytest.approx(graph.distribution(), abs=1e-6)
    twin = quick.fork()
    twin.push(1)
    quick.push(0)
    graph.push(0)
    assert quick.distribution() == pytest.approx(graph.distribution(), abs=1e-6)


def test_without_numpy_s_file_the_graph_plays_and_a_damaged_one_is_told(folders, tmp_path):
    shutil.copytree(folders["original"], tmp_path / "x")
    (tmp_path / "x" / "steps.npz").write_bytes(b"damaged")
    with pytest.raises(ModelError, match=r"steps.npz: the weights cannot be read"):
        DrumsRnnModel(tmp_path / "x")
    np.savez(tmp_path / "x" / "steps.npz", table=np.zeros((512, 32), np.float32))
    with pytest.raises(ModelError, match="has no array 'counters'"):
        DrumsRnnModel(tmp_path / "x")
    (tmp_path / "x" / "steps.npz").unlink()
    plain, quick = (DrumsRnnModel(f).continue_words([5], [16] * 2, np.random.default_rng(1)) for f in (tmp_path / "x", folders["original"]))
    assert plain[0].tolist() == quick[0].tolist() and plain[1] == pytest.approx(quick[1], abs=1e-4)


def test_one_branch_draws_the_same_however_often_it_is_looked_at(model):
    """With one sequence and one branch nothing is ever chosen, so steps per iteration change nothing."""
    one, other = (model.continue_words([5, 0], [16] * 2, np.random.default_rng(3), steps_per_iteration=n) for n in (1, 7))
    assert one[0].tolist() == other[0].tolist() and one[1] == pytest.approx(other[1])


def test_fitting_is_refused(model):
    model.tune([])
    with pytest.raises(ModelError, match="backbeat train drums-rnn DATA"):
        model.fit([])


@pytest.mark.parametrize(("field", "value"), [("network", "drummer"), ("schema", 2), ("kind", "new"), ("encoding", "toms")])
def test_other_folders_are_refused(folders, tmp_path, field, value):
    shutil.copytree(folders["memory"], tmp_path / "x")
    path = tmp_path / "x" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {field: value}), encoding="utf-8")
    with pytest.raises(ModelError, match="this version can read"):
        DrumsRnnModel(tmp_path / "x")


@pytest.mark.skipif(not (SHIPPED / "config.json").is_file(), reason="the shipped weights are not there yet")
def test_the_one_that_ships_knows_a_loop_when_it_hears_one():
    model = load_shipped()
    loop = np.tile(np.array([5, 0, 4, 0, 6, 0, 4, 0, 5, 0, 4, 5, 6, 0, 4, 0]), 8)
    bits = -model.score_words(loop, [16] * 8).reshape(8, 16).sum(axis=1)
    assert bits[0] > 15 > 6 > bits[-1]
    assert model.continue_words(loop[:64], [16] * 8, np.random.default_rng(0), temperature=0)[0][64:80].tolist() == loop[:16].tolist()
