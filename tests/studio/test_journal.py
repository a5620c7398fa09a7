"""The journal: what was answered is on the disk, what was torn is left out, and two writers notice each other."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from backbeat.errors import InputError, OutputError
from backbeat.studio import journal

LINES = [{"at": 1}, {"entry": 3, "label": "ü"}, {"at": 2}]


def write(path: Path, *lines: object) -> int:
    path.write_bytes(b"".join(journal.write_line(line) for line in lines))
    return path.stat().st_size


def read(path: Path) -> tuple[list[object], int]:
    end, out = 0, []
    with path.open("rb") as file:
        for _, line, behind in journal.read_lines(file, "the journal"):
            out.append(line)
            end = behind
    return out, end


def test_lines_come_back(tmp_path: Path) -> None:
    end = write(tmp_path / "j", *LINES)
    assert read(tmp_path / "j") == (LINES, end)


def test_a_journal_cut_anywhere_keeps_the_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    write(path, *LINES)
    data = path.read_bytes()
    for length in range(len(data) + 1):
        path.write_bytes(data[:length])
        whole = data[:length].count(b"\n")
        lines, end = read(path)
        assert lines == LINES[:whole]
        after = journal.append(path, [journal.write_line({"at": 9})], end)
        assert read(path) == ([*LINES[:whole], {"at": 9}], after)


@pytest.mark.parametrize("tail", [b"\0" * 40, b'{"at": \n', b"\xff\xfe\n", b'{"at": 1}x\n'])
def test_a_damaged_last_line_is_written_over(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "j"
    end = write(path, *LINES)
    path.write_bytes(path.read_bytes() + tail)
    assert read(path) == (LINES, end)
    journal.append(path, [journal.write_line({"at": 9})], end)
    assert read(path)[0] == [*LINES, {"at": 9}]


@pytest.mark.parametrize("damaged", [b"{\n", b'{"at": NaN}\n', b"[" * 100_000 + b"\n", b"1" * 5000 + b"\n"])
def test_a_damaged_line_before_the_last_is_an_error(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(journal.write_line({"at": 1}) + damaged + journal.write_line({"at": 1}))
    with pytest.raises(InputError, match="the journal, line 2: it is no JSON"):
        read(path)


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_LINE", 100)
    path = tmp_path / "j"
    path.write_bytes(b'"' + b"x" * 500 + b'"\n' + journal.write_line({"at": 1}))
    with pytest.raises(InputError, match="line 1: it has more than"):
        read(path)
    monkeypatch.setattr(journal, "MAX_JOURNAL", 50)
    write(path, *LINES, *LINES)
    with pytest.raises(InputError, match="the journal has more than"):
        read(path)


def test_another_writer_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    end = write(path, *LINES)
    journal.append(path, [journal.write_line({"at": 5})], end)
    before = path.read_bytes()
    with pytest.raises(journal.MovedError):
        journal.append(path, [journal.write_line({"at": 6})], end)
    assert path.read_bytes() == before
    path.write_bytes(before[:3])
    with pytest.raises(journal.MovedError):
        journal.append(path, [journal.write_line({"at": 6})], end)
    path.unlink()
    with pytest.raises(journal.MovedError):
        journal.append(path, [journal.write_line({"at": 6})], end)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j"
    end = write(path, *LINES)

    def fail(_: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="no space left on the disk"):
        journal.append(path, [journal.write_line({"at": 6})], end)
    monkeypatch.undo()
    assert read(path) == (LINES, end) and path.stat().st_size == end


def test_each_line_is_on_the_disk_before_it_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "j", list[bytes]()
    end = write(path, *LINES)
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.read_bytes()))
    journal.append(path, [journal.write_line({"at": 6})], end)
    assert synced == [path.read_bytes()]
