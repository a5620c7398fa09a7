"""Attention around a recurrent layer, step by step: the scan of ``AttentionCellWrapper`` (TensorFlow 1; after Vinyals et al. 2014).

At each step the layer is driven by the input and by what was attended to one step before; its state asks, the last outputs answer, and
the mixture of output and answer is the output that is remembered. The gradient is written out by hand: outputs and what they are
compared by stand in one buffer of which each step sees a window, and gradients of weights are taken once, behind the last step;
that is some forty times quicker than recording every step. Of tanh(key + question) nothing but exp(2 key) and exp(2 question) is needed:
tanh(x) = 1 - 2 / (1 + exp(2 x)), and what is the same for all keys leaves the softmax.

Shapes: U units, L outputs attended to, N *rows*: those of the first step, one a take, then those of the second step ... Takes end,
the last ones first, so ``counts[t]`` rows belong to step t, and row i of a step is the take of row i of the step before.
Gates are those of ``arrange_gates``.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

Tensors = tuple[Tensor, ...]
States = tuple[Tensor, Tensor, Tensor, Tensor]


class Parts(Protocol):
    """The parts of the attention, see ``drums_rnn.Attention``."""

    length: int
    query: nn.Linear
    keys: nn.Parameter
    score: nn.Parameter
    leave: nn.Linear


def arrange_gates(weights: Tensor) -> Tensor:
    """Columns of input, forget, candidate, output as the scans take them: input, forget, output, twice the candidate.

    The logistic function of all gates is then taken at once: tanh(x) = 2 s(2 x) - 1.
    """
    enter, forget, new, leaving = weights.chunk(4, dim=-1)
    return torch.cat([enter, forget, leaving, 2 * new], dim=-1)


def find_before(counts: list[int], device: torch.device) -> Tensor:
    """int64 [N - counts[0]]: for the rows of all steps but the first, the row of the same take one step before."""
    sizes = torch.tensor(counts, device=device)
    return torch.arange(counts[0], sum(counts), device=device) - torch.repeat_interleave(sizes[:-1], sizes[1:])


@torch.jit.script
def _scan_plainly(
    drive: Tensor,
    inner: Tensor,
    query: Tensor,
    query_bias: Tensor,
    keys: Tensor,
    score: Tensor,
    leave: Tensor,
    leave_bias: Tensor,
    state: Tensor,
    cell: Tensor,
    attended: Tensor,
    past: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The same without a gradient by hand, drive [B, T, 4 U]: what is exported, and what the other is tested against."""
    outputs: list[Tensor] = []
    memory, known = past, past @ keys
    for step in range(drive.size(1)):
        gates = drive[:, step] + torch.cat([state, attended], dim=1) @ inner
        enter, forget, leaving, new = gates.chunk(4, dim=1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(0.5 * new)
        state = torch.sigmoid(leaving) * torch.tanh(cell)
        asked = torch.cat([cell, state], dim=1) @ query + query_bias
        weights = torch.softmax(torch.tanh(known + asked.unsqueeze(1)) @ score, dim=1)
        attended = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
        output = torch.cat([state, attended], dim=1) @ leave + leave_bias
        memory = torch.cat([memory[:, 1:], output.unsqueeze(1)], dim=1)
        known = torch.cat([known[:, 1:], (output @ keys).unsqueeze(1)], dim=1)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state, cell, attended, memory


@torch.jit.script
def _window(buffer: Tensor, at: int, length: int, takes: int) -> Tensor:
    """[length, takes, U] of a buffer [steps, all takes, U]."""
    window = buffer.narrow(0, at, length)
    return window if takes == buffer.size(1) else window.narrow(1, 0, takes)


@torch.jit.script
def _read(
    drive: Tensor,
    inner: Tensor,
    query: Tensor,
    query_bias: Tensor,
    make: Tensor,
    make_bias: Tensor,
    minus: Tensor,
    first: Tensor,
    past: Tensor,
    known_past: Tensor,
    counts: list[int],
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, list[Tensor]]:
    """Rows [N, cell state attended], gates, tanh of cells, exp(2 questions), [output | 2 key]; windows' buffers: outputs, exp(2 keys); weights."""
    n_rows, units, length, steps, takes = drive.size(0), minus.size(0), past.size(0), len(counts), counts[0]
    rows, made, gates = drive.new_empty(n_rows, 3 * units), drive.new_empty(n_rows, 2 * units), torch.empty_like(drive)
    bent, asked = drive.new_empty(n_rows, units), drive.new_empty(n_rows, units)
    outputs, known = drive.new_empty(length + steps, takes, units), drive.new_empty(length + steps, takes, units)
    weights: list[Tensor] = []
    space = drive.new_empty(length * takes * units)
    one, less = drive.new_ones(1), drive.new_full((1,), -1.0)
    outputs[:length] = past
    torch.exp(known_past, out=known[:length])
    # views of every step, made at once: making them one by one costs as much as half the arithmetic
    drives, gate_s, bents, askeds, mades = (
        drive.split_with_sizes(counts),
        gates.split_with_sizes(counts),
        bent.split_with_sizes(counts),
        asked.split_with_sizes(counts),
        made.split_with_sizes(counts),
    )
    enters, forgets = gates.narrow(1, 0, units).split_with_sizes(counts), gates.narrow(1, units, units).split_with_sizes(counts)
    leavings, news = gates.narrow(1, 2 * units, units).split_with_sizes(counts), gates.narrow(1, 3 * units, units).split_with_sizes(counts)
    cells, states = rows.narrow(1, 0, units).split_with_sizes(counts), rows.narrow(1, units, units).split_with_sizes(counts)
    founds, pairs = rows.narrow(1, 2 * units, units).split_with_sizes(counts), rows.narrow(1, 0, 2 * units).split_with_sizes(counts)
    lasts = rows.narrow(1, units, 2 * units).split_with_sizes(counts)
    outs, keys = made.narrow(1, 0, units).split_with_sizes(counts), made.narrow(1, units, units).split_with_sizes(counts)
    before, cell = first.narrow(1, units, 2 * units), first.narrow(1, 0, units)
    for t, n in enumerate(counts):
        if n < before.size(0):
            before, cell = before.narrow(0, 0, n), cell.narrow(0, 0, n)
        torch.addmm(drives[t], before, inner, out=gate_s[t])
        gate_s[t].sigmoid_()
        before, now, b, a = lasts[t], cells[t], bents[t], askeds[t]
        torch.mul(forgets[t], cell, out=now)
        now.addcmul_(enters[t], news[t], value=2.0).sub_(enters[t])
        torch.add(now, now, out=b)
        torch.add(less, b.sigmoid_(), alpha=2.0, out=b)
        torch.mul(leavings[t], b, out=states[t])
        torch.addmm(query_bias, pairs[t], query, out=a)
        a.clamp_(-40.0, 40.0).exp_()
        flat = space.narrow(0, 0, length * n * units)
        compared = flat.view(length, n, units)
        torch.addcmul(one, _window(known, t, length, n), a, out=compared)
        compared.reciprocal_()
        share = torch.softmax(torch.mv(flat.view(length * n, units), minus).view(length, n), 0)
        weights.append(share)
        torch.mul(_window(outputs, t, length, n), share.unsqueeze(2), out=compared)
        torch.sum(compared, [0], out=founds[t])
        torch.addmm(make_bias, before, make, out=mades[t])
        _window(outputs, length + t, 1, n)[0].copy_(outs[t])
        key = _window(known, length + t, 1, n)[0]
        torch.clamp(keys[t], -40.0, 40.0, out=key)
        key.exp_()
        cell = now
    return rows, gates, bent, asked, made, outputs, known, weights


@torch.jit.script
def _go_back(
    d_out: Tensor,
    inner: Tensor,
    query: Tensor,
    make: Tensor,
    first: Tensor,
    rows: Tensor,
    gates: Tensor,
    bent: Tensor,
    asked: Tensor,
    outputs: Tensor,
    known: Tensor,
    weights: list[Tensor],
    counts: list[int],
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Gradients of gates, questions, [output | 2 key], past 2 keys and score; weights come transposed."""
    units, length, takes = bent.size(1), weights[0].size(0), counts[0]
    d_outputs, d_known = torch.zeros_like(outputs), torch.zeros_like(known)
    d_gates, d_asked, d_made = torch.empty_like(gates), torch.empty_like(asked), asked.new_empty(asked.size(0), 2 * units)
    d_score, d_cells, d_befores = bent.new_zeros(units), bent.new_zeros(takes, units), bent.new_zeros(takes, 2 * units)
    one, space, space2 = bent.new_ones(1), bent.new_empty(length * takes * units), bent.new_empty(length * takes * units)
    d_outs, bents, askeds, d_askeds, d_gate_s = (
        d_out.split_with_sizes(counts),
        bent.split_with_sizes(counts),
        asked.split_with_sizes(counts),
        d_asked.split_with_sizes(counts),
        d_gates.split_with_sizes(counts),
    )
    threes, d_threes = gates.narrow(1, 0, 3 * units).split_with_sizes(counts), d_gates.narrow(1, 0, 3 * units).split_with_sizes(counts)
    enters, forgets = gates.narrow(1, 0, units).split_with_sizes(counts), gates.narrow(1, units, units).split_with_sizes(counts)
    leavings, news = gates.narrow(1, 2 * units, units).split_with_sizes(counts), (2 * gates.narrow(1, 3 * units, units) - 1).split_with_sizes(counts)
    d_enters, d_forgets = d_gates.narrow(1, 0, units).split_with_sizes(counts), d_gates.narrow(1, units, units).split_with_sizes(counts)
    d_leavings, d_news = d_gates.narrow(1, 2 * units, units).split_with_sizes(counts), d_gates.narrow(1, 3 * units, units).split_with_sizes(counts)
    mades, outs, keys = (
        d_made.split_with_sizes(counts),
        d_made.narrow(1, 0, units).split_with_sizes(counts),
        d_made.narrow(1, units, units).split_with_sizes(counts),
    )
    cells, before = rows.narrow(1, 0, units).split_with_sizes(counts), first.narrow(1, 0, units)
    for back in range(len(counts)):
        t = len(counts) - 1 - back
        n = counts[t]
        d_cell, d_before = d_cells.narrow(0, 0, n), d_befores.narrow(0, 0, n)
        torch.add(d_outs[t], _window(d_outputs, length + t, 1, n)[0], out=outs[t])
        keys[t].copy_(_window(d_known, length + t, 1, n)[0])
        d_left = torch.addmm(d_before, mades[t], make)
        d_state, d_found = d_left.narrow(1, 0, units), d_left.narrow(1, units, units)
        flat, share = space.narrow(0, 0, length * n * units), weights[t]
        compared, slope = flat.view(length, n, units), space2.narrow(0, 0, length * n * units).view(length, n, units)
        torch.mul(_window(outputs, t, length, n), d_found, out=slope)
        d_scored = torch.ops.aten._softmax_backward_data(torch.sum(slope, 2), share, 0, share.dtype)
        _window(d_outputs, t, length, n).addcmul_(share.unsqueeze(2), d_found)
        torch.addcmul(one, _window(known, t, length, n), askeds[t], out=compared)
        compared.reciprocal_()
        d_score.addmv_(flat.view(length * n, units).t(), d_scored.view(-1))
        torch.addcmul(compared, compared, compared, value=-1, out=slope)
        slope.mul_(d_scored.unsqueeze(2))
        _window(d_known, t, length, n).add_(slope)
        torch.sum(slope, [0], out=d_askeds[t])
        d_ch = torch.mm(d_askeds[t], query)
        d_state.add_(d_ch.narrow(1, units, units))
        d_now = torch.ops.aten.tanh_backward(d_state * leavings[t], bents[t]).add_(d_ch.narrow(1, 0, units)).add_(d_cell)
        last = before if t == 0 else cells[t - 1]
        torch.mul(d_now, news[t], out=d_enters[t])
        torch.mul(d_now, last if last.size(0) == n else last.narrow(0, 0, n), out=d_forgets[t])
        torch.mul(d_state, bents[t], out=d_leavings[t])
        torch.ops.aten.sigmoid_backward(d_threes[t], threes[t], grad_input=d_threes[t])
        torch.ops.aten.tanh_backward(d_now * enters[t], news[t], grad_input=d_news[t])
        torch.mul(d_now, forgets[t], out=d_cell)
        torch.mm(d_gate_s[t], inner, out=d_before)
    return d_gates, d_asked, d_made, d_known[:length], d_score


class _Scan(torch.autograd.Function):
    """The scan with its gradient; no gradient flows into the states at the start."""

    @staticmethod
    def forward(ctx: Any, counts: list[int], *tensors: Tensor) -> Tensors:  # noqa: ANN401 - torch's context
        rows, gates, bent, asked, made, outputs, known, weights = _read(*tensors, counts)
        _, inner, query, _, make, _, minus, first, *_ = tensors
        ctx.counts, ctx.weights = counts, weights
        ctx.save_for_backward(inner, query, make, minus, first, rows, gates, bent, asked, outputs, known)
        return made[:, : len(minus)], rows[len(rows) - counts[-1] :].clone(), outputs[len(counts) :].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:  # noqa: ANN401 - torch's context
        inner, query, make, minus, first, rows, *kept = ctx.saved_tensors
        units = len(minus)
        inner_t, query_t, make_t = inner.t().contiguous(), query.t() * -minus[:, None], make.t().contiguous()
        inner_t[3 * units :] /= 2  # of the candidate, which comes twice
        make_t[units:] *= -minus[:, None]
        d_gates, d_asked, d_made, d_past, d_score = _go_back(gradients[0], inner_t, query_t, make_t, first, rows, *kept, ctx.weights, ctx.counts)
        d_gates[:, 3 * units :] /= 2
        d_asked *= -minus
        d_made[:, units:] *= -minus
        takes = ctx.counts[0]
        d_inner = first[:, units:].t() @ d_gates[:takes] + rows[find_before(ctx.counts, rows.device), units:].t() @ d_gates[takes:]
        d_query, d_make = rows[:, : 2 * units].t() @ d_asked, rows[:, units:].t() @ d_made
        return None, d_gates, d_inner, d_query, d_asked.sum(0), d_make, d_made.sum(0), d_score, None, None, d_past * -minus


def prepare_attention(parts: Parts) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """The weights of a scan: what cell and state ask twice over [2 U, U] and its bias, what state and attended units make [2 U, 2 U], an output and
    twice its key, and its bias, and minus twice the score [U].
    """
    leave, query = parts.leave.weight.T, parts.query
    make, make_bias = torch.cat([leave, 2 * leave @ parts.keys], dim=1), torch.cat([parts.leave.bias, 2 * parts.leave.bias @ parts.keys])
    return 2 * query.weight.T, 2 * query.bias, make, make_bias, -2 * parts.score


def scan_attention(drive: Tensor, inner: Tensor, parts: Parts, states: States, counts: list[int]) -> tuple[Tensor, Tensors]:
    """Run a layer with attention.

    Args:
        drive: float [N, 4 U], what inputs and bias add to the gates.
        inner: float [2 U, 4 U], what the state and then the attended units add to them.
        parts: the attention's weights.
        states: state [B, U], cell [B, U], attended [B, U] and the last outputs [B, L, U], the oldest first.
        counts: takes at each step, B at the first; never more than at the step before.

    Returns:
        outputs float [N, U], and the states of those takes that reach the last step.
    """
    state, cell, attended, past = states
    first, past = torch.cat([cell, state, attended], dim=1).detach(), past.transpose(0, 1).contiguous().detach()
    known = (2 * past @ parts.keys).clamp(-40, 40)
    outputs, last, memory = _Scan.apply(counts, drive, inner, *prepare_attention(parts), first, past, known)  # type: ignore[no-untyped-call]
    cell, state, attended = last.chunk(3, dim=1)
    return outputs, (state, cell, attended, memory[:, : counts[-1]].transpose(0, 1))


def scan_plainly(drive: Tensor, inner: Tensor, parts: Parts, states: States) -> tuple[Tensor, Tensors]:
    """The same in the operations that can be exported.

    Args:
        drive: float [B, T, 4 U].
        inner, parts, states: as for ``scan_attention``.

    Returns:
        outputs float [B, T, U], and the states after the last step.
    """
    weights = parts.query.weight.T, parts.query.bias, parts.keys, parts.score, parts.leave.weight.T, parts.leave.bias
    outputs, *after = _scan_plainly(drive, inner, *weights, *states)
    return outputs, tuple(after)
