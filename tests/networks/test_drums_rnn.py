"""The networks of Drums RNN: as large as the original's, carried state is as good as one run, and a gradient written by hand is right."""

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

from backbeat.networks import lstm_scan  # noqa: E402
from backbeat.networks.drums_rnn import DrumsRnn, DrumsRnnConfig, MemoryRnn, MemoryRnnConfig  # noqa: E402
from backbeat.networks.lstm_scan import find_loss  # noqa: E402

torch.set_num_threads(1)
SMALL = DrumsRnnConfig(classes=8, counters=2, units=(5, 4), attention=6, keep=1.0)


def count(network):
    return sum(p.numel() for p in network.parameters())


def make(config, kind=DrumsRnn, seed=0):
    torch.manual_seed(seed)
    return kind(config).double().eval()


def make_inputs(batch=3, steps=20, config=SMALL):
    return torch.randint(0, config.classes, (batch, steps)), torch.randint(0, 2, (batch, steps, config.counters)).double() * 2 - 1


def begin(network, batch=3):
    return tuple(torch.randn_like(s, dtype=torch.float64) for s in network.start(batch))


def count_original(inputs, units, classes, attention):
    """Parameters of TensorFlow's graph: BasicLSTMCell, AttentionCellWrapper's three linear layers, keys and score, and the last layer."""
    columns, total = inputs, 0
    for index, n in enumerate(units):
        total += (columns + n) * 4 * n + 4 * n
        if attention and not index:
            total += (inputs + n) * inputs + inputs + 2 * n * n + n + n * n + n + 2 * n * n + n
        columns = n
    return total + columns * classes + classes


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (DrumsRnnConfig(), 2_705_706),
        (DrumsRnnConfig(units=(64, 64)), 538_218),
        (DrumsRnnConfig(classes=2, counters=0, units=(128, 128), attention=0), 198_914),
    ],
)
def test_it_has_the_original_s_parameters(config, parameters):
    expected = count_original(config.inputs, config.units, config.classes, config.attention)
    assert count(DrumsRnn(config)) == expected == parameters


@pytest.mark.parametrize("attention", [0, 6])
def test_the_state_carries_what_was_read(attention):
    network = make(DrumsRnnConfig(8, 2, (5, 4), attention))
    (events, counters), states = make_inputs(), begin(network)
    whole, *after = network(events, counters, *states)
    first, *middle = network(events[:, :7], counters[:, :7], *states)
    rest, *end = network(events[:, 7:], counters[:, 7:], *middle)
    assert torch.allclose(torch.cat([first, rest], 1), whole)
    assert all(torch.allclose(a, b) for a, b in zip(after, end, strict=True))


def test_only_the_past_is_read():
    network = make(SMALL)
    events, counters = make_inputs()
    changed = events.clone()
    changed[:, 12] = (changed[:, 12] + 1) % 8
    states = begin(network)
    before, after = network(events, counters, *states)[0], network(changed, counters, *states)[0]
    assert torch.equal(before[:, :12], after[:, :12]) and not torch.equal(before[:, 12:], after[:, 12:])


def test_the_scan_by_hand_gives_what_the_plain_one_gives(monkeypatch):
    network = make(SMALL)
    (events, counters), states = make_inputs(), begin(network)

    def run():
        network.zero_grad()
        outputs = network(events, counters, *states)
        (outputs[0].sin().sum()).backward()
        return [*outputs, *(p.grad.clone() for p in network.parameters())]

    by_hand = run()
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(by_hand, run(), strict=True))


def test_lookup_is_the_same_as_the_original_s_matrices():
    """One step of AttentionCellWrapper as TensorFlow writes it, with one-hot inputs, against the first layer here."""
    network = make(SMALL)
    events, counters = make_inputs(2, 1)
    states = begin(network, 2)
    state, cell, attended, past = states[0], states[1], states[-2], states[-1]
    parts, layer = network.attention, network.layers[0]
    inputs = torch.cat([torch.nn.functional.one_hot(events[:, 0], 8).double(), counters[:, 0]], 1)
    mixed = parts.enter(torch.cat([inputs, attended], 1))
    i, f, g, o = (mixed @ layer.kernel + state @ layer.recurrent + layer.bias).chunk(4, 1)
    cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
    state = torch.sigmoid(o) * torch.tanh(cell)
    question = parts.query(torch.cat([cell, state], 1))
    weights = torch.softmax((torch.tanh(past @ parts.keys + question[:, None]) * parts.score).sum(-1), 1)
    found = (weights[..., None] * past).sum(1)
    _, *after = network(events, counters, *states)
    assert torch.allclose(after[0], state) and torch.allclose(after[1], cell) and torch.allclose(after[-2], found)
    assert torch.allclose(after[-1][:, -1], parts.leave(torch.cat([state, found], 1)))
    assert torch.allclose(after[-1][:, :-1], past[:, 1:])


def lay_out(events, counters, counts):
    """Rows of a batch: those of the first step, then those of the second ..."""
    return tuple(torch.cat([table[:n, t] for t, n in enumerate(counts)]) for table in (events, counters))


@pytest.mark.parametrize("config", [SMALL, DrumsRnnConfig(8, 2, (5, 4, 3), 0, 1.0)], ids=["attention", "plain"])
def test_tracks_of_different_length_do_not_touch(config):
    network, counts = make(config), [3] * 4 + [2] * 3 + [1] * 3
    events, counters = make_inputs(3, 10)
    rows = network.logits(network.read(*lay_out(events, counters, counts), counts))
    for take, length in enumerate((10, 7, 4)):
        alone = network(events[take : take + 1, :length], counters[take : take + 1, :length], *(s for s in network.start(1)))[0][0]
        found = torch.stack([rows[sum(counts[:t]) + take] for t in range(length)])
        assert torch.allclose(found, alone)


@pytest.mark.parametrize("attention", [0, 6])
def test_gradients_of_rows_are_those_of_torch_s_own_layers(attention):
    network, counts = make(DrumsRnnConfig(8, 2, (5, 4), attention, 1.0)), [2] * 4 + [1] * 6
    events, counters = make_inputs(2, 10)
    labels = torch.randint(0, 8, (2, 10))
    tables = [torch.cat([t[:n, k] for k, n in enumerate(counts)]) for t in (events, counters, labels)]

    def collect(loss):
        network.zero_grad()
        loss.backward()
        return [p.grad.clone() for p in network.parameters()]

    loss, guesses = find_loss(network.read(tables[0], tables[1], counts), network.logits, tables[2])
    quick = collect(loss)
    logits = [network(events[k : k + 1, :n], counters[k : k + 1, :n], *network.start(1))[0][0] for k, n in ((0, 10), (1, 4))]
    plain = torch.nn.functional.cross_entropy(torch.cat(logits), torch.cat([labels[0], labels[1, :4]]))
    assert torch.allclose(loss, plain) and torch.equal(guesses[-6:], logits[0][4:].argmax(1))
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(quick, collect(plain), strict=True))


def test_the_loss_in_blocks_is_that_of_torch(monkeypatch):
    monkeypatch.setattr(lstm_scan, "BLOCK", 7)
    torch.manual_seed(2)
    layer, inputs, labels = torch.nn.Linear(5, 9).double(), torch.randn(31, 5, dtype=torch.float64, requires_grad=True), torch.randint(0, 9, (31,))
    loss, guesses = find_loss(inputs, layer, labels)
    (3 * loss).backward()
    found = [t.grad.clone() for t in (inputs, layer.weight, layer.bias)]
    inputs.grad = None
    layer.zero_grad()
    logits = layer(inputs)
    (3 * torch.nn.functional.cross_entropy(logits, labels)).backward()
    assert torch.equal(guesses, logits.argmax(1))
    assert all(torch.allclose(a, t.grad) for a, t in zip(found, (inputs, layer.weight, layer.bias), strict=True))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75])
def test_dropout_leaves_out_its_share_and_keeps_the_mean(share):
    torch.manual_seed(1)
    dropout, ones = lstm_scan.QuickDropout(share), torch.ones(301, 333)
    dropped = dropout(ones)
    assert abs(float((dropped == 0).float().mean()) - share) < 0.01 and abs(float(dropped.mean()) - 1) < 0.02
    assert torch.equal(dropout.eval()(ones), ones) and lstm_scan.QuickDropout(0.0)(ones) is ones


def make_memory_inputs(batch=2, steps=12):
    generator = torch.Generator().manual_seed(4)
    words = torch.randint(0, 513, (batch, steps, 12), generator=generator)
    shares = torch.rand(batch, steps, 12, generator=generator).double() * (words < 512)
    place = torch.randint(0, 8, (batch, steps, 3), generator=generator)
    return torch.randint(0, 513, (batch, steps), generator=generator), place, words, shares, torch.rand(batch, steps, 30, generator=generator).double()


def test_the_network_that_remembers_gives_log_probabilities_and_carries_its_state():
    network = make(MemoryRnnConfig(units=(16,), width=24), MemoryRnn)
    inputs = make_memory_inputs()
    states = tuple(s.double() for s in network.start(2))
    whole, *_ = network(*inputs, *states)
    assert np.allclose(whole.exp().sum(-1).detach(), 1)
    first, *middle = network(*(i[:, :5] for i in inputs), *states)
    rest, *_ = network(*(i[:, 5:] for i in inputs), *middle)
    assert torch.allclose(torch.cat([first, rest], 1), whole)


def test_a_pointer_adds_to_its_word():
    network = make(MemoryRnnConfig(units=(16,), width=24), MemoryRnn)
    before, place, words, shares, hints = make_memory_inputs(1, 1)
    words[:] = 512
    words[..., 0] = 77
    shares = (words < 512).double()
    states = tuple(s.double() for s in network.start(1))
    with torch.no_grad():
        network.pointers.weight.zero_()
        network.pointers.bias.fill_(0.0)
        flat = network(before, place, words, shares, hints, *states)[0][0, 0]
        network.pointers.bias.fill_(2.0)
        pointed = network(before, place, words, shares, hints, *states)[0][0, 0]
    gained = pointed - flat
    assert int(gained.argmax()) == 77
