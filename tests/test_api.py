"""The front door: what ``import backbeat`` offers, and that it costs next to nothing."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest

import backbeat

NAMES = {
    "BackbeatError", "Drummer", "Grid", "Groove", "InputError", "Kit", "MidiError", "ModelError", "OutputError", "Part", "Song", "SongError",
    "extract_groove", "list_kits", "load_drummer", "load_kit", "parse_song", "read_song", "write_groove", "write_song",
}  # fmt: skip
"""The public names; one that leaves or comes is a line in CHANGELOG.md."""

HEAVY = {"numpy", "onnxruntime", "torch", "click", "soundfile", "midirenderer"}


def test_the_public_names_are_pinned() -> None:
    assert set(backbeat.__all__) == NAMES
    assert backbeat.__all__ == sorted(backbeat.__all__)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_is_found_where_it_lives(name: str) -> None:
    found = getattr(backbeat, name)
    assert found.__name__ == name
    assert getattr(importlib.import_module(found.__module__), name) is found
    assert found.__doc__


def test_dir_lists_the_public_names() -> None:
    assert set(dir(backbeat)) >= NAMES


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'backbeat' has no attribute 'drum_machine'"):
        backbeat.drum_machine  # noqa: B018


def test_every_error_is_a_backbeat_error() -> None:
    errors = [getattr(backbeat, n) for n in NAMES if n.endswith("Error")]
    assert all(issubclass(e, backbeat.BackbeatError) for e in errors) and len(errors) == 6


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, json, backbeat; print(json.dumps([m for m in sys.modules if '.' not in m or m.startswith('backbeat.')]))"
    loaded = set(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout))
    assert not loaded & HEAVY
    assert {m for m in loaded if m.startswith("backbeat.")} == set()
