"""Every model on its seed's data and on the common test sets, beside the floors: the table of docs/models.md.

    python benchmarks/tabulate_models.py [--data DATA] [--corpus CORPUS] [--only NAME ...] [--also NAME=FOLDER ...] [--write docs/models.md]

Runs ``backbeat evaluate`` (for Metallica ``metallica_fold.py``) for what has no report yet in experiments/reports/models, then prints the
table, and puts it between the marks <!-- figures --> of the page. Remove a report to measure it again. ``--also`` adds a row: a checkpoint
folder that does not ship, such as a faithful original, measured on the sets of ``--only``; what has a report stays without being named again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "experiments" / "reports" / "models"
GROOVE = ["groove_midi", "--split", "test", "--plays", "0"]
METALLICA = "Metallica, last fold"
SONGS = "songs"
SETS = {
    "Groove MIDI, whole takes": GROOVE,
    "Groove MIDI, 4 bars": [*GROOVE, "--context", "4-bars"],
    "rock beats": [*GROOVE, "--style", "rock", "--kind", "beat"],
    SONGS: ["songs:test", "--limit", "60", "--plays", "60"],
    METALLICA: [],
}
"""Column -> what is measured on. The floors of rock beats learn from rock beats alone, those of Metallica from the fold's other songs."""
F1 = "songs, F1 of onsets from the band alone"
NETWORKS = ("drums-rnn", "lstmetallica", "neural-drummer", "drummer")
MARKS = ("<!-- figures -->", "<!-- end of figures -->")
METALLICA_FLOORS = {"ngram5": "5-gram", "ngram17": "17-gram", "cache": "n-gram + in-take cache"}
Report = dict[str, Any]


def name_report(column: str, row: str) -> Path:
    """The file that keeps a row's figures of a column."""
    return REPORTS / ".".join(part.replace(" ", "-").replace(",", "").lower() for part in (column, row, "json"))


def measure(column: str, row: str, model: str, options: argparse.Namespace, *, floors: bool) -> Report | None:
    """The report of one evaluation, made if it is not there; none where the model cannot be measured on this."""
    path = name_report(column, row)
    if not path.is_file():
        command = [sys.executable, "-m", "backbeat", "evaluate", model, *SETS[column], "--data", options.data, "--workers", "1", "--json"]
        command += ["--floors"] if floors else []
        command += ["--corpus", options.corpus, "--share", "4"] if floors and options.corpus and column == SONGS else []
        if column == METALLICA:
            command = [sys.executable, str(Path(__file__).with_name("metallica_fold.py")), "--data", options.data, "measure", model, "--json"]
            command += ["--floors"] if floors else []
        print(" ".join(command[1:]), file=sys.stderr, flush=True)
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
        if done.returncode:
            print(f"{row}: not measured on {column}", file=sys.stderr)
            return None
        whole = json.loads(done.stdout)
        kept = {k: v for k, v in whole.items() if not isinstance(v, list) or k.startswith(("likelihood", "song-only"))}
        REPORTS.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    report: Report = json.loads(path.read_text(encoding="utf-8"))
    return report


def list_rows(report: Report, start: str, row: str) -> dict[str, Report]:
    """Row -> its line of the first table over all pieces whose title starts so; the model that was measured comes first, under the row's name."""
    lines = next((v for k, v in report.items() if k.startswith(start) and ":" not in k), [])
    return {row if k == 0 else METALLICA_FLOORS.get(line["model"], line["model"]): line for k, line in enumerate(lines)}


def tell(line: Report) -> str:
    """Perplexity, and in brackets bits per onset where they are known."""
    bits = line.get("bits_per_onset")
    return f"{line['perplexity']:.2f}" + (f" ({bits:.2f})" if bits is not None else "")


def find_rows(also: list[str]) -> dict[str, str]:
    """Row -> model: what ships, what is named, and what has been named before."""
    rows = {name: name for name in NETWORKS} | dict(item.split("=", 1) for item in also)
    path = REPORTS / "rows.json"
    known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    rows |= {name: folder for name, folder in known.items() if name not in rows}
    added = {name: model for name, model in rows.items() if name not in NETWORKS}
    if added != known:
        REPORTS.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(added, indent=1) + "\n", encoding="utf-8")
    return rows


def tabulate(options: argparse.Namespace) -> str:
    """The table, in Markdown."""
    rows, figures = find_rows(options.also), dict[str, dict[str, str]]()
    named = {item.split("=", 1)[0] for item in options.also}
    for column in options.only:
        for number, (row, model) in enumerate(rows.items()):
            if row not in (*NETWORKS, *named) and not name_report(column, row).is_file():
                continue
            report = measure(column, row, model, options, floors=number == 0)
            for name, line in list_rows(report or {}, "likelihood", row).items():
                figures.setdefault(name, {})[column] = tell(line)
            if column == SONGS:
                for name, line in list_rows(report or {}, "song-only", row).items():
                    figures.setdefault(name, {})[F1] = f"{line['micro_f1']:.3f}"
    heads = [h for column in options.only for h in ((column, F1) if column == SONGS else (column,))]
    lines = ["| perplexity (bits per onset) | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    order = [*(r for r in rows if r in figures), *(r for r in figures if r not in rows)]
    lines += [f"| {name} | " + " | ".join(figures[name].get(h, "") for h in heads) + " |" for name in order]
    return "\n".join(lines)


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--corpus", default=os.environ.get("BACKBEAT_CORPUS"), help="what the floors of songs learn from, every fourth piece of it")
    parser.add_argument("--only", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--also", nargs="+", default=[], metavar="NAME=FOLDER", help="more rows")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if not options.data:
        parser.error("name the folder with the data sets with --data, or set BACKBEAT_DATA")
    if any("=" not in item for item in options.also):
        parser.error("--also takes NAME=FOLDER")
    table = tabulate(options)
    print(table)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        before, rest = page.split(MARKS[0], 1)
        options.write.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.split(MARKS[1], 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
