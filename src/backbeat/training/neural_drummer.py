"""Training of NeuralDrummer: the corrected network on whole songs, the original's on windows of eight half-beats."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbeat.codecs.recall import REFERENCES
from backbeat.datasets.source import Source
from backbeat.evaluation.learning import Data
from backbeat.kits import load_kit
from backbeat.models.neural_drummer_inputs import BAND, PAST
from backbeat.networks.neural_drummer import StepDrummer, StepDrummerConfig
from backbeat.training.intensity_windows import WindowRecipe, WindowTask, read_rows
from backbeat.training.loop import Figures, Outcome, Run, Schedule
from backbeat.training.recurrent_export import export_recurrent
from backbeat.training.song_lanes import Batch, Lanes, Song, read_songs, unfold_song
from backbeat.training.still import Still
from backbeat.training.trainables import Trainable

NETWORK = "neural-drummer"
_ONES = np.array([bin(word).count("1") for word in range(512)], np.int64)


@dataclass(frozen=True)
class StepRecipe(Schedule):
    """How the corrected network is trained.

    Args:
        length: steps of a chunk; the state is carried on to the next.
        units, layers, dropout: of the network.
        forget: share of songs whose own past is left out, so that it learns what the band alone suggests.
        every: learn from every n-th song.  measured: songs of the validation data that are measured on, 0 = all.
    """

    updates: int = 4000
    batch: int = 64
    rate: float = 2e-3
    warm_up: int = 100
    floor: float = 0.02
    clip: float = 1.0
    validate_every: int = 250
    length: int = 64
    units: int = 224
    layers: int = 2
    dropout: float = 0.1
    forget: float = 0.15
    every: int = 1
    measured: int = 60


class StepTask:
    """The corrected network, its songs and its loss.

    Args:
        recipe: how.
        train, held: songs to learn from and to measure on.
    """

    target = "bits_per_onset"

    def __init__(self, recipe: StepRecipe, train: Sequence[Song], held: Sequence[Song]) -> None:
        self.recipe, self.held = recipe, held
        self.songs = train
        self.network: nn.Module = StepDrummer(StepDrummerConfig(BAND, PAST, len(REFERENCES), recipe.units, recipe.layers, dropout=recipe.dropout))
        self._lanes: Lanes | None = None
        self.hidden = torch.zeros(recipe.layers, recipe.batch, recipe.units)

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Nats a step, mean over the chunk of every lane."""
        recipe = self.recipe
        if self._lanes is None or self._lanes.lanes != recipe.batch * shares:
            self._lanes = Lanes(self.songs, recipe.batch * shares, recipe.length, forget=recipe.forget, seed=recipe.seed)
        batch = self._lanes.take(update, share * recipe.batch, recipe.batch)
        device = next(self.network.parameters()).device
        hidden = self.hidden.to(device) * torch.from_numpy(~batch.fresh).to(device)[None, :, None]
        log_p, after = self._run(batch, hidden, device)
        self.hidden = after.detach()
        valid, words = torch.from_numpy(batch.valid).to(device), torch.from_numpy(batch.words).to(device)
        nats = functional.nll_loss(log_p.flatten(0, 1), words.flatten(), reduction="none")[valid.flatten()]
        right = (log_p.argmax(-1) == words)[valid].float().mean()
        onsets = max(1, int(_ONES[batch.words[batch.valid]].sum()))
        loss = nats.mean()
        bits = float(nats.detach().sum()) / math.log(2) / onsets
        return Outcome(loss, {"loss": float(loss.detach()), "bits_per_onset": bits, "accuracy": float(right)})

    def _run(self, batch: Batch, hidden: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        band, past, remembered = (torch.from_numpy(a).to(device) for a in (batch.band, batch.past, batch.remembered))
        log_p, after = self.network(band, past, remembered, hidden)
        return log_p, after

    def validate(self) -> Figures:
        """Bits per onset and per step over whole held-out songs, with their own past and without it."""
        totals = np.zeros(4)
        for song in self.held:
            inputs = unfold_song(song)
            words = torch.from_numpy(song.words.astype(np.int64))[:, None]
            for column, forgets in enumerate((False, True)):
                past = np.zeros_like(inputs.past) if forgets else inputs.past
                remembered = np.full_like(inputs.remembered, 512) if forgets else inputs.remembered
                one = Batch(inputs.band[None], past[None], remembered[None], words.numpy(), np.ones(1, bool), np.ones(1, bool))
                device = next(self.network.parameters()).device
                log_p, _ = self._run(one, torch.zeros(self.recipe.layers, 1, self.recipe.units, device=device), device)
                totals[column] -= float(log_p[0].cpu().gather(1, words).double().sum()) / math.log(2)
            totals[2:] += len(song), int(_ONES[song.words].sum())
        with_past, alone, steps, onsets = totals.tolist()
        return {"bits_per_onset": with_past / max(1, onsets), "bits_per_step": with_past / steps, "bits_per_onset_band_alone": alone / max(1, onsets)}

    def state(self) -> dict[str, Tensor]:
        """The hidden state of every lane."""
        return {"hidden": self.hidden}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        self.hidden = state["hidden"]


def _make_task(recipe: Schedule, data: Data) -> StepTask | WindowTask:
    if isinstance(recipe, WindowRecipe):
        kit = load_kit(recipe.kit)
        return WindowTask(recipe, *(read_rows(part, kit, 8) for part in (data.train[:: recipe.every], _pick(data.validation, recipe.measured))))
    if not isinstance(recipe, StepRecipe):
        raise TypeError(f"no recipe of NeuralDrummer: {type(recipe).__name__}")
    return StepTask(recipe, read_songs(data.train, recipe.every), read_songs(_pick(data.validation, recipe.measured)))


def _pick(sources: Sequence[Source], count: int) -> list[Source]:
    """So many of the sources, at even distances; all of them for 0."""
    return [sources[i * len(sources) // count] for i in range(count)] if 0 < count < len(sources) else list(sources)


def _export(task: Any, run: Run, folder: Path, about: dict[str, Any]) -> None:  # noqa: ANN401 - a task of this module
    if isinstance(task, WindowTask):
        export_windows(task.network, folder, task.recipe.kit, about)
    else:
        export_steps(task.network, folder, about)


def export_steps(network: Any, folder: Path, about: Mapping[str, Any], playing: Mapping[str, Any] | None = None) -> None:  # noqa: ANN401 - a StepDrummer
    """Write the corrected network's checkpoint folder.

    Args:
        network: a StepDrummer.
        folder: made if missing.
        about: what config.json says of recipe, data and figures.
        playing: how it chooses, where not as usual.
    """
    sizes = network.config
    inputs = {
        "band": torch.rand(3, 5, sizes.band),
        "past": torch.rand(3, 5, sizes.past),
        "remembered": torch.randint(0, sizes.words + 1, (3, 5, sizes.references)),
    }
    config = {"network": NETWORK, "variant": "steps", "sizes": asdict(sizes), "codec": {"name": "words", "steps_per_quarter": 4}}
    config |= {"kit": load_kit("drums_rnn_9").to_dict(), "playing": dict(playing or {}), "training": dict(about)}
    export_recurrent(Still(network), inputs, {"state": network.start(3)}, ("words",), folder, config, write_card("steps", about))


def export_windows(network: Any, folder: Path, kit: str, about: Mapping[str, Any]) -> None:  # noqa: ANN401 - a NeuralDrummer
    """Write the original network's checkpoint folder; see ``export_steps``."""
    sizes = network.config
    inputs = {"windows": torch.rand(3, sizes.window, sizes.classes + 1)}
    config = {"network": NETWORK, "variant": "windows", "sizes": asdict(sizes), "codec": {"name": "intensity", "steps_per_quarter": 2}}
    config |= {"kit": load_kit(kit).to_dict(), "playing": {}, "training": dict(about)}
    export_recurrent(Still(network), inputs, {}, ("hits",), folder, config, write_card("windows", about))


_TITLES = {"steps": "NeuralDrummer, corrected", "windows": "NeuralDrummer, as in the original"}
_LIMITS = {
    "steps": "Thinks in 16ths and in the nine classes of Drums RNN; decides what is hit, not how loud nor how late. It hears how much is "
    "played, not what. Hardly any toms; in metres that songs seldom have it plays little more than the pulse.",
    "windows": "Eighths in quarters only, six classes, no rest, no dynamics; it does not know what it played more than eight half-beats ago.",
}


def write_card(variant: str, about: Mapping[str, Any]) -> str:
    """The card of a checkpoint folder: what it is, its data and licences, its figures and limits."""
    data, figures = about.get("data", {}), about.get("validation", {})
    lines = [
        f"# {_TITLES[variant]}",
        "",
        "Trained by `backbeat train neural-drummer`; after bdshrk/neuraldrummer (2023-2024). See docs/models.md.",
        "",
        "## Data",
        "",
    ]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in data.items()] or ["Not said."]
    lines += [f"- begun with: {about['begin']}"] if about.get("begin") else []
    lines += [f"- updates: {about['updates']:,}"] if about.get("updates") else []
    lines += ["", "The licence of every file stands in the data set's manifest; no file is redistributed.", "", "## Figures", ""]
    lines += [f"- {name.replace('_', ' ')}, held out: {value:.4f}" for name, value in figures.items()] or ["Not measured."]
    return "\n".join([*lines, "", "## Limits", "", _LIMITS[variant], ""])


TRAINABLE = Trainable(
    name="neural-drummer",
    title="NeuralDrummer: drums from the intensity of the band",
    configs={"songs": StepRecipe(), "original": WindowRecipe()},
    make_task=_make_task,
    export=_export,
)
