"""What is asked for on the command line: density, intensity, fills, and settings of bars and sections."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backbeat.cli.wish_options import list_sections, read_wishes
from backbeat.cues import hear
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song, read_song
from tests.cli.conftest import Result
from tests.midi.builders import band_song

Run = Callable[..., Result]
NOTHING = {"density": None, "intensity": None, "fills": None, "fill_bars": None, "at": ()}


@pytest.fixture
def song(example: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A song of 16 bars with drums, in the current folder."""
    monkeypatch.chdir(example.parent)
    example.write_bytes(band_song(16))
    return example


def count_bars(path: Path) -> np.ndarray:
    """Hits in each bar of a file."""
    read = read_song(path)
    groove = extract_groove(read, read.grid(), load_kit("drums_rnn_9"))[0]
    return np.add.reduceat(groove.hits.sum(axis=1), groove.grid.first_steps[:-1])


def test_later_wishes_win_and_what_is_not_said_stays_open() -> None:
    cues = hear(parse_song(band_song(16)), parse_song(band_song(16)).grid())
    asked = read_wishes(density=0.5, intensity=None, fills=0.25, fill_bars="2", at=("5-8:density=.9,style=jazz", "8:density=.1,fill=no"))
    wishes = asked.lay(cues, ("any", "jazz"))
    assert wishes.density.tolist() == pytest.approx([0.5] * 4 + [0.9] * 3 + [0.1] + [0.5] * 8)
    assert wishes.styles == ("any",) * 4 + ("jazz",) * 4 + ("any",) * 8
    assert np.isnan(wishes.intensity).all() and wishes.fills[1] == 1 and wishes.fills[7] == 0
    assert not read_wishes(**NOTHING) and read_wishes(**NOTHING).describe() == {}


def test_a_section_is_its_bars() -> None:
    song = parse_song(band_song(16))
    cues = hear(song, song.grid())
    first, last = list_sections(cues)[-1]
    wishes = read_wishes(**(NOTHING | {"at": (f"s{len(list_sections(cues))}:intensity=.3",)})).lay(cues, ("any",))
    assert np.flatnonzero(~np.isnan(wishes.intensity)).tolist() == list(range(first, last))


def test_accompany_plays_what_is_asked(run: Run, song: Path) -> None:
    result = run("accompany", song, "-o", "out.mid", "--density", 0.2, "--at", "9-16:density=.9,intensity=.2", "--fill-bars", "8", "--machine", "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert report["asked"] == {"density": 0.2, "fill_bars": [8], "at": [{"bars": "9-16", "density": 0.9, "intensity": 0.2}]}
    hits = count_bars(Path("out.mid"))
    assert hits[10:].mean() > hits[2:7].mean()


@pytest.mark.parametrize("command", [("groove", "--bars", "8"), ("tap", "x..x..x.", "--bars", "8")])
def test_the_others_take_the_same_wishes(run: Run, song: Path, command: tuple[str, ...]) -> None:
    outs = []
    for k, options in enumerate((("--intensity", 0.1), ("--intensity", 0.9), ("--intensity", 0.9, "--fills", 1, "--at", "1-2:style=jazz"))):
        assert run(*command, "-o", f"{k}.mid", *options).code == 0
        notes = np.concatenate([p.notes["velocity"] for p in read_song(f"{k}.mid").drum_parts])
        outs.append(notes.mean())
    assert outs[0] + 30 < outs[1]


def test_infill_asks_for_the_new_bars(run: Run, song: Path) -> None:
    for name, density in (("few.mid", 0.0), ("many.mid", 1.0)):
        assert run("infill", song, "--bars", "5-12", "-o", name, "--density", density, "--machine").code == 0
    few, many = (count_bars(Path(n)) for n in ("few.mid", "many.mid"))
    assert few[4:12].sum() < many[4:12].sum()
    assert np.array_equal(few[:4], many[:4]) and np.array_equal(few[12:], many[12:])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--density", 1.5), "--density must lie in 0-1, not 1.5"),
        (("--intensity", "nan"), "--intensity must lie in 0-1"),
        (("--fills", -1), "--fills must lie in 0-1"),
        (("--fill-bars", "x"), "--fill-bars x: write bars as 9-12"),
        (("--fill-bars", "99"), "no bar 99: there are bars 1-16"),
        (("--at", "density=1"), "--at density=1: write it as 17-24:density=.8"),
        (("--at", "3-1:density=1"), "--at 3-1: write bars as"),
        (("--at", "3:loud=1"), "there are density, intensity, fills"),
        (("--at", "3:density=much"), "density is a number in 0-1, not 'much'"),
        (("--at", "3:density=2"), "density must lie in 0-1, not 2"),
        (("--at", "3:fill=maybe"), "fill=yes or fill=no"),
        (("--at", "3:style=polka"), "no style 'polka'"),
        (("--at", "3:"), "write it as"),
        (("--at", "s99:density=1"), "--at s99: there are"),
        (("--at", "17:density=1"), "no bar 17: there are bars 1-16"),
    ],
)
def test_bad_wishes_are_one_line(refused: Callable[..., str], song: Path, options: tuple[object, ...], message: str) -> None:
    assert message in refused("accompany", song, "-o", "out.mid", *options)
    assert not Path("out.mid").exists()


def test_models_that_cannot_be_asked_say_so(refused: Callable[..., str], song: Path) -> None:
    assert "cannot be asked for density" in refused("accompany", song, "-o", "out.mid", "--density", 0.5, "--model", "copy4")
