"""Training by the common loop, as ``backbeat train`` calls it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from backbeat.training.loop import Progress


@dataclass(frozen=True)
class Wishes:
    """What was asked for on the command line; see the options of ``backbeat train``."""

    model: str
    data_set: str
    data_folder: Path | None
    validation: str
    style: str
    kind: str | None
    config: str
    settings: Sequence[str]
    out: Path | None
    resume: bool
    begin: Path | None
    device: str
    sweep: str
    by_genre: bool
    as_json: bool


def train_network(wishes: Wishes) -> None:
    """Train one network, or sweep over many, and print the figures.

    Raises:
        InputError: the wishes do not fit together.
        MissingExtraError: torch is not installed.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("torch", "train") from error
    from backbeat.evaluation.cases import Choice
    from backbeat.evaluation.learning import find_data, split_by_genre
    from backbeat.training import running
    from backbeat.training.loop import LAST, join_processes, rank
    from backbeat.training.trainables import find_trainable, set_fields

    trainable = find_trainable(wishes.model)
    recipe = running.check_recipe(trainable.choose(wishes.config, wishes.settings))
    grid = running.parse_grid(wishes.sweep) if wishes.sweep else [[]]
    for settings in grid:  # what cannot be is said before anything is read
        running.check_recipe(set_fields(recipe, settings))
    running.pick_device(wishes.device)
    if wishes.out is None:
        raise InputError("name a folder for the run with -o")
    if (wishes.out / LAST).is_file() and not wishes.resume:
        raise InputError(f"{wishes.out} holds a run: add --resume to go on with it, or name a new folder")
    if wishes.begin and not wishes.begin.exists():
        raise InputError(f"--from {wishes.begin}: there is no such run or weights file")
    join_processes()
    data = find_data(wishes.data_set, wishes.validation, wishes.data_folder, Choice(style=wishes.style, kind=wishes.kind or ""))
    say = _say if rank() == 0 else lambda line: None
    say(f"{trainable.name}: {len(data.train)} pieces to learn from, {len(data.validation)} to measure on")
    if wishes.sweep or wishes.by_genre:
        kinds = split_by_genre(data) if wishes.by_genre else {"all": data}
        rows = running.sweep(trainable, recipe, grid, kinds, wishes.out, lambda name, p: say(f"{name}: {_tell(p)}"), wishes.device)
        click.echo(json.dumps(rows) if wishes.as_json else tabulate(rows))
        return
    run = running.run_training(trainable, recipe, data, wishes.out, begin=wishes.begin, device=wishes.device, report=lambda p: say(_tell(p)))
    if rank() == 0:
        result = {"model": trainable.name, "updates": run.update, "best": run.best, "target": run.task.target, "folder": str(wishes.out / running.MODEL)}
        click.echo(json.dumps(result) if wishes.as_json else f"best {run.task.target} {run.best:.4g}; wrote {result['folder']}")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _tell(progress: Progress) -> str:
    figures = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in progress.figures.items())
    kind = "validation" if progress.is_validation else f"{progress.seconds_left / 60:.1f} min left"
    return f"update {progress.update}/{progress.updates} ({kind}): {figures}"


def tabulate(rows: list[dict[str, Any]]) -> str:
    """Rows as a table in Markdown."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(c.replace("_", " ") for c in columns) + " |", "|" + " --- |" * len(columns)]
    for row in rows:
        cells = (f"{row[c]:.4g}" if isinstance(row.get(c), float) else str(row.get(c, "")) for c in columns)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
