"""Bars played anew: how likely the real ones are, and how near the new ones come to them, with the drums around them known.

    python benchmarks/infill_figures.py [DATA] [--split validation] [--gaps 100] [--bars 4] [--model FOLDER] [--json FILE]

DATA is the folder with the data sets (default: the environment variable BACKBEAT_DATA). From each song (drums and band, at least
24 bars) one gap is taken, never in its first 8 bars and with at least 4 bars behind it; real bars without hits are not taken.

Likelihood: bits per onset of the real words of the gap, words in it read from left to right, the band always heard, and known besides
    both sides    all drums outside the gap: what ``infill`` plays from
    the past      only the drums before it
    left to right the same, as ``evaluate`` scores it: nothing is known, the past is what was played
    nothing       no drums but those of the gap itself: the song from there on, as if it began with a drummer's first bar
Playing: onset F1 (micro over the nine classes, and mean of gaps) of the gap's new bars to the real ones, one take a gap, at the default
temperature of ``infill`` and at 0 and 1; beside it the 4 bars before the gap copied into it, and those behind it.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.datasets import list_sources
from backbeat.drummer import REDO_TEMPERATURE, Drummer, load_drummer
from backbeat.evaluation.cases import load_case
from backbeat.evaluation.contexts import cut_piece
from backbeat.evaluation.results import Case
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song
from backbeat.models.drummer import Known
from backbeat.models.drummer_order import order_bars

FIRST, BEHIND, LEAST_BARS = 8, 4, 24
Bits = npt.NDArray[np.bool_]


class Gap(NamedTuple):
    """Bars of a real song: the case, its drums in the drummer's kit, the first bar and the one behind the last, and the steps."""

    case: Case
    groove: Groove
    first: int
    last: int
    steps: slice


def find_gaps(data: Path, split: str, count: int, bars: int, kit_name: str) -> list[Gap]:
    """One gap a song, the same ones every time."""
    rng = np.random.default_rng(7)
    sources = list_sources(f"songs:{split}", data)
    gaps: list[Gap] = []
    for index in rng.permutation(len(sources)):
        case = load_case(sources[index])
        if isinstance(case, str) or case.piece.band is None or case.piece.grid.bars < LEAST_BARS:
            continue
        grid = case.piece.grid
        hit_bars = np.add.reduceat(case.piece.words > 0, grid.first_steps[:-1]) > 0
        free = [b for b in range(FIRST, grid.bars - bars - BEHIND) if hit_bars[b - bars : b + bars].all()]
        if free:
            first = int(rng.choice(free))
            song = parse_song(sources[index].read())
            groove = extract_groove(song, grid, load_kit(kit_name))[0]
            gaps.append(Gap(case, groove, first, first + bars, slice(int(grid.first_steps[first]), int(grid.first_steps[first + bars]))))
        if len(gaps) == count:
            break
    return gaps


def know(gap: Gap, *, before: bool, behind: bool) -> Bits:
    """Bool [steps, 9]: the drums that are known."""
    mask = np.zeros((gap.case.piece.grid.steps, 9), np.bool_)
    mask[: gap.steps.start] = before
    mask[gap.steps.stop :] = behind
    return mask


def score(drummer: Drummer, gap: Gap, known: Bits | None) -> float:
    """Bits of the gap's real words; what is known behind it is read before it, as ``infill`` does."""
    order = order_bars(gap.case.cues, known.all(axis=1)) if known is not None else None
    return -float(drummer.model.score(gap.case.example, known=known, order=order)[gap.steps].sum())


def score_alone(drummer: Drummer, gap: Gap) -> float:
    """The same with no drums but those of the gap."""
    piece = cut_piece(gap.case.piece, gap.first, gap.last)
    return -float(drummer.model.score(piece.example).sum()) if piece.example is not None else 0.0


def play(drummer: Drummer, gap: Gap, seed: int, *, before: bool, behind: bool, temperature: float | None = None) -> Bits:
    """The gap's bars as the drummer plays them."""
    known = Known(know(gap, before=before, behind=behind), gap.groove) if before or behind else None
    return to_nine(drummer.play_cues(gap.case.cues, known=known, seed=seed, temperature=temperature)[0])[gap.steps]


def to_nine(groove: Groove) -> Bits:
    return groove.to_kit(load_kit("drums_rnn_9")).hits


def copy_bars(gap: Gap, by: int) -> Bits | None:
    """The bars as many bars before or behind, where they are as long."""
    first = gap.case.piece.grid.first_steps
    a, b = int(first[gap.first + by]), int(first[gap.last + by])
    return to_nine(gap.groove)[a:b] if b - a == gap.steps.stop - gap.steps.start else None


class Tally:
    """Hits in common, of ours and of the drummer's."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int]] = []

    def add(self, ours: Bits, real: Bits) -> None:
        """Count a gap."""
        self.rows.append((int((ours & real).sum()), int(ours.sum()), int(real.sum())))

    def figures(self) -> dict[str, float]:
        """F1 over all hits and as the mean of gaps, and our hits for each of the drummer's."""
        both, ours, real = np.array(self.rows, dtype=np.float64).T
        f1 = 2 * both / np.maximum(ours + real, 1)
        return {
            "f1": round(float(2 * both.sum() / (ours + real).sum()), 3),
            "f1_mean": round(float(f1.mean()), 3),
            "density": round(float(ours.sum() / real.sum()), 3),
        }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("BACKBEAT_DATA"), type=Path)
    parser.add_argument("--split", default="validation", choices=["validation", "test"])
    parser.add_argument("--gaps", type=int, default=100)
    parser.add_argument("--bars", type=int, default=4)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder with the data sets, or set BACKBEAT_DATA")
    drummer = load_drummer(options.model)
    gaps = find_gaps(options.data, options.split, options.gaps, options.bars, drummer.model.kit.name)
    onsets = sum(int(to_nine(g.groove)[g.steps].sum()) for g in gaps)
    print(f"{len(gaps)} gaps of {options.bars} bars, songs-{options.split}, {onsets} onsets\n\n{'known besides the band':<26}{'bits per onset':>15}")
    rows: dict[str, Callable[[Gap], float]] = {
        "both sides": lambda g: score(drummer, g, know(g, before=True, behind=True)),
        "the past": lambda g: score(drummer, g, know(g, before=True, behind=False)),
        "left to right": lambda g: score(drummer, g, None),
        "nothing": lambda g: score_alone(drummer, g),
    }
    report: dict[str, object] = {"gaps": len(gaps), "bars": options.bars, "split": options.split, "onsets": onsets}
    for name, measure in rows.items():
        report[f"bits: {name}"] = round(sum(map(measure, gaps)) / onsets, 3)
        print(f"{name:<26}{report[f'bits: {name}']:>15}", flush=True)
    print(f"\n{'bars played':<26}{'F1 micro':>10}{'F1 mean':>10}{'hits/real':>10}{'s a gap':>10}")
    ways = (
        ("infill, both sides", True, True, REDO_TEMPERATURE),
        ("infill, temperature 0", True, True, 0.0),
        ("infill, temperature 1", True, True, 1.0),
        ("left to right, the past", True, False, REDO_TEMPERATURE),
        ("the song alone", False, False, REDO_TEMPERATURE),
    )
    for name, before, behind, temperature in ways:
        tally, started = Tally(), time.perf_counter()
        for k, gap in enumerate(gaps):
            tally.add(play(drummer, gap, k, before=before, behind=behind, temperature=temperature), to_nine(gap.groove)[gap.steps])
        report[name] = tell(name, tally, (time.perf_counter() - started) / len(gaps))
    for by in (-options.bars, options.bars):
        tally = Tally()
        for gap in gaps:
            if (copied := copy_bars(gap, by)) is not None:
                tally.add(copied, to_nine(gap.groove)[gap.steps])
        name = f"copy of {options.bars} bars {'back' if by < 0 else 'on'}"
        report[name] = tell(name, tally, 0.0)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def tell(name: str, tally: Tally, seconds: float) -> dict[str, float]:
    """Print a row and give its figures."""
    figures = tally.figures()
    print(f"{name:<26}{figures['f1']:>10}{figures['f1_mean']:>10}{figures['density']:>10}{seconds:>10.2f}", flush=True)
    return figures


if __name__ == "__main__":
    main()
