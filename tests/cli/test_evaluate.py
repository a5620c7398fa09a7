"""``backbeat evaluate``: its options, its JSON, its refusals."""

import json

import pytest

from tests.evaluation.small import make_songs, make_takes, make_text_songs


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    make_text_songs(folder)
    return make_takes(folder)


def test_keys_of_the_json_are_stable(run, data, tmp_path):
    result = run("evaluate", "ngram5", "groove_midi", "--split", "test", "--data", data, "--workers", 1, "--json", "-o", tmp_path / "report.json")
    assert result.code == 0, result.err
    figures = json.loads(result.out)
    assert figures == json.loads((tmp_path / "report.json").read_text())
    assert list(figures)[:5] == ["model", "data", "context", "songs", "rejected"]
    assert (figures["model"], figures["data"], figures["context"], figures["songs"]) == ("5-gram", "groove_midi:test", "whole takes", 3)
    assert list(figures)[5:] == [
        "likelihood, whole takes, own history",
        "onsets with history (real drums before are given)",
        "novelty against what floors learned from, 2-bar windows",
        "velocity and microtiming",
        "calibration of 5-gram, hits given all real steps before",
    ]
    row = figures["likelihood, whole takes, own history"][0]
    assert list(row) == ["model", "perplexity", "bits_per_step", "bits_per_onset", "steps", "onsets"]
    assert {"micro_f1", "bar_mean_f1", "song_mean_f1", "kick", "snare"} <= set(figures["onsets with history (real drums before are given)"][0])


def test_tables_are_for_people_without_json(run, tmp_path):
    make_songs(tmp_path / "songs", 2)
    result = run("evaluate", "rock-loop", tmp_path / "songs", "--workers", 1)
    assert result.code == 0, result.err
    assert "rock loop on" in result.out and "poison.mid: unreadable" in result.out
    assert "song-only onsets" in result.out and "copy 4 bars back" in result.out


def test_the_metre_is_four_four_for_groove_midi_unless_said(run, data):
    def count(*more):
        return json.loads(run("evaluate", "copy1", "groove_midi:test", "--data", data, "--workers", 1, "--json", *more).out)["songs"]

    assert [count(), count("--metre", "all"), count("--limit", 2), count("--style", "rock"), count("--kind", "fill")] == [3, 4, 2, 2, 1]


def test_text_and_windows(run, data):
    result = run("evaluate", "unigram", "lstmetallica", "--data", data, "--context", "2-bars", "--workers", 1, "--json")
    figures = json.loads(result.out)
    assert figures["context"] == "windows of 2 bars" and "perplexity_with_bars" in figures["likelihood, windows of 2 bars, own history"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("copy1", "groove_midi:test", "--context", "long"), "no context 'long'"),
        (("copy1", "groove_midi:test", "--split", "train"), "names a split already"),
        (("nobody", "groove_midi:test"), "nobody"),
        (("copy1", "groove_midi:tests"), "no split 'tests'"),
        (("copy1", "nothing-there"), "no file, folder or data set"),
        (("copy1", "songs:test"), "no songs below"),
    ],
)
def test_refusals(refused, data, monkeypatch, arguments, message):
    assert message in refused("evaluate", *arguments, "--data", data, "--workers", 1)


def test_songs_without_a_corpus_to_learn_from_are_refused(run, tmp_path, monkeypatch):
    monkeypatch.delenv("BACKBEAT_CORPUS", raising=False)
    make_songs(tmp_path / "songs", 1)
    result = run("evaluate", "copy1", tmp_path / "songs", "--floors", "--workers", 1)
    assert result.code == 1 and "--corpus DIR" in result.err


def test_a_report_and_a_listening_test_are_written_of_what_was_measured(run, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr("backbeat.evaluation.report.write_report", lambda report, folder: written.append((report, folder)) or folder / "index.html")
    monkeypatch.setattr("backbeat.evaluation.listening.write_listening_test", lambda report, folder, seed: written.append((report, folder)))
    make_songs(tmp_path / "songs", 1, poisoned=False)
    result = run("evaluate", "rock-bass", tmp_path / "songs", "--workers", 1, "--report", tmp_path / "page", "--listening-test", tmp_path / "test")
    assert result.code == 0, result.err
    assert [folder.name for _, folder in written] == ["page", "test"] and written[0][0] is written[1][0]
    assert list(written[0][0].results[0].hits)[:2] == ["real drums", "rock + kick = bass"]
    assert "index.html" in result.err
