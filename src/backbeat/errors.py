"""The exceptions of Backbeat, one small tree.

    BackbeatError                 everything below; its text is one line: what, where, what to do
    ├── InputError                something the user gave cannot be used
    │   ├── MidiError             the bytes are not a MIDI file that can be read
    │   └── SongError             a readable file, but not a song that can be accompanied
    ├── OutputError               a result cannot be written where it was asked for
    ├── ModelError                a checkpoint folder is missing, damaged or does not fit
    └── MissingExtraError         an optional package is not installed; names the install line

A command prints the text of any of them on stderr and exits with 1. A bug stays a traceback.
"""

from __future__ import annotations


class BackbeatError(Exception):
    """Base of every error that Backbeat raises on purpose."""


class InputError(BackbeatError):
    """Something the user gave (a path, an option, a file) cannot be used."""


class MidiError(InputError):
    """The bytes are not a Standard MIDI File that can be read."""


class SongError(InputError):
    """The file was read, but it is not a song that can be accompanied."""


class OutputError(BackbeatError):
    """A result cannot be written where it was asked for."""


class ModelError(BackbeatError):
    """A checkpoint folder is missing, damaged, or does not fit its codec."""


class MissingExtraError(BackbeatError):
    """An optional package is not installed.

    Args:
        package: the package that could not be imported.
        extra: the extra of Backbeat that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"this needs {package}, which is not installed: pip install 'backbeat[{extra}]'")
