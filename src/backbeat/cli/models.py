"""``backbeat models``: what can score and play."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def command(as_json: bool) -> None:
    """List the models: what each can do, and whether it has to be trained first.

    A model that is ready is named to '--model' of accompany and groove; any other is trained by 'backbeat train NAME', and its
    folder is named instead.
    """
    from backbeat.models.registry import MODELS

    rows: list[dict[str, Any]] = [
        {
            "name": entry.name,
            "title": entry.title,
            "scores": entry.scores,
            "plays": entry.plays,
            "hears": entry.hears,
            "learns": entry.learns,
            "shipped": entry.shipped,
            "ready": entry.is_ready,
        }
        for entry in MODELS.values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    columns = ("scores", "plays", "hears", "learns", "ready")
    width = max(len(row["name"]) for row in rows)
    click.echo(f"{'model':{width}} {' '.join(f'{c:6}' for c in columns)}")
    for row in rows:
        can = " ".join(f"{'yes' if row[c] else '-':6}" for c in columns)
        click.echo(f"{row['name']:{width}} {can} {row['title']}")
