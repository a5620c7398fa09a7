"""``backbeat patterns mine``: patterns of a collection of songs, as a table, and what each rule left."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.cli.patterns_output import protect
from backbeat.cli.progress import show_progress
from backbeat.errors import InputError, OutputError

if TYPE_CHECKING:
    from backbeat.datasets.mining import Mined
    from backbeat.datasets.pattern_table import PatternTable

FILE = click.Path(path_type=Path)


@click.command("mine")
@click.argument("corpora", metavar="CORPUS...", nargs=-1, required=True)
@click.option("-o", "--out", type=FILE, help="Table to write (.tsv). Default: only the counts are shown.")
@click.option("--data", type=FILE, envvar="BACKBEAT_DATA", help="Folder with the data sets (or BACKBEAT_DATA).")
@click.option("--metre", default="4/4", show_default=True, help="Bars to look at, as 3/4 or 12/8; 'any' takes every track as 4/4, as the paper did.")
@click.option("--bars", type=int, default=2, show_default=True, help="Length of a pattern.")
@click.option("--steps-per-quarter", type=int, default=4, show_default=True, help="Density of the grid: 4 = 16ths, 3 = triplets of eighths.")
@click.option("--kit", default="drum_space_merged", show_default=True, help="Kit map that merges the notes onto the 14 classes.")
@click.option("--all-drums", is_flag=True, help="Take drum parts on other channels than the tenth, too.")
@click.option("--least-notes", type=click.IntRange(1), default=32, show_default=True, help="A track with fewer drum notes is trivial.")
@click.option("--off-grid", type=float, default=1.0, show_default=True, help="Largest share of hits off the grid; 1 quantises whatever there is.")
@click.option("--pause", type=int, default=16, show_default=True, help="Steps of silence at which a track is split.")
@click.option("--repeats", type=int, default=3, show_default=True, help="Times in a row; 1 takes what stands at every bar line.")
@click.option("--times", type=int, default=1, show_default=True, help="Passages of a piece in which a pattern must be found, anywhere.")
@click.option("--entropy", type=float, default=0.5, show_default=True, help="Nats of the step words that a pattern must exceed.")
@click.option("--model", default="vae", show_default=True, help="Model whose latent points are written; 'none' writes none.")
@click.option("--stated-genres", is_flag=True, help="Genres in the data's own words instead of styles: disco, not electronic.")
@click.option("--plain", is_flag=True, help="Only the columns of the original: pattern, latent point, place.")
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def mine(
    corpora: tuple[str, ...],
    out: Path | None,
    data: Path | None,
    model: str,
    plain: bool,
    stated_genres: bool,
    workers: int,
    as_json: bool,
    **rules: Any,  # noqa: ANN401 - see ``Rules``
) -> None:
    """Find the drum patterns that the songs of CORPUS repeat: folders, archives, MIDI files or data sets (songs:train, groove_midi ...).

    Every pattern is kept once however it is turned. What each rule leaves is shown beside the paper's figures.
    """
    from backbeat.datasets import list_sources
    from backbeat.datasets.mining import Rules
    from backbeat.datasets.mining import mine as mine_all
    from backbeat.datasets.pattern_table import tabulate_mined, write_table

    if "" in corpora:
        raise InputError("a corpus has an empty name: name a folder, an archive, a MIDI file or a data set")
    protect(out, *corpora)
    how = Rules(**rules)
    how.check()
    started = time.monotonic()
    _check_model(model)
    sources = [source for name in corpora for source in list_sources(name, data)]
    protect(out, *{source.path for source in sources})
    if out and not out.absolute().parent.is_dir():
        raise OutputError(f"{out}: there is no folder {out.parent}, make it first")
    with show_progress("mining", len(sources)) as advance:
        mined = mine_all(sources, how, workers=workers, stated=stated_genres, progress=advance)
    table, note = tabulate_mined(mined, sources), ""
    if out:
        table, note = _add_points(table, model)
        write_table(_strip(table) if plain else table, out)
    seconds = time.monotonic() - started
    if as_json:
        genres = {genre: mined.genres.count(genre) for genre in sorted(set(mined.genres))}
        report = {"counts": dict(mined.counts), "genres": genres, "steps": how.steps, "out": str(out) if out else None, "seconds": round(seconds, 1)}
        click.echo(json.dumps(report))
        return
    click.echo(tell_funnel(mined))
    if out:
        click.echo(f"wrote {len(table):,} patterns of {how.steps} steps to {out}{note} ({seconds:.0f} s)")


def _check_model(model: str) -> None:
    """Open the model, so that a wrong name is told before hours of mining.

    Raises:
        InputError: there is no such model.
    """
    from backbeat.models.pattern_space import open_pattern_space

    if model != "none":
        open_pattern_space(model)


def _add_points(table: PatternTable, model: str) -> tuple[PatternTable, str]:
    """The table with latent points and places on their two principal axes, where the model knows patterns of that length."""
    from dataclasses import replace

    import numpy as np

    from backbeat.models.pattern_space import open_pattern_space

    if model == "none" or not len(table):
        return table, ""
    space = open_pattern_space(model)
    if space.steps != table.patterns.shape[1]:
        return table, f", without latent points: the model {space.name} knows patterns of {space.steps} steps"
    latents = space.encode(table.patterns)
    centred = latents - latents.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    places = np.zeros((len(table), 2), np.float32)
    places[:, : len(axes)] = centred @ axes.T
    return replace(table, latents=latents, places=places), f", with latent points of {space.name}"


def _strip(table: PatternTable) -> PatternTable:
    from dataclasses import replace

    return replace(table, genres=(), pieces=(), files=None, repeats=None)


def tell_funnel(mined: Mined) -> str:
    """What each rule left, beside what the paper says of it."""
    from backbeat.datasets.mining import PUBLISHED, RULES

    lines = [f"{'here':>10} {'paper':>10}"]
    for name, title in RULES:
        paper = f"{PUBLISHED[name]:,}" if name in PUBLISHED else ""
        lines.append(f"{mined.counts[name]:10,} {paper:>10}  {title}")
    files = max(1, mined.counts["files"])
    lines.append(f"{100 * mined.counts['patterns'] / files:9.1f}% {100 * PUBLISHED['patterns'] / PUBLISHED['files']:9.1f}%  patterns to files")
    return "\n".join(lines)
