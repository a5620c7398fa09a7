"""``backbeat listening``: what the answers of a listening test say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command("listening")
@click.argument("key", type=click.Path(path_type=Path))
@click.argument("answers", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the bootstrap that gives the intervals.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write the result here, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(key: Path, answers: tuple[Path, ...], seed: int, out: Path | None, as_json: bool) -> None:
    """Mean ratings of a blind listening test with 95 % confidence intervals.

    KEY is the key.json that `backbeat evaluate ... --listening-test DIR` wrote, ANSWERS are the files that listeners saved. Of
    two files of one listener the later one counts.
    """
    from backbeat.evaluation.listening_analysis import analyse, read_answers, read_key
    from backbeat.files import write_bytes

    clips = read_key(key)
    read = [read_answers(path, clips) for path in answers]
    again = len(read) - len({a.listener for a in read})
    if again:
        click.echo(f"backbeat: {again} of {len(read)} files are of a listener who sent a later one, and are left out", err=True)
    result = analyse(clips, read, seed)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    if out:
        write_bytes(out, (text + "\n").encode("utf-8", "backslashreplace"))
    click.echo(text if as_json else _tell(result))


def _tell(result: dict[str, Any]) -> str:
    counts = ", ".join(f"{n} {noun}{'s' * (n != 1)}" for n, noun in ((result["listeners"], "listener"), (result["songs"], "song")))
    lines = [f"{counts}, {result['ratings']} of {result['asked']} ratings; intervals hold {result['level']} %"]
    for question in result["questions"].values():
        lines += ["", question["text"]]
        names = [row["system"] for row in question["means"]] + [f"{row['a']} - {row['b']}" for row in question["differences"]]
        width = max(map(len, names), default=0)
        lines += [_tell_row(name, width, row, "mean", "") for name, row in zip(names, question["means"], strict=False)]
        lines += [_tell_row(name, width, row, "difference", "+") for name, row in zip(names[len(question["means"]) :], question["differences"], strict=True)]
    return "\n".join(lines)


def _tell_row(name: str, width: int, row: dict[str, Any], figure: str, sign: str) -> str:
    values = ["    -" if row[k] is None else f"{row[k]:{sign}.2f}".rjust(5) for k in (figure, "low", "high")]
    return f"  {name:<{width}}  {values[0]}  [{values[1]}, {values[2]}]  {row['ratings']} ratings"
