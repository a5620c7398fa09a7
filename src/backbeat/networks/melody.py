"""Networks of melodies on drums: the paper's (Tikhonov and Yamshchikov, arXiv 2007.06284, figure 5), and one that plays step by step.

Shapes: B loops or takes, T steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from backbeat.codecs.melodies import INPUTS, PITCHES, TICKS, TOKENS
from backbeat.codecs.melody_features import FEATURES, RECALLED


@dataclass(frozen=True)
class LoopMlpConfig:
    """Sizes of the paper's network.

    Args:
        inputs: of a loop.  hidden: units of each layer.  layers: hidden to hidden.  outputs: ticks times pitches.
    """

    inputs: int = INPUTS
    hidden: int = 64
    layers: int = 3
    outputs: int = TICKS * PITCHES


class LoopMlp(nn.Module):
    """496 -> 64 -> 64 x 3 -> 8192; 576,768 parameters."""

    def __init__(self, config: LoopMlpConfig) -> None:
        super().__init__()
        self.config = config
        sizes = [config.inputs] + [config.hidden] * (1 + config.layers)
        layers: list[nn.Module] = []
        for size, following in pairwise(sizes):
            layers += [nn.Linear(size, following), nn.ReLU()]
        self.hidden = nn.Sequential(*layers)
        self.outputs = nn.Linear(config.hidden, config.outputs)

    def forward(self, loops: Tensor) -> Tensor:
        """Logits [B, 8192], of which the sigmoid is the probability that a pitch begins at a tick.

        Args:
            loops: float [B, 496].
        """
        logits: Tensor = self.outputs(self.hidden(loops))
        return logits


@dataclass(frozen=True)
class MelodyRnnConfig:
    """Sizes of the network that plays step by step.

    Args:
        features: of a step.  tokens: that can be told.  embedding: columns of a token that is seen.  units: of the GRU.  dropout: behind it.
    """

    features: int = FEATURES
    tokens: int = TOKENS
    embedding: int = 24
    units: int = 256
    dropout: float = 0.2


class MelodyRnn(nn.Module):
    """A GRU over steps; its state is carried."""

    def __init__(self, config: MelodyRnnConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.tokens + 1, config.embedding)
        self.inputs = nn.Linear(config.features + RECALLED * config.embedding, config.units)
        self.gru = nn.GRU(config.units, config.units, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.logits = nn.Linear(2 * config.units, config.tokens)

    def start(self, batch: int) -> Tensor:
        """The state before the first step: zeros [1, B, units]."""
        return torch.zeros(1, batch, self.config.units)

    def forward(self, features: Tensor, recalled: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Run over steps.

        Args:
            features: float [B, T, features], see ``codecs.melody_features``.
            recalled: int64 [B, T, 4], tokens that are seen at each step; ``tokens`` of the config = none.
            state: float [1, B, units].

        Returns:
            logits [B, T, tokens] of what stands at each step, and the next state.
        """
        seen = self.embedding(recalled).flatten(2)
        inputs = torch.relu(self.inputs(torch.cat([features, seen], dim=-1)))
        outputs, state = self.gru(inputs, state)
        return self.logits(self.dropout(torch.cat([outputs, inputs], dim=-1))), state
