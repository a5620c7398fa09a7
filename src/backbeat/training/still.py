"""A network that stays in evaluation mode while it is exported."""

from __future__ import annotations

from torch import Tensor, nn


class Still(nn.Module):
    """Holds a network in evaluation mode: the exporter leaves modules in training, where dropout and batch normalisation change them.

    Args:
        network: what is exported.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.eval()

    def train(self, mode: bool = True) -> Still:
        """Stay."""
        return self

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """What the network gives."""
        outputs: tuple[Tensor, ...] = self.network(*tensors)
        return outputs
