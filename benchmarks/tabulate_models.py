"""Every model on its seed's data and on the common test sets, beside the floors: the table of docs/models.md.

    python benchmarks/tabulate_models.py [--data DATA] [--corpus CORPUS] [--only NAME ...] [--write docs/models.md]

Runs ``backbeat evaluate`` for what has no report yet in experiments/reports/models (remove a report to measure it again), then
prints the table, and puts it between the marks <!-- figures --> of the page. LSTMetallica's ten folds are the floors'; a
network of one fold is measured by ``metallica_fold.py`` and stands in its own section of the page.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPORTS = Path(__file__).parents[1] / "experiments" / "reports" / "models"
GROOVE = ["groove_midi", "--split", "test", "--plays", "0"]
ROCK = [*GROOVE, "--style", "rock", "--kind", "beat"]
SONGS = ["songs:test", "--limit", "60", "--plays", "60"]
SETS = {
    "Groove MIDI, whole takes": GROOVE,
    "Groove MIDI, 4 bars": [*GROOVE, "--context", "4-bars"],
    "rock beats": ROCK,
    "songs": SONGS,
}
"""Column -> what is measured on. The floors of rock beats learn from rock beats alone."""
NETWORKS = ("drums-rnn", "lstmetallica", "neural-drummer", "drummer")
MARKS = ("<!-- figures -->", "<!-- end of figures -->")


def measure(column: str, model: str, data: str, corpus: str | None, floors: bool) -> dict[str, Any]:
    """The report of one evaluation, made if it is not there."""
    path = REPORTS / f"{column.replace(' ', '-').replace(',', '').lower()}.{model}.json"
    if not path.is_file():
        more = ["--floors", *(["--corpus", corpus, "--share", "4"] if corpus and column == "songs" else [])] if floors else []
        command = [sys.executable, "-m", "backbeat", "evaluate", model, *SETS[column], *more, "--data", data, "--workers", "1", "--json"]
        print(" ".join(command[2:]), file=sys.stderr, flush=True)
        whole = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        kept = {k: v for k, v in whole.items() if not isinstance(v, list) or k.startswith(("likelihood", "song-only"))}
        REPORTS.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def collect(report: dict[str, Any]) -> dict[str, tuple[float, float | None]]:
    """Model -> perplexity and bits per onset, of the table over all pieces."""
    rows = next(v for k, v in report.items() if k.startswith("likelihood") and ":" not in k)
    return {r["model"]: (r["perplexity"], r["bits_per_onset"]) for r in rows}


def collect_f1(report: dict[str, Any]) -> dict[str, float]:
    """Model -> micro F1 of onsets played from the band alone."""
    return {r["model"]: r["micro_f1"] for k, v in report.items() if k.startswith("song-only") for r in v}


def tabulate(data: str, corpus: str | None, columns: list[str]) -> str:
    """The table, in Markdown."""
    figures: dict[str, dict[str, str]] = {}
    for column in columns:
        for number, model in enumerate(NETWORKS):
            report = measure(column, model, data, corpus, floors=number == 0)
            for name, (perplexity, bits) in collect(report).items():
                figures.setdefault(name, {})[column] = f"{perplexity:.2f} ({bits:.2f})"
            for name, f1 in collect_f1(report).items():
                figures.setdefault(name, {})["songs, song-only F1"] = f"{f1:.3f}"
    heads = [*columns, *(["songs, song-only F1"] if "songs" in columns else [])]
    lines = ["| perplexity per 16th (bits per onset) | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    lines += [f"| {name} | " + " | ".join(row.get(h, "") for h in heads) + " |" for name, row in figures.items()]
    return "\n".join(lines)


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--corpus", default=os.environ.get("BACKBEAT_CORPUS"))
    parser.add_argument("--only", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    if not options.data:
        parser.error("name the folder with the data sets with --data, or set BACKBEAT_DATA")
    table = tabulate(options.data, options.corpus, options.only)
    print(table)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        before, rest = page.split(MARKS[0], 1)
        options.write.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.split(MARKS[1], 1)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
