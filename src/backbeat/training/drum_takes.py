"""Drum takes as Drums RNN learns from them: whole ones on lanes that carry the state, or tracks cut as the original cuts them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from backbeat.codecs.drum_memory import Memories, remember
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.cases import load_case
from backbeat.models.drums_rnn_inputs import NO_WORD, list_places

Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class DrumTake:
    """A whole take.

    Args:
        words: int64 [steps].
        place: int64 [steps, 3], see ``models.drums_rnn_inputs.list_places``.
        memories: what is remembered along it.
        given: so many steps at the start are heard, but not learned.
    """

    words: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    memories: Memories
    given: int = 0

    def __len__(self) -> int:
        return len(self.words)


def read_takes(sources: Sequence[Source], every: int = 1) -> list[DrumTake]:
    """The takes that can be read; songs' drums without what their band plays.

    Args:
        sources: MIDI files or pieces of a corpus.
        every: read every n-th only.

    Raises:
        InputError: there is none.
    """
    takes = []
    for source in list(sources)[::every]:
        case = load_case(source)
        if isinstance(case, str):
            continue
        words, bar_steps = case.piece.words.astype(np.int64), case.piece.grid.bar_steps
        takes.append(DrumTake(words, list_places(bar_steps), remember(words, bar_steps)))
    if not takes:
        raise InputError(f"none of {len(sources)} pieces has drums to learn from")
    return takes


def make_take(words: npt.NDArray[np.int64], length: int, given: int = 0) -> DrumTake:
    """A take in bars of one length, from its words alone.

    Args:
        words: int64 [steps].
        length: steps of a bar.
        given: see ``DrumTake``.
    """
    bars = np.full(-(-len(words) // length), length)
    return DrumTake(words, list_places(bars)[: len(words)], remember(words, bars), given)


def cut_excerpts(takes: Sequence[DrumTake], bars: int) -> list[DrumTake]:
    """Excerpts of so many bars, with nothing before them: how a take goes on when little is known of it.

    Takes that change their metre, or are shorter than two excerpts, give none; nor does a take's beginning, which is one already.
    """
    excerpts = []
    for take, length in _list_steady(takes):
        step = bars * length
        if len(take) >= 2 * step:
            pieces = (take.words[k : k + step] for k in range(step, len(take), step))
            excerpts += [make_take(words, length) for words in pieces if len(words) >= length]
    return excerpts


def make_loops(takes: Sequence[DrumTake], share: float, seed: int, *, longest: int = 24, behind: int = 4) -> list[DrumTake]:
    """Bars of a take that are repeated as they are, and then what really follows, which alone is learned.

    Nobody plays that evenly, but a model that draws from its own memory does; without such takes it has never seen what a drummer
    plays behind a loop.

    Args:
        takes: whole ones.
        share: loops for each take of four bars or more.
        seed: the same seed makes the same.
        longest: bars that a loop lasts at most.
        behind: bars that follow.
    """
    rng = np.random.default_rng(seed)
    loops = []
    for take, length in _list_steady(takes):
        bars = len(take) // length
        for _ in range(int(share + rng.random()) if bars >= 4 else 0):
            size = int(rng.choice([1, 1, 2, 4]))
            last = int(rng.integers(size, max(size + 1, bars - 1)))
            loop = np.tile(take.words[(last - size) * length : last * length], int(rng.integers(2, longest // size + 1)))
            follows = take.words[last * length : (last + behind) * length]
            if len(follows):
                loops.append(make_take(np.concatenate([loop, follows]), length, given=len(loop)))
    return loops


def _list_steady(takes: Sequence[DrumTake]) -> Iterator[tuple[DrumTake, int]]:
    """Takes whose bars are all of one length, and that length."""
    return ((take, int(take.place[0, 1])) for take in takes if len(take) and np.all(take.place[:, 1] == take.place[0, 1]))


def cut(take: DrumTake | None, start: int, length: int) -> Arrays:
    """One chunk of a take, padded to ``length``: what the network takes, and ``target`` int64 [length], -1 behind the end."""
    steps = 0 if take is None else max(0, min(length, len(take) - start))
    out: Arrays = {
        "before": np.full(length, NO_WORD, np.int64),
        "place": np.zeros((length, 3), np.int64),
        "words": np.full((length, 12), NO_WORD, np.int64),
        "shares": np.zeros((length, 12), np.float32),
        "hints": np.zeros((length, 30), np.float32),
        "target": np.full(length, -1, np.int64),
    }
    if take is None or not steps:
        return out
    span = slice(start, start + steps)
    first = 1 if start == 0 else 0
    out["before"][first:steps] = take.words[start - 1 + first : start - 1 + steps]
    out["place"][:steps], out["target"][:steps] = take.place[span], take.words[span]
    out["target"][: max(0, take.given - start)] = -1
    memories = take.memories
    out["words"][:steps] = memories.words[span]
    out["shares"][:steps], out["hints"][:steps] = memories.shares[span] / 255, memories.hints[span] / 255
    return out


class Lanes:
    """Endless lanes that play take after take, chunk by chunk, so that a state can be carried from update to update.

    What lane k plays at an update depends on nothing but the seed, k and the update: each lane goes through all takes in an order of its
    own, anew in each round.

    Args:
        takes: to play.  length: steps of a chunk.  seed: of the orders.
    """

    def __init__(self, takes: Sequence[DrumTake], length: int, seed: int) -> None:
        self.takes, self.length, self.seed = takes, length, seed
        self.chunks = np.array([-(-len(t) // length) for t in takes])
        self.round = int(self.chunks.sum())
        self._order = lru_cache(maxsize=4096)(self._make_order)

    def _make_order(self, lane: int, number: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        order = np.random.default_rng([self.seed, lane, number]).permutation(len(self.takes))
        return order, np.cumsum(self.chunks[order])

    def find(self, lane: int, update: int) -> tuple[int, int]:
        """The take that a lane plays at an update, and the step where its chunk starts."""
        number, place = divmod(update, self.round)
        order, ends = self._order(lane, number)
        index = int(np.searchsorted(ends, place, side="right"))
        return int(order[index]), (place - int(ends[index] - self.chunks[order[index]])) * self.length

    def batch(self, update: int, lanes: Sequence[int]) -> tuple[Arrays, npt.NDArray[np.bool_]]:
        """The chunks of some lanes, stacked, and bool [lanes]: where a take begins."""
        places = [self.find(lane, update) for lane in lanes]
        rows = [cut(self.takes[index], start, self.length) for index, start in places]
        return {k: np.stack([r[k] for r in rows]) for k in rows[0]}, np.array([start == 0 for _, start in places])


def pass_once(takes: Sequence[DrumTake], lanes: int) -> Iterator[Arrays]:
    """Every take once and whole, in batches of takes of like length."""
    order = sorted(range(len(takes)), key=lambda i: len(takes[i]))
    for k in range(0, len(order), lanes):
        chosen = [takes[i] for i in order[k : k + lanes]]
        rows = [cut(t, 0, max(map(len, chosen))) for t in chosen]
        yield {key: np.stack([r[key] for r in rows]) for key in rows[0]}
