"""Melody networks to the folder that ships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from backbeat.codecs.patterns import KIT
from backbeat.networks.melody import MelodyRnn
from backbeat.training.recurrent_export import export_recurrent
from backbeat.training.still import Still

NETWORK = "melody"


def export_melody(network: Any, folder: Path, about: Mapping[str, Any], progressions: Mapping[str, list[list[int]]]) -> None:  # noqa: ANN401 - one of the two
    """Write a checkpoint folder, of either network.

    Args:
        network: trained.
        folder: made if missing.
        about: what config.json says of recipe, data and figures.
        progressions: of ``count_progressions``.
    """
    sizes = asdict(network.config)
    config: dict[str, Any] = {"network": NETWORK, "sizes": sizes, "codec": {"name": "melodies", "kit": KIT}, "training": dict(about)}
    if isinstance(network, MelodyRnn):
        inputs = {"features": torch.rand(3, 5, network.config.features), "recalled": torch.randint(0, network.config.tokens + 1, (3, 5, 4))}
        config |= {"variant": "steps", "progressions": dict(progressions)}
        export_recurrent(Still(network), inputs, {"state": network.start(3)}, ("logits",), folder, config, write_card(True, about))
    else:
        loops = {"loops": torch.rand(3, network.config.inputs)}
        export_recurrent(Still(_Listed(network)), loops, {}, ("logits",), folder, config | {"variant": "loops"}, write_card(False, about))


class _Listed(nn.Module):
    """A network whose only output comes as a tuple, as the exporter wants it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, loops: Tensor) -> tuple[Tensor]:
        """The logits."""
        return (self.network(loops),)


def write_card(steps: bool, about: Mapping[str, Any]) -> str:
    """The card of a checkpoint folder: what it is, its data and licences, its figures and limits."""
    data, figures = about.get("data", {}), about.get("validation", {})
    lines = ["# melody: " + ("a melody on drums, step by step" if steps else "melodies on a drum loop, 496 -> 64 -> 64 x 3 -> 8192"), ""]
    lines += ["Trained by `backbeat train melody" + ("" if steps else " --config original") + "`; see docs/melody.md.", "", "## Data", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in data.items()] or ["Not said."]
    lines += [
        f"- pairs of drums and melody: {about.get('pairs', 'not said')}",
        "",
        "Songs from public collections; no file is redistributed.",
        "",
        "## Figures",
        "",
    ]
    lines += [f"- {name.replace('_', ' ')}, held out: {value:.4f}" for name, value in figures.items()] or ["Not measured."]
    limits = "One note at a time, in 16ths, learned from 4/4." if steps else "Two bars of 4/4 in 16ths, played twice; it tells no lengths."
    return "\n".join([*lines, "", "## Limits", "", limits, ""])
