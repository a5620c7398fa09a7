"""``backbeat map``: drum patterns on a plane, as a page to play with or a picture."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backbeat.cli.patterns_output import protect
from backbeat.errors import InputError, OutputError

if TYPE_CHECKING:
    from backbeat.datasets.pattern_table import PatternTable
    from backbeat.evaluation.pattern_map import PatternMap
    from backbeat.models.pattern_space import PatternSpace


@click.command("map")
@click.argument("patterns", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Page (.html) or picture (.png, .svg) to write.")
@click.option("--model", default="vae", show_default=True, help="Whose latent space: vae, acai, ae or wide, or the folder of a trained one.")
@click.option("--generated", type=click.IntRange(0, 100_000), default=1000, show_default=True, help="How many patterns to sample from the model, in red.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same options, seed and version give the same map.")
@click.option("--perplexity", type=click.FloatRange(2, 500), default=30.0, show_default=True, help="t-SNE: how many neighbours count.")
@click.option("--places", is_flag=True, help="Take the places that the table holds already, instead of looking for them.")
@click.option("--table", type=click.Path(path_type=Path), help="Also write the table with latent points and places (.tsv).")
@click.option("--title", default="", help="Above the map; default: the table's name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    patterns: Path, out: Path, model: str, generated: int, seed: int, perplexity: float, places: bool, table: Path | None, title: str, as_json: bool
) -> None:
    """Draw a map of PATTERNS, a table that 'backbeat patterns mine' or 'sample' wrote.

    The page needs no network: point at a pattern to see it, click to hear it, drag from one to another to hear the way between
    them, draw around some to export them as MIDI. Places come from t-SNE of the latent points and need the extra 'report'.
    """
    from dataclasses import replace

    from backbeat.datasets.pattern_table import encode_table, read_table
    from backbeat.evaluation.pattern_map import draw_map, measure_map, write_map
    from backbeat.files import write_bytes
    from backbeat.models.pattern_space import open_pattern_space

    started = time.perf_counter()
    protect(out, patterns)
    protect(table, patterns)
    if not math.isfinite(perplexity):
        raise InputError(f"--perplexity {perplexity}: a number from 2 to 500")
    if out.suffix.lower() not in (".html", ".htm", ".png", ".svg"):
        raise OutputError(f"{out}: a map is written as .html, .png or .svg")
    mined, space = read_table(patterns), open_pattern_space(model)
    if places and mined.places is None:
        raise InputError(f"{patterns}: the table has no places: leave --places out to look for them")
    click.echo(f"{len(mined.patterns):,} patterns, looking for their places ..." if not places else f"{len(mined.patterns):,} patterns", err=True)
    drawn = _place(mined, space, generated, seed, perplexity, places)
    learned = len(mined.patterns)
    figures = {name: measure_map(points[:learned], mined.genres, seed=seed) for name, points in (("latent", drawn.latents), ("map", drawn.places))}
    title = title or f"Drum patterns: {patterns.name}"
    if out.suffix.lower() in (".png", ".svg"):
        write_bytes(out, draw_map(drawn, out.name, title))
    else:
        flat = {name if kind == "map" else f"{name} (latent)": value for kind, found in figures.items() for name, value in found.items()}
        write_bytes(out, write_map(drawn, flat, title).encode())
    if table:
        write_bytes(table, encode_table(replace(mined, latents=drawn.latents[:learned], places=drawn.places[:learned])))
    report = {"patterns": learned, "generated": drawn.generated, "model": space.name, "figures": figures, "out": str(out)}
    report["seconds"] = round(time.perf_counter() - started, 1)
    click.echo(json.dumps(report) if as_json else _tell(report, figures))


def _place(mined: PatternTable, space: PatternSpace, generated: int, seed: int, perplexity: float, kept: bool) -> PatternMap:
    """The patterns of a table and generated ones on a plane; with ``kept`` the former lie where the table says."""
    import numpy as np

    from backbeat.evaluation.pattern_map import PatternMap, place_among, place_points

    latents = space.encode(mined.patterns)
    sampled = space.sample(generated, np.random.default_rng(seed))[0] if generated else mined.patterns[:0]
    red = space.encode(sampled)
    if kept and mined.places is not None:
        first, second = mined.places, place_among(latents, mined.places, red)
    else:
        first, second = place_points(latents, red, seed=seed, perplexity=perplexity)
    genres = (*(mined.genres or ("",) * len(latents)), *("",) * len(red))
    return PatternMap(np.concatenate([mined.patterns, sampled]), np.concatenate([latents, red]), np.concatenate([first, second]), genres, len(red), space)


def _tell(report: dict[str, object], figures: dict[str, dict[str, object]]) -> str:
    lines = [f"{report['patterns']:,} patterns and {report['generated']:,} generated ones, model {report['model']}"]
    for kind, found in figures.items():
        lines += [f"{kind}: {name} {value:.3f}" for name, value in found.items() if isinstance(value, float)]
    return "\n".join([*lines, f"wrote {report['out']} ({report['seconds']} s)"])
