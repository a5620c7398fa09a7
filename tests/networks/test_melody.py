"""The melody networks."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.codecs.melodies import TOKENS  # noqa: E402
from backbeat.codecs.melody_features import FEATURES  # noqa: E402
from backbeat.networks.melody import LoopMlp, LoopMlpConfig, MelodyRnn, MelodyRnnConfig  # noqa: E402


def test_the_papers_network_is_496_64_64_64_64_8192():
    network = LoopMlp(LoopMlpConfig())
    shapes = [tuple(p.shape) for name, p in network.named_parameters() if name.endswith("weight")]
    assert shapes == [(64, 496), (64, 64), (64, 64), (64, 64), (8192, 64)]
    assert sum(p.numel() for p in network.parameters()) == 576_768
    assert network(torch.zeros(3, 496)).shape == (3, 8192)


def test_ours_gives_the_same_step_by_step_and_at_once():
    torch.manual_seed(1)
    network = MelodyRnn(MelodyRnnConfig(units=8, embedding=4)).eval()
    features, recalled = torch.rand(2, 5, FEATURES), torch.randint(0, TOKENS + 1, (2, 5, 4))
    whole, last = network(features, recalled, network.start(2))
    state, parts = network.start(2), []
    for step in range(5):
        logits, state = network(features[:, step : step + 1], recalled[:, step : step + 1], state)
        parts.append(logits)
    assert whole.shape == (2, 5, TOKENS)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole)
    torch.testing.assert_close(state, last)
