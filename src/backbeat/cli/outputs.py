"""Files that commands write: their names, and how they sound."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from backbeat.errors import InputError, OutputError


def name_outputs(source: Path | None, out: Path | None, takes: int, wav: Path | None, *, force: bool, ending: str) -> list[Path]:
    """The files to write, without -o a free name in this folder: SOURCE-ENDING.mid, or ENDING.mid where no file is the source.

    Raises:
        OutputError: one of them is the source, and ``force`` is not set.
        InputError: the WAV would be written over the source or an output.
    """
    stem = f"{source.stem}-{ending}" if source else ending
    first = out or next(p for k in count(1) if not (p := Path(f"{stem}{f'-{k}' if k > 1 else ''}.mid")).exists())
    if not first.name:
        raise OutputError(f"{first}: this is a folder, name a file in it")
    paths = [first if k == 0 else first.with_name(f"{first.stem}-{k + 1}{first.suffix}") for k in range(takes)]
    for path in paths:
        if not force and source and path.exists() and source.exists() and path.samefile(source):
            raise OutputError(f"{path} is the input: use another -o, or --force")
    if wav is not None and wav.resolve() in {p.resolve() for p in (source, *paths) if p}:
        raise InputError(f"{wav} is the input or its output: use another --wav")
    return paths


def render_output(path: Path, wav: Path) -> dict[str, Any]:
    """Render a file that was written, and say how loud it is."""
    from backbeat.render.audio import render_midi

    audio = render_midi(path.read_bytes())
    audio.write(wav)
    return {"path": str(wav), "seconds": round(audio.seconds, 2), "peak": round(audio.peak, 3), "rms": round(audio.rms, 4)}
