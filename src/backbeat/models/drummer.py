"""The drummer: hears a song, remembers what it has played, decides what to hit; and the likelihood of real drums."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.recall import NO_WORD, Memory
from backbeat.codecs.words import CLASSES, VOCABULARY, words_to_hits
from backbeat.cues import Cues, encode, silence
from backbeat.datasets.preparation import Example
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.models.drummer_inputs import MARGIN, Arrays, chunk, unfold
from backbeat.runtime import Session
from backbeat.sampling import draw
from backbeat.units import round_half_up

MAX_REHEARSED = 3000
"""Steps of a song that are tried more than once; bounds the time that a very long song takes."""

Array = npt.NDArray[np.float32]
_BITS = words_to_hits(np.arange(VOCABULARY, dtype=np.uint16)).astype(np.float32)


@dataclass(frozen=True)
class Sampling:
    """How a drummer chooses.

    Args:
        temperature: 0 takes the most likely word.  top_p: share of the likely words that may be chosen.
        listening: weight of what the band alone suggests, added to the words' log-probabilities.
        doubt, least_doubt: such a suggestion speaks for a hit where its probability is above the class's mean in the song,
            held between these two.
        rest: added to the log-probability of playing nothing while the band is silent for a whole bar.
        rehearsals: how often the beginning of a section is tried; the try that suits the band best goes on.
        rehearsed_bars: length of such a beginning.
        velocity_temperature, articulation_temperature: the same for how loud and which instrument.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    listening: float = 0.8
    doubt: float = 0.3
    least_doubt: float = 0.08
    rest: float = 4.0
    rehearsals: int = 6
    rehearsed_bars: int = 4
    velocity_temperature: float = 0.7
    articulation_temperature: float = 0.5


@dataclass(frozen=True, eq=False)
class Known:
    """Drums that are given: cells that stay as they are.

    Args:
        mask: bool [steps, 9] which cells of ``drums_rnn_9`` are known.  groove: kit "backbeat"; its hits count where the mask says so.
    """

    mask: npt.NDArray[np.bool_]
    groove: Groove


class DrummerModel:
    """A drummer network with its codec and sampler.

    Args:
        folder: a checkpoint folder, see ``runtime.Session``.
    """

    name = "drummer"

    def __init__(self, folder: Path) -> None:
        self.session = Session(folder)
        self.kit = Kit.from_dict(self.session.config["kit"])
        self.styles: list[str] = self.session.config["styles"]
        self.group = self.kit.mapping(load_kit("drums_rnn_9"))

    def score(self, example: Example, *, band: bool = True, style: int = 0) -> npt.NDArray[np.float64]:
        """Log2 of the probability of every real word given all words before it, and the band.

        Args:
            example: a prepared piece.
            band: False leaves the band out.
            style: index of a style, 0 = not said.

        Returns:
            float64 [steps].
        """
        words = self.predict(example, band=band, style=style)
        return np.asarray(words[np.arange(len(example.words)), example.words] / np.log(2), dtype=np.float64)

    def predict(self, example: Example, *, band: bool = True, style: int = 0) -> Array:
        """Float32 [steps, 512]: log p (natural) of every word at every step, given all real words before it; see ``score``."""
        piece: Arrays = {n: getattr(example, n) for n in ("step", "bar", "song", "words", "velocities", "articulations", "layout", "matches")}
        piece = unfold(piece, len(self.kit))
        if not band:
            piece["step"], piece["bar"], piece["song"] = silence(example.step, example.bar, example.song)
            piece["recalled_words"][:, 4:6] = NO_WORD
        piece["dynamic"] = np.array(example.dynamic)
        whole = chunk(piece, 0, len(example.words))
        listened, _ = self._listen(whole["heard"], style)
        words, *_ = self.session.play(listened[None], whole["played"][None], whole["recalled"][None], self.session.start(1))
        return np.asarray(words[0], dtype=np.float32)

    def _listen(self, heard: npt.NDArray[np.uint8], style: int) -> tuple[Array, Array]:
        listened, guess = self.session.listen(heard.astype(np.float32) / np.float32(255), style)
        return listened[MARGIN:-MARGIN], guess[MARGIN:-MARGIN]

    def play(
        self,
        cues: Cues,
        rngs: list[np.random.Generator],
        *,
        style: int = 0,
        how: Sampling | None = None,
        known: Known | None = None,
        band: bool = True,
    ) -> list[Groove]:
        """Play a song, one take a generator.

        Args:
            cues: the band on a grid of 4 steps per quarter.
            rngs: one generator a take.
            style: index of a style, 0 = any.
            how: temperature and such.
            known: drums that are given.
            band: False where there is none to hear.

        Returns:
            grooves in the drummer's kit, on the grid, without offsets.
        """
        how = how or Sampling()
        encoded = encode(cues) if band else silence(*encode(cues))
        listened, guess = self._listen(self._heard(cues, encoded, known), style)
        expected = np.asarray(1 / (1 + np.exp(-guess)), dtype=np.float32)
        level = np.clip(expected.mean(axis=0), how.least_doubt, how.doubt)
        bias = np.asarray(how.listening * (guess - np.log(level / (1 - level))) @ _BITS.T, dtype=np.float32)
        if band:
            bias[~cues.active_bars[cues.grid.bar_of_step], 0] += how.rest
        forbidden = _forbid(known)
        if forbidden is not None:
            bias = np.where(forbidden, -np.inf, bias).astype(np.float32)
        plan = _plan_rehearsals(cues, how) if band else [(0, cues.grid.steps, 1)]
        sounding = _sounding_steps(cues, known, band)
        return [self._play_take(_Take(self, cues, rng, how, known), listened, bias, expected, plan, sounding) for rng in rngs]

    def _play_take(self, take: _Take, listened: Array, bias: Array, expected: Array, plan: list[tuple[int, int, int]], sounding: list[bool]) -> Groove:
        """One take: every passage of the plan is tried so many times, and the try that suits the band best goes on."""
        state = self.session.start(1)
        for first, last, tries in plan:
            takes = [take] if tries == 1 else [take.fork(rng) for rng in take.rng.spawn(tries)]
            state = np.repeat(state, tries, axis=1)
            for step in range(first, last):
                state = self._play_step(takes, listened[step], bias[step], state) if sounding[step] else _rest(takes, state)
            best = int(np.argmax([_suits(t.bits[first:last], expected[first:last]) for t in takes])) if tries > 1 else 0
            take, state = takes[best], state[:, best : best + 1]
        return take.groove()

    def _play_step(self, takes: list[_Take], listened: Array, bias: Array, state: Array) -> Array:
        looks = [take.look() for take in takes]
        played = np.stack([played for played, _ in looks])[:, None]
        recalled = np.array([[words] for _, words in looks], np.int64)
        here = np.broadcast_to(listened, (len(takes), 1, len(listened)))
        words, velocities, articulations, state = self.session.play(here, played, recalled, state)
        for take, w, v, a in zip(takes, words[:, 0] + bias, velocities[:, 0], articulations[:, 0], strict=True):
            take.choose(w, v, a)
        return state

    def _heard(self, cues: Cues, encoded: tuple[Any, Any, Any], known: Known | None) -> npt.NDArray[np.uint8]:
        """uint8 [steps + 2 MARGIN, columns], as ``chunk`` lays them."""
        step, bar, song = encoded
        steps = len(step)
        mask = known.mask if known else np.zeros((steps, CLASSES), np.bool_)
        bits = known.groove.to_kit(load_kit("drums_rnn_9")).hits & mask if known else mask
        columns = [step, bar[cues.grid.bar_of_step], np.broadcast_to(song, (steps, len(song))), mask * np.uint8(255), bits * np.uint8(255)]
        return np.pad(np.concatenate(columns, axis=1), ((MARGIN, MARGIN), (0, 0)))


class _Take:
    """One take while it is being played."""

    def __init__(self, model: DrummerModel, cues: Cues, rng: np.random.Generator, how: Sampling, known: Known | None) -> None:
        self.model, self.grid, self.rng, self.how, self.known = model, cues.grid, rng, how, known
        self.memory = Memory(cues.grid, cues.matches)
        self.group = model.group
        self.shape = (cues.grid.steps, len(model.kit))
        self.velocities = np.zeros(self.shape, np.float32)
        self.word, self.step = 0, 0
        self.loud = np.zeros(CLASSES, np.float32)
        self.used = np.zeros(len(model.kit), np.float32)
        self.bits = np.zeros((cues.grid.steps, CLASSES), np.float32)

    def fork(self, rng: np.random.Generator) -> _Take:
        """A take of its own that goes on from here."""
        twin = copy(self)
        twin.rng, twin.memory = rng, self.memory.fork()
        twin.velocities, twin.bits = self.velocities.copy(), self.bits.copy()
        twin.loud, twin.used = self.loud.copy(), self.used.copy()
        return twin

    def look(self) -> tuple[Array, list[int]]:
        words, agreement, habit = self.memory.look()
        played = np.concatenate([_BITS[self.word], self.loud, habit / np.float32(255), self.used, np.array(agreement, np.float32) / 255])
        return played.astype(np.float32), words

    def rest(self) -> None:
        """Play nothing; the network is not asked."""
        self.memory.look()
        self._advance(0)

    def choose(self, words: Array, velocities: Array, articulations: Array) -> None:
        """Draw the word of this step, and how each of its hits is played."""
        how = self.how
        word = draw(words, self.rng, temperature=how.temperature, top_p=how.top_p)
        self.loud = np.zeros(CLASSES, np.float32)
        given = self.known.mask[self.step] if self.known is not None else None
        bins = velocities.shape[1]
        for cls in np.flatnonzero(_BITS[word]).tolist():
            if given is not None and given[cls]:
                column, loud = self._copy(cls)
            else:
                members = np.flatnonzero(self.group == cls)
                column = int(members[draw(articulations[members], self.rng, temperature=how.articulation_temperature)])
                place = draw(velocities[cls], self.rng, temperature=how.velocity_temperature) + 0.5 + 0.8 * (self.rng.random() - 0.5)
                loud = max(1, round_half_up(place * 128 / bins)) / 127
            self.velocities[self.step, column] = min(loud, 1)
            self.loud[cls] = min(loud, 1) * (2 * 127 / 255)
            self.used[self.group == cls] = 0
            self.used[column] = 1
        self._advance(word)

    def _copy(self, cls: int) -> tuple[int, float]:
        row = self.known.groove.velocities[self.step] if self.known else np.zeros(0)
        column = int(np.argmax(np.where(self.group == cls, row, -1)))
        return column, float(row[column])

    def _advance(self, word: int) -> None:
        self.memory.push(word)
        self.bits[self.step] = _BITS[word]
        self.word, self.step = word, self.step + 1

    def groove(self) -> Groove:
        return Groove(self.grid, self.model.kit, self.velocities > 0, self.velocities, np.zeros(self.shape, np.float32))


def _forbid(known: Known | None) -> npt.NDArray[np.bool_] | None:
    """Bool [steps, 512]: words that contradict what is known."""
    if known is None:
        return None
    bits = known.groove.to_kit(load_kit("drums_rnn_9")).hits
    must = (known.mask & bits).astype(np.float32)
    must_not = (known.mask & ~bits).astype(np.float32)
    return np.asarray(must @ (1 - _BITS.T) + must_not @ _BITS.T > 0, dtype=np.bool_)


def _rest(takes: list[_Take], state: Array) -> Array:
    """Nobody plays; the network is not asked."""
    for take in takes:
        take.rest()
    return state


def _suits(bits: Array, expected: Array) -> float:
    """How well a try [n, 9] meets what the band alone lets expect: the F1 that its hits would have on average."""
    return float(2 * (bits * expected).sum() / max(float(bits.sum() + expected.sum()), 1e-6))


def _plan_rehearsals(cues: Cues, how: Sampling) -> list[tuple[int, int, int]]:
    """Passages (first step, last step, tries) that cover the song: the first bars of every section are tried several times."""
    first_steps = cues.grid.first_steps
    starts = set(np.flatnonzero(cues.section_starts).tolist())
    if cues.active_bars.any():
        starts.add(int(np.argmax(cues.active_bars)))
    edges = sorted({b for start in starts for b in (start, min(start + how.rehearsed_bars, cues.grid.bars))} | {0, cues.grid.bars})
    plan, last_start, budget = [], -how.rehearsed_bars, MAX_REHEARSED
    for a, b in pairwise(edges):
        last_start = a if a in starts else last_start
        first, last = int(first_steps[a]), int(first_steps[b])
        tries = how.rehearsals if a - last_start < how.rehearsed_bars and last - first <= budget else 1
        budget -= last - first if tries > 1 else 0
        plan.append((first, last, max(1, tries)))
    return plan


def _sounding_steps(cues: Cues, known: Known | None, band: bool) -> list[bool]:
    """Whether a step is near enough to any sound (two bars) for somebody to play."""
    if not band or known is not None:
        return [True] * cues.grid.steps
    active = cues.active_bars
    near = active.copy()
    for by in (1, 2):
        near[by:] |= active[:-by]
        near[:-by] |= active[by:]
    return list(near[cues.grid.bar_of_step].tolist())
