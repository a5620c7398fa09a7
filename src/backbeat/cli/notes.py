"""``backbeat notes``: notes that go on where a primer stops."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path

import click


@click.command("notes")
@click.option("--primer", type=click.Path(path_type=Path), required=True, help="MIDI file to go on after; its drums are not heard.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="MIDI file to write. Default: a free name in this folder, PRIMER-notes.mid.")
@click.option("--notes", "number", type=int, default=120, show_default=True, help="How many notes to add.")
@click.option("--temperature", type=float, help="How adventurous: 0 plays the likeliest  [default: 1; 2 for the original's network]")
@click.option("--seed", type=int, default=0, show_default=True, help="The same primer, options, seed and version give the same bytes.")
@click.option("--keep-primer", is_flag=True, help="Write the primer's notes in front.")
@click.option("--plot", type=click.Path(path_type=Path), help="Also draw a piano roll and distributions (.png, .svg or .pdf; needs matplotlib).")
@click.option("--model", type=click.Path(path_type=Path), help="Folder of a trained note network. Default: the one that ships.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    primer: Path, out: Path | None, number: int, temperature: float | None, seed: int, keep_primer: bool, plot: Path | None, model: Path | None, as_json: bool
) -> None:
    """Go on after a piano piece, note by note."""
    import numpy as np

    from backbeat.codecs.notes import notes_to_midi, read_notes
    from backbeat.errors import InputError
    from backbeat.files import write_bytes
    from backbeat.midi import read_song
    from backbeat.models.notes import open_notes

    started = time.perf_counter()
    song = read_song(primer)
    out = _name_output(primer, out, plot)
    player = open_notes(model)
    before = read_notes(song, player.parts)
    if len(before) < player.least:
        raise InputError(f"{primer} has {len(before)} notes that are not drums: the model needs at least {player.least} to go on after")
    played = player.continue_notes(before, number, np.random.default_rng([abs(seed), int(seed < 0)]), temperature=temperature)
    written = np.concatenate([before, played]) if keep_primer else played
    write_bytes(out, notes_to_midi(written))
    if plot:
        from backbeat.render.note_plots import plot_notes

        plot_notes(played, plot, before)
    report = {"out": str(out), "primer_notes": len(before), "notes": len(played), "seconds_of_music": round(float(played[:, 1].sum()), 2), "seed": seed}
    report |= {"plot": str(plot) if plot else None, "seconds": round(time.perf_counter() - started, 3)}
    lines = [f"{len(played)} notes, {report['seconds_of_music']} seconds of music, after {len(before)} of the primer", f"wrote {out}"]
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else "\n".join(lines))


def _name_output(primer: Path, out: Path | None, plot: Path | None) -> Path:
    """The file to write; without -o a free name. Neither it nor the plot stands in the place of another file of this command."""
    from backbeat.errors import InputError, OutputError
    from backbeat.render.note_plots import FORMATS

    out = out or next(p for k in count(1) if not (p := Path(f"{primer.stem}-notes{f'-{k}' if k > 1 else ''}.mid")).exists())
    if out.exists() and out.samefile(primer):
        raise OutputError(f"{out} is the primer: use another -o")
    if plot and plot.suffix.lower() not in FORMATS:
        raise InputError(f"{plot}: a plot ends in {', '.join(FORMATS)}")
    if plot and plot.resolve() in {primer.resolve(), out.resolve()}:
        raise OutputError(f"{plot} is the primer or the output: use another --plot")
    return out
