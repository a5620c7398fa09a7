"""``backbeat groove``: drums without a song, by any model."""

import json

import pytest

from backbeat.kits import load_kit
from backbeat.midi import extract_groove, read_song
from tests.cli.conftest import SHIPPED


def play(run, *arguments):
    result = run("groove", *arguments, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_the_file_has_the_metre_tempo_and_drums_that_were_asked_for(run, tmp_path):
    out = tmp_path / "out.mid"
    report = play(run, "--model", "rock-loop", "--bars", 6, "--tempo", 93, "--metre", "7/8", "-o", out)
    song = read_song(out)
    assert song.tempo.qpm() == pytest.approx(93, abs=1e-3) and (song.metre.numerators, song.metre.denominators) == ((7,), (8,))
    groove, _ = extract_groove(song, song.grid(), load_kit("drums_rnn_9"))
    assert groove.grid.bars == report["bars"] == 6 and groove.count_hits() == report["hits"] and report["hits"]["closed_hat"] == 42
    assert report["model"] == {"name": "rock loop", "folder": "rock-loop"} and report["metre"] == "7/8"


@pytest.mark.skipif(not SHIPPED, reason="the shipped weights are not there yet: export them first")
def test_the_drummer_plays_alone_and_its_seed_decides(run, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        play(run, "--bars", 4, "--seed", seed, "--style", "rock", "-o", tmp_path / name)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_without_o_a_free_name_is_taken(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert "wrote groove" in run("groove", "--model", "rock-loop").out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["groove-2.mid", "groove.mid"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--metre", "5"), "--metre 5: write it as 4/4 or 7/8"),
        (("--metre", "4/3"), "--metre 4/3: 1 to 32 beats"),
        (("--metre", "0/4"), "--metre 0/4: 1 to 32 beats"),
        (("--metre", "²/4"), "write it as 4/4"),
        (("--tempo", "5"), "the tempo must lie in 20-400 quarter notes a minute, not 5"),
        (("--tempo", "nan"), "the tempo must lie in 20-400"),
        (("--bars", "0"), "bars must lie in 1-1,000 in 4/4, not 0"),
        (("--bars", "1001"), "bars must lie in 1-1,000"),
        (("--style", "rock"), "no style 'rock': choose from any"),
        (("--temperature", "1"), "rock loop draws nothing: leave temperature and top-p out"),
    ],
)
def test_what_cannot_be_is_one_line(refused, tmp_path, arguments, message):
    assert message in refused("groove", "--model", "rock-loop", "-o", tmp_path / "out.mid", *arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("copy1", "without a song there is nothing to copy"),
        ("cache", "cache has to be trained first: 'backbeat train cache CORPUS -o FOLDER', then name the folder"),
        ("oracle", "no model 'oracle': name a folder, or choose from copy1"),
    ],
)
def test_a_model_that_cannot_play_alone_says_why(refused, tmp_path, model, message):
    assert message in refused("groove", "--model", model, "-o", tmp_path / "out.mid")
