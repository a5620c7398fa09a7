"""Training the drummer network: loss, loop, validation, checkpoints that a killed run resumes from."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from backbeat.datasets.corpus import Corpus
from backbeat.datasets.preparation import NO_ARTICULATION
from backbeat.kits import Kit, load_kit
from backbeat.models.drummer_inputs import MARGIN, Arrays
from backbeat.networks.drummer import Drummer, DrummerConfig
from backbeat.training.streams import NOTHING, Augmentation, Streams

LN2 = math.log(2)


@dataclass(frozen=True)
class Recipe:
    """How a drummer is trained.

    Args:
        updates: length of the schedule.  stop: leave the loop after so many (0 = at the end of the schedule).
        lanes, length: pieces at once, steps of a chunk.
        rate, warm_up, floor: peak learning rate, updates to reach it, share of it left at the end (cosine).
        guess, velocity, articulation: weights of the losses beside the words' likelihood.
        average: decay of the averaged weights that are shipped.
        seed: of order, augmentation and initial weights.
        validate_every, save_every: updates.
        augmentation: what is left out.
    """

    updates: int = 6000
    stop: int = 0
    lanes: int = 32
    length: int = 256
    rate: float = 2e-3
    warm_up: int = 100
    floor: float = 0.03
    guess: float = 0.3
    velocity: float = 0.1
    articulation: float = 0.1
    average: float = 0.998
    seed: int = 1
    validate_every: int = 500
    save_every: int = 100
    augmentation: Augmentation = field(default_factory=Augmentation)


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


def to_tensors(batch: Arrays) -> dict[str, Tensor]:
    """A batch of ``Streams`` as tensors, ``heard`` scaled to 0-1."""
    out = {k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in batch.items()}
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
def validate(network: Drummer, corpus: Corpus, groups: Tensor, *, lanes: int = 32, band: bool = True) -> dict[str, float]:
    """Bits per onset and per step over whole pieces, real drums before each step given, and the band unless ``band`` is False."""
    network.eval()
    totals = dict.fromkeys(("nats", "hits", "steps"), 0.0)
    other = []
    state = network.start(lanes)
    for arrays in Streams(corpus, lanes, 512, NOTHING if band else replace(NOTHING, no_band=1.0), endless=False):
        batch = to_tensors(arrays)
        state = state * (~batch["fresh"])[None, :, None]
        losses, state = compute_losses(network, batch, state, groups)
        for name in totals:
            totals[name] += float(getattr(losses, name))
        other.append([float(losses.guess), float(losses.velocity), float(losses.articulation)])
    network.train()
    guess, velocity, articulation = np.mean(other, axis=0)
    bits = totals["nats"] / LN2
    out = {"bits_per_onset": bits / totals["hits"], "bits_per_step": bits / totals["steps"], "guess": guess, "velocity": velocity, "articulation": articulation}
    return {k: round(float(v), 4) for k, v in out.items()}


def schedule(recipe: Recipe, update: int) -> float:
    """The learning rate of an update: linear warm-up, then a cosine down to ``floor``."""
    if update < recipe.warm_up:
        return recipe.rate * (update + 1) / recipe.warm_up
    done = min(1.0, (update - recipe.warm_up) / max(1, recipe.updates - recipe.warm_up))
    return recipe.rate * (recipe.floor + (1 - recipe.floor) * 0.5 * (1 + math.cos(math.pi * done)))


def rank() -> int:
    """This process among those of ``torchrun``; 0 where there is one."""
    return dist.get_rank() if dist.is_initialized() else 0


class Run:
    """A training run in a folder: weights, optimiser, averaged weights and log, saved together.

    Args:
        folder: where the run lives; an unfinished run there is resumed.
        network: initial network.
        recipe: how to train.
    """

    def __init__(self, folder: Path, network: Drummer, recipe: Recipe) -> None:
        self.folder, self.network, self.recipe, self.update = folder, network, recipe, 0
        folder.mkdir(parents=True, exist_ok=True)
        self.average = {k: v.detach().clone() for k, v in network.state_dict().items()}
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.01)
        if (folder / "last.safetensors").is_file():
            self._load()

    def _load(self) -> None:
        tensors = load_file(self.folder / "last.safetensors")
        self.update = int(tensors["update"])
        self.network.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("network.")})
        self.average = {k[8:]: v for k, v in tensors.items() if k.startswith("average.")}
        for index, parameter in enumerate(self.network.parameters()):
            names = ("step", "exp_avg", "exp_avg_sq")
            self.optimiser.state[parameter] = {n: tensors[f"optimiser.{index}.{n}"] for n in names}

    def save(self) -> None:
        """Write everything that resuming needs, then rename it into place (the first process only)."""
        if rank() > 0:
            return
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()} | {f"average.{k}": v for k, v in self.average.items()}
        for index, parameter in enumerate(self.network.parameters()):
            tensors |= {f"optimiser.{index}.{k}": v for k, v in self.optimiser.state[parameter].items()}
        temporary = self.folder / "last.tmp"
        save_file({k: v.contiguous() for k, v in tensors.items()} | {"update": torch.tensor(self.update)}, temporary)
        temporary.replace(self.folder / "last.safetensors")

    def save_average(self, name: str) -> Path:
        """Write the averaged weights as a file of their own."""
        path = self.folder / f"{name}.safetensors"
        save_file({k: v.contiguous() for k, v in self.average.items()}, path)
        return path

    def averaged(self) -> Drummer:
        """A network with the averaged weights."""
        network = Drummer(self.network.config)
        network.load_state_dict(self.average)
        return network

    def step(self, losses: Losses) -> None:
        """One update of weights and average."""
        r = self.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = schedule(r, self.update)
        loss = losses.nats / losses.steps.clamp(min=1) + r.guess * losses.guess + r.velocity * losses.velocity + r.articulation * losses.articulation
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._share_gradients()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.update += 1
        keep = min(r.average, (self.update + 1) / (self.update + 10))
        for name, value in self.network.state_dict().items():
            self.average[name].lerp_(value, 1 - keep)

    def _share_gradients(self) -> None:
        """Average the gradients of all processes, where ``torchrun`` started more than one."""
        if dist.is_initialized():
            gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
            flat = torch.cat([g.flatten() for g in gradients])
            dist.all_reduce(flat)
            flat /= dist.get_world_size()
            for gradient, mean in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
                gradient.copy_(mean.view_as(gradient))

    def log(self, **values: object) -> None:
        """Append a line to ``log.jsonl`` (the first process only)."""
        if rank() > 0:
            return
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"update": self.update, **values}) + "\n")


def join_processes() -> None:
    """Join the other processes, where ``torchrun`` started this one."""
    if "RANK" in os.environ and not dist.is_initialized():
        dist.init_process_group("gloo")


def train(
    corpus: Corpus, validation: Corpus, folder: Path, recipe: Recipe, sizes: dict[str, Any] | None = None, report: Callable[[str], None] = lambda line: None
) -> Run:
    """Train a drummer, or go on with a run.

    Args:
        corpus, validation: what to learn from and what to measure on.
        folder: the run's folder.
        recipe: how.
        sizes: fields of ``DrummerConfig`` that differ from its defaults.
        report: called with a line of progress now and then.
    """
    torch.manual_seed(recipe.seed)
    kit = Kit.from_dict(corpus.meta["kit"])
    arrays = corpus.arrays
    config = DrummerConfig(arrays["step"].shape[1], arrays["bar"].shape[1], arrays["song"].shape[1], len(corpus.meta["styles"]), len(kit), **(sizes or {}))
    run = Run(folder, Drummer(config), recipe)
    if rank() == 0:
        (folder / "config.json").write_text(
            json.dumps({"network": asdict(config), "recipe": asdict(recipe), "manifest_sha256": corpus.meta["manifest_sha256"]}, indent=1), encoding="utf-8"
        )
    groups, state, started = articulation_groups(kit), run.network.start(recipe.lanes), time.monotonic()
    begun = run.update
    recent: list[tuple[float, float]] = []
    for batch in Streams(corpus, recipe.lanes, recipe.length, recipe.augmentation, seed=recipe.seed + run.update + 7919 * rank()):
        if run.update >= (recipe.stop or recipe.updates):
            break
        tensors = to_tensors(batch)
        state = state * (~tensors["fresh"])[None, :, None]
        losses, state = compute_losses(run.network, tensors, state, groups)
        run.step(losses)
        recent.append((float(losses.nats.detach()) / LN2, float(losses.hits)))
        if run.update % 20 == 0:
            bits = sum(b for b, _ in recent) / max(sum(h for _, h in recent), 1)
            beside = {n: round(float(getattr(losses, n).detach()), 4) for n in ("guess", "velocity", "articulation")}
            run.log(seconds=round(time.monotonic() - started), bits_per_onset=round(bits, 4), **beside)
            recent.clear()
            left = (time.monotonic() - started) / max(run.update - begun, 1) * ((recipe.stop or recipe.updates) - run.update)
            report(f"update {run.update}: {bits:.3f} bits per onset, {left / 60:.0f} minutes left")
        if run.update % recipe.save_every == 0:
            run.save()
        if run.update % recipe.validate_every == 0 and rank() == 0:
            run.log(validation=validate(run.averaged(), validation, groups, band=recipe.augmentation.no_band < 1))
            run.save_average(f"average-{run.update}")
    run.save()
    if rank() == 0:
        run.save_average("average")
    return run
