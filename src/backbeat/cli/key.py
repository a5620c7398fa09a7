"""``backbeat key``: which key files are in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command("key")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--method", type=click.Choice(["ours", "tonika"]), default="ours", show_default=True, help="ours, or the rules of the original detector of 2020.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file, each on a line of its own.")
def command(paths: tuple[Path, ...], method: str, as_json: bool) -> None:
    """Say which key each PATH is in: MIDI files, and folders, of which every MIDI file is taken, those in folders below too.

    Drums are not heard. A file that cannot be read, or has no note but drums, gives one line on stderr; the others go on, and the exit status
    is 1 at the end.
    """
    from backbeat.errors import BackbeatError
    from backbeat.midi import read_song

    failed = False
    for path in _list_files(paths):
        try:
            if isinstance(path, Exception):
                raise path
            report = {"file": str(path), **_report(read_song(path), method)}
        except (BackbeatError, MemoryError) as error:
            failed = True
            click.echo(f"backbeat: {' '.join(str(error).split()) or f'{path}: out of memory'}", err=True)
            continue
        click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))
    if failed:
        raise SystemExit(1)


def _list_files(paths: tuple[Path, ...]) -> Iterator[Path | Exception]:
    """The files, folders opened; an error for a folder that holds none or cannot be listed."""
    from backbeat.datasets.folders import list_files
    from backbeat.errors import BackbeatError, InputError

    for path in paths:
        if not path.is_dir():
            yield path
            continue
        count = 0
        try:
            for count, (name, _) in enumerate(list_files(path), 1):  # noqa: B007 - the count is asked for behind the loop
                yield Path(name)
        except BackbeatError as error:
            yield error
            continue
        if not count:
            yield InputError(f"{path}: no MIDI file in this folder")


def _report(song: Any, method: str) -> dict[str, Any]:  # noqa: ANN401 - a Song, whose module is loaded later
    from backbeat.tonality.keys import find_key
    from backbeat.tonality.tonika import find_key_by_rules

    found = find_key(song) if method == "ours" else find_key_by_rules(song)
    return {"key": found.name, "tonic": found.tonic, "mode": found.mode, "confidence": round(found.confidence, 4)}


def _tell(report: dict[str, Any]) -> str:
    return f"{report['key']:4} {report['tonic'] + ' ' + report['mode']:9} {report['confidence']:5.0%}  {report['file']}"
