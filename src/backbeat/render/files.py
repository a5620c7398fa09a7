"""Files that are either complete or not there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from backbeat.errors import OutputError

Buffer = bytes | memoryview


def write_atomically(path: str | Path, pieces: Iterable[Buffer]) -> None:
    """Write a file under another name beside its place, then move it there; a failure leaves nothing behind.

    Raises:
        OutputError: the folder is missing, not writable or full, or the path names a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder, give the name of a file")
    name = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
        os.chmod(name, 0o666 & ~_read_umask())
        os.replace(name, path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputError(f"{path}: cannot be written ({reason.lower()})") from None
    finally:
        if name is not None:
            with contextlib.suppress(OSError):
                os.unlink(name)


def _read_umask() -> int:
    """The permissions that new files are not given; mkstemp grants fewer than a plain ``open`` would."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
