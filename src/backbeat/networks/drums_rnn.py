"""Drums RNN (Magenta 2016-2021): the original's network, and one that remembers the take.

``DrumsRnn`` is the network of ``drums_rnn`` as TensorFlow built it: layers of LSTM with one bias and a forget bias of 1, attention over
the last 32 outputs around the first layer (``AttentionCellWrapper``, after Vinyals et al. 2014), dropout on each layer's output.
Its inputs are one-hot, and nothing but matrices stand between them and the gates; so a row of the product of the matrices is
looked up instead: the same numbers, many times quicker. ``MemoryRnn`` is also told what ``codecs.drum_memory`` remembers, and
may point at remembered words: a pointer adds to that word's logit. Shapes: B takes, T steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from backbeat.networks.attention_scan import arrange_gates, prepare_attention, scan_attention, scan_plainly
from backbeat.networks.lstm_scan import QuickDropout, scan_lstm


@dataclass(frozen=True)
class DrumsRnnConfig:
    """Sizes of the original's network.

    Args:
        classes: events that can be told apart, 2 or 512.
        counters: binary counters beside the one-hot event.
        units: of each layer.
        attention: outputs of the first layer that are attended to, 0 = no attention.
        keep: share of each layer's outputs that dropout keeps.
    """

    classes: int = 512
    counters: int = 6
    units: tuple[int, ...] = (256, 256, 256)
    attention: int = 32
    keep: float = 0.5

    @property
    def inputs(self) -> int:
        """Length of the original's input vector: one-hot event and counters."""
        return self.classes + self.counters


class Layer(nn.Module):
    """A layer of TensorFlow's BasicLSTMCell: one bias, and 1 added to the forget gate's, which is where it starts here.

    Gates are in the order of torch (input, forget, candidate, output).

    Args:
        columns: of its inputs.
        units: of its outputs.
    """

    def __init__(self, columns: int, units: int) -> None:
        super().__init__()
        limit = math.sqrt(6 / (columns + units + 4 * units))
        self.kernel = nn.Parameter(torch.empty(columns, 4 * units).uniform_(-limit, limit))
        self.recurrent = nn.Parameter(torch.empty(units, 4 * units).uniform_(-limit, limit))
        bias = torch.zeros(4 * units)
        bias[units : 2 * units] = 1
        self.bias = nn.Parameter(bias)

    def forward(self, inputs: Tensor, state: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run over steps.

        Args:
            inputs: float [B, T, columns].
            state, cell: float [B, units].

        Returns:
            outputs float [B, T, units], and the next state and cell.
        """
        weights = [self.kernel.T, self.recurrent.T, self.bias, torch.zeros_like(self.bias)]
        outputs, state, cell = torch.lstm(inputs, (state[None], cell[None]), weights, True, 1, 0.0, self.training, False, True)
        return outputs, state[0], cell[0]


def make_linear(columns: int, units: int) -> nn.Linear:
    """A linear layer that starts as TensorFlow's does: Glorot's uniform weights, no bias."""
    layer = nn.Linear(columns, units)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Attention(nn.Module):
    """The parts of AttentionCellWrapper: inputs and what was attended to are mixed before the cell, outputs and it behind it.

    Args:
        inputs: columns of the layer's inputs.  units: of its outputs.  length: outputs that are attended to.
    """

    def __init__(self, inputs: int, units: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.enter = make_linear(inputs + units, inputs)
        self.query = make_linear(2 * units, units)
        self.keys = nn.Parameter(torch.empty(units, units))
        self.score = nn.Parameter(torch.empty(units).uniform_(-math.sqrt(3 / units), math.sqrt(3 / units)))
        self.leave = make_linear(2 * units, units)
        nn.init.xavier_uniform_(self.keys)


class DrumsRnn(nn.Module):
    """The original's network."""

    def __init__(self, config: DrumsRnnConfig) -> None:
        super().__init__()
        self.config = config
        columns = [config.inputs, *config.units[:-1]]
        self.layers = nn.ModuleList(Layer(n, units) for n, units in zip(columns, config.units, strict=True))
        self.attention = Attention(config.inputs, config.units[0], config.attention) if config.attention else None
        self.logits = make_linear(config.units[-1], config.classes)
        self.dropout = QuickDropout(1 - config.keep)

    @property
    def first(self) -> Layer:
        """The first layer."""
        return cast("Layer", self.layers[0])

    def start(self, takes: int) -> tuple[Tensor, ...]:
        """The state before the first step, zeros.

        Args:
            takes: B.

        Returns:
            of each layer state and cell [B, units]; with attention, what was attended to [B, units] and the last outputs
            [B, length, units], the oldest first.
        """
        first, like = self.config.units[0], self.first.bias
        states = [like.new_zeros(takes, units) for units in self.config.units for _ in range(2)]
        if self.config.attention:
            states += [like.new_zeros(takes, first), like.new_zeros(takes, self.config.attention, first)]
        return tuple(states)

    def forward(self, events: Tensor, counters: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Logits of the event behind each one.

        Args:
            events: int64 [B, T] in 0 .. classes - 1.
            counters: float [B, T, counters], -1 or 1.
            states: of ``start``, or what the call before gave.

        Returns:
            logits float [B, T, classes], and the next states.
        """
        outputs, after, rest = self._run_first(events, counters, states)
        outputs = self.dropout(outputs)
        for index, layer in enumerate(self.layers):
            if index:
                outputs, state, cell = layer(outputs, *states[2 * index : 2 * index + 2])
                outputs = self.dropout(outputs)
                after += [state, cell]
        return self.logits(outputs), *after, *rest

    def read(self, events: Tensor, counters: Tensor, counts: list[int]) -> Tensor:
        """Outputs of the last layer for tracks of different length, from their start; ``logits`` makes logits of them.

        Args:
            events: int64 [N], the first events of all tracks, then the second ones ..., the longest track first.
            counters: float [N, counters].
            counts: how many tracks reach each step.

        Returns:
            float [N, units].
        """
        drive, inner = self._drive(events, counters)
        if self.attention is None:
            first = scan_lstm(drive, inner, counts)
        else:
            start = self.start(counts[0])
            first, _ = scan_attention(drive, inner, self.attention, (start[0], start[1], start[-2], start[-1]), counts)
        outputs: Tensor = self.dropout(first)
        for layer in list(self.layers)[1:]:
            later = cast("Layer", layer)
            drive = torch.addmm(arrange_gates(later.bias), outputs, arrange_gates(later.kernel))
            outputs = self.dropout(scan_lstm(drive, arrange_gates(later.recurrent), counts))
        return outputs

    @torch.no_grad()
    def list_step_weights(self) -> dict[str, Tensor]:
        """The weights as ``models.drums_rnn_steps`` reads them."""
        classes, counters = self.config.classes, self.config.counters
        bias, inner = self._drive(torch.arange(classes), self.first.bias.new_zeros(classes, counters))
        weights = {"table": bias, "inner": inner}
        unit, none = torch.zeros(counters, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
        weights["counters"] = self._drive(unit, torch.eye(counters))[0] - self._drive(none, torch.zeros(1, counters))[0]
        if self.attention is not None:
            weights |= dict(zip(("query", "query_bias", "make", "make_bias", "minus"), prepare_attention(self.attention), strict=True))
        for index, layer in enumerate(self.layers):
            if index:
                later = cast("Layer", layer)
                weights |= {f"layer{index}": arrange_gates(torch.cat([later.kernel, later.recurrent])), f"bias{index}": arrange_gates(later.bias)}
        return {name: w.contiguous() for name, w in (weights | {"logits": self.logits.weight.T, "logits_bias": self.logits.bias}).items()}

    def _drive(self, events: Tensor, counters: Tensor) -> tuple[Tensor, Tensor]:
        """What events and counters [..., n] add to the gates of the first layer, [..., 4 units], and what its state (and what it attends to) adds."""
        layer, classes = self.first, self.config.classes
        if self.attention is None:
            kernel = arrange_gates(layer.kernel)
            drive = functional.embedding(events, kernel[:classes]) + counters @ kernel[classes:]
            return drive + arrange_gates(layer.bias), arrange_gates(layer.recurrent)
        enter = self.attention.enter
        kernel = arrange_gates(layer.kernel)
        mixed = enter.weight.T @ kernel  # what a one-hot input, a counter or an attended unit adds to the gates
        bias = arrange_gates(layer.bias) + enter.bias @ kernel
        drive = functional.embedding(events, mixed[:classes] + bias) + counters @ mixed[classes : self.config.inputs]
        return drive, torch.cat([arrange_gates(layer.recurrent), mixed[self.config.inputs :]])

    def _run_first(self, events: Tensor, counters: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """The first layer: its outputs, its state and cell, and those of its attention, if there is one."""
        if self.attention is None:
            one_hot = functional.one_hot(events, self.config.classes).to(counters.dtype)
            outputs, state, cell = self.first(torch.cat([one_hot, counters], dim=-1), states[0], states[1])
            return outputs, [state, cell], []
        drive, inner = self._drive(events, counters)
        start = states[0], states[1], states[-2], states[-1]
        if torch.onnx.is_in_onnx_export():
            outputs, after = scan_plainly(drive, inner, self.attention, start)
        else:
            takes, steps = events.shape
            rows, after = scan_attention(drive.transpose(0, 1).reshape(takes * steps, -1), inner, self.attention, start, [takes] * steps)
            outputs = rows.view(steps, takes, -1).transpose(0, 1)
        return outputs, list(after[:2]), list(after[2:])


@dataclass(frozen=True)
class MemoryRnnConfig:
    """Sizes of the network that remembers.

    Args:
        units: of each recurrent layer.  width: of what enters and leaves them.
        classes: words, 512.  hits: classes of a word, 9.
        words: remembered words a step.  kernels: of them.  hints: columns of what else is remembered.
        dropout: of what enters and leaves.  forget: share of steps at which a kernel's memory is left out in training.
    """

    units: tuple[int, ...] = (256,)
    width: int = 256
    classes: int = 512
    hits: int = 9
    words: int = 12
    kernels: int = 3
    hints: int = 30
    dropout: float = 0.4
    forget: float = 0.05


PLACES, LENGTHS, PHRASE = 64, 64, 8
"""Places in a bar, lengths of a bar and bars of a phrase that are told apart."""


class MemoryRnn(nn.Module):
    """The network that remembers the take."""

    bits: Tensor

    def __init__(self, config: MemoryRnnConfig) -> None:
        super().__init__()
        self.config = config
        bits = ((torch.arange(config.classes + 1)[:, None] >> torch.arange(config.hits)) & 1).float()
        bits[-1] = 0
        self.register_buffer("bits", bits, persistent=False)
        self.before = nn.Embedding(config.classes + 1, 48)
        self.place, self.length, self.phrase = nn.Embedding(PLACES, 24), nn.Embedding(LENGTHS, 8), nn.Embedding(PHRASE, 8)
        columns = config.hits + 48 + 24 + 8 + 8 + config.words * 2 + config.kernels * config.hits + config.hints
        self.enter = nn.Linear(columns, config.width)
        self.recurrent = nn.ModuleList(nn.LSTM(w, u, batch_first=True) for w, u in zip((config.width, *config.units), config.units, strict=False))
        self.leave = nn.Linear(config.units[-1] + config.width, config.width)
        self.words = nn.Linear(config.width, config.classes)
        self.classes = nn.Linear(config.width, config.hits)
        self.pointers = nn.Linear(config.width, config.words)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.normal_(self.words.weight, std=0.01)
        nn.init.zeros_(self.words.bias)
        nn.init.constant_(self.pointers.bias, 0.3)

    def start(self, takes: int) -> tuple[Tensor, ...]:
        """The state before the first step: of each layer state and cell [B, units], zeros."""
        return tuple(self.words.bias.new_zeros(takes, units) for units in self.config.units for _ in range(2))

    def forward(self, before: Tensor, place: Tensor, words: Tensor, shares: Tensor, hints: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Log probabilities of the words.

        Args:
            before: int64 [B, T], the word one step before each, 512 at the start.
            place: int64 [B, T, 3]: place in the bar, length of the bar in steps, bar of the phrase, below PLACES, LENGTHS, PHRASE.
            words: int64 [B, T, words] remembered, 512 where none.  shares: float [B, T, words] in 0-1.
            hints: float [B, T, hints] in 0-1.
            states: of ``start``, or what the call before gave.

        Returns:
            log p [B, T, classes], and the next states.
        """
        if self.training and self.config.forget:
            kept = torch.rand(*shares.shape[:2], self.config.kernels, device=shares.device) >= self.config.forget
            shares = shares * kept.repeat_interleave(self.config.words // self.config.kernels, dim=-1)
        strength = torch.log1p(50 * shares)
        top = self.bits[words[..., :: self.config.words // self.config.kernels]].flatten(-2)
        where = [self.place(place[..., 0]), self.length(place[..., 1]), self.phrase(place[..., 2])]
        x = torch.cat([self.bits[before], self.before(before), *where, shares, strength / 4, top, hints], dim=-1)
        x = self.dropout(functional.gelu(self.enter(x)))
        h, after = x, []
        for index, layer in enumerate(self.recurrent):
            h, (state, cell) = layer(h, (states[2 * index][None], states[2 * index + 1][None]))
            h = self.dropout(h)
            after += [state[0], cell[0]]
        out = self.dropout(functional.gelu(self.leave(torch.cat([h, x], dim=-1))))
        logits = self.words(out) + self.classes(out) @ self.bits[:-1].T
        logits = logits.scatter_add(-1, words.clamp(max=self.config.classes - 1), self.pointers(out) * strength)
        return functional.log_softmax(logits, dim=-1), *after
