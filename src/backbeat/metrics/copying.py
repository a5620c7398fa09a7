"""What copying gets: the figures of a predictor that repeats the real bar of k bars before. Every F1 stands beside them.

Conventions: ``hits`` bool [steps, 9]; ``first_steps`` int64 [bars + 1]. The first k bars have nothing to copy and are left
out of the figures; so is a step that the earlier bar does not have. Task: with history.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Hits
from backbeat.metrics.checks import check_bars
from backbeat.metrics.onsets import micro_f1
from backbeat.metrics.onsets import validate as validate_onsets
from backbeat.units import Ints

BACK = (1, 4)
"""Bars back that are reported."""


def validate(hits: Hits, first_steps: Ints) -> None:
    """Check that bars cover the hits.

    Raises:
        ValueError: hits are not bool [steps, 9], or the bars do not ascend from 0 to the number of steps.
    """
    validate_onsets(hits, hits)
    check_bars(first_steps, len(hits))


def find_sources(first_steps: Ints, back: int) -> tuple[Ints, Ints]:
    """Steps that have a counterpart ``back`` bars before, and that counterpart: two int64 [n].

    Raises:
        ValueError: ``back`` is below 1, or the bars do not ascend from 0.
    """
    if back < 1:
        raise ValueError("back must be at least 1: a bar cannot copy itself")
    if first_steps.shape != (0,):
        check_bars(first_steps)
    steps = np.arange(first_steps[-1] if len(first_steps) else 0)
    bar = np.searchsorted(first_steps, steps, side="right") - 1
    steps, bar = steps[bar >= back], bar[bar >= back]
    sources = first_steps[bar - back] + steps - first_steps[bar]
    there = sources < first_steps[bar - back + 1]
    return steps[there], sources[there]


def step_accuracy(real: Hits, played: Hits) -> float:
    """Share of steps in which all nine classes agree, rests included; nan of nothing.

    Args:
        real, played: bool [steps, 9].
    """
    validate_onsets(real, played)
    return float((real == played).all(axis=1).mean()) if len(real) else float("nan")


def collect_copies(hits: Sequence[Hits], first_steps: Sequence[Ints], back: int) -> tuple[Hits, Hits]:
    """The real steps of several pieces that have a counterpart, and the copies: two bool [n, 9]."""
    kept: list[tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]] = []
    for piece, first in zip(hits, first_steps, strict=True):
        validate(piece, first)
        steps, sources = find_sources(first, back)
        kept.append((piece[steps], piece[sources]))
    if not kept:
        raise ValueError("nothing to evaluate: no piece given")
    return np.concatenate([k[0] for k in kept]), np.concatenate([k[1] for k in kept])


def evaluate(hits: Sequence[Hits], first_steps: Sequence[Ints], backs: Sequence[int] = BACK) -> dict[str, float]:
    """Step accuracy and onset micro F1 of copying each of ``backs`` bars, over the steps of all pieces.

    Args:
        hits: one bool [steps, 9] a piece.
        first_steps: one int64 [bars + 1] a piece.
        backs: bars back.

    Raises:
        ValueError: there is no piece.
    """
    figures = {}
    for back in backs:
        real, copies = collect_copies(hits, first_steps, back)
        figures[f"step_accuracy_{back}"] = step_accuracy(real, copies)
        figures[f"onset_f1_{back}"] = micro_f1(real, copies)
    return figures
