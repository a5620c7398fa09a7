"""LSTMetallica (Choi, Fazekas and Sandler 2016): the original's network, and one that plays whole songs.

``TextLstm`` reads tokens, words or characters, as the original's Keras model does: layers of LSTM with dropout behind each and a
softmax over the types. Keras 1 stepped its gates with a piecewise linear "hard" sigmoid; here they are smooth. ``SongLstm``
is told where in the bar and in the phrase it is and what ``codecs.song_memory`` remembers; it may point at remembered words: a
pointer adds to that word's logit, so that references that agree add up. Shapes: B songs, T steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class TextLstmConfig:
    """Sizes of the original's network.

    Args:
        types: different tokens.
        units: of each layer: two of 512 in the code, three in the blog.
        dropout: share of each layer's outputs that is left out in training.
    """

    types: int
    units: tuple[int, ...] = (512, 512)
    dropout: float = 0.2


class KerasLstm(nn.Module):
    """A layer as Keras starts it: Glorot's uniform kernel, orthogonal recurrent weights, one bias, 1 for the forget gate.

    Gates are in the order of torch (input, forget, candidate, output).
    """

    def __init__(self, columns: int, units: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.empty(columns, 4 * units))
        self.recurrent = nn.Parameter(torch.empty(units, 4 * units))
        self.bias = nn.Parameter(torch.zeros(4 * units))
        limit = math.sqrt(6 / (columns + units))
        with torch.no_grad():
            self.kernel.uniform_(-limit, limit)
            for part in torch.split(self.recurrent, units, dim=1):
                nn.init.orthogonal_(part)
            self.bias[units : 2 * units] = 1

    def forward(self, inputs: Tensor, state: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run over steps.

        Args:
            inputs: float [B, T, columns].
            state, cell: float [B, units].

        Returns:
            outputs float [B, T, units], and the next state and cell.
        """
        weights = [self.kernel.T, self.recurrent.T, self.bias, torch.zeros_like(self.bias)]
        outputs, state, cell = torch.lstm(inputs, (state[None], cell[None]), weights, True, 1, 0.0, self.training, False, True)
        return outputs, state[0], cell[0]


class TextLstm(nn.Module):
    """The original's network."""

    def __init__(self, config: TextLstmConfig) -> None:
        super().__init__()
        self.config = config
        columns = (config.types, *config.units[:-1])
        self.layers = nn.ModuleList(KerasLstm(c, u) for c, u in zip(columns, config.units, strict=True))
        self.logits = nn.Linear(config.units[-1], config.types)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.xavier_uniform_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)

    def start(self, songs: int) -> tuple[Tensor, ...]:
        """The state before the first token: of each layer state and cell [B, units], zeros."""
        return tuple(torch.zeros(songs, units) for units in self.config.units for _ in range(2))

    def forward(self, tokens: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Log probabilities of the token behind each one.

        Args:
            tokens: int64 [B, T].
            states: of ``start``, or what the call before gave.

        Returns:
            log p [B, T, types], and the next states.
        """
        outputs, after = self.run(tokens, states)
        return functional.log_softmax(self.logits(outputs), dim=-1), *after

    def predict(self, tokens: Tensor) -> Tensor:
        """Log p [B, types] of the token behind a window of tokens int64 [B, T], with nothing before it."""
        outputs, _ = self.run(tokens, self.start(len(tokens)))
        return functional.log_softmax(self.logits(outputs[:, -1]), dim=-1)

    def run(self, tokens: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor]]:
        """Outputs of the last layer float [B, T, units], and the next states."""
        outputs, after = functional.one_hot(tokens, self.config.types).to(self.logits.weight.dtype), []
        for index, layer in enumerate(self.layers):
            outputs, state, cell = layer(outputs, states[2 * index], states[2 * index + 1])
            outputs = self.dropout(outputs)
            after += [state, cell]
        return outputs, after


@dataclass(frozen=True)
class SongLstmConfig:
    """Sizes of the network that plays whole songs.

    Args:
        width: of what enters and leaves the recurrent layer, and of that layer.
        classes: words.  hits: drums of a word.
        references, hints: columns of ``codecs.song_memory``.
        places: words of a bar.  phrase: binary counters of bars.
        counters: whether it is told the place and the bar.  memory: whether it is told what is remembered.
        dropout: of what enters and leaves.  forget: share of steps at which a reference is left out in training.
    """

    width: int = 192
    classes: int = 512
    hits: int = 9
    references: int = 11
    hints: int = 15
    places: int = 16
    phrase: int = 5
    counters: bool = True
    memory: bool = True
    dropout: float = 0.25
    forget: float = 0.1


class SongLstm(nn.Module):
    """The network that plays whole songs."""

    bits: Tensor

    def __init__(self, config: SongLstmConfig) -> None:
        super().__init__()
        self.config = config
        bits = ((torch.arange(config.classes + 1)[:, None] >> torch.arange(config.hits)) & 1).float()
        bits[-1] = 0
        self.register_buffer("bits", bits, persistent=False)
        self.before, self.recalled = nn.Embedding(config.classes + 1, 32), nn.Embedding(config.classes + 1, 24)
        self.place = nn.Embedding(config.places, 16)
        columns = config.hits + 32 + 16 + config.phrase + config.references * (config.hits + 1) + 24 + config.hints
        self.enter = nn.Linear(columns, config.width)
        self.recurrent = nn.LSTM(config.width, config.width, batch_first=True)
        self.leave = nn.Linear(2 * config.width, config.width)
        self.words = nn.Linear(config.width, config.classes)
        self.drums = nn.Linear(config.width, config.hits)
        self.pointers = nn.Linear(config.width, config.references)
        self.end = nn.Linear(config.width, 1)
        self.dropout = nn.Dropout(config.dropout)
        nn.init.normal_(self.words.weight, std=0.01)
        nn.init.zeros_(self.words.bias)
        nn.init.constant_(self.pointers.bias, 0.5)
        nn.init.constant_(self.end.bias, -5.0)

    def start(self, songs: int) -> tuple[Tensor, ...]:
        """The state before the first step: state and cell [B, width], zeros."""
        return tuple(torch.zeros(songs, self.config.width) for _ in range(2))

    def forward(self, before: Tensor, bar: Tensor, place: Tensor, words: Tensor, hints: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        """Log probabilities of the words.

        Args:
            before: int64 [B, T], the word one step before each, 512 at the beginning of the song.
            bar: int64 [B, T], number of the bar.  place: int64 [B, T], place in it.
            words: int64 [B, T, references] remembered, 512 where none.  hints: float [B, T, hints] in 0-1.
            states: of ``start``, or what the call before gave.

        Returns:
            log p [B, T, classes]; the logit [B, T] that the song ends instead of going on here; and the next states.
        """
        words, hints = self._leave_out(words, hints)
        known = (words < self.config.classes).to(hints.dtype)
        counted = self.bits[torch.remainder(bar, 1 << self.config.phrase)][..., : self.config.phrase]
        where = torch.cat([self.place(place), counted], dim=-1) * float(self.config.counters)
        followed = self.recalled(words[..., 8])
        x = torch.cat([self.bits[before], self.before(before), where, self.bits[words].flatten(-2), known, followed, hints], dim=-1)
        x = self.dropout(functional.gelu(self.enter(x)))
        h, (state, cell) = self.recurrent(x, (states[0][None], states[1][None]))
        out = self.dropout(functional.gelu(self.leave(torch.cat([h, x], dim=-1))))
        logits = self.words(out) + self.drums(out) @ self.bits[:-1].T
        logits = logits.scatter_add(-1, words.clamp(max=self.config.classes - 1), self.pointers(out) * known)
        return functional.log_softmax(logits, dim=-1), self.end(out)[..., 0], state[0], cell[0]

    def _leave_out(self, words: Tensor, hints: Tensor) -> tuple[Tensor, Tensor]:
        """Memories that are not told: none in a network without memory, some of them in training."""
        if not self.config.memory:
            return torch.full_like(words, self.config.classes), torch.zeros_like(hints)
        if self.training and self.config.forget:
            words = words.masked_fill(torch.rand(words.shape, device=words.device) < self.config.forget, self.config.classes)
        return words, hints
