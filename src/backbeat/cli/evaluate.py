"""``backbeat evaluate``: the drummer beside its floors, on the same songs."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import click

from backbeat.cli.progress import show_progress


@click.command("evaluate")
@click.argument("model", type=click.Choice(["drummer"]))
@click.argument("data_set")
@click.option("--data", type=click.Path(path_type=Path), envvar="BACKBEAT_DATA", required=True, help="Folder with the data sets (or BACKBEAT_DATA).")
@click.option("--folder", type=click.Path(path_type=Path), help="Folder of another drummer than the one that ships.")
@click.option("--floors", type=click.Path(path_type=Path), help="Corpus to fit the floors on; without it only those that need none.")
@click.option("--floor-share", type=int, default=1, show_default=True, help="Fit the n-grams on every n-th piece.")
@click.option("--tune", default="songs:validation", show_default=True, help="Songs to tune the floors on.")
@click.option("--limit", type=int, default=0, help="Measure on so many songs, spread over the set (0 = all).")
@click.option("--sense", type=int, default=100, show_default=True, help="Songs for the figures of musical sense.")
@click.option("--workers", type=int, default=2, show_default=True, help="Processes.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write the report here, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    model: str,
    data_set: str,
    data: Path,
    folder: Path | None,
    floors: Path | None,
    floor_share: int,
    tune: str,
    limit: int,
    sense: int,
    workers: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Measure MODEL on DATA_SET (songs:validation, songs:test).

    Likelihoods: whole songs, each step given the real drums before it. Song-only onsets: no drums given.
    """
    from backbeat.evaluation import measuring as evaluation
    from backbeat.datasets import list_sources
    from backbeat.files import write_bytes

    sources = list_sources(data_set, data)
    if limit and limit < len(sources):
        sources = [sources[i * len(sources) // limit] for i in range(limit)]
    shipped = resources.files("backbeat").joinpath("weights/drummer")
    with show_progress("drummer", len(sources)) as advance, resources.as_file(shipped) as own:
        measured, rejected = evaluation.measure_all(sources, folder or own, workers=workers, progress=advance)
    scorers, players = _fit_floors(floors, floor_share, list_sources(tune, data) if floors else [])
    few = [measured[i * len(measured) // sense] for i in range(sense)] if len(measured) > sense else measured
    report: dict[str, Any] = {
        "data": data_set,
        "songs": len(measured),
        "rejected": rejected,
        "likelihood, whole song, own history": evaluation.tabulate_likelihood(measured, scorers),
        "song-only onsets (no drums given)": evaluation.tabulate_onsets(measured, players),
        f"musical sense, {len(few)} songs": evaluation.tabulate_sense(few, players),
    }
    text = json.dumps(report, indent=1)
    if out:
        write_bytes(out, text.encode())
    click.echo(text if as_json else _tell(report))


def _fit_floors(corpus: Path | None, share: int, tuning: list[Any]) -> tuple[list[Any], list[Any]]:
    from backbeat.models.floors import CopyBars, RockLoop, RockWithBass, Template

    players: list[Any] = [RockLoop(), RockWithBass(), CopyBars(1), CopyBars(4)]
    if corpus is None:
        return [], players
    from backbeat.evaluation import measuring as evaluation
    from backbeat.datasets.corpus import Corpus
    from backbeat.models.cache import CacheMixture
    from backbeat.models.ngram import NGram
    from backbeat.models.pieces import read_pieces
    from backbeat.models.trees import BoostedTrees

    pieces = list(read_pieces(Corpus(corpus), every=share, band_only=True))
    cases = [evaluation.load_case(s) for s in tuning]
    songs = [c.piece for c in cases if isinstance(c, evaluation.Case)]
    scorers: list[Any] = [NGram.of_order(1), NGram.of_order(5), CacheMixture()]
    fitted: list[Any] = [Template(), BoostedTrees()]
    for floor in (*scorers, *fitted):
        click.echo(f"fitting {floor.name} on {len(pieces)} pieces", err=True)
        floor.fit(pieces)
        floor.tune(songs)
    return scorers, [*fitted, *players]


def _tell(report: dict[str, Any]) -> str:
    lines = [f"{report['data']}: {report['songs']} songs, {len(report['rejected'])} could not be measured on"]
    for name, rows in report.items():
        if isinstance(rows, list):
            columns = list(dict.fromkeys(k for row in rows for k in row if k != "model"))
            lines += ["", name, " " * 36 + " ".join(f"{c[:11]:>11}" for c in columns)]
            lines += [f"{row['model']:36}" + " ".join(f"{row[c]:11.4g}" if c in row else " " * 11 for c in columns) for row in rows]
    return "\n".join(lines)
