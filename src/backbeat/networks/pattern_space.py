"""Autoencoders of drum patterns: the three of the paper, and a larger one that keeps its patterns.

Tikhonov, Yamshchikov (arXiv 2007.06284): an encoder 448 > 64 > 32 > 4, a decoder that mirrors it, ReLU between, a sigmoid at the end; as a
plain autoencoder (AE), a variational one (VAE; Kingma, Welling, arXiv 1312.6114) and an adversarially constrained one (ACAI; Berthelot,
Raffel, Roy, Goodfellow, arXiv 1807.07543), whose critic guesses from a decoded mixture of two latent points how it was mixed.
Shapes: B patterns, each flat, [B, steps x 14], step after step; all decoders give logits of hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

KINDS = ("ae", "vae", "acai")


@dataclass(frozen=True)
class PatternSpaceConfig:
    """Sizes of an autoencoder.

    Args:
        kind: "ae", "vae" or "acai".
        steps, classes: of a pattern.
        hidden: units of the encoder's layers; the decoder has them in the other order.
        latent: dimensions of the latent space.
        direct: a linear path beside the layers, both in the encoder and in the decoder; see ``PatternSpace.set_axes``.
    """

    kind: str = "vae"
    steps: int = 32
    classes: int = 14
    hidden: tuple[int, ...] = (64, 32)
    latent: int = 4
    direct: bool = False

    @property
    def flat(self) -> int:
        """Cells of a pattern."""
        return self.steps * self.classes


def _stack(sizes: Sequence[int]) -> list[nn.Module]:
    """Linear layers with ReLU behind each."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers


class Critic(nn.Module):
    """ACAI's critic: layers like the encoder's; gives a number a pattern, its guess of how much of the other pattern is mixed in."""

    def __init__(self, config: PatternSpaceConfig) -> None:
        super().__init__()
        sizes = (config.flat, *config.hidden)
        self.layers = nn.Sequential(*_stack(sizes), nn.Linear(sizes[-1], config.latent))

    def forward(self, patterns: Tensor) -> Tensor:
        """Float [B]; the mean over the last layer, as in the original."""
        guess: Tensor = self.layers(patterns).mean(dim=-1)
        return guess


class PatternSpace(nn.Module):
    """An autoencoder of patterns.

    Args:
        config: its sizes.
    """

    def __init__(self, config: PatternSpaceConfig) -> None:
        super().__init__()
        self.config = config
        sizes = (config.flat, *config.hidden)
        self.encoder = nn.Sequential(*_stack(sizes), nn.Linear(sizes[-1], config.latent * (2 if config.kind == "vae" else 1)))
        self.decoder = nn.Sequential(*_stack((config.latent, *config.hidden[::-1])), nn.Linear(config.hidden[0], config.flat))
        self.critic = Critic(config) if config.kind == "acai" else None
        self.into = nn.Linear(config.flat, config.latent) if config.direct else None
        self.out_of = nn.Linear(config.latent, config.flat) if config.direct else None

    @torch.no_grad()
    def set_axes(self, mean: Tensor, axes: Tensor, deviations: Tensor, sharpness: float = 6.0) -> None:
        """Let the linear paths begin as principal component analysis, so that the layers learn only what is not linear.

        Args:
            mean: [cells] of the data.
            axes: [latent, cells], orthonormal.
            deviations: [latent] of the data along the axes; latent points begin with deviation 1.
            sharpness: logits for a hit that the components give as 1 rather than 0.

        Raises:
            ValueError: the network has no linear paths.
        """
        if self.into is None or self.out_of is None:
            raise ValueError("this network has no linear paths")
        self.into.weight.copy_(axes / deviations[:, None])
        self.into.bias.copy_(-(axes @ mean) / deviations)
        self.out_of.weight.copy_(sharpness * (axes * deviations[:, None]).T)
        self.out_of.bias.copy_(sharpness * (mean - 0.5))
        for last in (self.encoder[-1], self.decoder[-1]):
            if isinstance(last, nn.Linear):
                last.weight.mul_(0.1)
                last.bias.zero_()
        if self.config.kind == "vae" and isinstance(self.encoder[-1], nn.Linear):
            self.encoder[-1].bias[self.config.latent :] = -2.0

    def encode(self, patterns: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log standard deviation of the latent points, each [B, latent]; the latter very small where the model has none."""
        code = self.encoder(patterns)
        if self.into is not None:
            direct = self.into(patterns)
            code = code + (direct if self.config.kind != "vae" else torch.cat([direct, torch.zeros_like(direct)], dim=-1))
        if self.config.kind != "vae":
            return code, torch.full_like(code, -20.0)
        mean, deviation = code.chunk(2, dim=-1)
        return mean, deviation.clamp(-8.0, 4.0)

    def decode(self, latents: Tensor) -> Tensor:
        """Logits [B, steps x 14] of the hits."""
        logits: Tensor = self.decoder(latents)
        return logits if self.out_of is None else logits + self.out_of(latents)

    def forward(self, patterns: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mean and log deviation of the latent points, and logits of what is decoded from the means."""
        mean, deviation = self.encode(patterns)
        return mean, deviation, self.decode(mean)
