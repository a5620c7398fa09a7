"""The performer: how each stroke is played, given all strokes of the piece and how the earlier ones were played.

An encoder that sees the whole piece (residual convolutions over the strokes, in both directions) says what to expect of each
stroke; its means are what a player would do on average. The player walks from stroke to stroke: it sees what the encoder says,
how ten earlier strokes were played, raw and against their means, and slow averages of the latter (so one who drags keeps
dragging); it gives a mixture of logistic distributions of velocity and lateness together, so that the two hang together.

Sources: mixtures of logistics of Salimans et al. 2017 (PixelCNN++); the task is that of Gillick et al. 2019 (GrooVAE, whose
decoder draws nothing but the latent).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LOUDEST, QUIETEST = 2.0, (1 / 127 - 0.5) / 0.25
"""Velocities 127 and 1 in the network's units: the ends, where a distribution's tails are gathered."""
VELOCITY_BIN = 1 / 127 / 0.25
NARROWEST = (0.03, 0.05)
"""Least scale of a logistic, of velocity and of lateness."""
RATES = (1 / 4, 1 / 16, 1 / 64)
"""Of the slow averages of lateness."""
VELOCITY_RATE, DRUM_RATE = 1 / 16, 1 / 6
"""Of the slow average of velocity, and of those of each drum."""
AVERAGES = len(RATES) + 3


@dataclass(frozen=True)
class PerformerConfig:
    """Sizes.

    Args:
        features: columns of what is seen of a stroke.  families: drums.  references: earlier strokes that are seen.
        styles, drummers: names with "any" first.
        width, blocks, kernel: of the encoder; the dilation doubles from block to block.
        hidden, inner: of the player.  components: of the mixture.
        dropout: in training.
    """

    features: int
    families: int
    references: int
    styles: int
    drummers: int
    width: int = 128
    blocks: int = 5
    kernel: int = 3
    hidden: int = 96
    inner: int = 64
    components: int = 8
    dropout: float = 0.25

    @property
    def memory(self) -> int:
        """Columns of what the player sees of the past."""
        return 4 * self.references + AVERAGES


class Block(nn.Module):
    """A residual convolution over the strokes, and a layer for each stroke alone."""

    def __init__(self, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Conv1d(width, width, kernel, padding=dilation * (kernel - 1) // 2, dilation=dilation)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, valid: Tensor) -> Tensor:
        """Float [B, n, width] and float [B, n, 1], 0 behind the end."""
        y = self.mix((self.norm(x) * valid).transpose(1, 2)).transpose(1, 2)
        mixed: Tensor = x + self.dropout(self.out(functional.gelu(y)))
        return mixed


class Encoder(nn.Module):
    """What to expect of each stroke, from all of them."""

    def __init__(self, config: PerformerConfig) -> None:
        super().__init__()
        c = config
        self.style, self.drummer, self.accent = nn.Embedding(c.styles, c.width), nn.Embedding(c.drummers, c.width), nn.Embedding(4, c.width)
        self.enter = nn.Linear(c.features, c.width)
        self.deepen = nn.Linear(c.width, c.width)
        self.drop = nn.Dropout(c.dropout)
        self.blocks = nn.ModuleList(Block(c.width, c.kernel, 2**i, c.dropout) for i in range(c.blocks))
        self.norm = nn.LayerNorm(c.width)
        self.means = nn.Sequential(nn.Linear(c.width, c.inner), nn.GELU(), nn.Dropout(c.dropout), nn.Linear(c.inner, 3))
        self.lead = nn.Linear(c.width, c.hidden)
        for table in (self.style, self.drummer, self.accent):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, features: Tensor, style: Tensor, drummer: Tensor, accents: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Means and what leads the player.

        Args:
            features: float [B, n, features].  style, drummer: int64 [B, n] or [B, 1], 0 = any.
            accents: int64 [B, n], 0 = not said, then ghost, normal, accent.
            valid: float [B, n], 0 behind the end.

        Returns:
            float [B, n, 3], mean velocity, mean lateness, median lateness; float [B, n, hidden].
        """
        known = self.style(style) + self.drummer(drummer)
        x = self.enter(features) + known + self.accent(accents)
        x = x + self.drop(self.deepen(functional.gelu(x)))
        for block in self.blocks:
            x = block(x, valid[:, :, None])
        x = self.norm(x + known)
        return self.means(x), self.lead(x)


class Player(nn.Module):
    """A distribution of how a stroke is played, from what leads it and the past."""

    def __init__(self, config: PerformerConfig) -> None:
        super().__init__()
        self.recall = nn.Linear(config.memory, config.hidden, bias=False)
        self.inner = nn.Linear(config.hidden, config.inner)
        self.give = nn.Linear(config.inner, 5 * config.components)
        with torch.no_grad():  # the components begin apart, in velocity and in lateness
            apart = torch.linspace(-1, 1, config.components)
            self.give.bias[config.components : 2 * config.components] = apart
            self.give.bias[3 * config.components : 4 * config.components] = apart

    def forward(self, lead: Tensor, memory: Tensor) -> Tensor:
        """Float [.., hidden] and [.., memory] to [.., 5 components]: logits, velocity, its log-scale, lateness, its log-scale."""
        given: Tensor = self.give(torch.relu(self.inner(torch.relu(lead + self.recall(memory)))))
        return given


class PerformerNetwork(nn.Module):
    """Encoder and player."""

    def __init__(self, config: PerformerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.player = Encoder(config), Player(config)

    def forward(self, features: Tensor, style: Tensor, drummer: Tensor, accents: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """As ``Encoder.forward``."""
        means, lead = self.encoder(features, style, drummer, accents, valid)
        return means, lead


def recall(played: Tensor, means: Tensor, families: Tensor, references: Tensor) -> Tensor:
    """What the player sees of the past, for all strokes at once, given how they were played.

    Args:
        played: float [B, n, 2], velocity and lateness.  means: float [B, n, 2], the encoder's.
        families: int64 [B, n].  references: int64 [B, n, R], -1 = none.

    Returns:
        float [B, n, 4 R + AVERAGES], as ``models.performer`` makes them one by one.
    """
    batch, count, kinds = references.shape
    both = torch.cat([played, played - means], dim=-1)
    both = torch.cat([both, both.new_zeros(batch, 1, 4)], dim=1)
    index = torch.where(references < 0, count, references).reshape(batch, -1, 1).expand(-1, -1, 4)
    seen = both.gather(1, index).reshape(batch, count, kinds * 4)
    rest = played - means
    lag = torch.arange(count)[:, None] - torch.arange(count)[None] - 1
    past = [_decay(rate, lag.float()) @ rest[:, :, 1:] for rate in RATES] + [_decay(VELOCITY_RATE, lag.float()) @ rest[:, :, :1]]
    order = functional.one_hot(families).cumsum(1).gather(2, families[:, :, None])[:, :, 0]
    apart = (order[:, :, None] - order[:, None] - 1).float()
    same = (families[:, :, None] == families[:, None]) & (lag >= 0)
    return torch.cat([seen, *past, torch.where(same, _decay(DRUM_RATE, apart.clamp(min=0)), 0.0) @ rest], dim=-1)


def _decay(rate: float, lag: Tensor) -> Tensor:
    return torch.where(lag >= 0, rate * torch.exp(lag.clamp(min=0) * math.log(1 - rate)), 0.0)


def split_mixture(given: Tensor, means: Tensor) -> tuple[Tensor, ...]:
    """Log-weights, and centres and log-scales of velocity and lateness, each [.., components]; centres count from the means [.., 2]."""
    logits, loud, loud_scale, late, late_scale = given.chunk(5, dim=-1)
    scales = [s.clamp(min=math.log(n)) for s, n in zip((loud_scale, late_scale), NARROWEST, strict=True)]
    return logits.log_softmax(-1), loud + means[..., :1], scales[0], late + means[..., 1:2], scales[1]


def measure_nats(given: Tensor, means: Tensor, played: Tensor) -> tuple[Tensor, Tensor]:
    """Nats of the velocity (a probability of one of 127), and of the lateness given it (a density per unit); float [..] each."""
    weights, loud, loud_scale, late, late_scale = split_mixture(given, means)
    velocity = played[..., :1]
    bins = _log_density((velocity - loud) / loud_scale.exp(), loud_scale) + math.log(VELOCITY_BIN)
    top = -functional.softplus(-(velocity - VELOCITY_BIN / 2 - loud) / -loud_scale.exp())
    bottom = -functional.softplus(-(velocity + VELOCITY_BIN / 2 - loud) / loud_scale.exp())
    bins = torch.where(velocity > LOUDEST - VELOCITY_BIN / 2, top, torch.where(velocity < QUIETEST + VELOCITY_BIN / 2, bottom, bins))
    timing = _log_density((played[..., 1:] - late) / late_scale.exp(), late_scale)
    alone, both = (weights + bins).logsumexp(-1), (weights + bins + timing).logsumexp(-1)
    return -alone, alone - both


def _log_density(z: Tensor, log_scale: Tensor) -> Tensor:
    return -z - log_scale - 2 * functional.softplus(-z)
