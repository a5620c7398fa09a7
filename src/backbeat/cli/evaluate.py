"""``backbeat evaluate``: a model beside its floors, on the same pieces."""

from __future__ import annotations

import json
import math
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.cli.progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backbeat.evaluation.fitting import DataSet
    from backbeat.evaluation.results import Report

FOUR_FOUR = ("groove_midi",)
"""Data sets of which only pieces in 4/4 are measured on unless --metre says otherwise: the published figures are of those."""
TEXT = ("lstmetallica",)
"""Data sets whose drums are read as their text has them."""
MOST_REJECTED = 20
LINE = 150
"""Characters of a line of a table."""


@click.command("evaluate")
@click.argument("model")
@click.argument("data_set", metavar="DATA")
@click.option("--data", type=click.Path(path_type=Path), envvar="BACKBEAT_DATA", help="Folder with the data sets (or BACKBEAT_DATA).")
@click.option("--split", default="", help="Split of DATA, as in 'groove_midi --split test'.")
@click.option("--style", default="", help="Only pieces of this style, as 'rock'; floors learn from it alone, too.")
@click.option("--kind", type=click.Choice(["beat", "fill"]), help="Only beats, or only fills.")
@click.option("--metre", type=click.Choice(["4/4", "all"]), help="Only pieces in 4/4, or all  [default: 4/4 for groove_midi, else all]")
@click.option("--context", default="whole", show_default=True, help="What is known of the drums before a step: 'whole' takes, or windows as '4-bars'.")
@click.option("--floors", is_flag=True, help="Fit and measure the floors that learn, too.")
@click.option("--corpus", type=click.Path(path_type=Path), envvar="BACKBEAT_CORPUS", help="Corpus that floors of songs learn from (or BACKBEAT_CORPUS).")
@click.option("--share", type=click.IntRange(1), default=1, show_default=True, help="They learn from every n-th piece of it.")
@click.option("--tune", default="songs:validation", show_default=True, help="Songs they are tuned on.")
@click.option("--limit", type=click.IntRange(0), default=0, help="Measure on so many pieces, spread over DATA (0 = all).")
@click.option(
    "--plays", type=click.IntRange(0), default=100, show_default=True, help="Pieces to judge sense and novelty on, and for models that count to play."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of all that is drawn.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option("--report", type=click.Path(path_type=Path), help="Write a page with tables, plots and drums to hear into this folder.")
@click.option("--listening-test", "listening", type=click.Path(path_type=Path), help="Write a blind listening test into this folder.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write the figures here, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: str, data_set: str, data: Path | None, out: Path | None, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - all other options
    """Measure MODEL (a name or a checkpoint folder) on DATA.

    DATA is a data set with its split (songs:test, groove_midi:test, lstmetallica), a folder or archive of MIDI files, or a corpus folder.
    A model that learns and is given by its name is fitted first, as the floors are.

    Likelihoods: each step is given the real drums before it. Song-only onsets: no drums are given.
    """
    from backbeat.errors import InputError
    from backbeat.evaluation.contexts import parse_context
    from backbeat.evaluation.fitting import open_model
    from backbeat.evaluation.measuring import Options, evaluate, spread
    from backbeat.files import write_bytes

    # What is wrong with the model, the options or the places to write to is said before anything is measured.
    open_model(model)
    chosen = _choose(data_set, data, options)
    how = Options(parse_context(options["context"]), *(options[n] for n in ("floors", "corpus", "share", "tune", "limit", "plays", "seed", "workers")))
    _check_places(out, options["report"], options["listening"])
    if options["listening"] and chosen.is_corpus:
        raise InputError(f"{data_set} is a corpus, which holds no music to hear: for a listening test name the MIDI files that it was built from")
    with show_progress(model, len(spread(chosen.list(), how.limit))) as advance:
        result = evaluate(model, chosen, how, tell=lambda text: click.echo(text, err=True), advance=advance)
    figures = collect(result)
    text = json.dumps(figures, indent=1)
    if out:
        write_bytes(out, text.encode())
    click.echo(text if as_json else tell(figures))
    if options["report"]:
        from backbeat.evaluation.report import write_report

        click.echo(f"report: {write_report(result, options['report'])}", err=True)
    if options["listening"]:
        from backbeat.evaluation.listening import write_listening_test

        kit = write_listening_test(result, options["listening"], seed=how.seed)
        left_out = "".join(f"; left out {name}: {reason}" for name, reason in list(kit.left_out.items())[:3])
        click.echo(f"listening test: {kit.page}, {kit.songs} song{'s' * (kit.songs != 1)} by {', '.join(kit.systems)}{left_out}", err=True)


def _check_places(out: Path | None, report: Path | None, listening: Path | None) -> None:
    """See that what comes of it can be written: measuring may take an hour."""
    from backbeat.errors import MissingExtraError, OutputError

    if out is not None and out.is_dir():
        raise OutputError(f"{out}: this is a folder, name a file in it")
    if out is not None and not out.parent.is_dir():
        raise OutputError(f"{out}: there is no folder {out.parent}, make it first")
    folders = [folder for folder in (report, listening) if folder is not None]
    for folder in folders:
        there = next(p for p in (folder, *folder.absolute().parents) if p.exists() or p.is_symlink())
        if not there.is_dir() or not os.access(there, os.W_OK):
            raise OutputError(f"{folder}: the folder cannot be made ({there} is {'no folder' if not there.is_dir() else 'read-only'})")
    if listening is not None and (listening / "key.json").exists():
        raise OutputError(f"{listening} holds a listening test already, whose key would be lost: name a new folder")
    if report is not None and find_spec("matplotlib") is None:
        raise MissingExtraError("matplotlib", "report")


def _choose(name: str, data: Path | None, options: dict[str, Any]) -> DataSet:
    """What is measured on, from the command's options."""
    from backbeat.datasets import DATASETS
    from backbeat.errors import InputError
    from backbeat.evaluation.cases import Choice
    from backbeat.evaluation.fitting import DataSet

    family, _, own = name.partition(":")
    split = options["split"]
    if split and own and split != own:
        raise InputError(f"{name} names a split already: leave out --split {split}")
    metre = options["metre"] or ("4/4" if family in FOUR_FOUR else "all")
    choice = Choice(options["style"], options["kind"] or "", "" if metre == "all" else metre, text=family in TEXT)
    if family in DATASETS:
        return DataSet(f"{family}:{split}" if split and not own else name, data, choice)
    chosen = DataSet(name, data, choice, split)
    if split and not chosen.is_corpus:
        raise InputError(f"{name} has no splits, only data sets and corpora have: leave out --split {split}")
    return chosen


def collect(report: Report) -> dict[str, Any]:
    """The report as JSON takes it: what was measured, the rejected pieces, and the tables by title; nan and inf become null."""
    head = {"model": report.model, "data": report.data, "context": report.context, "songs": len(report.results), "rejected": report.rejected}
    tables = {title: [{k: _clean(v) for k, v in row.items()} for row in rows] for title, rows in report.tables.items()}
    return head | tables


def _clean(value: Any) -> Any:  # noqa: ANN401 - whatever stands in a row
    return None if isinstance(value, float) and not math.isfinite(value) else value


def tell(figures: dict[str, Any]) -> str:
    """The figures as text."""
    count, rejected = figures["songs"], figures["rejected"]
    lines = [f"{figures['model']} on {figures['data']}, {figures['context']}: {count} piece{'s' * (count != 1)}, {len(rejected)} could not be measured on"]
    lines += [f"  {name}: {reason}" for name, reason in list(rejected.items())[:MOST_REJECTED]]
    lines += [f"  and {len(rejected) - MOST_REJECTED} more, see --json"] if len(rejected) > MOST_REJECTED else []
    for title, rows in figures.items():
        if isinstance(rows, list):
            lines += ["", title, *_tell_table(rows)]
    return "\n".join(lines)


def _tell_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A table, its columns under each other where they are too many for a line."""
    columns = list(dict.fromkeys(k for row in rows for k in row if k != "model"))
    first = max(len(row["model"]) for row in rows)
    widths = {c: max(len(c), *(len(_show(row.get(c))) for row in rows)) for c in columns}
    while columns:
        fit = max(1, sum(1 for i in range(len(columns)) if first + sum(widths[c] + 2 for c in columns[: i + 1]) <= LINE))
        now, columns = columns[:fit], columns[fit:]
        yield " " * first + "".join(f"  {c:>{widths[c]}}" for c in now)
        for row in rows:
            yield f"{row['model']:{first}}" + "".join(f"  {_show(row.get(c)):>{widths[c]}}" for c in now)


def _show(value: Any) -> str:  # noqa: ANN401 - whatever stands in a row
    if isinstance(value, int | float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value + 0:.4g}"  # -0.0 + 0 is 0
    return "-" if value is None else str(value)
