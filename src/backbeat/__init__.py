"""Backbeat: give it a song, get a drummer.

Example:
    >>> import backbeat
    >>> song = backbeat.read_song("song.mid")  # doctest: +SKIP
    >>> groove = backbeat.load_drummer().accompany(song)  # doctest: +SKIP
    >>> backbeat.write_song(song, groove, "song with drums.mid")  # doctest: +SKIP
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backbeat.drummer import Drummer, load_drummer
    from backbeat.errors import BackbeatError, InputError, MidiError, ModelError, OutputError, SongError
    from backbeat.grid import Grid
    from backbeat.groove import Groove
    from backbeat.kits import Kit, list_kits, load_kit
    from backbeat.midi import extract_groove, parse_song, read_song, write_groove, write_song
    from backbeat.song import Part, Song

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
"""Some builds of ONNX Runtime report to their maker from when they are imported on: here nothing leaves the machine."""

__version__ = "0.1.0"

_HOME = {
    "Drummer": "drummer", "load_drummer": "drummer",
    "BackbeatError": "errors", "InputError": "errors", "MidiError": "errors", "ModelError": "errors", "OutputError": "errors", "SongError": "errors",
    "Grid": "grid", "Groove": "groove", "Kit": "kits", "list_kits": "kits", "load_kit": "kits",
    "extract_groove": "midi", "parse_song": "midi", "read_song": "midi", "write_groove": "midi", "write_song": "midi",
    "Part": "song", "Song": "song",
}  # fmt: skip

__all__ = [
    "BackbeatError", "Drummer", "Grid", "Groove", "InputError", "Kit", "MidiError", "ModelError", "OutputError", "Part", "Song", "SongError",
    "extract_groove", "list_kits", "load_drummer", "load_kit", "parse_song", "read_song", "write_groove", "write_song",
]  # fmt: skip


def __getattr__(name: str) -> Any:  # noqa: ANN401 - each public name has its own type
    """Load a public name where it lives, on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'backbeat' has no attribute {name!r}")
    return getattr(import_module(f"backbeat.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
