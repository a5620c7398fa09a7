"""Boosted trees on the band's onsets around each step: the strongest floor without memory.

One histogram-gradient-boosted classifier a class (scikit-learn, extra ``train``), thresholds chosen on validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, Hits
from backbeat.errors import MissingExtraError, ModelError
from backbeat.models.floors import THRESHOLDS
from backbeat.models.protocol import Piece
from backbeat.units import Floats

REACH = 8
"""Steps that are looked at before and after."""


def describe_steps(piece: Piece) -> npt.NDArray[np.float32]:
    """float32 [steps, features]: onsets of each lane at -REACH ... REACH steps, the band's onsets in the bar, place and bar length."""
    onsets, grid = piece.band_onsets, piece.grid
    padded = np.pad(np.minimum(onsets, 4), ((REACH, REACH), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=0).reshape(grid.steps, -1)
    bar = grid.bar_of_step
    in_bar = np.add.reduceat(onsets, grid.first_steps[:-1], axis=0)[bar]
    place = np.stack([grid.step_in_bar, grid.bar_steps[bar], piece.active_bars[bar], bar % 4], axis=1)
    return np.concatenate([around, in_bar, place], axis=1).astype(np.float32)


class BoostedTrees:
    """The trees.

    Args:
        steps: training steps that are drawn from all pieces (a time budget: 60,000 take under a minute on one core).
        rounds: boosting rounds a class.
        seed: of the draw.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """

    name = "boosted trees on band"

    def __init__(self, steps: int = 60_000, rounds: int = 60, seed: int = 0) -> None:
        try:
            from sklearn.ensemble import HistGradientBoostingClassifier
            from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
        except ImportError as error:
            raise MissingExtraError("scikit-learn", "train") from error
        options = {"max_iter": rounds, "learning_rate": 0.15, "early_stopping": False, "random_state": seed}
        self._make: Callable[[], Any] = lambda: HistGradientBoostingClassifier(**options)
        # One thread: on a busy machine the trees' threads wait for one another far longer than they work.
        self._one_thread: Callable[[], Any] = lambda: threadpool_limits(1)
        self._steps, self._seed = steps, seed
        self._trees: list[Any] = []
        self.thresholds = np.full(CLASSES, 0.5)

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Fit on ``steps`` steps drawn evenly from the pieces.

        Raises:
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
        with self._one_thread():
            self._trees = [self._make().fit(x, column) if column.any() and not column.all() else bool(column.all()) for column in y.T]

    def predict(self, piece: Piece) -> Floats:
        """float64 [steps, 9]: the probability of each hit; 0 where the band rests.

        Raises:
            ModelError: the trees are not fitted.
        """
        if not self._trees:
            raise ModelError("boosted trees are not fitted")
        x = describe_steps(piece)
        with self._one_thread():
            columns = [np.full(len(x), float(t)) if isinstance(t, bool) else t.predict_proba(x)[:, 1] for t in self._trees]
        return np.stack(columns, axis=1) * piece.active_bars[piece.grid.bar_of_step][:, None]

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Choose the classes' thresholds with the best micro F1."""
        kept = list(pieces)
        real, expected = np.concatenate([p.hits for p in kept]), np.concatenate([self.predict(p) for p in kept])
        self.thresholds = choose_thresholds(real, expected)

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: see the class."""
        return np.asarray(self.predict(piece) > self.thresholds, dtype=np.bool_)


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
