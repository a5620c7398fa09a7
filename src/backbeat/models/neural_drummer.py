"""NeuralDrummer at work: the corrected one, step by step on any metre, and the original's decoding by cut-off.

The corrected one draws each word from a distribution, so it has a likelihood. It is asked twice: what the band alone suggests
(the whole song at once), and what follows from what has been played; the first speaks for hits that are likelier here than on
average, as the drummer's listener does (see ``models.drummer``). It rests in bars where the band rests, and does not fall asleep in others.
The original gives a sigmoid a class and half-beat, and hits what reaches the cut-off; its strongest class always.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.intensity import count_ahead, normalise
from backbeat.codecs.recall import NO_WORD, Memory
from backbeat.codecs.words import CLASSES, VOCABULARY, WORD_BITS, Hits, words_to_hits
from backbeat.errors import InputError, ModelError
from backbeat.grid import Grid
from backbeat.kits import Kit, load_kit
from backbeat.models.floors import list_pulses
from backbeat.models.neural_drummer_inputs import LANES, Array, describe_band, describe_past, describe_take, find_similar_bars, forget, remember
from backbeat.models.protocol import Band, Piece
from backbeat.runtime.recurrent import Arrays, RecurrentSession
from backbeat.sampling import draw
from backbeat.units import Floats, Ints

NETWORK = "neural-drummer"
STARTS = ("basic", "count-in", "blank", "random")
WINDOW, CUTOFF = 8, 0.2
SHIPPED = "weights/neural_drummer"
PATIENCE = 2
"""Bars that the corrected one may rest before it comes in."""


@dataclass(frozen=True)
class Playing:
    """How it chooses; the model folder's config.json may say otherwise under ``playing``.

    Args:
        temperature: 0 takes the most likely word.  top_p: share of the likely words that may be chosen.
        cutoff: hit what is at least so probable, and draw nothing: the original's way, which takes .2 where none is named. The
            corrected one then asks the band alone; without one it draws.
        listening: weight of what the band alone suggests, where words are drawn.
        doubt, least_doubt: such a suggestion speaks for a hit where its probability is above the class's mean in the song, held
            between these two.
        start: of the original: the eight half-beats before the song, one of ``STARTS``.
    """

    temperature: float = 0.9
    top_p: float = 1.0
    cutoff: float | None = None
    listening: float = 1.8
    doubt: float = 0.3
    least_doubt: float = 0.12
    start: str = "basic"

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 5 or not 0 < self.top_p <= 1:
            raise InputError(f"temperature must lie in 0-5 and top-p in (0, 1], not {self.temperature} and {self.top_p}")
        if self.cutoff is not None and not 0 <= self.cutoff <= 1:
            raise InputError(f"cutoff must lie in 0-1, not {self.cutoff}")
        if self.start not in STARTS:
            raise InputError(f"no start {self.start!r}: choose from {', '.join(STARTS)}")


def read_playing(settings: dict[str, Any]) -> Playing:
    """The settings that a model folder says.

    Raises:
        InputError: there is no such setting, or its value is out of range.
    """
    known = {f.name for f in fields(Playing)}
    if unknown := sorted(set(settings) - known):
        raise InputError(f"NeuralDrummer has no setting {unknown[0]!r}; it has {', '.join(sorted(known))}")
    return replace(Playing(), **settings)


def open_neural_drummer(folder: Path) -> NeuralDrummer | OriginalNeuralDrummer:
    """The drummer of a checkpoint folder, the corrected one or the original's.

    Raises:
        ModelError: the folder is not one of NeuralDrummer, or is damaged.
    """
    session = RecurrentSession(folder, NETWORK)
    variant = session.config.get("variant")
    if variant not in ("steps", "windows"):
        raise ModelError(f"{folder} holds a variant {variant!r} of {NETWORK} that this version does not know")
    try:
        playing = read_playing(session.config.get("playing", {}))
    except InputError as error:
        raise ModelError(f"{folder}: {error}") from error
    return NeuralDrummer(session, playing) if variant == "steps" else OriginalNeuralDrummer(session, playing)


def load_shipped() -> NeuralDrummer | OriginalNeuralDrummer:
    """The one that ships.

    Raises:
        ModelError: this checkout has none.
    """
    with resources.as_file(resources.files("backbeat").joinpath(SHIPPED)) as folder:
        return open_neural_drummer(folder)


class _Untrained:
    """What both have in common: they are trained elsewhere."""

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Refuse: a network is not fitted in one go.

        Raises:
            ModelError: always.
        """
        raise ModelError(f"{NETWORK} is trained by 'backbeat train {NETWORK} DATA --out RUN'")

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Nothing is tuned."""


class NeuralDrummer(_Untrained):
    """The corrected one.

    Args:
        session: a checkpoint folder of variant "steps".
        playing: how it chooses.
        band: False leaves the band out.
        name: in tables.
    """

    def __init__(self, session: RecurrentSession, playing: Playing | None = None, *, band: bool = True, name: str = NETWORK) -> None:
        self.session, self.playing, self.band, self.name = session, playing or Playing(), band, name

    def leave_band(self) -> NeuralDrummer:
        """The same, deaf."""
        return NeuralDrummer(self.session, self.playing, band=False, name=f"{self.name}, no band")

    def _hear(self, grid: Grid, band: Band | None) -> Array:
        return np.zeros((grid.steps, LANES), np.float32) if band is None or not self.band else band.onsets

    def _describe(self, grid: Grid, band: Band | None) -> Array:
        active = np.zeros(grid.bars, np.bool_) if band is None or not self.band else band.active_bars
        return describe_band(self._hear(grid, band), active, grid)

    def predict(self, piece: Piece) -> Array:
        """float32 [steps, 512]: log p of every word, given the real ones before it and the band."""
        past, remembered = describe_take(piece.words, remember(piece.words, self._hear(piece.grid, piece.band), piece.grid))
        return self._run(self._describe(piece.grid, piece.band), past, remembered)

    def _run(self, band: Array, past: Array, remembered: Ints) -> Array:
        feed: Arrays = {"band": band[None], "past": past[None], "remembered": remembered[None]}
        return np.asarray(self.session.run(feed, self.session.start())[0]["words"][0], dtype=np.float32)

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word, given those before it and the band."""
        log_p = self.predict(piece)
        return np.asarray(log_p[np.arange(len(log_p)), piece.words].astype(np.float64) / np.log(2))

    def expect(self, piece: Piece) -> Floats:
        """float64 [steps, 9]: the probability of each hit, given the real words before its step and the band."""
        return np.clip(np.exp(self.predict(piece).astype(np.float64)) @ WORD_BITS, 0, 1)

    def guess(self, grid: Grid, band: Band | None) -> Array:
        """float32 [steps, 9]: the probability of each hit from the band alone, nothing known of what was played."""
        log_p = self._run(self._describe(grid, band), *forget(grid.steps))
        return np.asarray(np.exp(log_p) @ WORD_BITS, dtype=np.float32)

    def begin(self, grid: Grid, band: Band | None = None) -> NeuralTake:
        """A take with nothing played yet."""
        return NeuralTake(self.session, self._describe(grid, band), Memory(grid, find_similar_bars(self._hear(grid, band), grid)))

    def play(self, piece: Piece, rng: np.random.Generator, *, temperature: float | None = None, top_p: float | None = None) -> Hits:
        """Bool [steps, 9]: its drums for the band, or alone where there is none.

        Raises:
            InputError: the temperature or top-p is out of range.
        """
        given: dict[str, Any] = {"temperature": temperature, "top_p": top_p}
        how = replace(self.playing, **{name: value for name, value in given.items() if value is not None})
        grid, heard = piece.grid, piece.band is not None and self.band
        guess = self.guess(grid, piece.band) if heard else np.zeros((grid.steps, CLASSES), np.float32)
        if heard and how.cutoff is not None and temperature is None:
            return np.asarray((guess >= how.cutoff) & piece.active_bars[grid.bar_of_step][:, None], dtype=np.bool_)
        bias = self._lean(guess, how) if heard else np.zeros((grid.steps, VOCABULARY), np.float32)
        sounding = piece.active_bars[grid.bar_of_step]
        alarm = find_alarms(grid, sounding)
        take, words = self.begin(grid, piece.band), np.zeros(grid.steps, np.uint16)
        for step in range(grid.steps):
            if sounding[step]:
                scores = take.look() + bias[step]
                since, enough = alarm[step]
                if enough and np.count_nonzero(words[since:step]) < enough:
                    scores[0] = -np.inf
                words[step] = draw(scores, rng, temperature=how.temperature, top_p=how.top_p)
            take.push(int(words[step]))
        return words_to_hits(words)

    def _lean(self, guess: Array, how: Playing) -> Array:
        """float32 [steps, 512]: how much the band speaks for each word."""
        guess = np.clip(guess, 1e-4, 1 - 1e-4)
        level = np.clip(guess.mean(axis=0), how.least_doubt, how.doubt)
        odds = np.log(guess / (1 - guess)) - np.log(level / (1 - level))
        return np.asarray(how.listening * odds @ WORD_BITS.T, dtype=np.float32)


class NeuralTake:
    """A take of the corrected one while it is being played.

    Args:
        session: the network.
        band: float32 [steps, columns], what is heard.
        memory: empty.
    """

    def __init__(self, session: RecurrentSession, band: Array, memory: Memory) -> None:
        self._session, self._band, self._memory, self._state = session, band, memory, session.start()
        self._before, self._step = NO_WORD, 0
        self._now: tuple[Array, Arrays] | None = None

    def look(self) -> Array:
        """float32 [512]: log p of each word at the step to come."""
        if self._now is None:
            words, agreement, habit = self._memory.look()
            remembered = np.array([words], np.int64)
            past = describe_past(np.array([self._before]), remembered, np.array([agreement], np.uint8), habit[None])
            feed: Arrays = {"band": self._band[None, self._step : self._step + 1], "past": past[None], "remembered": remembered[None]}
            outputs, after = self._session.run(feed, self._state)
            self._now = outputs["words"][0, 0], after
        return self._now[0]

    def distribution(self) -> Floats:
        """float64 [512]: the probability of each word at the step to come."""
        return np.asarray(np.exp(self.look().astype(np.float64)))

    def push(self, word: int) -> None:
        """Play a word, and go on to the next step."""
        self.look()
        if self._now is not None:
            self._state = self._now[1]
        self._memory.push(word)
        self._before, self._step, self._now = word, self._step + 1, None


class OriginalNeuralDrummer(_Untrained):
    """The original's network and decoding, on the half-beats of a grid.

    Of the band it hears how many notes start; the drums themselves, which the original counts too, are not heard here.

    Args:
        session: a checkpoint folder of variant "windows".
        playing: its cut-off and start.
        name: in tables.
    """

    def __init__(self, session: RecurrentSession, playing: Playing | None = None, *, name: str = f"{NETWORK}, original") -> None:
        self.session, self.playing, self.name = session, playing or Playing(), name
        self.kit = Kit.from_dict(session.config["kit"])

    def play(self, piece: Piece, rng: np.random.Generator) -> Hits:
        """Bool [steps, 9]: its drums, a hit on every half-beat."""
        places = find_half_beats(piece.grid)
        counts = np.add.reduceat(piece.band_onsets.sum(axis=1), places)
        struck = self.decode(tell_intensity(counts), make_start(self.playing.start, len(self.kit), rng))
        hits = np.zeros((piece.grid.steps, CLASSES), np.bool_)
        for column, into in enumerate(self.kit.mapping(load_kit("drums_rnn_9")).tolist()):
            if into >= 0:
                hits[places, into] |= struck[:, column]
        return hits

    def decode(self, intensity: Array, start: Array) -> Hits:
        """Hits half-beat by half-beat, each from the eight before it.

        Args:
            intensity: float32 [n], see ``tell_intensity``.
            start: float32 [8, classes + 1].

        Returns:
            bool [n, classes].
        """
        cutoff = CUTOFF if self.playing.cutoff is None else self.playing.cutoff
        rows = np.concatenate([start, np.zeros((len(intensity), start.shape[1]), np.float32)])
        for step in range(len(intensity)):
            window = rows[step : step + WINDOW]
            logits = self.session.run({"windows": window[None]}, {})[0]["hits"][0]
            row = rows[step + WINDOW]
            row[:-1] = 1 / (1 + np.exp(-logits)) >= cutoff
            row[int(np.argmax(logits))] = 1
            row[-1] = intensity[step]
        return rows[WINDOW:, :-1] > 0


def tell_intensity(counts: Floats) -> Array:
    """float32 [n]: the original's intensity as it is at work: that of the half-beat to come, normalised twice; zeros where nothing deviates.

    Args:
        counts: [n] notes starting in each half-beat.
    """
    if len(counts) < 2:
        return np.zeros(len(counts), np.float32)
    ahead = count_ahead(counts.astype(np.int64).tolist(), len(counts) + 1)
    return np.nan_to_num(normalise(normalise(ahead)))[: len(counts)].astype(np.float32)


def find_alarms(grid: Grid, sounding: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where a drummer must not go on resting, for each step: since which step there must have been how many hits, or a hit comes now.

    What has rested goes on resting, in metres that it hardly knows for a whole song. So at every pulse behind two bars in which the
    band sounded, hits must stand on more steps of the last bar's length than half its pulses are (0 elsewhere: nothing is asked).

    Args:
        grid: any metre.
        sounding: bool [steps], whether the band sounds.
    """
    alarms, silent = [(0, 0)] * grid.steps, np.concatenate([[0], np.cumsum(~sounding)])
    first, lengths = grid.first_steps.tolist(), grid.bar_steps.tolist()
    for bar in range(PATIENCE, grid.bars):
        pulses = list_pulses(grid, bar)
        for step in (first[bar] + place for place in pulses):
            if silent[step] == silent[max(0, step - sum(lengths[bar - PATIENCE : bar]))]:
                alarms[step] = max(0, step - lengths[bar]), len(pulses) // 2 + 1
    return alarms


def find_half_beats(grid: Grid) -> Ints:
    """int64 [n]: the steps of a grid at which a half of a quarter begins."""
    half = max(1, grid.steps_per_quarter // 2)
    return np.flatnonzero(grid.step_in_bar % half == 0)


def make_start(name: str, classes: int, rng: np.random.Generator) -> Array:
    """The eight half-beats before the song: float32 [8, classes + 1], kick, snare and closed hat being the first three classes.

    "random" strikes one to four classes each; the original's own takes class numbers for pitches and so comes out blank.
    """
    rows = np.zeros((WINDOW, classes + 1), np.float32)
    if name == "basic":
        rows[0::4, 0], rows[2::4, 1], rows[:, 2] = 1, 1, 1
    elif name == "count-in":
        rows[0::2, 2], rows[:, -1] = 1, -2
    elif name == "random":
        for row in rows:
            row[rng.integers(0, classes, rng.integers(1, 5))] = 1
    return rows
