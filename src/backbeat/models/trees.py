"""Boosted trees on the band's onsets around each step: the strongest floor without memory.

One histogram-gradient-boosted classifier a class, thresholds chosen on validation. Scikit-learn (extra ``train``) grows the
trees; they are kept as plain arrays and asked with numpy, so that playing needs no scikit-learn and a checkpoint no pickle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, Hits
from backbeat.errors import MissingExtraError, ModelError
from backbeat.models.floors import THRESHOLDS
from backbeat.models.protocol import LANES, Arrays, Piece
from backbeat.units import Floats

REACH = 8
"""Steps that are looked at before and after."""

FEATURES = len(LANES) * (2 * REACH + 2) + 4
"""Columns of ``describe_steps``."""


def describe_steps(piece: Piece) -> npt.NDArray[np.float32]:
    """float32 [steps, features]: onsets of each lane at -REACH ... REACH steps, the band's onsets in the bar, place and bar length."""
    onsets, grid = piece.band_onsets, piece.grid
    padded = np.pad(np.minimum(onsets, 4), ((REACH, REACH), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=0).reshape(grid.steps, -1)
    bar = grid.bar_of_step
    in_bar = np.add.reduceat(onsets, grid.first_steps[:-1], axis=0)[bar]
    place = np.stack([grid.step_in_bar, grid.bar_steps[bar], piece.active_bars[bar], bar % 4], axis=1)
    return np.concatenate([around, in_bar, place], axis=1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Forest:
    """Boosted trees of one class as plain arrays; the nodes of all trees stand one behind the other.

    Args:
        roots: int32 [trees], the first node of each tree.
        features: int32 [nodes], the column that is asked.  thresholds: float64 [nodes]: up to it the sample goes left.
        left, right: int32 [nodes], the next node; a leaf names itself.
        values: float64 [nodes], what a leaf adds, in logits.
        baseline: logits before the first tree; infinite where the class is always hit, or never.
    """

    roots: npt.NDArray[np.int32]
    features: npt.NDArray[np.int32]
    thresholds: Floats
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    values: Floats
    baseline: float

    @classmethod
    def constant(cls, hit: bool) -> Forest:
        """No tree: always a hit, or never."""
        none = np.zeros(0, np.int32)
        return cls(none, none, np.zeros(0), none, none, np.zeros(0), np.inf if hit else -np.inf)

    @classmethod
    def of_classifier(cls, classifier: Any) -> Forest:  # noqa: ANN401 - scikit-learn has no types
        """The trees of a fitted ``HistGradientBoostingClassifier`` of two classes."""
        nodes = [predictor.nodes for (predictor,) in classifier._predictors]
        roots = np.cumsum([0, *(len(n) for n in nodes)])[:-1].astype(np.int32)
        every = np.concatenate(nodes)
        own, first = np.arange(len(every)), np.repeat(roots, [len(n) for n in nodes])
        leaf = every["is_leaf"].astype(np.bool_)
        left, right = (np.where(leaf, own, first + every[side]).astype(np.int32) for side in ("left", "right"))
        features, thresholds = np.where(leaf, 0, every["feature_idx"]).astype(np.int32), np.where(leaf, 0, every["num_threshold"])
        return cls(roots, features, thresholds, left, right, every["value"].astype(np.float64), float(classifier._baseline_prediction.item()))

    def predict(self, x: npt.NDArray[np.float32]) -> Floats:
        """float64 [n]: the probability of a hit.

        Args:
            x: float32 [n, features].
        """
        logits = np.full(len(x), self.baseline)
        at = np.broadcast_to(self.roots, (len(x), len(self.roots))).ravel()
        rows = np.repeat(np.arange(len(x)), len(self.roots))
        going = np.arange(len(at))
        at = at.copy()
        while len(going):
            here = at[going]
            below = np.where(x[rows[going], self.features[here]] <= self.thresholds[here], self.left[here], self.right[here])
            at[going] = below
            going = going[below != here]
        for values in self.values[at].reshape(len(x), -1).T:  # tree by tree, as scikit-learn adds them
            logits += values
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float64)


class BoostedTrees:
    """The trees.

    Args:
        steps: training steps that are drawn from all pieces (a time budget: 60,000 take under a minute on one core).
        rounds: boosting rounds a class.
        seed: of the draw.
    """

    name = "boosted trees on band"

    def __init__(self, steps: int = 60_000, rounds: int = 60, seed: int = 0) -> None:
        self._steps, self._rounds, self._seed = steps, rounds, seed
        self._forests: list[Forest] = []
        self.thresholds = np.full(CLASSES, 0.5)

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Fit on ``steps`` steps drawn evenly from the pieces.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            ModelError: there is no piece.
        """
        kept = list(pieces)
        total = sum(p.grid.steps for p in kept)
        if not total:
            raise ModelError("boosted trees have nothing to learn from")
        rng, share = np.random.default_rng(self._seed), min(1.0, self._steps / total)
        features, targets = [], []
        for piece in kept:
            chosen = rng.random(piece.grid.steps) < share
            features.append(describe_steps(piece)[chosen])
            targets.append(piece.hits[chosen])
        x, y = np.concatenate(features), np.concatenate(targets)
        self._forests = _grow(x, y, self._rounds, self._seed)

    def predict(self, piece: Piece) -> Floats:
        """float64 [steps, 9]: the probability of each hit; 0 where the band rests.

        Raises:
            ModelError: the trees are not fitted.
        """
        if not self._forests:
            raise ModelError("boosted trees are not fitted")
        x = describe_steps(piece)
        columns = [forest.predict(x) for forest in self._forests]
        return np.stack(columns, axis=1) * piece.active_bars[piece.grid.bar_of_step][:, None]

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Choose the classes' thresholds with the best micro F1."""
        kept = list(pieces)
        real, expected = np.concatenate([p.hits for p in kept]), np.concatenate([self.predict(p) for p in kept])
        self.thresholds = choose_thresholds(real, expected)

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: see the class."""
        return np.asarray(self.predict(piece) > self.thresholds, dtype=np.bool_)

    def pack(self) -> tuple[dict[str, Any], Arrays]:
        """What is kept of the model.

        Raises:
            ModelError: it is not fitted.
        """
        if not self._forests:
            raise ModelError("boosted trees are not fitted: there is nothing to keep")
        arrays: Arrays = {f"{n}.{name}": np.asarray(getattr(forest, name)) for n, forest in enumerate(self._forests) for name in _FIELDS}
        return {"steps": self._steps, "rounds": self._rounds, "seed": self._seed}, arrays | {"thresholds": self.thresholds}

    def unpack(self, settings: dict[str, Any], arrays: Arrays) -> None:
        """Become the model that was packed."""
        self._steps, self._rounds, self._seed = (int(settings[name]) for name in ("steps", "rounds", "seed"))
        self._forests = [_restore({name: arrays[f"{n}.{name}"] for name in _FIELDS}) for n in range(CLASSES)]
        self.thresholds = np.asarray(arrays["thresholds"], dtype=np.float64)
        if self.thresholds.shape != (CLASSES,):
            raise ValueError("boosted trees need a threshold a class")


_FIELDS = tuple(f.name for f in fields(Forest))


def _grow(x: npt.NDArray[np.float32], y: Hits, rounds: int, seed: int) -> list[Forest]:
    """One forest a class."""
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "train") from error
    options = {"max_iter": rounds, "learning_rate": 0.15, "early_stopping": False, "random_state": seed}
    with threadpool_limits(1):  # on a busy machine the trees' threads wait for one another far longer than they work
        return [
            Forest.of_classifier(HistGradientBoostingClassifier(**options).fit(x, column))
            if column.any() and not column.all()
            else Forest.constant(bool(column.all()))
            for column in y.T
        ]


def _restore(arrays: Arrays) -> Forest:
    nodes = len(arrays["values"])
    indices = [arrays[name] for name in ("roots", "left", "right")]
    if any(len(arrays[name]) != nodes for name in ("features", "thresholds", "left", "right")):
        raise ValueError("a tree has arrays of different lengths")
    if any(i.dtype != np.int32 or (len(i) and not 0 <= i.min() <= i.max() < nodes) for i in indices):
        raise ValueError("a tree names a node that it does not have")
    own = np.arange(nodes)
    if np.any((arrays["left"] < own) | (arrays["right"] < own)):
        raise ValueError("a tree runs in a circle")
    if nodes and not 0 <= arrays["features"].min() <= arrays["features"].max() < FEATURES:
        raise ValueError("a tree asks for a feature that there is not")
    return Forest(**(arrays | {"baseline": float(arrays["baseline"])}))  # type: ignore[arg-type]


def choose_thresholds(real: Hits, expected: Floats, rounds: int = 5) -> Floats:
    """One threshold a class, such that the micro F1 of all together is best; 1 leaves a class out.

    Each class in turn takes the best threshold given those of the others.

    Args:
        real: bool [steps, 9].
        expected: float64 [steps, 9], the probability of each hit.
        rounds: how often to go round the classes.

    Returns:
        float64 [9].
    """
    tried = np.append(THRESHOLDS, 1.0)
    played = [expected > t for t in tried]
    found, both = np.stack([(p & real).sum(axis=0) for p in played]), np.stack([p.sum(axis=0) + real.sum(axis=0) for p in played])
    chosen, classes = np.full(CLASSES, len(tried) // 2), np.arange(CLASSES)
    for _ in range(rounds):
        for column in classes:
            others = classes != column
            all_found = found[:, column] + found[chosen[others], classes[others]].sum()
            all_both = both[:, column] + both[chosen[others], classes[others]].sum()
            chosen[column] = int(np.argmax(all_found / np.maximum(all_both, 1)))
    return np.asarray(tried[chosen], dtype=np.float64)
