import json

import pytest

from backbeat.midi import read_song


@pytest.mark.slow
def test_a_song_from_nothing(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("compose", "--bars", 8, "--key", "Am", "--style", "rock", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["out"] == "composed.mid" and sum(s["bars"] for s in told["sections"]) == 8
    song = read_song(tmp_path / "composed.mid")
    assert {p.name: len(p.notes) for p in song.parts} == {n: c for n, c in told["parts"].items() if c} or told["parts"]["Lead"] == 0
    assert run("compose", "--bars", 4).code == 0 and (tmp_path / "composed-2.mid").exists(), "an earlier song is never lost"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--bars", 2), "a song has 4-512 bars"),
        (("--key", "H"), "H"),
        (("--style", "polka"), "no style 'polka'"),
        (("--tempo", 1000), "the tempo must lie in"),
        (("--metre", "4"), "write it as 4/4"),
        (("--novelty", 2), "novelty in 0-1"),
    ],
)
def test_what_cannot_be_is_one_line(run, tmp_path, arguments, message):
    result = run("compose", "-o", tmp_path / "x.mid", *arguments)
    assert result.code == 1 and message in result.err and len(result.err.splitlines()) == 1 and not (tmp_path / "x.mid").exists()
