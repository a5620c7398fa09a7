"""The parts of the judgement: what can be said about drums and a band, bar by bar.

Conventions: a part is ``Tally(found, of)``, float64 [bars] each; its value over some bars is the sum of ``found`` over the sum of ``of``,
nan of nothing. More is better. *Residual*: what is left of a value [steps, ...] after the mean of its place in the bar, over all
bars of the same length, is taken away; the product of two residuals is what they share beyond what any other bar of
the song would share with this one (the excess over all shifts by whole bars).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.appreciation.pairing import Pairing
from backbeat.features import compute_novelty, normalise_rows
from backbeat.grid import Grid
from backbeat.kits import load_kit
from backbeat.units import Floats

PHASES = 12
"""Places in a quarter that are told apart: 12 holds 16ths and triplets."""
NOVELTY_BARS = 4
FORM_LAGS = 128
"""How many bars apart two bars are compared."""


class Tally(NamedTuple):
    """``found`` of ``of``, float64 [bars] each."""

    found: Floats
    of: Floats

    def value(self, first: int = 0, last: int | None = None) -> float:
        """The value over the bars from ``first`` to before ``last``; nan of nothing."""
        of = float(self.of[first:last].sum())
        return float(self.found[first:last].sum()) / of if of > 1e-9 else float("nan")


def sum_bars(values: npt.NDArray[Any], grid: Grid) -> Floats:
    """float64 [bars]: sums over the steps (and classes) of each bar."""
    steps = np.asarray(values, dtype=np.float64).reshape(len(values), -1).sum(axis=1)
    return np.asarray(np.add.reduceat(steps, grid.first_steps[:-1]), dtype=np.float64)


def take_residual(values: npt.NDArray[Any], grid: Grid) -> Floats:
    """Values [steps, ...] less the mean of their place in the bar over all bars of the same length."""
    out = np.array(values, dtype=np.float64)
    for length in np.unique(grid.bar_steps):
        steps = grid.first_steps[:-1][grid.bar_steps == length][:, None] + np.arange(length)
        out[steps] -= out[steps].mean(axis=0)
    return out


def _column(p: Pairing, *names: str) -> npt.NDArray[np.bool_]:
    kit = load_kit("drums_rnn_9")
    return np.asarray(p.hits[:, [kit.index(n) for n in names]].any(axis=1), dtype=np.bool_)


def _z(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / values.std()) if np.ptp(values) > 1e-9 else np.zeros(len(values))


def _ones(p: Pairing) -> Floats:
    return np.ones(p.band.grid.bars)


def _moves(band: npt.NDArray[Any]) -> bool:
    """Whether what the band does differs from bar to bar at all: if not, drums cannot follow it, and there is nothing to judge."""
    return bool(np.ptp(band) > 1e-9)


def _onsets(p: Pairing) -> Floats:
    """float64 [bars]: steps with a hit, at least 1, so that a bar of silence weighs as one hit."""
    return np.maximum(sum_bars(p.hits.max(axis=1), p.band.grid), 1)


def tally_gain(p: Pairing) -> Tally:
    """Bits per onset that the band takes off the network's surprise, given all drums before: pointwise mutual information."""
    return Tally(sum_bars(p.gain, p.band.grid), _onsets(p))


def _likelihood(hits: npt.NDArray[np.bool_], logits: Floats) -> Floats:
    return np.asarray((np.where(hits, logits, 0) - np.logaddexp(0, logits)) / np.log(2), dtype=np.float64)


def tally_ear(p: Pairing) -> Tally:
    """Bits per onset that the band speaks for these hits, drums before not heard: likelihood ratio of hearing it and not."""
    bits = _likelihood(p.hits, p.band.expected) - _likelihood(p.hits, p.band.unheard)
    return Tally(sum_bars(bits, p.band.grid), _onsets(p))


def tally_metre(p: Pairing) -> Tally:
    """Bits per onset that the hits lie where drummers strike in this metre, whatever the band: bits against the class's mean logit."""
    unheard = p.band.unheard
    bits = np.where(p.hits, unheard - unheard.mean(axis=0), 0) / np.log(2)
    return Tally(sum_bars(bits, p.band.grid), _onsets(p))


def tally_place(p: Pairing) -> Tally:
    """Bits per bar that the hits lie better under this band than under its other bars."""
    shared = take_residual(p.hits, p.band.grid) * take_residual(p.band.expected, p.band.grid) / np.log(2)
    return Tally(sum_bars(shared, p.band.grid), _onsets(p) * _moves(take_residual(p.band.cues.onsets, p.band.grid)))


def tally_kick_and_bass(p: Pairing) -> Tally:
    """Kicks and bass onsets together, of those of either."""
    kick, bass = _column(p, "kick"), p.band.cues.onsets[:, 0] > 0
    return Tally(sum_bars(kick & bass, p.band.grid), sum_bars(kick | bass, p.band.grid))


def tally_kick_moves(p: Pairing) -> Tally:
    """Kicks that move with the bass from bar to bar: the product of their residuals, a kick."""
    kick, bass = _column(p, "kick"), take_residual(p.band.cues.onsets[:, 0] > 0, p.band.grid)
    return Tally(sum_bars(take_residual(kick, p.band.grid) * bass, p.band.grid), sum_bars(kick, p.band.grid) * _moves(bass))


def tally_accents(p: Pairing) -> Tally:
    """How much stronger than elsewhere at that place the band comes in under crashes, a crash."""
    crash = _column(p, "crash").astype(np.float64)
    return Tally(sum_bars(take_residual(crash, p.band.grid) * take_residual(p.band.strength, p.band.grid), p.band.grid), sum_bars(crash, p.band.grid))


def tally_stops(p: Pairing) -> Tally:
    """Whether drums hit where the band comes in more strongly than in other bars, as a correlation of residuals."""
    drums, band = take_residual(p.hits.sum(axis=1), p.band.grid), take_residual(p.band.strength, p.band.grid)
    scale = max(float(drums.std() * band.std()), 1e-6)
    return Tally(sum_bars(drums * band, p.band.grid) / scale, p.band.grid.bar_steps.astype(np.float64) * _moves(band))


def tally_rests(p: Pairing) -> Tally:
    """Bars in which drums and band both play or both rest."""
    played = sum_bars(p.hits, p.band.grid) > 0
    return Tally((played == p.band.cues.active_bars).astype(np.float64), _ones(p))


def tally_density(p: Pairing) -> Tally:
    """Whether more drums are played in bars in which the band plays more: correlation."""
    grid = p.band.grid
    drums, band = (_z(sum_bars(v, grid) / grid.bar_steps) for v in (p.hits.astype(np.float64), p.band.strength))
    return Tally(drums * band, _ones(p) * _moves(band))


def describe_drum_bars(p: Pairing) -> npt.NDArray[np.float32]:
    """float32 [bars, 16 x 9]: which class is hit at which sixteenth part of each bar, rows of length 1."""
    grid = p.band.grid
    bins = grid.step_in_bar * 16 // grid.bar_steps[grid.bar_of_step]
    rows = np.zeros((grid.bars * 16, p.hits.shape[1]), np.float32)
    np.add.at(rows, grid.bar_of_step * 16 + bins, p.hits.astype(np.float32))
    return normalise_rows(rows.reshape(grid.bars, -1))


def tally_turns(p: Pairing) -> Tally:
    """Whether the drums change where the band's sections turn: correlation of their novelty."""
    drums, band = (np.sqrt(compute_novelty(d, NOVELTY_BARS)).astype(np.float64) for d in (describe_drum_bars(p), p.band.cues.descriptors))
    return Tally(_z(drums) * _z(band), _ones(p) * _moves(band))


def tally_form(p: Pairing) -> Tally:
    """Whether bars in which the band plays alike have like drums: correlation of likeness, at each distance apart.

    Method: self-similarity (Foote 2000), less the mean over all pairs of bars that lie as far apart.
    """
    rows = [np.asarray(r, dtype=np.float64) for r in (describe_drum_bars(p), p.band.cues.descriptors)]
    bars = len(rows[0])
    products, squares = np.zeros(bars), np.zeros(2)
    for lag in range(1, min(bars, FORM_LAGS)):
        drums, band = ((r[lag:] * r[:-lag]).sum(axis=1) for r in rows)
        drums, band = drums - drums.mean(), band - band.mean()
        squares += (drums**2).sum(), (band**2).sum()
        products[lag:] += drums * band / 2
        products[:-lag] += drums * band / 2
    return Tally(products / max(float(np.sqrt(squares.prod())), 1e-6) * bars, _ones(p) * bool(squares[1] > 1e-9))


def tally_feel(p: Pairing) -> Tally:
    """How far apart drums and band are where they strike the same step, in steps, beyond a twentieth; less is better, so negative."""
    struck = p.hits.any(axis=1) & (p.band.cues.onsets.sum(axis=1) > 0)
    late = p.offsets.sum(axis=1) / np.maximum(p.hits.sum(axis=1), 1)
    apart = np.maximum(np.abs(late - p.band.cues.offsets) - 0.05, 0)
    return Tally(sum_bars(-np.where(struck, apart, 0), p.band.grid), sum_bars(struck, p.band.grid))


def tally_subdivision(p: Pairing) -> Tally:
    """Whether drums divide the quarter as the band does (16ths, triplets, eighths): bits a hit against the band's own habit."""
    grid = p.band.grid
    phase = grid.step_in_bar % grid.steps_per_quarter
    onsets = p.band.cues.onsets.sum(axis=1)
    band = np.bincount(_bins(phase, p.band.cues.offsets, grid), weights=onsets, minlength=PHASES) + 0.02 * onsets.sum() + 1e-3
    bits = np.log2(band / band.sum())
    steps, columns = np.nonzero(p.hits)
    found = np.bincount(steps, weights=bits[_bins(phase[steps], p.offsets[steps, columns], grid)], minlength=grid.steps)
    habit = float((band / band.sum() * bits).sum())
    hits = sum_bars(p.hits, grid)
    return Tally(sum_bars(found, grid) - habit * hits, hits)


def _bins(phase: npt.NDArray[np.int64], late: npt.NDArray[Any], grid: Grid) -> npt.NDArray[np.int64]:
    return np.asarray(np.floor((phase + late) / grid.steps_per_quarter * PHASES + 0.5) % PHASES, dtype=np.int64)


@dataclass(frozen=True)
class Part:
    """One thing to say about drums and a band.

    Args:
        title: what it is, for people.
        trouble: what is wrong where its value is low.
        tally: measures it.
    """

    title: str
    trouble: str
    tally: Callable[[Pairing], Tally]


PARTS: dict[str, Part] = {
    "gain": Part("bits a hit that the band explains, drums before known", "the drums do what this band gives no reason for", tally_gain),
    "ear": Part("bits a hit that the band explains, drums before unknown", "the drums play another song's pattern", tally_ear),
    "metre": Part("hits lie where drummers strike in this metre", "the drums lie beside the metre", tally_metre),
    "place": Part("hits lie better here than in other bars of the song", "the drums would suit another bar better", tally_place),
    "kick_and_bass": Part("kick and bass strike together", "the kick fights the bass", tally_kick_and_bass),
    "kick_moves": Part("the kick moves with the bass from bar to bar", "the kick does not follow the bass", tally_kick_moves),
    "accents": Part("crashes fall on the band's accents", "crashes fall where the band has no accent", tally_accents),
    "stops": Part("drums strike where the band strikes harder than usual", "the drums miss the band's stops and accents", tally_stops),
    "rests": Part("drums and band rest together", "drums and band do not rest together", tally_rests),
    "density": Part("drums get busier with the band", "the drums are busy where the band is not, or the other way round", tally_density),
    "turns": Part("drums change where sections turn", "the drums do not turn with the sections", tally_turns),
    "form": Part("bars that sound alike have like drums", "the drums repeat where the band does not, or the other way round", tally_form),
    "feel": Part("drums and band are together in time", "drums and band are apart in time", tally_feel),
    "subdivision": Part("drums divide the beat as the band does", "the drums divide the beat in another way than the band", tally_subdivision),
}


def tally_all(p: Pairing) -> dict[str, Tally]:
    """Every part of ``PARTS``, by name."""
    return {name: part.tally(p) for name, part in PARTS.items()}
