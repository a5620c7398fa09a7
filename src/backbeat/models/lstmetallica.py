"""LSTMetallica behind the protocol of all models: it scores drums, plays, and writes text. No torch.

A folder holds one of two kinds. "song" reads whole songs in bars of 16 words, is told what the song has played before, and knows when a
song ends. "text" is the original's network, which reads tokens: words and BAR, or characters. Its vocabulary is closed: words that it
never saw share a small probability, so that all 512 sum to one.

Bars have 16 words whatever the metre. A piece that spells BAR out (bars of 17 steps, see ``is_spelt``) is scored BAR and all: it is certain
for "song", whose bars are counted, and a token like any other for "text". Elsewhere a text model's words are scored given that they
are no BAR, and BAR is read behind every 16 of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Self

import numpy as np

from backbeat.codecs.metallica_text import STEPS
from backbeat.codecs.song_memory import NO_WORD, SongMemory, remember
from backbeat.codecs.words import VOCABULARY, Hits, Words
from backbeat.errors import InputError, ModelError
from backbeat.grid import Grid
from backbeat.models.improvising import improvise
from backbeat.models.lstmetallica_text import TextTake, Vocabulary, normalise_log
from backbeat.models.protocol import Piece, Take
from backbeat.runtime.recurrent import RecurrentSession
from backbeat.sampling import draw
from backbeat.units import Floats

SHIPPED = "weights/lstmetallica"
NETWORK = "lstmetallica"
SPELT_BAR = VOCABULARY - 1
"""The word that stands for BAR in a piece that spells it out."""
DIVERSITIES = {"blog": (0.5, 0.8, 1.0, 1.25, 1.5), "code": (0.9, 1.0, 1.2)}
"""Temperatures that the original tried."""
LN2 = math.log(2)
QUARTER = 4


def is_spelt(piece: Piece) -> bool:
    """Whether BAR tokens stand in a piece as words of their own, as ``evaluation.metallica.spell_bars`` writes them."""
    return bool(np.all(piece.grid.bar_steps == STEPS + 1)) and bool(np.all(piece.words[STEPS :: STEPS + 1] == SPELT_BAR))


class SongTake:
    """A song played by the network for whole songs.

    Args:
        session: the network.
    """

    def __init__(self, session: RecurrentSession) -> None:
        self._session, self._state, self._memory = session, session.start(), SongMemory()
        self._step, self._last, self._ahead = 0, NO_WORD, dict[str, Any]()

    def _look(self) -> dict[str, Any]:
        if not self._ahead:
            words, hints = self._memory.look()
            bar, place = divmod(self._step, STEPS)
            numbers = {"before": self._last, "bar": bar, "place": place}
            inputs: dict[str, Any] = {name: np.array([[number]], np.int64) for name, number in numbers.items()}
            inputs |= {"words": np.array([[words]], np.int64), "hints": np.array([[hints]], np.float32)}
            self._ahead, self._state = self._session.run(inputs, self._state)
        return self._ahead

    def distribution(self) -> Floats:
        """float64 [512]: the probability of each word at the step to come."""
        return normalise_log(self._look()["log_p"][0, 0])

    def ending(self) -> float:
        """The probability that the song ends here; at the first step of a bar, elsewhere 0."""
        if self._step % STEPS or not self._step:
            return 0.0
        return 1 / (1 + math.exp(-float(self._look()["end"][0, 0])))

    def push(self, word: int) -> None:
        """Play a word."""
        self._look()
        self._memory.push(word)
        self._step, self._last, self._ahead = self._step + 1, word, {}

    def fork(self) -> Self:
        """A take of its own that starts from this one."""
        twin = type(self).__new__(type(self))
        twin.__dict__ |= self.__dict__ | {"_memory": self._memory.fork()}
        return twin


class AwakeTake:
    """A take that does not fall asleep: where a bar's length has had few hits, the next quarter is no rest.

    Songs often begin with bars of rest while others play, and what has rested goes on resting; alone nobody would play at all.

    Args:
        take: what is played.
    """

    def __init__(self, take: Take) -> None:
        self._take, self._lately = take, list[bool]()

    def distribution(self) -> Floats:
        """float64 [512]: the probability of each word at the step to come."""
        probabilities, step = self._take.distribution(), len(self._lately)
        enough = step // QUARTER + 1 if step < STEPS else 3
        if step % QUARTER or sum(self._lately[-STEPS:]) >= enough:
            return probabilities
        awake = probabilities.copy()
        awake[0] = 0
        return np.asarray(awake / awake.sum())

    def push(self, word: int) -> None:
        """Play a word."""
        self._lately.append(word != 0)
        self._take.push(word)


class _Awake:
    """A model whose takes do not fall asleep, for ``improvise``."""

    def __init__(self, model: Lstmetallica) -> None:
        self._model = model

    def begin(self, grid: Grid) -> Take:
        """A take."""
        return AwakeTake(self._model.begin(grid))


class Lstmetallica:
    """LSTMetallica for pieces.

    Args:
        folder: a checkpoint folder.

    Raises:
        ModelError: the folder holds something else, or is damaged.
    """

    name = "lstmetallica"

    def __init__(self, folder: Path) -> None:
        self.session = RecurrentSession(folder, NETWORK)
        config = self.session.config
        self.kind, self.level = str(config.get("kind")), str(config.get("level", "word"))
        if self.kind not in ("song", "text") or (self.kind == "text" and not config.get("types")):
            raise ModelError(f"{folder}: kind {self.kind!r} is not one this version can read: install or train the model again")
        self.types: tuple[str, ...] = tuple(config.get("types", ()))
        self.vocabulary = Vocabulary(self.types, float(config.get("unseen", 0.001)))

    @classmethod
    def shipped(cls) -> Lstmetallica:
        """The model that comes with Backbeat.

        Raises:
            ModelError: this checkout has none.
        """
        with resources.as_file(resources.files("backbeat").joinpath(SHIPPED)) as folder:
            return cls(folder)

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Refuse: a network is not fitted in one go.

        Raises:
            ModelError: always.
        """
        raise ModelError("LSTMetallica is trained by 'backbeat train lstmetallica DATA -o RUN'")

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Nothing is tuned."""

    def _check_words(self) -> None:
        if self.kind == "text" and self.level != "word":
            raise ModelError("a model of characters only writes text: see 'backbeat text'")

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word, given those before it; see the module about BAR.

        Raises:
            ModelError: the model reads characters.
        """
        self._check_words()
        spelt = is_spelt(piece)
        words = piece.words.reshape(-1, STEPS + 1)[:, :STEPS].ravel() if spelt else piece.words
        score = self._score_song(words) if self.kind == "song" else self._score_text(words, spelt=spelt)
        if spelt and self.kind == "song":
            score = np.pad(score.reshape(-1, STEPS), [(0, 0), (0, 1)]).ravel()
        return score / LN2

    def _score_song(self, words: Words) -> Floats:
        """float64 [steps]: natural log p of each word."""
        if not len(words):
            return np.zeros(0)
        known, steps = remember(words.tolist()), np.arange(len(words))
        inputs = {"before": np.append(NO_WORD, words[:-1].astype(np.int64))[None], "bar": (steps // STEPS)[None], "place": (steps % STEPS)[None]}
        inputs |= {"words": known.words[None, :-1].astype(np.int64), "hints": known.hints[None, :-1]}
        outputs, _ = self.session.run(inputs, self.session.start())
        log_p = outputs["log_p"][0].astype(np.float64)
        return np.asarray(log_p[steps, words] - np.log(np.exp(log_p).sum(axis=1)))

    def _score_text(self, words: Words, *, spelt: bool) -> Floats:
        """float64 [steps], BARs too where they are spelt: natural log p of each token."""
        rows = np.arange(len(words)) + np.arange(len(words)) // STEPS
        places = np.arange(len(words) + len(words) // STEPS)
        tokens, real = np.full(len(places), self.vocabulary.bar, np.int64), np.full(len(places), VOCABULARY, np.int64)
        tokens[rows], real[rows] = self.vocabulary.tokens[words], words
        out, state = np.zeros(len(places)), self.session.start()
        before = np.log(np.full((1, len(self.types)), 1 / len(self.types)))
        for start in range(0, len(places), 512):  # in parts, so that memory does not grow with the song
            outputs, state = self.session.run({"tokens": tokens[None, start : start + 512]}, state)
            log_p = np.concatenate([before, outputs["log_p"][0]])
            before = log_p[-1:]
            shared = self.vocabulary.share(np.exp(log_p[:-1].astype(np.float64)))
            if not spelt:
                shared[:, :VOCABULARY] /= shared[:, :VOCABULARY].sum(axis=1, keepdims=True)
            out[start : start + 512] = np.log(np.maximum(shared[np.arange(len(shared)), real[start : start + 512]], 1e-300))
        return out if spelt else out[rows]

    def begin(self, grid: Grid) -> Take:
        """A take with nothing played yet; bars have 16 words, whatever the grid's.

        Raises:
            ModelError: the model reads characters.
        """
        self._check_words()
        return SongTake(self.session) if self.kind == "song" else TextTake(self.session, self.vocabulary)

    def play(self, piece: Piece, rng: np.random.Generator, **how: float) -> Hits:
        """Bool [steps, 9]: drawn step by step, see ``improvise``; it does not fall asleep (see ``AwakeTake``)."""
        return improvise(_Awake(self), piece, rng, **how)

    def play_song(
        self, rng: np.random.Generator, *, bars: int, primer: Sequence[int] = (), temperature: float = 1.0, top_p: float = 1.0, may_end: bool = True
    ) -> Words:
        """Uint16 [steps]: a song from its beginning, or from behind the primer, to its end, which comes after ``bars`` at the latest.

        Args:
            rng: the same seed plays the same.
            bars: most bars; all of them unless the song may end.
            primer: words that are read first and not given back; whole bars.
            temperature, top_p: see ``sampling.draw``.
            may_end: let the network end it; a text model cannot.

        Raises:
            InputError: the number of bars is not positive.
        """
        if bars < 1 or len(primer) % STEPS:
            raise InputError(f"a song has at least one bar and its primer whole ones, not {bars} and {len(primer)} words")
        inner, words = self.begin(Grid.regular(1)), list[int]()
        take = AwakeTake(inner)
        for word in primer:
            take.push(int(word))
        while len(words) < bars * STEPS:
            if may_end and isinstance(inner, SongTake) and words and rng.random() < inner.ending():
                break
            words.append(draw(np.log(take.distribution() + 1e-30).astype(np.float32), rng, temperature=temperature, top_p=top_p))
            take.push(words[-1])
        return np.array(words, np.uint16)

    def write_tokens(self, seed: Sequence[str], count: int, rng: np.random.Generator, *, temperature: float = 1.0) -> list[str]:
        """Tokens behind a seed, as the original writes them: a text model draws BAR like any other token.

        Args:
            seed: tokens that are read first; unknown ones are left out. At least one.
            count: how many to write.
            rng: the same seed writes the same.
            temperature: the original's diversity.

        Raises:
            ModelError: the network does not read text.
            InputError: the seed holds no token that it knows.
        """
        if self.kind != "text":
            raise ModelError("the network for whole songs plays bars, no text: use play_song and codecs.metallica_text.write_text")
        numbers = {token: k for k, token in enumerate(self.types)}
        read = [numbers[token] for token in seed if token in numbers]
        if not read:
            raise InputError("the seed holds no token that the model knows: give it words such as 0b100000001, or BAR")
        outputs, state = self.session.run({"tokens": np.array([read], np.int64)}, self.session.start())
        out = []
        for _ in range(count):
            token = draw(outputs["log_p"][0, -1], rng, temperature=temperature)
            out.append(self.types[token])
            outputs, state = self.session.run({"tokens": np.array([[token]], np.int64)}, state)
        return out


def format_original(seed: str, written: str, diversity: float) -> str:
    """The three lines of the original's output files: diversity, seed, seed and what was written."""
    return f"diversity:{diversity:4.2f}\n{seed}\n{seed}{written}\n"
