"""``backbeat inspect``: what is understood of a MIDI file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from backbeat.song import Song


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: Path, as_json: bool) -> None:
    """Show parts, metres, tempi, bars, drum parts and warnings of FILE."""
    from backbeat.midi import read_song

    report = _report(read_song(file))
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _report(song: Song) -> dict[str, Any]:
    import numpy as np

    from backbeat.cues import assign_lanes

    grid = song.grid()
    lanes = dict(zip(map(id, song.band), assign_lanes(song.band), strict=True))

    def bar(tick: int) -> int:
        return int(np.searchsorted(grid.bar_ticks[:-1], tick, side="right"))

    metre = zip(song.metre.ticks, song.metre.numerators, song.metre.denominators, strict=True)
    return {
        "file": song.source,
        "format": song.format,
        "ticks_per_quarter": song.tempo.ticks_per_quarter,
        "smpte": song.tempo.ticks_per_second is not None,
        "bars": grid.bars if any(len(p.notes) for p in song.parts) else 0,
        "seconds": round(song.tempo.seconds(song.last_note_tick), 2),
        "parts": [
            {
                "track": p.track,
                "channel": p.channel + 1,
                "program": p.program,
                "name": p.name,
                "notes": len(p.notes),
                "lane": lanes.get(id(p)),
                "drums": p.drums or None,
            }
            for p in song.parts
        ],
        "metre": [{"bar": bar(t), "tick": t, "metre": f"{n}/{d}"} for t, n, d in metre],
        "tempo": [{"bar": bar(t), "tick": t, "bpm": round(song.tempo.qpm(t), 3)} for t in song.tempo.ticks],
        "drum_parts": sum(p.is_drums for p in song.parts),
        "warnings": list(song.warnings),
    }


def _tell(report: dict[str, Any], most: int = 12) -> str:
    lines = [f"{report['file']}: format {report['format']}, {report['ticks_per_quarter']} ticks per quarter, {report['bars']} bars, {report['seconds']} s"]
    for p in report["parts"]:
        role = f"drums ({p['drums']})" if p["drums"] else p["lane"]
        lines.append(f"  track {p['track']} channel {p['channel']:2} program {p['program']:3} {p['notes']:5} notes  {role:18} {p['name']}")
    for name, key in (("metre", "metre"), ("tempo", "bpm")):
        changes = [f"bar {c['bar']}: {c[key]}" for c in report[name][:most]]
        more = len(report[name]) - most
        lines.append(f"{name}: {', '.join(changes)}{f' and {more} more' if more > 0 else ''}")
    return "\n".join([*lines, *(f"warning: {w}" for w in report["warnings"])])
