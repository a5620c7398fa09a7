"""``backbeat corpus``: training arrays from MIDI collections."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from backbeat.cli.progress import show_progress


@click.group("corpus")
def command() -> None:
    """Build training data, and describe it."""


@command.command("build")
@click.argument("sources", nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="New folder for the corpus.")
@click.option("--data", type=click.Path(path_type=Path), envvar="BACKBEAT_DATA", required=True, help="Folder with the data sets (or BACKBEAT_DATA).")
@click.option("--workers", type=int, default=2, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def build(sources: tuple[str, ...], out: Path, data: Path, workers: int, as_json: bool) -> None:
    """Build a corpus of SOURCES: songs:train, songs:validation, groove_midi:train ...

    Every file is either kept or named in manifest.csv with the reason why not.
    """
    from backbeat.datasets import list_sources
    from backbeat.datasets.corpus import build_corpus

    files = [f for name in sources for f in list_sources(name, data)]
    started = time.monotonic()

    with show_progress("reading", len(files)) as advance:
        report = build_corpus(files, out, workers=workers, progress=advance)
    seconds = time.monotonic() - started
    if as_json:
        click.echo(json.dumps({"files": len(files), "seconds": round(seconds, 1), "results": dict(report)}))
        return
    for reason, count in report.most_common():
        click.echo(f"{count:6} {reason}")
    click.echo(f"{len(files):6} files in {seconds:.0f} s ({len(files) / max(seconds, 1e-9):.0f} a second)")


@command.command("describe")
@click.argument("folder", type=click.Path(path_type=Path))
def describe(folder: Path) -> None:
    """Show what a corpus holds."""
    from backbeat.datasets.corpus import Corpus

    corpus = Corpus(folder)
    pieces = corpus.pieces
    click.echo(f"{len(corpus)} pieces, {int(pieces['bars'].sum()):,} bars, {int(pieces['steps'].sum()):,} steps; {int(pieces['band'].sum())} with a band")
    for index, style in enumerate(corpus.meta["styles"]):
        click.echo(f"{int((pieces['style'] == index).sum()):6} {style}")
