"""``backbeat check``: whether two hands and two feet can play the drums of a file."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from backbeat.song import Song
    from backbeat.transforms.playability import Conflict, Limits

_LIMBS = {-1: "-", 0: "R", 1: "L", 2: "RF", 3: "LF"}


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--double-kick/--single-kick", default=True, show_default=True, help="Whether the left foot has a second kick pedal.")
@click.option("--percussionist", is_flag=True, help="Somebody else plays claps, tambourine, shaker, congas and the like: they are not judged.")
@click.option("--strict", is_flag=True, help="By the limits of what Backbeat writes: nothing is put down to the triggers of an electronic kit.")
@click.option("--sticking", is_flag=True, help="Also show who plays what: R and L are hands, RF and LF feet.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: Path, double_kick: bool, percussionist: bool, strict: bool, sticking: bool, as_json: bool) -> None:
    """Name the bars of FILE's drums that two hands and two feet cannot play: when, what is too much, and why.

    All drum parts of a song are taken together, as one drummer's. Exit code 1 where a bar cannot be played.
    """
    from backbeat.errors import InputError
    from backbeat.midi import read_song
    from backbeat.transforms.playability import PLAYED, WRITTEN, find_note_conflicts

    song = read_song(file)
    if not any(len(part.notes) for part in song.drum_parts):
        raise InputError(f"{file}: there are no drums to check")
    limits = (WRITTEN if strict else PLAYED).with_pedals(double_kick).with_percussionist(percussionist)
    conflicts = find_note_conflicts(song, limits)
    report = _report(file, song, conflicts, limits) | ({"sticking": _list_sticking(song, limits)} if sticking else {})
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(_tell(report)))
    if conflicts:
        raise InputError(f"{file}: {_count_bars(report)} cannot be played")


def _report(file: Path, song: Song, conflicts: list[Conflict], limits: Limits) -> dict[str, Any]:
    from backbeat.transforms.playability.surfaces import look_up_notes

    surfaces = [look_up_notes()[part.notes["pitch"]] for part in song.drum_parts]
    return {
        "file": str(file),
        "playable": not conflicts,
        "bars": song.grid().bars,
        "impossible_bars": sorted({c.bar + 1 for c in conflicts}),
        "notes": sum(len(s) for s in surfaces),
        "not_judged": int(sum((s < 0).sum() for s in surfaces)),
        "double_kick": limits.double_kick,
        "percussionist": limits.percussionist,
        "conflicts": [{"bar": c.bar + 1, "seconds": round(c.seconds, 4), "what": list(c.what), "among": list(c.among), "why": c.why} for c in conflicts],
    }


def _list_sticking(song: Song, limits: Limits) -> list[dict[str, Any]]:
    from backbeat.transforms.playability import assign_note_limbs
    from backbeat.transforms.playability.surfaces import name_surface

    strokes, bars, limbs = assign_note_limbs(song, limits)
    rows = zip(bars.tolist(), strokes.seconds.tolist(), strokes.surfaces.tolist(), limbs.tolist(), strict=True)
    return [{"bar": bar + 1, "seconds": round(t, 4), "what": name_surface(s), "limb": _LIMBS[limb]} for bar, t, s, limb in rows if s >= 0]


def _tell(report: dict[str, Any]) -> list[str]:
    lines = [_tell_moment(list(moment)) for _, moment in groupby(report.get("sticking", ()), key=lambda s: (s["bar"], s["seconds"]))]
    lines += [_tell_bar(list(places)) for _, places in groupby(report["conflicts"], key=lambda c: c["bar"])]
    if report["not_judged"]:
        lines.append(f"{report['not_judged']} of {report['notes']} notes lie on no instrument of a kit and are not judged")
    if report["playable"]:
        lines.append(f"{report['file']}: all {report['bars']} bars can be played")
    return lines


def _tell_bar(places: list[dict[str, Any]]) -> str:
    first, more = places[0], len(places) - 1
    also = f" (and at {more} more place{'s' * (more > 1)})" if more else ""
    return f"bar {first['bar']}, {_tell_time(first['seconds'])}: {' + '.join(first['what'])}: {first['why']}{also}"


def _tell_moment(strokes: list[dict[str, Any]]) -> str:
    played = ", ".join(f"{s['limb']} {s['what']}" for s in strokes)
    return f"bar {strokes[0]['bar']:3}  {_tell_time(strokes[0]['seconds'])}  {played}"


def _tell_time(seconds: float) -> str:
    sign, (minutes, rest) = "-" * (seconds < 0), divmod(abs(seconds), 60)
    return f"{sign}{int(minutes)}:{rest:06.3f}"


def _count_bars(report: dict[str, Any]) -> str:
    return f"{len(report['impossible_bars'])} of {report['bars']} bars"
