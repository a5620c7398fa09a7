"""Playing with a model that scores: draw a word from its distribution, play it, go on."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from backbeat.codecs.words import Hits, words_to_hits
from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.models.protocol import Piece, Take
from backbeat.sampling import keep_top
from backbeat.units import Floats


class _Beginner(Protocol):
    def begin(self, grid: Grid) -> Take: ...


def improvise(model: _Beginner, piece: Piece, rng: np.random.Generator, *, temperature: float = 1.0, top_p: float = 1.0, primer: float = 0) -> Hits:
    """Play a piece step by step from a model's own distribution.

    The model does not hear the band, but rests in bars where the band rests; it takes note of these rests as it does of all that it plays.

    Args:
        model: gives the distribution of the next word.
        piece: its bars are filled; its real words are looked at only in the primer.
        rng: the same seed plays the same.
        temperature: 0 takes the most likely word.
        top_p: share of the likely words that may be chosen.
        primer: so many bars at the start are given: they are the piece's own.

    Returns:
        bool [steps, 9].

    Raises:
        InputError: the piece has fewer bars than the primer, or the temperature or top-p is out of range.
    """
    grid = piece.grid
    if not 0 <= primer <= grid.bars:
        raise InputError(f"{piece.name} has {grid.bars} bars: a primer of {primer} does not fit")
    if not 0 <= temperature <= 5 or not 0 < top_p <= 1:
        raise InputError(f"temperature must lie in 0-5 and top-p in (0, 1], not {temperature} and {top_p}")
    given = int(grid.first_steps[int(primer)])
    words = np.where(np.arange(grid.steps) < given, piece.words, 0).astype(np.uint16)
    sounding = piece.active_bars[grid.bar_of_step].tolist()
    take = model.begin(grid)
    for step in range(grid.steps):
        if step >= given and sounding[step]:
            words[step] = _choose(take.distribution(), rng, temperature, top_p)
        take.push(int(words[step]))
    return words_to_hits(words)


def _choose(probabilities: Floats, rng: np.random.Generator, temperature: float, top_p: float) -> int:
    """``sampling.draw`` for probabilities, which saves their logarithms."""
    if temperature == 0:
        return int(np.argmax(probabilities))
    if temperature != 1:
        probabilities = (probabilities / probabilities.max()) ** (1 / temperature)
        probabilities /= probabilities.sum()
    cumulative = np.cumsum(keep_top(probabilities, top_p))
    return min(int(cumulative.searchsorted(rng.random() * cumulative[-1], side="right")), len(cumulative) - 1)
