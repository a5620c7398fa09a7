"""The training loop of all models: updates, validation, early stopping, and checkpoints that a killed run goes on from.

What is random in an update is drawn from the seed and the update's number, never from a generator that runs on; so a run
that was killed and resumed goes through the same updates as one that was not, and ends with the same weights, bit for bit
(on one machine, with the same number of threads).
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn

from backbeat.errors import InputError, OutputError
from backbeat.training.checkpoints import load_tensors, save_tensors

LAST, BEST, LOG = "last.safetensors", "best.safetensors", "log.jsonl"
Figures = dict[str, float]


@dataclass(frozen=True)
class Schedule:
    """How long, how fast, and how often to look.

    Args:
        updates: length of the run.
        batch: sequences of an update, in each process.
        rate: learning rate.  warm_up: updates to reach it.  floor: share of it left at the end (cosine); 1 keeps it.
        optimiser: "adam" or "adamw".  decay: weight decay of the latter.
        clip: largest norm of the gradient, 0 = any.
        validate_every, save_every: updates.
        patience: validations without a better figure after which the run ends, 0 = never.
        average: decay of running averages of the weights, which are then what is measured, kept as best and shipped; 0 = none.
        seed: of weights, order and dropout.
    """

    updates: int = 1000
    batch: int = 64
    rate: float = 1e-3
    warm_up: int = 0
    floor: float = 1.0
    optimiser: str = "adam"
    decay: float = 0.01
    clip: float = 0.0
    validate_every: int = 100
    save_every: int = 50
    patience: int = 0
    average: float = 0.0
    seed: int = 1

    def rate_of(self, update: int) -> float:
        """The learning rate of an update."""
        if update < self.warm_up:
            return self.rate * (update + 1) / self.warm_up
        done = min(1.0, (update - self.warm_up) / max(1, self.updates - self.warm_up))
        return self.rate * (self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * done)))


class Outcome(NamedTuple):
    """What an update gives: the loss to descend, and figures for the log (means over the batch)."""

    loss: Tensor
    figures: Figures


class Task(Protocol):
    """What is trained: a network, its data and its loss. One a model.

    A task that carries something from update to update (a recurrent state, say) gives it as tensors by ``state`` and takes
    it back by ``restore``; others give {} and ignore it.
    """

    @property
    def network(self) -> nn.Module:
        """The network whose parameters are trained."""

    @property
    def target(self) -> str:
        """The figure of ``validate`` that decides which weights are best; the smaller the better."""

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Loss of an update's batch; the data depend on nothing but the update, the share of this process, and the seed."""

    def validate(self) -> Figures:
        """Figures on held-out data; the network is in evaluation mode."""

    def state(self) -> dict[str, Tensor]:
        """What is carried from update to update."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take back what ``state`` gave."""


def rank() -> int:
    """This process among those of ``torchrun``; 0 where there is one."""
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def join_processes() -> None:
    """Join the other processes, where ``torchrun`` started this one."""
    if "RANK" in os.environ and not dist.is_initialized():
        dist.init_process_group("gloo")


def share_gradients(network: nn.Module) -> None:
    """Average the gradients of all processes."""
    if dist.is_initialized():
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for gradient, mean in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))


class Run:
    """A training run in a folder; one that was stopped there is gone on with.

    Args:
        folder: where weights and log are kept.
        task: what is trained.
        schedule: how.
        about: what else config.json says (model, recipe, data); a run is resumed only where it is the same.
        begin: weights to start from (a warm start), by name; a resumed run ignores them.

    Raises:
        InputError: the folder holds a run of another recipe, or a damaged one.
        OutputError: the folder cannot be made.
    """

    def __init__(self, folder: Path, task: Task, schedule: Schedule, about: dict[str, Any], begin: Mapping[str, Tensor] | None = None) -> None:
        self.folder, self.task, self.schedule = folder, task, schedule
        self.update, self.best, self.stale = 0, math.inf, 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: this folder cannot be made ({error.strerror or error})") from None
        if begin:
            task.network.load_state_dict(dict(begin))
        parameters = list(task.network.parameters())
        self.optimiser: torch.optim.Optimizer = torch.optim.Adam(parameters, lr=schedule.rate)
        if schedule.optimiser == "adamw":
            self.optimiser = torch.optim.AdamW(parameters, lr=schedule.rate, weight_decay=schedule.decay)
        self.average = {k: v.detach().clone() for k, v in task.network.state_dict().items()} if schedule.average else {}
        # Everything but the length of the run decides its course; a longer schedule may go on with a shorter one.
        about = json.loads(json.dumps({"schedule": asdict(schedule), "processes": world_size(), **about}))
        self._settle(about)
        if (folder / LAST).is_file():
            self._load()

    def _settle(self, about: dict[str, Any]) -> None:
        path = self.folder / "config.json"
        if path.is_file() and (self.folder / LAST).is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            changed = [k for k in about if k != "schedule" and not _agree(before.get(k), about[k])]
            free = ("updates", "validate_every", "save_every", "patience")
            changed += [k for k, v in about["schedule"].items() if k not in free and k in before["schedule"] and before["schedule"][k] != v]
            if changed:
                raise InputError(f"{self.folder} holds a run with other settings ({', '.join(changed)}): name a new folder, or resume it with the same ones")
        if rank() == 0:
            path.write_text(json.dumps(about, indent=1), encoding="utf-8")

    def _load(self) -> None:
        tensors = load_tensors(self.folder / LAST)
        self.update, self.best, self.stale = int(tensors["update"]), float(tensors["best"]), int(tensors["stale"])
        self.task.network.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("network.")})
        carried = load_tensors(self._carried(self.update)) if rank() else {k[5:]: v for k, v in tensors.items() if k.startswith("task.")}
        self.task.restore(carried)
        self.average |= {k[8:]: v for k, v in tensors.items() if k.startswith("average.")}
        for index, parameter in enumerate(self.task.network.parameters()):
            kept = {k.rsplit(".", 1)[1]: v for k, v in tensors.items() if k.startswith(f"optimiser.{index}.")}
            kept = {k: v if k == "step" else v.to(parameter.device) for k, v in kept.items()}
            if kept:
                self.optimiser.state[parameter] = kept

    def save(self) -> None:
        """Write everything that resuming needs, whole or not at all; what another process carries goes into a file of its own before."""
        if rank() > 0:
            save_tensors(self.task.state(), self._carried(self.update))
        self._wait()
        if rank() == 0:
            self._save_first()
        self._wait()
        for old in self.folder.glob(f"carried-{rank()}-*.safetensors"):
            if old != self._carried(self.update):
                old.unlink()

    def _carried(self, update: int) -> Path:
        """Where this process keeps what its task carries."""
        return self.folder / f"carried-{rank()}-{update}.safetensors"

    @staticmethod
    def _wait() -> None:
        """Wait for the other processes."""
        if dist.is_initialized():
            dist.barrier()

    def _save_first(self) -> None:
        tensors = {f"network.{k}": v for k, v in self.task.network.state_dict().items()} | {f"task.{k}": v for k, v in self.task.state().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for index, parameter in enumerate(self.task.network.parameters()):
            tensors |= {f"optimiser.{index}.{k}": v for k, v in self.optimiser.state[parameter].items()}
        counters = {"update": torch.tensor(self.update), "best": torch.tensor(self.best, dtype=torch.float64), "stale": torch.tensor(self.stale)}
        save_tensors(tensors | counters, self.folder / LAST)

    def step(self) -> Figures:
        """One update; gives its figures.

        Raises:
            InputError: the loss is no number any more; the weights are left as they were.
        """
        torch.manual_seed(self.schedule.seed * 1_000_003 + self.update * 31 + rank())
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate_of(self.update)
        outcome = self.task.compute(self.update, rank(), world_size())
        if not torch.isfinite(outcome.loss):
            raise InputError(
                f"{self.folder}: the loss is no number at update {self.update + 1}: begin anew, with a smaller rate (--set rate=...) or --set clip=1"
            )
        self.optimiser.zero_grad(set_to_none=True)
        outcome.loss.backward()  # type: ignore[no-untyped-call]
        share_gradients(self.task.network)
        if self.schedule.clip:
            nn.utils.clip_grad_norm_(self.task.network.parameters(), self.schedule.clip)
        self.optimiser.step()
        self.update += 1
        keep = min(self.schedule.average, (self.update + 1) / (self.update + 10))
        for name, value in self.task.network.state_dict().items() if self.average else ():
            self.average[name].lerp_(value, 1 - keep)
        return outcome.figures

    def validate(self) -> Figures:
        """Measure on held-out data, and keep the weights (averaged, where the schedule says so) if they are the best so far."""
        network = self.task.network.eval()
        own = {k: v.clone() for k, v in network.state_dict().items()} if self.average else {}
        if own:
            network.load_state_dict(self.average)
        with torch.no_grad():
            figures = self.task.validate()
        if figures[self.task.target] < self.best:
            self.best, self.stale = figures[self.task.target], 0
            if rank() == 0:
                save_tensors(dict(network.state_dict()), self.folder / BEST)
        else:
            self.stale += 1
        if own:
            network.load_state_dict(own)
        network.train()
        return figures

    def log(self, **values: object) -> None:
        """Append a line to the log (the first process only)."""
        if rank() == 0:
            with (self.folder / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"update": self.update, **values}) + "\n")

    @property
    def over(self) -> bool:
        """Whether the schedule, or its patience, is at an end."""
        return self.update >= self.schedule.updates or bool(self.schedule.patience and self.stale >= self.schedule.patience)


def _agree(before: Any, now: Any) -> bool:  # noqa: ANN401 - what JSON holds
    """Whether a setting is as it was; a field that a run did not know yet is at its default."""
    if isinstance(before, dict) and isinstance(now, dict):
        free = ("updates", "validate_every", "save_every", "patience")
        return all(before[k] == now.get(k) for k in before if k not in free)
    return bool(before == now)


class Progress(NamedTuple):
    """A line of progress: the update just done of how many, its figures (or those of a validation), and seconds left."""

    update: int
    updates: int
    figures: Figures
    is_validation: bool
    seconds_left: float


def train(run: Run, report: Callable[[Progress], None] = lambda progress: None, *, log_every: int = 10) -> Run:
    """Train until the schedule or its patience ends.

    Args:
        run: new, or stopped on the way.
        report: called with the progress now and then.
        log_every: updates whose mean figures make a line of the log.
    """
    started, begun = time.monotonic(), run.update
    recent: list[Figures] = []
    run.task.network.train()
    while not run.over:
        recent.append(run.step())
        left = (time.monotonic() - started) / (run.update - begun) * (run.schedule.updates - run.update)
        if run.update % log_every == 0 or run.update == run.schedule.updates:
            figures = {k: sum(f[k] for f in recent) / len(recent) for k in recent[0]}
            recent.clear()
            run.log(train=figures, rate=run.schedule.rate_of(run.update - 1), seconds=round(time.monotonic() - started, 2))
            report(Progress(run.update, run.schedule.updates, figures, False, left))
        if run.update % run.schedule.validate_every == 0 or run.update == run.schedule.updates:
            figures = run.validate()
            run.log(validation=figures, seconds=round(time.monotonic() - started, 2))
            report(Progress(run.update, run.schedule.updates, figures, True, left))
        if run.update % run.schedule.save_every == 0 or run.over:
            run.save()
    return run


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; those that a killed run wrote and its successor wrote again stand once, as written last."""
    lines: dict[tuple[int, bool], dict[str, Any]] = {}
    for text in (folder / LOG).read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:  # the kill fell into the middle of a line
            continue
        lines[(line["update"], "validation" in line)] = line
    return [lines[k] for k in sorted(lines)]
