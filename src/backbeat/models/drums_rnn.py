"""Drums RNN behind the protocol of all models: it scores drums, plays on from a primer, and searches with beams. No torch.

A folder holds one of two kinds. "original" reads events with binary counters and says nothing of the first event of a track, for which
all count as equally likely here; "memory" is also told where in the bar a step is and what the take has played before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from backbeat.codecs.drum_events import DRUM_KIT, ENCODINGS, DrumEncoding
from backbeat.codecs.drum_memory import remember
from backbeat.codecs.words import Hits
from backbeat.errors import InputError, ModelError
from backbeat.grid import Grid
from backbeat.models.drums_rnn_inputs import StepInputs, list_places, tell_take
from backbeat.models.drums_rnn_steps import EventSteps, StepWeights, load_steps
from backbeat.models.improvising import improvise
from backbeat.models.protocol import Piece, Take
from backbeat.runtime.recurrent import RecurrentSession
from backbeat.sampling import search_beams
from backbeat.units import Floats

SHIPPED = "weights/drums_rnn"
NETWORK = "drums-rnn"
KINDS = ("original", "memory")
MOST_BEAMS = 64
Arrays = dict[str, npt.NDArray[Any]]
Words = npt.NDArray[np.integer[Any]]


def _softmax(logits: npt.NDArray[np.float32]) -> Floats:
    weights = np.exp(logits.astype(np.float64) - float(logits.max()))
    return np.asarray(weights / weights.sum())


class EventTake:
    """A take of the original's network.

    Args:
        session: the network.
        encoding: of its events.
        weights: of the same network in numpy, which is quicker step by step; none = the network's graph.
    """

    def __init__(self, session: RecurrentSession, encoding: DrumEncoding, weights: StepWeights | None = None) -> None:
        self._session, self._encoding = session, encoding
        self._quick = EventSteps(weights) if weights else None
        self._state = {} if weights else session.start()
        self._position = 0
        self._distribution = np.full(encoding.classes, 1 / encoding.classes)

    def distribution(self) -> Floats:
        """float64 [classes]: the probability of each event at the step to come."""
        return self._distribution

    def push(self, word: int) -> None:
        """Play an event."""
        counters = self._encoding.count_all[self._position % len(self._encoding.count_all)]
        if self._quick is not None:
            logits = self._quick.read(word, counters)
        else:
            inputs: Arrays = {"events": np.array([[word]], np.int64), "counters": counters[None, None]}
            outputs, self._state = self._session.run(inputs, self._state)
            logits = outputs["logits"][0, 0]
        self._distribution, self._position = _softmax(logits), self._position + 1

    def fork(self) -> Self:
        """A take of its own that starts from this one."""
        twin = type(self).__new__(type(self))
        twin.__dict__ |= self.__dict__ | {"_quick": self._quick.fork() if self._quick is not None else None}
        return twin


class MemoryTake:
    """A take of the network that remembers.

    Args:
        session: the network.
        bar_steps: steps of each bar.
    """

    def __init__(self, session: RecurrentSession, bar_steps: Sequence[int] | Words) -> None:
        self._session, self._inputs = session, StepInputs(bar_steps)
        self._state = session.start()
        self._ahead: tuple[Floats, dict[str, npt.NDArray[Any]]] | None = None

    def _look(self) -> tuple[Floats, dict[str, npt.NDArray[Any]]]:
        if self._ahead is None:
            outputs, state = self._session.run(self._inputs.look(), self._state)
            self._ahead = _softmax(outputs["log_p"][0, 0]), state
        return self._ahead

    def distribution(self) -> Floats:
        """float64 [512]: the probability of each word at the step to come."""
        return self._look()[0]

    def push(self, word: int) -> None:
        """Play a word."""
        _, self._state = self._look()
        self._inputs.push(word)
        self._ahead = None

    def fork(self) -> Self:
        """A take of its own that starts from this one."""
        twin = type(self).__new__(type(self))
        twin.__dict__ |= self.__dict__ | {"_inputs": self._inputs.fork()}
        return twin


class DrumsRnnModel:
    """Drums RNN for pieces.

    Args:
        folder: a checkpoint folder.

    Raises:
        ModelError: the folder holds something else, or is damaged.
    """

    name = "drums-rnn"

    def __init__(self, folder: Path) -> None:
        self.session = RecurrentSession(folder, NETWORK)
        config = self.session.config
        self.kind = str(config.get("kind"))
        if self.kind not in KINDS or config.get("encoding") not in ENCODINGS:
            raise ModelError(f"{folder}: kind {self.kind!r} with encoding {config.get('encoding')!r} is not one this version can read")
        self.encoding = ENCODINGS[str(config["encoding"])]
        self._weights = load_steps(folder, int(config.get("sizes", {}).get("attention", 0))) if self.kind == "original" else None

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Refuse: a network is not fitted in one go.

        Raises:
            ModelError: always.
        """
        raise ModelError("Drums RNN is trained by 'backbeat train drums-rnn DATA --out RUN'")

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Nothing is tuned."""

    def begin(self, grid: Grid) -> Take:
        """A take on a grid, with nothing played yet.

        Raises:
            ModelError: it plays no words, but one drum.
        """
        self._check_words()
        return self.begin_on(grid.bar_steps)

    def begin_on(self, bar_steps: Sequence[int] | Words) -> EventTake | MemoryTake:
        """A take in steps of the model's own encoding.

        Args:
            bar_steps: steps of each bar.
        """
        return MemoryTake(self.session, bar_steps) if self.kind == "memory" else EventTake(self.session, self.encoding, self._weights)

    def score(self, piece: Piece) -> Floats:
        """float64 [steps]: log2 p of each real word, given the words before it.

        One drum says how likely it is that something, or nothing, is struck in each 8th; a 16th between two counts to the later one, as
        the original's rounding has it, and the step in the middle of an 8th adds nothing.
        """
        if self.encoding is DRUM_KIT:
            return self.score_words(piece.words, piece.grid.bar_steps)
        struck = np.append(np.asarray(piece.words) > 0, np.zeros(len(piece.words) % 2, np.bool_))
        between = np.concatenate([[False], struck[1::2][:-1]]) if len(struck) else struck
        log2_p = np.zeros(len(struck))
        log2_p[::2] = self.score_words(struck[::2] | between, [len(struck) // 2])
        return log2_p[: len(piece.words)]

    def score_words(self, words: Words, bar_steps: Sequence[int] | Words) -> Floats:
        """float64 [steps]: log2 p of each event of the model's encoding.

        Args:
            words: integers [steps].
            bar_steps: steps of each bar.
        """
        words, steps = np.asarray(words, np.int64), len(words)
        if self.kind == "memory":
            place = list_places(bar_steps)[:steps]
            inputs = tell_take(words, place, remember(words, np.asarray(bar_steps)))
            logits = self.session.run(inputs, self.session.start())[0]["log_p"][0].astype(np.float64)
        else:
            inputs = {"events": words[None, :-1], "counters": self.encoding.count(np.arange(steps - 1))[None]}
            behind = self.session.run(inputs, self.session.start())[0]["logits"][0] if steps > 1 else np.zeros((0, self.encoding.classes))
            logits = np.concatenate([np.zeros((min(1, steps), self.encoding.classes)), behind]).astype(np.float64)
        log_p = logits - logits.max(axis=1, keepdims=True)
        log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
        return np.asarray(log_p[np.arange(steps), words] / np.log(2))

    def play(self, piece: Piece, rng: np.random.Generator, **how: float) -> Hits:
        """Bool [steps, 9]: drawn step by step, see ``improvise``."""
        return improvise(self, piece, rng, **how)

    def continue_words(
        self,
        primer: Words,
        bar_steps: Sequence[int] | Words,
        rng: np.random.Generator,
        *,
        steps: int | None = None,
        temperature: float = 1.0,
        top_p: float = 1.0,
        beam_size: int = 1,
        branch_factor: int = 1,
        steps_per_iteration: int = 1,
    ) -> tuple[npt.NDArray[np.int64], float]:
        """Go on after a primer, with every option of the original.

        Args:
            primer: integers [n], events of the model's encoding; may be empty.
            bar_steps: steps of each bar of the result.
            rng: the same seed plays the same.
            steps: length of the result, primer included; none = all bars.
            temperature: 0 takes the most likely, unless top_p below 1 leaves less.  top_p: share of the likely that stays possible.
            beam_size, branch_factor, steps_per_iteration: see ``search_beams``.

        Returns:
            int64 [steps], the primer first; and the natural logarithm of the probability of the rest, as it was drawn.

        Raises:
            InputError: the primer is not shorter than the result, or an option is out of range.
        """
        steps = int(np.sum(bar_steps)) if steps is None else steps
        if not len(primer) < steps <= int(np.sum(bar_steps)):
            raise InputError(f"the primer has {len(primer)} steps: ask for more than that, not {steps}")
        if not 0 <= temperature <= 5 or not 0 < top_p <= 1:
            raise InputError(f"temperature must lie in 0-5 and top-p in (0, 1], not {temperature} and {top_p}")
        if min(beam_size, branch_factor, steps_per_iteration) < 1 or beam_size * branch_factor > MOST_BEAMS:
            raise InputError(f"beam size, branch factor and steps per iteration are 1 at least, and the first two together {MOST_BEAMS} at most")
        take = self.begin_on(bar_steps)
        for word in np.asarray(primer).tolist():
            take.push(int(word))
        alone = beam_size * branch_factor == 1  # nothing is ever chosen: draw all steps in one go
        sizes = {"beam_size": beam_size, "branch_factor": branch_factor, "steps_per_iteration": steps if alone else steps_per_iteration}
        words, log_p = search_beams(take, steps - len(primer), rng, temperature=temperature, top_p=top_p, **sizes)
        return np.concatenate([np.asarray(primer, np.int64), np.array(words, np.int64)]), log_p

    def _check_words(self) -> None:
        if self.encoding is not DRUM_KIT:
            raise ModelError(f"this Drums RNN knows {self.encoding.name} in {4 * self.encoding.steps_per_quarter}ths only: use 'backbeat continue'")


def load_shipped() -> DrumsRnnModel:
    """The Drums RNN that ships with Backbeat.

    Raises:
        ModelError: it is not there.
    """
    with resources.as_file(resources.files("backbeat").joinpath(SHIPPED)) as folder:
        return DrumsRnnModel(folder)
