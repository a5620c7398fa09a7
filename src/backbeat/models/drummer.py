"""The drummer: hears a song, remembers what it has played, decides what to hit; and the likelihood of real drums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.controls import Controls
from backbeat.codecs.recall import NO_WORD
from backbeat.codecs.words import CLASSES
from backbeat.cues import Cues, encode, silence
from backbeat.datasets.preparation import Example
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.models.drummer_asked import Guidance, Pace, Progress, Watch, guide_fills
from backbeat.models.drummer_inputs import ASKED, LINE_COLUMNS, MARGIN, Arrays, chunk, unfold
from backbeat.models.drummer_order import Order, order_bars
from backbeat.models.drummer_take import WORD_BITS, Array, Known, Sampling, Take
from backbeat.runtime import Session
from backbeat.units import Ints

MAX_REHEARSED = 3000
"""Steps of a song that are tried more than once; bounds the time that a very long song takes."""

STYLISH = 2.5
"""How far a style that is asked for is followed: 1 as in the songs that it was learned from, where it is often wrong or says little; more is clearer."""

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
            guidance: how far controls move the words.
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
        bias = suggested if bias is None else suggested + bias
        if known is not None:
            bias = np.where(_forbid(known.mask, known.bits), -np.inf, bias).astype(np.float32)
        settled = known.settled if known is not None else np.zeros(cues.grid.steps, np.bool_)
        order = order_bars(cues, settled, band=band)
        plan = _skip_settled(_plan_rehearsals(cues, how, settled) if band else [(0, cues.grid.steps, 1)], settled)
        score = _Score(listened, bias, expected, plan, _sounding_steps(cues, known, band)).reorder(order)
        progress = Progress(watch, len(rngs) * len(order.steps))
        take, state = self._begin(Take(order, self.kit, self.group, np.random.default_rng(0), how, known, pace), score, progress, len(rngs))
        return [_restore(self._play_take(take.fork(rng), state, score, progress), order, cues.grid) for rng in rngs]

    def _listen_by_bar(self, heard: npt.NDArray[np.uint8], style: int | Sequence[int] | Ints, grid: Grid) -> tuple[Array, Array]:
        """Hear it without a style and with each that is asked for; bars go from the one as far in the direction of the other as ``STYLISH`` says."""
        styles = np.broadcast_to(np.asarray(style, dtype=np.int64), (grid.bars,))[grid.bar_of_step]
        plain = self._listen(heard, 0)
        out = tuple(a.copy() for a in plain)
        for asked in np.unique(styles[styles > 0]).tolist():
            here = styles == asked
            for a, without, styled in zip(out, plain, self._listen(heard, asked), strict=True):
                a[here] = without[here] + np.float32(STYLISH) * (styled[here] - without[here])
        return out[0], out[1]

    def _begin(self, take: Take, score: _Score, progress: Progress, takes: int) -> tuple[Take, Array]:
        """The take and the state behind all that is known from the beginning, which all takes share."""
        state = self.session.start(1)
        while score.plan and not score.plan[0][2]:
            state = self._pass(take, score.listened, score.plan.pop(0)[1], state, progress, takes)
        return take, state

    def _play_take(self, take: Take, state: Array, score: _Score, progress: Progress) -> Groove:
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
        played = np.stack([played for played, _ in looks])[:, None]
        recalled = np.array([[words] for _, words in looks], np.int64)
        here = np.broadcast_to(listened, (len(takes), 1, len(listened)))
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


@dataclass(frozen=True, eq=False)
class _Score:
    """What a take is played from: arrays by step, and the plan of passages (first step, last step, tries; 0 = known)."""

    listened: Array
    bias: Array
    expected: Array
    plan: list[tuple[int, int, int]]
    sounding: npt.NDArray[np.bool_]

    def reorder(self, order: Order) -> _Score:
        """The same for bars in another order: what is read first, and behind it the piece from its beginning."""
        if len(order.steps) == len(self.listened) and (order.steps == np.arange(len(order.steps))).all():
            return self
        first = int(order.places[0])
        plan = [(0, first, 0)] * (first > 0) + [(a + first, b + first, tries) for a, b, tries in self.plan]
        arrays = (self.listened[order.steps], self.bias[order.steps], self.expected[order.steps])
        return _Score(*arrays, plan, self.sounding[order.steps])


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


def _skip_settled(plan: list[tuple[int, int, int]], settled: npt.NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """The plan cut where steps begin or cease to be known throughout; those are tried 0 times, and left out at the end."""
    if not settled.any():
        return plan
    turns = (np.flatnonzero(settled[1:] != settled[:-1]) + 1).tolist()
    cut = []
    for first, last, tries in plan:
        edges = [first, *(t for t in turns if first < t < last), last]
        cut += [(a, b, 0 if settled[a] else tries) for a, b in pairwise(edges) if b > a]
    while cut and not cut[-1][2]:
        cut.pop()
    return cut


def _rest(takes: list[Take], state: Array) -> Array:
    """Nobody plays; the network is not asked."""
    for take in takes:
        take.rest()
    return state


def _suits(bits: Array, expected: Array) -> float:
    """How well a try [n, 9] meets what the band alone lets expect: the F1 that its hits would have on average."""
    return float(2 * (bits * expected).sum() / max(float(bits.sum() + expected.sum()), 1e-6))


def _plan_rehearsals(cues: Cues, how: Sampling, settled: npt.NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Passages (first step, last step, tries) that cover the song: the first bars of every section and gap are tried several times."""
    first_steps = cues.grid.first_steps
    starts = set(np.flatnonzero(cues.section_starts).tolist())
    if cues.active_bars.any():
        starts.add(int(np.argmax(cues.active_bars)))
    starts |= set(cues.grid.bar_of_step[1:][settled[:-1] & ~settled[1:]].tolist())
    edges = sorted({b for start in starts for b in (start, min(start + how.rehearsed_bars, cues.grid.bars))} | {0, cues.grid.bars})
    plan, last_start, budget = [], -how.rehearsed_bars, MAX_REHEARSED
    for a, b in pairwise(edges):
        last_start = a if a in starts else last_start
        first, last = int(first_steps[a]), int(first_steps[b])
        open_steps = int(np.count_nonzero(~settled[first:last]))
        tries = how.rehearsals if a - last_start < how.rehearsed_bars and open_steps <= budget else 1
        budget -= open_steps if tries > 1 else 0
        plan.append((first, last, max(1, tries)))
    return plan


def _sounding_steps(cues: Cues, known: Known | None, band: bool) -> npt.NDArray[np.bool_]:
    """Whether a step is near enough to any sound (two bars) for somebody to play."""
    if not band or known is not None:
        return np.ones(cues.grid.steps, np.bool_)
    active = cues.active_bars
    near = active.copy()
    for by in (1, 2):
        near[by:] |= active[:-by]
        near[:-by] |= active[by:]
    return np.asarray(near[cues.grid.bar_of_step], dtype=np.bool_)
