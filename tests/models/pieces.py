"""Small pieces for the tests of models."""

import numpy as np

from backbeat.grid import Grid
from backbeat.models.protocol import HeardBand, Piece


def make_piece(words, numerator=4, denominator=4, onsets=None, active=None, name="piece"):
    """A piece over as many equal bars as the words fill; with a band if ``onsets`` [steps, 6] are given."""
    per_bar = 16 * numerator // denominator
    grid = Grid.regular(len(words) // per_bar, numerator, denominator)
    band = None
    if onsets is not None:
        active = np.ones(grid.bars, bool) if active is None else np.asarray(active, bool)
        band = HeardBand(np.asarray(onsets, np.float32), active)
    return Piece(name, grid, np.asarray(words, np.uint16), band)


def make_takes(seed=0, takes=4, bars=4, vocabulary=6):
    """Random takes over few words, each around a loop of its own, so that memory pays."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(takes):
        words = np.tile(rng.integers(0, vocabulary, 16), bars)
        noise = rng.random(len(words)) < 0.2
        words[noise] = rng.integers(0, vocabulary, noise.sum())
        out.append(make_piece(words))
    return out


def vary(words, step):
    """The piece once for each of the 512 words that may stand at ``step``, to sum a model over the vocabulary."""
    variants = np.tile(words, (512, 1))
    variants[:, step] = np.arange(512)
    return [make_piece(v) for v in variants]
