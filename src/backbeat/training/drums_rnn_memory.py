"""Training the network that remembers: whole takes on lanes, the state carried from update to update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from backbeat.networks.drums_rnn import MemoryRnn, MemoryRnnConfig
from backbeat.training.drum_takes import Arrays, DrumTake, Lanes, cut_excerpts, make_loops, pass_once
from backbeat.training.loop import Figures, Outcome, Schedule

INPUTS = ("before", "place", "words", "shares", "hints")


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


def take_inputs(batch: Arrays) -> list[Tensor]:
    """A batch as the network takes it."""
    return [torch.from_numpy(batch[name]) for name in INPUTS]


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

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Loss of an update: one chunk of each lane."""
        batch, fresh = self.lanes.batch(update, range(share * self.recipe.batch, (share + 1) * self.recipe.batch))
        going_on = torch.from_numpy(~fresh)[:, None].float()
        log_p, *states = self.network(*take_inputs(batch), *(s * going_on for s in self._states))
        self._states = tuple(s.detach() for s in states)
        target = torch.from_numpy(batch["target"])
        loss = functional.nll_loss(log_p.flatten(0, 1), target.flatten(), ignore_index=-1, reduction="sum") / max(1, int((target >= 0).sum()))
        return Outcome(loss, {"loss": loss.item(), "perplexity": loss.detach().exp().item(), **measure_accuracy(log_p, target)})

    def validate(self) -> Figures:
        """Perplexity and accuracy on whole validation takes, every step weighing the same."""
        total, right, count = 0.0, 0, 0
        for batch in self.validation:
            log_p = self.network(*take_inputs(batch), *self.network.start(len(batch["target"])))[0]
            target = torch.from_numpy(batch["target"])
            total += float(functional.nll_loss(log_p.flatten(0, 1), target.flatten(), ignore_index=-1, reduction="sum"))
            right, count = right + int((log_p.argmax(-1) == target).sum()), count + int((target >= 0).sum())
        loss = total / count
        return {"loss": loss, "perplexity": float(torch.tensor(loss).exp()), "accuracy": right / count}

    def state(self) -> dict[str, Tensor]:
        """The lanes' states."""
        return {f"state{k}": s for k, s in enumerate(self._states)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take the lanes' states back."""
        self._states = tuple(state[f"state{k}"] for k in range(len(state)))


def measure_accuracy(log_p: Tensor, target: Tensor) -> Figures:
    """Shares of steps whose likeliest word was right: of all, of those with an event, of rests.

    Args:
        log_p: float [B, T, words].
        target: int64 [B, T], 0 for a rest, -1 where there is nothing.
    """
    right = log_p.detach().argmax(-1) == target
    groups = {"accuracy": target >= 0, "event_accuracy": target > 0, "no_event_accuracy": target == 0}
    return {name: float(right[chosen].float().mean()) if bool(chosen.any()) else 0.0 for name, chosen in groups.items()}
