"""``backbeat humanise`` from end to end."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from backbeat.midi.splice import list_events
from tests.cli.conftest import EXAMPLES, Run
from tests.humanising.made import HAT, SNARE, band_and, list_drums, list_others, rock, song_of
from tests.midi.builders import Track, band_song, midi

pytestmark = pytest.mark.skipif(not resources.files("backbeat").joinpath("weights/performer/config.json").is_file(), reason="the performer does not ship yet")
Refused = Callable[..., str]


@pytest.fixture
def drums(tmp_path: Path) -> Path:
    path = tmp_path / "drums.mid"
    path.write_bytes(band_and(rock(8)).data)
    return path


def test_drums_are_played_and_all_else_stays(run: Run, drums: Path, tmp_path: Path) -> None:
    result = run("humanise", drums, "-o", tmp_path / "out.mid", "--json")
    assert (result.code, result.err) == (0, "")
    report, before, after = json.loads(result.out), drums.read_bytes(), (tmp_path / "out.mid").read_bytes()
    assert list_others(after) == list_others(before)
    assert [r[:2] for r in list_drums(after)] == [r[:2] for r in list_drums(before)]
    assert len({r[3] for r in list_drums(after)}) > 10 and report["after"]["spread_ms"] > 2
    assert report["notes"] == 96 and report["ornaments"] == [] and report["before"]["spread_ms"] == 0


@pytest.mark.parametrize(
    ("options", "check"),
    [
        (("--swing", 62), lambda r: r["swing"] == pytest.approx(62, abs=0.5)),
        (("--swing", 60, "--swing-of", 8, "--mean"), lambda r: r["swing"] == pytest.approx(60, abs=0.5) and r["swing_of"] == 8),
        (("--push", 12), lambda r: r["late_ms"]["all"] == pytest.approx(-12, abs=0.5)),
        (("--lay-back", "snare=8", "--push", "hat=3"), lambda r: (r["late_ms"]["snare"], r["late_ms"]["closed_hat"]) == pytest.approx((8, -3), abs=0.5)),
        (("--keep-timing",), lambda r: r["spread_ms"] == 0 and r["velocity_spread"] > 3),
        (("--keep-velocity",), lambda r: r["spread_ms"] > 2 and r["velocity_spread"] < 1.1),
        (("--style", "funk", "--drummer", "drummer1", "--temperature", 0.5, "--free-accents"), lambda r: r["spread_ms"] > 1),
    ],
)
def test_options(run: Run, drums: Path, options: tuple[object, ...], check: Callable[[dict], bool]) -> None:
    result = run("humanise", drums, "--json", *options)
    assert result.code == 0, result.err
    assert check(json.loads(result.out)["after"])


@pytest.mark.parametrize(("option", "figure", "factor"), [("--tightness", "spread_ms", 0.5), ("--dynamics", "velocity_spread", 0.5)])
def test_tightness_and_dynamics_scale_spreads(run: Run, drums: Path, option: str, figure: str, factor: float) -> None:
    plain, scaled = (
        json.loads(run("humanise", drums, "--json", option, value).out)["after"][figure]
        for value in (1, 2 if factor == 0.5 and option == "--tightness" else 0.5)
    )
    assert scaled == pytest.approx(plain * factor, rel=0.012)


def test_a_groove_is_followed(run: Run, drums: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.mid"
    model.write_bytes(song_of(rock(2, places=(0.01, 0.6))).data)
    report = json.loads(run("humanise", drums, "--groove", model, "--json").out)
    assert report["groove"]["covered"] == 1 and report["groove"]["late_ms"] < 1 and report["groove"]["velocity"] < 1.27


def test_ornaments_are_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "drums.mid"
    path.write_bytes(song_of(rock(16)).data)
    result = run("humanise", path, "--ornaments", "all", "--ornament-amount", 3)
    assert result.code == 0 and "added: " in result.out and "of ghosts in bars " in result.out
    report = json.loads(run("humanise", path, "--ornaments", "ghosts,drags", "--ornament-amount", 3, "--json").out)
    assert {o["kind"] for o in report["ornaments"]} <= {"ghost", "drag"} and len(report["ornaments"]) > 3
    assert len(list_drums(Path(report["out"]).read_bytes())) == report["notes"] + len(report["ornaments"])


def test_without_out_a_free_name_is_chosen(run: Run, drums: Path) -> None:
    for _ in range(2):
        result = run("humanise", drums)
        assert result.code == 0 and "before: " in result.out and "after: " in result.out
    assert sorted(p.name for p in drums.parent.iterdir()) == ["drums-humanised-2.mid", "drums-humanised.mid", "drums.mid"]
    assert len({p.read_bytes() for p in drums.parent.glob("drums-*")}) == 1


def test_the_input_is_not_overwritten_without_force(run: Run, refused: Refused, drums: Path) -> None:
    before = drums.read_bytes()
    assert "use another -o, or --force" in refused("humanise", drums, "-o", drums)
    assert drums.read_bytes() == before
    assert run("humanise", drums, "-o", drums, "--force").code == 0
    assert drums.read_bytes() != before


def test_a_drum_part_off_channel_10_is_played(run: Run, tmp_path: Path) -> None:
    path, track = tmp_path / "song.mid", rock(8)
    moved = Track([(t, bytes([e[0] & 0xF0 | 3, *e[1:]]) if e[0] < 0xF0 else e) for t, e in track.events])
    path.write_bytes(midi(moved.chunk()))
    assert run("humanise", path, "-o", tmp_path / "out.mid").code == 0
    assert [e[0] for e in list_events((tmp_path / "out.mid").read_bytes())[0]] != [e[0] for e in list_events(path.read_bytes())[0]]


@pytest.mark.parametrize("name", ["ballad.mid"])
def test_a_song_without_drums_is_one_line(refused: Refused, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes((EXAMPLES / name).read_bytes())
    assert "has no drum notes: nothing to humanise" in refused("humanise", path)
    path.write_bytes(midi(Track().program(0, 1, 9).chunk()))
    assert "has no drum notes" in refused("humanise", path)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--swing", 80), "--swing 80"),
        (("--swing", "nan"), "--swing nan"),
        (("--push", "soon"), "--push soon: give milliseconds"),
        (("--push", "-4"), "0 or more"),
        (("--push", "inf"), "0 or more"),
        (("--push", 300), "lie in 0-100 ms"),
        (("--push", 3, "--lay-back", 4), "said twice"),
        (("--push", "=4"), "give milliseconds"),
        (("--lay-back", "gong=4"), "no kit class 'gong'"),
        (("--tightness", 0), "--tightness 0"),
        (("--dynamics", "nan"), "--dynamics nan"),
        (("--ornaments", "rolls"), "--ornaments rolls"),
        (("--style", "polka"), "polka"),
        (("--drummer", "ringo"), "ringo"),
        (("--groove", "missing.mid"), "no such file"),
        (("-o", "missing/out.mid"), "there is no folder"),
    ],
)
def test_wishes_that_cannot_be_are_one_line(refused: Refused, drums: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[object, ...], message: str) -> None:
    monkeypatch.chdir(drums.parent)
    assert message in refused("humanise", "drums.mid", *options)
    assert [p.name for p in drums.parent.iterdir()] == ["drums.mid"]


@pytest.mark.parametrize("data", [b"", b"Dear diary", band_song()[:100], b"\x89PNG" + bytes(50)])
def test_a_damaged_file_is_one_line(refused: Refused, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "drums.mid"
    path.write_bytes(data)
    assert str(path) in refused("humanise", path)


def test_every_class_is_where_it_was_struck(run: Run, drums: Path, tmp_path: Path) -> None:
    """Within what is playable: no note moves farther than half of the way to the next."""
    assert run("humanise", drums, "-o", tmp_path / "out.mid").code == 0
    rows = zip(list_drums(drums.read_bytes()), list_drums((tmp_path / "out.mid").read_bytes()), strict=True)
    assert all(abs(a[2] - b[2]) < 116 for a, b in rows if a[1] in (HAT, SNARE))
