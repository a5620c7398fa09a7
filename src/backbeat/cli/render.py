"""``backbeat render``: a MIDI file in, a WAV file out."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.errors import OutputError

if TYPE_CHECKING:
    from backbeat.render import Audio


@click.command("render")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="WAV file to write. Default: FILE with .wav, beside it.")
@click.option("--soundfont", type=click.Path(path_type=Path), help="An SF2 or SF3 file to play with. Default: the band that ships with Backbeat.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(file: Path, out: Path | None, soundfont: Path | None, as_json: bool) -> None:
    """Render FILE, any MIDI file, as a WAV file (48 kHz, stereo)."""
    from backbeat.midi import read_song
    from backbeat.render import render_song, write_wav

    started = time.perf_counter()
    out = out or file.with_suffix(".wav")
    song = read_song(file)
    _refuse_inputs(out, file, soundfont)
    for warning in song.warnings:
        click.echo(f"backbeat: {file}: {warning}", err=True)
    click.echo(f"rendering {file} ({song.tempo.seconds(song.last_note_tick):.0f} s) ...", err=True)
    audio = render_song(song, soundfont)
    if audio.gain < 1:
        click.echo(f"backbeat: {file}: brought down to {audio.gain:.2f} of its level so that it does not clip", err=True)
    write_wav(audio, out)
    report = _report(song.source, out, audio, time.perf_counter() - started)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _refuse_inputs(out: Path, *inputs: Path | None) -> None:
    for path in inputs:
        if path is not None and out.exists() and path.exists() and os.path.samefile(out, path):
            raise OutputError(f"{out} is an input: name another file with -o")


def _report(source: str, out: Path, audio: Audio, elapsed: float) -> dict[str, Any]:
    return {
        "file": source,
        "out": str(out),
        "rate": audio.rate,
        "length": round(audio.seconds, 3),
        "peak": round(audio.peak, 4),
        "rms": round(audio.rms, 4),
        "gain": round(audio.gain, 4),
        "seconds": round(elapsed, 3),
    }


def _tell(report: dict[str, Any]) -> str:
    times = report["length"] / max(report["seconds"], 1e-3)
    levels = f"peak {report['peak']:.2f}, rms {report['rms']:.3f}"
    return f"wrote {report['out']}: {report['length']:.1f} s, {levels}; in {report['seconds']:.1f} s, {times:.0f} x real time"
