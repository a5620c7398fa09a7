"""``backbeat originality``: what it shows and what it refuses."""

import json

import numpy as np
import pytest

from tests.cli.conftest import EXAMPLES
from tests.originality.made import make_track, write_track


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    for i in range(4):
        write_track(folder / f"song {i}.mid", make_track(str(i), np.random.default_rng(i), bars=6))
    return folder


def test_a_copy_is_told_with_its_source_beside_human_figures(run, tmp_path, corpus):
    drums = write_track(tmp_path / "drums.mid", make_track("2", np.random.default_rng(2), bars=6))
    result = run("originality", drums, "--against", corpus)
    assert result.code == 0
    assert "longest verbatim run" in result.out and "song 2.mid bar 1" in result.out
    assert "100%" in result.out and "human" in result.out
    assert "indexing 4 tracks" in result.err and "indexing" not in result.out


def test_json_holds_everything(run, tmp_path, corpus):
    drums = write_track(tmp_path / "drums.mid", make_track("1", np.random.default_rng(1), bars=6))
    run("originality", drums, "--against", corpus)
    result = run("originality", drums, "--against", corpus, "--json")
    report = json.loads(result.out)
    assert result.err == ""
    assert (report["bars"], report["tracks"], report["summaries"][0]["exact_copies"]) == (6, 4, 1)
    assert report["run"]["sources"][0]["name"] == "song 1.mid"
    assert report["human"]["tracks"] == 4


def test_top_bounds_what_is_shown(run, tmp_path, corpus):
    drums = write_track(tmp_path / "drums.mid", make_track("1", np.random.default_rng(1), bars=6))
    short, long = (run("originality", drums, "--against", corpus, "--top", n).out for n in (0, 5))
    assert "most telling" not in short and len(long.splitlines()) > len(short.splitlines()) + 5


def test_out_writes_a_file(run, tmp_path, corpus):
    drums = write_track(tmp_path / "drums.mid", make_track("1", np.random.default_rng(1), bars=6))
    result = run("originality", drums, "--against", corpus, "-o", tmp_path / "found.json")
    assert result.code == 0 and "longest verbatim run" in result.out
    assert json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["tracks"] == 4


def test_drums_that_are_no_copy_are_told_as_such(run, tmp_path, corpus):
    drums = write_track(tmp_path / "drums.mid", make_track("new", np.random.default_rng(77), bars=6))
    report = json.loads(run("originality", drums, "--against", corpus, "--json").out)
    assert all(s["exact_copies"] == 0 for s in report["summaries"])


@pytest.mark.parametrize(
    ("drums", "against", "message"),
    [
        (EXAMPLES / "nothing.mid", "corpus", "nothing.mid"),
        (EXAMPLES / "make_song.py", "corpus", "make_song.py"),
        (EXAMPLES / "song.mid", "corpus", "no drums"),
    ],
)
def test_bad_input_is_told_in_a_line(run, corpus, drums, against, message):
    result = run("originality", drums, "--against", corpus)
    assert (result.code, result.out) == (1, "")
    assert message in result.err and result.err.count("\n") == 1


def test_a_missing_corpus_is_told_in_a_line(run, tmp_path):
    drums = write_track(tmp_path / "drums.mid", make_track("1", np.random.default_rng(1), bars=6))
    result = run("originality", drums, "--against", tmp_path / "nowhere")
    assert result.code == 1 and "no such folder" in result.err
