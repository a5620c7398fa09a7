"""Writing songs and grooves to disk."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest

from backbeat.errors import OutputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, read_song, splice_drums, write_groove, write_song
from backbeat.units import MetreMap, TempoMap
from tests.midi.builders import METRES, band_song
from tests.midi.test_drumtrack import random_groove

KIT = load_kit("lstmetallica_9")


def test_a_song_is_written_and_reported(tmp_path: Path) -> None:
    (tmp_path / "in.mid").write_bytes(band_song(2))
    song = read_song(tmp_path / "in.mid")
    groove = random_groove(song.grid())
    report = write_song(song, groove, str(tmp_path / "out.mid"))
    assert (tmp_path / "out.mid").read_bytes() == splice_drums(song, groove)
    assert (report.path, report.size) == (tmp_path / "out.mid", (tmp_path / "out.mid").stat().st_size)
    assert (report.notes, report.merged, report.removed) == (int(groove.hits.sum()), 0, 2 * len(song.drum_parts[0].notes))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mid", "out.mid"]


def test_a_song_can_be_written_without_new_drums(tmp_path: Path) -> None:
    (tmp_path / "in.mid").write_bytes(band_song(2))
    report = write_song(read_song(tmp_path / "in.mid"), None, tmp_path / "out.mid")
    assert (report.notes, len(read_song(tmp_path / "out.mid").drum_parts)) == (0, 0)


def test_the_input_is_never_overwritten_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(band_song(2))
    os.symlink(path, tmp_path / "link.mid")
    song = read_song(path)
    for same in (path, tmp_path / "link.mid", tmp_path / "." / "song.mid"):
        with pytest.raises(OutputError, match=r"is the input: use another -o, or --force$"):
            write_song(song, random_groove(song.grid()), same)
    assert path.read_bytes() == band_song(2)
    write_song(song, random_groove(song.grid()), path, force=True)
    assert len(read_song(path).drum_parts) == 1
    assert path.read_bytes() != band_song(2)


@pytest.mark.parametrize("metre", METRES, ids=lambda m: f"{m[0]}-{m[1]}")
def test_a_groove_alone_comes_back(tmp_path: Path, metre: tuple[int, int]) -> None:
    grid = Grid.regular(3, *metre)
    groove = random_groove(grid, 7)
    groove = groove.replace(offsets=groove.offsets * np.float32(0.9))  # at the very border a rounded tick may belong to the neighbour
    tempo, metre_map = TempoMap(480, (0, 960), (400_000, 600_000)), MetreMap((0,), (metre[0],), (metre[1],))
    report = write_groove(groove, tmp_path / "g.mid", tempo, metre_map)
    song = read_song(tmp_path / "g.mid")
    assert (song.tempo, song.metre, song.end_tick, song.warnings) == (tempo, metre_map, int(grid.bar_ticks[-1]), ())
    again, _ = extract_groove(song, grid, KIT)
    assert np.array_equal(again.hits, groove.hits)
    assert report.notes == int(groove.hits.sum())
    assert mido.MidiFile(tmp_path / "g.mid").type == 1


@pytest.mark.parametrize("per_second", [Fraction(1000), Fraction(30_000, 1001) * 80, Fraction(24)])
def test_a_groove_in_smpte_time_keeps_its_division(tmp_path: Path, per_second: Fraction) -> None:
    tempo = TempoMap(max(1, round(per_second / 2)), ticks_per_second=per_second)
    grid = Grid.lay(tempo, MetreMap(), tempo.tick(Fraction(8)), 1)
    write_groove(Groove.empty(grid, KIT), tmp_path / "g.mid", tempo, MetreMap())
    assert read_song(tmp_path / "g.mid").tempo == tempo


def test_maps_that_no_file_can_hold_are_refused(tmp_path: Path) -> None:
    groove = Groove.empty(Grid.regular(1), KIT)
    with pytest.raises(ValueError, match="at most 32,767 ticks per quarter, not 40000"):
        write_groove(groove, tmp_path / "g.mid", TempoMap(40_000), MetreMap())
    with pytest.raises(ValueError, match="cannot hold 7/3 ticks per second"):
        write_groove(groove, tmp_path / "g.mid", TempoMap(480, ticks_per_second=Fraction(7, 3)), MetreMap())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        write_groove(Groove.empty(Grid.regular(1), KIT), tmp_path / "no" / "g.mid", TempoMap(480), MetreMap())
