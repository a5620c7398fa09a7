"""A file becomes a project, whatever kind it is of."""

from __future__ import annotations

from backbeat.errors import InputError
from backbeat.studio.engine import Studio
from backbeat.studio.project import Project

ZIP = b"PK\x03\x04"


def open_file(studio: Studio, name: str, data: bytes) -> Project:
    """A new project from the bytes of a song, or of a project file.

    Args:
        studio: where it is kept.
        name: of the file; only a label.
        data: the file.

    Raises:
        InputError: the bytes are neither, or cannot be used.
        OutputError: the project cannot be written.
    """
    if not data:
        raise InputError(f"{name or 'the file'}: it is empty")
    made = studio.store.import_file(data) if data[:4] == ZIP else studio.store.create(name, data)
    return studio.open(made.id)
