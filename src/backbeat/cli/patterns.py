"""``backbeat patterns``: drum patterns mined from songs, and the latent space that they lie in."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.cli.patterns_mine import mine
from backbeat.cli.patterns_output import MODEL_HELP, OUT_HELP, emit, protect
from backbeat.errors import InputError

if TYPE_CHECKING:
    from backbeat.models.pattern_space import PatternSpace

FILE = click.Path(path_type=Path)
model_option = click.option("--model", default="wide", show_default=True, help=MODEL_HELP)
out_option = click.option("-o", "--out", type=FILE, help=OUT_HELP)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
published_option = click.option("--published", is_flag=True, help="Write MIDI as drum_space does: 360 ticks a quarter, so a step is a third of a quarter.")
tempo_option = click.option("--tempo", type=float, default=0.0, help="Quarters a minute for MIDI; 0 writes none, which is read as 120.  [default: 0]")


@click.group("patterns")
def command() -> None:
    """Mine drum patterns from songs, and sample, bend and compare them in a latent space.

    A PATTERN is 32 comma-separated numbers (a step each; bit 0 kick, 1 snare, 2 closed hat ..., see 'backbeat kits drum_space_14'), a MIDI
    file, or a row of a table as patterns.tsv:12.
    """


command.add_command(mine)


@command.command("sample")
@model_option
@click.option("-n", "--count", type=click.IntRange(1, 100_000), default=10, show_default=True, help="How many patterns.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same options, seed and version give the same patterns.")
@click.option("--radius", type=float, help="Draw points from a normal distribution about 0 with this deviation.")
@click.option("--at-data", is_flag=True, help="Draw points as the training patterns lie; the default.")
@click.option("--style", "styles", multiple=True, help="Draw points near a genre; several: between them. A wrong name lists those there are.")
@click.option("--spread", type=float, default=1.0, show_default=True, help="How far from where the data or the genres lie, 1 = as they do.")
@click.option("--filter", "filtered", is_flag=True, help="Only patterns with enough entropy, of which no rotation was learned from, each once.")
@click.option("--draw", is_flag=True, help="Draw each hit with its probability instead of taking the likely ones.")
@out_option
@published_option
@tempo_option
@json_option
def sample(
    model: str,
    count: int,
    seed: int,
    radius: float | None,
    at_data: bool,
    styles: tuple[str, ...],
    spread: float,
    filtered: bool,
    draw: bool,
    out: Path | None,
    published: bool,
    tempo: float,
    as_json: bool,
) -> None:
    """Make new patterns: as the training data lie, at a radius, or near a style or between several."""
    import numpy as np

    if (radius is not None) + at_data + bool(styles) > 1:
        raise InputError("--radius, --at-data and --style are three ways to choose points: give one of them")
    space = _open(model)
    rng = np.random.default_rng([abs(seed), int(seed < 0)])
    patterns, latents = space.sample(count, rng, radius=radius, styles=styles, spread=spread, filtered=filtered, drawn=draw)
    about = {"model": space.name, "seed": seed, "asked": count, "styles": list(styles), "radius": radius, "filtered": filtered}
    emit(patterns, latents, out, about, as_json=as_json, published=published, tempo=tempo)


@command.command("interpolate")
@click.argument("start", metavar="A")
@click.argument("end", metavar="B")
@click.option("--steps", "points", type=click.IntRange(2, 10_000), default=9, show_default=True, help="Points of the way, both ends among them.")
@model_option
@out_option
@published_option
@tempo_option
@json_option
def interpolate(start: str, end: str, points: int, model: str, out: Path | None, published: bool, tempo: float, as_json: bool) -> None:
    """Go from pattern A to pattern B by even steps between their latent points; the ends are what the model makes of A and B."""
    from backbeat.datasets.pattern_files import read_pattern

    protect(out, start, end)
    space = _open(model)
    first, last = (read_pattern(text, space.steps) for text in (start, end))
    for pattern in (first, last):
        space.check(pattern[None])
    patterns, latents = space.interpolate(first, last, points)
    emit(patterns, latents, out, {"model": space.name, "points": points}, as_json=as_json, published=published, tempo=tempo)


@command.command("encode")
@click.argument("patterns", metavar="PATTERN...", nargs=-1, required=True)
@model_option
@out_option
@json_option
def encode(patterns: tuple[str, ...], model: str, out: Path | None, as_json: bool) -> None:
    """Print patterns with their latent points, as a table; a table is taken whole and keeps its other columns."""
    from dataclasses import replace

    from backbeat.datasets.pattern_files import read_patterns
    from backbeat.datasets.pattern_table import SUFFIX, PatternTable, is_table, read_table

    protect(out, *patterns)
    space = _open(model)
    whole = len(patterns) == 1 and is_table(patterns[0])
    table = read_table(patterns[0]) if whole else PatternTable(read_patterns(patterns, space.steps))
    table = replace(table, latents=space.encode(table.patterns), places=None)
    if out and out.suffix.lower() in (".mid", ""):
        raise InputError(f"{out}: latent points are written as a table: name a file ending in {SUFFIX}")
    emit(table.patterns, table.latents, out, {"model": space.name}, as_json=as_json, table=table)


@command.command("decode")
@click.argument("points", metavar="POINT...", nargs=-1, required=True)
@model_option
@click.option("--draw", is_flag=True, help="Draw each hit with its probability instead of taking the likely ones.")
@click.option("--seed", type=int, default=0, show_default=True, help="For --draw.")
@out_option
@published_option
@tempo_option
@json_option
def decode(points: tuple[str, ...], model: str, draw: bool, seed: int, out: Path | None, published: bool, tempo: float, as_json: bool) -> None:
    """Print the patterns at latent POINTs: comma-separated numbers each, or a table that has them. Before a point that begins with - write --."""
    import numpy as np

    protect(out, *points)
    space = _open(model)
    latents = np.concatenate([_read_points(text, space) for text in points])
    rng = np.random.default_rng([abs(seed), int(seed < 0)]) if draw else None
    emit(space.decode(latents, rng), latents, out, {"model": space.name}, as_json=as_json, published=published, tempo=tempo)


@command.command("nearest")
@click.argument("pattern")
@click.option("--in", "table_path", type=FILE, required=True, help="Table to look in, such as one of 'backbeat patterns mine'.")
@click.option("-n", "--count", type=click.IntRange(1, 10_000), default=5, show_default=True, help="How many to show.")
@model_option
@out_option
@published_option
@tempo_option
@json_option
def nearest(pattern: str, table_path: Path, count: int, model: str, out: Path | None, published: bool, tempo: float, as_json: bool) -> None:
    """Show the patterns of a table that lie nearest to PATTERN in the latent space, with how many hits differ."""
    from backbeat.codecs.patterns import patterns_to_hits
    from backbeat.datasets.pattern_files import read_pattern
    from backbeat.datasets.pattern_table import read_table

    protect(out, pattern, table_path)
    space, table = _open(model), read_table(table_path)
    query = read_pattern(pattern, space.steps)[None]
    space.check(query)
    rows, distances = space.find_nearest(query, space.encode(table.patterns), count)
    found = table.choose(rows[0])
    changed = (patterns_to_hits(found.patterns) != patterns_to_hits(query)).sum(axis=(1, 2)).tolist()
    about: dict[str, Any] = {"model": space.name, "rows": [r + 1 for r in rows[0].tolist()], "distances": [round(d, 4) for d in distances[0].tolist()]}
    emit(found.patterns, None, out, about | {"hits_that_differ": changed}, as_json=as_json, published=published, tempo=tempo, table=found)


@command.command("filter")
@click.argument("table_path", metavar="TABLE", type=FILE)
@click.option("--entropy", type=click.FloatRange(0), default=0.9, show_default=True, help="Least entropy of the step words in nats.")
@click.option("--against", type=FILE, help="Table of known patterns: a rotation of one of them is not new.")
@click.option("--model", default="", help="Known are the patterns that this model learned from.")
@click.option("--unique", is_flag=True, help="Keep each pattern once, however turned.")
@out_option
@json_option
def filter_(table_path: Path, entropy: float, against: Path | None, model: str, unique: bool, out: Path | None, as_json: bool) -> None:
    """Keep the patterns of TABLE that pass the paper's filter: enough entropy, and new up to rotation. Prints what is left behind each rule."""
    import numpy as np

    from backbeat.codecs.patterns import find_first, hash_patterns
    from backbeat.datasets.pattern_table import read_table, write_table
    from backbeat.metrics.patterns import is_rich

    protect(out, table_path, against)
    if not math.isfinite(entropy):
        raise InputError(f"--entropy {entropy}: a number of nats, such as 0.9")
    table, known = read_table(table_path), np.zeros(0, np.uint64)
    if against:
        known = np.concatenate([known, hash_patterns(read_table(against).patterns)])
    if model:
        known = np.concatenate([known, _open(model).known])
    hashes, rich = hash_patterns(table.patterns), is_rich(table.patterns, entropy)
    kept = np.flatnonzero(rich & ~np.isin(hashes, known))
    report = {"patterns": len(table), "entropy": int(rich.sum()), "novel": len(kept), "distinct": len(np.unique(hashes[kept]))}
    kept = kept[find_first(hashes[kept])] if unique else kept
    report["kept"] = len(kept)
    if out:
        write_table(table.choose(kept), out)
    lines = [f"{number:8,} {name}" for name, number in report.items()]
    click.echo(json.dumps(report | {"out": str(out) if out else None}) if as_json else "\n".join(lines))


@command.command("genres")
@click.argument("folder", metavar="MODEL", type=FILE)
@click.argument("tables", metavar="TABLE...", nargs=-1, required=True)
@click.option("--least", type=click.IntRange(1), default=8, show_default=True, help="Patterns that a genre must have to get a place.")
@click.option("--only", default="", help="Only these genres, comma-separated.")
@click.option("--add", is_flag=True, help="Keep the genres that the model has; those of the tables come besides or in their place.")
def genres(folder: Path, tables: tuple[str, ...], least: int, only: str, add: bool) -> None:
    """Place the genres of TABLEs in the model of a folder: where their patterns lie is written to its config.json, for 'sample --style'."""
    import numpy as np

    from backbeat.datasets.pattern_table import read_table
    from backbeat.files import write_bytes
    from backbeat.models.pattern_space import PatternSpace, place_genres

    space = PatternSpace(folder)
    read = [table for table in map(read_table, tables) if table.genres]
    wanted = {word.strip() for word in only.split(",") if word.strip()}
    names = [genre if not wanted or genre in wanted else "" for table in read for genre in table.genres]
    points = np.concatenate([np.zeros((0, space.latent), np.float32), *(space.encode(table.patterns) for table in read)])
    found = place_genres(points, names, least)
    if not found:
        raise InputError(f"{', '.join(tables)}: no genre with {least} patterns or more: mine songs whose genre the data state")
    kept = space.config["genres"] if add else {}
    write_bytes(folder / "config.json", (json.dumps(space.config | {"genres": dict(sorted((kept | found).items()))}, indent=1) + "\n").encode())
    click.echo("\n".join(f"{place['patterns']:7,} {name}" for name, place in found.items()))


@command.command("show")
@click.argument("patterns", metavar="PATTERN...", nargs=-1, required=True)
@json_option
def show(patterns: tuple[str, ...], as_json: bool) -> None:
    """Draw patterns as text."""
    from backbeat.codecs.patterns import measure_entropy, write_pattern
    from backbeat.datasets.pattern_files import draw_pattern, read_patterns

    found = read_patterns(patterns)
    if as_json:
        rows = [{"pattern": write_pattern(p), "entropy": round(float(e), 4)} for p, e in zip(found, measure_entropy(found), strict=True)]
        click.echo(json.dumps({"patterns": rows}))
        return
    click.echo("\n\n".join(draw_pattern(p) for p in found))


def _open(model: str) -> PatternSpace:
    from backbeat.models.pattern_space import open_pattern_space

    return open_pattern_space(model)


def _read_points(text: str, space: PatternSpace) -> Any:  # noqa: ANN401 - float32 [n, latent]
    import numpy as np

    from backbeat.datasets.pattern_table import is_table, read_table

    if is_table(text):
        latents = read_table(text).latents
        if latents is None:
            raise InputError(f"{text}: this table has no latent points: 'backbeat patterns encode {text}' adds them")
        return latents
    try:
        point = np.array([[float(part) for part in text.split(",")]], np.float32)
    except ValueError:
        raise InputError(f"{text[:60]}: no latent point: write {space.latent} comma-separated numbers, or name a table that has points") from None
    if point.shape[1] != space.latent:
        raise InputError(f"{text[:60]}: a point of the model {space.name} has {space.latent} numbers, this has {point.shape[1]}")
    return point
