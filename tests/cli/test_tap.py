"""``backbeat tap`` from text, from files and from parts of songs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backbeat.midi import read_song
from backbeat.midi.splice import list_events
from tests.cli.conftest import Result


@pytest.fixture
def here(example: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example song, in the current folder."""
    monkeypatch.chdir(example.parent)
    return example


def test_text_becomes_drums_of_its_own(run: Callable[..., Result], here: Path) -> None:
    result = run("tap", "X..x..x.", "--tempo", 96, "--metre", "7/8", "--bars", 2, "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["takes"][0]["played"] == report["taps"] > 0 and report["bars"] == 2
    song = read_song(report["takes"][0]["path"])
    assert song.tempo.qpm() == pytest.approx(96, abs=1e-3) and song.metre.numerators == (7,)
    assert not song.band and song.drum_parts
    assert Path(report["takes"][0]["path"]) == Path("tap.mid")


def test_the_same_line_gives_the_same_bytes(run: Callable[..., Result], here: Path) -> None:
    for name in ("a.mid", "b.mid"):
        assert run("tap", "x.x.", "--seed", 5, "--takes", 2, "-o", name).code == 0
    assert Path("a.mid").read_bytes() == Path("b.mid").read_bytes() != Path("a-2.mid").read_bytes()


def test_a_part_of_a_song_gets_drums_and_the_song_stays(run: Callable[..., Result], here: Path) -> None:
    result = run("tap", here, "--from", "bass", "-o", "out.mid", "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["takes"][0]["played"] >= 0.95 * report["taps"]
    before, after = list_events(here.read_bytes()), list_events(Path("out.mid").read_bytes())
    assert after[: len(before)] == before and len(after) == len(before) + 1


def test_a_file_of_taps_keeps_its_own_maps(run: Callable[..., Result], here: Path) -> None:
    assert run("tap", "x..X", "--tempo", 77, "-o", "line.mid", "--as", "kick", "--between", 0).code == 0
    assert run("tap", "line.mid").code == 0
    assert read_song("line-tapped.mid").tempo.qpm() == pytest.approx(77, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x..z",), "neither a file nor taps"),
        (("nothing.mid",), "there is no such file"),
        (("....",), "neither a file nor taps"),
        (("song.mid", "--from", "kazoo"), "has no part 'kazoo': it has Bass"),
        (("song.mid", "--tempo", 100), "--tempo is for a line of text"),
        (("x..x", "--from", "bass"), "x..x: there is no such file"),
        (("x..x", "--band"), "--band goes with --from"),
        (("x..x", "--drums", "keep"), "--drums goes with --from"),
        (("x..x", "--between", 1.5), "--between must lie in 0-1"),
        (("x..x", "--tempo", 1000), "tempo must lie in 20-400"),
        (("x..x", "--metre", "4/5"), "--metre 4/5"),
        (("x..x", "--bars", 0), "bars must lie in 1-"),
        (("x..x", "--as", "gong"), "has no class 'gong'"),
        (("x..x", "--takes", 99), "takes must lie in 1-16"),
        (("x..x", "--style", "polka"), "no style 'polka'"),
        (("song.mid", "--from", "bass", "-o", "song.mid"), "song.mid is the input"),
        (("song.mid", "-o", "song.mid"), "song.mid is the input"),
        (("x..x", "-o", "a.mid", "--wav", "a.mid"), "use another --wav"),
    ],
)
def test_what_cannot_be_done_is_one_line(refused: Callable[..., str], here: Path, arguments: tuple[object, ...], message: str) -> None:
    before = here.read_bytes()
    assert message in refused("tap", *arguments)
    assert here.read_bytes() == before
