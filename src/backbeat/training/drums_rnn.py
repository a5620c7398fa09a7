"""Training Drums RNN: the original's way, on tracks cut by its rules, and the network that remembers, on whole takes.

The original: sequences from their start, padded to the longest of the batch, the mean cross-entropy of all events but the first of each;
Adam, the gradient clipped by its norm. The report that trained it on Groove MIDI's rock beats took two layers of 64 ("small").
"""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from backbeat.codecs.drum_events import ENCODINGS, DrumEncoding, extract_tracks
from backbeat.datasets.source import Source
from backbeat.errors import BackbeatError, InputError
from backbeat.evaluation.learning import Data
from backbeat.files import write_bytes
from backbeat.kits import load_kit
from backbeat.midi import parse_song
from backbeat.models.drums_rnn_steps import FILE as STEPS
from backbeat.networks.drums_rnn import DrumsRnn, DrumsRnnConfig, MemoryRnn
from backbeat.networks.lstm_scan import find_loss
from backbeat.training.checkpoints import load_tensors
from backbeat.training.drum_takes import read_takes
from backbeat.training.drums_rnn_memory import ACCURACIES, MemoryRecipe, MemoryTask, measure_accuracy
from backbeat.training.loop import BEST, Figures, Outcome, Run, Schedule, Task
from backbeat.training.recurrent_export import export_recurrent
from backbeat.training.trainables import Trainable

NETWORK = "drums-rnn"


@dataclass(frozen=True)
class OriginalRecipe(Schedule):
    """How the original is trained.

    Args:
        encoding: drum_kit or one_drum.
        layers, units: of the network.
        attention: outputs attended to, 0 = none.
        keep: share of each layer's outputs that dropout keeps.
        min_bars, max_steps: tracks that are shorter leave, those that are longer are truncated.
    """

    updates: int = 20000
    batch: int = 128
    clip: float = 3.0
    validate_every: int = 100
    encoding: str = "drum_kit"
    layers: int = 3
    units: int = 256
    attention: int = 32
    keep: float = 0.5
    min_bars: int = 7
    max_steps: int = 512

    def get_encoding(self) -> DrumEncoding:
        """The encoding by its name.

        Raises:
            InputError: there is none of this name.
        """
        if self.encoding not in ENCODINGS:
            raise InputError(f"no encoding {self.encoding!r}: choose from {', '.join(ENCODINGS)}")
        return ENCODINGS[self.encoding]

    def make_network(self) -> DrumsRnn:
        """A new network of these sizes."""
        encoding = self.get_encoding()
        return DrumsRnn(DrumsRnnConfig(encoding.classes, encoding.counters, (self.units,) * self.layers, self.attention, self.keep))


CONFIGS: dict[str, Schedule] = {
    "memory": MemoryRecipe(),
    "original": OriginalRecipe(),
    "one-drum": OriginalRecipe(encoding="one_drum", layers=2, units=128, attention=0, clip=5.0),
    "small": OriginalRecipe(layers=2, units=64, batch=64),
}


def read_tracks(sources: Sequence[Source], recipe: OriginalRecipe) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """int64 [steps] each: the events of all tracks that the original's rules leave.

    Raises:
        InputError: there is none.
    """
    encoding, tracks = recipe.get_encoding(), []
    for source in sources:
        try:
            song = parse_song(source.read(), source.name)
        except BackbeatError:
            continue
        found = extract_tracks(song, encoding, min_bars=recipe.min_bars, max_steps=recipe.max_steps)
        tracks += [encoding.numbers(track.events) for track in found.tracks if len(track.events) > 1]
    if not tracks:
        raise InputError(f"none of {len(sources)} pieces has a drum track of {recipe.min_bars} bars: lower it with --set min_bars=1, or bring longer ones")
    return tracks


@dataclass(frozen=True, eq=False)
class Batch:
    """Tracks that are learned from at once: the first events of all, then the second ones ..., the longest track first.

    Args:
        events: int64 [N].  counters: float [N, counters].
        labels: int64 [N], what follows each event within its track.
        counts: how many tracks reach each step.
    """

    events: Tensor
    counters: Tensor
    labels: Tensor
    counts: list[int] = field(repr=False)


def make_batch(tracks: Sequence[np.ndarray[Any, np.dtype[np.int64]]], encoding: DrumEncoding, device: torch.device | None = None) -> Batch:
    """Lay tracks side by side; each gives one step less than it has events.

    Args:
        tracks: int64 [steps] each, two steps at least.  encoding: of their events.
        device: where the batch goes; none = the processor.
    """
    ordered = sorted(tracks, key=len, reverse=True)
    lengths = np.array([len(t) - 1 for t in ordered])
    steps = np.arange(int(lengths[0]) + 1)
    table = np.zeros((len(steps), len(ordered)), np.int64)
    for column, track in zip(table.T, ordered, strict=True):
        column[: len(track)] = track
    inside = lengths > steps[:-1, None]
    counts = inside.sum(axis=1)
    counters = np.repeat(encoding.count(steps[:-1]), counts, axis=0)
    events, inputs, labels = (torch.from_numpy(a).to(device) for a in (table[:-1][inside], counters, table[1:][inside]))
    return Batch(events, inputs, labels, counts.tolist())


class OriginalTask:
    """The task of the common loop.

    Args:
        recipe: how.
        train, validation: tracks, int64 [steps] each.
    """

    target = "perplexity"

    def __init__(
        self, recipe: OriginalRecipe, train: Sequence[np.ndarray[Any, np.dtype[np.int64]]], validation: Sequence[np.ndarray[Any, np.dtype[np.int64]]]
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.encoding = recipe, recipe.get_encoding()
        self.network = recipe.make_network()
        self.train, self.validation = list(train), sorted(validation, key=len)

    def choose(self, update: int, share: int, shares: int) -> list[int]:
        """The tracks of an update: all of them in an order of their own, round after round."""
        size, count = self.recipe.batch, len(self.train)
        first = (update * shares + share) * size
        orders = {k: np.random.default_rng([self.recipe.seed, k]).permutation(count) for k in range(first // count, (first + size - 1) // count + 1)}
        return [int(orders[i // count][i % count]) for i in range(first, first + size)]

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Loss of an update's tracks."""
        loss, figures, _ = self._measure([self.train[i] for i in self.choose(update, share, shares)])
        return Outcome(loss, {"loss": loss.item(), "perplexity": loss.detach().exp().item(), **figures})

    def validate(self) -> Figures:
        """Perplexity and accuracies on held-out tracks, every step weighing the same."""
        sums: dict[str, float] = {}
        for k in range(0, len(self.validation), 32):
            loss, figures, counts = self._measure(self.validation[k : k + 32])
            weighed = {"loss": loss.item() * counts["accuracy"], **{name: value * counts[name] for name, value in figures.items()}}
            weighed |= {f"{name} steps": count for name, count in counts.items()}
            sums = {name: sums.get(name, 0) + value for name, value in weighed.items()}
        figures = {name: sums[name] / max(1, sums[f"{name} steps"]) for name in ACCURACIES}
        loss_now = sums["loss"] / sums["accuracy steps"]
        return {"perplexity": float(np.exp(loss_now)), "loss": loss_now, **figures}

    def _measure(self, tracks: Sequence[np.ndarray[Any, np.dtype[np.int64]]]) -> tuple[Tensor, Figures, Figures]:
        """The mean loss of tracks, accuracies, and of how many steps each is."""
        batch = make_batch(tracks, self.encoding, self.network.logits.weight.device)
        loss, guesses = find_loss(self.network.read(batch.events, batch.counters, batch.counts), self.network.logits, batch.labels)
        return loss, *measure_accuracy(guesses, batch.labels)

    def state(self) -> dict[str, Tensor]:
        """Nothing is carried."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Nothing is carried."""


def make_task(recipe: Schedule, data: Data) -> Task:
    """Read the data and make the network.

    Raises:
        InputError: nothing can be learned from.
    """
    if isinstance(recipe, MemoryRecipe):
        return MemoryTask(recipe, read_takes(data.train, recipe.every), read_takes(data.validation))
    if not isinstance(recipe, OriginalRecipe):
        raise InputError(f"drums-rnn has no recipe of kind {type(recipe).__name__}")
    return OriginalTask(recipe, read_tracks(data.train, recipe), read_tracks(data.validation, recipe))


def export(task: Task, run: Run, folder: Path, about: dict[str, Any]) -> None:
    """Write the folder that ships, from the run's best weights.

    Args:
        task: of the run.
        run: trained.
        folder: to write.
        about: what config.json says of data and figures.
    """
    network = _calm(task.network)
    if (run.folder / BEST).is_file():
        network.load_state_dict(load_tensors(run.folder / BEST))
    recipe = {**json.loads(json.dumps(asdict(run.schedule))), "done": run.update}
    if isinstance(task, MemoryTask):
        config = {"kind": "memory", "encoding": "drum_kit", "sizes": asdict(task.network.config)}
        inputs, outputs, states = _make_memory_inputs(), ("log_p",), task.network.start(2)
    elif isinstance(task, OriginalTask):
        config = {"kind": "original", "encoding": task.encoding.name, "sizes": asdict(task.network.config)}
        events = torch.arange(8).reshape(2, 4) % task.encoding.classes
        counters = torch.from_numpy(np.stack([task.encoding.count(np.arange(4))] * 2))
        inputs, outputs, states = {"events": events, "counters": counters}, ("logits",), task.network.start(2)
    else:
        raise InputError("this task is not of drums-rnn")
    config = {"network": NETWORK, "model": NETWORK, **config, "kit": load_kit("drums_rnn_9").to_dict(), "training": recipe, **about}
    export_recurrent(network, inputs, {f"state{k}": s for k, s in enumerate(states)}, outputs, folder, config, write_card(config))
    if isinstance(network, DrumsRnn):
        buffer = io.BytesIO()
        np.savez(buffer, **{name: array.detach().numpy() for name, array in network.list_step_weights().items()})  # type: ignore[arg-type]
        write_bytes(folder / STEPS, buffer.getvalue())


def _calm(network: nn.Module) -> nn.Module:
    """A copy that leaves nothing out, whichever mode an exporter puts it in."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, MemoryRnn):
            module.config = replace(module.config, forget=0.0)
    return network


def _make_memory_inputs() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"before": (2, 4), "place": (2, 4, 3), "words": (2, 4, 12)}
    whole = {name: torch.randint(0, 8, shape, generator=generator) for name, shape in shapes.items()}
    whole["words"][0, 0, :2] = 512
    return {**whole, "shares": torch.rand(2, 4, 12, generator=generator), "hints": torch.rand(2, 4, 30, generator=generator)}


_KINDS = {
    "memory": "A recurrent network that is told what this take has played before at places like the one at hand (see `codecs.drum_memory`).",
    "original": "The network of magenta's drums_rnn: LSTM on one-hot events and binary counters, with attention where the recipe says so.",
}


def write_card(config: Mapping[str, Any]) -> str:
    """The card: what it is, data and licences, recipe, figures, limits."""
    data, figures = config.get("data", {}), config.get("figures", {})
    lines = ["# Drums RNN", "", _KINDS[str(config["kind"])], "", "## Data", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in data.items()] or ["Not said."]
    lines += ["", "## Recipe", "", ", ".join(f"{k} {v}" for k, v in config["training"].items()), "", "## Figures", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in figures.items()] or ["Not measured."]
    lines += ["", "## Limits", "", "Hears no band and has no style. Says what is hit in each step, with one velocity for all and exactly on the grid."]
    return "\n".join([*lines, "Thinks in 16ths (one_drum: 8ths); a take's first bars, with nothing remembered yet, are the least certain.", ""])


TRAINABLE = Trainable(NETWORK, "Drums RNN: drums alone, step by step", CONFIGS, make_task, export)
