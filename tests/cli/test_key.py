"""``backbeat key``, end to end."""

from __future__ import annotations

import json

import pytest

from tests.midi.builders import Track, band_song, midi

TUNE = [60, 64, 67, 64, 65, 62, 59, 60, 60, 67, 72, 71, 69, 67, 65, 64, 62, 60]


@pytest.fixture
def tunes(tmp_path):
    folder = tmp_path / "tunes"
    (folder / "below").mkdir(parents=True)
    for name, shift in (("c.mid", 0), ("below/d.MID", 2)):
        track = Track()
        for i, pitch in enumerate(TUNE):
            track.note(i * 240, 200, pitch + shift)
        (folder / name).write_bytes(midi(track.chunk()))
    (folder / "readme.txt").write_text("no music")
    return folder


@pytest.mark.parametrize("method", ["ours", "tonika"])
def test_one_object_a_file_and_folders_are_taken_whole(run, tunes, method):
    result = run("key", tunes, tunes / "c.mid", "--json", "--method", method)
    assert result.code == 0 and result.err == ""
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert [(r["file"], r["key"]) for r in rows] == [(str(tunes / "below/d.MID"), "D"), (str(tunes / "c.mid"), "C"), (str(tunes / "c.mid"), "C")]
    for row in rows:
        assert set(row) == {"file", "key", "tonic", "mode", "confidence"} and row["mode"] == "major" and 0 < row["confidence"] <= 1


def test_bad_files_give_a_line_each_and_the_others_go_on(run, tunes, tmp_path):
    (tunes / "a.mid").write_bytes(b"not midi")
    drums = Track().note(0, 10, 36, 90, 9)
    (tunes / "z.mid").write_bytes(midi(drums.chunk()))
    (tmp_path / "empty").mkdir()
    result = run("key", tunes, tmp_path / "none.mid", tmp_path / "empty", "--json")
    assert result.code == 1 and len(result.out.splitlines()) == 2
    lines = result.err.splitlines()
    assert len(lines) == 4 and all(line.startswith("backbeat: ") for line in lines)
    assert "a.mid" in lines[0] and "no note but drums" in lines[1] and "none.mid" in lines[2] and "no MIDI file in this folder" in lines[3]


def test_people_get_a_line_a_file(run, tunes):
    assert run("key", tunes / "c.mid").out.startswith("C    C major ")


def test_drums_are_not_heard(run, tmp_path):
    found = []
    for name, drums in (("with", True), ("without", False)):
        (tmp_path / f"{name}.mid").write_bytes(band_song(drums=drums))
        found.append(json.loads(run("key", tmp_path / f"{name}.mid", "--json").out) | {"file": ""})
    assert found[0] == found[1]


def test_without_a_path_it_is_wrong_usage(run):
    assert run("key").code == 2
