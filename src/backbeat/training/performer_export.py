"""A trained performer to the folder that ships: network.onnx, weights.safetensors, config.json, card.md; checked against torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from backbeat.errors import ModelError
from backbeat.models.performer import NETWORK, WEIGHTS, PerformerNet, describe_inputs
from backbeat.networks.performer import PerformerNetwork, measure_nats, recall
from backbeat.training.checkpoints import save_tensors
from backbeat.training.recurrent_export import TOLERANCE, export_recurrent

CARD = """# The performer: how hits are played

Hits of drums in, velocity and microtiming of each out: a distribution, drawn stroke by stroke, or its mean. See docs/performer.md.

## How it was made

- Network: `networks/performer.py`, {parameters:,} parameters; sizes in config.json. `network.onnx` is the encoder, `weights.safetensors` the whole network.
- Recipe: `backbeat train performer groove_midi`, {updates} updates, seed {seed}; all its fields under `training` in config.json.
- Data: the official train split of the Groove MIDI Dataset (Magenta, CC BY 4.0; ten drummers on an electronic kit): {pieces} takes, read on 16ths, as notated,
  with nine classes of drums, and with some drums taken away. The best weights were chosen on its validation split.

## Figures

Held out (validation split): {figures}.
`python benchmarks/performer_figures.py` prints those of the test split beside their floors.

## Limits

Ten drummers on one kind of electronic kit: loudness is that of its pads, and claps, congas and shakers play in the manner of the
nearest drum of that kit. People wander against the click; so does it. Mostly 4/4; other metres are played by what they share with it.
It hears no band.
"""


class _Still(nn.Module):
    """The encoder of whole pieces, nothing padded; stays in evaluation mode."""

    def __init__(self, network: PerformerNetwork) -> None:
        super().__init__()
        self.encoder = network.encoder.eval()

    def train(self, mode: bool = True) -> _Still:
        """Stay."""
        return self

    def forward(self, features: Tensor, style: Tensor, drummer: Tensor, accents: Tensor) -> tuple[Tensor, Tensor]:
        """As ``Encoder.forward``."""
        means, lead = self.encoder(features, style, drummer, accents, torch.ones_like(style, dtype=features.dtype))
        return means, lead


def export_performer(network: PerformerNetwork, folder: Path, styles: Sequence[str], drummers: Sequence[str], about: Mapping[str, Any]) -> None:
    """Write a checkpoint folder and check that it plays as torch does.

    Args:
        network: trained.
        folder: made if missing.
        styles, drummers: names in the order of the embeddings, "any" first.
        about: what config.json says of recipe, data and figures.

    Raises:
        ModelError: the exported network gives other numbers.
    """
    network = network.eval()
    c = network.config
    inputs = {
        "features": torch.rand(2, 7, c.features),
        "style": torch.zeros(2, 7, dtype=torch.int64),
        "drummer": torch.zeros(2, 7, dtype=torch.int64),
        "accents": torch.randint(0, 4, (2, 7)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(dict(network.state_dict()), folder / WEIGHTS)
    config = {"network": NETWORK, "inputs": describe_inputs(), "sizes": asdict(c), "styles": list(styles), "drummers": list(drummers), "training": dict(about)}
    export_recurrent(_Still(network), inputs, {}, ("means", "lead"), folder, config, _write_card(network, about))
    _compare(network, folder)


def _write_card(network: PerformerNetwork, about: Mapping[str, Any]) -> str:
    recipe, data = about.get("recipe", {}), about.get("data", {})
    figures = ", ".join(f"{k.replace('_', ' ')} {v:.4g}" for k, v in about.get("validation", {}).items()) or "not measured"
    facts = {"updates": about.get("updates", "?"), "seed": recipe.get("seed", "?"), "pieces": data.get("pieces", "?"), "figures": figures}
    return CARD.format(parameters=sum(p.numel() for p in network.parameters()), **facts)


@torch.no_grad()
def _compare(network: PerformerNetwork, folder: Path) -> None:
    """The walk of the player in numpy against that of torch, on strokes made up."""
    from backbeat.models.performer import Told
    from backbeat.models.performer_inputs import FAMILIES, REFERENCES, Seen

    network.eval()
    rng, count = np.random.default_rng(0), 50
    references = np.minimum(rng.integers(-1, 50, (count, len(REFERENCES))), np.arange(count)[:, None] - 1)
    seen = Seen(rng.random((count, network.config.features), dtype=np.float32), rng.integers(0, len(FAMILIES), count), references)
    played, accents = rng.normal(size=(count, 2)).astype(np.float32), rng.integers(0, 4, count)
    net = PerformerNet(folder)
    ours = net.measure(seen, net.expect(seen, Told(0, 0, accents)), played)
    zero, tensors = torch.zeros(1, 1, dtype=torch.int64), [torch.from_numpy(a)[None] for a in (seen.features, accents, played, seen.families, references)]
    means, lead = network(tensors[0], zero, zero, tensors[1], torch.ones(1, count))
    given = network.player(lead, recall(tensors[2], means[..., :2], tensors[3], tensors[4]))
    nats = torch.stack(measure_nats(given, means[..., :2], tensors[2]), dim=-1)[0].numpy()
    theirs = -nats / np.log(2) - np.array([0, np.log2(20.0)])
    if not (worst := float(np.abs(ours - theirs).max())) < 10 * TOLERANCE:
        raise ModelError(f"{folder}: the player in numpy differs from the trained one by {worst:.2g} bits")
