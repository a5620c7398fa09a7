"""``backbeat accompany``: a song in, the same song with a drummer out."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from backbeat.cli.touch_options import lean_on_profile, make_touch, touch_options
from backbeat.cli.wish_options import Asked, wish_options
from backbeat.errors import InputError, OutputError

if TYPE_CHECKING:
    from backbeat.groove import Groove
    from backbeat.midi import WriteReport
    from backbeat.song import Song


@click.command("accompany")
@click.argument("song", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="File to write; with several takes, -2, -3 ... is added. Default: a free name in this folder, SONG-drums.mid.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="The same song, options, seed and version give the same bytes.")
@click.option("--temperature", type=float, help="How adventurous: 0 plays the most likely, 1 as varied as the songs it learned from.")
@click.option("--top-p", type=float, help="Choose only among the likely, in (0, 1].")
@click.option(
    "--style",
    default="any",
    show_default=True,
    help="rock, pop, metal, punk, jazz, blues, funk, soul, latin, afro, hiphop, electronic, country, folk, reggae or gospel.",
)
@click.option("--drums", type=click.Choice(["replace", "keep"]), default="replace", show_default=True, help="What becomes of drums that the song has already.")
@click.option("--steps-per-quarter", type=int, default=4, show_default=True, help="Grid of the drums: 4 = 16ths, 2 = 8ths, 3 = triplets.")
@click.option("--takes", type=int, default=1, show_default=True, help="How many different takes to write.")
@click.option("--wav", type=click.Path(path_type=Path), help="Also render the song with its drums (the first take).")
@wish_options
@touch_options
@click.option("--model", help="Another model: a name of 'backbeat models', or the folder of a trained one.")
@click.option("--force", is_flag=True, help="Allow -o to be the song itself.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    song: Path,
    out: Path | None,
    seed: int,
    temperature: float | None,
    top_p: float | None,
    style: str,
    drums: Literal["replace", "keep"],
    steps_per_quarter: int,
    takes: int,
    wav: Path | None,
    asked: Asked,
    model: str | None,
    force: bool,
    as_json: bool,
    **hands: Any,  # noqa: ANN401 - see ``touch_options``
) -> None:
    """Add a drum track to SONG, a MIDI file.

    Every byte of the song is kept; only its own drum parts leave (--drums keep keeps them, too).
    """
    from backbeat.cues import hear
    from backbeat.drummer import check_song, load_player
    from backbeat.midi import read_song, write_song

    started = time.perf_counter()
    read = read_song(song)
    paths = _name_outputs(song, out, takes)
    for path in paths:
        if not force and path.exists() and path.samefile(song):
            raise OutputError(f"{path} is the input: use another -o, or --force")
    drummer = lean_on_profile(load_player(model), hands["profile"])
    wishes = None
    if asked:
        check_song(read)
        wishes = asked.lay(hear(read, read.grid()), drummer.styles)
    draw: dict[str, Any] = {"temperature": temperature, "top_p": top_p, "wishes": wishes}
    grooves = drummer.accompany_takes(read, takes, style=style, seed=seed, steps_per_quarter=steps_per_quarter, touch=make_touch(**hands), **draw)
    if wav is not None and wav.resolve() in {p.resolve() for p in (song, *paths)}:
        raise InputError(f"{wav} is the song or its output: use another --wav")
    written = [write_song(read, groove, path, drums=drums, force=force) for groove, path in zip(grooves, paths, strict=True)]
    sound = _render(paths[0], wav) if wav else None
    report = _report(read, grooves, written, drums, {"name": drummer.model.name, "folder": model}) | {
        "seed": seed,
        "style": style,
        "asked": asked.describe(),
    }
    report |= {"wav": sound, "seconds": round(time.perf_counter() - started, 3)}
    for warning in read.warnings:
        click.echo(f"backbeat: {song}: {warning}", err=True)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _name_outputs(song: Path, out: Path | None, takes: int) -> list[Path]:
    """The files to write; without -o a free name, so that an earlier take is never lost."""
    first = out or next(p for k in count(1) if not (p := Path(f"{song.stem}-drums{f'-{k}' if k > 1 else ''}.mid")).exists())
    if not first.name:
        raise OutputError(f"{first}: this is a folder, name a file in it")
    return [first if k == 0 else first.with_name(f"{first.stem}-{k + 1}{first.suffix}") for k in range(takes)]


def _render(path: Path, wav: Path) -> dict[str, Any]:
    from backbeat.render.audio import render_midi

    audio = render_midi(path.read_bytes())
    audio.write(wav)
    return {"path": str(wav), "seconds": round(audio.seconds, 2), "peak": round(audio.peak, 3), "rms": round(audio.rms, 4)}


def _report(song: Song, grooves: list[Groove], written: list[WriteReport], drums: str, model: dict[str, Any]) -> dict[str, Any]:
    grid = grooves[0].grid
    metres: dict[str, int] = {}
    for n, d in zip(grid.numerators, grid.denominators, strict=True):
        metres[f"{n}/{d}"] = metres.get(f"{n}/{d}", 0) + 1
    tempi = [song.tempo.qpm(t) for t in song.tempo.ticks]
    merged = sum(w.merged for w in written)
    notes = [{"what": "merged", "count": merged, "why": "two instruments write the same MIDI note at the same time"}] if merged else []
    if drums == "replace" and song.drum_parts:
        notes.append({"what": "removed", "count": sum(len(p.notes) for p in song.drum_parts), "why": "notes of the song's own drum parts (--drums replace)"})
    return {
        "song": song.source,
        "out": [str(w.path) for w in written],
        "bars": grid.bars,
        "metre": {"bars": metres, "changes": len(song.metre.ticks) - 1},
        "tempo": {"first": round(tempi[0], 2), "lowest": round(min(tempi), 2), "highest": round(max(tempi), 2), "changes": len(tempi) - 1},
        "steps_per_quarter": grid.steps_per_quarter,
        "hits": grooves[0].count_hits(),
        "takes": [{"path": str(w.path), "notes": w.notes, "hits": g.count_hits()} for g, w in zip(grooves, written, strict=True)],
        "model": model,
        "notes": notes,
        "warnings": list(song.warnings),
        "drum_parts": [{"track": p.track, "channel": p.channel + 1, "name": p.name, "why": p.drums, "notes": len(p.notes)} for p in song.drum_parts],
    }


def _tell(report: dict[str, Any]) -> str:
    """The report in a few lines for people."""
    metres = ", ".join(f"{m} x {n}" for m, n in report["metre"]["bars"].items())
    hits = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in sorted(report["hits"].items(), key=lambda item: -item[1]) if n)
    tempo = report["tempo"]
    lines = [f"{report['bars']} bars ({metres}), {tempo['lowest']:g}-{tempo['highest']:g} BPM", f"played: {hits or 'nothing'}"]
    lines += [f"{n['what']}: {n['count']} ({n['why']})" for n in report["notes"]]
    lines += [f"wrote {path}" for path in report["out"]]
    if report["wav"]:
        lines.append(f"wrote {report['wav']['path']} ({report['wav']['seconds']} s, peak {report['wav']['peak']})")
    return "\n".join([*lines, f"{report['seconds']} s, seed {report['seed']}"])
