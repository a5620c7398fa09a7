"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from backbeat.errors import OutputError
from backbeat.files import write_bytes


def test_a_new_file_has_its_bytes_and_common_permissions(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.mid", b"abc")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "a.mid").read_bytes() == b"abc"
    assert stat.S_IMODE((tmp_path / "a.mid").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mid", "plain"]


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a long old text")
    write_bytes(str(tmp_path / "a"), b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("code", "message"), [(errno.ENOSPC, "no space left on the disk"), (errno.EIO, "cannot be written"), (errno.EACCES, "no permission to write in")]
)
def test_a_failure_leaves_the_old_file_and_no_part_of_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, message: str) -> None:
    (tmp_path / "a").write_bytes(b"old")

    class Full:
        def __init__(self, descriptor: int, mode: str) -> None:
            self.descriptor = descriptor

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: Any) -> None:
            os.close(self.descriptor)

        def write(self, data: bytes) -> None:
            raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fdopen", Full)
    with pytest.raises(OutputError, match=message):
        write_bytes(tmp_path / "a", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_an_interrupt_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / "a", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="this is a folder, name a file in it$"):
        write_bytes(tmp_path, b"")
    with pytest.raises(OutputError, match="there is no folder .*nowhere, make it first$"):
        write_bytes(tmp_path / "nowhere" / "a", b"")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes(tmp_path / "file" / "a", b"")
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes("a\0b", b"")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="no permission to write in"):
            write_bytes(tmp_path / "a", b"")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_device_is_written_directly_and_stays_a_device() -> None:
    write_bytes("/dev/null", b"abc")
    assert not Path("/dev/null").is_file()
    with pytest.raises(OutputError, match="no space left on the disk"):
        write_bytes("/dev/full", b"abc")
