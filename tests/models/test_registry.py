"""What holds for every model of the registry: it scores a distribution, looks only back, plays what its seed says, and can be kept."""

import json
from functools import cache

import numpy as np
import pytest

from backbeat.errors import InputError, ModelError, OutputError
from backbeat.models.ngram import NGram
from backbeat.models.registry import MODELS, find_entry, load_model, make_model, name_model, save_model
from tests.models.pieces import make_piece, vary

SETTINGS = {"trees": {"steps": 400, "rounds": 3}}
KEPT = [name for name, entry in MODELS.items() if entry.learns and not entry.shipped]
SCORERS = [name for name, entry in MODELS.items() if entry.scores]


def make_songs(seed, count, bars=4):
    """Loops with noise over a band whose bass plays the kick."""
    rng = np.random.default_rng(seed)
    songs = []
    for k in range(count):
        words = np.tile(rng.integers(0, 6, 16), bars)
        noise = rng.random(len(words)) < 0.2
        words[noise] = rng.integers(0, 6, noise.sum())
        onsets = (rng.random((len(words), 6)) < 0.2).astype(np.float32)
        onsets[:, 0] = words & 1
        active = np.ones(bars, bool)
        active[-1] = k % 2 == 0
        songs.append(make_piece(words, onsets=onsets, active=active))
    return songs


@cache
def fitted(name):
    """A model of the registry, fitted and tuned on small songs; those that need no fitting as they are."""
    try:
        model = make_model(name, SETTINGS.get(name))
    except ModelError:
        if name == "drummer":
            pytest.skip("this checkout has no shipped weights")
        raise
    if name in KEPT:
        model.fit(make_songs(0, 8))
        model.tune(make_songs(1, 3))
    return model


@pytest.mark.parametrize("name", SCORERS)
def test_scores_are_finite_and_one_a_step(name):
    (piece,) = make_songs(2, 1)
    scores = fitted(name).score(piece)
    assert scores.dtype == np.float64 and scores.shape == (piece.grid.steps,)
    assert np.isfinite(scores).all() and (scores <= 1e-6).all()


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n in ("drummer", "cache", "ngram17") else ()) for n in SCORERS])
@pytest.mark.parametrize("step", [0, 3, 17])
def test_a_step_sums_to_one_over_the_vocabulary(name, step):
    heard = make_songs(2, 1)[0].words[: 16 if step < 16 else 32]  # short, for there are 512 of them
    total = sum(2 ** fitted(name).score(piece)[step] for piece in vary(heard, step))
    assert total == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", SCORERS)
def test_a_later_word_leaves_earlier_scores_alone(name):
    (piece,) = make_songs(3, 1)
    changed = piece.words.copy()
    changed[40:] = (changed[40:] + 1) % 8
    other = make_piece(changed, onsets=piece.band.onsets, active=piece.band.active_bars)
    before, after = (fitted(name).score(p) for p in (piece, other))
    assert before[:40] == pytest.approx(after[:40], abs=1e-6) and not np.allclose(before[40:], after[40:])


@pytest.mark.parametrize("name", [n for n in SCORERS if not MODELS[n].hears])
def test_what_it_draws_from_is_what_it_scores(name):
    (piece,) = make_songs(4, 1)
    model = fitted(name)
    take, expected = model.begin(piece.grid), model.score(piece)
    for step, word in enumerate(piece.words.tolist()):
        distribution = take.distribution()
        assert distribution.sum() == pytest.approx(1, abs=1e-5) and distribution.min() > 0
        assert np.log2(distribution[word]) == pytest.approx(expected[step], abs=1e-9)
        take.push(word)


@pytest.mark.parametrize("name", [n for n, e in MODELS.items() if e.plays])
def test_plays_hits_that_its_seed_decides(name):
    (piece,) = make_songs(5, 1, bars=6)
    model = fitted(name)
    first, again = (model.play(piece, np.random.default_rng(7)) for _ in range(2))
    assert first.dtype == np.bool_ and first.shape == (piece.grid.steps, 9)
    assert np.array_equal(first, again) and first.any()


@pytest.mark.parametrize("name", [n for n, e in MODELS.items() if e.plays and not e.copies])
def test_does_not_look_at_the_real_drums_when_it_plays(name):
    (piece,) = make_songs(5, 1)
    other = make_piece(np.zeros_like(piece.words), onsets=piece.band.onsets, active=piece.band.active_bars)
    assert np.array_equal(*(fitted(name).play(p, np.random.default_rng(7)) for p in (piece, other)))


@pytest.mark.parametrize("name", [n for n, e in MODELS.items() if e.plays and not e.copies and n not in ("drummer", "rock-bass")])
def test_rests_where_the_band_rests(name):
    piece = make_songs(5, 2)[1]
    assert not piece.active_bars[-1]
    assert not fitted(name).play(piece, np.random.default_rng(1))[48:].any()


@pytest.mark.parametrize("name", KEPT)
def test_a_checkpoint_gives_the_same_scores_and_plays(name, tmp_path):
    model, (piece,) = fitted(name), make_songs(6, 1)
    save_model(model, tmp_path / "kept", {"manifest_sha256": "abc", "pieces": 8, "arrays": {}}, {"validation": {"perplexity": 3.0}})
    loaded = load_model(tmp_path / "kept")
    assert type(loaded) is type(model) and loaded.name == model.name
    if MODELS[name].scores:
        assert np.array_equal(loaded.score(piece), model.score(piece))
    assert np.array_equal(*(m.play(piece, np.random.default_rng(3)) for m in (model, loaded)))
    config = json.loads((tmp_path / "kept" / "config.json").read_text(encoding="utf-8"))
    assert config["model"] == name and config["kit"]["name"] == "drums_rnn_9" and config["data"] == {"manifest_sha256": "abc", "pieces": 8}
    assert config["metrics"] == {"validation": {"perplexity": 3.0}}
    card = (tmp_path / "kept" / "card.md").read_text(encoding="utf-8").splitlines()
    assert {"## Data", "- pieces: 8", "## Figures", "- validation: perplexity 3", "## Limits"} <= set(card)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept"]


@pytest.mark.parametrize("name", KEPT)
def test_what_is_not_fitted_is_not_kept(name, tmp_path):
    with pytest.raises(ModelError, match="not fitted"):
        save_model(make_model(name), tmp_path / "kept")


@pytest.mark.parametrize("name", KEPT)
def test_a_model_that_has_to_be_trained_says_so(name):
    with pytest.raises(ModelError, match=f"{name} has to be trained first: 'backbeat train {name} CORPUS"):
        load_model(name)


def test_every_entry_does_something_and_says_what():
    assert all(entry.scores or entry.plays for entry in MODELS.values())
    assert all(entry.name == name and entry.title for name, entry in MODELS.items())


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(ModelError, match="no model 'jazz': choose from unigram, bigram"):
        find_entry("jazz")
    with pytest.raises(ModelError, match="no model 'jazz': name a folder, or choose from copy1"):
        load_model("jazz")


def test_settings_are_the_models_own():
    with pytest.raises(InputError, match="trees has no setting 'depth': it has steps, rounds, seed"):
        make_model("trees", {"depth": 3})
    with pytest.raises(InputError, match="cache has no setting 'depth': there is nothing to set"):
        make_model("cache", {"depth": 3})


def test_a_model_outside_the_registry_has_no_name():
    with pytest.raises(ModelError, match="'9-gram' cannot be kept"):
        name_model(NGram.of_order(9))


def test_a_checkpoint_takes_the_place_of_an_older_one_only(tmp_path):
    folder = tmp_path / "kept"
    save_model(fitted("unigram"), folder)
    save_model(fitted("bigram"), folder)
    assert load_model(folder).name == "2-gram"
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="not a checkpoint: name another folder"):
        save_model(fitted("unigram"), folder)
    assert load_model(folder).name == "2-gram" and (folder / "notes.txt").is_file()


def break_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: break_config(f, schema=9), "schema 9"),
        (lambda f: break_config(f, codec={"name": "events"}), "events"),
        (lambda f: break_config(f, model="oracle"), "a model 'oracle' that this version does not know"),
        (lambda f: break_config(f, model="rock-loop"), "'rock-loop'"),
        (lambda f: break_config(f, model=None), "lacks the model's name"),
        (lambda f: break_config(f, settings={}), "damaged"),
        (lambda f: break_config(f, model="cache"), "damaged"),
        (lambda f: break_config(f, model="trees"), "damaged"),
        (lambda f: break_config(f, settings={"name": "x", "context": [3, 2, 1]}), "damaged"),
        (lambda f: (f / "arrays.npz").unlink(), "missing or damaged"),
        (lambda f: (f / "arrays.npz").write_bytes(b"PK"), "missing or damaged"),
        (lambda f: (f / "arrays.npz").write_bytes((f / "arrays.npz").read_bytes()[:200]), "missing or damaged"),
        (lambda f: np.savez(f / "arrays.npz", **{"0.keys": np.array([3, 2], np.uint64)}), "damaged"),
        (lambda f: np.savez(f / "arrays.npz", np.array([{}], dtype=object)), "missing or damaged"),
        (lambda f: (f / "config.json").write_text("[]", encoding="utf-8"), "holds no settings"),
        (lambda f: (f / "config.json").unlink(), "not a model folder"),
    ],
)
def test_a_damaged_folder_is_one_line(tmp_path, damage, message):
    folder = tmp_path / "kept"
    save_model(fitted("bigram"), folder)
    damage(folder)
    with pytest.raises(ModelError, match=message) as error:
        load_model(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)


def test_arrays_that_do_not_fit_are_refused(tmp_path):
    save_model(fitted("bigram"), tmp_path / "kept")
    path = tmp_path / "kept" / "arrays.npz"
    with np.load(path) as stored:
        arrays = dict(stored)
    for name, broken in (("1.keys", arrays["1.keys"][::-1]), ("1.shares", arrays["1.shares"][1:]), ("1.left", arrays["1.left"][1:])):
        np.savez(path, **(arrays | {name: broken}))
        with pytest.raises(ModelError, match="damaged"):
            load_model(tmp_path / "kept")


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OutputError, match="No space left"):
        save_model(fitted("unigram"), tmp_path / "kept")
    assert not list(tmp_path.iterdir())


def test_the_drummers_folder_is_a_drummer(drummer_folder):
    model = load_model(drummer_folder)
    assert model.name == "drummer"
    with pytest.raises(ModelError, match="backbeat train drummer"):
        model.fit([])
