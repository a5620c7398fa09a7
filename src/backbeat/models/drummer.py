"""The drummer: hears a song, remembers what it has played, decides what to hit; and the likelihood of real drums."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.controls import Controls
from backbeat.codecs.recall import NO_WORD
from backbeat.codecs.words import CLASSES, WORD_BITS
from backbeat.cues import Cues, encode, silence
from backbeat.datasets.preparation import Example
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.models.drummer_asked import Guidance, Pace, Progress, Watch, find_late, guide_fills
from backbeat.models.drummer_inputs import ASKED, LINE_COLUMNS, MARGIN, Arrays, chunk, unfold
from backbeat.models.drummer_order import Order, order_bars
from backbeat.models.drummer_plan import MAX_REHEARSED, Score, find_sounding, plan_rehearsals, skip_settled
from backbeat.models.drummer_styles import Lean, Leaning, load_patterns
from backbeat.models.drummer_take import Array, Known, Sampling, Take
from backbeat.runtime import Session
from backbeat.units import Ints

__all__ = ["MAX_REHEARSED", "DrummerModel", "Known", "Sampling"]


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
        self.patterns = load_patterns(folder)

    def score(
        self,
        example: Example,
        *,
        band: bool = True,
        style: int = 0,
        known: npt.NDArray[np.bool_] | None = None,
        order: Order | None = None,
    ) -> npt.NDArray[np.float64]:
        """Log2 of the probability of every real word given all words before it, the band, and what else of the drums is known.

        Args:
            example: a prepared piece.
            band: False leaves the band out.
            style: index of a style, 0 = not said.
            known: bool [steps, 9]: cells of the real drums that are known beforehand, also those to come; none = none. Where a
                step is known throughout, the result is 0.
            order: in which the bars are gone through, see ``order_bars``; none = from left to right.

        Returns:
            float64 [steps].
        """
        words = self.predict(example, band=band, style=style, known=known, order=order)
        return np.asarray(words[np.arange(len(example.words)), example.words] / np.log(2), dtype=np.float64)

    def predict(
        self,
        example: Example,
        *,
        band: bool = True,
        style: int = 0,
        known: npt.NDArray[np.bool_] | None = None,
        order: Order | None = None,
    ) -> Array:
        """Float32 [steps, 512]: log p (natural) of every word at every step, given all real words before it; see ``score``."""
        whole = self._prepare(example, band=band, known=known)
        listened, _ = self._listen(whole["heard"], style)
        if order is not None:
            whole = self._prepare(_reorder_example(example, order), band=band)
            listened = listened[order.steps]
        words, *_ = self.session.play(listened[None], whole["played"][None], whole["recalled"][None], self.session.start(1))
        out = words[0] if order is None else words[0][order.places]
        return np.asarray(out if known is None else _restrict(out, _forbid(known, WORD_BITS[example.words] > 0)), dtype=np.float32)

    def guess(self, cues: Cues, *, band: bool = True) -> Array:
        """Float32 [steps, 9]: logits of a hit of each class, from what is heard and nothing that is played.

        Args:
            cues: the band on a grid of 4 steps per quarter.
            band: False leaves the band out, so that metre, tempo and place remain.
        """
        encoded = encode(cues)
        _, guess = self._listen(self._heard(cues, encoded if band else silence(*encoded), None, None, None), 0)
        return guess

    def _prepare(self, example: Example, *, band: bool, known: npt.NDArray[np.bool_] | None = None) -> Arrays:
        """A whole piece as ``chunk`` lays it."""
        piece: Arrays = {n: getattr(example, n) for n in ("step", "bar", "song", "words", "velocities", "articulations", "layout", "matches")}
        piece = unfold(piece, len(self.kit))
        if known is not None:
            piece["mask"] = known.astype(np.uint8)
        if not band:
            piece["step"], piece["bar"], piece["song"] = silence(example.step, example.bar, example.song)
            piece["recalled_words"][:, 4:6] = NO_WORD
        piece["dynamic"] = np.array(example.dynamic)
        return chunk(piece, 0, len(example.words))

    def _listen(self, heard: npt.NDArray[np.uint8], style: int) -> tuple[Array, Array]:
        """Hear uint8 [steps + 2 MARGIN, columns]; a network that was trained without what is asked for is not told of it."""
        listened, guess = self.session.listen(heard[:, : self.session.columns].astype(np.float32) / np.float32(255), style)
        return listened[MARGIN:-MARGIN], guess[MARGIN:-MARGIN]

    def play(
        self,
        cues: Cues,
        rngs: list[np.random.Generator],
        *,
        style: int | Sequence[int] | Ints = 0,
        how: Sampling | None = None,
        known: Known | None = None,
        controls: Controls | None = None,
        bias: Array | None = None,
        line: npt.NDArray[np.bool_] | None = None,
        band: bool = True,
        guidance: Guidance | None = None,
        leaning: Leaning | None = None,
        watch: Watch | None = None,
    ) -> list[Groove]:
        """Play a song, one take a generator.

        Args:
            cues: the band on a grid of 4 steps per quarter.
            rngs: one generator a take.
            style: index of a style, or one a bar; 0 = any.
            how: temperature and such.
            known: drums that are given; steps that are known throughout cost next to nothing.
            controls: what is asked for in each bar; a network that was trained without them is only guided.
            bias: float32 [steps, 512], added to the words' log-probabilities; -inf forbids a word.
            line: bool [steps], a rhythm to be played; a network that was trained without lines does not hear it.
            band: False where there is none to hear.
            guidance: how far controls move the words.  leaning: how far styles do.
            watch: told the share that is done, 0-1, ten times a second; may raise to stop.

        Returns:
            grooves in the drummer's kit, on the grid, without offsets.
        """
        how = how or Sampling()
        encoded = encode(cues) if band else silence(*encode(cues))
        listened, guess = self._listen_by_bar(self._heard(cues, encoded, known, controls, line), style, cues.grid)
        expected = np.asarray(1 / (1 + np.exp(-guess)), dtype=np.float32)
        suggested = _suggest(guess, expected, cues, how, band=band)
        guidance, pace = guidance or Guidance(), None
        if controls is not None:
            suggested += guide_fills(controls, cues.grid, guidance)
            pace = Pace.of(controls, cues.grid, ~cues.active_bars & band, guidance)
        lean = self._lean(cues, style, controls, expected, leaning or Leaning(), key=zlib.crc32(encoded[0].tobytes()), band=band)
        bias = suggested if bias is None else suggested + bias
        if known is not None:
            bias = np.where(_forbid(known.mask, known.bits), -np.inf, bias).astype(np.float32)
        settled = known.settled if known is not None else np.zeros(cues.grid.steps, np.bool_)
        order = order_bars(cues, settled, band=band)
        plan = skip_settled(plan_rehearsals(cues, how, settled) if band else [(0, cues.grid.steps, 1)], settled)
        score = Score(listened, bias, expected, plan, find_sounding(cues, known, band)).reorder(order)
        progress = Progress(watch, len(rngs) * len(order.steps))
        take, state = self._begin(Take(order, self.kit, self.group, np.random.default_rng(0), how, known, pace, lean), score, progress, len(rngs))
        return [_restore(self._play_take(take.begin(rng), state, score, progress), order, cues.grid) for rng in rngs]

    def _lean(
        self, cues: Cues, style: int | Sequence[int] | Ints, controls: Controls | None, expected: Array, how: Leaning, *, key: int, band: bool
    ) -> Lean | None:
        """What leans the words towards the styles of the bars; where the band rests and where a fill is asked for, nothing does."""
        asked = np.broadcast_to(np.asarray(style, dtype=np.int64), (cues.grid.bars,))
        if self.patterns is None or not asked.any():
            return None
        share = (cues.active_bars | (not band))[cues.grid.bar_of_step].astype(np.float64)
        if controls is not None:
            share *= 1 - find_late(controls, cues.grid)[0]
        return Lean.of(self.patterns, [self.styles[k] for k in asked.tolist()], cues.grid, share, expected, key, how)

    def _listen_by_bar(self, heard: npt.NDArray[np.uint8], style: int | Sequence[int] | Ints, grid: Grid) -> tuple[Array, Array]:
        """Hear it with each style that is asked for; of each a bar takes what was heard with its own."""
        styles = np.broadcast_to(np.asarray(style, dtype=np.int64), (grid.bars,))[grid.bar_of_step]
        first, *others = np.unique(styles).tolist() or [0]
        out = tuple(a.copy() for a in self._listen(heard, first))
        for asked in others:
            for a, styled in zip(out, self._listen(heard, asked), strict=True):
                a[styles == asked] = styled[styles == asked]
        return out[0], out[1]

    def _begin(self, take: Take, score: Score, progress: Progress, takes: int) -> tuple[Take, Array]:
        """The take and the state behind all that is known from the beginning, which all takes share."""
        state = self.session.start(1)
        while score.plan and not score.plan[0][2]:
            state = self._pass(take, score.listened, score.plan.pop(0)[1], state, progress, takes)
        return take, state

    def _play_take(self, take: Take, state: Array, score: Score, progress: Progress) -> Groove:
        """One take: every passage of the plan is tried so many times, and the try that suits the band best goes on."""
        for first, last, tries in score.plan:
            if not tries:
                state = self._pass(take, score.listened, last, state, progress)
                continue
            takes = [take] if tries == 1 else [take.fork(rng) for rng in take.rng.spawn(tries)]
            state = np.repeat(state, tries, axis=1)
            for step in range(first, last):
                state = self._play_step(takes, score.listened[step], score.bias[step], state) if score.sounding[step] else _rest(takes, state)
                progress.advance()
            best = int(np.argmax([_suits(t.bits[first:last], score.expected[first:last]) for t in takes])) if tries > 1 else 0
            take, state = takes[best], state[:, best : best + 1]
        return take.groove()

    def _pass(self, take: Take, listened: Array, last: int, state: Array, progress: Progress, takes: int = 1) -> Array:
        """Steps that are known throughout, up to ``last``: nothing is drawn, so the network reads them at once."""
        first, looks = take.step, []
        while take.step < last:
            looks.append(take.look())
            take.give()
            progress.advance(takes)
        played = np.stack([played for played, _ in looks])[None]
        recalled = np.array([[words for _, words in looks]], np.int64)
        *_, state = self.session.play(listened[None, first:last], played, recalled, state)
        return state

    def _play_step(self, takes: list[Take], listened: Array, bias: Array, state: Array) -> Array:
        looks = [take.look() for take in takes]
        played = np.array([[played] for played, _ in looks], np.float32)
        recalled = np.array([[words] for _, words in looks], np.int64)
        here = np.array([[listened]] * len(takes), np.float32)
        words, velocities, articulations, state = self.session.play(here, played, recalled, state)
        for take, w, v, a in zip(takes, words[:, 0] + bias, velocities[:, 0], articulations[:, 0], strict=True):
            take.choose(w, v, a)
        return state

    def _heard(
        self, cues: Cues, encoded: tuple[Any, Any, Any], known: Known | None, controls: Controls | None, line: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[np.uint8]:
        """uint8 [steps + 2 MARGIN, columns], as ``chunk`` lays them."""
        step, bar, song = encoded
        steps = len(step)
        mask = known.mask if known else np.zeros((steps, CLASSES), np.bool_)
        bits = known.bits if known else mask
        columns = [step, bar[cues.grid.bar_of_step], np.broadcast_to(song, (steps, len(song))), mask * np.uint8(255), bits * np.uint8(255)]
        asked = np.zeros((steps, ASKED), np.uint8)
        if controls is not None:
            asked[:, :-LINE_COLUMNS] = controls.encode()[cues.grid.bar_of_step]
        if line is not None:
            asked[:, -LINE_COLUMNS:] = np.stack([line * np.uint8(255), np.full(steps, 255, np.uint8)], axis=1)
        columns.append(asked)
        return np.pad(np.concatenate(columns, axis=1), ((MARGIN, MARGIN), (0, 0)))


def _reorder_example(example: Example, order: Order) -> Example:
    """A piece with its bars in another order."""
    by_step = {n: getattr(example, n)[order.steps] for n in ("step", "words", "velocities", "articulations", "offsets")}
    by_bar = {n: getattr(example, n)[order.bars] for n in ("bar", "layout", "tempo")}
    return replace(example, **by_step, **by_bar, matches=order.matches.astype(np.int32))


def _restore(groove: Groove, order: Order, grid: Grid) -> Groove:
    """A groove back in the order of the piece."""
    return Groove(grid, groove.kit, groove.hits[order.places], groove.velocities[order.places], groove.offsets[order.places])


def _suggest(guess: Array, expected: Array, cues: Cues, how: Sampling, *, band: bool) -> Array:
    """float32 [steps, 512]: what the band alone suggests, as something to add to the words' log-probabilities."""
    level = np.clip(expected.mean(axis=0), how.least_doubt, how.doubt)
    bias = np.asarray(how.listening * (guess - np.log(level / (1 - level))) @ WORD_BITS.T, dtype=np.float32)
    if band:
        bias[~cues.active_bars[cues.grid.bar_of_step], 0] += how.rest
    return bias


def _forbid(mask: npt.NDArray[np.bool_], bits: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Bool [steps, 512]: words that contradict what is known, the cells of a mask [steps, 9] and the hits in them."""
    must, must_not = (mask & bits).astype(np.float32), (mask & ~bits).astype(np.float32)
    return np.asarray(must @ (1 - WORD_BITS.T) + must_not @ WORD_BITS.T > 0, dtype=np.bool_)


def _restrict(words: Array, forbidden: npt.NDArray[np.bool_]) -> Array:
    """Log-probabilities [steps, 512] once some words are forbidden."""
    left = np.where(forbidden, -np.inf, words.astype(np.float64))
    highest = left.max(axis=1, keepdims=True)
    return np.asarray(left - highest - np.log(np.exp(left - highest).sum(axis=1, keepdims=True)), dtype=np.float32)


def _rest(takes: list[Take], state: Array) -> Array:
    """Nobody plays; the network is not asked."""
    for take in takes:
        take.rest()
    return state


def _suits(bits: Array, expected: Array) -> float:
    """How well a try [n, 9] meets what the band alone lets expect: the F1 that its hits would have on average."""
    return float(2 * (bits * expected).sum() / max(float(bits.sum() + expected.sum()), 1e-6))
