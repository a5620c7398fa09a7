"""Songs as NeuralDrummer learns from them: kept small, and dealt out on lanes so that the state is carried from chunk to chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.cases import load_case
from backbeat.grid import Grid
from backbeat.models.neural_drummer_inputs import LOUDEST, describe_band, describe_take, remember

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Song:
    """A song with its drums, small enough to keep thousands.

    Args:
        words: uint16 [steps].  onsets: uint8 [steps, lanes], at most ``LOUDEST``.  active_bars: bool [bars].
        quarters, numerators, denominators: of each bar.
    """

    words: npt.NDArray[np.uint16]
    onsets: npt.NDArray[np.uint8]
    active_bars: npt.NDArray[np.bool_]
    quarters: tuple[Fraction, ...]
    numerators: tuple[int, ...]
    denominators: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.words)


class Inputs(NamedTuple):
    """What the network reads of a whole song, by step."""

    band: Array
    past: Array
    remembered: npt.NDArray[np.int64]


def read_songs(sources: Sequence[Source], every: int = 1) -> list[Song]:
    """The songs that can be read and have a band.

    Args:
        sources: MIDI files or pieces of a corpus.
        every: read every n-th only.

    Raises:
        InputError: there is none.
    """
    songs = []
    for source in list(sources)[::every]:
        case = load_case(source)
        if not isinstance(case, str) and case.piece.band is not None:
            grid, band = case.piece.grid, case.piece.band
            onsets = np.minimum(np.floor(band.onsets + 0.5), LOUDEST).astype(np.uint8)
            songs.append(Song(case.piece.words, onsets, band.active_bars, grid.bar_quarters, grid.numerators, grid.denominators))
    if not songs:
        raise InputError(f"none of {len(sources)} pieces has drums and a band to learn from")
    return songs


def unfold_song(song: Song) -> Inputs:
    """Everything the network reads of a song, with the real words for its past."""
    ticks = np.cumsum([0, *(max(1, int(q * 480)) for q in song.quarters)])
    grid = Grid(ticks, song.quarters, song.numerators, song.denominators)
    onsets = song.onsets.astype(np.float32)
    return Inputs(describe_band(onsets, song.active_bars, grid), *describe_take(song.words, remember(song.words, onsets, grid)))


class Batch(NamedTuple):
    """A chunk of every lane.

    Args:
        band, past: float32 [lanes, steps, columns].  remembered: int64 [lanes, steps, 7].
        words: int64 [lanes, steps].  valid: bool [lanes, steps], False behind the end.  fresh: bool [lanes], a song begins.
    """

    band: Array
    past: Array
    remembered: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_]
    fresh: npt.NDArray[np.bool_]


class Lanes:
    """Songs dealt out on lanes; what stands where depends on nothing but the update and the seed.

    In every epoch the songs stand in another order, one behind the other, each cut into chunks; lane k plays the k-th part of them.

    Args:
        songs: all of them.
        lanes: batch size.  length: steps of a chunk.
        forget: share of songs whose past is left out, so that the band alone has to do.
        seed: of order and forgetting.
    """

    def __init__(self, songs: Sequence[Song], lanes: int, length: int, *, forget: float = 0.0, seed: int = 1) -> None:
        self.songs, self.lanes, self.length, self.forget, self.seed = songs, lanes, length, forget, seed
        self.chunks = np.array([-(-len(s) // length) for s in songs], np.int64)
        self.updates_per_epoch = max(1, int(self.chunks.sum()) // lanes)
        self._unfold = lru_cache(maxsize=2 * lanes)(lambda index: unfold_song(songs[index]))
        self._order = lru_cache(maxsize=2)(self._deal)

    def _deal(self, epoch: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.songs))
        return order, np.cumsum(self.chunks[order])

    def take(self, update: int, first: int = 0, count: int | None = None) -> Batch:
        """The chunks of an update.

        Args:
            update: counted over all epochs.
            first, count: which lanes, all of them if none are named.
        """
        epoch, place = divmod(update, self.updates_per_epoch)
        order, ends = self._order(epoch)
        wanted = (np.arange(first, first + (self.lanes if count is None else count)) * self.updates_per_epoch + place) % int(ends[-1])
        which = np.searchsorted(ends, wanted, side="right")
        rows = []
        for chunk, index in zip(wanted.tolist(), which.tolist(), strict=True):
            song = int(order[index])
            begin = (chunk - int(ends[index]) + int(self.chunks[song])) * self.length
            forgets = self.forget and np.random.default_rng([self.seed, epoch, song]).random() < self.forget
            rows.append(self._cut(song, begin, forgets=bool(forgets), fresh=begin == 0 or place == 0))
        return Batch(*(np.stack(column) for column in zip(*rows, strict=True)))

    def _cut(self, index: int, begin: int, *, forgets: bool, fresh: bool) -> Batch:
        song, inputs, length = self.songs[index], self._unfold(index), self.length
        stop = min(begin + length, len(song))
        count = stop - begin
        band, past = np.zeros((length, inputs.band.shape[1]), np.float32), np.zeros((length, inputs.past.shape[1]), np.float32)
        remembered, words = np.full((length, inputs.remembered.shape[1]), 512, np.int64), np.zeros(length, np.int64)
        band[:count], words[:count] = inputs.band[begin:stop], song.words[begin:stop]
        if not forgets:
            past[:count], remembered[:count] = inputs.past[begin:stop], inputs.remembered[begin:stop]
        return Batch(band, past, remembered, words, np.arange(length) < count, np.array(fresh))
