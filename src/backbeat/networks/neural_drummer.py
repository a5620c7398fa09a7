"""NeuralDrummer (bdshrk 2023): the original's network, and one that goes step by step and knows what it is likely to play.

``NeuralDrummer`` reads eight half-beats anew for each one that it gives: three LSTM layers, the last output through linear
layers with dropout and batch normalisation, a sigmoid a class. ``StepDrummer`` carries its state and gives the distribution
of the next word, which may be one that it remembers: a pointer adds to that word's logit. Shapes: B pieces, T steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class NeuralDrummerConfig:
    """Sizes of the original's network.

    Args:
        classes: of the kit; the input has one column more, the intensity.
        window: half-beats that are read.
        units: of each of the three LSTM layers.
        dense: of the two linear layers.
        dropout: share of outputs left out.
    """

    classes: int = 6
    window: int = 8
    units: int = 512
    dense: tuple[int, int] = (256, 128)
    dropout: float = 0.3


class KerasLstm(nn.LSTM):
    """An LSTM layer as Keras has it: one bias, 1 at the forget gate; Glorot's uniform weights, orthogonal recurrent ones."""

    def __init__(self, columns: int, units: int) -> None:
        super().__init__(columns, units, batch_first=True)
        kernel, recurrent, bias, second = self.all_weights[0]
        nn.init.xavier_uniform_(kernel)
        for gate in range(4):
            nn.init.orthogonal_(recurrent.data[gate * units : (gate + 1) * units])
        nn.init.zeros_(bias)
        nn.init.ones_(bias.data[units : 2 * units])
        second.requires_grad_(False).zero_()


def count_parameters(network: nn.Module) -> int:
    """Parameters as Keras counts them: those that are trained, and the running means and variances."""
    running = sum(b.numel() for n, b in network.named_buffers() if n.rpartition(".")[2] in ("running_mean", "running_var"))
    return running + sum(p.numel() for p in network.parameters() if p.requires_grad)


class NeuralDrummer(nn.Module):
    """The original's network: float [B, window, classes + 1] to logits [B, classes] of the next half-beat."""

    def __init__(self, config: NeuralDrummerConfig) -> None:
        super().__init__()
        self.config = config
        columns = [config.classes + 1, config.units, config.units]
        self.layers = nn.ModuleList(KerasLstm(n, config.units) for n in columns)
        first, second = config.dense
        parts: list[nn.Module] = [nn.Dropout(config.dropout), nn.BatchNorm1d(config.units, eps=1e-3, momentum=0.01)]
        parts += [nn.Linear(config.units, first), nn.Dropout(config.dropout), nn.Linear(first, second), nn.Dropout(config.dropout)]
        parts += [nn.BatchNorm1d(second, eps=1e-3, momentum=0.01), nn.Linear(second, config.classes)]
        self.head = nn.Sequential(*parts)
        for part in self.head:
            if isinstance(part, nn.Linear):
                nn.init.xavier_uniform_(part.weight)
                nn.init.zeros_(part.bias)

    def forward(self, windows: Tensor) -> tuple[Tensor, ...]:
        """Logits [B, classes], in a tuple as all networks that are exported give it."""
        outputs = windows
        for layer in self.layers:
            outputs = layer(outputs)[0]
        return (self.head(outputs[:, -1]),)


@dataclass(frozen=True)
class StepDrummerConfig:
    """Sizes of the corrected network.

    Args:
        band, past: columns of what is heard and of what is remembered.
        references: words that may be pointed at.
        units: of each layer.  layers: number of GRU layers.
        words: vocabulary.
        dropout: between and behind the layers.
    """

    band: int
    past: int
    references: int = 7
    units: int = 224
    layers: int = 2
    words: int = 512
    dropout: float = 0.1


class StepDrummer(nn.Module):
    """The corrected network: one step after the other, with a state."""

    def __init__(self, config: StepDrummerConfig) -> None:
        super().__init__()
        self.config = config
        self.gru = nn.GRU(config.band + config.past, config.units, config.layers, batch_first=True, dropout=config.dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.logits = nn.Linear(config.units, config.words)
        self.pointers = nn.Linear(config.units, config.references)

    def start(self, batch: int) -> Tensor:
        """The state before the first step: zeros [layers, B, units]."""
        return torch.zeros(self.config.layers, batch, self.config.units)

    def forward(self, band: Tensor, past: Tensor, remembered: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Run over steps.

        Args:
            band: float [B, T, band].  past: float [B, T, past].
            remembered: int64 [B, T, references], words that may be pointed at, ``words`` = none.
            state: float [layers, B, units].

        Returns:
            log p of the words [B, T, words], and the next state.
        """
        outputs, state = self.gru(torch.cat([band, past], dim=-1), state)
        outputs = self.dropout(outputs)
        logits = torch.nn.functional.pad(self.logits(outputs), (0, 1))
        logits = logits.scatter_add(2, remembered, self.pointers(outputs))[..., :-1]
        return torch.log_softmax(logits, dim=-1), state
