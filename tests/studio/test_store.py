"""Projects on the disk: made whole, opened as they were, and nothing believed that a project file says."""

from __future__ import annotations

import io
import json
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from backbeat.errors import BackbeatError, InputError, MidiError, OutputError
from backbeat.studio import archive, journal, store
from backbeat.studio.engine import Studio
from backbeat.studio.history import MissingError
from backbeat.studio.project import ABOUT, JOURNAL, SONG, Project
from backbeat.studio.store import Store, clean_name, find_home
from tests.midi.builders import band_song


@pytest.fixture
def home(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


def work(home: Store) -> Project:
    """A project with some history."""
    studio = Studio(home)
    project = studio.open(home.create("song.mid", band_song(6)).id)
    studio.act(project.id, None, {"type": "original"})
    studio.act(project.id, None, {"type": "edit", "cells": [{"step": 3, "class": "crash", "velocity": 99, "offset": 0.1234567}]})
    studio.act(project.id, None, {"type": "lock", "bars": [1, 2], "classes": ["kick"]})
    studio.undo(project.id)
    studio.act(project.id, None, {"type": "settings", "scope": {"bar": 2}, "values": {"density": 0.7, "fill": True}})
    studio.undo(project.id)
    return project


def look(project: Project) -> tuple[Any, ...]:
    grooves = {key: drums.bars for key, drums in project.history.grooves.items()}
    return project.name, project.song.data, project.view_state(), project.view_history(), project.history.entries, project.history.visited, grooves


def test_a_project_opens_as_it_was(home: Store) -> None:
    project = work(home)
    assert look(home.open(project.id)) == look(project)
    assert look(home.import_file(home.export_file(project))) == look(project)
    assert home.export_file(project) == home.export_file(project.id)


def test_lists_renames_and_deletes(home: Store) -> None:
    one = home.create("../../etc/One.mid", band_song(4))
    two = home.blank("Two", 8, "7/8", 140)
    (home.home / "other").mkdir()
    assert {(p["id"], p["name"], p["bars"]) for p in home.list()} == {(one.id, "One", 4), (two.id, "Two", 8)}
    home.rename(two.id, " A new  name ")
    assert home.open(two.id).name == "A new name"
    home.delete(one.id)
    assert [p["id"] for p in home.list()] == [two.id]
    with pytest.raises(MissingError):
        home.open(one.id)
    assert sorted(p.name for p in home.home.iterdir()) == sorted([two.id, "other"])


def test_a_damaged_project_is_not_listed_and_says_so_when_it_is_opened(home: Store) -> None:
    project = work(home)
    (project.folder / ABOUT).write_text("{")
    assert home.list() == []
    with pytest.raises(InputError, match="project.json: it is no JSON"):
        home.open(project.id)


@pytest.mark.parametrize("wrong", ["", "..", "../x", "a" * 16 + "/..", "0" * 16, "A" * 16, "0" * 17, None, 3])
def test_an_id_is_no_path(home: Store, wrong: Any) -> None:
    for do in (home.open, home.delete, home.export_file, lambda project: home.rename(project, "x")):
        with pytest.raises(MissingError, match="there is no project"):
            do(wrong)


def test_names_are_labels() -> None:
    assert clean_name("../../etc/passwd") == "passwd"
    assert clean_name("C:\\music\\A song.MID") == "A song"
    assert clean_name("a\0b\n<c>.kar") == "a b <c>"
    assert clean_name("") == clean_name("...mid"[3:]) == clean_name("/") == "Song" or clean_name("mid") == "mid"
    assert len(clean_name("x" * 1000)) <= 120


def test_a_blank_project_has_the_bars_that_are_asked_for(home: Store) -> None:
    for bars, metre, qpm in ((12, "4/4", 120), (7, "7/8", 93.5), (3, "12/8", 60), (1, "1/4", 400)):
        project = home.blank("x", bars, metre, qpm)
        numerator, denominator = map(int, metre.split("/"))
        assert project.blank and project.grid.bars == bars
        assert set(project.grid.numerators) == {numerator} and set(project.grid.denominators) == {denominator}
        assert project.song.tempo.qpm() == pytest.approx(qpm, rel=1e-5)
        assert home.open(project.id).grid.bars == bars


@pytest.mark.parametrize(
    ("bars", "metre", "qpm"),
    [
        (0, "4/4", 120),
        (1001, "4/4", 120),
        (2.5, "4/4", 120),
        (10, "4/3", 120),
        (10, "0/4", 120),
        (10, "four", 120),
        (10, None, 120),
        (10, "4/4", 5),
        (10, "4/4", "x"),
        ("8", "4/4", 120),
    ],
)
def test_bars_that_cannot_be_are_refused(home: Store, bars: Any, metre: Any, qpm: Any) -> None:
    with pytest.raises(InputError):
        home.blank("x", bars, metre, qpm)
    assert home.list() == []


def test_what_is_no_song_leaves_nothing(home: Store) -> None:
    with pytest.raises(MidiError, match="song"):
        home.create("song.mid", b"nothing")
    with pytest.raises(InputError, match="bars"):
        home.create("long.mid", band_song(1100, drums=False))
    assert list(home.home.iterdir()) == []


def test_a_home_that_cannot_be_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--home"):
        Store(tmp_path / "file" / "home")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert find_home() == tmp_path / "data" / "backbeat" / "studio"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert find_home().parts[-4:] == (".local", "share", "backbeat", "studio")


def test_a_project_half_made_is_not_there(home: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, data: bytes) -> None:
        if path.name == JOURNAL:
            raise OSError("full")
        path.write_bytes(data)

    monkeypatch.setattr(archive, "write_durably", fail)
    with pytest.raises(OutputError):
        home.create("song.mid", band_song(4))
    assert list(home.home.iterdir()) == []


def test_a_killed_server_loses_no_line_that_it_answered(home: Store) -> None:
    project = work(home)
    data = (project.folder / JOURNAL).read_bytes()
    places = [k for k in range(len(data)) if data[k : k + 1] == b"\n"]
    for length in [*range(places[0] + 1, len(data), 331), *(p + d for p in places[1:] for d in (-1, 0, 1))]:
        shutil.copytree(project.folder, home.home / ("0" * 16))
        (home.home / ("0" * 16) / JOURNAL).write_bytes(data[:length])
        opened = Studio(home).open("0" * 16)
        whole = [json.loads(line) for line in data[:length].split(b"\n")[:-1]]
        assert len(opened.history.entries) == sum("entry" in line for line in whole)
        last = next(line for line in reversed(whole) if "groove" not in line)
        assert opened.entry.number == last.get("entry", last.get("at"))
        opened.go(0)
        assert home.open("0" * 16).entry.number == 0
        shutil.rmtree(home.home / ("0" * 16))


def repack(data: bytes, **changed: Any) -> bytes:
    """The project file with some files exchanged, left out (None) or added."""
    names = {"about": ABOUT, "song": SONG, "lines": JOURNAL}
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        files = {name: old.read(name) for name in old.namelist()}
    for key, value in changed.items():
        files[names.get(key, key)] = value
    return archive.write_archive({name: value for name, value in files.items() if value is not None})


def about(**changed: Any) -> bytes:
    return json.dumps({"schema": 1, "backbeat": "0", "name": "x", "kit": {"name": "backbeat", "version": 1}, "bars": 6} | changed).encode()


def lines(*more: Any) -> bytes:
    first = {"entry": 0, "parent": None, "time": "", "action": {"type": "open"}, "label": "", "change": {}}
    return b"".join(journal.write_line(line) for line in (first, *more, {"at": 0}))


def entry(**changed: Any) -> dict[str, Any]:
    return {"entry": 1, "parent": 0, "time": "", "action": {"type": "x"}, "label": "", "change": {}} | changed


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"about": about(schema=2)}, "schema 2, this version of Backbeat reads 1"),
    ({"about": about(schema=True)}, "schema"),
    ({"about": about(kit={"name": "other", "version": 1})}, "its kit is"),
    ({"about": about(name=None)}, "a name has"),
    ({"about": about(bars="six")}, "bars is a whole number"),
    ({"about": b"[]"}, "project.json: it is"),
    ({"about": b"{"}, "it is no JSON"),
    ({"about": None}, "look at 'project.json'"),
    ({"song": b"MThd"}, "truncated"),
    ({"song": None}, "look at 'song.mid'"),
    ({"../../evil": b"x"}, "look at '../../evil'"),
    ({"/etc/passwd": b"x"}, "look at '/etc/passwd'"),
    ({"lines": b""}, "there is no entry in it"),
    ({"lines": b"{}\n{}\n"}, "line 1: it has"),
    ({"lines": b"[1]\n{}\n"}, "line 1: it is"),
    ({"lines": lines(entry(entry=2))}, "line 2: entry 2 with parent 0 does not follow"),
    ({"lines": lines(entry(entry="1"))}, "line 2: entry '1'"),
    ({"lines": lines(entry(parent=1))}, "there is no state 1"),
    ({"lines": lines(entry(parent=None))}, "parent None does not follow"),
    ({"lines": lines(entry(action=[]))}, "there is no action"),
    ({"lines": lines(entry(label="x" * 400))}, "not a line of at most 300"),
    ({"lines": lines(entry(label="a\nb"))}, "not a line of at most 300"),
    ({"lines": lines(entry(time=7))}, "not a line of at most 40"),
    ({"lines": lines(entry(aside=False))}, "does not follow"),
    ({"lines": lines(entry(change={"take": 10**300}))}, "the current take is"),
    ({"lines": lines({"at": 10**300})}, "there is no state"),
    ({"lines": lines({"at": True})}, "there is no state"),
    ({"lines": lines({"groove": "0" * 20, "from": None, "bars": {"0": [[0, 0, 90, 0.0]]}})}, "are not what they were"),
    ({"lines": lines({"groove": "0" * 20, "from": "1", "bars": {}})}, "the drums '1' are not there"),
    ({"lines": lines({"groove": "0" * 20, "from": 1, "bars": {}})}, "not a line of at most 40"),
    ({"lines": lines({"groove": "0" * 20, "from": None, "bars": {"9": []}})}, "there is no bar '9'"),
    ({"lines": lines({"groove": "0" * 20, "from": None, "bars": {"-1": []}})}, "there is no bar"),
    ({"lines": lines({"groove": "0" * 20, "from": None, "bars": {"9" * 5000: []}})}, "there is no bar"),
    ({"lines": lines({"groove": "0" * 20, "from": None, "bars": {"0": [[0, 0, 90, 0.25]]}}).replace(b"0.25", b"1e999")}, "a hit is out of range"),
    ({"lines": lines({"groove": "0" * 20, "from": None, "bars": [1]})}, "bars are numbers with hits"),
]


@pytest.mark.parametrize(("changed", "message"), HOSTILE)
def test_a_hostile_project_file_is_one_line(home: Store, changed: dict[str, Any], message: str) -> None:
    good = home.export_file(home.create("song.mid", band_song(6)))
    before = sorted(home.home.iterdir())
    with pytest.raises(InputError, match=message) as caught:
        home.import_file(repack(good, **changed))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert sorted(home.home.iterdir()) == before


def test_a_bomb_is_not_unpacked(home: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_UNPACKED", 4 << 20)
    good = home.export_file(home.create("song.mid", band_song(6)))
    start = time.process_time()
    for name, size in (("lines", 5 << 20), ("song", 17 << 20), ("about", 2 << 20)):
        with pytest.raises(InputError, match="more than .* MB in it"):
            home.import_file(repack(good, **{name: b" " * size}))
    assert time.process_time() - start < 2


def test_a_journal_of_too_many_lines_is_not_read(home: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_LINES", 50)
    good = home.export_file(home.create("song.mid", band_song(6)))
    assert home.import_file(repack(good, lines=lines(*[{"at": 0}] * 48))).revision == 50
    with pytest.raises(InputError, match="more than 50 lines in it"):
        home.import_file(repack(good, lines=lines(*[{"at": 0}] * 49)))


def test_a_lie_about_its_size_does_not_help(home: Store) -> None:
    good = home.export_file(home.create("song.mid", band_song(6)))
    bomb = repack(good, about=b" " * (2 << 20))
    size = (2 << 20).to_bytes(4, "little")
    with pytest.raises(InputError):
        home.import_file(bomb.replace(size, (10).to_bytes(4, "little")))


def many_files(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for k in range(2000):
            made.writestr(f"{k}", b"")
    return out.getvalue()


def twice(data: bytes) -> bytes:
    out = io.BytesIO(data)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as made:
        made.writestr(ABOUT, about())
    return out.getvalue()


def packed_otherwise(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as made:
        for name in old.namelist():
            made.writestr(name, old.read(name))
    return out.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"PK\x03\x04",
        lambda data: data[: len(data) // 2],
        lambda data: data[:200] + bytes(200) + data[400:],
        lambda data: data[:-30] + bytes(30),
        lambda data: band_song(2),
        many_files,
        twice,
        packed_otherwise,
    ],
)
def test_what_is_no_project_file_is_one_line(home: Store, damage: Any) -> None:
    good = home.export_file(home.create("song.mid", band_song(6)))
    with pytest.raises(InputError, match="project file") as caught:
        home.import_file(damage(good))
    assert "\n" not in str(caught.value)


def test_any_byte_may_be_wrong(home: Store) -> None:
    good = bytearray(home.export_file(work(home)))
    for place in range(0, len(good), 97):
        damaged = bytearray(good)
        damaged[place] ^= 0x5A
        try:
            home.delete(home.import_file(bytes(damaged)).id)
        except BackbeatError as error:
            assert "\n" not in str(error)


def test_a_full_history_is_said(home: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    project = work(home)
    monkeypatch.setattr("backbeat.studio.history.MAX_BARS_KEPT", 6 * len(project.history.grooves))
    studio = Studio(home)
    with pytest.raises(InputError, match="history of this project is full"):
        studio.act(project.id, None, {"type": "clear", "bars": None, "classes": None})
    assert look(home.open(project.id)) == look(project)


def test_the_schema_is_the_documented_one() -> None:
    assert store.SCHEMA == 1
