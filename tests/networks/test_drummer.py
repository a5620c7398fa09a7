"""The drummer network: shapes, and nothing of the future in what it plays."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'backbeat[train]'")

from backbeat.networks.drummer import CLASSES, WORDS, Drummer, DrummerConfig  # noqa: E402
from tests.networks.tiny import make_network  # noqa: E402


@pytest.fixture
def network() -> Drummer:
    torch.manual_seed(0)
    return make_network().eval()


def make_inputs(network: Drummer, steps: int, takes: int = 2) -> list[torch.Tensor]:
    c = network.config
    return [
        torch.rand(takes, steps, c.encoder_width),
        torch.rand(takes, steps, c.played),
        torch.randint(0, WORDS + 1, (takes, steps, c.references)),
        network.start(takes),
    ]


def test_columns_are_counted() -> None:
    config = DrummerConfig(46, 80, 44, 17, 21)
    assert config.heard == 46 + 80 + 44 + 18
    assert config.played == 27 + 21 + 7


@pytest.mark.parametrize("layers", [1, 2])
def test_shapes(layers: int) -> None:
    network = make_network(layers)
    c = network.config
    listened, guess = network.listener(torch.rand(2, 30, c.heard), torch.tensor([0, 3]))
    assert (listened.shape, guess.shape) == ((2, 30, c.encoder_width), (2, 30, CLASSES))
    words, velocities, articulations, state = network.player(*make_inputs(network, 5))
    assert words.shape == (2, 5, WORDS)
    assert velocities.shape == (2, 5, CLASSES, c.velocity_bins)
    assert articulations.shape == (2, 5, c.articulations)
    assert state.shape == (layers, 2, c.width)


@torch.no_grad()
@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_player_does_not_know_the_future(network: Drummer, which: int) -> None:
    inputs = make_inputs(network, 10)
    before = network.player(*inputs)
    inputs[which] = inputs[which].clone()
    inputs[which][:, 6:] = 511 - inputs[which][:, 6:].clamp(max=511) if which == 2 else 1 - inputs[which][:, 6:]
    after = network.player(*inputs)
    for a, b in zip(before[:3], after[:3], strict=True):
        assert torch.equal(a[:, :6], b[:, :6])
        assert not torch.allclose(a[:, 6:], b[:, 6:])


@torch.no_grad()
def test_step_by_step_is_all_at_once(network: Drummer) -> None:
    listened, played, recalled, state = make_inputs(network, 8)
    whole = network.player(listened, played, recalled, state)
    for step in range(8):
        here = slice(step, step + 1)
        words, *_, state = network.player(listened[:, here], played[:, here], recalled[:, here], state)
        assert torch.allclose(words, whole[0][:, here], atol=1e-5)
    assert torch.allclose(state, whole[3], atol=1e-5)


@torch.no_grad()
def test_the_listener_hears_what_comes(network: Drummer) -> None:
    heard = torch.rand(1, 40, network.config.heard)
    later = heard.clone()
    later[:, 20] = 1 - later[:, 20]
    style = torch.tensor([0])
    changed = (network.listener(heard, style)[0] != network.listener(later, style)[0]).any(dim=-1)[0]
    reach = sum(d * (network.config.kernel - 1) // 2 for d in network.config.dilations)
    assert torch.nonzero(changed).flatten().tolist() == list(range(20 - reach, 20 + reach + 1))


@torch.no_grad()
def test_a_pointer_adds_to_the_word_it_points_at(network: Drummer) -> None:
    inputs = make_inputs(network, 1, 1)
    inputs[2] = torch.full((1, 1, 7), WORDS)
    inputs[2][..., 0] = inputs[2][..., 4] = 37
    inputs[2][..., 1] = 5
    player = network.player
    player.pointers.weight.zero_()
    player.pointers.bias.copy_(torch.tensor([1.0, 0.5, 9, 9, 0.25, 9, 9]))
    strong = player(*inputs)[0][0, 0]
    player.pointers.bias.zero_()
    difference = strong - player(*inputs)[0][0, 0]
    expected = torch.zeros(WORDS)
    expected[37], expected[5] = 1.25, 0.5
    assert torch.allclose(difference, expected, atol=1e-5), "references that agree add up, absent ones say nothing"


@torch.no_grad()
def test_the_style_is_heard(network: Drummer) -> None:
    heard = torch.rand(1, 8, network.config.heard)
    assert not torch.allclose(network.listener(heard, torch.tensor([0]))[0], network.listener(heard, torch.tensor([1]))[0])


def test_every_weight_learns(network: Drummer) -> None:
    listened, guess = network.listener(torch.rand(2, 6, network.config.heard), torch.tensor([0, 3]))
    _, played, recalled, state = make_inputs(network, 6)
    outputs = network.player(listened, played, recalled, state)
    (sum(o.square().sum() for o in outputs[:3]) + guess.square().sum()).backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []
