"""``backbeat infill``: some bars of a song's drums anew, everything else as it is."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.cli.outputs import name_outputs, render_output
from backbeat.cli.wish_options import Asked, read_bars, wish_options

if TYPE_CHECKING:
    from backbeat.infilling import Infilled


@click.command("infill")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("--bars", required=True, help="Bars to play anew, counted from 1, such as 9-12 or 9-12,20.")
@click.option("--keep", default="", help="Classes that stay in these bars, too, such as kick,snare.")
@click.option("--takes", type=int, default=1, show_default=True, help="How many different takes to write.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write; with several takes, -2, -3 ... is added. Default: a free SONG-infill.mid.")
@click.option("--style", default="any", show_default=True, help="A style of the drummer, see 'accompany --help'.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same song, options, seed and version give the same bytes.")
@click.option("--temperature", type=float, help="How adventurous: 0 plays the most likely. Default: 0.6.")
@click.option("--top-p", type=float, help="Choose only among the likely, in (0, 1].")
@click.option("--wav", type=click.Path(path_type=Path), help="Also render the song with its new bars (the first take).")
@wish_options
@click.option("--model", type=click.Path(path_type=Path), help="The folder of another trained drummer.")
@click.option("--machine", is_flag=True, help="Also hits that two hands and two feet cannot play.")
@click.option("--force", is_flag=True, help="Allow -o to be the song itself.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    song: Path,
    bars: str,
    keep: str,
    takes: int,
    out: Path | None,
    style: str,
    seed: int,
    temperature: float | None,
    top_p: float | None,
    wav: Path | None,
    asked: Asked,
    model: Path | None,
    machine: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Play some bars of SONG's own drums anew; everything else stays, byte for byte."""
    from backbeat.cues import hear
    from backbeat.drummer import load_drummer
    from backbeat.files import write_bytes
    from backbeat.infilling import infill_song
    from backbeat.midi import read_song
    from backbeat.takes import check_takes

    started = time.perf_counter()
    chosen = read_bars(bars)
    names = [name.strip() for name in keep.split(",") if name.strip()]
    check_takes(takes)
    read = read_song(song)
    paths = name_outputs(song, out, takes, wav, force=force, ending="infill")
    drummer = load_drummer(model)
    wishes = asked.lay(hear(read, read.grid()), drummer.styles) if asked else None
    draw: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "wishes": wishes}
    done = infill_song(drummer, read, [b - 1 for b in chosen], keep=names, takes=takes, style=style, seed=seed, machine=machine, **draw)
    for path, take in zip(paths, done, strict=True):
        write_bytes(path, take.data)
    for warning in read.warnings:
        click.echo(f"backbeat: {song}: {warning}", err=True)
    report = {
        "song": str(song),
        "bars": chosen,
        "keep": names,
        "style": style,
        "seed": seed,
        "asked": asked.describe(),
        "takes": [_report(p, t) for p, t in zip(paths, done, strict=True)],
    }
    report |= {"wav": render_output(paths[0], wav) if wav else None, "warnings": list(read.warnings), "seconds": round(time.perf_counter() - started, 3)}
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _report(path: Path, take: Infilled) -> dict[str, Any]:
    return {"path": str(path), "removed": take.removed, "added": take.added, "kept": take.kept, "hits": take.groove.count_hits()}


def _tell(report: dict[str, Any]) -> str:
    lines = []
    for take in report["takes"]:
        kept = f", {take['kept']} stayed" if take["kept"] else ""
        lines.append(f"wrote {take['path']}: {take['added']} notes in place of {take['removed']}{kept}")
    if report["wav"]:
        lines.append(f"wrote {report['wav']['path']} ({report['wav']['seconds']} s, peak {report['wav']['peak']})")
    return "\n".join([*lines, f"{report['seconds']} s, seed {report['seed']}"])
