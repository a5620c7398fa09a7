"""The original NeuralDrummer's training: random windows of nine half-beats of tokens, the ninth to be told from the eight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbeat.codecs.intensity import encode_steps, tokenise
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.kits import Kit, load_kit
from backbeat.networks.neural_drummer import NeuralDrummer, NeuralDrummerConfig
from backbeat.training.loop import Figures, Outcome, Schedule

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class WindowRecipe(Schedule):
    """How the original is trained: ten epochs, each a batch of 50 random windows for every 50 files (7,000 here).

    Args:
        units, dropout: of the network.  kit: of the classes.
        cutoff: for the F1 that validation tells.
        every: learn from every n-th file.  measured: files of the validation data that are measured on, 0 = all.
    """

    updates: int = 1400
    batch: int = 50
    rate: float = 1e-3
    validate_every: int = 140
    units: int = 512
    dropout: float = 0.3
    kit: str = "neuraldrummer_6"
    cutoff: float = 0.2
    every: int = 1
    measured: int = 60


def read_rows(sources: Sequence[Source], kit: Kit, window: int) -> list[Rows]:
    """The files that the tokeniser takes, as the network reads them: float32 [half-beats, classes + 1] each.

    Files whose intensity never changes are left out, too: the original learns from their NaN.

    Raises:
        InputError: none is left.
    """
    files = []
    for source in sources:
        try:
            rows = encode_steps(tokenise(source.read()), kit)
        except InputError:
            continue
        if len(rows) > window and np.isfinite(rows).all():
            files.append(rows)
    if not files:
        raise InputError(f"none of {len(sources)} pieces can be learned from: the original needs MIDI files with drums on channel 10, not a corpus")
    return files


class WindowTask:
    """The original's network, its files and its loss.

    Args:
        recipe: how.
        train, held: to learn from and to measure on, see ``read_rows``.
    """

    target = "loss"

    def __init__(self, recipe: WindowRecipe, train: Sequence[Rows], held: Sequence[Rows]) -> None:
        self.recipe, self.files = recipe, train
        sizes = NeuralDrummerConfig(len(load_kit(recipe.kit)), units=recipe.units, dropout=recipe.dropout)
        self.network: nn.Module = NeuralDrummer(sizes)
        self.window = sizes.window
        self.held = draw_windows(held, 4000, self.window, np.random.default_rng(recipe.seed))

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Binary cross-entropy, mean over windows and classes."""
        rng = np.random.default_rng([self.recipe.seed, update, share])
        logits, targets = self._run(draw_windows(self.files, self.recipe.batch, self.window, rng))
        loss = functional.binary_cross_entropy_with_logits(logits, targets)
        return Outcome(loss, {"loss": float(loss.detach()), "f1": self._measure(logits.detach(), targets)})

    def _run(self, windows: Rows) -> tuple[Tensor, Tensor]:
        batch = torch.from_numpy(windows).to(next(self.network.parameters()).device)
        return self.network(batch[:, :-1])[0], batch[:, -1, :-1]

    def _measure(self, logits: Tensor, targets: Tensor) -> float:
        hits, real = torch.sigmoid(logits) >= self.recipe.cutoff, targets > 0
        return float(2 * (hits & real).sum() / (hits.sum() + real.sum()).clamp(min=1))

    def validate(self) -> Figures:
        """The same on windows of held-out files, with real half-beats before each."""
        parts = [self._run(part) for part in np.array_split(self.held, 8)]
        logits, targets = (torch.cat(column) for column in zip(*parts, strict=True))
        loss = functional.binary_cross_entropy_with_logits(logits, targets)
        return {"loss": float(loss), "f1": self._measure(logits, targets)}

    def state(self) -> dict[str, Tensor]:
        """Nothing is carried."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing is."""


def draw_windows(files: Sequence[Rows], count: int, window: int, rng: np.random.Generator) -> Rows:
    """Random windows of random files, each file as likely as any: float32 [count, window + 1, classes + 1]."""
    chosen = rng.integers(0, len(files), count).tolist()
    starts = [int(rng.integers(0, len(files[index]) - window)) for index in chosen]
    return np.stack([files[index][start : start + window + 1] for index, start in zip(chosen, starts, strict=True)])
