"""Training of the performer on human takes, in windows of strokes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from backbeat.evaluation.learning import Data
from backbeat.models.performer_inputs import FAMILIES, FEATURES, LATE_SCALE, REFERENCES
from backbeat.networks.performer import PerformerConfig, PerformerNetwork, measure_nats, recall
from backbeat.training.loop import Figures, Outcome, Run, Schedule
from backbeat.training.performer_data import ANY, VARIANTS, Take, prepare_takes
from backbeat.training.performer_export import export_performer
from backbeat.training.trainables import Trainable
from backbeat.units import Floats

TEMPO_COLUMNS = slice(12 + 22 + 4, 12 + 22 + 6)
"""Where ``describe_strokes`` puts the two columns that tell the tempo."""


@dataclass(frozen=True)
class PerformerRecipe(Schedule):
    """How the performer is trained.

    Args:
        batch: strokes of an update, about.  length: strokes of a window.
        width, blocks, hidden, inner, components, dropout: of the network.
        forget_style, forget_drummer: share of windows in which these are not told.
        tell_accents: share of windows in which coarse accents are told.
        jitter: spread of the tempo that is told, in octaves.
        noise, lose: spread of noise on the remembered strokes, and the share of memories that is lost.
        mean_weight: of the losses of the means beside the nats.
        copies: validation readings, of ``VARIANTS``.
    """

    updates: int = 1100
    batch: int = 8000
    rate: float = 2e-3
    warm_up: int = 50
    floor: float = 0.02
    optimiser: str = "adamw"
    decay: float = 0.02
    clip: float = 1.0
    validate_every: int = 150
    save_every: int = 100
    length: int = 256
    width: int = 96
    blocks: int = 5
    hidden: int = 96
    inner: int = 64
    components: int = 8
    dropout: float = 0.25
    forget_style: float = 0.3
    forget_drummer: float = 0.5
    tell_accents: float = 0.15
    jitter: float = 0.05
    noise: float = 0.05
    lose: float = 0.05
    mean_weight: float = 1.0
    variants: tuple[str, ...] = VARIANTS


class Batch(NamedTuple):
    """Windows, padded to one length: see ``Encoder.forward`` and ``recall``; sixteenth float [B, n]."""

    features: Tensor
    style: Tensor
    drummer: Tensor
    accents: Tensor
    valid: Tensor
    played: Tensor
    families: Tensor
    references: Tensor
    sixteenth: Tensor


class Window(NamedTuple):
    """A part of a take: its number, first stroke and the one behind the last."""

    take: int
    first: int
    stop: int


def make_batch(takes: Sequence[Take], windows: Sequence[Window], styles: Sequence[str], drummers: Sequence[str]) -> Batch:
    """Windows of takes as tensors, with all that is known told, accents too."""
    length = max(w.stop - w.first for w in windows)
    shape = (len(windows), length)
    features, played = np.zeros((*shape, FEATURES), np.float32), np.zeros((*shape, 2), np.float32)
    accents, families, references = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.full((*shape, len(REFERENCES)), -1, np.int64)
    valid, sixteenth = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    for row, (number, first, stop) in enumerate(windows):
        take, size = takes[number], stop - first
        features[row, :size], families[row, :size] = take.seen.features[first:stop], take.seen.families[first:stop]
        references[row, :size] = np.maximum(take.seen.references[first:stop] - first, -1)
        played[row, :size], accents[row, :size] = take.played[first:stop], take.accents[first:stop] + 1
        valid[row, :size], sixteenth[row, :size] = 1, take.sixteenth[first:stop]
    known = [np.array([[names.index(n) if n in names else 0] for n in told]) for names, told in _names(takes, windows, styles, drummers)]
    return Batch(*(torch.from_numpy(a) for a in (features, *known, accents, valid, played, families, references, sixteenth)))


def _names(takes: Sequence[Take], windows: Sequence[Window], styles: Sequence[str], drummers: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    return [(list(styles), [takes[w.take].style for w in windows]), (list(drummers), [takes[w.take].drummer for w in windows])]


class PerformerTask:
    """The network, its takes and its loss.

    Args:
        recipe: how.
        train, held: takes, see ``prepare_takes``.
    """

    target = "nats"

    def __init__(self, recipe: PerformerRecipe, train: Sequence[Take], held: Sequence[Take]) -> None:
        self.recipe, self.takes, self.held = recipe, [t for t in train if t.variant in recipe.variants], held
        self.styles, self.drummers = list_names(t.style for t in self.takes), list_names(t.drummer for t in self.takes)
        r = recipe
        sizes: dict[str, Any] = {"width": r.width, "blocks": r.blocks, "hidden": r.hidden, "inner": r.inner, "components": r.components, "dropout": r.dropout}
        network = PerformerNetwork(PerformerConfig(FEATURES, len(FAMILIES), len(REFERENCES), len(self.styles), len(self.drummers), **sizes))
        self.network: nn.Module = network
        self.player = network.player
        self._epoch, self._batches = -1, list[list[Window]]()
        self.updates_of_epoch = len(self._plan(0))

    def _plan(self, epoch: int) -> list[list[Window]]:
        """The batches of an epoch: as many takes as there are, in one reading or another, windows of like length together."""
        if epoch == self._epoch:
            return self._batches
        rng = np.random.default_rng([self.recipe.seed, epoch])
        count = len(self.recipe.variants)
        chosen = rng.permutation(len(self.takes))[: -(-len(self.takes) // count)].tolist()
        windows = []
        for number in chosen:
            total, length = len(self.takes[number].played), self.recipe.length
            cuts = [0, *range(int(rng.integers(length // 2, length + 1)), total, length)]
            windows += [Window(number, a, b) for a, b in zip(cuts, [*cuts[1:], total], strict=True)]
        windows.sort(key=lambda w: (w.stop - w.first) * rng.uniform(0.8, 1.25))
        batches: list[list[Window]] = [[]]
        for window in windows:
            longest = max([w.stop - w.first for w in batches[-1]] + [window.stop - window.first])
            if longest * (len(batches[-1]) + 1) > self.recipe.batch and batches[-1]:
                batches.append([])
            batches[-1].append(window)
        self._epoch, self._batches = epoch, [batches[i] for i in rng.permutation(len(batches))]
        return self._batches

    def take(self, update: int) -> Batch:
        """The batch of an update, with what is told, the tempo and the memories made uncertain."""
        epoch, place = divmod(update, self.updates_of_epoch)
        batches = self._plan(epoch)
        batch = make_batch(self.takes, batches[place % len(batches)], self.styles, self.drummers)
        rng, r, count = np.random.default_rng([self.recipe.seed, 7, update]), self.recipe, len(batch.style)
        keep = [torch.from_numpy(rng.random(count) >= share) for share in (r.forget_style, r.forget_drummer, 1 - r.tell_accents)]
        features = batch.features
        shift = torch.from_numpy(rng.normal(0, r.jitter, (count, 1))).float()
        tempo = features[..., TEMPO_COLUMNS]
        tempo[..., 0] += shift
        tempo[..., 1] = (tempo[..., 1] + 1) * torch.exp2(-shift) - 1
        return batch._replace(style=batch.style * keep[0][:, None], drummer=batch.drummer * keep[1][:, None], accents=batch.accents * keep[2][:, None])

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Nats a stroke and the errors of the means."""
        batch = self.take(update * shares + share)
        r = self.recipe
        means, lead = self.network(batch.features, batch.style, batch.drummer, batch.accents, batch.valid)
        fixed = means[..., :2].detach()
        memory = recall(batch.played, fixed, batch.families, batch.references)
        memory = (memory + r.noise * torch.randn_like(memory)) * (torch.rand_like(memory) >= r.lose)
        given = self.player(lead, memory)
        loud, late = (n[batch.valid > 0].mean() for n in measure_nats(given, fixed, batch.played))
        errors = measure_errors(means, batch)
        loss = loud + late + r.mean_weight * (errors["velocity"] + errors["mean"] + errors["median"])
        figures = {"loss": loss, "velocity_nats": loud, "late_nats": late, **errors}
        return Outcome(loss, {k: float(v.detach()) for k, v in figures.items()})

    def validate(self) -> Figures:
        """Nats and errors on held-out takes, whole, without and with style and drummer told."""
        out: Figures = {}
        for variant in sorted({t.variant for t in self.held}):
            chosen = [i for i, t in enumerate(self.held) if t.variant == variant]
            for told in (False, True):
                figures = self.measure(chosen, told)
                out |= {f"{variant}_{k}{'_told' if told else ''}": v for k, v in figures.items()}
        nats = [v for k, v in out.items() if "nats" in k]
        return {"nats": 2 * sum(nats) / len(nats), **out}

    def measure(self, chosen: Sequence[int], told: bool) -> Figures:
        """Figures of some held-out takes; errors in ms, 16ths squared, and R2 of the velocity."""
        parts: list[Floats] = []
        for number in sorted(chosen, key=lambda i: len(self.held[i].played)):
            batch = make_batch(self.held, [Window(number, 0, len(self.held[number].played))], self.styles, self.drummers)
            known = int(told)
            means, lead = self.network(batch.features, batch.style * known, batch.drummer * known, batch.accents * 0, batch.valid)
            given = self.player(lead, recall(batch.played, means[..., :2], batch.families, batch.references))
            wrong, median = batch.played - means[..., :2], (batch.played[..., 1] - means[..., 2]).abs()
            columns = [*measure_nats(given, means[..., :2], batch.played), median * LATE_SCALE, (wrong[..., 1] / batch.sixteenth) ** 2, wrong[..., 0] ** 2]
            parts.append(torch.stack([*columns, batch.played[..., 0]], dim=-1)[0].cpu().double().numpy())
        figures = np.concatenate(parts)
        means_of, spread = figures.mean(axis=0).tolist(), float(figures[:, 5].var())
        return dict(zip(("velocity_nats", "late_nats", "mae_ms", "mse"), means_of, strict=False)) | {"r2": 1 - means_of[4] / max(spread, 1e-9)}

    def state(self) -> dict[str, Tensor]:
        """Nothing is carried."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing is taken back."""


def list_names(names: Any) -> list[str]:  # noqa: ANN401 - an iterable
    """Names in order, "any" first; numbers in names count as numbers."""
    return [ANY, *sorted({n for n in names if n != ANY}, key=lambda n: (n.rstrip("0123456789"), len(n), n))]


def measure_errors(means: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Losses of the three means: squared of velocity, squared of lateness in 16ths, absolute of the median."""
    there = batch.valid > 0
    loud = (means[..., 0] - batch.played[..., 0])[there] ** 2
    share = ((means[..., 1] - batch.played[..., 1]) / batch.sixteenth)[there] ** 2
    median = (means[..., 2] - batch.played[..., 1])[there].abs()
    return {"velocity": loud.mean() / 2, "mean": share.mean() * 20, "median": median.mean()}


def make_task(recipe: Schedule, data: Data) -> PerformerTask:
    """The task of a recipe, from MIDI files of takes."""
    if not isinstance(recipe, PerformerRecipe):
        raise TypeError(f"no recipe of the performer: {type(recipe).__name__}")
    return PerformerTask(recipe, prepare_takes(data.train, recipe.variants, recipe.seed), prepare_takes(data.validation, ("nine", "notated")))


def _export(task: Any, run: Run, folder: Path, about: dict[str, Any]) -> None:  # noqa: ANN401 - a task of this module
    export_performer(task.network, folder, task.styles, task.drummers, about)


TRAINABLE = Trainable(
    name="performer",
    title="velocity and microtiming of hits, from human takes",
    configs={"takes": PerformerRecipe()},
    make_task=make_task,
    export=_export,
)
