"""``backbeat kits``: the kit maps."""

from __future__ import annotations

import json

import click


@click.command("kits")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List kit maps, or show the one called NAME: notes read and written for each class."""
    from backbeat.kits import list_kits, load_kit

    if name is None:
        kits = [load_kit(n) for n in list_kits()]
        rows = [{"name": k.name, "classes": len(k), "title": k.title, "source": k.source, "licence": k.licence} for k in kits]
        click.echo(json.dumps(rows) if as_json else "\n".join(f"{r['name']:18} {r['classes']:3} classes  {r['title']}" for r in rows))
        return
    kit = load_kit(name)
    if as_json:
        click.echo(json.dumps(kit.to_dict()))
        return
    click.echo(f"{kit.title}\nsource: {kit.source}; licence: {kit.licence}; version {kit.version}")
    for c in kit.classes:
        click.echo(f"  {c.name:22} writes {c.write:3}  reads {' '.join(map(str, c.notes))}")
