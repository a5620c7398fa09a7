"""``backbeat humanise``: drums in, the same drums played by a person out."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.errors import InputError, OutputError

if TYPE_CHECKING:
    from backbeat.humanising import Humanised, Wish


@click.command("humanise")
@click.argument("drums", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write. Default: DRUMS-humanised.mid beside it, or a free name.")
@click.option("--style", default="any", show_default=True, help="Play in a style, such as rock, funk or jazz.")
@click.option("--drummer", default="any", show_default=True, help="Play like a drummer of Groove MIDI, such as drummer7.")
@click.option("--profile", type=click.Path(path_type=Path), help="Play like the player of a profile, a folder that 'backbeat learn' wrote.")
@click.option("--tightness", type=float, default=1.0, show_default=True, help="2 halves the spread of the timing, 0.5 doubles it.")
@click.option("--dynamics", type=float, default=1.0, show_default=True, help="2 doubles the spread of the velocities, 0 makes them alike.")
@click.option("--temperature", type=float, default=1.0, show_default=True, help="How unusual the playing may be.")
@click.option("--mean", is_flag=True, help="Play what people do on average, without drawing.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same options, seed and version give the same bytes.")
@click.option("--swing", type=float, help="Percent of a pair at which its second note falls: 50 straight, 66.7 triplets, up to 75.")
@click.option("--swing-of", type=click.Choice(["8", "16"]), help="Swing 8ths or 16ths. Default: what the drums play.")
@click.option("--push", "pushes", multiple=True, metavar="MS|CLASS=MS", help="Play so many ms ahead on average; hat=3: one class. Repeatable.")
@click.option("--lay-back", "lay_backs", multiple=True, metavar="MS|CLASS=MS", help="Play so many ms behind on average; snare=8: one class. Repeatable.")
@click.option("--groove", type=click.Path(path_type=Path), help="Take the feel of the drums of this MIDI file.")
@click.option("--ornaments", metavar="NAME,..", help="Add ghosts, flams, drags (or all) where people do.")
@click.option("--ornament-amount", type=float, default=1.0, show_default=True, help="How many: 1 = as often as people do.")
@click.option("--keep-velocity", is_flag=True, help="Leave velocities as they are.")
@click.option("--keep-timing", is_flag=True, help="Leave timing as it is, but for swing, push and tightness.")
@click.option("--free-accents", is_flag=True, help="Do not follow the soft and loud notes of the file.")
@click.option("--force", is_flag=True, help="Allow -o to be DRUMS itself.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(drums: Path, out: Path | None, groove: Path | None, force: bool, as_json: bool, **options: Any) -> None:  # noqa: ANN401 - click's
    """Play the drums of DRUMS, a drum track or a whole song, as a person would: velocity and timing. What is hit stays, so does all else."""
    from backbeat.files import write_bytes
    from backbeat.humanising import humanise
    from backbeat.midi import read_song
    from backbeat.profiles import load_profile

    started = time.perf_counter()
    wish = _read_wish(options)
    song = read_song(drums)
    out = out or _find_name(drums)
    _check_name(out, drums, groove, force)
    other = read_song(groove) if groove else None
    player = load_profile(options["profile"]) if options["profile"] else None
    done = humanise(song, wish, player=player, groove=other)
    write_bytes(out, done.data)
    report = _describe(done, wish) | {"file": str(drums), "out": str(out), "warnings": list(song.warnings), "seconds": round(time.perf_counter() - started, 3)}
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _read_wish(options: dict[str, Any]) -> Wish:
    from backbeat.humanising import Wish
    from backbeat.performer import Playing
    from backbeat.transforms.feel import Feel
    from backbeat.transforms.ornaments import KINDS, Ornaments

    late_ms, late_ms_of = _read_lateness(options["pushes"], options["lay_backs"])
    swing_of = int(options["swing_of"]) if options["swing_of"] else None
    feel = Feel(options["swing"], swing_of, late_ms, late_ms_of, options["tightness"], options["dynamics"])
    named = tuple(k.strip() for k in (options["ornaments"] or "").split(",") if k.strip())
    ornaments = Ornaments(KINDS if named == ("all",) else named, options["ornament_amount"])
    playing = Playing(style=options["style"], drummer=options["drummer"], temperature=options["temperature"], mean=options["mean"])
    return Wish(playing, feel, ornaments, options["keep_velocity"], options["keep_timing"], not options["free_accents"], options["seed"])


def _read_lateness(pushes: tuple[str, ...], lay_backs: tuple[str, ...]) -> tuple[float | None, dict[str, float]]:
    """Milliseconds late of all strokes, and of classes."""
    found: dict[str, float] = {}
    for option, sign, texts in (("--push", -1, pushes), ("--lay-back", 1, lay_backs)):
        for text in texts:
            name, equals, number = text.rpartition("=")
            name = name.strip().lower().replace("-", "_").replace(" ", "_")
            try:
                ms = float(number)
            except ValueError:
                raise InputError(f"{option} {text}: give milliseconds, as 8 or snare=8") from None
            if name in found or not (0 <= ms < float("inf")) or bool(equals) != bool(name):
                raise InputError(f"{option} {text}: " + ("said twice" if name in found else "give milliseconds of 0 or more, as 8 or snare=8"))
            found[name] = sign * ms
    return found.pop("", None), found


def _find_name(drums: Path) -> Path:
    names = (drums.with_name(f"{drums.stem}-humanised{f'-{k}' if k > 1 else ''}.mid") for k in count(1))
    return next(path for path in names if not path.exists())


def _check_name(out: Path, drums: Path, groove: Path | None, force: bool) -> None:
    for path in (drums, groove):
        if path is not None and not force and out.exists() and path.exists() and os.path.samefile(out, path):
            raise OutputError(f"{out} is an input: use another -o, or --force")


def _describe(done: Humanised, wish: Wish) -> dict[str, Any]:
    """The report as JSON."""
    report: dict[str, Any] = {"notes": done.notes, "seed": wish.seed, "style": wish.playing.style, "drummer": wish.playing.drummer}
    report |= {"before": done.before.to_dict(), "after": done.after.to_dict()}
    if done.likeness is not None:
        report["groove"] = {k: None if v != v else round(v, 3) for k, v in done.likeness._asdict().items()}
    report["ornaments"] = [o.to_dict() for o in done.ornaments]
    return report | {"remarks": list(done.remarks)}


def _tell(report: dict[str, Any]) -> str:
    before, after = report["before"], report["after"]
    lines = [f"{report['notes']} drum notes, {after['strokes']} strokes", f"  before: {_tell_feel(before)}", f"  after:  {_tell_feel(after)}"]
    lines.append("  late by class: " + ", ".join(f"{n.replace('_', ' ')} {ms:+.1f} ms" for n, ms in after["late_ms"].items() if n != "all"))
    if "groove" in report and report["groove"]["covered"]:
        g = report["groove"]
        lines.append(
            f"  groove: {100 * g['covered']:.0f} % of the strokes have a model, means within {g['late_ms']:.1f} ms and {g['velocity']:.1f} of velocity"
        )
    lines += _tell_ornaments(report["ornaments"])
    lines += [f"  note: {remark}" for remark in report["remarks"]]
    return "\n".join([*lines, f"wrote {report['out']}", f"{report['seconds']} s, seed {report['seed']}"])


def _tell_feel(measured: dict[str, Any]) -> str:
    swing = f"swing {measured['swing']:.1f} % of {measured['swing_of']}ths" if measured["swing"] is not None else "no pairs to swing"
    late = f"{measured['late_ms']['all']:+.1f} ms late (spread {measured['spread_ms']:.1f})"
    return f"{swing}, {late}, velocity {measured['velocity']:.0f} (spread {measured['velocity_spread']:.1f})"


def _tell_ornaments(ornaments: list[dict[str, Any]]) -> list[str]:
    lines = []
    for kind, number in Counter(o["kind"] for o in ornaments).items():
        bars = sorted({o["bar"] for o in ornaments if o["kind"] == kind})
        shown = ", ".join(map(str, bars[:16])) + (" ..." if len(bars) > 16 else "")
        lines.append(f"  added: {number} notes of {kind}s in bars {shown}")
    return lines
