"""Load and run shipped weights with ONNX Runtime; no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import ModelError

SCHEMA = 1
Array = npt.NDArray[np.float32]


def _load_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: no readable config.json, so this is not a model folder") from error
    if not isinstance(config, dict):
        raise ModelError(f"{folder}: config.json holds no settings, so this is not a model folder")
    if config.get("schema") != SCHEMA or config.get("network") != "drummer":
        raise ModelError(f"{folder}: schema {config.get('schema')} of network {config.get('network')!r} is not one this version can read")
    missing = [key for key in ("sizes", "kit", "styles") if key not in config]
    if missing:
        raise ModelError(f"{folder}: config.json lacks {', '.join(missing)}: install the model again")
    return config


class Session:
    """A drummer network ready to run; one thread, so that the same input gives the same bytes.

    Args:
        folder: a checkpoint folder with config.json, listener.onnx and player.onnx.

    Raises:
        ModelError: a file is missing or damaged, or was written by a version of Backbeat that this one cannot read.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime as ort  # slow to import: only when something is played

        self.config = _load_config(folder)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            sessions = [ort.InferenceSession(str(folder / n), options, providers=["CPUExecutionProvider"]) for n in ("listener.onnx", "player.onnx")]
        except Exception as error:  # onnxruntime raises classes of its own that share no base
            raise ModelError(f"{folder}: the weights cannot be loaded ({type(error).__name__}): install the model again") from error
        self._listener, self._player = sessions
        self.columns: int = self._listener.get_inputs()[0].shape[2]

    def start(self, takes: int) -> Array:
        """The state before the first step: float32 [layers, takes, width]."""
        sizes = self.config["sizes"]
        return np.zeros((sizes["layers"], takes, sizes["width"]), np.float32)

    def listen(self, heard: Array, style: int) -> tuple[Array, Array]:
        """Hear a whole song.

        Args:
            heard: float32 [steps, columns] in 0-1.
            style: index of a style, 0 = any.

        Returns:
            float32 [steps, encoder_width] for ``play``, and [steps, 9] logits of the hits from the band alone.
        """
        listened, guess = self._listener.run(None, {"heard": heard[None], "style": np.array([style], np.int64)})
        return listened[0], guess[0]

    def play(self, listened: Array, played: Array, recalled: npt.NDArray[np.int64], state: Array) -> tuple[Array, Array, Array, Array]:
        """Play one step or many, in one or several takes.

        Args:
            listened: float32 [takes, steps, encoder_width].  played: float32 [takes, steps, columns].
            recalled: int64 [takes, steps, 7].  state: float32 [layers, takes, width].

        Returns:
            log p of words [takes, steps, 512], velocity logits [.., 9, bins], articulation logits [.., articulations], next state.
        """
        feed = {"listened": listened, "played": played, "recalled": recalled, "state": state}
        words, velocities, articulations, state = self._player.run(None, feed)
        return words, velocities, articulations, state
