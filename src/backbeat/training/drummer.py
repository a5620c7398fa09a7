"""Training the drummer network: its recipe, losses and validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backbeat.cues import encode, hear_nothing
from backbeat.datasets.preparation import NO_ARTICULATION
from backbeat.datasets.styles import STYLES
from backbeat.evaluation.learning import Data
from backbeat.grid import Grid
from backbeat.kits import Kit, load_kit
from backbeat.models.drummer_inputs import ASKED, MARGIN, Arrays
from backbeat.networks.drummer import Drummer, DrummerConfig
from backbeat.training.drummer_lanes import NOTHING, Augmentation, Lanes, Library, play_through
from backbeat.training.export import describe_run, export_drummer
from backbeat.training.loop import Figures, Outcome, Run, Schedule
from backbeat.training.trainables import Trainable

LN2 = math.log(2)


@dataclass(frozen=True)
class Recipe(Schedule):
    """How a drummer is trained; the batch is the number of lanes.

    Args:
        length: steps of a chunk.
        guess, velocity, articulation: weights of the losses beside the words' likelihood.
        encoder_width, width, layers: sizes of the network.
        no_band, no_lane, no_style, no_memory, no_reference, gaps, classes, line, control: see ``drummer_lanes.Augmentation``.
    """

    updates: int = 6000
    batch: int = 32
    rate: float = 2e-3
    warm_up: int = 100
    floor: float = 0.03
    optimiser: str = "adamw"
    clip: float = 1.0
    average: float = 0.998
    validate_every: int = 500
    save_every: int = 100
    length: int = 256
    guess: float = 0.3
    velocity: float = 0.1
    articulation: float = 0.1
    encoder_width: int = 128
    width: int = 256
    layers: int = 1
    no_band: float = 0.1
    no_lane: float = 0.08
    no_style: float = 0.3
    no_memory: float = 0.12
    no_reference: float = 0.08
    gaps: float = 0.1
    classes: float = 0.1
    line: float = 0.1
    control: float = 0.4

    @property
    def augmentation(self) -> Augmentation:
        """What is left out, given away and asked for."""
        return Augmentation(self.no_band, self.no_lane, self.no_style, self.no_memory, self.no_reference, self.gaps, self.classes, self.line, self.control)


@dataclass(frozen=True)
class Losses:
    """Sums over a batch: nats of words, hits and their steps; and the mean losses beside it."""

    nats: Tensor
    hits: Tensor
    steps: Tensor
    guess: Tensor
    velocity: Tensor
    articulation: Tensor


def articulation_groups(kit: Kit) -> Tensor:
    """Bool [9, articulations]: which classes of the drummer's kit belong to which class of ``drums_rnn_9``."""
    return torch.tensor(kit.mapping(load_kit("drums_rnn_9")))[None, :] == torch.arange(9)[:, None]


def to_tensors(batch: Arrays, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """A batch of lanes as tensors, ``heard`` scaled to 0-1."""
    out = {k: torch.from_numpy(np.ascontiguousarray(v)).to(device) for k, v in batch.items()}
    out["heard"] = out["heard"].float() / 255
    return out


def compute_losses(network: Drummer, batch: dict[str, Tensor], state: Tensor, groups: Tensor) -> tuple[Losses, Tensor]:
    """Likelihood of a batch of chunks, given what is known of them, and the state behind it."""
    listened, guess = network.listener(batch["heard"], batch["style"][:, 0])
    listened, guess = listened[:, MARGIN:-MARGIN], guess[:, MARGIN:-MARGIN]
    logits, velocity, articulation, state = network.player(listened, batch["played"], batch["recalled"], state)
    bits, mask, valid = batch["bits"].float(), batch["mask"].float(), batch["valid"]
    if batch["mask"].any():
        wrong = (mask * (1 - bits)) @ network.player.bits.T + (mask * bits) @ (1 - network.player.bits.T)
        logits = logits.masked_fill(wrong > 0, -1e9)
    nats = functional.cross_entropy(logits.flatten(0, 1), batch["words"].flatten(), reduction="none").view_as(batch["words"])
    hidden = (1 - mask) * valid[..., None]
    guess_loss = functional.binary_cross_entropy_with_logits(guess, bits, weight=hidden, reduction="sum") / hidden.sum().clamp(min=1)
    hits = (batch["velocities"] > 0) & valid[..., None]
    loud = hits & batch["dynamic"][:, None, None]
    bins = network.config.velocity_bins
    target = (batch["velocities"].long() * bins // 128)[loud]
    velocity_loss = functional.cross_entropy(velocity[loud], target) if len(target) else velocity.sum() * 0
    which = batch["articulations"].long()[hits & (batch["articulations"] != NO_ARTICULATION)]
    where = torch.nonzero(hits & (batch["articulations"] != NO_ARTICULATION))
    choices = articulation[where[:, 0], where[:, 1]].masked_fill(~groups[where[:, 2]], -1e9)
    articulation_loss = functional.cross_entropy(choices, which) if len(which) else articulation.sum() * 0
    losses = Losses((nats * valid).sum(), (bits * (1 - mask) * valid[..., None]).sum(), valid.sum(), guess_loss, velocity_loss, articulation_loss)
    return losses, state.detach()


@torch.no_grad()
def measure(network: Drummer, library: Library, groups: Tensor, *, lanes: int = 32, how: Augmentation = NOTHING) -> Figures:
    """Bits per onset and per step over whole pieces, real drums before each step given, and what ``how`` does not leave out."""
    totals = dict.fromkeys(("nats", "hits", "steps"), 0.0)
    other = []
    device = next(network.parameters()).device
    state = network.start(lanes).to(device)
    for arrays in play_through(library, lanes, 512, how):
        batch = to_tensors(arrays, device)
        state = state * (~batch["fresh"])[None, :, None]
        losses, state = compute_losses(network, batch, state, groups)
        for name in totals:
            totals[name] += float(getattr(losses, name))
        other.append([float(losses.guess), float(losses.velocity), float(losses.articulation)])
    guess, velocity, articulation = np.mean(other, axis=0).tolist()
    bits = totals["nats"] / LN2
    return {
        "bits_per_onset": bits / totals["hits"],
        "bits_per_step": bits / totals["steps"],
        "guess": guess,
        "velocity": velocity,
        "articulation": articulation,
    }


class DrummerTask:
    """The drummer, its pieces and its losses.

    Args:
        recipe: how.  learn, held: the pieces.
    """

    target = "bits_per_onset"

    def __init__(self, recipe: Recipe, learn: Library, held: Library) -> None:
        self.recipe, self.learn, self.held = recipe, learn, held
        self.kit = Kit.from_dict(learn.meta["kit"])
        step, bar, song = encode(hear_nothing(Grid.regular(1)))
        sizes = {name: getattr(recipe, name) for name in ("encoder_width", "width", "layers")}
        self.network = Drummer(DrummerConfig(step.shape[1], bar.shape[1], song.shape[0], len(STYLES), len(self.kit), asked=ASKED, **sizes))
        self.groups = articulation_groups(self.kit)
        self.lanes: Lanes | None = None
        self.carried = torch.zeros(0)

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """The losses of a chunk of every lane of this process; the state is carried from the chunk before."""
        recipe = self.recipe
        if self.lanes is None:
            self.lanes = Lanes(self.learn, recipe.batch * shares, recipe.length, recipe.augmentation, seed=recipe.seed)
        device = next(self.network.parameters()).device
        batch = to_tensors(self.lanes.take(update, share * recipe.batch, recipe.batch), device)
        state = self.carried.to(device) if self.carried.numel() else self.network.start(recipe.batch).to(device)
        losses, self.carried = compute_losses(self.network, batch, state * (~batch["fresh"])[None, :, None], self.groups.to(device))
        steps = losses.steps.clamp(min=1)
        loss = losses.nats / steps + recipe.guess * losses.guess + recipe.velocity * losses.velocity + recipe.articulation * losses.articulation
        bits = float(losses.nats.detach()) / LN2 / max(float(losses.hits), 1)
        beside = {name: float(getattr(losses, name).detach()) for name in ("guess", "velocity", "articulation")}
        return Outcome(loss, {"loss": float(loss.detach()), "bits_per_onset": bits, **beside})

    def validate(self) -> Figures:
        """Figures over whole held-out pieces; a network that never hears a band is not given one."""
        how = replace(NOTHING, no_band=1.0) if self.recipe.no_band >= 1 else NOTHING
        return measure(self.network, self.held, self.groups.to(next(self.network.parameters()).device), how=how)

    def state(self) -> dict[str, Tensor]:
        """The state of every lane of the first process; others begin with silence when a run is resumed."""
        return {"carried": self.carried}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        self.carried = state["carried"]


def _make_task(recipe: Schedule, data: Data) -> DrummerTask:
    if not isinstance(recipe, Recipe):
        raise TypeError(f"no recipe of the drummer: {type(recipe).__name__}")
    return DrummerTask(recipe, Library(data.train), Library(data.validation))


def _export(task: Any, run: Run, folder: Path, about: dict[str, Any]) -> None:  # noqa: ANN401 - a DrummerTask
    facts = {"parameters": sum(p.numel() for p in task.network.parameters()), "seed": run.schedule.seed}
    export_drummer(task.network, folder, kit=task.kit.to_dict(), styles=list(STYLES), training=about, card=describe_run(about | facts))


TRAINABLE = Trainable(
    name="drummer",
    title="the drummer for songs",
    configs={"default": Recipe(), "without-band": Recipe(no_band=1.0)},
    make_task=_make_task,
    export=_export,
)
