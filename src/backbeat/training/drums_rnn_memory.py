"""Training the network that remembers: whole takes on lanes, the state carried from update to update."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from backbeat.networks.drums_rnn import MemoryRnn, MemoryRnnConfig
from backbeat.training.drum_takes import Arrays, DrumTake, Lanes, cut_excerpts, make_loops, pass_once
from backbeat.training.loop import Figures, Outcome, Schedule

INPUTS = ("before", "place", "words", "shares", "hints")
ACCURACIES = ("accuracy", "event_accuracy", "no_event_accuracy")


@dataclass(frozen=True)
class MemoryRecipe(Schedule):
    """How the network that remembers is trained.

    Args:
        layers, units: of the recurrent network.  width: of what enters and leaves them.
        dropout, forget: see ``MemoryRnnConfig``.
        length: steps of a chunk.
        every: learn from every n-th piece only.
        excerpts: learn from excerpts of so many bars, too; 0 = from none.
        loops: loops for each take, see ``drum_takes.make_loops``.
    """

    updates: int = 1250
    batch: int = 32
    rate: float = 2e-3
    warm_up: int = 50
    floor: float = 0.02
    optimiser: str = "adamw"
    decay: float = 0.05
    clip: float = 1.0
    validate_every: int = 50
    save_every: int = 50
    layers: int = 1
    units: int = 256
    width: int = 256
    dropout: float = 0.4
    forget: float = 0.05
    length: int = 128
    every: int = 1
    excerpts: int = 8
    loops: float = 0.5

    def make_network(self) -> MemoryRnn:
        """A new network of these sizes."""
        return MemoryRnn(MemoryRnnConfig(units=(self.units,) * self.layers, width=self.width, dropout=self.dropout, forget=self.forget))


def take_inputs(batch: Arrays, device: torch.device | None = None) -> list[Tensor]:
    """A batch as the network takes it, on a device; none = the processor."""
    return [torch.from_numpy(batch[name]).to(device) for name in INPUTS]


class MemoryTask:
    """The task of the common loop.

    Args:
        recipe: how.
        train, validation: takes.
    """

    target = "perplexity"

    def __init__(self, recipe: MemoryRecipe, train: Sequence[DrumTake], validation: Sequence[DrumTake]) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.network = recipe, recipe.make_network()
        made = cut_excerpts(train, recipe.excerpts) if recipe.excerpts else []
        made += make_loops(train, recipe.loops, recipe.seed) if recipe.loops else []
        self.lanes = Lanes([*train, *made], recipe.length, recipe.seed)
        self.validation = list(pass_once(validation, 32))
        self._states = self.network.start(recipe.batch)

    @property
    def _device(self) -> torch.device:
        return self.network.words.weight.device

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Loss of an update: one chunk of each lane."""
        batch, fresh = self.lanes.batch(update, range(share * self.recipe.batch, (share + 1) * self.recipe.batch))
        going_on = torch.from_numpy(~fresh)[:, None].float().to(self._device)
        log_p, *states = self.network(*take_inputs(batch, self._device), *(s.to(self._device) * going_on for s in self._states))
        self._states = tuple(s.detach() for s in states)
        target = torch.from_numpy(batch["target"]).to(self._device)
        loss = functional.nll_loss(log_p.flatten(0, 1), target.flatten(), ignore_index=-1, reduction="sum") / max(1, int((target >= 0).sum()))
        figures, _ = measure_accuracy(log_p.detach().argmax(-1), target)
        return Outcome(loss, {"loss": loss.item(), "perplexity": loss.detach().exp().item(), **figures})

    def validate(self) -> Figures:
        """Perplexity and accuracies on whole validation takes, every step weighing the same."""
        total, right, count = 0.0, dict.fromkeys(ACCURACIES, 0.0), dict.fromkeys(ACCURACIES, 0.0)
        for batch in self.validation:
            log_p = self.network(*take_inputs(batch, self._device), *self.network.start(len(batch["target"])))[0]
            target = torch.from_numpy(batch["target"]).to(self._device)
            total += float(functional.nll_loss(log_p.flatten(0, 1), target.flatten(), ignore_index=-1, reduction="sum"))
            shares, counts = measure_accuracy(log_p.argmax(-1), target)
            for name, n in counts.items():
                right[name], count[name] = right[name] + shares[name] * n, count[name] + n
        loss = total / count["accuracy"]
        return {"perplexity": math.exp(loss), "loss": loss, **{name: right[name] / max(1, count[name]) for name in ACCURACIES}}

    def state(self) -> dict[str, Tensor]:
        """The lanes' states."""
        return {f"state{k}": s for k, s in enumerate(self._states)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take the lanes' states back."""
        self._states = tuple(state[f"state{k}"] for k in range(len(state)))


def measure_accuracy(guesses: Tensor, target: Tensor) -> tuple[Figures, Figures]:
    """Shares of steps whose likeliest word was right: of all, of those with an event, of rests; and how many steps each is of.

    Args:
        guesses: int64 [...], the likeliest words.
        target: int64 [...], 0 for a rest, -1 where there is nothing.
    """
    right = guesses == target
    groups = dict(zip(ACCURACIES, (target >= 0, target > 0, target == 0), strict=True))
    counts = {name: int(chosen.sum()) for name, chosen in groups.items()}
    return {name: int((right & chosen).sum()) / max(1, counts[name]) for name, chosen in groups.items()}, {n: float(c) for n, c in counts.items()}
