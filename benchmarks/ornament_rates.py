"""Count how often people play ghost notes, flams and drags at each 16th of a 4/4 bar: Groove MIDI, beats of the training split.

    python benchmarks/ornament_rates.py DATA [-o src/backbeat/transforms/ornament_rates.json]

A ghost is a snare stroke below velocity 50 in a bar that has hats or ride on every beat and a louder snare; its rate is that of such bars. A flam or drag
is a snare stroke of 50 and more with one, or more, softer strokes of the snare 10 to 60 ms before it; its rate is that of such strokes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from backbeat.datasets.groove_midi import list_takes
from backbeat.humanising.adding import find_leaders
from backbeat.midi import parse_song
from backbeat.midi.reading import Reading, read_strokes
from backbeat.transforms.ornaments import KEEPERS, LEAST_BACKBEAT


def count_take(data: bytes, name: str) -> dict[str, np.ndarray]:
    """Counts by 16th: bars and ghosts, strokes, flams, drags."""
    counts = {key: np.zeros(16) for key in ("bars", "ghosts", "strokes", "flams", "drags")}
    reading = read_strokes(parse_song(data, name))
    strokes, names = reading.strokes, np.array(reading.strokes.kit.names)[reading.strokes.columns]
    step = np.floor(reading.straight * 4 + 0.5).astype(int)
    snare = (names == "snare") & (np.abs(reading.straight * 4 - step) < 0.01) & (step < 16)
    loud = strokes.velocities >= LEAST_BACKBEAT
    followers = np.bincount(reading.stroke_of[find_graces(reading)], minlength=len(strokes))
    for bar in np.unique(strokes.bars):
        here = strokes.bars == bar
        if np.count_nonzero(here & np.isin(names, KEEPERS)) < 4 or not np.any(here & snare & loud):
            continue
        counts["bars"] += 1
        counts["ghosts"] += np.bincount(np.unique(step[here & snare & ~loud]), minlength=16)
    for key, chosen in (("strokes", loud), ("flams", loud & (followers == 1)), ("drags", loud & (followers > 1))):
        counts[key] += np.bincount(step[snare & chosen], minlength=16)
    return counts


def find_graces(reading: Reading) -> np.ndarray:
    """Notes 10 to 60 ms before the one that leads their stroke, and clearly softer: nearer ones are a pad that was triggered twice."""
    notes, leader = reading.notes, find_leaders(reading)[reading.stroke_of]
    before = (reading.clock.seconds(notes.tick[leader]) - reading.clock.seconds(notes.tick)) * 1000
    return np.flatnonzero((before >= 10) & (before <= 60) & (notes.velocity < 0.8 * notes.velocity[leader]))


def main() -> None:
    """Count, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    total: dict[str, np.ndarray] = {}
    takes = [t for t in list_takes(options.data) if t.split == "train" and "beat" in t.tags and "4/4" in t.tags]
    for take in takes:
        for key, counted in count_take(take.read(), take.name).items():
            total[key] = total.get(key, 0) + counted
    rates = {"ghosts": total["ghosts"] / total["bars"], "flams": total["flams"] / total["strokes"], "drags": total["drags"] / total["strokes"]}
    print(f"{len(takes)} takes, {total['bars'][0]:,.0f} bars, {total['strokes'].sum():,.0f} loud snare strokes")
    for step in range(16):
        print(f"{step + 1:2d}  " + "  ".join(f"{kind} {100 * rates[kind][step]:5.1f} %" for kind in rates))
    if options.out:
        source = "Groove MIDI 1.0 (CC BY 4.0), 4/4 beats of the training split, counted by benchmarks/ornament_rates.py"
        rows = ",\n".join(f"  {json.dumps(kind)}: {json.dumps([round(float(r), 4) for r in rate])}" for kind, rate in rates.items())
        options.out.write_text(f'{{\n  "source": {json.dumps(source)},\n{rows}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
