"""LSTMetallica's networks: as large as the original's, causal, and the same whole or step by step."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")
torch.set_num_threads(1)

from backbeat.networks.lstmetallica import SongLstm, SongLstmConfig, TextLstm, TextLstmConfig  # noqa: E402


def count(network):
    return sum(p.numel() for p in network.parameters())


def make_inputs(steps, seed=0):
    draw = torch.Generator().manual_seed(seed)
    words = torch.randint(0, 513, (2, steps, 11), generator=draw)
    whole = torch.arange(steps).repeat(2, 1)
    return [torch.randint(0, 513, (2, steps), generator=draw), whole // 16, whole % 16, words, torch.rand(2, steps, 15, generator=draw)]


@pytest.mark.parametrize(("units", "parameters"), [((512, 512), 3_452_022), ((512, 512, 512), 5_551_222)])
def test_the_original_has_the_parameters_of_keras(units, parameters):
    layers = sum(4 * ((c + u) * u + u) for c, u in zip((118, *units), units, strict=False))
    assert layers + 512 * 118 + 118 == parameters == count(TextLstm(TextLstmConfig(118, units)))


def test_a_layer_starts_as_keras_starts_it():
    torch.manual_seed(0)
    layer = TextLstm(TextLstmConfig(20, (16, 16))).layers[1]
    assert layer.bias[16:32].eq(1).all() and layer.bias.sum() == 16
    part = layer.recurrent[:, 16:32]
    assert torch.allclose(part @ part.T, torch.eye(16), atol=1e-5)
    assert layer.kernel.abs().max() <= (6 / 32) ** 0.5


@torch.no_grad()
def test_text_is_read_step_by_step_as_it_is_read_whole():
    torch.manual_seed(0)
    network = TextLstm(TextLstmConfig(7, (8, 8))).eval()
    tokens = torch.randint(0, 7, (2, 10))
    whole, *_ = network(tokens, *network.start(2))
    states = network.start(2)
    for step in range(10):
        now, *states = network(tokens[:, step : step + 1], *states)
        assert torch.allclose(now[:, 0], whole[:, step], atol=1e-6)
    assert torch.allclose(network.predict(tokens), whole[:, -1], atol=1e-6)
    assert torch.allclose(whole.exp().sum(-1), torch.ones(2, 10), atol=1e-5)


@torch.no_grad()
def test_songs_are_played_step_by_step_as_they_are_read_whole():
    torch.manual_seed(0)
    network = SongLstm(SongLstmConfig(width=16)).eval()
    inputs = make_inputs(20)
    whole, ends, *_ = network(*inputs, *network.start(2))
    states = network.start(2)
    for step in range(20):
        now, end, *states = network(*(i[:, step : step + 1] for i in inputs), *states)
        assert torch.allclose(now[:, 0], whole[:, step], atol=1e-5) and torch.allclose(end[:, 0], ends[:, step], atol=1e-5)
    assert torch.allclose(whole.exp().sum(-1), torch.ones(2, 20), atol=1e-5)


@torch.no_grad()
def test_references_that_agree_add_up():
    torch.manual_seed(0)
    network = SongLstm(SongLstmConfig(width=16)).eval()
    inputs = make_inputs(1)
    inputs[3][:] = 512
    none = network(*inputs, *network.start(2))[0]
    network.pointers.weight.zero_(), network.pointers.bias.fill_(2.0)
    inputs[3][:, :, 0] = 5
    one = network(*inputs, *network.start(2))[0]
    inputs[3][:, :, 1] = 5
    two = network(*inputs, *network.start(2))[0]
    assert (one[..., 5] > none[..., 5]).all() and (two[..., 5] > one[..., 5]).all()


@torch.no_grad()
def test_what_is_left_out_does_not_matter():
    torch.manual_seed(0)
    network = SongLstm(SongLstmConfig(width=16, memory=False, counters=False)).eval()
    first, second = make_inputs(6), make_inputs(6, seed=1)
    second[0] = first[0]
    assert torch.equal(network(*first, *network.start(2))[0], network(*second, *network.start(2))[0])
