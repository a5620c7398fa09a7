"""Project files, which are zips of three files, and files that are on the disk when they are said to be."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from backbeat.errors import InputError
from backbeat.studio import journal

_WHEN = (1980, 1, 1, 0, 0, 0)
_HEADER = b"PK\x01\x02"
_MOST_FILES, _CHUNK = 64, 1 << 20
MAX_LINES, MAX_UNPACKED = 100_000, 256 << 20
"""Lines and bytes of a journal in a project file: more work than anybody has done, and no more than can be read in a few seconds."""


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """A zip of some files; the same files make the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _WHEN), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def read_archive(data: bytes, most: Mapping[str, int]) -> dict[str, bytes]:
    """The files of a zip.

    Nothing is unpacked to the disk; a file is read up to what it may have, whatever the zip says of its size.

    Args:
        data: the zip.
        most: the names of the files that it has, neither more nor less, and the bytes that each may have.

    Raises:
        InputError: it is no such zip, or damaged.
    """
    if data.count(_HEADER) > _MOST_FILES:
        raise InputError("this is no project file: it has too many files in it")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if sorted(names) != sorted(most):
                odd = [name for name in names if name not in most] or [name for name in most if names.count(name) != 1]
                raise InputError(f"this is no project file: it has {', '.join(sorted(most))} in it, once each; look at {odd[0][:60]!r}")
            return {name: _read_file(archive, name, limit) for name, limit in most.items()}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, UnicodeError):
        raise InputError("this is no project file, or a damaged one: it cannot be unzipped") from None


def _read_file(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(f"the project file cannot be opened: {name} is packed in a way that Backbeat does not write")
    parts, size = [], 0
    with archive.open(name) as file:
        while part := file.read(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > most:
                raise InputError(f"the project file cannot be opened: {name} has more than {most >> 20} MB in it")
    return b"".join(parts)


def split_lines(data: bytes) -> Iterator[tuple[int, Any, int]]:
    """The lines of a journal in memory, see ``journal.read_lines``.

    Raises:
        InputError: there are more than ``MAX_LINES``, or one is damaged.
    """
    if data.count(b"\n") > MAX_LINES:
        raise InputError(f"the project file cannot be opened: journal.jsonl has more than {MAX_LINES:,} lines in it")
    return journal.read_lines(io.BytesIO(data), "the project file cannot be opened: journal.jsonl")


def write_durably(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; when this returns it is on the disk.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
