"""How many of a drummer's onsets a model plays: F1 on the exact 16th.

Conventions: ``real`` and ``played`` are bool [steps, 9], classes of ``drums_rnn_9``; an onset counts as found only in its own
step and class. F1 is 2 TP / (real + played) and 0 where that is 0/0, except in means over bars or songs, which leave out
what is silent on both sides (otherwise silence would score). *Song-only* (no real drums given) and *with history* (given
the real past) are different tasks: never put them in one column.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backbeat.codecs.words import CLASSES, Hits
from backbeat.kits import load_kit
from backbeat.metrics.checks import check_bars
from backbeat.units import Floats, Ints


def validate(real: Hits, played: Hits) -> None:
    """Check that two drum tracks can be compared.

    Raises:
        ValueError: shapes differ, are not [steps, 9], or the arrays are not bool.
    """
    if real.shape != played.shape or real.ndim != 2 or real.shape[1] != CLASSES:
        raise ValueError(f"real and played must both be [steps, {CLASSES}], not {real.shape} and {played.shape}")
    if real.dtype != np.bool_ or played.dtype != np.bool_:
        raise ValueError("real and played must be bool")


def _f1(found: Ints, both: Ints) -> Floats:
    return np.asarray(2 * found / np.maximum(both, 1), dtype=np.float64)


def micro_f1(real: Hits, played: Hits) -> float:
    """F1 over all onsets of all classes."""
    validate(real, played)
    return float(_f1((real & played).sum(), real.sum() + played.sum()))


def class_f1(real: Hits, played: Hits) -> Floats:
    """float64 [9]: F1 of each class."""
    validate(real, played)
    return _f1((real & played).sum(axis=0), real.sum(axis=0) + played.sum(axis=0))


def bar_mean_f1(real: Hits, played: Hits, first_steps: Ints) -> float:
    """Mean over bars of the bar's micro F1; bars silent on both sides are left out, nan where all are.

    Args:
        real, played: bool [steps, 9].
        first_steps: int64 [bars + 1], where each bar starts and the last one ends.

    Raises:
        ValueError: the bars do not cover the steps.
    """
    validate(real, played)
    check_bars(first_steps, len(real))
    found = np.add.reduceat((real & played).sum(axis=1), first_steps[:-1])
    both = np.add.reduceat(real.sum(axis=1) + played.sum(axis=1), first_steps[:-1])
    return _mean_heard(_f1(found, both), both)


def song_mean_f1(real: Sequence[Hits], played: Sequence[Hits]) -> float:
    """Mean over songs of the song's micro F1; songs silent on both sides are left out, nan where all are."""
    scores = np.array([micro_f1(r, p) for r, p in zip(real, played, strict=True)])
    return _mean_heard(scores, np.array([r.sum() + p.sum() for r, p in zip(real, played, strict=True)]))


def _mean_heard(scores: Floats, onsets: Ints) -> float:
    return float(scores[onsets > 0].mean()) if (onsets > 0).any() else float("nan")


def evaluate(real: Sequence[Hits], played: Sequence[Hits], first_steps: Sequence[Ints]) -> dict[str, float]:
    """All figures over several songs: micro, bar mean and song mean, precision, recall, and F1 by class name.

    Args:
        real, played: one bool [steps, 9] a song.
        first_steps: one int64 [bars + 1] a song.

    Raises:
        ValueError: there is no song, or one of them does not fit.
    """
    for ours, theirs, first in zip(real, played, first_steps, strict=True):
        validate(ours, theirs)
        check_bars(first, len(ours))
    all_real, all_played = np.concatenate(list(real)), np.concatenate(list(played))
    lengths = np.cumsum([0, *(len(r) for r in real)])
    bars = np.concatenate([*(f[:-1] + at for f, at in zip(first_steps, lengths, strict=False)), lengths[-1:]])
    found = (all_real & all_played).sum()
    figures = {
        "micro_f1": micro_f1(all_real, all_played),
        "bar_mean_f1": bar_mean_f1(all_real, all_played, bars),
        "song_mean_f1": song_mean_f1(real, played),
        "precision": float(found / max(all_played.sum(), 1)),
        "recall": float(found / max(all_real.sum(), 1)),
    }
    return figures | dict(zip(load_kit("drums_rnn_9").names, class_f1(all_real, all_played).tolist(), strict=True))
