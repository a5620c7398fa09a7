"""``backbeat tap``: a rhythm of one voice in, a whole groove out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from backbeat.cli.groove import FASTEST, SLOWEST, read_metre
from backbeat.cli.outputs import name_outputs, render_output
from backbeat.cli.touch_options import make_touch, touch_options
from backbeat.cli.wish_options import Asked, wish_options
from backbeat.errors import InputError

if TYPE_CHECKING:
    from backbeat.groove import Groove
    from backbeat.song import Song
    from backbeat.tapping import Tapped

MIDI_ENDINGS = (".mid", ".midi", ".kar", ".rmi", ".smf")


@click.command("tap")
@click.argument("line")
@click.option("--from", "part", help="Make drums of a part of a song: bass, guitar, keys ..., part of a track's name, track:3 or channel:2.")
@click.option("--band", is_flag=True, help="With --from: hear the rest of the band, too.")
@click.option("--drums", type=click.Choice(["replace", "keep"]), help="With --from: what becomes of the song's own drums. Default: replace.")
@click.option("--as", "as_class", help="Let one class play the line and nothing else: kick, snare, closed_hat, open_hat, crash, ride, a tom.")
@click.option("--between", type=float, help="How much is played between the taps, 0-1. Default: less, the denser the line is.")
@click.option("--steps-per-quarter", type=int, help="Characters in a quarter note: 4 = 16ths, 2 = 8ths, 3 = triplets. Default: 4.")
@click.option("--metre", help="Metre of a line of text. Default: 4/4.")
@click.option("--tempo", type=float, help="Quarter notes a minute of a line of text. Default: 120.")
@click.option("--bars", type=int, help="Repeat a line of text for so many bars. Default: what it fills, at least 4.")
@click.option("--style", default="any", show_default=True, help="A style of the drummer, see 'accompany --help'.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same line, options, seed and version give the same bytes.")
@click.option("--temperature", type=float, help="How adventurous: 0 plays the most likely.")
@click.option("--top-p", type=float, help="Choose only among the likely, in (0, 1].")
@click.option("--takes", type=int, default=1, show_default=True, help="How many different takes to write.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="File to write; with several takes, -2, -3 ... is added. Default: a free name in this folder."
)
@click.option("--wav", type=click.Path(path_type=Path), help="Also render the first take.")
@click.option("--model", type=click.Path(path_type=Path), help="The folder of another trained drummer.")
@wish_options
@touch_options
@click.option("--force", is_flag=True, help="Allow -o to be the input itself.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    line: str,
    part: str | None,
    band: bool,
    drums: Literal["replace", "keep"] | None,
    as_class: str | None,
    between: float | None,
    steps_per_quarter: int | None,
    metre: str | None,
    tempo: float | None,
    bars: int | None,
    style: str,
    seed: int,
    temperature: float | None,
    top_p: float | None,
    takes: int,
    out: Path | None,
    wav: Path | None,
    asked: Asked,
    model: Path | None,
    force: bool,
    as_json: bool,
    **hands: Any,  # noqa: ANN401 - see ``touch_options``
) -> None:
    """Make a groove of LINE: text such as "x..x..X.", or a MIDI file with any rhythm of one voice.

    In text x is a tap, X an accent, . and - are rests, a character is a 16th. With --from, LINE is a song, and the groove is made of one
    of its parts and put into it.
    """
    from backbeat.drummer import load_drummer
    from backbeat.models.tapping import Tapping
    from backbeat.takes import check_takes
    from backbeat.tapping import play_line

    started = time.perf_counter()
    check_takes(takes)
    if between is not None and not 0 <= between <= 1:
        raise InputError(f"--between must lie in 0-1, not {between}")
    if not part and (band or drums):
        raise InputError(f"{'--band' if band else '--drums'} goes with --from: say which part of the song is the line")
    said = {"--steps-per-quarter": steps_per_quarter, "--metre": metre, "--tempo": tempo, "--bars": bars}
    song, tapped = _read(line, part, band, said)
    paths = name_outputs(Path(line) if song else None, out, takes, wav, force=force, ending="tapped" if song else "tap")
    drummer = load_drummer(model)
    wishes = asked.lay(tapped.cues, drummer.styles) if asked else None
    options: dict[str, Any] = {"style": style, "seed": seed, "temperature": temperature, "top_p": top_p, "wishes": wishes}
    grooves = play_line(drummer, tapped, takes, how=Tapping(between=between), as_class=as_class, touch=make_touch(**hands), **options)
    for groove, path in zip(grooves, paths, strict=True):
        _write(groove, path, tapped, song if part else None, drums or "replace", force=force)
    report = {"line": line, "part": part, "style": style, "seed": seed, "asked": asked.describe()} | _report(grooves, paths, tapped)
    report |= {"wav": render_output(paths[0], wav) if wav else None, "seconds": round(time.perf_counter() - started, 3)}
    for warning in song.warnings if song else ():
        click.echo(f"backbeat: {line}: {warning}", err=True)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _read(line: str, part: str | None, band: bool, said: dict[str, Any]) -> tuple[Song | None, Tapped]:
    """The song that was named, if a file was, and the line."""
    from backbeat.codecs.taps import is_text
    from backbeat.midi import read_song
    from backbeat.tapping import tap_song, tap_text

    if part or not (is_text(line) and not Path(line).is_file()):
        if not part and not Path(line).exists() and Path(line).suffix.lower() not in MIDI_ENDINGS:
            raise InputError(f"{line!r} is neither a file nor taps: write x for a tap, X for an accent, . or - for a rest")
        if extra := [name for name, value in said.items() if value is not None]:
            raise InputError(f"{extra[0]} is for a line of text: {line} has its own tempo, metre and length")
        song = read_song(line)
        return song, tap_song(song, part, band=band)
    tempo = 120.0 if said["--tempo"] is None else float(said["--tempo"])
    if not SLOWEST <= tempo <= FASTEST:
        raise InputError(f"the tempo must lie in {SLOWEST}-{FASTEST} quarter notes a minute, not {tempo:g}")
    density = 4 if said["--steps-per-quarter"] is None else said["--steps-per-quarter"]
    return None, tap_text(line, qpm=tempo, metre=read_metre(said["--metre"] or "4/4"), bars=said["--bars"], steps_per_quarter=density)


def _write(groove: Groove, path: Path, tapped: Tapped, song: Song | None, drums: Literal["replace", "keep"], *, force: bool) -> None:
    from backbeat.midi import write_groove, write_song

    if song is not None:
        write_song(song, groove, path, drums=drums, force=force)
    else:
        write_groove(groove, path, tapped.tempo, tapped.metre)


def _report(grooves: list[Groove], paths: list[Path], tapped: Tapped) -> dict[str, Any]:
    line = tapped.line
    takes = []
    for groove, path in zip(grooves, paths, strict=True):
        played = int((groove.hits.any(axis=1) & line.taps).sum())
        takes.append({"path": str(path), "played": played, "hits": groove.count_hits()})
    return {"bars": line.grid.bars, "taps": int(line.taps.sum()), "accents": int((line.rank_accents() > 0).sum()), "takes": takes}


def _tell(report: dict[str, Any]) -> str:
    lines = [f"{report['taps']} taps, {report['accents']} of them accents, in {report['bars']} bars"]
    for take in report["takes"]:
        hits = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in sorted(take["hits"].items(), key=lambda item: -item[1]) if n)
        lines.append(f"wrote {take['path']}: {take['played']} taps played; {hits or 'nothing'}")
    if report["wav"]:
        lines.append(f"wrote {report['wav']['path']} ({report['wav']['seconds']} s, peak {report['wav']['peak']})")
    return "\n".join([*lines, f"{report['seconds']} s, seed {report['seed']}"])
