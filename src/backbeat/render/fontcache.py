"""Where expanded SoundFonts are kept between runs, so that only the first one waits for the decoding."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np

from backbeat.errors import InputError, OutputError
from backbeat.files import write_bytes
from backbeat.render.soundfont import PRESET, expand_soundfont, parse_soundfont

SHIPPED = "band.sf3"
CACHE_VERSION = 1
"""Part of a cached file's name: raise it when ``expand_soundfont`` gives other bytes."""

MAX_FONT_BYTES = 1 << 30


@lru_cache(maxsize=1)
def load_soundfont(path: Path | None = None) -> bytes:
    """A SoundFont as SF2 bytes for the synthesiser.

    Args:
        path: an SF2 or SF3 file; none = the one that is shipped.

    Raises:
        InputError: the file cannot be read or is no SoundFont.
    """
    data = resources.files("backbeat.sounds").joinpath(SHIPPED).read_bytes() if path is None else _read(path)
    name = f"{hashlib.sha256(data).hexdigest()[:32]}-{CACHE_VERSION}.sf2"
    for folder in list_cache_folders():
        with contextlib.suppress(OSError):
            kept = (folder / name).read_bytes()
            if kept[:4] == b"RIFF" and len(kept) == int.from_bytes(kept[4:8], "little") + 8:
                return kept
    try:
        expanded = expand_soundfont(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if expanded is not data:
        _keep(name, expanded)
    return expanded


@lru_cache(maxsize=1)
def list_shipped_programs() -> frozenset[int]:
    """The programs (0-127) of bank 0 of the SoundFont that is shipped, stand-ins apart."""
    font = parse_soundfont(resources.files("backbeat.sounds").joinpath(SHIPPED).read_bytes())
    presets = np.frombuffer(font.tables[b"phdr"], dtype=PRESET)[:-1]
    return frozenset(presets["program"][presets["bank"] == 0].tolist())


def list_cache_folders() -> tuple[Path, ...]:
    """The folders where an expanded SoundFont may lie: the user's cache, then a private one among the temporary files."""
    user = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    with contextlib.suppress(RuntimeError):
        user = user or str(Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache"))
    private = Path(tempfile.gettempdir()) / f"backbeat-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
    folders = [Path(user) / "backbeat"] if user else []
    return (*folders, *([private] if _is_private(private) else []))


def _is_private(folder: Path) -> bool:
    """Whether nobody else could have put a file there: temporary folders are shared."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FONT_BYTES:
            raise InputError(f"{path}: larger than {MAX_FONT_BYTES >> 20} MB, too large for a SoundFont")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path}: the SoundFont cannot be read ({reason.lower()})") from None


def _keep(name: str, data: bytes) -> None:
    """Put a file into the first cache folder that takes it; a cache that cannot be written is not an error."""
    for folder in list_cache_folders():
        with contextlib.suppress(OSError, OutputError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_bytes(folder / name, data)
            return
