"""Checkpoint folders that can be run, and those that cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.errors import ModelError
from backbeat.runtime import SCHEMA, Session


@pytest.fixture
def folder(drummer_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(drummer_folder, tmp_path / "drummer"))


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere: no readable config.json"):
        Session(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", '"drummer"', "{}"])
def test_a_damaged_config_is_refused(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="not a model folder|not one this version can read"):
        Session(folder)


def test_a_config_that_is_not_text_is_refused(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="no readable config.json"):
        Session(folder)


@pytest.mark.parametrize("values", [{"schema": SCHEMA + 1}, {"network": "pianist"}])
def test_another_schema_or_network_is_refused(folder: Path, values: dict[str, Any]) -> None:
    change_config(folder, **values)
    with pytest.raises(ModelError, match="is not one this version can read"):
        Session(folder)


@pytest.mark.parametrize("key", ["sizes", "kit", "styles"])
def test_a_config_that_lacks_something_is_refused(folder: Path, key: str) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    del config[key]
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match=f"config.json lacks {key}"):
        Session(folder)


@pytest.mark.parametrize("name", ["listener.onnx", "player.onnx"])
def test_missing_weights_are_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match="weights cannot be loaded .*install the model again"):
        Session(folder)


@pytest.mark.parametrize("name", ["listener.onnx", "player.onnx"])
def test_cut_weights_are_refused(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="weights cannot be loaded"):
        Session(folder)


def test_an_error_is_one_line(folder: Path) -> None:
    (folder / "player.onnx").write_bytes(b"")
    with pytest.raises(ModelError) as caught:
        Session(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


def test_a_session_listens_and_plays(drummer_folder: Path) -> None:
    session = Session(drummer_folder)
    sizes = session.config["sizes"]
    assert session.columns == sizes["step_features"] + sizes["bar_features"] + sizes["song_features"] + 18 + sizes.get("asked", 0)
    listened, guess = session.listen(np.zeros((50, session.columns), np.float32), 0)
    assert (listened.shape, guess.shape) == ((50, sizes["encoder_width"]), (50, 9))
    played = np.zeros((3, 1, 27 + sizes["articulations"] + sizes["references"]), np.float32)
    here = np.repeat(listened[None, :1], 3, axis=0)
    words, velocities, articulations, state = session.play(here, played, np.full((3, 1, 7), 512), session.start(3))
    assert words.shape == (3, 1, 512)
    assert np.exp(words.astype(np.float64)).sum(axis=-1) == pytest.approx(1, abs=1e-4), "log-probabilities"
    assert velocities.shape == (3, 1, 9, sizes["velocity_bins"])
    assert articulations.shape == (3, 1, sizes["articulations"])
    assert state.shape == session.start(3).shape and state.any()


def test_the_same_input_gives_the_same_bytes(drummer_folder: Path) -> None:
    heard = np.random.default_rng(0).random((100, Session(drummer_folder).columns), dtype=np.float32)
    one, two = Session(drummer_folder).listen(heard, 1), Session(drummer_folder).listen(heard, 1)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(one, two, strict=True))
