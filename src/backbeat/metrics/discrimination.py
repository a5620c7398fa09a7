"""Whether generated drums can be told from real ones: the classifier two-sample test (C2ST).

Conventions: a window is uint16 [steps] words (2 bars of 16ths = 32); ``groups`` int or str [n] name the take or song of each
window. The figure is the AUC of boosted trees that learn real from generated, on takes they have not seen: 0.5 = cannot be
told apart, 1 = always told apart, a little below 0.5 happens by chance. Folds are grouped by take: windows of one take are
so much alike that trees which know some recognise the rest, and an ungrouped figure is worthless; there is none here. Where a
generated window continues or humanises a real take, give both the same group. Needs the extra ``report`` (scikit-learn).

Source: Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests, ICLR 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, Hits, Words, words_to_hits
from backbeat.errors import MissingExtraError
from backbeat.metrics.checks import check_bars, check_flags, check_numbers, check_words
from backbeat.units import Floats, Ints

STEPS = 32
"""Steps of a window: two bars of 4/4 in 16ths."""
LAGS = (1, 2, 4, 8, 16)
FOLDS = 5
ROUNDS = 60
Groups = npt.NDArray[Any]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FeelWindows:
    """Windows with their feel.

    Args:
        hits: bool [n, steps, 9].
        velocities: float [n, steps, 9] in 0-1.
        offsets: float [n, steps, 9] in steps, positive = late.

    Raises:
        ValueError: shapes differ.
    """

    hits: Hits
    velocities: npt.NDArray[np.floating[Any]]
    offsets: npt.NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        if self.hits.ndim != 3 or self.hits.shape[2] != CLASSES or not self.hits.shape == self.velocities.shape == self.offsets.shape:
            raise ValueError(f"hits, velocities and offsets must all be [n, steps, {CLASSES}]")

    def __len__(self) -> int:
        return len(self.hits)


def find_windows(first_steps: Ints, bars: int = 2, steps: int = STEPS) -> Ints:
    """int64 [n]: the first steps of windows of ``bars`` whole bars, one after the other, that are ``steps`` steps long.

    Windows of another length (another metre, a cut bar, the rest of the piece) are left out.

    Raises:
        ValueError: ``bars`` is below 1, or the bars do not ascend from 0.
    """
    if bars < 1:
        raise ValueError("a window has at least 1 bar")
    check_bars(first_steps)
    starts = np.arange(0, len(first_steps) - bars, bars)
    lengths = first_steps[starts + bars] - first_steps[starts]
    return np.asarray(first_steps[starts[lengths == steps]], dtype=np.int64)


def make_windows(words: Words, first_steps: Ints, bars: int = 2, steps: int = STEPS) -> Words:
    """uint16 [n, steps]: the windows of a piece, see ``find_windows``; silent ones are left out.

    Args:
        words: uint16 [steps of the piece].
        first_steps: int64 [bars + 1].
        bars: bars of a window.
        steps: steps of a window.

    Raises:
        ValueError: these are no words, or the bars do not cover them.
    """
    check_words(words)
    check_bars(first_steps, len(words))
    windows = words[find_windows(first_steps, bars, steps)[:, None] + np.arange(steps)]
    return np.asarray(windows[windows.any(axis=1)], dtype=np.uint16)


def auc(scores: Floats, labels: npt.NDArray[np.bool_]) -> float:
    """Probability that a true case scores above a false one, ties count half (Mann and Whitney 1947).

    Args:
        scores: float [n].
        labels: bool [n].

    Raises:
        ValueError: shapes differ, a label is missing, or a score is not finite.
    """
    check_numbers(scores, "scores")
    check_flags(labels, "labels")
    if scores.shape != labels.shape or scores.ndim != 1 or labels.all() or not labels.any():
        raise ValueError("scores and labels must be [n] of one length, with both labels")
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    true = int(labels.sum())
    return float((ranks[labels].sum() - true * (true + 1) / 2) / (true * (len(labels) - true)))


def describe_windows(windows: Words) -> Singles:
    """float32 [n, features]: what the trees see of hits.

    The hits themselves; hits of each class; different words, rests, hits on the beat and between; for each of ``LAGS`` how
    many steps repeat the word so far back, and how many hits differ; hits that change between two neighbours, by class.

    Args:
        windows: uint16 [n, steps].

    Raises:
        ValueError: they are not.
    """
    check_words(windows, 2)
    hits = words_to_hits(windows)
    flat = hits.reshape(len(windows), -1)
    ordered = np.sort(windows, axis=1)
    parts = [
        flat,
        hits.sum(axis=1),
        1 + (np.diff(ordered, axis=1) != 0).sum(axis=1, keepdims=True),
        (windows == 0).sum(axis=1, keepdims=True),
        np.stack([hits[:, start::4].sum(axis=(1, 2)) for start in range(4)], axis=1),
        hits.sum(axis=2).max(axis=1, keepdims=True),
        (hits[:, 1:] != hits[:, :-1]).sum(axis=1),
    ]
    for lag in (lag for lag in LAGS if lag < windows.shape[1]):
        parts.append((windows[:, lag:] == windows[:, :-lag]).sum(axis=1, keepdims=True))
        parts.append((hits[:, lag:] != hits[:, :-lag]).sum(axis=(1, 2))[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)


def describe_feel(windows: FeelWindows) -> Singles:
    """float32 [n, features]: what the trees see of velocity and timing, nan where nothing is struck.

    Velocity and offset of every cell; their mean and spread by class, and over all; the mean of each by place in the
    quarter; how much they change from one hit of a class to the same cell a bar (half a window) later.
    """
    parts = []
    for values in (windows.velocities, windows.offsets):
        struck = np.where(windows.hits, values, np.nan).astype(np.float64)
        half = struck.shape[1] // 2
        parts.append(struck.reshape(len(struck), -1))
        parts += [_mean(struck, (1,)), _spread(struck, (1,)), _mean(struck, (1, 2))[:, None], _spread(struck, (1, 2))[:, None]]
        parts += [_mean(struck[:, start::4], (1, 2))[:, None] for start in range(4)]
        parts.append(_mean(np.abs(struck[:, half : 2 * half] - struck[:, :half]), (1, 2))[:, None])
    return np.concatenate(parts, axis=1).astype(np.float32)


def _mean(values: Floats, axes: tuple[int, ...]) -> Floats:
    """Mean of what is there, nan of nothing, without a warning."""
    there = np.isfinite(values)
    count = there.sum(axis=axes)
    total = np.where(there, values, 0).sum(axis=axes)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0), dtype=np.float64)


def _spread(values: Floats, axes: tuple[int, ...]) -> Floats:
    centre = np.expand_dims(_mean(values, axes), axes)
    return np.asarray(np.sqrt(_mean((values - centre) ** 2, axes)), dtype=np.float64)


def validate(real: Singles, real_groups: Groups, generated: Singles, generated_groups: Groups, folds: int) -> None:
    """Check that windows can be told apart fold by fold.

    Raises:
        ValueError: a window lacks its group, or either side has fewer groups than folds.
    """
    for name, windows, groups in (("real", real, real_groups), ("generated", generated, generated_groups)):
        if groups.ndim != 1 or groups.dtype.kind not in "iuUSO" or len(windows) != len(groups):
            raise ValueError(f"{len(windows)} {name} windows with groups {groups.dtype} {groups.shape}")
        if len(np.unique(groups)) < folds:
            raise ValueError(f"{len(np.unique(groups))} {name} takes are too few for {folds} folds")
    if folds < 2:
        raise ValueError("at least 2 folds")


def assign_folds(groups: Groups, labels: npt.NDArray[np.bool_], folds: int, seed: int) -> Ints:
    """int64 [n]: the fold of each window, all of a group in one, both labels spread evenly.

    Groups are dealt out from large to small (those of one size at random), each to the fold that has fewest of its windows.
    """
    names, place = np.unique(groups, return_inverse=True)
    sizes = np.stack([np.bincount(place[labels == side], minlength=len(names)) for side in (False, True)], axis=1)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-sizes.sum(axis=1)[shuffled], kind="stable")]
    filled, chosen = np.zeros((folds, 2)), np.zeros(len(names), np.int64)
    totals = np.maximum(sizes.sum(axis=0), 1)
    for group in order:
        chosen[group] = int(np.argmin((filled / totals) @ (sizes[group] > 0)))
        filled[chosen[group]] += sizes[group]
    return np.asarray(chosen[place], dtype=np.int64)


def _make_trees(seed: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """A maker of classifiers, and of a guard that keeps them on one thread (several wait for one another)."""
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "report") from error
    options = {"max_iter": ROUNDS, "learning_rate": 0.1, "max_leaf_nodes": 15, "min_samples_leaf": 10, "l2_regularization": 1.0}
    make = lambda: HistGradientBoostingClassifier(**options, class_weight="balanced", early_stopping=False, random_state=seed)  # noqa: E731
    return make, lambda: threadpool_limits(1)


def _compare(real: Singles, real_groups: Groups, generated: Singles, generated_groups: Groups, folds: int, seed: int) -> float:
    validate(real, real_groups, generated, generated_groups, folds)
    make, one_thread = _make_trees(seed)
    x = np.concatenate([real, generated])
    labels = np.arange(len(x)) >= len(real)
    fold = assign_folds(np.concatenate([real_groups, generated_groups]), labels, folds, seed)
    figures, sizes = [], []
    with one_thread():
        for held in range(folds):
            inside, outside = fold == held, fold != held
            if len(np.unique(labels[inside])) < 2 or len(np.unique(labels[outside])) < 2:
                continue
            seen = np.isfinite(x[outside]).any(axis=0)  # the trees refuse a feature that training never has
            scores = make().fit(x[outside][:, seen], labels[outside]).predict_proba(x[inside][:, seen])[:, 1]
            figures.append(auc(scores, labels[inside]))
            sizes.append(inside.sum())
    if not figures:
        raise ValueError("no fold holds both real and generated windows: give more takes")
    return float(np.average(figures, weights=sizes))


def c2st(real: Words, real_groups: Groups, generated: Words, generated_groups: Groups, *, folds: int = FOLDS, seed: int = 0) -> float:
    """AUC of boosted trees between real and generated windows, the mean over folds of takes.

    Args:
        real: uint16 [n, steps].  real_groups: [n], the take of each.
        generated: uint16 [m, steps].  generated_groups: [m], the take of each; one name on both sides is one take.
        folds: number of folds.
        seed: of the folds and the trees.

    Raises:
        ValueError: windows differ in length, lack groups, or have fewer takes than folds.
        MissingExtraError: scikit-learn is not installed.
    """
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1] != generated.shape[1]:
        raise ValueError(f"windows must be [n, steps] of one length, not {real.shape} and {generated.shape}")
    return _compare(describe_windows(real), real_groups, describe_windows(generated), generated_groups, folds, seed)


def c2st_feel(real: FeelWindows, real_groups: Groups, generated: FeelWindows, generated_groups: Groups, *, folds: int = FOLDS, seed: int = 0) -> float:
    """The same for humanising: the trees see velocities and offsets; hits are meant to be the same on both sides.

    Args:
        real, generated: the windows.
        real_groups, generated_groups: [n] each, the take of each; the humanised take has the name of the real one.
        folds: number of folds.
        seed: of the folds and the trees.

    Raises:
        ValueError: windows differ in length, lack groups, or have fewer takes than folds.
        MissingExtraError: scikit-learn is not installed.
    """
    if real.hits.shape[1] != generated.hits.shape[1]:
        raise ValueError(f"windows must be of one length, not {real.hits.shape[1]} and {generated.hits.shape[1]} steps")
    return _compare(describe_feel(real), real_groups, describe_feel(generated), generated_groups, folds, seed)
