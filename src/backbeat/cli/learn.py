"""``backbeat learn``: a player's takes in, a profile of the player out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.cli.progress import show_progress
from backbeat.errors import BackbeatError, InputError

if TYPE_CHECKING:
    from backbeat.profiles import Take

_ENDINGS = (".mid", ".midi", ".smf")


@click.command("learn")
@click.argument("takes", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("profile"), show_default=True, help="Folder to write; must be new or empty.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which takes are left out together when the profile is measured.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(takes: tuple[Path, ...], out: Path, seed: int, as_json: bool) -> None:
    """Learn a player from 1-10 of their TAKES, MIDI files or folders of them; --profile of humanise, accompany and groove plays like them."""
    from backbeat.models.performer import open_performer
    from backbeat.profiles import check_profile_folder, count_folds, cross_validate, learn_manner, write_profile

    started = time.perf_counter()
    check_profile_folder(out)
    paths = list_files(takes)
    read, notes = read_takes(paths)
    net = open_performer()
    with show_progress("takes left out", count_folds(len(read))) as advance:
        result = cross_validate(net, read, seed, watch=advance)
    manner = learn_manner(net, read)
    bits = {
        side: {"velocity": round(float(r[0]), 3), "lateness": round(float(r[1]), 3), "sum": round(float(r.sum()), 3)}
        for side, r in (("before", result.before), ("after", result.after))
    }
    figures: dict[str, Any] = {"bits_per_onset": bits, "fall": round(result.fall, 4), "held_out_strokes": result.strokes}
    data = {"takes": len(read), "strokes": sum(len(t.strokes) for t in read)}
    write_profile(manner, out, data, figures)
    report = {"out": str(out)} | data | figures | {"drummer": manner.drummer, "style": manner.style, "left_out": notes}
    report |= {"seconds": round(time.perf_counter() - started, 2)}
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def list_files(paths: tuple[Path, ...]) -> list[Path]:
    """The MIDI files that are named or lie in folders that are.

    Raises:
        InputError: there are none, or more than may be learned from.
    """
    from backbeat.profiles import MOST_TAKES

    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in _ENDINGS and p.is_file())
            if not inside:
                raise InputError(f"{path}: no MIDI files in this folder")
            found += inside
        else:
            found.append(path)
    unique = list({p.resolve(): p for p in found}.values())
    if len(unique) > MOST_TAKES:
        raise InputError(f"{len(unique)} takes are more than a profile is learned from: choose up to {MOST_TAKES}")
    return unique


def read_takes(paths: list[Path]) -> tuple[list[Take], list[str]]:
    """The strokes of files.

    Raises:
        InputError: a file that was named has no drums, or cannot be read.
    """
    import numpy as np

    from backbeat.midi import read_song
    from backbeat.midi.reading import read_strokes
    from backbeat.profiles import make_take

    takes, notes = [], []
    for path in paths:
        try:
            reading = read_strokes(read_song(path))
            if not len(reading.strokes):
                raise InputError(f"{path} has no drum notes")
        except BackbeatError as error:
            if len(paths) == 1:
                raise InputError(f"{error}: nothing to learn from") from error
            raise
        if not reading.aligned:
            notes.append(f"{path}: the drums do not lie on the bars of the file, their timing says little")
        takes.append(make_take(reading.strokes.play(late=reading.lateness.astype(np.float32))))
    return takes, notes


def _tell(report: dict[str, Any]) -> str:
    before, after = report["bits_per_onset"]["before"], report["bits_per_onset"]["after"]
    lines = [f"{report['strokes']:,} strokes of {report['takes']} takes; most like {report['drummer']}, style {report['style']}"]
    lines.append(f"bits per onset on {report['held_out_strokes']:,} strokes that were left out:")
    lines.append(f"  {'':10}{'before':>8}{'after':>8}{'fall':>8}")
    for name in ("velocity", "lateness", "sum"):
        fall = f"{100 * (1 - after[name] / before[name]):.1f} %" if before[name] > 0 else "-"
        lines.append(f"  {name:10}{before[name]:8.2f}{after[name]:8.2f}{fall:>8}")
    lines += [f"  note: {note}" for note in report["left_out"]]
    if report["fall"] < 0.02:
        lines.append("  note: the performer knows players like this one already; the profile changes little")
    return "\n".join([*lines, f"wrote {report['out']}", f"{report['seconds']} s"])
