"""The performer's network: nothing of the future in its memory, proper probabilities, padding that does nothing."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'backbeat[train]'")

from backbeat.models import performer as runtime  # noqa: E402
from backbeat.networks import performer as networks  # noqa: E402
from backbeat.networks.performer import PerformerConfig, PerformerNetwork, measure_nats, recall  # noqa: E402

CONFIG = PerformerConfig(features=20, families=12, references=10, styles=3, drummers=2, width=16, blocks=3, hidden=12, inner=8, components=4)


@pytest.fixture
def network() -> PerformerNetwork:
    torch.manual_seed(0)
    return PerformerNetwork(CONFIG).eval()


def make_past(count: int) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    references = torch.minimum(torch.randint(-1, count, (1, count, 10)), torch.arange(count)[None, :, None] - 1)
    return torch.randn(1, count, 2), torch.randn(1, count, 2), torch.randint(0, 12, (1, count)), references


def test_constants_are_those_of_the_runtime() -> None:
    for name in ("RATES", "VELOCITY_RATE", "DRUM_RATE", "NARROWEST", "LOUDEST", "QUIETEST"):
        assert getattr(networks, name) == pytest.approx(getattr(runtime, name)), name
    assert pytest.approx(runtime.BIN) == networks.VELOCITY_BIN


def test_shapes(network: PerformerNetwork) -> None:
    one = torch.ones(2, 1, dtype=torch.int64)
    means, lead = network(torch.rand(2, 9, 20), one, one, torch.zeros(2, 9, dtype=torch.int64), torch.ones(2, 9))
    assert (means.shape, lead.shape) == ((2, 9, 3), (2, 9, 12))
    assert network.player(lead, torch.rand(2, 9, CONFIG.memory)).shape == (2, 9, 20)


def test_memory_knows_nothing_of_the_stroke_itself_or_later_ones() -> None:
    played, means, families, references = make_past(30)
    before = recall(played, means, families, references)
    assert before.shape == (1, 30, CONFIG.memory) and not before[0, 0].any()
    played = played.clone()
    played[0, 17:] += 5
    after = recall(played, means, families, references)
    assert torch.equal(before[0, :18], after[0, :18]) and not torch.equal(before[0, 18:], after[0, 18:])


def test_slow_averages_follow_one_who_drags() -> None:
    _, means, families, references = make_past(400)
    played = means + torch.tensor([0.0, 1.0])
    averages = recall(played, means, families * 0, references)[0, -1, 40:]
    assert averages.tolist() == pytest.approx([1, 1, 1 - (1 - 1 / 64) ** 399, 0, 0, 1], abs=1e-3)


def test_what_is_behind_the_end_changes_nothing(network: PerformerNetwork) -> None:
    features, zero = torch.rand(1, 12, 20), torch.zeros(1, 1, dtype=torch.int64)
    alone = network(features[:, :7], zero, zero, torch.zeros(1, 7, dtype=torch.int64), torch.ones(1, 7))
    padded = network(features, zero, zero, torch.zeros(1, 12, dtype=torch.int64), (torch.arange(12)[None] < 7).float())
    torch.testing.assert_close(alone[0], padded[0][:, :7])
    torch.testing.assert_close(alone[1], padded[1][:, :7])


def test_probabilities_sum_to_one() -> None:
    torch.manual_seed(0)
    given, means = torch.randn(5, 1, 20) / 2, torch.randn(5, 1, 2)
    velocities = torch.stack([(torch.arange(1, 128) / 127 - 0.5) / 0.25, torch.zeros(127)], dim=-1)
    loud, _ = measure_nats(given, means, velocities)
    torch.testing.assert_close((-loud).exp().sum(-1), torch.ones(5), atol=0.02, rtol=0)
    times = torch.linspace(-40, 40, 8001)
    _, late = measure_nats(given, means, torch.stack([torch.full_like(times, 0.3), times], dim=-1))
    torch.testing.assert_close((-late).exp().sum(-1) * 0.01, torch.ones(5), atol=0.01, rtol=0)


def test_velocity_and_lateness_hang_together() -> None:
    given = torch.zeros(1, 20)
    given[0, 4:8] = torch.tensor([-1.0, 1.0, 0, 0])
    given[0, 12:16] = torch.tensor([-1.0, 1.0, 0, 0])
    given[0, 0:4] = torch.tensor([0.0, 0, -20, -20])
    given[0, 8:12], given[0, 16:20] = math.log(0.1), math.log(0.1)
    means, played = torch.zeros(1, 2), torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    _, late = measure_nats(given, means, played)
    assert late[0] < late[1] - 3, "the loud ones are late here"
