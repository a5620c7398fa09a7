"""What cannot be used ends in one clear line and exit status 1: no traceback, no partial file, in bounded time."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import SHIPPED, Run
from tests.midi.builders import Track, band_song, header, midi

pytestmark = pytest.mark.skipif(not SHIPPED, reason="the shipped weights are not there yet: export them first")
Refused = Callable[..., str]
SECONDS = 10.0
"""The time in which any refusal must have come, on a busy machine too."""

BAR = 1920
as_user = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not stop root")


def _break_lengths(data: bytes, length: int) -> bytes:
    """The file with another length in its first track."""
    at = data.index(b"MTrk") + 4
    return data[:at] + length.to_bytes(4, "big") + data[at + 4 :]


def _one_bar() -> bytes:
    return midi(Track().metre(0, 4, 4).note(0, 480, 40).note(480, 480, 43).note(1440, 400, 45).chunk(BAR))


def _nothing_for_long(*, note: bool, text: bool = False) -> bytes:
    """100,000 bars of 4/4 with an event at the very end; one track alone may last so long, its delta times are below 2^28."""
    track = Track().metre(0, 4, 4).tempo(0, 500_000)
    end = 100_000 * BAR
    if text:
        track.meta(end, 0x01, b"the end")
    if note:
        track.note(0, 480, 40).note(end, 480, 40)
    return midi(track.chunk(end + 960))


SONGS = {
    "not a MIDI file": (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a MIDI file"),
    "a text file": (b"Dear diary,\ntoday I played the drums.\n", "not a MIDI file: it does not start with MThd (it looks like text)"),
    "empty": (b"", "the file is empty"),
    "truncated in the header": (band_song()[:9], "truncated"),
    "truncated in a track": (band_song()[:100], "truncated"),
    "truncated at the last byte": (band_song()[:-1], "truncated"),
    "zero tracks": (header(1, 0), "no tracks"),
    "zero tracks of three": (header(1, 3), "no tracks"),
    "a track length too large": (_break_lengths(band_song(), 0xFFFFFFFF), "truncated: track 1 says it ends"),
    "a track length too small": (_break_lengths(band_song(), 5), "chunk"),
    "a track length of 0": (_break_lengths(band_song(), 0), "chunk"),
    "no notes": (midi(Track().name("A").metre(0, 4, 4).tempo(0, 500_000).program(0, 3).chunk(4 * BAR)), "no notes"),
    "no events": (midi(Track().chunk()), "no notes"),
    "drums only": (midi(Track().note(0, 100, 36, channel=9).note(BAR, 100, 38, channel=9).note(2 * BAR, 100, 36, channel=9).chunk()), "only drums"),
    "one bar": (_one_bar(), "one bar only"),
    "one note": (midi(Track().note(0, 480, 60).chunk()), "one bar only"),
    "100,000 bars and a text": (_nothing_for_long(note=False, text=True), "no notes"),
    "100,000 bars between two notes": (_nothing_for_long(note=True), "bars, more than can be played"),
}


@pytest.mark.parametrize("fault", SONGS)
def test_a_file_that_is_no_song_is_one_line(refused: Refused, tmp_path: Path, fault: str) -> None:
    data, message = SONGS[fault]
    song, out = tmp_path / "song.mid", tmp_path / "out.mid"
    song.write_bytes(data)
    started = time.monotonic()
    line = refused("accompany", song, "-o", out, "--json")
    assert time.monotonic() - started < SECONDS
    assert message in line and str(song) in line
    assert [p.name for p in tmp_path.iterdir()] == ["song.mid"]


UNREADABLE = [f for f, (_, message) in SONGS.items() if not any(m in message for m in ("no notes", "only drums", "one bar", "more than can be played"))]


@pytest.mark.parametrize("fault", UNREADABLE)
@pytest.mark.parametrize("command", ["inspect", "render"])
def test_a_damaged_file_is_one_line_to_every_command_that_reads(refused: Refused, tmp_path: Path, command: str, fault: str) -> None:
    data, message = SONGS[fault]
    song = tmp_path / "song.mid"
    song.write_bytes(data)
    assert message in refused(command, song)
    assert [p.name for p in tmp_path.iterdir()] == ["song.mid"]


@pytest.mark.parametrize("command", ["accompany", "inspect", "render"])
@pytest.mark.parametrize(
    ("name", "message"), [("missing.mid", "there is no such file"), (".", "this is a folder, give a MIDI file"), ("song.mid/x.mid", "cannot be read")]
)
def test_a_path_that_is_no_file_is_one_line(refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.mid").write_bytes(band_song())
    assert message in refused(command, tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["song.mid"]


def test_a_song_that_is_too_long_is_refused_in_time(refused: Refused, tmp_path: Path) -> None:
    """13,000 bars with a note in each: readable, and more than is played."""
    song = tmp_path / "song.mid"
    track = Track().metre(0, 4, 4)
    for bar in range(13_000):
        track.note(bar * BAR, 480, 40)
    song.write_bytes(midi(track.chunk()))
    started = time.monotonic()
    assert "more than can be played" in refused("accompany", song, "-o", tmp_path / "out.mid")
    assert time.monotonic() - started < SECONDS


@as_user
def test_a_file_without_permission_is_one_line(refused: Refused, tmp_path: Path) -> None:
    song = tmp_path / "song.mid"
    song.write_bytes(band_song())
    song.chmod(0)
    assert "no permission to read" in refused("accompany", song)


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing/out.mid", "there is no folder"), (".", "this is a folder, name a file in it"), ("song.mid/out.mid", "cannot be written")],
)
def test_an_output_that_cannot_be_is_one_line(refused: Refused, tmp_path: Path, name: str, message: str) -> None:
    song = tmp_path / "song.mid"
    song.write_bytes(band_song(2))
    assert message in refused("accompany", song, "-o", tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["song.mid"]


@pytest.mark.parametrize("name", ["/", ".", ""])
def test_a_folder_as_the_name_of_several_takes_is_one_line(refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.mid").write_bytes(band_song(2))
    assert "this is a folder, name a file in it" in refused("accompany", "song.mid", "-o", name, "--takes", 2)
    assert [p.name for p in tmp_path.iterdir()] == ["song.mid"]


@as_user
def test_a_folder_without_permission_is_one_line(refused: Refused, tmp_path: Path) -> None:
    song, folder = tmp_path / "song.mid", tmp_path / "locked"
    song.write_bytes(band_song(2))
    folder.mkdir(mode=0o500)
    assert "no permission to write" in refused("accompany", song, "-o", folder / "out.mid")
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("number", "message"), [(errno.ENOSPC, "no space left on the disk"), (errno.EDQUOT, "no space left on the disk"), (errno.EIO, "cannot be written")]
)
def test_a_disk_that_fails_leaves_no_partial_file(refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str) -> None:
    song, out = tmp_path / "song.mid", tmp_path / "out.mid"
    song.write_bytes(band_song(2))
    out.write_bytes(b"an earlier take")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("backbeat.files.os.replace", fail)
    assert message in refused("accompany", song, "-o", out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.mid", "song.mid"]
    assert out.read_bytes() == b"an earlier take"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_device_is_one_line(refused: Refused, tmp_path: Path) -> None:
    song = tmp_path / "song.mid"
    song.write_bytes(band_song(2))
    assert "no space left on the disk" in refused("accompany", song, "-o", "/dev/full")


@pytest.mark.parametrize("fault", ["truncated in a track", "drums only"])
def test_the_warnings_of_a_file_that_is_refused_do_not_hide_the_line(refused: Refused, run: Run, tmp_path: Path, fault: str) -> None:
    song = tmp_path / "song.mid"
    song.write_bytes(SONGS[fault][0])
    assert refused("accompany", song, "-o", tmp_path / "out.mid").count("backbeat: ") == 1


def test_a_name_that_is_no_text_is_printed_escaped(run: Run, tmp_path: Path) -> None:
    song = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mid"))
    try:
        song.write_bytes(band_song(2))
    except OSError:
        pytest.skip("this file system has no such names")
    result = run("inspect", song, "--json")
    assert result.code == 0 and "caf\\udce9.mid" in result.out
