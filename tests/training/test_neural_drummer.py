"""NeuralDrummer's training: what stands in a batch, that it learns, that a stopped run goes on the same, and that it is written."""

from dataclasses import asdict, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.datasets.source import Source  # noqa: E402
from backbeat.errors import InputError  # noqa: E402
from backbeat.evaluation.cases import list_corpus  # noqa: E402
from backbeat.evaluation.learning import Data  # noqa: E402
from backbeat.kits import load_kit  # noqa: E402
from backbeat.models.neural_drummer_inputs import BAND, PAST  # noqa: E402
from backbeat.models.registry import load_model  # noqa: E402
from backbeat.training.intensity_windows import WindowRecipe, draw_windows, read_rows  # noqa: E402
from backbeat.training.loop import Run, train  # noqa: E402
from backbeat.training.neural_drummer import TRAINABLE, StepRecipe  # noqa: E402
from backbeat.training.running import run_training  # noqa: E402
from backbeat.training.song_lanes import Lanes, read_songs, unfold_song  # noqa: E402
from tests.training.corpora import make_corpus  # noqa: E402

SMALL = replace(StepRecipe(), updates=6, batch=2, length=16, units=8, layers=1, validate_every=3, save_every=2, warm_up=0, measured=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.set_num_threads(1)
    path = tmp_path_factory.mktemp("songs")
    make_corpus(path)
    return path


@pytest.fixture(scope="module")
def data(folder):
    sources = list_corpus(folder / "corpus")
    return Data("four songs", sources, sources[:2])


@pytest.fixture(scope="module")
def files(folder):
    sources = [Source(str(p), p.name) for p in sorted((folder / "songs").iterdir())]
    return Data("four files", sources, sources[:2])


def test_songs_of_a_corpus_and_of_its_files_are_the_same(data, files):
    packed, read = ({len(s): s for s in read_songs(d.train)} for d in (data, files))
    assert packed.keys() == read.keys()
    for length, song in packed.items():
        assert np.array_equal(song.words, read[length].words) and np.array_equal(song.onsets, read[length].onsets)
        for one, two in zip(unfold_song(song), unfold_song(read[length]), strict=True):
            assert np.allclose(one, two)


def test_nothing_to_learn_from_is_told(folder):
    with pytest.raises(InputError, match="none of 1 pieces has drums and a band"):
        read_songs([Source(str(folder / "no.mid"), "no")])
    with pytest.raises(InputError, match="not a corpus"):
        read_rows(list_corpus(folder / "corpus"), None, 8)


def test_an_epoch_plays_every_song_once(data):
    songs = read_songs(data.train)
    lanes = Lanes(songs, 1, 16)
    played = [lanes.take(update) for update in range(lanes.updates_per_epoch)]
    assert sum(int(b.valid.sum()) for b in played) == sum(map(len, songs))
    assert sum(int(b.fresh.sum()) for b in played) == len(songs)
    words = np.concatenate([b.words[0][b.valid[0]] for b in played])
    assert np.array_equal(np.sort(words), np.sort(np.concatenate([s.words for s in songs])))
    assert played[0].band.shape == (1, 16, BAND) and played[0].past.shape == (1, 16, PAST)


def test_shares_of_lanes_make_the_whole(data):
    lanes = Lanes(read_songs(data.train), 4, 16, seed=3)
    whole, parts = lanes.take(7), [lanes.take(7, first, 2) for first in (0, 2)]
    assert all(np.array_equal(w, np.concatenate(p)) for w, p in zip(whole, zip(*parts, strict=True), strict=True))


def test_what_is_forgotten_is_forgotten_for_the_whole_song(data):
    songs = read_songs(data.train)
    lanes = Lanes(songs, 1, 16, forget=0.5, seed=1)
    kinds, now = [], set()
    for update in range(3 * lanes.updates_per_epoch):
        batch = lanes.take(update)
        if batch.fresh[0]:
            kinds.append(now)
            now = set()
        elif batch.valid.any():
            now.add(bool(batch.past.any()))
    assert all(len(k) <= 1 for k in kinds) and {True} in kinds and {False} in kinds


def test_windows_of_the_original_are_cut_from_the_files(files):
    rows = read_rows(files.train, load_kit("neuraldrummer_6"), 8)
    windows = draw_windows(rows, 20, 8, np.random.default_rng(0))
    assert windows.shape == (20, 9, 7)
    flat = [np.lib.stride_tricks.sliding_window_view(r, 9, axis=0).transpose(0, 2, 1) for r in rows]
    assert all(any((f == w).all(axis=(1, 2)).any() for f in flat) for w in windows)


def test_the_configs_are_the_originals_and_ours():
    assert list(TRAINABLE.configs) == ["songs", "original"]
    original = TRAINABLE.configs["original"]
    assert isinstance(original, WindowRecipe)
    told = {"batch": 50, "rate": 1e-3, "units": 512, "dropout": 0.3, "cutoff": 0.2, "kit": "neuraldrummer_6"}
    assert {k: asdict(original)[k] for k in told} == told


def test_it_learns_and_is_written(data, tmp_path):
    run = run_training(TRAINABLE, replace(SMALL, updates=24, rate=0.02, validate_every=12), data, tmp_path / "run")
    log = (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8")
    assert run.best < 7 and "bits_per_onset_band_alone" in log
    model = load_model(tmp_path / "run" / "model")
    assert model.name == "neural-drummer"
    card = (tmp_path / "run" / "model" / "card.md").read_text(encoding="utf-8")
    assert "- name: four songs" in card and "bits per onset, held out" in card


def test_a_stopped_run_ends_with_the_same_weights(data, tmp_path):
    def go(folder, updates):
        torch.manual_seed(1)
        return train(Run(folder, TRAINABLE.make_task(SMALL, data), replace(SMALL, updates=updates, floor=1.0), {}))

    go(tmp_path / "stopped", 4)
    stopped, whole = go(tmp_path / "stopped", 6), go(tmp_path / "whole", 6)
    for one, two in zip(stopped.task.network.parameters(), whole.task.network.parameters(), strict=True):
        assert torch.equal(one, two)


def test_the_original_learns_and_is_written(files, tmp_path):
    recipe = replace(WindowRecipe(), updates=12, batch=8, units=8, validate_every=6, rate=0.01)
    run_training(TRAINABLE, recipe, files, tmp_path / "run")
    model = load_model(tmp_path / "run" / "model")
    assert model.name == "neural-drummer, original" and len(model.kit) == 6
