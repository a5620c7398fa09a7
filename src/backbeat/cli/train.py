"""``backbeat train``: train a model, network or floor."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.errors import InputError

if TYPE_CHECKING:
    from backbeat.models.fitting import Fit

FLOORS = ("unigram", "bigram", "ngram5", "ngram17", "cache", "template", "trees")
NETWORKS = ("drummer", "lstmetallica", "drums-rnn", "neural-drummer", "notes", "performer", "melody", "pattern-space")
LEARNERS = (*FLOORS, *NETWORKS)
"""Models that learn: floors, and what the common loop trains. A test keeps the lists as the registries are, which are slow to import."""


@click.command("train")
@click.argument("model", type=click.Choice(LEARNERS))
@click.argument("data_set", metavar="DATA")
@click.option("--validation", default="", help="Data to tune and measure on; default: the data's own validation split, or every tenth piece.")
@click.option("--data", "data_folder", type=click.Path(path_type=Path), envvar="BACKBEAT_DATA", help="Folder with the data sets (or BACKBEAT_DATA).")
@click.option("--style", default="", help="Only pieces of this style.")
@click.option("--kind", type=click.Choice(["beat", "fill"]), help="Only beats, or only fills, where the data say so.")
@click.option("--config", default="", help="A recipe by name: 'original' is faithful to the source. A wrong name lists those there are.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A field of the recipe, such as updates, batch, rate, layers, units, seed.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder of the run.")
@click.option("--resume", is_flag=True, help="Go on with the run in that folder.")
@click.option("--from", "begin", type=click.Path(path_type=Path), help="Start from the weights of this run or file (fine-tune).")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, or auto: a GPU where there is one.")
@click.option("--sweep", default="", metavar="GRID", help='Train every combination and print a table: "layers=1,2,3 units=64,128".')
@click.option("--by-genre", is_flag=True, help="Train on all data, and on each genre of it.")
@click.option("--every", type=int, default=1, show_default=True, help="Floors: fit on every n-th piece.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(model: str, every: int, **wishes: Any) -> None:  # noqa: ANN401 - see ``Wishes``
    """Train MODEL on DATA: a corpus, a data set (groove_midi, songs:train ...), a folder or an archive.

    A floor is fitted, tuned and measured in one go. Networks need the extra 'train'; a run writes its checkpoints, log, curves
    and best weights to -o, and what '--model' of other commands takes to OUT/model. Stopped, however hard, and resumed, it
    ends with the same weights. Started by torchrun, all processes train one network, each on one core.
    """
    if model in NETWORKS:
        from backbeat.cli.train_network import Wishes, train_network

        train_network(Wishes(model, **wishes))
        return
    _fit_floor(model, every, **wishes)


def _fit_floor(model: str, every: int, *, out: Path | None, settings: tuple[str, ...], as_json: bool, **wishes: Any) -> None:  # noqa: ANN401 - see ``Wishes``
    from backbeat.models.checkpoint import check_folder
    from backbeat.models.registry import make_model, save_model

    started = time.perf_counter()
    if out:
        check_folder(out)
    made = make_model(model, dict(_read_number(setting) for setting in settings))
    fit = _fit(made, model, every, **wishes)
    if out:
        save_model(fit.model, out, fit.data, {"held out, whole pieces": fit.figures})
    report = {"model": model, "data": fit.data, "held out": fit.figures, "out": str(out) if out else None, "seconds": round(time.perf_counter() - started, 2)}
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _fit(made: Any, model: str, every: int, *, data_set: str, validation: str, data_folder: Path | None, style: str, kind: str | None, **rest: Any) -> Fit:  # noqa: ANN401 - as above
    """Fit a floor on a corpus, or on the files of any other data."""
    from backbeat.datasets.corpus import Corpus
    from backbeat.evaluation.cases import Choice
    from backbeat.evaluation.fitting import read_pieces
    from backbeat.evaluation.learning import find_data
    from backbeat.models.fitting import fit_model, fit_pieces
    from backbeat.models.registry import MODELS

    def say(line: str) -> None:
        click.echo(line, err=True)

    if (Path(data_set) / "meta.json").is_file() and not (style or kind):
        held_out = Corpus(Path(validation)) if validation else None
        return fit_model(made, MODELS[model], Corpus(Path(data_set)), held_out, every=every, report=say)
    choice = Choice(style=style, kind=kind or "")
    data = find_data(data_set, validation, data_folder, choice)
    pieces, tuning = (read_pieces(sources, choice) for sources in (data.train[::every], data.validation))
    return fit_pieces(made, MODELS[model], pieces, tuning, {"corpus": data.name, "tuned_on": validation or "held-out pieces of it", **data.describe()}, say)


def _tell(report: dict[str, Any]) -> str:
    data, figures = report["data"], report["held out"]
    lines = [f"{report['model']}: fitted on {data['pieces']:,} pieces, held out {data['tuned_on_pieces']:,} ({data['tuned_on']})"]
    lines += [
        f"{name.replace('_', ' '):16} {value:,.0f}" if name in ("steps", "onsets") else f"{name.replace('_', ' '):16} {value:.4f}"
        for name, value in figures.items()
    ]
    lines.append(f"wrote {report['out']}" if report["out"] else "not kept: name a folder with -o")
    return "\n".join([*lines, f"{report['seconds']} s"])


def _read_number(setting: str) -> tuple[str, int]:
    key, _, value = setting.partition("=")
    try:
        return key, int(value)
    except ValueError as error:
        raise InputError(f"--set {setting}: {value!r} is not a whole number") from error
