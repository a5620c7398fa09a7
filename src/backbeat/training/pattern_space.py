"""Training of pattern spaces: AE, VAE and ACAI of the paper, and a wider one, all by the common loop.

Losses, per pattern of 448 cells: the cross-entropy of the hits (in nats), and besides

    vae   ``beta`` times the Kullback-Leibler divergence of the posterior from N(0, 1);
    acai  ``penalty`` (lambda, 0.5) times the square of the critic's guess for a decoded mixture ``a z1 + (1 - a) z2``, a in [0, 0.5]: the
          critic should take it for no mixture. The critic itself descends (guess - a)^2 for such mixtures, and guess^2 for
          ``gamma x + (1 - gamma) x'`` of a pattern and its reconstruction (gamma 0.2); neither moves the other's weights.
          As in Berthelot et al. (arXiv 1807.07543) all are means over cells, so here the penalty is multiplied by the number of cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from backbeat.codecs.patterns import CLASSES, Patterns, hash_patterns, hits_to_patterns, patterns_to_hits
from backbeat.datasets.mining import Rules, mine
from backbeat.datasets.pattern_table import PatternTable, read_table, read_table_row, tabulate_mined
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.learning import Data
from backbeat.metrics.patterns import is_rich, measure_steps
from backbeat.networks.pattern_space import KINDS, PatternSpace, PatternSpaceConfig
from backbeat.training.loop import Figures, Outcome, Run, Schedule
from backbeat.training.pattern_export import export_space
from backbeat.training.trainables import Trainable


@dataclass(frozen=True)
class PatternRecipe(Schedule):
    """How a pattern space is trained.

    Args:
        kind: "ae", "vae" or "acai".
        latent: dimensions.  first, second: units of the encoder's layers; the decoder mirrors them.
        direct: linear paths beside the layers, which begin as principal component analysis.
        beta: weight of the divergence (vae).
        penalty, gamma: of the critic (acai).
        turned: share of patterns that are turned to start at a random step.
        mixed: share of patterns of which some classes are taken from another pattern.
        repeats, times: rules for mining, where the data are songs and not a table of patterns.
        name: what the model is called; "" = its kind.
    """

    updates: int = 6000
    batch: int = 256
    validate_every: int = 1000
    save_every: int = 1000
    kind: str = "vae"
    latent: int = 4
    first: int = 64
    second: int = 32
    direct: bool = False
    beta: float = 1.0
    penalty: float = 0.5
    gamma: float = 0.2
    turned: float = 0.0
    mixed: float = 0.0
    repeats: int = 1
    times: int = 3
    name: str = ""


class PatternTask:
    """A pattern space, its patterns and its loss.

    Args:
        recipe: how.
        train: the patterns to learn from, with genres where they are known.
        held: uint16 [n, steps], patterns to measure on; those that are a rotation of one to learn from are left out.

    Raises:
        InputError: there is no such kind, or nothing to learn from or measure on.
    """

    target = "nats"

    def __init__(self, recipe: PatternRecipe, train: PatternTable, held: Patterns) -> None:
        if recipe.kind not in KINDS:
            raise InputError(f"no kind {recipe.kind!r} of pattern space: choose from {', '.join(KINDS)}")
        if held.shape[1:] != train.patterns.shape[1:]:
            raise InputError(f"patterns of {train.patterns.shape[-1]} steps to learn from and of {held.shape[-1]} to measure on: they must be of one length")
        self.recipe, self.train = recipe, train
        self.held = held[~np.isin(hash_patterns(held), hash_patterns(train.patterns))]
        if len(train) < 2 or not len(self.held):
            raise InputError(f"{len(train)} patterns to learn from and {len(self.held)} others to measure on: both are needed, name more data")
        steps = train.patterns.shape[1]
        self.network: PatternSpace = PatternSpace(PatternSpaceConfig(recipe.kind, steps, CLASSES, (recipe.first, recipe.second), recipe.latent, recipe.direct))
        if recipe.direct:
            self.network.set_axes(*find_axes(train.patterns, recipe.latent))
        self._hits = torch.from_numpy(patterns_to_hits(train.patterns).astype(np.uint8))

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """The loss of a batch."""
        device = next(self.network.parameters()).device
        cells = self._draw(update, share).to(device)
        mean, deviation = self.network.encode(cells)
        latents = mean + deviation.exp() * torch.randn_like(mean) if self.recipe.kind == "vae" else mean
        logits = self.network.decode(latents)
        nats = functional.binary_cross_entropy_with_logits(logits, cells, reduction="sum") / len(cells)
        loss, figures = nats, {"nats": float(nats.detach())}
        if self.recipe.kind == "vae":
            divergence = _diverge(mean, deviation)
            loss, figures["divergence"] = nats + self.recipe.beta * divergence, float(divergence.detach())
        if self.recipe.kind == "acai":
            fooled, guessed = self._criticise(cells, latents, logits)
            loss = nats + self.network.config.flat * (self.recipe.penalty * fooled + guessed)
            figures |= {"fooled": float(fooled.detach()), "guessed": float(guessed.detach())}
        return Outcome(loss, figures)

    def _draw(self, update: int, share: int) -> Tensor:
        """Float [batch, cells]: patterns, some of them turned or mixed."""
        recipe, random = self.recipe, torch.Generator().manual_seed((recipe_seed(self.recipe.seed, update) + share) % 2**63)
        hits = self._hits[torch.randint(0, len(self._hits), (recipe.batch,), generator=random)]
        turned, mixed = int(recipe.batch * recipe.turned), min(int(recipe.batch * recipe.mixed), recipe.batch // 2)
        if turned:
            hits[-turned:] = torch.roll(hits[-turned:], int(torch.randint(0, hits.shape[1], (1,), generator=random)), 1)
        if mixed:
            foreign = torch.rand(mixed, 1, hits.shape[2], generator=random) < 0.4
            hits[:mixed] = torch.where(foreign, hits[mixed : 2 * mixed], hits[:mixed])
        return hits.flatten(1).float()

    def _criticise(self, cells: Tensor, latents: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """What fooling the critic costs the autoencoder, and what its own guesses cost the critic."""
        critic = self.network.critic
        if critic is None:
            raise TypeError("only ACAI has a critic")
        share = torch.rand(len(cells), 1, device=cells.device) / 2
        mixture = self.network.decode(share * latents + (1 - share) * latents.roll(1, 0)).sigmoid()
        frozen = {name: weight.detach() for name, weight in critic.named_parameters()}
        fooled = functional_call(critic, frozen, (mixture,)).square().mean()
        blend = self.recipe.gamma * cells + (1 - self.recipe.gamma) * logits.detach().sigmoid()
        guessed = (critic(mixture.detach()) - share[:, 0]).square().mean() + critic(blend).square().mean()
        return fooled, guessed

    def validate(self) -> Figures:
        """Held-out nats a pattern, step accuracies, and the entropy filter's pass rate for points of a normal distribution with the data's moments."""
        random = np.random.default_rng(0)
        mean, deviation = self._encode(self.held)
        drawn = mean + np.exp(deviation) * random.standard_normal(mean.shape).astype(np.float32)
        logits = self._decode(drawn)
        cells = patterns_to_hits(self.held).astype(np.float64)
        nats = float((np.logaddexp(0, logits) - cells * logits).sum() / len(cells))
        sampled = hits_to_patterns(random.random(logits.shape) < 1 / (1 + np.exp(-logits)))
        likely = hits_to_patterns(self._decode(mean) > 0)
        points = self._encode(self.train.patterns[:: max(1, len(self.train) // 5000)])[0]
        spread = np.linalg.cholesky(np.atleast_2d(np.cov(points.T)) + 1e-9 * np.eye(points.shape[1]))
        new = points.mean(axis=0) + (random.standard_normal((2000, points.shape[1])) @ spread.T)
        rich = is_rich(hits_to_patterns(self._decode(new.astype(np.float32)) > 0)).mean()
        figures = {"nats": nats, "step_accuracy": measure_steps(self.held, likely), "step_accuracy_sampled": measure_steps(self.held, sampled)}
        return figures | {"pass_rate": float(rich), "radius": float(np.sqrt(np.mean(points.var(axis=0))))}

    def _encode(self, patterns: Patterns) -> tuple[np.ndarray[Any, np.dtype[np.float32]], np.ndarray[Any, np.dtype[np.float32]]]:
        cells = torch.from_numpy(patterns_to_hits(patterns).reshape(len(patterns), -1).astype(np.float32))
        mean, deviation = self.network.encode(cells.to(next(self.network.parameters()).device))
        return mean.cpu().numpy(), deviation.cpu().numpy()

    def _decode(self, latents: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """float64 [n, steps, 14]: logits."""
        logits = self.network.decode(torch.from_numpy(latents.astype(np.float32)).to(next(self.network.parameters()).device))
        return logits.cpu().numpy().astype(np.float64).reshape(len(latents), -1, CLASSES)

    def state(self) -> dict[str, Tensor]:
        """Nothing is carried."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing is taken back."""


def recipe_seed(seed: int, update: int) -> int:
    """A seed for the batch of an update."""
    return (seed * 1_000_003 + update) * 64


def find_axes(patterns: Patterns, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Principal components of the hits: mean [cells], axes [count, cells] and deviations [count] along them.

    Args:
        patterns: uint16 [n, steps].
        count: axes, the widest first.
    """
    cells = torch.from_numpy(patterns_to_hits(patterns).reshape(len(patterns), -1).astype(np.float64))
    variances, axes = torch.linalg.eigh(torch.cov(cells.T))
    widest = slice(-count, None)
    deviations = variances[widest].flip(0).clamp(min=1e-6).sqrt()
    return cells.mean(dim=0).float(), axes[:, widest].flip(1).T.contiguous().float(), deviations.float()


def _diverge(mean: Tensor, deviation: Tensor) -> Tensor:
    """Nats between the posterior and N(0, 1), mean over patterns."""
    return 0.5 * (mean.square() + (2 * deviation).exp() - 2 * deviation - 1).sum(dim=1).mean()


def read_patterns(sources: Sequence[Source], recipe: PatternRecipe) -> PatternTable:
    """The patterns of sources: rows of tables as they are, other pieces mined.

    Args:
        sources: all of them rows of one table, or none of them.
        recipe: its rules count where pieces are mined.

    Raises:
        InputError: they are rows of several tables or mixed, or nothing is found in them.
    """
    rows = [s for s in sources if s.reader is read_table_row]
    if not rows:
        return tabulate_mined(mine(sources, Rules(repeats=recipe.repeats, times=recipe.times), workers=2 if len(sources) > 64 else 1), sources)
    if len(rows) < len(sources) or len({s.path for s in rows}) > 1:
        raise InputError("the data are several tables of patterns, or a table and songs: name one table")
    return read_table(rows[0].path).choose(np.array([int(s.member) for s in rows], np.int64))


def _make_task(recipe: Schedule, data: Data) -> PatternTask:
    if not isinstance(recipe, PatternRecipe):
        raise TypeError(f"no recipe of a pattern space: {type(recipe).__name__}")
    return PatternTask(recipe, read_patterns(data.train, recipe), read_patterns(data.validation, recipe).patterns)


def _export(task: Any, run: Run, folder: Path, about: dict[str, Any]) -> None:  # noqa: ANN401 - a PatternTask
    export_space(task.network, task.train, folder, {**about, "name": task.recipe.name or task.recipe.kind})


CONFIGS: dict[str, PatternRecipe] = {
    "wide": PatternRecipe(
        updates=3000, rate=1.5e-3, warm_up=100, floor=0.02, optimiser="adamw", clip=5.0, validate_every=500, save_every=500, latent=64, first=512, second=256,
        direct=True, beta=0.005, turned=0.25, mixed=0.1, name="wide",
    ),
    "acai": PatternRecipe(updates=16_000, rate=2e-3, floor=0.02, kind="acai", times=1),
    "vae": PatternRecipe(rate=1e-3, floor=0.1, kind="vae"),
    "ae": PatternRecipe(rate=1e-3, floor=0.1, kind="ae"),
}  # fmt: skip
"""Recipes by name: those of the paper are "acai", "vae" and "ae"; it states sizes, not rates, batches or lengths, which are ours."""

TRAINABLE = Trainable(
    name="pattern-space",
    title="A latent space of drum patterns",
    configs={**CONFIGS, "original": CONFIGS["acai"]},
    make_task=_make_task,
    export=_export,
)
