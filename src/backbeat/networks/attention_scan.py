"""Attention around a recurrent layer, step by step: the scan of ``AttentionCellWrapper`` (TensorFlow 1; after Vinyals et al. 2014).

At each step the layer is driven by the input and by what was attended to one step before; its state asks, the last outputs answer, and
the mixture of output and answer is the output that is remembered. The gradient is written out by hand: outputs and what they are
compared by stand in one buffer of which each step sees a window, and gradients of weights are taken once, behind the last step;
that is some twenty times quicker than recording every step. Of tanh(key + question) nothing but exp(2 key) and exp(2 question) is needed:
tanh(x) = 1 - 2 / (1 + exp(2 x)), and what is the same for all keys leaves the softmax. Shapes: B takes, T steps, U units, L outputs attended to.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

Tensors = tuple[Tensor, ...]


class Parts(Protocol):
    """The parts of the attention, see ``drums_rnn.Attention``."""

    length: int
    query: nn.Linear
    keys: nn.Parameter
    score: nn.Parameter
    leave: nn.Linear


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
    """The same without a gradient by hand: what is exported, and what the other is tested against."""
    outputs: list[Tensor] = []
    memory, known = past, past @ keys
    for step in range(drive.size(1)):
        gates = drive[:, step] + torch.cat([attended, state], dim=1) @ inner
        enter, forget, new, leaving = gates.chunk(4, dim=1)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        state = torch.sigmoid(leaving) * torch.tanh(cell)
        asked = torch.cat([cell, state], dim=1) @ query + query_bias
        weights = torch.softmax(torch.tanh(known + asked.unsqueeze(1)) @ score, dim=1)
        attended = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)
        output = torch.cat([state, attended], dim=1) @ leave + leave_bias
        memory = torch.cat([memory[:, 1:], output.unsqueeze(1)], dim=1)
        known = torch.cat([known[:, 1:], (output @ keys).unsqueeze(1)], dim=1)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state, cell, attended, memory


def _square_exp(values: Tensor) -> Tensor:
    """exp(2 x), kept within what can be multiplied with another such without becoming 0 times infinity."""
    return values.clamp(-20, 20).mul_(2).exp_()


class _Scan(torch.autograd.Function):
    """The scan with its gradient; no gradient flows into the states at the start."""

    @staticmethod
    def forward(ctx: Any, length: int, active: list[int], *tensors: Tensor) -> Tensors:  # noqa: ANN401 - torch's context
        drive, inner, query, query_bias, keys, score, leave, leave_bias, state, cell, attended, past = tensors
        batch, steps, units = drive.shape[0], drive.shape[1], state.shape[1]
        kept = {name: drive.new_zeros(steps, batch, n * units) for name, n in (("z", 2), ("gates", 4), ("ch", 2), ("ha", 2), ("asked", 1))}
        weights = drive.new_zeros(steps, length, batch)
        outputs, known = drive.new_zeros(2, length + steps, batch, units)
        outputs[:length], known[:length] = past.transpose(0, 1), _square_exp((past @ keys).transpose(0, 1))
        cells = torch.cat([cell[None], drive.new_zeros(steps, batch, units)])
        state, attended, minus, one = state.clone(), attended.clone(), -2 * score, drive.new_ones(())
        for t, n in enumerate(active):
            z, gates, ch, ha, asked = (kept[name][t, :n] for name in ("z", "gates", "ch", "ha", "asked"))
            z[:, :units], z[:, units:] = attended[:n], state[:n]
            torch.addmm(drive[:n, t], z, inner, out=gates)
            gates[:, : 2 * units].sigmoid_()
            gates[:, 2 * units : 3 * units].tanh_()
            gates[:, 3 * units :].sigmoid_()
            enter, forget, new, leaving = gates.chunk(4, dim=1)
            now = torch.addcmul(forget * cells[t, :n], enter, new)
            cells[t + 1, :n], ch[:, :units] = now, now
            torch.mul(leaving, now.tanh(), out=ch[:, units:])
            asked[:] = _square_exp(torch.addmm(query_bias, ch, query))
            window = outputs[t : t + length, :n]
            compared = torch.addcmul(one, known[t : t + length, :n], asked).reciprocal_()
            weights[t, :, :n] = torch.softmax(compared @ minus, dim=0)
            ha[:, :units] = ch[:, units:]
            torch.sum(window * weights[t, :, :n, None], 0, out=ha[:, units:])
            torch.addmm(leave_bias, ha, leave, out=outputs[length + t, :n])
            known[length + t, :n] = _square_exp(outputs[length + t, :n] @ keys)
            state[:n], attended[:n] = ch[:, units:], ha[:, units:]
        ctx.length, ctx.active = length, active
        ctx.save_for_backward(inner, query, keys, score, leave, outputs, known, cells, weights, *kept.values())
        return outputs[length:].transpose(0, 1).contiguous(), state, cells[-1].clone(), attended, outputs[steps:].transpose(0, 1).contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:  # noqa: ANN401 - torch's context
        inner, query, keys, score, leave, outputs, known, cells, weights, z, gates, ch, ha, asked = ctx.saved_tensors
        length, units = ctx.length, keys.shape[0]
        d_outputs, d_known = torch.zeros_like(outputs), torch.zeros_like(known)
        d_outputs[length:] = gradients[0].transpose(0, 1)
        d_gates, d_asked, d_score = torch.zeros_like(gates), torch.zeros_like(asked), torch.zeros_like(score)
        d_cell, d_z = torch.zeros_like(cells[0]), torch.zeros_like(z[0])
        inner_t, query_t, keys_t, leave_t = inner.t().contiguous(), query.t().contiguous(), keys.t().contiguous(), leave.t().contiguous()
        one, four = z.new_ones(()), 4 * score
        for t in range(len(ctx.active) - 1, -1, -1):
            n = ctx.active[t]
            d_output = d_outputs[length + t, :n].addmm_(d_known[length + t, :n], keys_t)
            d_ha = d_output @ leave_t
            d_attended = d_ha[:, units:] + d_z[:n, :units]
            window, share = outputs[t : t + length, :n], weights[t, :, :n]
            compared = torch.addcmul(one, known[t : t + length, :n], asked[t, :n]).reciprocal_()
            d_share = torch.sum(window * d_attended, 2)
            d_outputs[t : t + length, :n].addcmul_(share[..., None], d_attended)
            d_scored = share * (d_share - (share * d_share).sum(0))
            d_score.addmv_(compared.reshape(-1, units).t(), d_scored.reshape(-1), alpha=-2)
            slope = torch.addcmul(compared, compared, compared, value=-1).mul_(four).mul_(d_scored[..., None])
            d_known[t : t + length, :n] += slope
            torch.sum(slope, 0, out=d_asked[t, :n])
            d_ch = d_asked[t, :n] @ query_t
            d_state = d_ha[:, :units] + d_ch[:, units:] + d_z[:n, units:]
            enter, forget, new, leaving = gates[t, :n].chunk(4, dim=1)
            bent = cells[t + 1, :n].tanh()
            d_now = d_cell[:n] + d_ch[:, :units] + d_state * leaving * (1 - bent * bent)
            parts = [d_now * new * enter * (1 - enter), d_now * cells[t, :n] * forget * (1 - forget)]
            parts += [d_now * enter * (1 - new * new), d_state * bent * leaving * (1 - leaving)]
            torch.cat(parts, dim=1, out=d_gates[t, :n])
            d_cell[:n] = d_now * forget
            d_z[:n] = d_gates[t, :n] @ inner_t

        def pair(inputs: Tensor, gradient: Tensor) -> Tensor:
            return inputs.reshape(-1, inputs.shape[-1]).t() @ gradient.reshape(-1, gradient.shape[-1])

        d_made = d_outputs[length:]
        d_weights = (pair(z, d_gates), pair(ch, d_asked), d_asked.sum((0, 1)), pair(outputs, d_known), d_score, pair(ha, d_made), d_made.sum((0, 1)))
        return (None, None, d_gates.transpose(0, 1), *d_weights, None, None, None, None)


def scan_attention(
    drive: Tensor, inner: Tensor, parts: Parts, states: tuple[Tensor, Tensor, Tensor, Tensor], active: list[int] | None = None
) -> tuple[Tensor, Tensors]:
    """Run a layer with attention.

    Args:
        drive: float [B, T, 4 U], what inputs and bias add to the gates.
        inner: float [2 U, 4 U], what the attended units and then the state add to them.
        parts: the attention's weights.
        states: state [B, U], cell [B, U], attended [B, U] and the last outputs [B, L, U], the oldest first.
        active: how many takes, the first ones, go on at each step; none = all. Outputs of those that have ended are 0.

    Returns:
        outputs float [B, T, U], and the states after the last step.
    """
    weights = parts.query.weight.T, parts.query.bias, parts.keys, parts.score, parts.leave.weight.T, parts.leave.bias
    if torch.onnx.is_in_onnx_export():
        outputs, *after = _scan_plainly(drive, inner, *weights, *states)
    else:
        outputs, *after = _Scan.apply(parts.length, active or [len(drive)] * drive.shape[1], drive, inner, *weights, *states)  # type: ignore[no-untyped-call]
    return outputs, tuple(after)
