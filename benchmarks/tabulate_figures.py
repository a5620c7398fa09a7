"""Turn reports of ``backbeat evaluate drummer ... -o REPORT.json`` into the table of the README.

Usage: python benchmarks/tabulate_figures.py VALIDATION.json TEST.json [--readme README.md]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

SENSE = {
    "kick_bass_excess": "kick-bass excess",
    "backbeat_snares": "snares on the backbeat (4/4)",
    "crash_lift": "crash at section starts, lift",
    "change_lift": "change of density before sections, lift",
    "silent_bars_kept": "silent bars left silent",
    "steps_hit": "steps hit",
    "distinct_bars": "distinct bars",
}


def rows_of(report: dict[str, Any], start: str) -> list[dict[str, Any]]:
    """The rows of the table whose name begins with ``start``; none where there is no such table."""
    return next((rows for name, rows in report.items() if name.startswith(start)), [])


def tabulate(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *rows])


def show(value: float | None) -> str:
    """Three decimals; a dash where there is nothing to divide by."""
    return "" if value is None else "-" if value != value else f"{value:.3f}"


def pair_up(reports: list[dict[str, Any]], start: str, columns: list[str]) -> list[list[str]]:
    """One row a model, the columns of every report side by side."""
    tables = [{row["model"]: row for row in rows_of(r, start)} for r in reports]
    return [[name, *(show(t.get(name, {}).get(c)) for t in tables for c in columns)] for name in tables[0]]


def write_markdown(reports: list[dict[str, Any]]) -> str:
    """All tables."""
    sets = [f"{r['data']} ({r['songs']})" for r in reports]
    parts = [
        "Whole songs, own history: every step given the real drums before it (and the band). Lower is better; band gain is wrong band minus right band.",
        tabulate(["bits per onset", *(f"{s} {c}" for s in sets for c in ("", "band gain"))], pair_up(reports, "likelihood", ["bits_per_onset", "band gain"])),
        "Song-only: no real drums are given. Onset F1, exact 16th.",
        tabulate(["onset F1", *(f"{s} {c}" for s in sets for c in ("micro", "bar mean"))], pair_up(reports, "song-only", ["micro_f1", "bar_mean_f1"])),
    ]
    if rows_of(reports[0], "onsets with history"):
        parts += [
            "With history, another task: the real drums before are given.",
            tabulate(
                ["onset F1", *(f"{s} {c}" for s in sets for c in ("micro", "bar mean"))], pair_up(reports, "onsets with history", ["micro_f1", "bar_mean_f1"])
            ),
        ]
    sense = rows_of(reports[-1], "musical sense")
    name = next(n for n in reports[-1] if n.startswith("musical sense"))
    body = [[row["model"], *(show(row[k]) for k in SENSE)] for row in sense]
    parts += [f"{name[0].upper()}{name[1:]} of {reports[-1]['data']}. Read it beside the real drums.", tabulate(["", *SENSE.values()], body)]
    return "\n\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--readme", type=Path)
    options = parser.parse_args()
    text = write_markdown([json.loads(p.read_text(encoding="utf-8")) for p in options.reports])
    if options.readme:
        old = options.readme.read_text(encoding="utf-8")
        head, rest = old.split("<!-- figures -->", 1)
        tail = rest.split("<!-- /figures -->", 1)[1]
        options.readme.write_text(f"{head}<!-- figures -->\n{text}\n<!-- /figures -->{tail}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
