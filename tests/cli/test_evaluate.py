"""``backbeat evaluate``: its options, its JSON, its refusals."""

import json

import pytest

from backbeat.cli.evaluate import tell
from backbeat.errors import OutputError
from backbeat.evaluation.listening import Kit
from tests.evaluation.small import make_songs, make_takes, make_text_songs
from tests.training.corpora import make_corpus


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
        (("copy1", "EMPTY", "--split", "test"), "has no splits, only data sets and corpora have"),
        (("copy1", "groove_midi:test", "-o", "EMPTY/none/report.json"), "make it first"),
        (("copy1", "groove_midi:test", "-o", "EMPTY"), "this is a folder"),
        (("copy1", "groove_midi:test", "--report", "FILE"), "is no folder"),
        (("copy1", "groove_midi:test", "--listening-test", "FILE/below/it"), "is no folder"),
        (("copy1", "groove_midi:test", "--listening-test", "TEST"), "holds a listening test already"),
    ],
)
def test_refusals_come_before_anything_is_measured(refused, data, tmp_path, monkeypatch, arguments, message):
    monkeypatch.setattr("backbeat.evaluation.measuring.evaluate", None)
    (tmp_path / "FILE").write_bytes(b"")
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "TEST").mkdir()
    (tmp_path / "TEST" / "key.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert message in refused("evaluate", *arguments, "--data", data, "--workers", 1)


def test_figures_are_told_even_where_the_report_fails(run, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OutputError("page: no space left on the disk")

    monkeypatch.setattr("backbeat.evaluation.report.write_report", fail)
    make_songs(tmp_path / "songs", 1, poisoned=False)
    result = run("evaluate", "rock-loop", tmp_path / "songs", "--workers", 1, "--report", tmp_path / "page", "--json")
    assert result.code == 1 and "no space" in result.err and json.loads(result.out)["songs"] == 1


def test_no_two_columns_of_a_table_look_alike():
    names = [f"change_before_sections_{k}" for k in range(20)]
    rows = [{"model": "drummer", **dict.fromkeys(names, 0.5), "steps": 123456.0, "loss": -0.0}, {"model": "a floor, with a long name", "pieces": None}]
    lines = tell({"model": "drummer", "data": "d", "context": "c", "songs": 1, "rejected": {str(k): "no drums" for k in range(30)}, "table": rows}).splitlines()
    assert "1 piece," in lines[0] and "  and 10 more, see --json" in lines
    table = lines[lines.index("table") + 1 :]
    assert max(map(len, table)) <= 150
    assert [word for line in table[::3] for word in line.split()] == [*names, "steps", "loss", "pieces"]
    assert "123,456" in "".join(table) and "-0" not in "".join(table)


def test_songs_without_a_corpus_to_learn_from_are_refused(run, tmp_path, monkeypatch):
    monkeypatch.delenv("BACKBEAT_CORPUS", raising=False)
    make_songs(tmp_path / "songs", 1)
    result = run("evaluate", "copy1", tmp_path / "songs", "--floors", "--workers", 1)
    assert result.code == 1 and "--corpus DIR" in result.err


def test_a_report_and_a_listening_test_are_written_of_what_was_measured(run, tmp_path, monkeypatch):
    written = []
    kit = Kit(tmp_path / "test" / "index.html", tmp_path / "test" / "key.json", 1, ("real drums", "rock + kick = bass"), {"b.mid": "silent"})
    monkeypatch.setattr("backbeat.evaluation.report.write_report", lambda report, folder: written.append((report, folder)) or folder / "index.html")
    monkeypatch.setattr("backbeat.evaluation.listening.write_listening_test", lambda report, folder, seed: written.append((report, folder)) or kit)
    make_songs(tmp_path / "songs", 1, poisoned=False)
    result = run("evaluate", "rock-bass", tmp_path / "songs", "--workers", 1, "--report", tmp_path / "page", "--listening-test", tmp_path / "test")
    assert result.code == 0, result.err
    assert [folder.name for _, folder in written] == ["page", "test"] and written[0][0] is written[1][0]
    assert list(written[0][0].results[0].hits)[:2] == ["real drums", "rock + kick = bass"]
    assert "index.html, 1 song by real drums, rock + kick = bass; left out b.mid: silent" in result.err


def test_a_corpus_has_nothing_to_listen_to(refused, tmp_path):
    corpus = make_corpus(tmp_path).folder
    assert "is a corpus, which holds no music" in refused("evaluate", "copy1", corpus, "--listening-test", tmp_path / "test")
