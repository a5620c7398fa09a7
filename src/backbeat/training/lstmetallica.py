"""Training LSTMetallica: whole songs with everything remembered, or the original's windows of words and of characters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backbeat.codecs.metallica_text import STEPS, spell_tokens, write_text
from backbeat.codecs.song_memory import NO_WORD
from backbeat.codecs.words import VOCABULARY, Words
from backbeat.errors import InputError
from backbeat.evaluation.learning import Data
from backbeat.kits import load_kit
from backbeat.networks.lstmetallica import SongLstm, SongLstmConfig, TextLstm, TextLstmConfig
from backbeat.training.loop import Figures, Outcome, Run, Schedule
from backbeat.training.metallica_lanes import NOTHING, Arrays, SongLanes, TokenLanes, Windows, read_once, read_songs
from backbeat.training.recurrent_export import export_recurrent
from backbeat.training.trainables import Trainable

INPUTS = ("before", "bar", "place", "words", "hints")
TOKEN_TYPES = VOCABULARY + 1
"""Words that the text could hold, and BAR."""


@dataclass(frozen=True)
class Recipe(Schedule):
    """How LSTMetallica is trained.

    Args:
        kind: "song" = whole songs, memory and counters, each bar's 16 words; "windows" = windows of text, the original; "carried" = the
            original's network on whole songs of text with the state carried.
        level: tokens of text, "word" or "char".
        units: of the original's layers.  width: of the network for whole songs.
        length: tokens of a window, or steps of a chunk.  step: from one window to the next.
        counters, memory, forget: of the network for whole songs, see ``SongLstmConfig``.
        dropout: in either network.
        marks: SONG_BEGIN and SONG_END in the text; the network for whole songs knows beginnings and endings anyway.
        unseen: probability that a text model keeps for all words together that its training text did not hold.
        every: learn from every n-th piece only.
    """

    updates: int = 1200
    batch: int = 24
    rate: float = 2e-3
    warm_up: int = 40
    floor: float = 0.03
    optimiser: str = "adamw"
    decay: float = 0.05
    clip: float = 1.0
    validate_every: int = 50
    save_every: int = 50
    kind: str = "song"
    level: str = "word"
    units: tuple[int, ...] = (512, 512)
    width: int = 192
    length: int = 128
    step: int = 8
    counters: bool = True
    memory: bool = True
    forget: float = 0.1
    dropout: float = 0.3
    marks: bool = False
    unseen: float = 0.001
    every: int = 1


ORIGINAL = Recipe(
    updates=1200 * 182,  # epochs in all x updates of an epoch of the 57 songs
    batch=128,
    rate=1e-3,
    warm_up=0,
    floor=1.0,
    optimiser="adam",
    clip=0.0,
    validate_every=182,
    save_every=182,
    patience=15,
    kind="windows",
    length=256,
    dropout=0.2,
)
"""The code's defaults: windows of 256 words every 8, two layers of 512, Adam, epochs in all 1,200, patience of 15 epochs.
What its EarlyStopping watched was the training loss; here it is the held-out songs, for the original had none."""


class SongTask:
    """The task of the network for whole songs.

    Args:
        recipe: how.
        train, validation: songs' words, uint16 [steps] each.
    """

    target = "perplexity"

    def __init__(self, recipe: Recipe, train: Sequence[Words], validation: Sequence[Words]) -> None:
        torch.manual_seed(recipe.seed)
        sizes = SongLstmConfig(width=recipe.width, counters=recipe.counters, memory=recipe.memory, dropout=recipe.dropout, forget=recipe.forget)
        self.recipe, self.network = recipe, SongLstm(sizes)
        self.lanes = SongLanes(train, recipe.batch, recipe.length, recipe.seed)
        self.validation = list(validation)
        self._batches: list[Arrays] = []
        self._states: tuple[Tensor, ...] = ()

    @property
    def _device(self) -> torch.device:
        return self.network.end.weight.device

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Loss of an update: one chunk of each lane."""
        batch, fresh = self.lanes.batch(update, share, shares)
        states = self._states or self.network.start(len(fresh))
        going_on = torch.from_numpy(~fresh)[:, None].float().to(self._device)
        log_p, end, *after = self.network(*take_inputs(batch, self._device), *(s.to(self._device) * going_on for s in states))
        self._states = tuple(s.detach() for s in after)
        nats, ends, count = _sum_losses(log_p, end, batch)
        count = max(1, count)
        return Outcome((nats + ends) / count, {"loss": float(nats.detach()) / count, "ending": float(ends.detach()) / count})

    def validate(self) -> Figures:
        """Perplexity of whole held-out songs: per word of text, BAR included, which is certain here; and per step."""
        self._batches = self._batches or list(read_once(self.validation))
        total, ending, count, right = 0.0, 0.0, 0, 0
        for batch in self._batches:
            starts = (s.to(self._device) for s in self.network.start(len(batch["target"])))
            log_p, end, *_ = self.network(*take_inputs(batch, self._device), *starts)
            nats, ends, steps = _sum_losses(log_p, end, batch)
            total, ending, count = total + float(nats), ending + float(ends), count + steps
            right += int((log_p.argmax(-1).cpu() == torch.from_numpy(batch["target"])).sum())
        return {
            "perplexity": math.exp(total / (count * (STEPS + 1) / STEPS)),
            "step_perplexity": math.exp(total / count),
            "accuracy": right / count,
            "ending": ending / len(self.validation),
        }

    def state(self) -> dict[str, Tensor]:
        """The lanes' states."""
        return {f"state{k}": s for k, s in enumerate(self._states)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take the lanes' states back."""
        self._states = tuple(state[f"state{k}"] for k in range(len(state)))


def take_inputs(batch: Arrays, device: torch.device | str = "cpu") -> list[Tensor]:
    """A batch as the network for whole songs takes it."""
    return [torch.from_numpy(np.ascontiguousarray(batch[name])).to(device) for name in INPUTS]


def _sum_losses(log_p: Tensor, end: Tensor, batch: Arrays) -> tuple[Tensor, Tensor, int]:
    """Nats of the words, nats of ending or not, and the number of words."""
    target, asked = torch.from_numpy(batch["target"]).to(end.device), torch.from_numpy(batch["end"]).to(end.device)
    nats = functional.nll_loss(log_p.flatten(0, 1), target.flatten(), ignore_index=NOTHING, reduction="sum")
    ends = functional.binary_cross_entropy_with_logits(end, asked.clamp(min=0), weight=(asked >= 0).float(), reduction="sum")
    return nats, ends, int((batch["target"] != NOTHING).sum())


class TextTask:
    """The task of the original's network, on windows or on whole songs.

    Args:
        recipe: how.
        train, validation: songs' words, uint16 [steps] each.

    Raises:
        InputError: the text is shorter than a window.
    """

    target = "perplexity"

    def __init__(self, recipe: Recipe, train: Sequence[Words], validation: Sequence[Words]) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        texts = [spell(words, recipe) for words in train]
        self.types = sorted({token for text in texts for token in text})
        self.network = TextLstm(TextLstmConfig(len(self.types), recipe.units, recipe.dropout))
        numbers = {token: k for k, token in enumerate(self.types)}
        read = [np.array([numbers[token] for token in text], np.int64) for text in texts]
        self.windows = Windows(np.concatenate(read), recipe.length, recipe.step, recipe.seed) if recipe.kind == "windows" else None
        self.lanes = None if self.windows else TokenLanes(read, recipe.batch, recipe.length, recipe.seed)
        self.validation = [np.array([numbers.get(token, NOTHING) for token in spell(words, recipe)], np.int64) for words in validation]
        self._states: tuple[Tensor, ...] = ()

    @property
    def _device(self) -> torch.device:
        return self.network.logits.weight.device

    def compute(self, update: int, share: int, shares: int) -> Outcome:
        """Loss of an update: the token behind each window, or all tokens of a chunk of each lane."""
        if self.windows:
            tokens, behind = (torch.from_numpy(a).to(self._device) for a in self.windows.batch(update, self.recipe.batch, share, shares))
            outputs, _ = self.network.run(tokens, tuple(s.to(self._device) for s in self.network.start(len(tokens))))
            log_p = functional.log_softmax(self.network.logits(outputs[:, -1]), dim=-1)
        else:
            log_p, behind = self._carry(update, share, shares)
        loss = functional.nll_loss(log_p, behind, ignore_index=NOTHING)
        return Outcome(loss, {"loss": float(loss.detach())})

    def _carry(self, update: int, share: int, shares: int) -> tuple[Tensor, Tensor]:
        if self.lanes is None:
            raise InputError("windows carry no state")
        read, target, fresh = self.lanes.batch(update, share, shares)
        states = self._states or self.network.start(len(fresh))
        going_on = torch.from_numpy(~fresh)[:, None].float().to(self._device)
        log_p, *after = self.network(torch.from_numpy(read).to(self._device), *(s.to(self._device) * going_on for s in states))
        self._states = tuple(s.detach() for s in after)
        return log_p.flatten(0, 1), torch.from_numpy(target).flatten().to(self._device)

    def validate(self) -> Figures:
        """Perplexity per token of whole held-out songs, the state carried."""
        nats, count, unseen = 0.0, 0, TOKEN_TYPES - len(self.types) if self.recipe.level == "word" else 1
        for tokens in self.validation:
            known = torch.from_numpy(np.maximum(tokens, 0)).to(self._device)[None]
            log_p, *_ = self.network(known, *(s.to(self._device) for s in self.network.start(1)))
            score = log_p[0, :-1].gather(1, known[0, 1:, None])[:, 0].cpu().numpy() + math.log(1 - self.recipe.unseen)
            score = np.where(tokens[1:] < 0, math.log(self.recipe.unseen / max(1, unseen)), score)
            nats, count = nats - float(score.sum()) + math.log(len(self.types)), count + len(tokens)
        return {"perplexity": math.exp(nats / count)}

    def state(self) -> dict[str, Tensor]:
        """The lanes' states."""
        return {f"state{k}": s for k, s in enumerate(self._states)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take the lanes' states back."""
        self._states = tuple(state[f"state{k}"] for k in range(len(state)))


def spell(words: Words, recipe: Recipe) -> Sequence[str]:
    """A song's text as the recipe's tokens."""
    if recipe.level == "char":
        return write_text([words], marks=recipe.marks)
    return spell_tokens(words.tolist(), marks=recipe.marks)


def make_task(recipe: Recipe, data: Data) -> SongTask | TextTask:
    """Read the data and make the network.

    Raises:
        InputError: the recipe names what there is not, or no piece has drums.
    """
    if recipe.kind not in ("song", "windows", "carried") or recipe.level not in ("word", "char"):
        raise InputError(f"kind is song, windows or carried and level word or char, not {recipe.kind} and {recipe.level}")
    task = SongTask if recipe.kind == "song" else TextTask
    return task(recipe, read_songs(data.train, recipe.every), read_songs(data.validation))


def export(task: SongTask | TextTask, run: Run, folder: Path, about: Mapping[str, Any]) -> None:
    """Write the checkpoint folder that ``models.lstmetallica`` loads."""
    config: dict[str, Any] = {"network": "lstmetallica", "kind": "song" if isinstance(task, SongTask) else "text", "sizes": asdict(task.network.config)}
    config |= {"codec": "metallica_text", "kit": load_kit("lstmetallica_9").to_dict(), "training": dict(about)}
    card = write_card(task, about)
    if isinstance(task, SongTask):
        network: SongLstm | TextLstm = SongLstm(replace(task.network.config, dropout=0.0, forget=0.0))
        inputs = {name: torch.zeros(2, 3, dtype=torch.int64) for name in ("before", "bar", "place")}
        inputs |= {"words": torch.full((2, 3, task.network.config.references), NO_WORD), "hints": torch.rand(2, 3, task.network.config.hints)}
        outputs: tuple[str, ...] = ("log_p", "end")
        states = ["state", "cell"]
    else:
        network = TextLstm(replace(task.network.config, dropout=0.0))  # nothing random, whatever mode the exporter leaves it in
        config |= {"types": task.types, "level": task.recipe.level, "unseen": task.recipe.unseen}
        inputs = {"tokens": torch.zeros(2, 3, dtype=torch.int64)}
        outputs, states = ("log_p",), [f"{kind}{k}" for k in range(len(task.network.config.units)) for kind in ("state", "cell")]
    network.load_state_dict(task.network.state_dict())
    export_recurrent(network, inputs, dict(zip(states, network.start(2), strict=True)), outputs, folder, config, card)


def write_card(task: SongTask | TextTask, about: Mapping[str, Any]) -> str:
    """The card: what it is, data and licences, recipe, figures, limits."""
    data, figures = about.get("data", {}), about.get("validation", {})
    count = sum(p.numel() for p in task.network.parameters())
    lines = ["# LSTMetallica", "", f"{TRAINABLE.title}; {count:,} parameters. After Choi, Fazekas and Sandler, arXiv 1604.05358.", "", "## Data", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in data.items()]
    lines += [f"- started from: {about['begin']}"] if about.get("begin") else []
    lines += ["", "The 57 Metallica files state no licence; no file is redistributed. Train on your own files to be sure of your rights.", "", "## Recipe", ""]
    lines += [", ".join(f"{k} {v}" for k, v in asdict(task.recipe).items()), "", f"Updates: {about.get('updates', 0):,}.", "", "## Figures", ""]
    lines += [f"- {key.replace('_', ' ')} (held-out songs): {value:.4g}" for key, value in figures.items()] or ["Not measured."]
    lines += ["", "## Limits", "", "16ths and nine drums; bars of 16 words whatever the metre; it decides what is hit, not how loud nor how late."]
    return "\n".join([*lines, "It hears no band.", ""])


TRAINABLE = Trainable(
    name="lstmetallica",
    title="LSTMetallica: drums as text, learned from one band's songs",
    configs={
        "song": Recipe(),
        "original": ORIGINAL,
        "original-char": Recipe(**{**asdict(ORIGINAL), "updates": 1200 * 492, "level": "char", "units": (32, 32), "length": 1024, "step": 34}),
        "blog": Recipe(**{**asdict(ORIGINAL), "units": (512, 512, 512)}),
        "carried": Recipe(**{**asdict(Recipe()), "kind": "carried", "units": (192, 192), "marks": False}),
    },
    make_task=make_task,
    export=export,
)
