"""The drummer network: an encoder over what is heard and known, a causal decoder over steps.

Shapes: B takes, T steps. The encoder sees the whole song (dilated convolutions, not causal); the decoder goes left to
right (a gated recurrent network), so that a step costs the same wherever it stands. At every step the decoder also gets
what ``codecs.recall`` remembers, and may point at a remembered word: a pointer adds to that word's logit (after the pointer
networks of Merity et al. 2016, but multiplicative, so that references that agree add up).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 9
WORDS = 1 << CLASSES


@dataclass(frozen=True)
class DrummerConfig:
    """Sizes of the drummer network.

    Args:
        step_features, bar_features, song_features: columns of ``cues.encode``.
        styles: number of styles; style 0 is "not said".
        articulations: classes of the drummer's kit.
        asked: columns of what is asked for, controls and a tapped line; 0 for a network that takes none.
        references: references of ``codecs.recall``.
        velocity_bins: bins of the velocity distribution.
        encoder_width, kernel, dilations: the encoder's convolutions.
        width, layers: the decoder's recurrent layers.
    """

    step_features: int
    bar_features: int
    song_features: int
    styles: int
    articulations: int
    asked: int = 0
    references: int = 7
    velocity_bins: int = 16
    encoder_width: int = 128
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    width: int = 256
    layers: int = 1

    @property
    def heard(self) -> int:
        """Columns of one step's input to the encoder, style apart."""
        return self.step_features + self.bar_features + self.song_features + 2 * CLASSES + self.asked

    @property
    def played(self) -> int:
        """Columns of one step's input to the decoder, the encoder's output and reference words apart."""
        return 3 * CLASSES + self.articulations + self.references


class Listener(nn.Module):
    """The encoder: what is heard and known at each step, in its surroundings."""

    def __init__(self, config: DrummerConfig) -> None:
        super().__init__()
        width = config.encoder_width
        self.style = nn.Embedding(config.styles, width)
        self.enter = nn.Linear(config.heard, width)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, config.kernel, dilation=d, padding=d * (config.kernel - 1) // 2) for d in config.dilations)
        self.mixers = nn.ModuleList(nn.Linear(width, width) for _ in config.dilations)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in config.dilations)
        self.guess = nn.Linear(width, CLASSES)

    def forward(self, heard: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Listen.

        Args:
            heard: float [B, T, heard] in 0-1.
            style: int64 [B].

        Returns:
            float [B, T, encoder_width], and the logits of each class's hit from the band alone: float [B, T, 9].
        """
        x = functional.gelu(self.enter(heard) + self.style(style)[:, None])
        for convolution, mixer, norm in zip(self.convolutions, self.mixers, self.norms, strict=True):
            y = convolution(norm(x).transpose(1, 2)).transpose(1, 2)
            x = x + mixer(functional.gelu(y))
        return x, self.guess(x)


class Player(nn.Module):
    """The decoder: the next word of hits, how loud, and which instrument of each class."""

    bits: Tensor

    def __init__(self, config: DrummerConfig) -> None:
        super().__init__()
        self.config = config
        bits = ((torch.arange(WORDS)[:, None] >> torch.arange(CLASSES)) & 1).float()
        self.register_buffer("bits", bits, persistent=False)
        self.known_words = nn.Embedding(WORDS + 1, 32, padding_idx=WORDS)
        columns = config.encoder_width + config.played + config.references * (CLASSES + 1) + 32 * 2
        self.enter = nn.Linear(columns, config.width)
        self.recurrent = nn.GRU(config.width, config.width, config.layers, batch_first=True)
        self.leave = nn.Linear(2 * config.width, config.width)
        self.words = nn.Linear(config.width, WORDS)
        self.classes = nn.Linear(config.width, CLASSES)
        self.pointers = nn.Linear(config.width, config.references)
        self.velocities = nn.Linear(config.width, CLASSES * config.velocity_bins)
        self.articulations = nn.Linear(config.width, config.articulations)
        nn.init.normal_(self.words.weight, std=0.01)
        nn.init.zeros_(self.words.bias)
        nn.init.constant_(self.pointers.bias, 1.0)

    def forward(self, listened: Tensor, played: Tensor, recalled: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Play on.

        Args:
            listened: float [B, T, encoder_width] from the listener.
            played: float [B, T, played]: the word before as 9 bits, its velocities, the habit, the articulations in use, agreements.
            recalled: int64 [B, T, references] words pointed at, 512 where none.
            state: float [layers, B, width], zeros at the start.

        Returns:
            word logits [B, T, 512], velocity logits [B, T, 9, bins], articulation logits [B, T, articulations], the next state.
        """
        available = (recalled < WORDS).to(listened.dtype)
        safe = recalled.clamp(max=WORDS - 1)
        remembered = self.bits[safe] * available[..., None]
        embedded = self.known_words(recalled)
        likely = torch.cat([embedded[..., 0, :], embedded[..., 4:, :].mean(dim=-2)], dim=-1)
        x = torch.cat([listened, played, remembered.flatten(-2), available, likely], dim=-1)
        x = functional.gelu(self.enter(x))
        h, state = self.recurrent(x, state)
        out = functional.gelu(self.leave(torch.cat([h, x], dim=-1)))
        logits = self.words(out) + self.classes(out) @ self.bits.T
        logits = logits.scatter_add(-1, safe, self.pointers(out) * available)
        velocities = self.velocities(out).unflatten(-1, (CLASSES, self.config.velocity_bins))
        return logits, velocities, self.articulations(out), state


class Drummer(nn.Module):
    """Listener and player together, as they are trained."""

    def __init__(self, config: DrummerConfig) -> None:
        super().__init__()
        self.config = config
        self.listener = Listener(config)
        self.player = Player(config)

    def start(self, takes: int) -> Tensor:
        """The state before the first step: zeros [layers, takes, width]."""
        return torch.zeros(self.config.layers, takes, self.config.width)
