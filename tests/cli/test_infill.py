"""``backbeat infill`` on a song with drums."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backbeat.cli.wish_options import read_bars
from backbeat.errors import InputError
from backbeat.midi import read_song
from backbeat.midi.splice import list_events
from tests.cli.conftest import Result
from tests.midi.builders import band_song


@pytest.fixture
def song(example: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A song of 8 bars with drums, in the current folder."""
    monkeypatch.chdir(example.parent)
    example.write_bytes(band_song(8))
    return example


def test_bars_are_counted_from_1_and_nothing_outside_them_changes(run: Callable[..., Result], song: Path) -> None:
    result = run("infill", song, "--bars", "3-4,7", "--takes", 2, "--seed", 3, "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["bars"] == [3, 4, 7] and [t["path"] for t in report["takes"]] == ["song-infill.mid", "song-infill-2.mid"]
    inside = [(1920 * (b - 1), 1920 * b) for b in (3, 4, 7)]
    before = list_events(song.read_bytes())
    for take in report["takes"]:
        after = list_events(Path(take["path"]).read_bytes())
        for one, other in zip(before, after, strict=True):
            assert [e for e in one if not any(a <= e[0] < b for a, b in inside) or e[1] & 15 != 9] == [
                e for e in other if not any(a <= e[0] < b for a, b in inside) or e[1] & 15 != 9
            ]
        assert take["removed"] == 3 * 8 and take["kept"] == 0
    assert Path("song-infill.mid").read_bytes() != Path("song-infill-2.mid").read_bytes()


def test_kept_classes_stay(run: Callable[..., Result], song: Path) -> None:
    assert run("infill", song, "--bars", "2-5", "--keep", "kick, snare", "-o", "out.mid").code == 0
    kicks = [
        [(int(n["onset"]), int(n["velocity"])) for p in read_song(path).drum_parts for n in p.notes if n["pitch"] in (36, 38)] for path in (song, "out.mid")
    ]
    assert kicks[0] == kicks[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--bars", "9"), "no bar 9: there are bars 1-8"),
        (("--bars", "0"), "counted from 1"),
        (("--bars", "4-2"), "write bars as 9-12"),
        (("--bars", "x"), "write bars as 9-12"),
        (("--bars", ""), "write bars as 9-12"),
        (("--bars", "1-99999999"), "write bars as 9-12"),
        (("--bars", "1", "--keep", "gong"), "no class 'gong' to keep: name kick"),
        (("--bars", "1", "--takes", 0), "takes must lie in 1-16"),
        (("--bars", "1", "-o", "song.mid"), "song.mid is the input"),
        (("--bars", "1", "--temperature", 9), "temperature must lie in 0-5"),
    ],
)
def test_what_cannot_be_done_is_one_line(refused: Callable[..., str], song: Path, arguments: tuple[object, ...], message: str) -> None:
    before = song.read_bytes()
    assert message in refused("infill", song, *arguments)
    assert song.read_bytes() == before


def test_a_song_without_drums_has_nothing_to_play_anew(refused: Callable[..., str], song: Path) -> None:
    song.write_bytes(band_song(8, drums=False))
    assert "no drums that could be played anew" in refused("infill", song, "--bars", "1")


def test_bars_as_people_write_them() -> None:
    assert read_bars("9-12,20") == [9, 10, 11, 12, 20]
    assert read_bars(" 3 , 1-2,2") == [1, 2, 3]
    with pytest.raises(InputError):
        read_bars("-3")
