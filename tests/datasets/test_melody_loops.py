"""Mining pairs of drums and melody."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.datasets.melody_loops import MOST_LOOPED, list_windows, mine, mine_song, read_loops, write_loops
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.midi import parse_song
from tests.midi.builders import Track, midi

TUNE = (60, 64, 67, 64, 65, 62, 59, 62)


def make_song(bars=8, numerator=4, shift=0):
    """Drums that repeat two bars, and a tune of quarters in C."""
    conductor, lead, kit = Track().metre(0, numerator, 4), Track().program(0, 81), Track()
    for b in range(bars):
        for n in range(numerator):
            tick = (b * numerator + n) * 480
            lead.note(tick, 240, TUNE[(b * numerator + n) % 8] + shift, 90 + n)
            kit.note(tick, 60, 36 if n % 2 == 0 else 38, 90, 9)
            kit.note(tick + (b % 2) * 120, 60, 42, 90, 9)
    return midi(conductor.chunk(), lead.chunk(), kit.chunk())


def test_a_looped_window_has_drums_melody_key_octave_and_instrument():
    pairs = mine_song(parse_song(make_song()))
    looped = [p for p in pairs if p.looped]
    assert looped and len(looped) <= MOST_LOOPED
    pair = looped[0]
    assert (pair.drums[:32] == pair.drums[32:]).all() and pair.drums[0] & 1
    assert pair.melody["step"].tolist() == list(range(0, 64, 4)) and set(pair.melody["length"].tolist()) == {2}
    assert pair.melody["pitch"].tolist() == list(TUNE) * 2 and pair.melody["velocity"][:4].tolist() == [90, 91, 92, 93]
    assert (pair.program, pair.key, pair.octave) == (81, 0, 4) and len(pair.chords) == 4


def test_only_4_4_counts_and_drums_must_be_there():
    assert mine_song(parse_song(make_song(12, numerator=3))) == []
    silent = Track().note(0, 10, 60)
    assert mine_song(parse_song(midi(silent.chunk()))) == []


def test_windows_are_looped_where_two_bars_come_three_times():
    grid = Grid.regular(12)
    words = np.tile(np.arange(1, 33, dtype=np.uint16), 6)
    looped, other = list_windows(words, grid)
    assert looped == [0, 64, 128] and other == []
    words[64:] = np.arange(100, 228)  # nothing comes again from bar 5 on
    looped, other = list_windows(words, grid)
    assert looped == [] and other == [0, 64, 128]


def test_parts_off_the_grid_are_left_out():
    conductor, lead, kit = Track().metre(0, 4, 4), Track(), Track()
    for n in range(32):
        lead.note(n * 480 + (55 if n % 2 else 0), 100, TUNE[n % 8])
        kit.note(n * 480, 60, 36, 90, 9)
    assert mine_song(parse_song(midi(conductor.chunk(), lead.chunk(), kit.chunk()))) == []


def test_a_collection_keeps_each_pair_once_in_whatever_key(tmp_path):
    sources = []
    for name, data in (("a", make_song()), ("b", make_song(shift=5)), ("broken", b"MThd?")):
        path = tmp_path / f"{name}.mid"
        path.write_bytes(data)
        sources.append(Source(str(path), name))
    done = []
    loops = mine(sources, progress=done.append)
    alone = mine(sources[:1])
    assert done == [1, 2, 3] and len(loops) == len(alone) > 0 and set(loops.song.tolist()) == {0}
    assert loops.melody(0)["pitch"].tolist() == list(TUNE) * 2


def test_pairs_are_kept_in_a_file_and_chosen(tmp_path):
    (tmp_path / "a.mid").write_bytes(make_song(16))
    loops = mine([Source(str(tmp_path / "a.mid"), "a")])
    write_loops(loops, tmp_path / "loops.npz")
    again = read_loops(tmp_path / "loops.npz")
    assert (again.drums == loops.drums).all() and (again.notes == loops.notes).all() and len(again) == len(loops)
    last = loops.select(np.arange(len(loops)) == len(loops) - 1)
    assert len(last) == 1 and (last.melody(0) == loops.melody(len(loops) - 1)).all()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 not a zip", b"text"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "loops.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="not a file of melody loops"):
        read_loops(path)
