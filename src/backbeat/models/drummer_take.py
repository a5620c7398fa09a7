"""One take while the drummer plays it: what is remembered, what was chosen, and how choices are made."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.recall import Memory
from backbeat.codecs.words import CLASSES, WORD_BITS, hits_to_words
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.models.drummer_asked import Pace
from backbeat.models.drummer_order import Order
from backbeat.models.drummer_styles import Lean
from backbeat.sampling import draw
from backbeat.units import round_half_up

Array = npt.NDArray[np.float32]
_STRUCK = [np.flatnonzero(bits).tolist() for bits in WORD_BITS]
"""The classes of each word."""


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

    @property
    def bits(self) -> npt.NDArray[np.bool_]:
        """Bool [steps, 9]: the hits that are known."""
        return np.asarray(self.groove.to_kit(load_kit("drums_rnn_9")).hits & self.mask, dtype=np.bool_)

    def reorder(self, order: Order) -> Known:
        """The same for bars in another order."""
        groove = self.groove
        moved = Groove(order.grid, groove.kit, groove.hits[order.steps], groove.velocities[order.steps], groove.offsets[order.steps])
        return Known(self.mask[order.steps], moved)

    @property
    def settled(self) -> npt.NDArray[np.bool_]:
        """Bool [steps]: where nothing is left to choose."""
        return np.asarray(self.mask.all(axis=1), dtype=np.bool_)


class Take:
    """One take while it is being played.

    Args:
        order: in which its bars are played.
        kit: the drummer's.  group: int64 [classes of the kit], the class of ``drums_rnn_9`` of each.
        rng: of all choices.  how: temperature and such.
        known: drums that are given; pace: how dense it is to be; lean: towards which style; all in the order of the piece.
    """

    def __init__(
        self,
        order: Order,
        kit: Kit,
        group: npt.NDArray[np.int64],
        rng: np.random.Generator,
        how: Sampling,
        known: Known | None,
        pace: Pace | None = None,
        lean: Lean | None = None,
    ) -> None:
        self.grid, self.kit, self.group, self.rng, self.how, self.known = order.grid, kit, group, rng, how, known.reorder(order) if known else None
        self.members = [np.flatnonzero(group == cls) for cls in range(CLASSES)]
        self.memory = Memory(order.grid, order.matches)
        self.shape = (order.grid.steps, len(kit))
        self.velocities = np.zeros(self.shape, np.float32)
        self.pace, self.learned = pace.reorder(order.steps) if pace else None, 0.0
        self.lean = lean.reorder(order.steps) if lean else None
        self.patterns: tuple[int, ...] = ()
        self.word, self.step = 0, 0
        self.loud = np.zeros(CLASSES, np.float32)
        self.used = np.zeros(len(kit), np.float32)
        self.bits = np.zeros((order.grid.steps, CLASSES), np.float32)
        self.given: list[int] = hits_to_words(self.known.bits).tolist() if self.known else []

    def fork(self, rng: np.random.Generator) -> Take:
        """A take of its own that goes on from here."""
        twin = copy(self)
        twin.rng, twin.memory = rng, self.memory.fork()
        twin.velocities, twin.bits = self.velocities.copy(), self.bits.copy()
        twin.loud, twin.used = self.loud.copy(), self.used.copy()
        return twin

    def begin(self, rng: np.random.Generator) -> Take:
        """A take of its own that goes on from here, with a pattern of each style that is asked for."""
        twin = self.fork(rng)
        if self.lean is not None:
            steps = np.flatnonzero(self.known.settled) if self.known is not None else np.zeros(0, np.int64)
            twin.patterns = self.lean.draw(rng, steps, np.array(self.given, np.int64)[steps] if self.given else steps)
        return twin

    def look(self) -> tuple[Array, list[int]]:
        """What the network is told of the take before this step: float32 [columns], and 7 words that are remembered."""
        words, agreement, habit = self.memory.look()
        played = np.concatenate([WORD_BITS[self.word], self.loud, habit / np.float32(255), self.used, np.array(agreement, np.float32) / 255])
        return played.astype(np.float32), words

    def rest(self) -> None:
        """Play nothing; the network is not asked."""
        self.memory.look()
        self.loud = np.zeros(CLASSES, np.float32)
        self._advance(0)

    def give(self) -> None:
        """Play the word that is known; ``look`` comes before."""
        word = self.given[self.step]
        self.loud = np.zeros(CLASSES, np.float32)
        for cls in _STRUCK[word]:
            self._strike(cls, *self._copy(cls))
        self._advance(word)

    def choose(self, words: Array, velocities: Array, articulations: Array) -> None:
        """Draw the word of this step, and how each of its hits is played; ``look`` comes before.

        Args:
            words: log-probabilities [512].  velocities: logits [9, bins].  articulations: logits [classes of the kit].
        """
        how = self.how
        if self.pace is not None and (favoured := self.pace.favour(self.step, self.learned)) is not None:
            words = words + favoured
        if self.lean is not None and (leaning := self.lean.favour(self.step, self.patterns, words)) is not None:
            words = words + leaning
        word = draw(words, self.rng, temperature=how.temperature, top_p=how.top_p)
        self.loud = np.zeros(CLASSES, np.float32)
        given = self.known.mask[self.step] if self.known is not None else None
        bins = velocities.shape[1]
        for cls in _STRUCK[word]:
            if given is not None and given[cls]:
                self._strike(cls, *self._copy(cls))
                continue
            members = self.members[cls]
            column = int(members[draw(articulations[members], self.rng, temperature=how.articulation_temperature)])
            place = draw(velocities[cls], self.rng, temperature=how.velocity_temperature) + 0.5 + 0.8 * (self.rng.random() - 0.5)
            self._strike(cls, column, max(1, round_half_up(place * 128 / bins)) / 127)
        if self.pace is not None:
            self.learned = self.pace.learn(self.step, self.learned, int(WORD_BITS[word].sum()))
        self._advance(word)

    def _strike(self, cls: int, column: int, loud: float) -> None:
        self.velocities[self.step, column] = min(loud, 1)
        self.loud[cls] = min(loud, 1) * (2 * 127 / 255)
        self.used[self.members[cls]] = 0
        self.used[column] = 1

    def _copy(self, cls: int) -> tuple[int, float]:
        row = self.known.groove.velocities[self.step] if self.known else np.zeros(0)
        column = int(np.argmax(np.where(self.group == cls, row, -1)))
        return column, float(row[column])

    def _advance(self, word: int) -> None:
        self.memory.push(word)
        self.bits[self.step] = WORD_BITS[word]
        self.word, self.step = word, self.step + 1

    def groove(self) -> Groove:
        """What was played; behind the last step that was played stands what is known."""
        velocities = self.velocities
        if self.known is not None and self.step < len(velocities):
            known = self.known.mask[self.step :, self.group] & self.known.groove.hits[self.step :]
            velocities[self.step :][known] = self.known.groove.velocities[self.step :][known]
        return Groove(self.grid, self.kit, velocities > 0, velocities, np.zeros(self.shape, np.float32))
