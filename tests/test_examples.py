"""The example songs are what their scripts compose, and songs that a drummer is wanted for."""

import shutil
import subprocess
import sys
from pathlib import Path

import mido
import pytest

from backbeat import read_song

EXAMPLES = Path(__file__).parent.parent / "examples"
SONGS = {"song": "make_song.py", "ballad": "make_ballad.py"}


@pytest.mark.parametrize("name", SONGS)
def test_the_script_composes_the_committed_file_byte_for_byte(name, tmp_path):
    for script in EXAMPLES.glob("*.py"):
        shutil.copy(script, tmp_path)
    subprocess.run([sys.executable, "-I", "-c", _RUN.format(folder=str(tmp_path), script=SONGS[name])], check=True, timeout=30)
    assert (tmp_path / f"{name}.mid").read_bytes() == (EXAMPLES / f"{name}.mid").read_bytes()


# -I and a path without packages: the scripts must live on the standard library alone.
_RUN = """
import runpy, sys
sys.dont_write_bytecode = True
sys.argv = ["script"]
sys.path = [{folder!r}, *(p for p in sys.path if "site-packages" not in p)]
runpy.run_path({folder!r} + "/{script}", run_name="__main__")
"""


@pytest.mark.parametrize("name", SONGS)
def test_it_is_read_without_a_warning_and_has_no_drums(name):
    song = read_song(EXAMPLES / f"{name}.mid")
    assert song.warnings == () and song.drum_parts == () and song.tempo.ticks_per_quarter == 480
    assert [p.program for p in song.band] == {"song": [33, 30, 0, 48, 81], "ballad": [33, 27, 0, 48, 65]}[name]
    assert all(p.name and len(set(p.notes["velocity"].tolist())) > 8 for p in song.band)


def test_the_song_has_its_sections_a_bridge_in_seven_and_a_ritardando():
    song = read_song(EXAMPLES / "song.mid")
    grid = song.grid()
    assert 90 <= song.tempo.seconds(song.last_note_tick) <= 120
    assert [f"{n}/{d}" for n, d in zip(song.metre.numerators, song.metre.denominators, strict=True)] == ["4/4", "7/8", "4/4"]
    bridge = song.metre.ticks[1]
    assert song.tempo.qpm(bridge) > song.tempo.qpm(0) > song.tempo.qpm(song.last_note_tick)
    texts = [m for t in mido.MidiFile(EXAMPLES / "song.mid").tracks for m in t if m.type in ("marker", "lyrics")]
    assert [m.text for m in texts if m.type == "marker"] == ["Intro", "Verse 1", "Chorus 1", "Verse 2", "Chorus 2", "Bridge", "Last chorus", "Ending"]
    assert sum(m.type == "lyrics" for m in texts) == 1
    assert grid.bars == 55


def test_the_bass_locks_to_the_riff_and_the_chorus_is_busier_and_louder_than_the_verse():
    song = read_song(EXAMPLES / "song.mid")
    grid = song.grid()
    struck = {p.name: [set() for _ in range(grid.bars)] for p in song.band}
    loud = {p.name: [[] for _ in range(grid.bars)] for p in song.band}
    for part in song.band:
        for step, velocity in zip(grid.locate(part.notes["onset"])[0], part.notes["velocity"], strict=True):
            bar = int(grid.bar_of_step[step])
            struck[part.name][bar].add(int(grid.step_in_bar[step]))
            loud[part.name][bar].append(int(velocity))
    assert struck["Bass"][4] <= struck["Electric guitar"][4] | {11, 12, 14}
    verse, chorus = range(4, 12), range(12, 20)
    for name in ("Bass", "Electric guitar", "Piano"):
        verse_loud, chorus_loud = ([v for b in bars for v in loud[name][b]] for bars in (verse, chorus))
        assert sum(chorus_loud) / len(chorus_loud) > sum(verse_loud) / len(verse_loud) + 5
    assert sum(len(struck[n][b]) for n in struck for b in chorus) > 1.2 * sum(len(struck[n][b]) for n in struck for b in verse)


def test_the_ballad_is_in_twelve_eight():
    song = read_song(EXAMPLES / "ballad.mid")
    assert set(zip(song.grid().numerators, song.grid().denominators, strict=True)) == {(12, 8)}
    assert len((EXAMPLES / "ballad.mid").read_bytes()) < len((EXAMPLES / "song.mid").read_bytes())
