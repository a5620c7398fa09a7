"""Training LSTMetallica: lanes, windows, every config, what is resumed and what is exported."""

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")
torch.set_num_threads(1)

from backbeat.codecs.metallica_text import write_midi  # noqa: E402
from backbeat.codecs.song_memory import NO_WORD, remember  # noqa: E402
from backbeat.codecs.words import VOCABULARY  # noqa: E402
from backbeat.datasets.source import Source  # noqa: E402
from backbeat.errors import InputError  # noqa: E402
from backbeat.evaluation.learning import Data  # noqa: E402
from backbeat.evaluation.metallica import spell_bars  # noqa: E402
from backbeat.models.lstmetallica import Lstmetallica  # noqa: E402
from backbeat.training.checkpoints import load_tensors  # noqa: E402
from backbeat.training.loop import LAST, Run, read_log, train  # noqa: E402
from backbeat.training.lstmetallica import ORIGINAL, TRAINABLE, Recipe, SongTask, TextTask, export, make_task  # noqa: E402
from backbeat.training.metallica_lanes import NOTHING, SongLanes, TokenLanes, Windows, cut  # noqa: E402
from backbeat.training.trainables import find_trainable  # noqa: E402
from tests.models.pieces import make_piece, make_takes  # noqa: E402

SMALL = Recipe(updates=4, batch=2, length=32, width=16, units=(12, 12), step=4, validate_every=2, save_every=2, warm_up=0)
SONGS = [take.words for take in make_takes(bars=5)]


def make_small(**changes):
    recipe = replace(SMALL, **changes)
    return (SongTask if recipe.kind == "song" else TextTask)(recipe, SONGS[:3], SONGS[3:])


def test_a_chunk_says_what_came_before_and_where_the_song_ends():
    words = np.arange(1, 33).astype(np.uint16)
    chunk = cut(words, remember(words.tolist()), 16, 32)
    assert chunk["before"][:17].tolist() == [16, *range(17, 33)] and chunk["target"].tolist() == [*range(17, 33), *[NOTHING] * 16]
    assert chunk["end"][0] == 0 and chunk["end"][16] == 1 and (np.delete(chunk["end"], [0, 16]) == -1).all()
    assert cut(words, remember(words.tolist()), 0, 16)["before"][0] == NO_WORD


def test_lanes_read_every_song_whole_and_forget_between_songs():
    lanes = SongLanes(SONGS, 2, 32, seed=1)
    seen = {}
    for update in range(lanes.updates):
        batch, fresh = lanes.batch(update)
        for lane in range(2):
            seen.setdefault(lane, []).append((batch["target"][lane], bool(fresh[lane])))
            if batch["before"][lane, 0] == NO_WORD:
                assert fresh[lane]
    read = np.concatenate([t[t != NOTHING] for row in seen.values() for t, _ in row])
    assert sorted(read.tolist()) == sorted(np.concatenate(SONGS).tolist())
    again, _ = SongLanes(SONGS, 2, 32, seed=1).batch(lanes.updates + 1)
    assert np.array_equal(again["target"], lanes.batch(lanes.updates + 1)[0]["target"])


def test_shares_of_lanes_are_the_whole():
    whole, _ = SongLanes(SONGS, 4, 32, seed=1).batch(1)
    parts = [SongLanes(SONGS, 4, 32, seed=1).batch(1, share, 2)[0]["target"] for share in range(2)]
    assert np.array_equal(np.concatenate(parts), whole["target"])


def test_token_lanes_read_every_token_but_the_first():
    songs = [np.arange(10 * k, 10 * k + 9) for k in range(4)]
    lanes = TokenLanes(songs, 2, 4, seed=0)
    pairs = [(r, t) for u in range(lanes.updates) for r, t in zip(*(a.ravel() for a in lanes.batch(u)[:2]), strict=True) if t != NOTHING]
    assert len(pairs) == 32 and all(t == r + 1 for r, t in pairs)


def test_windows_are_the_originals():
    windows = Windows(np.arange(1000), 256, 8, seed=0)
    assert len(windows) == len(range(0, 1000 - 256, 8))
    read, behind = windows.batch(0, 1000)
    assert (read[:, 1:] == read[:, :-1] + 1).all() and (behind == read[:, -1] + 1).all()
    assert sorted(read[:, 0].tolist()) == list(range(0, 744, 8))
    with pytest.raises(InputError, match="no window"):
        Windows(np.arange(100), 100, 8, seed=0)


def test_memory_does_not_grow_with_windows_times_length():
    tokens = np.zeros(2_000_000, np.int64)
    tracemalloc.start()
    try:
        windows = Windows(tokens, 1024, 34, seed=0)
        read, _ = windows.batch(3, 128)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read.shape == (128, 1024) and peak < 8 << 20  # the original's array has 58,794 x 1,024 x 7 cells


@pytest.mark.parametrize("kind", ["song", "carried", "windows"])
def test_it_learns(kind, tmp_path):
    recipe = replace(SMALL, kind=kind, rate=0.02, dropout=0.0, batch=4 if kind == "song" else 16)
    task = (SongTask if kind == "song" else TextTask)(recipe, SONGS, SONGS[:1])
    run = train(Run(tmp_path, task, replace(recipe, updates=40, validate_every=40), {}), log_every=5)
    losses = [line["train"]["loss"] for line in read_log(tmp_path) if "train" in line]
    assert losses[-1] < 0.97 * losses[0] and np.isfinite(run.best)


@pytest.mark.parametrize("kind", ["song", "carried"])
def test_a_run_that_was_stopped_ends_with_the_same_weights(kind, tmp_path):
    for name, stops in (("whole", [4]), ("stopped", [2, 4])):
        for stop in stops:
            task = make_small(kind=kind)
            train(Run(tmp_path / name, task, replace(task.recipe, updates=4, floor=1.0) if stop == 4 else replace(task.recipe, updates=2, floor=1.0), {}))
    first, second = (load_tensors(tmp_path / name / LAST) for name in ("whole", "stopped"))
    assert all(torch.equal(first[k], second[k]) for k in first if k.startswith(("network", "task")))


def test_the_original_is_the_original():
    assert find_trainable("lstmetallica") is TRAINABLE
    for name, (units, length, step) in {"original": ((512, 512), 256, 8), "blog": ((512,) * 3, 256, 8), "original-char": ((32, 32), 1024, 34)}.items():
        recipe = TRAINABLE.choose(name)
        assert (recipe.units, recipe.length, recipe.step, recipe.batch, recipe.dropout, recipe.patience) == (units, length, step, 128, 0.2, 15)
    assert ORIGINAL.optimiser == "adam" and ORIGINAL.rate_of(100_000) == 1e-3


@pytest.mark.parametrize("name", TRAINABLE.configs)
def test_every_config_makes_an_update_and_ships(name, tmp_path):
    sources = []
    for number, words in enumerate(SONGS):
        path = tmp_path / f"{number}.mid"
        path.write_bytes(write_midi([words]))
        sources.append(Source(str(path), path.name, band=False))
    settings = [f"{k}={v}" for k, v in {"units": "8,8", "width": 8, "length": 24, "batch": 2, "updates": 1}.items()]
    recipe = TRAINABLE.choose(name, settings)
    task = make_task(recipe, Data("small", sources[:3], sources[3:]))
    run = train(Run(tmp_path / "run", task, recipe, {}))
    export(task, run, tmp_path / "model", {"updates": 1, "validation": {"perplexity": run.best}})
    config = json.loads((tmp_path / "model" / "config.json").read_text(encoding="utf-8"))
    assert config["network"] == "lstmetallica" and "licence" in (tmp_path / "model" / "card.md").read_text(encoding="utf-8")
    model = Lstmetallica(tmp_path / "model")
    if recipe.level == "word":
        piece = make_piece(SONGS[3])
        assert np.isfinite(model.score(piece)).all() and model.play(piece, np.random.default_rng(0)).shape == (80, 9)


def test_unseen_words_are_scored_alike_in_training_and_out(tmp_path):
    task = make_small(kind="carried")
    task.validation[0][5] = NOTHING
    words = SONGS[3].copy()
    words[5] = VOCABULARY - 2
    run = train(Run(tmp_path / "run", task, replace(task.recipe, updates=1), {}))
    task.network.eval()
    with torch.no_grad():
        figures = task.validate()
    export(task, run, tmp_path / "model", {})
    score = Lstmetallica(tmp_path / "model").score(spell_bars(make_piece(words)))
    assert 2 ** -score.mean() == pytest.approx(figures["perplexity"], rel=0.02)


def test_nothing_to_learn_from_is_said(tmp_path):
    with pytest.raises(InputError, match="none of 1 pieces"):
        make_task(SMALL, Data("none", [Source(str(tmp_path / "no.mid"), "no")], []))
    with pytest.raises(InputError, match="kind"):
        make_task(replace(SMALL, kind="other"), Data("none", [], []))
