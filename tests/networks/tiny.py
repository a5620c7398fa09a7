"""A drummer network of a few thousand weights, with the columns of the real one."""

from __future__ import annotations

import torch

from backbeat.cues import encode, hear_nothing
from backbeat.datasets.styles import STYLES
from backbeat.grid import Grid
from backbeat.kits import load_kit
from backbeat.models.drummer_inputs import ASKED
from backbeat.networks.drummer import Drummer, DrummerConfig

SIZES = {"encoder_width": 12, "dilations": (1, 2), "width": 16, "velocity_bins": 8}


def make_network(layers: int = 1) -> Drummer:
    """A network with random weights; ``torch.manual_seed`` before."""
    torch.set_num_threads(1)  # more threads than free cores make tiny products slow
    step, bar, song = encode(hear_nothing(Grid.regular(1)))
    return Drummer(DrummerConfig(step.shape[1], bar.shape[1], song.shape[0], len(STYLES), len(load_kit("backbeat")), asked=ASKED, layers=layers, **SIZES))  # type: ignore[arg-type]
