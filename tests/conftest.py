"""Fixtures that more than one test file needs: a network small enough to be made in every session."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from backbeat.datasets.styles import STYLES
from backbeat.kits import load_kit


@pytest.fixture(scope="session")
def shipped_folder() -> Path:
    """The drummer that ships with Backbeat."""
    folder = Path(str(resources.files("backbeat"))) / "weights" / "drummer"
    if not (folder / "config.json").is_file():
        pytest.skip("this checkout has no shipped weights (src/backbeat/weights/drummer)")
    return folder


@pytest.fixture(scope="session")
def drummer_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A tiny drummer with random weights, exported; without torch the one that ships."""
    try:
        import torch
    except ImportError:
        return Path(request.getfixturevalue("shipped_folder"))
    from backbeat.training.export import export_drummer
    from tests.networks.tiny import make_network

    torch.manual_seed(3)
    network = make_network()
    with torch.no_grad():  # a drummer that plays a hit now and then, differently from place to place
        network.player.classes.bias.fill_(-2)
        network.player.classes.weight.mul_(4)
        network.player.velocities.weight.mul_(8)
    folder = tmp_path_factory.mktemp("drummer")
    export_drummer(network, folder, kit=load_kit("backbeat").to_dict(), styles=list(STYLES), training={}, card="# A test\n")
    return folder
