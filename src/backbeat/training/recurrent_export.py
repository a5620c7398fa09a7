"""A recurrent torch network to the folder that ships: network.onnx, config.json, card.md; checked against torch."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from backbeat.errors import ModelError
from backbeat.files import write_bytes
from backbeat.runtime.recurrent import RecurrentSession

TOLERANCE = 2e-4


class _Named(nn.Module):
    """A network whose forward takes and gives flat tuples, as the exporter wants them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """All inputs, then all states, in; all outputs, then all next states, out."""
        outputs: tuple[Tensor, ...] = self.network(*tensors)
        return outputs


def export_recurrent(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    states: Mapping[str, Tensor],
    outputs: tuple[str, ...],
    folder: Path,
    config: Mapping[str, Any],
    card: str,
) -> None:
    """Write a checkpoint folder and check that ONNX Runtime and torch agree.

    Args:
        network: called with the inputs [batch, steps, ...] and then the states; gives the outputs [batch, steps, ...] and then
            the next states as one tuple.
        inputs: examples with at least 2 sequences of at least 3 steps.
        states: states before the first step; the axis as long as the batch is the batch (the first such).
        outputs: names of the outputs.
        folder: made if missing.
        config: what config.json says besides: network, sizes, codec, kit, training ...
        card: text of card.md.

    Raises:
        ModelError: the exported network gives other numbers.
    """
    network = network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    batch = len(next(iter(inputs.values())))
    places = {name: list(s.shape).index(batch) for name, s in states.items()}
    axes = {n: {0: "batch", 1: "steps"} for n in (*inputs, *outputs)} | {p + n: {at: "batch"} for n, at in places.items() for p in ("", "next_")}
    temporary = folder / ".network.onnx.part"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but the only one that keeps recurrent layers whole
        torch.onnx.export(
            _Named(network),
            (*inputs.values(), *states.values()),
            str(temporary),
            dynamo=False,
            opset_version=17,
            input_names=[*inputs, *states],
            output_names=[*outputs, *(f"next_{n}" for n in states)],
            dynamic_axes=axes,
        )
    temporary.replace(folder / "network.onnx")
    shapes = {name: [-1 if axis == places[name] else size for axis, size in enumerate(s.shape)] for name, s in states.items()}
    write_bytes(folder / "config.json", (json.dumps({"schema": 1, **config, "states": shapes}, indent=1) + "\n").encode())
    write_bytes(folder / "card.md", card.encode())
    _compare(network, inputs, states, outputs, folder, str(config["network"]))


@torch.no_grad()
def _compare(network: nn.Module, inputs: Mapping[str, Tensor], states: Mapping[str, Tensor], outputs: tuple[str, ...], folder: Path, name: str) -> None:
    network.eval()  # the exporter leaves it in training mode
    session = RecurrentSession(folder, name)
    ours, after = session.run({n: t.numpy() for n, t in inputs.items()}, {n: s.numpy() for n, s in states.items()})
    reference = [t.numpy() for t in network(*inputs.values(), *states.values())]
    pairs = zip([*(ours[n] for n in outputs), *after.values()], reference, strict=True)
    worst = max(float(np.abs(a - b).max()) for a, b in pairs)
    if worst > TOLERANCE:
        raise ModelError(f"{folder}: the exported network differs from the trained one by {worst:.2g}")
