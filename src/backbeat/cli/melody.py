"""``backbeat melody``: drums in, the same drums with a melody on them out."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.errors import InputError, OutputError

if TYPE_CHECKING:
    from backbeat.groove import Groove
    from backbeat.song import Song


@click.command("melody")
@click.argument("drums", type=click.Path(path_type=Path))
@click.option("--key", required=True, help="Key of the melody: C, F#, Bb, or Am, C#m, Ebm.")
@click.option("--instrument", default="lead", show_default=True, help="bass, guitar, piano, lead, flute ... (a wrong name lists all), or a GM program 0-127.")
@click.option("--octave", type=int, help="Octave of the tonic that the melody moves around; C4 is middle C.  [default: 2 for basses, else 4]")
@click.option("--chords", default="", help='Chords of the bars, again and again, as degrees: "i VI III VII"; small letters are minor. Default: drawn.')
@click.option("--density", type=click.Choice(["calm", "walking", "busy", "dense"]), help="How many notes. Default: as it comes.")
@click.option("--bars", type=click.IntRange(1), help="Play on the first bars only. Default: as long as the drums.")
@click.option("--model", default="ours", show_default=True, help="ours, paper (the network of 2020, 4/4 only), or a folder of 'backbeat train melody'.")
@click.option("--temperature", type=float, default=1.0, show_default=True, help="How adventurous: 0 plays the likeliest.")
@click.option("--tries", type=click.IntRange(1, 1000), default=12, show_default=True, help="Draws of four bars until the eight filters let one pass.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same drums, options, seed and version give the same bytes.")
@click.option("--takes", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many different melodies to write, a file each.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="File to write; with several takes, -2, -3 ... is added. Default: a free name, DRUMS-melody.mid."
)
@click.option("--force", is_flag=True, help="Allow -o to be the drums' file itself.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(drums: Path, out: Path | None, takes: int, force: bool, as_json: bool, **wishes: Any) -> None:  # noqa: ANN401 - the other options
    """Add a melody to DRUMS, a MIDI file with a drum part; it follows the drums from the first bar to the last.

    Every byte of the file's tracks is kept; the melody is one more track, on a free channel.
    """
    from backbeat.files import write_bytes
    from backbeat.midi import read_song
    from backbeat.midi.parttrack import add_part

    started = time.perf_counter()
    song = read_song(drums)
    plan = _Plan(song, **wishes)
    paths = _name_outputs(drums, out, takes)
    for path in paths:
        if not force and path.exists() and path.samefile(drums):
            raise OutputError(f"{path} is the input: use another -o, or --force")
    written = []
    for take, path in enumerate(paths):
        notes = plan.play(take)
        write_bytes(path, add_part(song, notes, program=plan.program, name=f"Melody ({plan.instrument}, Backbeat)"))
        written.append({"path": str(path), "notes": len(notes), "lowest": int(notes["pitch"].min(initial=127)), "highest": int(notes["pitch"].max(initial=0))})
    report = {"drums": str(drums), "out": [w["path"] for w in written], "bars": plan.groove.grid.bars, "key": plan.key_name, "instrument": plan.instrument}
    report |= {"program": plan.program, "octave": plan.octave, "model": str(wishes["model"]), "seed": wishes["seed"], "takes": written}
    report["seconds"] = round(time.perf_counter() - started, 3)
    for silent in (w["path"] for w in written if not w["notes"]):
        click.echo(f"backbeat: {silent}: the melody has no note: try another --seed, a higher --temperature or --density busy", err=True)
    for warning in song.warnings:
        click.echo(f"backbeat: {drums}: {warning}", err=True)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


class _Plan:
    """What is asked for, checked before anything is played."""

    def __init__(self, song: Song, *, key: str, instrument: str, octave: int | None, bars: int | None, model: str, chords: str, **drawing: Any) -> None:  # noqa: ANN401 - as above
        from backbeat.codecs.instruments import find_program, name_program
        from backbeat.models.melody import SHIPPED, open_melody, repeat_chords
        from backbeat.tonality.scales import name_key, parse_key

        number = parse_key(key)
        self.key_name, self.program = name_key(number), find_program(instrument)
        self.instrument = name_program(self.program)
        self.octave = octave if octave is not None else 2 if self.program // 8 == 4 else 4
        self.groove = _read_drums(song, bars)
        self.chords = repeat_chords(chords.split(), self.groove.grid.bars, number) if chords.strip() else None
        if model not in SHIPPED and not Path(model).is_dir():
            raise InputError(f"no model {model!r} of melodies: choose from {', '.join(SHIPPED)}, or name the folder of a trained one")
        self.model = open_melody(model if model in SHIPPED else Path(model))
        if self.model.name == "paper" and (chords.strip() or drawing["density"]):
            raise InputError("the paper's network knows nothing of chords and density: leave them out, or use the model 'ours'")
        self.seed, self.drawing = drawing.pop("seed"), drawing

    def play(self, take: int) -> Any:  # noqa: ANN401 - notes
        from backbeat.models.melody import write_melody

        options = {**self.drawing, "density": self.drawing["density"] or "", "chords": self.chords, "model": self.model}
        return write_melody(self.groove, self.key_name, self.program, self.octave, self.seed, take=take, **options)


def _read_drums(song: Song, bars: int | None) -> Groove:
    """The drums, all of them or the first bars.

    Raises:
        InputError: there are none, or fewer bars.
    """
    from backbeat.grid import Grid
    from backbeat.kits import load_kit
    from backbeat.midi import extract_groove

    if not any(len(part.notes) for part in song.drum_parts):
        raise InputError(f"{song.source}: no drums in it: a melody needs drums to play on ('backbeat accompany' adds some)")
    grid = song.grid()
    if bars is not None and bars > grid.bars:
        raise InputError(f"--bars {bars}: {song.source} has {grid.bars} bars")
    if bars is not None:
        grid = Grid(grid.bar_ticks[: bars + 1], grid.bar_quarters[:bars], grid.numerators[:bars], grid.denominators[:bars], grid.steps_per_quarter)
        end = int(grid.bar_ticks[-1])
        parts = [replace(part, notes=part.notes[part.notes["onset"] < end]) for part in song.parts]
        song = replace(song, parts=tuple(part for part in parts if len(part.notes)))
    return extract_groove(song, grid, load_kit("general_midi"))[0]


def _name_outputs(drums: Path, out: Path | None, takes: int) -> list[Path]:
    """The files to write; without -o a free name, so that an earlier melody is never lost."""
    first = out or next(p for k in count(1) if not (p := Path(f"{drums.stem}-melody{f'-{k}' if k > 1 else ''}.mid")).exists())
    if not first.name:
        raise OutputError(f"{first}: this is a folder, name a file in it")
    return [first if k == 0 else first.with_name(f"{first.stem}-{k + 1}{first.suffix}") for k in range(takes)]


def _tell(report: dict[str, Any]) -> str:
    """The report in a few lines for people."""
    lines = [f"{report['bars']} bars in {report['key']}, {report['instrument']}, octave {report['octave']}"]
    lines += [f"wrote {take['path']} ({take['notes']} notes)" for take in report["takes"]]
    return "\n".join([*lines, f"{report['seconds']} s, seed {report['seed']}"])
