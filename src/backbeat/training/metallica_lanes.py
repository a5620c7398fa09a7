"""What LSTMetallica learns from: whole songs on lanes that carry the state, or windows of text cut when they are needed.

Neither grows with windows x length: lanes keep what is remembered of the songs at hand, windows are cut out of one array of tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.codecs.metallica_text import STEPS
from backbeat.codecs.song_memory import NO_WORD, Remembered, remember
from backbeat.codecs.words import Words
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.source import Source
from backbeat.datasets.wordifying import wordify
from backbeat.errors import InputError

Arrays = dict[str, npt.NDArray[np.generic]]
Tokens = npt.NDArray[np.int64]
NOTHING = -1
"""Target where there is nothing to predict."""


def read_songs(sources: Sequence[Source], every: int = 1) -> list[Words]:
    """The songs' drums as the text has them, words uint16 [steps] each; what cannot be read, or has no drums, is left out.

    Args:
        sources: MIDI files or pieces of a corpus, whose bars are laid anew: 16 words each.
        every: read every n-th only.

    Raises:
        InputError: nothing is left.
    """
    corpora: dict[str, Corpus] = {}
    songs = []
    for source in list(sources)[::every]:
        if source.member and (Path(source.path) / "meta.json").is_file():
            if source.path not in corpora:
                corpora[source.path] = Corpus(Path(source.path))
            words = np.array(corpora[source.path].piece(int(source.member))["words"])
            songs.append(np.concatenate([words, np.zeros(-len(words) % STEPS, np.uint16)]))
            continue
        songs += [words for _, made in wordify([source]) if not isinstance(made, str) for words in made]
    songs = [s for s in songs if s.any()]
    if not songs:
        raise InputError(f"none of {len(sources)} pieces has drums to learn from")
    return songs


def cut(words: Words, known: Remembered, start: int, length: int) -> Arrays:
    """One chunk of a song as ``networks.lstmetallica.SongLstm`` takes it, padded to ``length``.

    Args:
        words: uint16 [steps].
        known: of ``song_memory.remember``.
        start: first step.
        length: of the chunk; the step behind the last word, where the song ends, belongs to it, too.

    Returns:
        the network's inputs; ``target`` int64 [length], NOTHING behind the end; ``end`` float32 [length], 1 where the song ends,
        -1 where that is not asked.
    """
    steps = np.arange(start, start + length)
    inside, there = steps < len(words), np.minimum(steps, len(words))
    before = np.where((steps > 0) & (steps <= len(words)), words[np.clip(steps - 1, 0, len(words) - 1)].astype(np.int64), NO_WORD)
    target = np.where(inside, words[np.minimum(steps, len(words) - 1)].astype(np.int64), NOTHING)
    asked = (steps % STEPS == 0) & (steps > 0) & (steps <= len(words))
    end = np.where(asked, (steps == len(words)).astype(np.float32), np.float32(-1))
    inputs: Arrays = {"before": before, "bar": steps // STEPS, "place": steps % STEPS}
    inputs |= {"words": known.words[there].astype(np.int64), "hints": known.hints[there]}
    return inputs | {"target": target, "end": end.astype(np.float32)}


class SongLanes:
    """Whole songs on lanes; what an update reads depends on its number and the seed alone.

    Every song fills whole chunks. All chunks of an epoch, songs in random order, make one long row, which the lanes share.

    Args:
        songs: words uint16 [steps] each.
        lanes: chunks of an update.  length: steps of a chunk.
        seed: of the order.
    """

    def __init__(self, songs: Sequence[Words], lanes: int, length: int, seed: int) -> None:
        self.songs, self.lanes, self.length, self.seed = songs, lanes, length, seed
        self.chunks = [len(s) // length + 1 for s in songs]
        self.updates = max(1, sum(self.chunks) // lanes)
        self._epoch, self._row = -1, np.zeros((0, 2), np.int64)
        self._known: dict[int, Remembered] = {}

    def _lay(self, epoch: int) -> None:
        """Lay the row of an epoch: song and chunk."""
        if epoch == self._epoch:
            return
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.songs))
        self._row = np.array([(song, chunk) for song in order.tolist() for chunk in range(self.chunks[song])], np.int64)
        self._epoch = epoch

    def _remember(self, song: int) -> Remembered:
        """What is remembered along a song; kept for as many songs as lanes may be at."""
        if song not in self._known:
            while len(self._known) > 2 * self.lanes + 64:
                del self._known[next(iter(self._known))]
            self._known[song] = remember(self.songs[song].tolist())
        return self._known[song]

    def batch(self, update: int, share: int = 0, shares: int = 1) -> tuple[Arrays, npt.NDArray[np.bool_]]:
        """One chunk of each lane of a process.

        Returns:
            the arrays of ``cut`` stacked, and bool [lanes], where the state must be forgotten before.
        """
        epoch, place = divmod(update, self.updates)
        self._lay(epoch)
        own = range(share * self.lanes // shares, (share + 1) * self.lanes // shares)
        rows = [self._row[(lane * self.updates + place) % len(self._row)].tolist() for lane in own]
        chunks = [cut(self.songs[song], self._remember(song), chunk * self.length, self.length) for song, chunk in rows]
        fresh = np.array([place == 0 or chunk == 0 for _, chunk in rows])
        return {name: np.stack([c[name] for c in chunks]) for name in chunks[0]}, fresh


def read_once(songs: Sequence[Words], together: int = 8) -> Iterator[Arrays]:
    """Whole songs, some at a time, padded to the longest: the arrays of ``cut`` stacked."""
    order = sorted(songs, key=len)
    for start in range(0, len(order), together):
        part = order[start : start + together]
        chunks = [cut(s, remember(s.tolist()), 0, len(part[-1]) + 1) for s in part]
        yield {name: np.stack([c[name] for c in chunks]) for name in chunks[0]}


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of a text and the token behind each, as the original learns them, every so many tokens.

    Args:
        tokens: int64 [n].
        length: tokens of a window.  step: from one to the next.
        seed: of their order.

    Raises:
        InputError: the text is shorter than a window.
    """

    tokens: Tokens
    length: int
    step: int
    seed: int

    def __post_init__(self) -> None:
        if len(self.tokens) <= self.length:
            raise InputError(f"a text of {len(self.tokens)} tokens has no window of {self.length}: set length to less")

    def __len__(self) -> int:
        return -(-(len(self.tokens) - self.length) // self.step)

    def batch(self, update: int, size: int, share: int = 0, shares: int = 1) -> tuple[Tokens, Tokens]:
        """Windows int64 [size, length] of an update, and the token behind each int64 [size]."""
        size = min(size, len(self))
        epoch, place = divmod(update * shares + share, -(-len(self) // size))
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self))[place * size : (place + 1) * size]
        starts = order * self.step
        return self.tokens[starts[:, None] + np.arange(self.length)], self.tokens[starts + self.length]


class TokenLanes:
    """Songs of tokens on lanes, whole, the state carried; the change that spares the original its windows.

    Args:
        songs: tokens int64 [n] each.
        lanes, length, seed: as for ``SongLanes``.
    """

    def __init__(self, songs: Sequence[Tokens], lanes: int, length: int, seed: int) -> None:
        self.songs, self.lanes, self.length, self.seed = songs, lanes, length, seed
        self.chunks = [-(-(len(s) - 1) // length) for s in songs]
        self.updates = max(1, sum(self.chunks) // lanes)

    def batch(self, update: int, share: int = 0, shares: int = 1) -> tuple[Tokens, Tokens, npt.NDArray[np.bool_]]:
        """Tokens and those behind them, int64 [lanes, length], NOTHING behind a song's end; and where the state must be forgotten before."""
        epoch, place = divmod(update, self.updates)
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.songs))
        row = [(song, chunk) for song in order.tolist() for chunk in range(self.chunks[song])]
        own = range(share * self.lanes // shares, (share + 1) * self.lanes // shares)
        read, target = np.zeros((len(own), self.length), np.int64), np.full((len(own), self.length), NOTHING, np.int64)
        fresh = np.zeros(len(own), np.bool_)
        for index, lane in enumerate(own):
            song, chunk = row[(lane * self.updates + place) % len(row)]
            part = self.songs[song][chunk * self.length : (chunk + 1) * self.length + 1]
            read[index, : len(part) - 1], target[index, : len(part) - 1] = part[:-1], part[1:]
            fresh[index] = place == 0 or chunk == 0
        return read, target, fresh
