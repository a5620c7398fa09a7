"""``backbeat corpus check``: whether a copy of a data set is whole."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("check")
@click.argument("name")
@click.option("--data", type=click.Path(path_type=Path), envvar="BACKBEAT_DATA", required=True, help="Folder with the data sets (or BACKBEAT_DATA).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(name: str, data: Path, as_json: bool) -> None:
    """Check the files of data set NAME against the checksums that ship.

    Exit code 1 where a file is missing or changed.
    """
    from backbeat.datasets import DATASETS
    from backbeat.datasets.checksums import check_dataset
    from backbeat.errors import InputError

    if name not in DATASETS:
        raise InputError(f"no data set {name!r}: choose from {', '.join(DATASETS)}")
    dataset = DATASETS[name]
    faults = check_dataset(dataset, data)
    if as_json:
        click.echo(json.dumps({"name": name, "checked": len(dataset.index), "faults": faults}))
    else:
        for fault in faults:
            click.echo(fault)
    if faults:
        raise InputError(f"{name}: {len(faults)} of {len(dataset.index)} checksums do not fit: {dataset.download}")
    if not as_json:
        click.echo(f"{name}: all {len(dataset.index)} checksums fit")
