"""Training of melodies on drums: our network step by step, the paper's on whole loops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbeat.codecs.melodies import FIRST_NOTE, TICKS
from backbeat.codecs.melody_features import recall_all
from backbeat.datasets.melody_loops import MelodyLoops
from backbeat.errors import InputError
from backbeat.evaluation.learning import Data
from backbeat.networks.melody import LoopMlp, LoopMlpConfig, MelodyRnn, MelodyRnnConfig
from backbeat.training.loop import Figures, Outcome, Run, Schedule
from backbeat.training.melody_export import export_melody
from backbeat.training.melody_pairs import choose_accepted, choose_melodies, count_progressions, encode_pairs, list_tokens, make_features, read_pairs
from backbeat.training.trainables import Trainable
from backbeat.units import Ints


@dataclass(frozen=True)
class StepRecipe(Schedule):
    """How our network is trained.

    Args:
        pairs: folder with mined pairs (train.npz, validation.npz), made there if missing; "" mines anew.
        embedding, units, dropout: of the network.
        in_scale: smallest share of notes in the key's scale.  alone: smallest share of onsets that are one note.
        without_chords, without_density: share of loops in which these are not told.
        measured: held-out pairs that are measured on, 0 = all.
    """

    updates: int = 1500
    batch: int = 64
    rate: float = 3e-3
    warm_up: int = 50
    floor: float = 0.02
    clip: float = 1.0
    validate_every: int = 150
    save_every: int = 50
    pairs: str = ""
    embedding: int = 24
    units: int = 160
    dropout: float = 0.2
    in_scale: float = 0.75
    alone: float = 0.7
    without_chords: float = 0.3
    without_density: float = 0.3
    measured: int = 400


@dataclass(frozen=True)
class LoopRecipe(Schedule):
    """How the paper's network is trained, of which it tells only the layers: cross-entropy of the bits, on loops that its filters let pass.

    Args:
        pairs: as in ``StepRecipe``.
        hidden, layers: of the network.
    """

    updates: int = 3000
    batch: int = 64
    rate: float = 2e-3
    warm_up: int = 100
    floor: float = 0.05
    validate_every: int = 250
    save_every: int = 250
    patience: int = 6
    pairs: str = ""
    hidden: int = 64
    layers: int = 3


class StepTask:
    """Our network, its pairs and its loss."""

    target = "nats_per_step"

    def __init__(self, recipe: StepRecipe, train: MelodyLoops, held: MelodyLoops) -> None:
        self.recipe = recipe
        self.train, self.held = (choose_melodies(part, recipe.in_scale, recipe.alone) for part in (train, held))
        if not len(self.train) or not len(self.held):
            raise InputError("no melody that is in its key and one note at a time among the pairs")
        self.tokens = list_tokens(self.train)
        rows = np.arange(len(self.held))[:: max(1, len(self.held) // recipe.measured) if recipe.measured else 1]
        self.held = self.held.select(np.isin(np.arange(len(self.held)), rows))
        self.held_tokens = list_tokens(self.held)
        self.network: nn.Module = MelodyRnn(MelodyRnnConfig(embedding=recipe.embedding, units=recipe.units, dropout=recipe.dropout))

    def take(self, update: int, share: int, shares: int) -> tuple[npt.NDArray[np.float32], Ints]:
        """Features [B, 64, f] and tokens int64 [B, 64] of an update."""
        recipe = self.recipe
        size = recipe.batch * shares
        epoch, place = divmod(update, max(1, len(self.train) // size))
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(self.train))
        rows = order[(place * size + share * recipe.batch + np.arange(recipe.batch)) % len(order)]
        rng = np.random.default_rng([recipe.seed, update, share])
        hidden = rng.random((len(rows), 2)) < (recipe.without_chords, recipe.without_density)
        made = [make_features(self.train, int(i), self.tokens[i], chords=not a, density=not b) for i, (a, b) in zip(rows, hidden.tolist(), strict=True)]
        return np.stack(made), self.tokens[rows]

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Nats a step, mean over the batch."""
        features, tokens = self.take(update, share, shares)
        nats, onset, pitch = self._measure(features, tokens)
        loss = nats.mean()
        return Outcome(loss, {"loss": float(loss.detach()), "onset_nats": float(onset.detach().mean()), "pitch_nats": float(pitch.detach().mean())})

    def _measure(self, features: npt.NDArray[np.float32], tokens: Ints) -> tuple[Tensor, Tensor, Tensor]:
        device = next(self.network.parameters()).device
        given = torch.from_numpy(features).to(device), torch.from_numpy(recall_all(tokens)).to(device)
        logits, _ = self.network(*given, torch.zeros(1, len(tokens), self.recipe.units, device=device))
        return measure_tokens(logits, torch.from_numpy(tokens).to(device))

    def validate(self) -> Figures:
        """Nats a step; of whether a note begins there; of its pitch where one does. Without chords and density, and with them."""
        figures: Figures = {}
        for name, told in (("", False), ("_told", True)):
            sums, parts = [], []
            for first in range(0, len(self.held), 64):
                rows = range(first, min(first + 64, len(self.held)))
                features = np.stack([make_features(self.held, i, self.held_tokens[i], chords=told, density=told) for i in rows])
                nats, onset, pitch = self._measure(features, self.held_tokens[first : first + 64])
                sums.append(torch.stack([nats.mean(dim=1), onset.mean(dim=1)], dim=1))
                parts.append(pitch)
            step, onset_mean = torch.cat(sums).mean(dim=0).tolist()
            figures |= {f"nats_per_step{name}": step, f"onset_nats{name}": onset_mean, f"pitch_nats{name}": float(torch.cat(parts).mean())}
        return figures

    def state(self) -> dict[str, Tensor]:
        """Nothing is carried."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing is taken back."""


def measure_tokens(logits: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Nats of the tokens [B, T]; of whether each step has an onset [B, T]; and of the pitch where it has [n].

    Args:
        logits: float [B, T, tokens].  tokens: int64 [B, T].
    """
    log_p = logits.log_softmax(dim=-1)
    nats = -log_p.gather(-1, tokens[..., None])[..., 0]
    is_note = tokens >= FIRST_NOTE
    begins, goes_on = log_p[..., FIRST_NOTE:].logsumexp(dim=-1), log_p[..., :FIRST_NOTE].logsumexp(dim=-1)
    onset = -torch.where(is_note, begins, goes_on)
    return nats, onset, (nats - onset)[is_note]


class LoopTask:
    """The paper's network, its loops and its loss."""

    target = "nats_per_tick"

    def __init__(self, recipe: LoopRecipe, train: MelodyLoops, held: MelodyLoops) -> None:
        self.recipe = recipe
        (self.train, keys), (held_loops, held_keys) = choose_accepted(train), choose_accepted(held)
        if not len(self.train) or not len(held_loops):
            raise InputError("no loop that the filters let pass among the pairs")
        self.inputs, self.targets = encode_pairs(self.train, keys)
        self.held = encode_pairs(held_loops, held_keys)
        network = LoopMlp(LoopMlpConfig(hidden=recipe.hidden, layers=recipe.layers))
        # The outputs begin as rare as notes are. From one half, the first updates push all of them down, and with them the hidden units die.
        shares = (np.unpackbits(self.targets, axis=1).sum(axis=0, dtype=np.int64) + 0.05) / (len(self.targets) + 50)
        with torch.no_grad():
            network.outputs.bias.copy_(torch.from_numpy(np.log(shares / (1 - shares))))
        self.network: nn.Module = network

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Nats a tick, mean over the batch."""
        size = self.recipe.batch * shares
        epoch, place = divmod(update, max(1, len(self.train) // size))
        order = np.random.default_rng([self.recipe.seed, epoch]).permutation(len(self.train))
        rows = order[(place * size + share * self.recipe.batch + np.arange(self.recipe.batch)) % len(order)]
        loss = self._measure(self.inputs[rows], self.targets[rows])
        return Outcome(loss, {"loss": float(loss.detach())})

    def _measure(self, inputs: npt.NDArray[np.float32], targets: npt.NDArray[np.uint8]) -> Tensor:
        device = next(self.network.parameters()).device
        logits = self.network(torch.from_numpy(inputs).to(device))
        bits = torch.from_numpy(np.unpackbits(targets, axis=1)).to(device).float()
        return functional.binary_cross_entropy_with_logits(logits, bits, reduction="sum") / (len(inputs) * TICKS)

    def validate(self) -> Figures:
        """Nats a tick of all 128 bits, on held-out loops."""
        inputs, targets = self.held
        parts = [(inputs[i : i + 256], targets[i : i + 256]) for i in range(0, len(inputs), 256)]
        return {"nats_per_tick": sum(float(self._measure(*part)) * len(part[0]) for part in parts) / len(inputs)}

    def state(self) -> dict[str, Tensor]:
        """Nothing is carried."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing is taken back."""


def _make_task(recipe: Schedule, data: Data) -> StepTask | LoopTask:
    if isinstance(recipe, StepRecipe):
        return StepTask(recipe, *read_pairs(recipe.pairs, data))
    if not isinstance(recipe, LoopRecipe):
        raise TypeError(f"no recipe of the melody networks: {type(recipe).__name__}")
    return LoopTask(recipe, *read_pairs(recipe.pairs, data))


def _export(task: Any, run: Run, folder: Path, about: dict[str, Any]) -> None:  # noqa: ANN401 - a task of this module
    about = {**about, "pairs": len(task.train), "recipe": {**about.get("recipe", {}), "pairs": ""}}  # where they were kept concerns nobody else
    if isinstance(task, StepTask):
        export_melody(task.network, folder, about, count_progressions(task.train))
    else:
        export_melody(task.network, folder, about, {})


TRAINABLE = Trainable(
    name="melody",
    title="melodies on drums",
    configs={"steps": StepRecipe(), "original": LoopRecipe()},
    make_task=_make_task,
    export=_export,
)
