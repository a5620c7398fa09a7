"""Write files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from backbeat.errors import OutputError


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file through a temporary one beside it, so that a reader finds the old file or the new one, never a part.

    A device or pipe (``/dev/stdout``) is written directly.

    Raises:
        OutputError: the folder is missing or read-only, the path is a folder, or the disk is full. No partial file stays.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise OutputError(f"{path}: this is a folder, name a file in it")
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(path, data)
    except FileNotFoundError:
        raise OutputError(f"{path}: there is no folder {path.parent}, make it first") from None
    except PermissionError:
        raise OutputError(f"{path}: no permission to write in {path.parent}") from None
    except (OSError, ValueError) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise OutputError(f"{path}: {'no space left on the disk' if full else f'cannot be written ({error})'}") from None


def _replace(path: Path, data: bytes) -> None:
    temporary = path.parent / f".backbeat-{secrets.token_hex(8)}.tmp"
    # Not tempfile: its files are private to the user, and the result should have the permissions of any other new file.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
