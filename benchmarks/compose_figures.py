"""How the drums of composed songs come back over long distances, beside real songs and the same with their sections shuffled.

python benchmarks/compose_figures.py DATA [--songs 80] [--composed 16] [--bars 96] [--seed 1]

Prints the mean similarity of bars so many bars apart (metrics/form.py), and the mean absolute distance of each curve from that of real songs.
Real songs are those of songs:validation in 4/4 with at least 72 bars of drums; their sections are those that the band's cues show. A loop is one
composed bar repeated; "never again" has a new groove for each section (novelty 1).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from backbeat.codecs.words import words_to_hits
from backbeat.composing import Composition, compose
from backbeat.datasets import list_sources
from backbeat.drummer import load_drummer
from backbeat.evaluation.cases import Choice, load_case
from backbeat.metrics.form import FARTHEST, measure_curve, shuffle_blocks
from backbeat.touch import TYPED

SHOWN = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64)
STYLES = ("rock", "pop", "funk", "punk", "soul", "blues", "metal", "reggae")
LEAST_BARS = 72


def to_nine(song: Composition, group: np.ndarray) -> np.ndarray:
    return np.stack([song.drums.hits[:, group == c].any(axis=1) for c in range(9)], axis=1)


def measure_real(data: Path, songs: int, rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray]]:
    curves, mixed = [], []
    for source in list_sources("songs:validation", data):
        case = load_case(source, Choice(metre="4/4"))
        if isinstance(case, str) or case.piece.grid.bars < LEAST_BARS or len(curves) == songs:
            continue
        hits, first = words_to_hits(case.piece.words), case.piece.grid.first_steps
        played = np.flatnonzero(np.add.reduceat(hits.any(axis=1), first[:-1]))
        if len(played) < LEAST_BARS:
            continue
        begin, end = int(played[0]), int(played[-1]) + 1
        hits, starts = hits[first[begin] : first[end]], np.flatnonzero(case.cues.section_starts[begin:end])
        first = first[begin : end + 1] - first[begin]
        curves.append(measure_curve(hits, first))
        mixed.append(measure_curve(*shuffle_blocks(hits, first, np.unique([0, *starts]), rng)))
    return curves, mixed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--songs", type=int, default=80)
    parser.add_argument("--composed", type=int, default=16)
    parser.add_argument("--bars", type=int, default=96)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng, drummer = np.random.default_rng(options.seed), load_drummer()
    rows: dict[str, list[np.ndarray]] = {}
    rows["real songs"], rows["real songs, sections shuffled"] = measure_real(options.data, options.songs, rng)
    for name, novelty in (("composed", 0.2), ("composed, never again", 1.0)):
        rows[name], rows[f"{name}, sections shuffled"] = [], []
        for k in range(options.composed):
            style = STYLES[k % len(STYLES)]
            song = compose(drummer, options.bars, "Am", style=style, novelty=novelty, seed=options.seed * 1000 + k, touch=TYPED)
            hits, first = to_nine(song, drummer.model.group), song.drums.grid.first_steps
            rows[name].append(measure_curve(hits, first))
            rows[f"{name}, sections shuffled"].append(measure_curve(*shuffle_blocks(hits, first, np.array([s.first for s in song.sections]), rng)))
    rows["loop"] = [np.ones(FARTHEST)]
    means = {name: np.nanmean(curves, axis=0) for name, curves in rows.items()}
    distances = {name: float(np.abs(mean - means["real songs"]).mean()) for name, mean in means.items()}
    if options.json:
        print(json.dumps({name: {"songs": len(rows[name]), "curve": mean.round(4).tolist(), "distance": distances[name]} for name, mean in means.items()}))
        return
    print("| bars apart | " + " | ".join(map(str, SHOWN)) + " | distance from real |\n|---|" + "---|" * (len(SHOWN) + 1))
    for name, mean in means.items():
        print(f"| {name} ({len(rows[name])}) | " + " | ".join(f"{mean[k - 1]:.2f}" for k in SHOWN) + f" | {distances[name]:.3f} |")


if __name__ == "__main__":
    main()
