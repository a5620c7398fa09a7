"""``backbeat corpus``: training arrays from MIDI collections."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.cli.corpus_check import check
from backbeat.cli.progress import show_progress

if TYPE_CHECKING:
    from backbeat.datasets.corpus import Corpus

FOLDER = click.Path(path_type=Path)


@click.group("corpus")
def command() -> None:
    """Build training data, describe it, export it; check data sets."""


command.add_command(check)


@command.command("build")
@click.argument("sources", nargs=-1, required=True)
@click.option("-o", "--out", type=FOLDER, required=True, help="Folder for the corpus: new, or that of a stopped build with --resume.")
@click.option("--data", type=FOLDER, envvar="BACKBEAT_DATA", help="Folder with the data sets (or BACKBEAT_DATA).")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes.")
@click.option("--engine", type=click.Choice(["pool", "ray"]), default="pool", show_default=True, help="Processes here, or a Ray cluster (RAY_ADDRESS).")
@click.option("--resume", is_flag=True, help="Go on with a build that was stopped.")
@click.option("--kit", default="backbeat", show_default=True, help="Kit map of the instruments that are told apart.")
@click.option("--steps-per-quarter", type=int, default=4, show_default=True, help="Density of the grid: 4 = 16ths.")
@click.option("--keep-copies", is_flag=True, help="Keep all copies of a piece (in one split) instead of one.")
@click.option("--dirty", is_flag=True, help="Keep songs whose drums look wrong: off the grid, shifted against the metre, one bar for minutes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def build(
    sources: tuple[str, ...],
    out: Path,
    data: Path | None,
    workers: int,
    engine: str,
    resume: bool,
    kit: str,
    steps_per_quarter: int,
    keep_copies: bool,
    dirty: bool,
    as_json: bool,
) -> None:
    """Build a corpus of SOURCES: folders, archives (.zip, .tar.*), MIDI files, data sets (songs, groove_midi:train ...).

    Every file is either kept, with a row in manifest.parquet, or named in ledger.parquet with the reason why not.
    A build that was stopped, however hard, goes on with --resume.
    """
    from backbeat.datasets import list_sources
    from backbeat.datasets.blocks import Settings
    from backbeat.datasets.building import Plan, build_corpus
    from backbeat.errors import InputError

    if "" in sources:
        raise InputError("a source has an empty name: name a folder, an archive, a MIDI file or a data set")
    files = [f for name in sources for f in list_sources(name, data)]
    plan = Plan(files, Settings(kit, steps_per_quarter, not dirty), keep_copies)
    started = time.monotonic()
    done = 0
    with show_progress("reading", len(files)) as advance:

        def count(number: int) -> None:
            nonlocal done
            done = number
            advance(number)

        try:
            report = build_corpus(plan, out, workers=workers, engine=engine, resume=resume, progress=count)
        except KeyboardInterrupt:
            click.echo(f"\nstopped: {done} of {len(files)} files are done; the same command with --resume goes on from there", err=True)
            sys.exit(130)
    seconds = time.monotonic() - started
    if as_json:
        click.echo(json.dumps({"files": len(files), "seconds": round(seconds, 1), "results": dict(report)}))
        return
    for reason, number in report.most_common():
        click.echo(f"{number:7} {reason}")
    click.echo(f"{len(files):7} files in {seconds:.0f} s ({len(files) / max(seconds, 1e-9):.0f} a second)")


@command.command("describe")
@click.argument("folder", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def describe(folder: Path, as_json: bool) -> None:
    """Show what the corpus in FOLDER holds, what was left out, and why."""
    from backbeat.datasets.corpus import Corpus

    described = _describe(Corpus(folder))
    if as_json:
        click.echo(json.dumps(described, indent=1))
        return
    for name, value in described.items():
        if isinstance(value, dict):
            click.echo(f"\n{name}")
            for key, number in value.items():
                click.echo(f"{number:>9,}  {key or '(none stated)'}")
        else:
            click.echo(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}")


def _describe(corpus: Corpus) -> dict[str, Any]:
    from collections import Counter

    pieces, manifest = corpus.pieces, corpus.manifest
    table = manifest.to_pydict()
    flags = {
        "bars shifted against the metre, or half time": sum(map(bool, table["backbeat_shifted"])),
        "one bar repeated": sum(map(bool, table["one_bar_loop"])),
        "a single velocity": sum(map(bool, table["single_velocity"])),
        "under 90 % of hits on the grid": sum(fit is not None and fit < 0.9 for fit in table["grid_fit"]),
    }
    return {
        "sources": int(corpus.meta.get("sources", len(corpus))),
        "pieces": len(corpus),
        "with a band": int(pieces["band"].sum()),
        "bars": int(pieces["bars"].sum()),
        "steps": int(pieces["steps"].sum()),
        "steps per quarter": int(corpus.meta.get("steps_per_quarter", 4)),
        "kit": corpus.meta["kit"]["name"],
        "splits": dict(Counter(table["split"]).most_common()),
        "styles": dict(Counter(table["style"]).most_common()),
        "licences": dict(Counter(table["licence"]).most_common()),
        "flags": flags,
        "left out": dict(Counter(corpus.ledger.column("result").to_pylist()).most_common()),
    }


@command.command("export")
@click.argument("folder", type=FOLDER)
@click.option("-o", "--out", type=FOLDER, required=True, help="The Parquet file.")
def export(folder: Path, out: Path) -> None:
    """Write the corpus in FOLDER as one Parquet file, a row a piece."""
    from backbeat.datasets.corpus import Corpus
    from backbeat.datasets.exchange import export_parquet

    corpus = Corpus(folder)
    export_parquet(corpus, out)
    click.echo(f"wrote {len(corpus)} pieces to {out}", err=True)
