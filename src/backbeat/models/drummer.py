"""The drummer: hears a song, remembers what it has played, decides what to hit; and the likelihood of real drums."""

from __future__ import annotations

from dataclasses import dataclass
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

Array = npt.NDArray[np.float32]
_BITS = words_to_hits(np.arange(VOCABULARY, dtype=np.uint16)).astype(np.float32)


@dataclass(frozen=True)
class Sampling:
    """How a drummer chooses.

    Args:
        temperature: 0 takes the most likely word.  top_p: share of the likely words that may be chosen.
        listening: weight of what the band alone suggests, added to the words' log-probabilities.
        doubt: probability above which such a suggestion speaks for a hit.
        velocity_temperature, articulation_temperature: the same for how loud and which instrument.
    """

    temperature: float = 0.8
    top_p: float = 0.95
    listening: float = 0.7
    doubt: float = 0.3
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
        self._group = self.kit.mapping(load_kit("drums_rnn_9"))

    def score(self, example: Example, *, band: bool = True, style: int = 0) -> npt.NDArray[np.float64]:
        """Log2 of the probability of every real word given all words before it, and the band.

        Args:
            example: a prepared piece.
            band: False leaves the band out.
            style: index of a style, 0 = not said.

        Returns:
            float64 [steps].
        """
        r = example.recalled
        piece: Arrays = {n: getattr(example, n) for n in ("step", "bar", "song", "words", "velocities", "articulations", "layout")}
        piece |= {"recalled_words": r.words.copy(), "agreement": r.agreement, "habit": r.habit}
        if not band:
            piece["step"], piece["bar"], piece["song"] = silence(example.step, example.bar, example.song)
            piece["recalled_words"][:, 4:6] = NO_WORD
        piece = unfold(piece, len(self.kit))
        piece["dynamic"] = np.array(example.dynamic)
        whole = chunk(piece, 0, len(example.words))
        listened, _ = self._listen(whole["heard"], style)
        words, *_ = self.session.play(listened[None], whole["played"][None], whole["recalled"][None], self.session.start(1))
        return np.asarray(words[0, np.arange(len(example.words)), example.words] / np.log(2), dtype=np.float64)

    def _listen(self, heard: npt.NDArray[np.uint8], style: int) -> tuple[Array, Array]:
        listened, guess = self.session.listen(heard.astype(np.float32) / np.float32(255), style)
        return listened[MARGIN:-MARGIN], guess[MARGIN:-MARGIN]

    def play(
        self, cues: Cues, rngs: list[np.random.Generator], *, style: int = 0, how: Sampling | None = None, known: Known | None = None, band: bool = True
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
        bias = how.listening * (guess - np.float32(np.log(how.doubt / (1 - how.doubt)))) @ _BITS.T
        forbidden = _forbid(known)
        takes = [_Take(self, cues, rng, how, known) for rng in rngs]
        state = self.session.start(len(takes))
        for step in _sounding_steps(cues, known, band):
            if step < 0:
                for take in takes:
                    take.rest()
                continue
            looks = [take.look() for take in takes]
            played = np.stack([played for played, _ in looks])[:, None]
            recalled = np.array([[words] for _, words in looks], np.int64)
            here = np.repeat(listened[None, step : step + 1], len(takes), axis=0)
            words, velocities, articulations, state = self.session.play(here, played, recalled, state)
            words = words[:, 0] + bias[step]
            if forbidden is not None:
                words[:, forbidden[step]] = -np.inf
            for take, w, v, a in zip(takes, words, velocities[:, 0], articulations[:, 0], strict=True):
                take.choose(w, v, a)
        return [take.groove() for take in takes]

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
        self.group = model._group
        self.shape = (cues.grid.steps, len(model.kit))
        self.velocities = np.zeros(self.shape, np.float32)
        self.word, self.step = 0, 0
        self.loud = np.zeros(CLASSES, np.float32)
        self.used = np.zeros(len(model.kit), np.float32)

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
                loud = max(1, round(place * 128 / bins)) / 127
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


def _sounding_steps(cues: Cues, known: Known | None, band: bool) -> list[int]:
    """Steps in order, -1 for those so far from any sound (two bars) that nobody plays."""
    if not band or known is not None:
        return list(range(cues.grid.steps))
    active = cues.active_bars
    near = active.copy()
    for by in (1, 2):
        near[by:] |= active[:-by]
        near[:-by] |= active[by:]
    return [step if near_step else -1 for step, near_step in enumerate(near[cues.grid.bar_of_step].tolist())]
