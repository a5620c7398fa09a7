"""Training of the note LSTM: the network of tokens on whole pieces, the original's on windows of 25 notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbeat.codecs.notes import FIRST_DURATION, FIRST_PITCH, KINDS, VOCABULARY, Notes, bin_to_time, notes_to_tokens, read_notes
from backbeat.datasets.source import Source
from backbeat.errors import BackbeatError, InputError
from backbeat.evaluation.learning import Data
from backbeat.midi import parse_song
from backbeat.networks.note_lstm import NoteLstm, NoteLstmConfig, NoteRnn, NoteRnnConfig
from backbeat.training.loop import Figures, Outcome, Run, Schedule
from backbeat.training.recurrent_export import export_recurrent
from backbeat.training.still import Still
from backbeat.training.trainables import Trainable
from backbeat.units import Floats, Ints

NETWORK = "notes"


@dataclass(frozen=True)
class TokenRecipe(Schedule):
    """How the network of tokens is trained.

    Args:
        length: notes of a chunk; the state is carried on to the next.
        embedding, units, dropout: of the network.
        parts: whose notes, "all" or "first", see ``codecs.notes.read_notes``.
        transpose: every piece of every epoch is shifted by up to so many semitones.
        measured: held-out pieces that are measured on, 0 = all.
    """

    updates: int = 2000
    batch: int = 32
    rate: float = 3e-3
    warm_up: int = 50
    floor: float = 0.02
    clip: float = 1.0
    validate_every: int = 200
    length: int = 64
    embedding: int = 64
    units: int = 256
    dropout: float = 0.1
    parts: str = "all"
    transpose: int = 5
    measured: int = 40


@dataclass(frozen=True)
class LstmRecipe(Schedule):
    """How the original is trained: 50 epochs over the notes of five files, ended early when the training loss rises five times.

    Args:
        files: so many of the training data; 0 = all.
        length, units: of the network.
        parts: as in ``TokenRecipe``.
        weights: of the losses of pitch, step and duration.
        pressure: weight of what a time lies below zero.
        measured: held-out pieces that are measured on, 0 = all.
    """

    updates: int = 1300
    batch: int = 64
    rate: float = 0.005
    validate_every: int = 26
    patience: int = 5
    files: int = 5
    length: int = 25
    units: int = 128
    parts: str = "first"
    weights: tuple[float, ...] = (0.05, 1.0, 1.0)
    pressure: float = 10.0
    measured: int = 40


def read_pieces(sources: Sequence[Source], parts: str, shortest: int = 32) -> list[Notes]:
    """The notes of every piece that can be read and has enough of them.

    Raises:
        InputError: there is none, or ``parts`` is neither "first" nor "all".
    """
    if parts not in ("first", "all"):
        raise InputError(f"parts are 'first' or 'all', not {parts!r}")
    pieces = []
    for source in sources:
        try:
            notes = read_notes(parse_song(source.read(), source.name), parts)
        except BackbeatError:
            continue
        if len(notes) >= shortest:
            pieces.append(notes)
    if not pieces:
        raise InputError(f"none of {len(sources)} pieces has {shortest} notes to learn from: the note network needs MIDI files, not a corpus")
    return pieces


class TokenTask:
    """The network of tokens, its pieces and its loss."""

    target = "nats_per_note"

    def __init__(self, recipe: TokenRecipe, train: Sequence[Notes], held: Sequence[Notes]) -> None:
        self.recipe = recipe
        self.pieces, self.held = ([notes_to_tokens(n) for n in part] for part in (train, held))
        self.held_notes = held
        self.network: nn.Module = NoteRnn(NoteRnnConfig(VOCABULARY, recipe.embedding, recipe.units, recipe.dropout))
        self.hidden = torch.zeros(1, recipe.batch, recipe.units)
        self.chunks = np.array([-(-len(p) // (3 * recipe.length)) for p in self.pieces], np.int64)

    def take(self, update: int, share: int, shares: int) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
        """Tokens int64 [B, 3 length], -1 behind the end; those before each; and which lanes begin a piece."""
        recipe = self.recipe
        lanes = recipe.batch * shares
        epoch_updates = max(1, int(self.chunks.sum()) // lanes)
        epoch, place = divmod(update, epoch_updates)
        rng = np.random.default_rng([recipe.seed, epoch])
        order = rng.permutation(len(self.pieces))
        shifts = rng.integers(-recipe.transpose, recipe.transpose + 1, len(self.pieces))
        ends = np.cumsum(self.chunks[order])
        wanted = ((share * recipe.batch + np.arange(recipe.batch)) * epoch_updates + place) % int(ends[-1])
        size = 3 * recipe.length
        tokens, before = np.full((recipe.batch, size), -1, np.int64), np.full((recipe.batch, size), VOCABULARY, np.int64)
        fresh = np.zeros(recipe.batch, np.bool_)
        for lane, (chunk, index) in enumerate(zip(wanted.tolist(), np.searchsorted(ends, wanted, side="right").tolist(), strict=True)):
            piece = int(order[index])
            begin = (chunk - int(ends[index]) + int(self.chunks[piece])) * size
            line = transpose(self.pieces[piece][max(0, begin - 1) : begin + size], int(shifts[piece]))
            now = line[1:] if begin else line
            tokens[lane, : len(now)] = now
            before[lane, int(not begin) : len(now)] = line[: len(now) - int(not begin)]
            fresh[lane] = begin == 0 or place == 0
        return tokens, before, fresh

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Nats a token, mean over the chunk of every lane."""
        tokens, before, fresh = self.take(update, share, shares)
        device = next(self.network.parameters()).device
        hidden = self.hidden.to(device) * torch.from_numpy(~fresh).to(device)[None, :, None]
        logits, after = self.network(torch.from_numpy(before).to(device), hidden)
        self.hidden = after.detach()
        nats = measure_kinds(logits, torch.from_numpy(tokens).to(device))
        counts = torch.stack([n.new_tensor(n.numel()) for n in nats])
        loss = torch.stack([n.sum() for n in nats]).sum() / counts.sum()
        names = ("step", "pitch", "duration")
        figures = {f"{name}_nats": float(n.detach().mean()) for name, n in zip(names, nats, strict=True)}
        return Outcome(loss, {"loss": float(loss.detach()), **figures})

    def validate(self) -> Figures:
        """Nats a note and its parts, and the mean absolute errors of the times' medians, over whole held-out pieces."""
        nats: list[list[Tensor]] = [[], [], []]
        errors: list[list[Floats]] = [[], []]
        device = next(self.network.parameters()).device
        for tokens, notes in zip(self.held, self.held_notes, strict=True):
            before = np.concatenate([[VOCABULARY], tokens[:-1]])
            logits, _ = self.network(torch.from_numpy(before)[None].to(device), torch.zeros(1, 1, self.recipe.units, device=device))
            for parts, part in zip(nats, measure_kinds(logits, torch.from_numpy(tokens)[None].to(device)), strict=True):
                parts.append(part)
            for missed, kind, column in zip(errors, (0, 2), (1, 2), strict=True):
                missed.append(np.abs(find_medians(logits[0], kind) - notes[:, column]))
        step, pitch, duration = (float(torch.cat(parts).mean()) for parts in nats)
        figures = {"nats_per_note": step + pitch + duration, "pitch_nats": pitch, "step_nats": step, "duration_nats": duration}
        return figures | {"step_error": float(np.concatenate(errors[0]).mean()), "duration_error": float(np.concatenate(errors[1]).mean())}

    def state(self) -> dict[str, Tensor]:
        """The hidden state of every lane."""
        return {"hidden": self.hidden}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        self.hidden = state["hidden"]


def transpose(tokens: Ints, semitones: int) -> Ints:
    """Tokens with their pitches shifted, those that would leave the range staying an octave inside."""
    out = tokens.copy()
    is_pitch = (out >= FIRST_PITCH) & (out < FIRST_DURATION)
    out[is_pitch] += semitones
    out[is_pitch & (out < FIRST_PITCH)] += 12
    out[is_pitch & (out >= FIRST_DURATION)] -= 12
    return out


def measure_kinds(logits: Tensor, tokens: Tensor) -> list[Tensor]:
    """Nats of the real steps, pitches and durations, each among its own kind; tokens below 0 are left out.

    Args:
        logits: float [B, T, tokens].  tokens: int64 [B, T], T a multiple of 3.
    """
    out = []
    for offset, (first, stop) in enumerate(KINDS):
        real = tokens[:, offset::3]
        known = real >= 0
        out.append(functional.cross_entropy(logits[:, offset::3, first:stop][known], real[known] - first, reduction="none"))
    return out


def find_medians(logits: Tensor, kind: int) -> Floats:
    """float64 [n]: the medians of the times that logits [3 n, tokens] tell, of steps (kind 0) or durations (2), in seconds."""
    first, stop = KINDS[kind]
    below = torch.softmax(logits[kind::3, first:stop], dim=-1).cumsum(-1) < 0.5
    return bin_to_time(below.sum(-1).clamp(max=stop - first - 1).cpu().numpy())


class LstmTask:
    """The original's network, its windows and its losses."""

    target = "training_loss"

    def __init__(self, recipe: LstmRecipe, train: Sequence[Notes], held: Sequence[Notes]) -> None:
        self.recipe = recipe
        self.notes = np.concatenate(list(train)).astype(np.float32)
        self.held = [h.astype(np.float32) for h in held]
        self.network: nn.Module = NoteLstm(NoteLstmConfig(recipe.units, length=recipe.length))
        self.sums = torch.zeros(2, dtype=torch.float64)

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """The weighted sum of the three losses over a batch of windows; every epoch takes them in another order."""
        recipe = self.recipe
        count = len(self.notes) - recipe.length
        batches = max(1, count // (recipe.batch * shares))
        epoch, place = divmod(update, batches)
        order = np.random.default_rng([recipe.seed, epoch]).permutation(count)
        first = (place * shares + share) * recipe.batch
        starts = order[first : first + recipe.batch]
        windows = np.stack([self.notes[s : s + recipe.length + 1] for s in starts.tolist()])
        losses = self._measure(windows)
        loss = sum(w * part for w, part in zip(recipe.weights, losses, strict=True))
        if not isinstance(loss, Tensor):
            raise TypeError("a recipe needs three weights")
        self.sums = self.sums + torch.tensor([float(loss.detach()), 1.0], dtype=torch.float64)
        return Outcome(loss, {"loss": float(loss.detach()), "pitch_nats": float(losses[0].detach())})

    def _measure(self, windows: npt.NDArray[np.float32]) -> list[Tensor]:
        device = next(self.network.parameters()).device
        batch = torch.from_numpy(windows).to(device)
        inputs, target = scale_notes(batch[:, :-1]), batch[:, -1]
        pitch, step, duration = self.network(inputs)
        times = [press(real, told, self.recipe.pressure) for real, told in ((target[:, 1], step), (target[:, 2], duration))]
        return [functional.cross_entropy(pitch, target[:, 0].long()), *times]

    def validate(self) -> Figures:
        """The training loss since the last time, which ends the run as in the original; and figures on held-out pieces."""
        totals, length = np.zeros(4), self.recipe.length
        device = next(self.network.parameters()).device
        for notes in self.held:
            windows = np.lib.stride_tricks.sliding_window_view(notes, length + 1, axis=0).transpose(0, 2, 1)
            batch = torch.from_numpy(np.ascontiguousarray(windows)).to(device)
            pitch, step, duration = self.network(scale_notes(batch[:, :-1]))
            target = batch[:, -1]
            totals[0] += float(functional.cross_entropy(pitch, target[:, 0].long(), reduction="sum"))
            totals[1] += float((step.clamp(min=0) - target[:, 1]).abs().sum())
            totals[2] += float((duration.clamp(min=0) - target[:, 2]).abs().sum())
            totals[3] += len(windows)
        mean = float(self.sums[0] / self.sums[1].clamp(min=1))
        self.sums = torch.zeros(2, dtype=torch.float64)
        nats, step_error, duration_error = (totals[:3] / max(1, totals[3])).tolist()
        return {"training_loss": mean, "pitch_nats": nats, "step_error": step_error, "duration_error": duration_error}

    def state(self) -> dict[str, Tensor]:
        """The training loss since the last validation."""
        return {"sums": self.sums}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        self.sums = state["sums"]


def scale_notes(notes: Tensor) -> Tensor:
    """Notes as the original's network reads them: the pitch divided by 128."""
    return notes / notes.new_tensor([128.0, 1.0, 1.0])


def press(real: Tensor, told: Tensor, pressure: float) -> Tensor:
    """Mean squared error, and pressure on what is below zero."""
    return ((real - told) ** 2 + pressure * (-told).clamp(min=0)).mean()


def _make_task(recipe: Schedule, data: Data) -> TokenTask | LstmTask:
    if isinstance(recipe, LstmRecipe):
        train = list(data.train)[: recipe.files or None]
        return LstmTask(recipe, read_pieces(train, recipe.parts), read_pieces(_pick(data.validation, recipe.measured), recipe.parts))
    if not isinstance(recipe, TokenRecipe):
        raise TypeError(f"no recipe of the note network: {type(recipe).__name__}")
    return TokenTask(recipe, read_pieces(data.train, recipe.parts), read_pieces(_pick(data.validation, recipe.measured), recipe.parts))


def _pick(sources: Sequence[Source], count: int) -> list[Source]:
    return [sources[i * len(sources) // count] for i in range(count)] if 0 < count < len(sources) else list(sources)


def _export(task: Any, run: Run, folder: Path, about: dict[str, Any]) -> None:  # noqa: ANN401 - a task of this module
    export_notes(task.network, folder, about, task.recipe.parts)


def export_notes(network: Any, folder: Path, about: Mapping[str, Any], parts: str = "all") -> None:  # noqa: ANN401 - one of the two networks
    """Write a checkpoint folder, of either network.

    Args:
        network: trained.
        folder: made if missing.
        about: what config.json says of recipe, data and figures.
        parts: whose notes it has learned.
    """
    config: dict[str, Any] = {"network": NETWORK, "sizes": asdict(network.config), "codec": {"name": "notes", "parts": parts}, "training": dict(about)}
    card = write_card(isinstance(network, NoteRnn), about)
    if isinstance(network, NoteRnn):
        inputs = {"tokens": torch.randint(0, VOCABULARY + 1, (3, 6))}
        export_recurrent(Still(network), inputs, {"state": network.start(3)}, ("logits",), folder, config | {"variant": "tokens"}, card)
    else:
        windows = {"notes": torch.rand(3, network.config.length, 3)}
        export_recurrent(Still(network), windows, {}, ("pitch", "step", "duration"), folder, config | {"variant": "windows"}, card)


def write_card(tokens: bool, about: Mapping[str, Any]) -> str:
    """The card of a checkpoint folder: what it is, its data and licences, its figures and limits."""
    data, figures = about.get("data", {}), about.get("validation", {})
    lines = ["# notes: " + ("step, pitch and duration of notes, as tokens" if tokens else "the piano LSTM of the TensorFlow tutorial"), ""]
    lines += ["Trained by `backbeat train notes`; see docs/notes.md.", "", "## Data", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in data.items()] or ["Not said."]
    licence = "POP909 is MIT-licensed" if str(data.get("name", "")).startswith("pop909") else "The licence of the files is theirs"
    lines += ["", f"{licence}; no file is redistributed.", "", "## Figures", ""]
    lines += [f"- {name.replace('_', ' ')}, held out: {value:.4f}" for name, value in figures.items()] or ["Not measured."]
    lines += ["", "## Limits", "", "It knows what it learned from, and seconds, not bars, and all notes are equally loud."]
    return "\n".join([*lines, ""])


TRAINABLE = Trainable(
    name="notes",
    title="notes of a piano: pitch, step and duration",
    configs={"tokens": TokenRecipe(), "original": LstmRecipe()},
    make_task=_make_task,
    export=_export,
)
