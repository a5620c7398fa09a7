"""Sources from a folder tree of MIDI files, or from one file.

Every file whose name ends in .mid, .midi, .kar, .rmi or .smf (in any case) is a source; others are not. Names are paths
below the folder, in order of their parts. Links to files are followed, links to folders are not: they may lead in circles.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from backbeat.datasets.source import Source
from backbeat.errors import InputError

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".smf")


def is_midi(name: str) -> bool:
    """Whether a file is MIDI by its name."""
    return name.lower().endswith(MIDI_SUFFIXES)


def clean_name(name: str) -> str:
    """A name that can be written as UTF-8: bytes of a file name that are no text are written as backslash escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def find_folder(data: Path, *names: str) -> Path | None:
    """The first of some folders that exists below ``data``."""
    return next((data / name for name in names if (data / name).is_dir()), None)


def list_files(folder: Path, suffixes: tuple[str, ...] = MIDI_SUFFIXES) -> Iterator[tuple[str, str]]:
    """Path, and name below ``folder``, of the files that end in one of ``suffixes``, in order of the names' parts.

    Raises:
        InputError: a folder cannot be listed.
    """
    waiting = [(str(folder), "")]
    while waiting:
        path, name = waiting.pop()
        if name and not name.endswith("/"):
            yield path, name
        else:
            waiting += _list_entries(path, name, suffixes)


def _list_entries(path: str, name: str, suffixes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Folders (their names end in "/") and wanted files of a folder, the last one first."""
    try:
        with os.scandir(path) as entries:
            found = [(e.path, e.name, e.is_dir(follow_symlinks=False)) for e in entries]
    except OSError as error:
        raise InputError(f"{path}: cannot be listed ({error.strerror or error})") from None
    found.sort(key=lambda entry: entry[1], reverse=True)
    return [(p, f"{name}{n}/" if is_folder else f"{name}{n}") for p, n, is_folder in found if is_folder or n.lower().endswith(suffixes)]


def list_folder(folder: Path) -> Iterator[Source]:
    """The MIDI files of a folder tree.

    Raises:
        InputError: a folder cannot be listed.
    """
    for path, name in list_files(folder):
        yield Source(path, clean_name(name), band=None)


def list_file(path: Path) -> Iterator[Source]:
    """A MIDI file as the only source."""
    yield Source(str(path), clean_name(path.name), band=None)
