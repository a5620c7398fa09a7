"""The report's study of Drums RNN on Groove MIDI, and its tables: the curve of the first updates, layers x units x updates, genres.

    python benchmarks/drums_rnn_study.py curve DATA -o experiments/drums-rnn/curve.json      # 100 updates of 2 x 64 on rock beats
    python benchmarks/drums_rnn_study.py tabulate experiments/drums-rnn                      # the tables, printed
    python benchmarks/drums_rnn_study.py tabulate experiments/drums-rnn --into docs/models.md

The sweeps are made by ``backbeat train drums-rnn groove_midi --kind beat --config small --set max_steps=128 --sweep ... --json``, with ``--style rock``
(kept as ``sweep-rock-NAME.json``), without (``sweep-all-NAME.json``) or ``--by-genre`` (``sweep-genres.json``); ``tabulate`` reads whatever there is.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from backbeat.evaluation.cases import Choice
from backbeat.evaluation.learning import find_data
from backbeat.training.drums_rnn import CONFIGS, OriginalTask, read_tracks
from backbeat.training.loop import Run, read_log, train

REPORT = {1: 510, 11: 182, 21: 59, 31: 28, 91: 13}
"""Perplexity at updates, as the report gives it (2 layers of 64, rock beats)."""


OPEN, CLOSE = "<!-- drums-rnn study -->", "<!-- /drums-rnn study -->"
"""Between these lines of a page the tables stand."""


def measure_unigram(train_tracks: list[np.ndarray], held: list[np.ndarray]) -> float:
    """Perplexity of a table of how often each event occurs (add .1), on the same labels as the network's."""
    counts = Counter(np.concatenate([t[1:] for t in train_tracks]).tolist())
    total = sum(counts.values()) + 51.2
    labels = np.concatenate([t[1:] for t in held])
    return float(np.exp(-np.mean([np.log((counts[int(e)] + 0.1) / total) for e in labels])))


def run_curve(data: Path, updates: int) -> dict[str, Any]:
    """Train 2 x 64 on rock beats, and keep the perplexity of every update."""
    torch.set_num_threads(1)
    pieces = find_data("groove_midi", "", data, Choice(style="rock", kind="beat"))
    recipe = replace(CONFIGS["small"], updates=updates, validate_every=10)
    tracks = [read_tracks(sources, recipe) for sources in (pieces.train, pieces.validation)]
    with tempfile.TemporaryDirectory() as name:
        train(Run(Path(name), OriginalTask(recipe, *tracks), recipe, {}), log_every=1)
        log = read_log(Path(name))
    return {
        "pieces": len(pieces.train),
        "tracks": [len(t) for t in tracks],
        "unigram": measure_unigram(*tracks),
        "perplexity": [line["train"]["perplexity"] for line in log if "train" in line],
        "held_out": {line["update"]: line["validation"]["perplexity"] for line in log if "validation" in line},
    }


def tabulate(folder: Path) -> str:
    """All tables, in Markdown."""
    parts = []
    if (folder / "curve.json").is_file():
        curve = json.loads((folder / "curve.json").read_text(encoding="utf-8"))
        at = [u for u in REPORT if u <= len(curve["perplexity"])]
        lines = ["| update | " + " | ".join(map(str, at)) + " |", "|" + "---|" * (len(at) + 1)]
        lines.append("| the report | " + " | ".join(str(REPORT[u]) for u in at) + " |")
        lines.append("| `small` here | " + " | ".join(f"{curve['perplexity'][u - 1]:.3g}" for u in at) + " |")
        parts.append("\n".join(lines))
    rows = [row for path in sorted(folder.glob("sweep-*.json")) for row in read_rows(path)]
    parts += [tabulate_sizes(rows), tabulate_genres(rows)]
    return "\n\n".join(p for p in parts if p)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of a sweep; what a sweep of one style calls "all" gets the style's name, from the file's ("sweep-rock-2.json")."""
    style = path.stem.split("-")[1]
    style = "all" if style == "genres" else style
    return [{**row, "data": style if row["data"] == "all" else row["data"]} for row in json.loads(path.read_text(encoding="utf-8"))]


def tabulate_sizes(rows: list[dict[str, Any]]) -> str:
    """Layers x units down, updates across, for rock and for all genres."""
    best: dict[tuple[str, int, int], dict[int, float]] = {}
    for row in rows:
        if "layers" in row and row["data"] in ("rock", "all"):
            best.setdefault((row["data"], int(row["layers"]), int(row["units"])), {})[row["updates"]] = row["perplexity"]
    updates = sorted({u for figures in best.values() for u in figures})
    lines = ["| learned from | layers | units | " + " | ".join(f"{u} updates" for u in updates) + " |", "|" + "---|" * (3 + len(updates))]
    for (data, layers, units), figures in sorted(best.items(), key=lambda item: (item[0][0] != "rock", *item[0][1:])):
        cells = " | ".join(f"{figures[u]:.2f}" if u in figures else "-" for u in updates)
        lines.append(f"| {data} | {layers} | {units} | {cells} |")
    return "\n".join(lines) if best else ""


def tabulate_genres(rows: list[dict[str, Any]]) -> str:
    """Genres down, updates across, of one layer of 64."""
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        if (row.get("layers"), row.get("units")) == ("1", "64"):
            found.setdefault(row["data"], {})[row["updates"]] = row["perplexity"]
    updates = sorted({u for figures in found.values() for u in figures if u <= 100})
    lines = ["| 1 x 64, learned from and measured on | " + " | ".join(f"{u} updates" for u in updates) + " |", "|" + "---|" * (1 + len(updates))]
    lines += [f"| {data} | " + " | ".join(f"{figures[u]:.2f}" if u in figures else "-" for u in updates) + " |" for data, figures in found.items()]
    return "\n".join(lines) if len(found) > 2 else ""


def main() -> None:
    """Measure or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    curve = tasks.add_parser("curve")
    curve.add_argument("data", type=Path)
    curve.add_argument("-o", "--out", type=Path, required=True)
    curve.add_argument("--updates", type=int, default=100)
    table = tasks.add_parser("tabulate")
    table.add_argument("folder", type=Path)
    table.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    if arguments.task == "curve":
        arguments.out.write_text(json.dumps(run_curve(arguments.data, arguments.updates), indent=1) + "\n", encoding="utf-8")
    elif arguments.into:
        text = arguments.into.read_text(encoding="utf-8")
        (before, rest) = text.split(OPEN)
        after = rest.split(CLOSE)[1]
        arguments.into.write_text(f"{before}{OPEN}\n\n{tabulate(arguments.folder)}\n\n{CLOSE}{after}", encoding="utf-8")
    else:
        print(tabulate(arguments.folder))


if __name__ == "__main__":
    main()
