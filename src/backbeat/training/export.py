"""A trained drummer to the folder that ships: ONNX weights, config.json, card.md."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from backbeat.cues import LANES
from backbeat.errors import ModelError
from backbeat.networks.drummer import CLASSES, WORDS, Drummer
from backbeat.runtime import SCHEMA, Session

TOLERANCE = 2e-4
CARD = """# A drummer for songs

Hears the band of a song per 16th and lane, remembers what it has played, and decides what is hit, how loud, and on which instrument of its kit
(24 classes, each within one of the nine of Drums RNN). Never hears the song's own drums.

## How it was made

- Network: `networks/drummer.py`, {parameters:,} parameters; sizes, kit and styles in config.json.
- Recipe: `backbeat train drummer`, {updates} updates from {begin}, seed {seed}; all its fields under `training` in config.json.
- Data: {pieces:,} pieces: multi-track songs from public MIDI collections (mostly without a stated licence, so none is redistributed)
  and the Groove MIDI Dataset (Magenta, CC BY 4.0). Near-duplicates, shifted, off-grid and one-bar songs were left out; the names of the pieces
  have sha256 {names}.

## Figures

Validation (cleaned songs, whole songs, own history and band given): {validation}.
`backbeat evaluate drummer songs:test --floors CORPUS` prints all figures beside their floors.

## Limits

Thinks in 16ths: faster rolls are not played, triplets follow the band's timing. Learned mostly from 4/4 pop and rock transcriptions, so other metres
and jazz are less sure. Loudness is simple (16 levels a class), timing is the band's. Plays fewer fills and toms than people do.
"""


class _Probabilities(nn.Module):
    """The player with log-probabilities for logits, so that every engine agrees on their scale."""

    def __init__(self, network: Drummer) -> None:
        super().__init__()
        self.player = network.player

    def forward(self, listened: Tensor, played: Tensor, recalled: Tensor, state: Tensor) -> tuple[Tensor, ...]:
        """As ``Player.forward``."""
        words, velocities, articulations, state = self.player(listened, played, recalled, state)
        return words.log_softmax(-1), velocities, articulations, state


def export_drummer(network: Drummer, folder: Path, *, kit: dict[str, Any], styles: list[str], training: dict[str, Any], card: str) -> None:
    """Write a checkpoint folder and check that ONNX Runtime and torch agree.

    Args:
        network: trained weights.
        folder: made if missing.
        kit: the drummer's kit, inline.  styles: names in the order of the embedding.
        training: recipe, data and figures, kept in config.json.
        card: text of card.md.

    Raises:
        ModelError: the exported network gives other numbers.
    """
    network = network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    c = network.config
    heard, style = torch.rand(1, 70, c.heard), torch.ones(1, dtype=torch.int64)
    axes = {n: {1: "steps"} for n in ("heard", "listened", "guess")}
    _export(network.listener, (heard, style), folder / "listener.onnx", ["heard", "style"], ["listened", "guess"], axes)
    inputs = (torch.rand(2, 3, c.encoder_width), torch.rand(2, 3, c.played), torch.randint(0, WORDS + 1, (2, 3, c.references)), network.start(2))
    names, outputs = ["listened", "played", "recalled", "state"], ["words", "velocities", "articulations", "next_state"]
    axes = {n: {0: "takes", 1: "steps"} for n in names[:3] + outputs[:3]} | {"state": {1: "takes"}, "next_state": {1: "takes"}}
    _export(_Probabilities(network), inputs, folder / "player.onnx", names, outputs, axes)
    codec = {"words": "drums_rnn_9", "classes": CLASSES, "lanes": list(LANES)}
    config = {"schema": SCHEMA, "network": "drummer", "codec": codec, "sizes": asdict(c), "kit": kit, "styles": styles, "training": training}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    (folder / "card.md").write_text(card, encoding="utf-8")
    _compare(network, folder)


def _export(module: nn.Module, inputs: tuple[Tensor, ...], path: Path, names: list[str], outputs: list[str], axes: dict[str, dict[int, str]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but the only one that keeps the recurrent layer whole
        torch.onnx.export(module, inputs, str(path), dynamo=False, opset_version=17, input_names=names, output_names=outputs, dynamic_axes=axes)


@torch.no_grad()
def _compare(network: Drummer, folder: Path) -> None:
    session, c = Session(folder), network.config
    rng = np.random.default_rng(0)
    heard = rng.random((333, c.heard), dtype=np.float32)
    listened, guess = session.listen(heard, 1)
    theirs = network.listener(torch.from_numpy(heard)[None], torch.ones(1, dtype=torch.int64))
    played, recalled = rng.random((1, 333, c.played), dtype=np.float32), rng.integers(0, WORDS + 1, (1, 333, c.references))
    ours = session.play(listened[None], played, recalled, session.start(1))
    reference = _Probabilities(network)(torch.from_numpy(listened)[None], torch.from_numpy(played), torch.from_numpy(recalled), network.start(1))
    pairs = [(listened, theirs[0][0]), (guess, theirs[1][0]), *zip(ours, reference, strict=True)]
    worst = max(float(np.abs(a - b.numpy()).max()) for a, b in pairs)
    if worst > TOLERANCE:
        raise ModelError(f"{folder}: the exported network differs from the trained one by {worst:.2g}")


def describe_run(about: Mapping[str, Any]) -> str:
    """The text of card.md.

    Args:
        about: recipe, data, updates, seed, parameters and the figures of the best validation.
    """
    data = about["data"]
    figures = ", ".join(f"{k.replace('_', ' ')} {v:.4g}" for k, v in about["validation"].items()) or "none"
    facts = {name: about[name] for name in ("parameters", "updates", "seed")}
    return CARD.format(**facts, pieces=data["pieces"], names=data["names_sha256"], begin=about.get("begin") or "random weights", validation=figures)
