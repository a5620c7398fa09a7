"""The plots of docs/performer.md: lateness and velocity by place in the bar, people, the performer's samples, and typed in.

Usage: python benchmarks/performer_plots.py DATA [--out docs/images] [--model FOLDER]
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
from performer_figures import perform_takes, read_takes

from backbeat.codecs.strokes import groove_to_strokes
from backbeat.kits import load_kit
from backbeat.performer import load_performer

DRUMS = {"kick": "Kick", "snare": "Snare", "closed_hat": "Closed hat"}
LEAST = 20
Floats = npt.NDArray[np.float64]


def summarise(values: Floats, places: npt.NDArray[np.int64]) -> Floats:
    """Float [3, 16]: quartiles of the values at each 16th of the bar, nan where there are few."""
    out = np.full((3, 16), np.nan)
    for place in range(16):
        if (places == place).sum() >= LEAST:
            out[:, place] = np.quantile(values[places == place], [0.25, 0.5, 0.75])
    return out


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder, or set BACKBEAT_DATA")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    takes = read_takes(Path(options.data), "test")
    sides = {"people": [t.groove for t in takes], "performer": perform_takes(load_performer(options.model), takes, told=True, mean=False)}
    strokes = {n: [groove_to_strokes(g, t.tempo) for g, t in zip(grooves, takes, strict=True)] for n, grooves in sides.items()}
    figure, axes = pyplot.subplots(len(DRUMS), 2, figsize=(9, 7), sharex=True, layout="constrained")
    for row, (drum, label) in enumerate(DRUMS.items()):
        for column, (unit, typed) in enumerate((("ms late", 0.0), ("velocity", 80.0))):
            plot = axes[row][column]
            for name, colour, shift in (("people", "#222222", -0.12), ("performer", "#d1495b", 0.12)):
                own = [s.columns == load_kit("drums_rnn_9").index(drum) for s in strokes[name]]
                places = np.concatenate([np.floor(s.places[o] * 4 + 0.5).astype(np.int64) % 16 for s, o in zip(strokes[name], own, strict=True)])
                raw = [(s.late if column == 0 else s.velocities * 127)[o] for s, o in zip(strokes[name], own, strict=True)]
                low, middle, high = summarise(np.concatenate(raw).astype(np.float64), places)
                at = np.arange(16) + shift
                plot.vlines(at, low, high, color=colour, linewidth=2.5, alpha=0.45)
                plot.plot(at, middle, "o", color=colour, markersize=4, label=name)
            plot.axhline(typed, color="#3a7ca5", linewidth=1, linestyle="--", label="quantised")
            plot.set_ylabel(f"{label}, {unit}")
            plot.grid(alpha=0.2)
    for plot in axes[-1]:
        plot.set_xticks(range(16), ["1", "e", "&", "a", "2", "e", "&", "a", "3", "e", "&", "a", "4", "e", "&", "a"])
    axes[0][0].legend(fontsize=8)
    figure.suptitle("Groove MIDI, test split: median and quartiles by place in the bar", fontsize=10)
    options.out.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out / "performer.png", dpi=90)


if __name__ == "__main__":
    main()
