"""The piano LSTM of the TensorFlow tutorial (2021), and a network of tokens that has a likelihood for every part of a note.

``NoteLstm`` reads 25 notes anew for each one and gives logits of the pitch and a number each for step and duration. ``NoteRnn``
reads step, pitch and duration one after the other, carries its state, and gives the distribution of the next token.
Shapes: B pieces, T notes or tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from backbeat.networks.neural_drummer import KerasLstm


@dataclass(frozen=True)
class NoteLstmConfig:
    """Sizes of the original's network.

    Args:
        units: of the LSTM.  pitches: that can be told apart.  length: notes that are read.
    """

    units: int = 128
    pitches: int = 128
    length: int = 25


class NoteLstm(nn.Module):
    """The original's network; 84,354 parameters."""

    def __init__(self, config: NoteLstmConfig) -> None:
        super().__init__()
        self.config = config
        self.lstm = KerasLstm(3, config.units)
        self.pitch, self.step, self.duration = (nn.Linear(config.units, n) for n in (config.pitches, 1, 1))
        for head in (self.pitch, self.step, self.duration):
            nn.init.xavier_uniform_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, notes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read a window.

        Args:
            notes: float [B, length, 3], pitch / 128, step and duration in seconds.

        Returns:
            logits of the pitch [B, pitches], step [B] and duration [B] in seconds.
        """
        last = self.lstm(notes)[0][:, -1]
        return self.pitch(last), self.step(last)[:, 0], self.duration(last)[:, 0]


@dataclass(frozen=True)
class NoteRnnConfig:
    """Sizes of the network of tokens.

    Args:
        tokens: vocabulary; one more stands for the beginning.
        embedding: columns of a token.  units: of the GRU.  dropout: behind it.
    """

    tokens: int = 256
    embedding: int = 64
    units: int = 256
    dropout: float = 0.1


class NoteRnn(nn.Module):
    """The network of tokens; its state is carried."""

    def __init__(self, config: NoteRnnConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.tokens + 1, config.embedding)
        self.gru = nn.GRU(config.embedding, config.units, batch_first=True)
        self.dropout = nn.Dropout(config.dropout)
        self.logits = nn.Linear(config.units, config.tokens)

    def start(self, batch: int) -> Tensor:
        """The state before the first token: zeros [1, B, units]."""
        return torch.zeros(1, batch, self.config.units)

    def forward(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Run over tokens.

        Args:
            tokens: int64 [B, T], the one before each that is to be told; ``tokens`` of the config = the beginning.
            state: float [1, B, units].

        Returns:
            logits [B, T, tokens], of which those of the kind that is due count, and the next state.
        """
        outputs, state = self.gru(self.embedding(tokens), state)
        return self.logits(self.dropout(outputs)), state
