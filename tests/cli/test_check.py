"""``backbeat check``: what people and programs read, exit codes, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.midi.builders import Track, band_song, midi

GOOD = [(0, 36), (0, 42), (240, 42), (480, 38), (480, 42), (720, 46)]
THREE_HANDS = [(1920, 38), (1920, 42), (1920, 49), (1920, 36)]
BOTH_HATS = [(3840, 42), (3840, 46)]


def write_drums(path: Path, notes: list[tuple[int, int]], *, microseconds: int = 500_000, channel: int = 9) -> Path:
    track = Track().tempo(0, microseconds).metre(0, 4, 4)
    for tick, pitch in notes:
        track.note(tick, 60, pitch, 100, channel)
    path.write_bytes(midi(track.chunk(5760)))
    return path


def test_playable_drums_are_exit_0(run: Run, tmp_path: Path) -> None:
    path = write_drums(tmp_path / "good.mid", GOOD)
    result = run("check", path)
    assert (result.code, result.out, result.err) == (0, f"{path}: all 1 bars can be played\n", "")


def test_each_impossible_bar_is_a_line(run: Run, tmp_path: Path) -> None:
    path = write_drums(tmp_path / "bad.mid", [*GOOD, *THREE_HANDS, *BOTH_HATS])
    result = run("check", path)
    assert result.code == 1
    assert result.out.splitlines() == [
        "bar 2, 0:02.000: closed hat: three hands at once: snare + closed hat + crash",
        "bar 3, 0:04.000: closed hat: the hat is struck open and closed at once",
    ]
    assert result.err == f"backbeat: {path}: 2 of 3 bars cannot be played\n"


def test_more_places_of_a_bar_are_counted(run: Run, tmp_path: Path) -> None:
    path = write_drums(tmp_path / "bad.mid", [*THREE_HANDS, *((t + 960, p) for t, p in THREE_HANDS)])
    assert run("check", path).out.endswith("snare + closed hat + crash (and at 1 more place)\n")


def test_json_names_what_where_and_why(run: Run, tmp_path: Path) -> None:
    result = run("check", write_drums(tmp_path / "bad.mid", [*GOOD, *THREE_HANDS, (0, 33)]), "--json", "--sticking")
    assert result.code == 1
    report = json.loads(result.out)
    assert report["playable"] is False and report["impossible_bars"] == [2] and report["bars"] == 2 and report["not_judged"] == 1
    (conflict,) = report["conflicts"]
    assert conflict["bar"] == 2 and conflict["seconds"] == 2.0 and conflict["what"] == ["closed hat"]
    assert sorted(conflict["among"]) == ["closed hat", "crash", "snare"] and "three hands" in conflict["why"]
    assert report["sticking"][0] == {"bar": 1, "seconds": 0.0, "what": "kick", "limb": "RF"}
    assert [s["limb"] for s in report["sticking"] if s["bar"] == 2 and s["what"] == "closed hat"] == ["-"]


def test_the_sticking_is_a_line_a_moment(run: Run, tmp_path: Path) -> None:
    lines = run("check", write_drums(tmp_path / "good.mid", GOOD), "--sticking").out.splitlines()
    assert lines[:3] == ["bar   1  0:00.000  RF kick, R closed hat", "bar   1  0:00.250  R closed hat", "bar   1  0:00.500  L snare, R closed hat"]


def test_one_pedal_plays_less(run: Run, tmp_path: Path) -> None:
    path = write_drums(tmp_path / "kicks.mid", [(60 * k, 36) for k in range(16)])
    assert run("check", path).code == 0
    assert run("check", path, "--single-kick").code == 1


def test_a_percussionist_takes_the_claps(run: Run, tmp_path: Path) -> None:
    path = write_drums(tmp_path / "claps.mid", [(0, 38), (0, 42), (0, 39)])
    assert run("check", path).code == 1
    assert run("check", path, "--percussionist").code == 0


def test_strict_trusts_no_trigger(run: Run, tmp_path: Path) -> None:
    path = write_drums(tmp_path / "rim.mid", [(0, 38), (2, 37), (2, 42)])
    assert run("check", path).code == 0
    assert run("check", path, "--strict").code == 1


def test_the_tempo_decides(run: Run, tmp_path: Path) -> None:
    notes = [(120 * k, p) for k in range(16) for p in (42, 38)]
    assert run("check", write_drums(tmp_path / "slow.mid", notes)).code == 0
    assert run("check", write_drums(tmp_path / "fast.mid", notes, microseconds=180_000)).code == 1


def test_the_drums_of_a_song_are_checked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(band_song(6))
    result = run("check", tmp_path / "song.mid")
    assert result.code == 0 and result.out.endswith("all 6 bars can be played\n")


def test_no_drums_and_bad_files_are_refused_in_one_line(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "bare.mid").write_bytes(band_song(4, drums=False))
    assert "no drums to check" in refused("check", tmp_path / "bare.mid")
    (tmp_path / "bad.mid").write_bytes(b"MThd nothing")
    refused("check", tmp_path / "bad.mid")
    refused("check", tmp_path / "missing.mid")


@pytest.mark.slow
def test_a_wall_of_notes_is_judged_in_seconds(run: Run, tmp_path: Path) -> None:
    write_drums(tmp_path / "wall.mid", [(k // 20, 35 + k % 50) for k in range(6_000)])
    assert run("check", tmp_path / "wall.mid").code == 1
