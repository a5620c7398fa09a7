"""``backbeat train``: train a model (needs the extra ``train``)."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backbeat.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from backbeat.training.drummer import Recipe


@click.command("train")
@click.argument("model", type=click.Choice(["drummer"]))
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--validation", type=click.Path(path_type=Path), required=True, help="Corpus to measure on.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder of the run; an unfinished run there is resumed.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A field of the recipe: updates, stop, lanes, length, rate, seed ...")
@click.option("--without-band", is_flag=True, help="The twin that never hears a band, to measure what listening is worth.")
@click.option("--export", type=click.Path(path_type=Path), help="Afterwards write the folder that 'accompany --model' loads.")
def command(model: str, corpus: Path, validation: Path, out: Path, settings: tuple[str, ...], without_band: bool, export: Path | None) -> None:
    """Train MODEL on CORPUS (see 'backbeat corpus build').

    Started by torchrun, all processes train one network; each takes one core.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("torch", "train") from error
    from backbeat.datasets.corpus import Corpus
    from backbeat.training.drummer import Recipe, join_processes, train
    from backbeat.training.export import export_run
    from backbeat.training.streams import Augmentation

    torch.set_num_threads(1)
    join_processes()
    recipe = _set_fields(Recipe(), settings)
    if without_band:
        recipe = replace(recipe, augmentation=Augmentation(no_band=1.0))
    run = train(Corpus(corpus), Corpus(validation), out, recipe, report=lambda line: click.echo(line, err=True))
    if export:
        export_run(run, Corpus(corpus), export)
        click.echo(f"wrote {export}")


def _set_fields(recipe: Recipe, settings: tuple[str, ...]) -> Recipe:
    kinds = {f.name: type(getattr(recipe, f.name)) for f in fields(recipe)}
    for setting in settings:
        key, _, value = setting.partition("=")
        if kinds.get(key) not in (int, float):
            raise InputError(f"--set {setting}: the recipe has no number called {key!r}; it has {', '.join(k for k, t in kinds.items() if t in (int, float))}")
        try:
            recipe = replace(recipe, **{key: kinds[key](value)})
        except ValueError as error:
            raise InputError(f"--set {setting}: {value!r} is not a number") from error
    return recipe
