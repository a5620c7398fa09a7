"""Run a recurrent network with ONNX Runtime, step by step or whole: its state is carried, no window is read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import ModelError

Array = npt.NDArray[Any]
Arrays = dict[str, Array]


class RecurrentSession:
    """A recurrent network ready to run, on one thread, so that the same input gives the same bytes.

    Args:
        folder: a checkpoint folder with ``config.json`` (schema, network, states) and ``network.onnx``.
        network: the network it must hold.

    Raises:
        ModelError: a file is missing or damaged, or holds another network.
    """

    def __init__(self, folder: Path, network: str) -> None:
        import onnxruntime as ort  # slow to import: only when something is played

        try:
            self.config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder}: no readable config.json, so this is not a model folder") from error
        if self.config.get("network") != network or self.config.get("schema") != 1:
            raise ModelError(f"{folder} holds schema {self.config.get('schema')} of {self.config.get('network')!r}, not a {network} that this version can read")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(folder / "network.onnx"), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises classes of its own that share no base
            raise ModelError(f"{folder}: the weights cannot be loaded ({type(error).__name__}): install or train the model again") from error
        self._outputs = [o.name for o in self._session.get_outputs()]

    def start(self, batch: int = 1) -> Arrays:
        """The state before the first step: zeros, shaped as ``config["states"]`` says (-1 is the batch)."""
        shapes: dict[str, list[int]] = self.config["states"]
        return {name: np.zeros([batch if n == -1 else n for n in shape], np.float32) for name, shape in shapes.items()}

    def run(self, inputs: Arrays, state: Arrays) -> tuple[Arrays, Arrays]:
        """Run one step or many.

        Args:
            inputs: name -> [batch, steps, ...], as the network was exported.
            state: of ``start``, or what the call before gave.

        Returns:
            outputs by name, and the state behind the last step.
        """
        results = dict(zip(self._outputs, self._session.run(None, inputs | state), strict=True))
        return {n: a for n, a in results.items() if not n.startswith("next_")}, {n: results[f"next_{n}"] for n in state}
