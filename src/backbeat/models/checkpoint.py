"""Checkpoint folders of models that count: config.json, arrays.npz and card.md. No pickles.

``config.json`` holds the schema version, the model's name, its codec with the kit map inline, what was chosen or tuned
(``settings``), what it was fitted on (``data``, with the hash of the corpus's manifest) and its figures (``metrics``).
``arrays.npz`` holds what was learned, as numpy writes it. The drummer's folder (see ``runtime``) has ONNX weights instead.
"""

from __future__ import annotations

import json
import secrets
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from backbeat import __version__
from backbeat.codecs.words import VOCABULARY
from backbeat.errors import ModelError, OutputError
from backbeat.kits import load_kit
from backbeat.models.protocol import Arrays

SCHEMA = 1
CODEC = {"name": "words", "vocabulary": VOCABULARY, "steps_per_quarter": 4}
_CONFIG, _ARRAYS, _CARD = "config.json", "arrays.npz", "card.md"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a folder holds.

    Args:
        model: its name in the registry.
        settings, arrays: see ``protocol.Stored``.
        data: what it was fitted and tuned on.
        metrics: title -> figures.
    """

    model: str
    settings: dict[str, Any]
    arrays: Arrays
    data: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def read_config(folder: Path) -> dict[str, Any]:
    """The settings of a model folder, of this kind or the drummer's.

    Raises:
        ModelError: there are none.
    """
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: no readable config.json, so this is not a model folder") from error
    if not isinstance(config, dict):
        raise ModelError(f"{folder}: config.json holds no settings, so this is not a model folder")
    return config


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder.

    Raises:
        ModelError: it is none, is damaged, or another version wrote it.
    """
    config = read_config(folder)
    if config.get("schema") != SCHEMA or config.get("codec") != CODEC:
        raise ModelError(f"{folder}: schema {config.get('schema')} with codec {config.get('codec')!r} is not one this version can read")
    if not isinstance(config.get("model"), str) or not isinstance(config.get("settings"), dict):
        raise ModelError(f"{folder}: config.json lacks the model's name or settings: train it again")
    try:
        with (folder / _ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays: Arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise ModelError(f"{folder}: {_ARRAYS} is missing or damaged ({type(error).__name__}): train the model again") from error
    return Checkpoint(config["model"], config["settings"], arrays, config.get("data") or {}, config.get("metrics") or {})


def write_checkpoint(checkpoint: Checkpoint, folder: Path, card: str) -> None:
    """Write a folder; it appears whole or not at all, and takes the place of an older checkpoint.

    Args:
        checkpoint: what to keep.
        folder: made if missing; one that holds anything but a checkpoint is left alone.
        card: text of card.md.

    Raises:
        OutputError: the folder holds something else, or cannot be written.
    """
    check_folder(folder)
    temporary = folder.with_name(f".backbeat-{secrets.token_hex(8)}.tmp")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        config = {"schema": SCHEMA, "model": checkpoint.model, "backbeat": __version__, "codec": CODEC, "kit": load_kit("drums_rnn_9").to_dict()}
        config |= {"settings": checkpoint.settings, "data": checkpoint.data, "metrics": checkpoint.metrics}
        (temporary / _CONFIG).write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (temporary / _CARD).write_text(card, encoding="utf-8")
        with (temporary / _ARRAYS).open("wb") as file:
            np.savez(file, **checkpoint.arrays)  # type: ignore[arg-type]
        _exchange(temporary, folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_folder(folder: Path) -> None:
    """Refuse a folder that a checkpoint must not replace.

    Raises:
        OutputError: it is a file, or holds something other than a checkpoint.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: this is a file, name a folder")
    if folder.is_dir():
        held = {path.name for path in folder.iterdir()}
        if held and (not held <= {_CONFIG, _ARRAYS, _CARD} or _CONFIG not in held):
            raise OutputError(f"{folder} holds something that is not a checkpoint: name another folder")


def _exchange(new: Path, folder: Path) -> None:
    """Put a folder in its place; the old one leaves only when the new one stands."""
    if not folder.exists():
        new.rename(folder)
        return
    old = folder.with_name(f".backbeat-{secrets.token_hex(8)}.old")
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
