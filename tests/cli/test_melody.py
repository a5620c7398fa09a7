"""``backbeat melody``, end to end."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest

from backbeat.midi import read_song
from backbeat.midi.splice import list_events
from backbeat.models.melody import SHIPPED
from tests.midi.builders import Track, band_song, midi

pytestmark = pytest.mark.skipif(
    not all(resources.files("backbeat").joinpath(f"{folder}/config.json").is_file() for folder in SHIPPED.values()),
    reason="the shipped weights are not there yet: export them first",
)


def make_drums(bars=8, numerator=4):
    kit = Track().metre(0, numerator, 4).tempo(0, 600_000).tempo(3000, 400_000)
    for beat in range(bars * numerator):
        kit.note(beat * 480, 60, 36 if beat % 2 == 0 else 38, 90, 9).note(beat * 480 + 240, 60, 42, 70, 9)
    return midi(kit.chunk(), format_=0)


@pytest.fixture
def drums(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "drums.mid"
    path.write_bytes(make_drums())
    return path


def test_the_drums_file_with_a_melody_is_written(run, drums):
    result = run("melody", drums, "--key", "Am", "--instrument", "bass", "--octave", "3", "--json")
    report = json.loads(result.out)
    assert result.code == 0 and report["out"] == ["drums-melody.mid"] and report["bars"] == 8
    assert (report["key"], report["instrument"], report["program"], report["octave"]) == ("Am", "bass", 33, 3)
    song = read_song("drums-melody.mid")
    part = song.band[0]
    assert part.program == 33 and len(part.notes) == report["takes"][0]["notes"] > 8
    assert list_events(song.data)[0] == list_events(drums.read_bytes())[0] and drums.read_bytes()[14:] in song.data
    assert part.notes["onset"].max() >= 6 * 4 * 480 and part.notes["end"].max() <= 8 * 4 * 480
    assert set(np.unique(part.notes["pitch"] % 12).tolist()) <= {9, 11, 0, 2, 4, 5, 7}
    assert run("melody", drums, "--key", "Am").code == 0
    assert (drums.parent / "drums-melody-2.mid").is_file()


def test_takes_differ_and_seeds_repeat(run, drums):
    for name in ("a.mid", "b.mid"):
        assert run("melody", drums, "--key", "Em", "--takes", 2, "--seed", 7, "-o", name).code == 0
    folder = drums.parent
    assert (folder / "a.mid").read_bytes() == (folder / "b.mid").read_bytes() != (folder / "a-2.mid").read_bytes()
    assert (folder / "a-2.mid").read_bytes() == (folder / "b-2.mid").read_bytes()


def test_the_first_bars_only(run, drums):
    assert run("melody", drums, "--key", "C", "--bars", 3, "-o", "x.mid").code == 0
    assert 0 < read_song("x.mid").band[0].notes["end"].max() <= 3 * 4 * 480
    assert read_song("x.mid").end_tick == read_song(drums).end_tick


def test_chords_density_and_the_papers_network(run, drums):
    assert run("melody", drums, "--key", "Am", "--chords", "i bVI bIII bVII", "--density", "busy", "-o", "x.mid").code == 0
    assert run("melody", drums, "--key", "Am", "--model", "paper", "--tries", 2, "-o", "y.mid").code == 0
    assert len(read_song("y.mid").band[0].notes)


def test_a_song_keeps_its_band(run, drums, tmp_path):
    (tmp_path / "song.mid").write_bytes(band_song(6))
    assert run("melody", "song.mid", "--key", "C", "-o", "out.mid").code == 0
    assert list_events((tmp_path / "out.mid").read_bytes())[:-1] == list_events(band_song(6))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--key", "H"], "is no key"),
        (["--key", "C", "--instrument", "triangle"], "no instrument"),
        (["--key", "C", "--octave", "12"], "octave"),
        (["--key", "C", "--bars", "99"], "has 8 bars"),
        (["--key", "C", "--chords", "I foo"], "is no chord"),
        (["--key", "C", "--model", "nothing"], "choose from ours, paper"),
        (["--key", "C", "--model", "paper", "--density", "calm"], "chords and density"),
        (["--key", "C", "--temperature", "9"], "temperature"),
        (["--key", "C", "-o", "drums.mid"], "is the input"),
    ],
)
def test_wrong_wishes_are_refused(refused, drums, arguments, words):
    before = drums.read_bytes()
    assert words in refused("melody", drums, *arguments)
    assert drums.read_bytes() == before and sorted(p.name for p in drums.parent.iterdir()) == ["drums.mid"]


def test_other_metres_are_for_ours(run, refused, drums, tmp_path):
    (tmp_path / "waltz.mid").write_bytes(make_drums(numerator=3))
    assert "4/4 only" in refused("melody", "waltz.mid", "--key", "C", "--model", "paper", "-o", "x.mid")
    assert run("melody", "waltz.mid", "--key", "C", "-o", "x.mid").code == 0


def test_files_without_drums_are_refused(refused, tmp_path):
    (tmp_path / "song.mid").write_bytes(band_song(4, drums=False))
    assert "no drums in it" in refused("melody", tmp_path / "song.mid", "--key", "C")


def test_a_wrong_model_lists_the_right_ones_and_a_silent_melody_is_told(run, drums):
    wrong = run("melody", drums, "--key", "C", "--model", "papr")
    assert wrong.code == 1 and "choose from ours, paper" in wrong.err
    told = run("melody", drums, "--key", "C", "--bars", 2, "--temperature", 0, "--tries", 1, "--json")
    silent = not json.loads(told.out)["takes"][0]["notes"]
    assert ("has no note" in told.err) == silent
