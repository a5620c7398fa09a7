"""One protocol for every model: what is scored, what is played, what is rejected, and that nothing depends on the number of processes."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from backbeat.datasets.source import Source
from backbeat.errors import InputError, ModelError
from backbeat.evaluation import measuring
from backbeat.evaluation.cases import Choice
from backbeat.evaluation.fitting import DataSet, plan_rounds
from backbeat.evaluation.measuring import Options, evaluate, spread
from backbeat.evaluation.results import REAL
from backbeat.models.registry import MODELS, save_model
from tests.evaluation.small import make_songs, make_takes, make_text_songs
from tests.training.corpora import make_corpus

FOUR = Choice(metre="4/4")
FAST = ("unigram", "bigram", "ngram5", "cache", "copy1", "copy4", "rock-loop", "template")


@pytest.fixture(scope="module")
def takes(tmp_path_factory):
    return make_takes(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")
    make_corpus(folder)
    make_songs(folder / "measured")
    return folder


def measure_takes(data, model, **options):
    return evaluate(model, DataSet("groove_midi:test", data, FOUR), Options(**options))


@pytest.mark.parametrize("name", FAST)
def test_every_model_goes_the_same_way(takes, name):
    report = measure_takes(takes, name)
    assert report.context == "whole takes" and report.data == "groove_midi:test"
    assert len(report.results) == 3
    assert report.rejected == {"drummer1/12.mid": "not in 4/4 throughout"}
    for result in report.results:
        assert next(iter(result.hits)) == REAL
        steps = len(result.case.piece.words)
        if MODELS[name].scores:
            scores = result.log2_p[report.model]
            assert next(iter(result.log2_p)) == report.model
            assert scores.shape == (steps,) and scores.dtype == np.float64 and np.isfinite(scores).all() and scores.max() <= 0
        assert result.hits[report.model].shape == (steps, 9) and result.hits[report.model].dtype == np.bool_
    if MODELS[name].scores or MODELS[name].copies:
        assert any(row["model"] == report.model for rows in report.tables.values() for row in rows)


@pytest.mark.parametrize("model", ["drummer", "folder"])
def test_the_drummer_goes_the_same_way_with_its_variants(songs, drummer_folder, monkeypatch, model):
    monkeypatch.setattr("backbeat.models.registry.MODELS", MODELS | {"drummer": dataclasses.replace(MODELS["drummer"], make=lambda: _open(drummer_folder))})
    report = evaluate("drummer" if model == "drummer" else str(drummer_folder), DataSet(str(songs / "measured"), None, Choice()))
    assert report.model == "drummer"
    assert list(report.rejected) == ["poison.mid"]  # whose band would be the wrong one of song 0
    assert report.rejected["poison.mid"].startswith("unreadable")
    for result in report.results:
        assert list(result.log2_p) == ["drummer", "drummer, no band", "drummer, wrong band"][: 2 if result.case.source.name == "song 0.mid" else 3]
        assert list(result.hits)[:2] == [REAL, "drummer"]
        assert result.expected["drummer"].min() >= 0 and result.expected["drummer"].max() <= 1
    title = "likelihood, whole song, own history"
    assert [row["model"] for row in report.tables[title]] == ["drummer", "drummer, no band", "drummer, wrong band (metre matched)"]
    assert "band gain" in report.tables[title][-1]


def _open(folder):
    from backbeat.models.accompanist import Accompanist

    return Accompanist(folder)


def test_what_is_expected_agrees_with_what_is_scored(songs, drummer_folder):
    report = evaluate(str(drummer_folder), DataSet(str(songs / "measured"), None, Choice()), Options(limit=2))
    result = report.results[0]
    real = np.where(result.case.piece.hits, result.expected["drummer"], 1 - result.expected["drummer"])
    assert np.all(np.exp2(result.log2_p["drummer"])[:, None] <= real + 1e-4)  # a word is at most as likely as each of its hits


def test_floors_stand_beside_the_model(takes):
    report = measure_takes(takes, "copy1", floors=True)
    title = "likelihood, whole takes, own history"
    rows = {row["model"]: row for row in report.tables[title]}
    assert list(rows) == ["unigram", "2-gram", "5-gram", "17-gram", "n-gram + in-take cache"]
    assert rows["n-gram + in-take cache"]["bits_per_onset"] < rows["unigram"]["bits_per_onset"]
    novelty = report.tables["novelty against what floors learned from, 2-bar windows"]
    assert novelty[0]["model"] == REAL


def test_a_model_is_no_floor_of_itself(takes):
    report = measure_takes(takes, "ngram5", floors=True)
    assert [n for n in report.results[0].log2_p if n == "5-gram"] == ["5-gram"] and next(iter(report.results[0].log2_p)) == "5-gram"


def test_floors_of_songs_learn_from_a_corpus(songs):
    data_set = DataSet(str(songs / "measured"), None, Choice())
    with pytest.raises(InputError, match="--corpus"):
        evaluate("unigram", data_set)
    report = evaluate("unigram", data_set, Options(corpus=songs / "corpus", tuning=str(songs / "measured")))
    assert report.tables["likelihood, whole song, own history"][0]["model"] == "unigram"
    assert [row["model"] for row in report.tables["song-only onsets (no drums given)"]] == ["unigram", "rock loop", "rock + kick = bass"]
    assert all("history" in row["model"] or "next step" in row["model"] for row in report.tables["onsets with history (real drums before are given)"])


def test_a_checkpoint_is_not_fitted_again(takes, tmp_path):
    from tests.models.pieces import make_takes as make_pieces

    model = MODELS["ngram5"].make()
    model.fit(make_pieces())
    save_model(model, tmp_path / "kept")
    report = evaluate(str(tmp_path / "kept"), DataSet("groove_midi:test", takes, FOUR))
    result = report.results[0]
    assert np.array_equal(result.log2_p["5-gram"], model.score(result.case.piece))


def test_a_corpus_is_measured_on_without_playing(songs, drummer_folder):
    report = evaluate(str(drummer_folder), DataSet(str(songs / "corpus"), None, Choice()))
    assert len(report.results) == 4
    assert all("drummer" in r.log2_p and "drummer" not in r.hits for r in report.results)


def test_text_keeps_bar_tokens_apart(tmp_path):
    data = make_text_songs(tmp_path)
    report = evaluate("unigram", DataSet("lstmetallica", data, Choice(text=True)))
    assert sorted(r.case.source.name for r in report.results) == sorted(f"{n}.mid" for n in range(12))
    row = report.tables["likelihood, whole takes, own history"][0]
    assert row["steps"] == sum(len(r.case.piece.words) for r in report.results) == 12 * 3 * 16
    assert row["bits_per_bar_token"] == pytest.approx(np.log2(17), abs=0.2)
    windows = evaluate("unigram", DataSet("lstmetallica", data, Choice(text=True)), Options(context=2))
    assert all(len(r.bars["unigram"]) == 3 and len(r.log2_p["unigram"]) == 48 for r in windows.results)


def test_windows_know_less(takes):
    whole, windows = (measure_takes(takes, "cache", context=c) for c in (0, 1))
    assert windows.context == "windows of 1 bar"
    bits = [next(iter(r.tables.values()))[0]["bits_per_onset"] for r in (whole, windows)]
    assert bits[0] < bits[1]


def assert_same(a, b):
    assert a.tables == b.tables or repr(a.tables) == repr(b.tables)  # nan is not equal to itself
    for ours, theirs in zip(a.results, b.results, strict=True):
        assert ours.case.source == theirs.case.source
        assert all(np.array_equal(ours.hits[n], theirs.hits[n]) for n in ours.hits)


def test_the_same_seed_gives_the_same_figures_in_any_number_of_processes(takes):
    one = measure_takes(takes, "ngram5", floors=True)
    assert_same(one, measure_takes(takes, "ngram5", floors=True, workers=2))
    other = measure_takes(takes, "ngram5", seed=1)
    assert any(not np.array_equal(a.hits["5-gram"], b.hits["5-gram"]) for a, b in zip(one.results, other.results, strict=True))


def test_pieces_are_spread_over_the_set(takes):
    assert spread(list("abcdefgh"), 3) == ["a", "c", "f"] and spread(list("ab"), 0) == spread(list("ab"), 5) == ["a", "b"]
    assert len(measure_takes(takes, "copy1", limit=2).results) == 2


def test_a_limit_counts_over_all_folds(tmp_path):
    report = evaluate("unigram", DataSet("lstmetallica", make_text_songs(tmp_path), Choice(text=True)), Options(limit=3))
    assert sorted(r.case.source.name for r in report.results) == sorted(s.name for s in spread(DataSet("lstmetallica", tmp_path, Choice(text=True)).list(), 3))


def test_what_learned_elsewhere_reads_the_words_of_a_text_alone(tmp_path):
    from tests.models.pieces import make_takes as make_pieces

    model = MODELS["cache"].make()
    model.fit(make_pieces())
    model.tune(make_pieces())
    save_model(model, tmp_path / "kept")
    report = evaluate(str(tmp_path / "kept"), DataSet("lstmetallica", make_text_songs(tmp_path), Choice(text=True)), Options(limit=2))
    assert "perplexity_with_bars" not in report.tables["likelihood, whole takes, own history"][0]
    for result in report.results:
        assert not result.bars and np.array_equal(result.log2_p[model.name], model.score(result.case.piece))


@pytest.mark.parametrize("count", [1, 2, 6, 7, 8, 14])
def test_the_wrong_band_is_never_the_right_one(monkeypatch, count):
    seen = []
    monkeypatch.setattr(measuring, "measure", lambda source, donor, *_, play: seen.append((source, donor)) or "not measured")
    sources = [Source(f"{i}.mid", f"{i}.mid") for i in range(count)]
    assert len(list(measuring._run([], sources, Choice(), Options()))) == count
    assert all(donor is not None and donor != source for source, donor in seen) if count > 1 else seen == [(sources[0], None)]


def test_models_that_count_play_for_so_many_pieces(takes):
    counts = [sum("5-gram" in r.hits for r in measure_takes(takes, "ngram5", plays=plays).results) for plays in (0, 2, 100)]
    assert counts == [0, 2, 3]
    assert not any(title.startswith("novelty") for title in measure_takes(takes, "ngram5", plays=0).tables)


def test_a_table_that_is_left_out_is_told(takes, monkeypatch):
    told = []
    monkeypatch.setattr(measuring, "find_spec", lambda name: None)
    evaluate("copy1", DataSet("groove_midi:test", takes, FOUR), tell=told.append)
    assert len(told) == 1 and "C2ST" in told[0] and "pip install 'backbeat[report]'" in told[0]


def test_progress_is_told(takes):
    told, done = [], []
    evaluate("ngram5", DataSet("groove_midi:test", takes, FOUR), tell=told.append, advance=done.append)
    assert told == ["fitting 5-gram on 6 pieces"] and done == [1, 2, 3, 4]


def test_what_is_not_there_is_refused(takes, tmp_path):
    with pytest.raises(ModelError):
        measure_takes(takes, "nobody")
    with pytest.raises(InputError, match="no piece in it of split 'test', leave out --split"):
        evaluate("copy1", DataSet(str(make_corpus(tmp_path).folder), None, Choice(), split="test"))
    with pytest.raises(InputError, match="leave out --style"):
        evaluate("copy1", DataSet("groove_midi:test", takes, Choice(style="polka")))
    with pytest.raises(InputError):
        evaluate("copy1", DataSet(str(tmp_path / "nothing"), None, Choice()))
    (tmp_path / "poison").mkdir()
    make_songs(tmp_path / "poison", 0)
    with pytest.raises(InputError, match=r"nothing could be measured.*poison\.mid: unreadable"):
        evaluate("copy1", DataSet(str(tmp_path / "poison"), None, Choice()))


def test_rock_is_learned_from_rock_alone(takes):
    rock = DataSet("groove_midi:test", takes, Choice(style="rock"))
    part = next(plan_rounds(rock))
    assert len(part.learn()) == 3 and all(s.genre == "rock" for s in part.sources)


@cache
def _unigram_figures(data):
    report = evaluate("unigram", DataSet("groove_midi:test", data, FOUR), Options(plays=0))
    return next(iter(report.tables.values()))[0]


@pytest.mark.slow
def test_the_published_unigram_comes_out():
    import os
    from pathlib import Path

    if "BACKBEAT_DATA" not in os.environ or not (Path(os.environ["BACKBEAT_DATA"]) / "groove").is_dir():
        pytest.skip("needs groove_midi: set BACKBEAT_DATA")
    assert _unigram_figures(Path(os.environ["BACKBEAT_DATA"]))["perplexity"] == pytest.approx(14.64, rel=0.02)
