"""The journal of a project on disk: one line of JSON after another, each on the disk before anything is answered."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from backbeat.errors import InputError, OutputError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

MAX_LINE, MAX_JOURNAL = 16 << 20, 512 << 20
"""Bytes of a line and of a journal; a take of half an hour is a tenth of such a line."""


class MovedError(Exception):
    """Somebody else has written to the journal, or taken it away."""


def write_line(line: object) -> bytes:
    """A line of the journal, with its end."""
    return json.dumps(line, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode() + b"\n"


def read_line(data: bytes) -> object:
    """The inverse of ``write_line``.

    Raises:
        InputError: it is no JSON, or too long.
    """
    if len(data) > MAX_LINE:
        raise InputError(f"it has more than {MAX_LINE >> 20} MB")
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InputError("it is no JSON") from None


def _refuse(name: str) -> None:
    raise ValueError(name)


def read_lines(file: IO[bytes], name: str) -> Iterator[tuple[int, object, int]]:
    """Number, content and the place behind of each whole line of a journal.

    A last line that has no end, or is damaged, was never answered: the server was killed while it was written. It is left out.

    Args:
        file: opened for reading.
        name: for messages.

    Raises:
        InputError: another line is damaged.
    """
    place, failed = 0, ""
    for number, data in enumerate(iter(lambda: file.readline(MAX_LINE + 2), b""), 1):
        if failed:
            raise InputError(f"{name}, line {number - 1}: {failed}")
        place += len(data)
        if place > MAX_JOURNAL:
            raise InputError(f"{name} has more than {MAX_JOURNAL >> 20} MB")
        if not data.endswith(b"\n") and len(data) <= MAX_LINE:
            return
        try:
            content = read_line(data)
        except InputError as error:
            failed = str(error)
            continue
        yield number, content, place


def append(path: Path, lines: Sequence[bytes], expected: int) -> int:
    """Write lines behind a journal, on the disk when this returns.

    Args:
        path: the journal.
        lines: see ``write_line``.
        expected: where it ended when it was read or written last; what is torn behind that is cut off.

    Returns:
        where it ends now.

    Raises:
        MovedError: it has whole lines behind that place, or is gone.
        OutputError: it cannot be written; nothing was.
    """
    data = b"".join(lines)
    try:
        with path.open("r+b") as file:
            _lock(file)
            _check_end(file, expected)
            return _write(file, data, expected)
    except FileNotFoundError:
        raise MovedError from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise OutputError(f"{path}: {'no space left on the disk' if full else f'cannot be written ({error})'}") from None


def _lock(file: IO[bytes]) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX)


def _check_end(file: IO[bytes], expected: int) -> None:
    size = file.seek(0, os.SEEK_END)
    if size < expected:
        raise MovedError
    file.seek(expected)
    line = file.read(size - expected).partition(b"\n")
    with contextlib.suppress(InputError):
        if line[1]:
            read_line(line[0])
            raise MovedError


def _write(file: IO[bytes], data: bytes, at: int) -> int:
    try:
        file.seek(at)
        file.truncate()
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            file.truncate(at)
        raise
    return at + len(data)
