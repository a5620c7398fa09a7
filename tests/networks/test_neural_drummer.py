"""NeuralDrummer's networks: as many parameters as the original, and a state that may be carried."""

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from backbeat.models.neural_drummer_inputs import BAND, PAST  # noqa: E402
from backbeat.networks.neural_drummer import NeuralDrummer, NeuralDrummerConfig, StepDrummer, StepDrummerConfig, count_parameters  # noqa: E402
from backbeat.networks.note_lstm import NoteLstm, NoteLstmConfig, NoteRnn, NoteRnnConfig  # noqa: E402


def count_by_hand(units, classes):
    """As Keras counts: four gates with one bias, four vectors a batch normalisation."""
    lstm = sum(4 * units * (columns + units + 1) for columns in (classes + 1, units, units))
    return lstm + 4 * units + (units + 1) * 256 + 257 * 128 + 4 * 128 + 129 * classes


def test_the_original_has_5_430_918_parameters():
    assert count_by_hand(512, 6) == 5_430_918 == count_parameters(NeuralDrummer(NeuralDrummerConfig()))
    assert count_parameters(NeuralDrummer(NeuralDrummerConfig(17, units=64))) == count_by_hand(64, 17)


def test_the_original_reads_eight_half_beats_and_tells_six_classes():
    network = NeuralDrummer(NeuralDrummerConfig(units=16)).eval()
    (logits,) = network(torch.rand(3, 8, 7))
    assert logits.shape == (3, 6)


def test_the_layers_begin_as_in_keras():
    (layer, *_) = NeuralDrummer(NeuralDrummerConfig(units=16)).layers
    assert layer.bias_ih_l0[16:32].eq(1).all() and layer.bias_ih_l0[:16].eq(0).all() and not layer.bias_hh_l0.any()
    gate = layer.weight_hh_l0[:16]
    assert torch.allclose(gate @ gate.T, torch.eye(16), atol=1e-5)


def make_steps(**changes):
    torch.manual_seed(1)
    return StepDrummer(StepDrummerConfig(**{"band": BAND, "past": PAST, "units": 24, "layers": 2} | changes)).eval()


def make_inputs(batch, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.rand(batch, steps, BAND, generator=generator),
        torch.rand(batch, steps, PAST, generator=generator),
        torch.randint(0, 513, (batch, steps, 7), generator=generator),
    )


def test_the_corrected_one_gives_a_distribution():
    network = make_steps()
    log_p, _ = network(*make_inputs(2, 5), network.start(2))
    assert log_p.shape == (2, 5, 512) and torch.allclose(log_p.exp().sum(-1), torch.ones(2, 5), atol=1e-5)


def test_the_state_is_carried():
    network, inputs = make_steps(), make_inputs(2, 9)
    whole, last = network(*inputs, network.start(2))
    state, parts = network.start(2), []
    for a, b in ((0, 4), (4, 5), (5, 9)):
        part, state = network(*(i[:, a:b] for i in inputs), state)
        parts.append(part)
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5) and torch.allclose(state, last, atol=1e-5)


def test_a_pointer_speaks_for_the_word_it_points_at():
    network = make_steps()
    with torch.no_grad():
        network.pointers.weight.zero_()
        network.pointers.bias.copy_(torch.tensor([3.0, 0, 0, 0, 0, 0, 0]))
    band, past, _ = make_inputs(1, 2)
    nothing = torch.full((1, 2, 7), 512)
    pointed = nothing.clone()
    pointed[0, 1, 0] = 77
    before, after = (network(band, past, words, network.start(1))[0] for words in (nothing, pointed))
    assert torch.allclose(before[0, 0], after[0, 0]) and after[0, 1, 77] > before[0, 1, 77] + 2


def test_the_note_lstm_has_84_354_parameters():
    network = NoteLstm(NoteLstmConfig())
    assert count_parameters(network) == 84_354
    pitch, step, duration = network(torch.rand(2, 25, 3))
    assert (pitch.shape, step.shape, duration.shape) == ((2, 128), (2,), (2,))


def test_the_network_of_tokens_carries_its_state():
    network = NoteRnn(NoteRnnConfig(units=16)).eval()
    tokens = torch.randint(0, 257, (2, 9))
    whole, _ = network(tokens, network.start(2))
    first, state = network(tokens[:, :4], network.start(2))
    assert whole.shape == (2, 9, 256)
    assert torch.allclose(torch.cat([first, network(tokens[:, 4:], state)[0]], 1), whole, atol=1e-5)
