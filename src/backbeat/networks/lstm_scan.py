"""A layer of LSTM on takes of different length, and the loss behind the last layer: the same numbers as torch's, in less time.

Rows and gates are those of ``attention_scan``: nothing is computed behind a take's end, and what can be done for all steps at once is. The
loss goes through its rows in blocks that stay in the processor's cache, and gathers its gradient on the way, so that no table of all
rows and classes is written.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from backbeat.networks.attention_scan import find_before

BLOCK = 512
"""Rows of a block of the loss."""


@torch.jit.script
def _read(drive: Tensor, recurrent: Tensor, counts: list[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """States and cells [N, U], gates, tanh of cells; zeros before the first step."""
    units = recurrent.size(0)
    rows, cells, gates = drive.new_empty(drive.size(0), units), drive.new_empty(drive.size(0), units), torch.empty_like(drive)
    bent, less = torch.empty_like(cells), drive.new_full((1,), -1.0)
    drives, gate_s, bents, states, all_cells = (
        drive.split_with_sizes(counts),
        gates.split_with_sizes(counts),
        bent.split_with_sizes(counts),
        rows.split_with_sizes(counts),
        cells.split_with_sizes(counts),
    )
    enters, forgets = gates.narrow(1, 0, units).split_with_sizes(counts), gates.narrow(1, units, units).split_with_sizes(counts)
    leavings, news = gates.narrow(1, 2 * units, units).split_with_sizes(counts), gates.narrow(1, 3 * units, units).split_with_sizes(counts)
    before, cell = drive.new_zeros(counts[0], units), drive.new_zeros(counts[0], units)
    for t, n in enumerate(counts):
        if n < before.size(0):
            before, cell = before.narrow(0, 0, n), cell.narrow(0, 0, n)
        torch.addmm(drives[t], before, recurrent, out=gate_s[t])
        gate_s[t].sigmoid_()
        now, b = all_cells[t], bents[t]
        torch.mul(forgets[t], cell, out=now)
        now.addcmul_(enters[t], news[t], value=2.0).sub_(enters[t])
        torch.add(now, now, out=b)
        torch.add(less, b.sigmoid_(), alpha=2.0, out=b)
        torch.mul(leavings[t], b, out=states[t])
        before, cell = states[t], now
    return rows, cells, gates, bent


@torch.jit.script
def _go_back(d_out: Tensor, recurrent: Tensor, cells: Tensor, gates: Tensor, bent: Tensor, counts: list[int]) -> Tensor:
    """Gradient of the gates; the weights come transposed."""
    units = bent.size(1)
    d_gates, d_cells, d_befores = torch.empty_like(gates), bent.new_zeros(counts[0], units), bent.new_zeros(counts[0], units)
    d_outs, bents, all_cells, d_gate_s = (
        d_out.split_with_sizes(counts),
        bent.split_with_sizes(counts),
        cells.split_with_sizes(counts),
        d_gates.split_with_sizes(counts),
    )
    threes, d_threes = gates.narrow(1, 0, 3 * units).split_with_sizes(counts), d_gates.narrow(1, 0, 3 * units).split_with_sizes(counts)
    enters, forgets = gates.narrow(1, 0, units).split_with_sizes(counts), gates.narrow(1, units, units).split_with_sizes(counts)
    leavings, news = gates.narrow(1, 2 * units, units).split_with_sizes(counts), (2 * gates.narrow(1, 3 * units, units) - 1).split_with_sizes(counts)
    d_enters, d_forgets = d_gates.narrow(1, 0, units).split_with_sizes(counts), d_gates.narrow(1, units, units).split_with_sizes(counts)
    d_leavings, d_news = d_gates.narrow(1, 2 * units, units).split_with_sizes(counts), d_gates.narrow(1, 3 * units, units).split_with_sizes(counts)
    for back in range(len(counts)):
        t = len(counts) - 1 - back
        n = counts[t]
        d_cell, d_before = d_cells.narrow(0, 0, n), d_befores.narrow(0, 0, n)
        d_state = d_outs[t] + d_before
        d_now = torch.ops.aten.tanh_backward(d_state * leavings[t], bents[t]).add_(d_cell)
        torch.mul(d_now, news[t], out=d_enters[t])
        if t == 0:
            d_forgets[t].zero_()
        else:
            torch.mul(d_now, all_cells[t - 1].narrow(0, 0, n), out=d_forgets[t])
        torch.mul(d_state, bents[t], out=d_leavings[t])
        torch.ops.aten.sigmoid_backward(d_threes[t], threes[t], grad_input=d_threes[t])
        torch.ops.aten.tanh_backward(d_now * enters[t], news[t], grad_input=d_news[t])
        torch.mul(d_now, forgets[t], out=d_cell)
        torch.mm(d_gate_s[t], recurrent, out=d_before)
    return d_gates


class _Scan(torch.autograd.Function):
    """The layer with its gradient."""

    @staticmethod
    def forward(ctx: Any, drive: Tensor, recurrent: Tensor, counts: list[int]) -> Tensor:  # noqa: ANN401 - torch's context
        rows: Tensor
        rows, cells, gates, bent = _read(drive, recurrent, counts)
        ctx.counts = counts
        ctx.save_for_backward(recurrent, rows, cells, gates, bent)
        return rows

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:  # noqa: ANN401 - torch's context
        recurrent, rows, *kept = ctx.saved_tensors
        units, counts = len(recurrent), ctx.counts
        turned = recurrent.t().contiguous()
        turned[3 * units :] /= 2  # of the candidate, which comes twice
        d_gates = _go_back(gradients[0], turned, *kept, counts)
        d_gates[:, 3 * units :] /= 2
        return d_gates, rows[find_before(counts, rows.device)].t() @ d_gates[counts[0] :], None


def scan_lstm(drive: Tensor, recurrent: Tensor, counts: list[int]) -> Tensor:
    """Run a layer from a state of zeros.

    Args:
        drive: float [N, 4 U], what inputs and bias add to the gates.
        recurrent: float [U, 4 U], what the state adds to them.
        counts: takes at each step, never more than at the step before.

    Returns:
        outputs float [N, U].
    """
    outputs: Tensor = _Scan.apply(drive, recurrent, counts)  # type: ignore[no-untyped-call]
    return outputs


class _Loss(torch.autograd.Function):
    """Mean cross-entropy and likeliest classes, with the gradient gathered block by block."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401 - torch's context
        total, guesses, learns = inputs.new_zeros((), dtype=torch.float64), torch.empty_like(labels), any(ctx.needs_input_grad)
        d_inputs, d_weight, d_bias = (torch.zeros_like(t) for t in (inputs, weight, bias)) if learns else (inputs, weight, bias)
        for at in range(0, len(inputs), BLOCK):
            rows, label = inputs[at : at + BLOCK], labels[at : at + BLOCK, None]
            logits = torch.addmm(bias, rows, weight.t())
            top, guesses[at : at + BLOCK] = logits.max(dim=1)
            logits -= top[:, None]
            right = logits.gather(1, label)[:, 0]
            mass = logits.exp_().sum(dim=1)
            total += (mass.log() - right).sum(dtype=torch.float64)
            if learns:
                logits /= mass[:, None]
                logits.scatter_add_(1, label, logits.new_full((), -1).expand_as(label))
                torch.mm(logits, weight, out=d_inputs[at : at + BLOCK])
                d_weight.addmm_(logits.t(), rows)
                d_bias += logits.sum(dim=0)
        ctx.save_for_backward(d_inputs, d_weight, d_bias)
        ctx.mark_non_differentiable(guesses)
        return (total / len(inputs)).to(inputs.dtype), guesses

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:  # noqa: ANN401 - torch's context
        d_inputs, d_weight, d_bias = ctx.saved_tensors
        scale = gradients[0] / len(d_inputs)
        return d_inputs * scale, d_weight * scale, d_bias * scale, None


def find_loss(inputs: Tensor, layer: nn.Linear, labels: Tensor) -> tuple[Tensor, Tensor]:
    """What ``cross_entropy(layer(inputs), labels)`` gives, and the likeliest class of each row.

    Args:
        inputs: float [N, columns].
        layer: the last one, before the softmax.
        labels: int64 [N].

    Returns:
        the mean loss, a scalar, and int64 [N].
    """
    loss, guesses = _Loss.apply(inputs, layer.weight, layer.bias, labels)  # type: ignore[no-untyped-call]
    return loss, guesses


class QuickDropout(nn.Dropout):
    """Dropout that draws 16 bits a value; torch draws a double."""

    def forward(self, input: Tensor) -> Tensor:
        """The input, in training with a share of it left out and the rest enlarged."""
        if not self.training or not self.p:
            return input
        drawn = torch.empty(-(-input.numel() // 4), dtype=torch.int64, device=input.device).random_(-(2**63), None).view(torch.int16)
        kept = drawn[: input.numel()].view(input.shape) < round((1 - self.p) * 2**16) - 2**15
        return input * kept.to(input.dtype).mul_(1 / (1 - self.p))
