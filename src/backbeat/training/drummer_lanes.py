"""Batches for the drummer: lanes that play one piece after the other, chunk by chunk, so that the state is carried.

What is known of the drums is drawn anew for every piece and epoch (nothing, all but some bars, some classes, a tapped line), the
band is left out now and then, so is the memory, and controls are said or not: one network learns to accompany, to
continue, to fill gaps, to play to a line and to play alone, as it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.controls import Controls, density_of, intensity_of
from backbeat.codecs.recall import NO_WORD
from backbeat.cues import silence
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.source import Source
from backbeat.datasets.styles import find_style, style_index
from backbeat.errors import InputError
from backbeat.evaluation.cases import load_case
from backbeat.kits import load_kit
from backbeat.metrics.fills import find_fills
from backbeat.models.drummer_inputs import Arrays, chunk, unfold

Levels = npt.NDArray[np.float32]
_PACKED = ("step", "bar", "song", "words", "velocities", "articulations", "layout", "matches")


@dataclass(frozen=True)
class Augmentation:
    """How often something is left out, given away or asked for, per piece.

    Args:
        no_band, no_lane, no_style: the band, one of its lanes, the style is left out.
        no_memory, no_reference: all references, or one, are left out.
        gaps: all drums but some bars are known.  classes: some classes are known throughout.
        line: the rhythm of some classes is given as a tapped line.  control: one of the controls is said.
    """

    no_band: float = 0.1
    no_lane: float = 0.08
    no_style: float = 0.3
    no_memory: float = 0.12
    no_reference: float = 0.08
    gaps: float = 0.1
    classes: float = 0.1
    line: float = 0.1
    control: float = 0.4


NOTHING = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Packed:
    """A piece to learn from.

    Args:
        arrays: as a corpus holds them.  style: index, 0 = not known.
        dynamic: whether velocities mean anything.  band: whether there is one.
    """

    arrays: Arrays
    style: int
    dynamic: bool
    band: bool


class Library:
    """Pieces to learn from: those of corpora stay on disk, files are read once and kept.

    Args:
        sources: pieces of corpora, MIDI files, or both.

    Raises:
        InputError: there is nothing to learn from, or a corpus is on another grid.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.meta: dict[str, Any] = {}
        self._open: list[Callable[[], Packed]] = []
        steps, corpora = list[int](), dict[str, Corpus]()
        for source in sources:
            if source.member and (Path(source.path) / "meta.json").is_file():
                corpus = corpora.get(source.path) or corpora.setdefault(source.path, Corpus(Path(source.path)))
                index = int(source.member)
                steps.append(int(corpus.pieces[index]["steps"]))
                self._open.append(lambda corpus=corpus, index=index: _take_piece(corpus, index))  # type: ignore[misc]
            elif packed := _read_file(source):
                steps.append(len(packed.arrays["words"]))
                self._open.append(lambda packed=packed: packed)  # type: ignore[misc]
        if not self._open:
            raise InputError(f"none of {len(sources)} pieces has drums to learn from: 'backbeat corpus describe' says why files were left out")
        for corpus in corpora.values():
            corpus.check_density()
        self.meta = next((corpus.meta for corpus in corpora.values()), {"kit": load_kit("backbeat").to_dict()})
        self.steps = np.array(steps, np.int64)

    def __len__(self) -> int:
        return len(self._open)

    def __getitem__(self, index: int) -> Packed:
        return self._open[index]()


def _take_piece(corpus: Corpus, index: int) -> Packed:
    row = corpus.pieces[index]
    return Packed(corpus.piece(index), int(row["style"]), bool(row["dynamic"]), bool(row["band"]))


def _read_file(source: Source) -> Packed | None:
    case = load_case(source)
    if isinstance(case, str):
        return None
    arrays = {name: getattr(case.example, name) for name in _PACKED}
    return Packed(arrays, style_index(find_style(source.genre)), case.example.dynamic, case.example.band)


def prepare(packed: Packed, rng: np.random.Generator, how: Augmentation) -> Arrays:
    """A piece as a lane plays it: unfolded, with things left out, given away and asked for."""
    piece = unfold(packed.arrays, len(load_kit("backbeat")))
    piece["style"][:] = packed.style
    piece["dynamic"] = np.array(packed.dynamic)
    if not packed.band or rng.random() < how.no_band:
        piece["step"], piece["bar"], piece["song"] = silence(piece["step"], piece["bar"], piece["song"])
        piece["recalled_words"][:, 4:6] = NO_WORD
    elif how.no_lane:
        lanes = np.flatnonzero(rng.random(6) < how.no_lane)
        if len(lanes):
            piece["step"], piece["bar"] = piece["step"].copy(), piece["bar"].copy()
            piece["step"][:, (lanes[:, None] + 6 * np.arange(4)).ravel()] = 0
            piece["bar"][:, 31 + lanes] = 0
    if rng.random() < how.no_memory:
        piece["recalled_words"][:] = NO_WORD
        piece["agreement"], piece["habit"] = np.full_like(piece["agreement"], 128), np.zeros_like(piece["habit"])
    else:
        piece["recalled_words"][:, rng.random(7) < how.no_reference] = NO_WORD
    if rng.random() < how.no_style:
        piece["style"][:] = 0
    _give_away(piece, rng, how)
    _ask(piece, rng, how)
    return piece


def _give_away(piece: Arrays, rng: np.random.Generator, how: Augmentation) -> None:
    kind, bars = rng.random(), len(piece["layout"])
    if kind < how.gaps:
        gap = np.zeros(bars, np.bool_)
        bar = int(rng.integers(0, 8))
        while bar < bars:
            length = int(rng.integers(1, 9))
            gap[bar : bar + length] = True
            bar += length + int(rng.integers(4, 24))
        piece["mask"][~gap[piece["bar_of_step"]]] = 1
    elif kind < how.gaps + how.classes:
        chosen = [0] if rng.random() < 0.4 else np.flatnonzero(rng.random(9) < rng.random())
        piece["mask"][:, chosen] = 1
    elif kind < how.gaps + how.classes + how.line:
        piece["line"][:] = tap_line(piece["bits"], rng)


def tap_line(bits: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """uint8 [steps, 2]: what somebody might tap of drums: kick and snare, or some of the classes, with a few taps missing.

    Args:
        bits: uint8 [steps, 9], what is hit.
        rng: chooses.
    """
    kind = rng.random()
    chosen = np.array([0, 1]) if kind < 0.4 else np.arange(9) if kind < 0.6 else np.flatnonzero(rng.random(9) < 0.4)
    taps = bits[:, chosen].any(axis=1) & (rng.random(len(bits)) >= 0.25 * rng.random())
    return np.stack([taps * np.uint8(255), np.full(len(bits), 255, np.uint8)], axis=1)


def measure_controls(arrays: Arrays, *, dynamic: bool) -> Controls:
    """What real drums would have been asked for: hits a quarter, mean velocity and fills of every bar.

    Args:
        arrays: an unfolded piece.
        dynamic: whether its velocities mean anything; else the intensity is not said.
    """
    layout, hits = arrays["layout"], arrays["bits"] > 0
    first = np.concatenate([[0], np.cumsum(layout[:, 0])])
    counts = np.add.reduceat(hits.sum(axis=1), first[:-1])
    loud = np.add.reduceat(arrays["velocities"].sum(axis=1, dtype=np.float64), first[:-1])
    density = density_of(counts * layout[:, 4] / layout[:, 3])
    velocity = np.where((counts > 0) & dynamic, loud / np.maximum(counts, 1), np.nan)
    return Controls(density, intensity_of(velocity), find_fills(hits, first).astype(np.float32))


def _ask(piece: Arrays, rng: np.random.Generator, how: Augmentation) -> None:
    said = rng.random(3) < how.control
    if not said.any():
        return
    real = measure_controls(piece, dynamic=bool(piece["dynamic"]))
    density, intensity = (blur(v, rng) if wanted else np.full_like(v, np.nan) for v, wanted in zip((real.density, real.intensity), said[:2], strict=True))
    fills = real.fills.copy() if said[2] else np.full_like(real.fills, np.nan)
    fills[rng.random(len(fills)) < 0.5 * rng.random()] = np.nan
    piece["controls"][:] = Controls(density, intensity, fills).encode()


def blur(values: Levels, rng: np.random.Generator) -> Levels:
    """A control as people ask: one value for the piece, for passages of some bars, or for each bar; roughly, and not always.

    Args:
        values: float32 [bars] in 0-1, or nan.
        rng: chooses.
    """
    kind, bars = rng.random(), len(values)
    if kind < 0.4:
        edges = [0, bars]
    elif kind < 0.8:
        edges = [0]
        while edges[-1] < bars:
            edges.append(min(bars, edges[-1] + int(rng.integers(2, 17))))
    else:
        edges = list(range(bars + 1))
    out = np.full(bars, np.nan, np.float32)
    silent = 0.3 * rng.random() if len(edges) > 2 else 0.0
    for first, last in pairwise(edges):
        here = values[first:last]
        here = here[~np.isnan(here)]
        if len(here) and rng.random() >= silent:
            out[first:last] = np.clip(here.mean() + 0.04 * rng.standard_normal(), 0, 1)
    return out


class Lanes:
    """Pieces dealt out on lanes; what stands where depends on nothing but the update and the seed.

    In every epoch the pieces stand in another order, one behind the other, each cut into chunks; lane k plays the k-th part.

    Args:
        library: the pieces.
        lanes: batch size of all processes together.  length: steps of a chunk.
        how: augmentation.  seed: of order and augmentation.
    """

    def __init__(self, library: Library, lanes: int, length: int, how: Augmentation, *, seed: int = 1) -> None:
        self.library, self.lanes, self.length, self.how, self.seed = library, lanes, length, how, seed
        self.chunks = -(-library.steps // length)
        self.updates_per_epoch = max(1, -(-int(self.chunks.sum()) // lanes))
        self._order = lru_cache(maxsize=2)(self._deal)
        self._prepare = lru_cache(maxsize=2 * lanes)(lambda epoch, index: prepare(library[index], np.random.default_rng([seed, epoch, index]), how))

    def _deal(self, epoch: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.library))
        return order, np.cumsum(self.chunks[order])

    def take(self, update: int, first: int = 0, count: int | None = None) -> Arrays:
        """The chunks of an update.

        Args:
            update: counted over all epochs.
            first, count: which lanes, all of them if none are named.

        Returns:
            the arrays of ``chunk`` stacked, ``fresh`` bool [lanes], where a piece begins (or goes on on another lane), and
            ``dynamic`` bool [lanes]; chunks behind the end of an epoch are not valid.
        """
        epoch, place = divmod(update, self.updates_per_epoch)
        order, ends = self._order(epoch)
        rows, fresh = [], []
        for lane in range(first, first + (self.lanes if count is None else count)):
            wanted = lane * self.updates_per_epoch + place
            behind = wanted >= int(ends[-1])
            number = int(np.searchsorted(ends, min(wanted, int(ends[-1]) - 1), side="right"))
            index = int(order[number])
            piece = self._prepare(epoch, index)
            begin = 0 if behind else (wanted - int(ends[number]) + int(self.chunks[index])) * self.length
            row = chunk(piece, begin, self.length) | {"dynamic": piece["dynamic"]}
            if behind:
                row = {k: np.zeros_like(v) for k, v in row.items()}
            rows.append(row)
            fresh.append(begin == 0 or place == 0)
        return {k: np.stack([r[k] for r in rows]) for k in rows[0]} | {"fresh": np.array(fresh)}


def play_through(library: Library, lanes: int, length: int, how: Augmentation = NOTHING) -> Iterator[Arrays]:
    """Every piece once and whole, for validation: a lane that has come to the end of one takes the next.

    Args:
        library: the pieces.  lanes: batch size.  length: steps of a chunk.  how: what is left out.

    Yields:
        batches as ``Lanes.take`` gives them.
    """
    waiting = iter(prepare(library[i], np.random.default_rng([0, i]), how) for i in range(len(library)))
    playing: list[Arrays | None] = [None] * lanes
    places = [0] * lanes
    while True:
        rows, fresh = list[Arrays | None](), [False] * lanes
        for lane in range(lanes):
            piece = playing[lane]
            if piece is None or places[lane] >= len(piece["words"]):
                piece, places[lane], fresh[lane] = next(waiting, None), 0, True
                playing[lane] = piece
            rows.append(chunk(piece, places[lane], length) | {"dynamic": piece["dynamic"]} if piece else None)
            places[lane] += length
        some = next((row for row in rows if row), None)
        if some is None:
            return
        empty = {k: np.zeros_like(v) for k, v in some.items()}
        yield {k: np.stack([(row or empty)[k] for row in rows]) for k in some} | {"fresh": np.array(fresh)}
