"""What the commands of ``backbeat patterns`` write: a table, one MIDI file, a folder of MIDI files, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.errors import InputError, OutputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from backbeat.datasets.pattern_table import PatternTable

MODEL_HELP = "wide, acai, vae or ae, or the folder of a trained one."
OUT_HELP = "Table (.tsv), MIDI file with all patterns one behind the other (.mid), or new folder of MIDI files. Default: a table on stdout."

FILE_SUFFIXES = (".csv", ".html", ".json", ".jsonl", ".npy", ".npz", ".pdf", ".png", ".svg", ".wav", ".xml", ".yaml", ".zip")
"""Ends of names that mean a file of a kind that is not written, and not a folder."""


def protect(out: Path | None, *inputs: object) -> None:
    """Refuse to write over what is read.

    Args:
        out: where something is to be written.
        inputs: what was named as input: files, rows of tables (``patterns.tsv:12``), or no files at all.

    Raises:
        OutputError: one of them is that file.
    """
    if out is None or not out.is_file():
        return
    for text in map(str, inputs):
        for name in (text, text.rpartition(":")[0]):
            try:
                same = bool(name) and Path(name).is_file() and out.samefile(name)
            except (OSError, ValueError):  # a pattern of many numbers is no name that a file can have
                same = False
            if same:
                raise OutputError(f"{out} is the input: use another -o")


def emit(
    patterns: npt.NDArray[np.uint16],
    latents: npt.NDArray[np.float32] | None,
    out: Path | None,
    about: dict[str, Any],
    *,
    as_json: bool = False,
    published: bool = False,
    tempo: float = 0.0,
    table: PatternTable | None = None,
) -> None:
    """Write patterns where they are wanted, and say so.

    Args:
        patterns: uint16 [n, steps].
        latents: float32 [n, dimensions], or None.
        out: as ``OUT_HELP`` says.
        about: what else the JSON object says.
        as_json: print one.
        published: write MIDI as drum_space does.
        tempo: quarters a minute for MIDI, 0 = none.
        table: what is written as a table; none = patterns and points.

    Raises:
        InputError: the tempo is out of range.
        OutputError: it cannot be written there.
    """
    from backbeat.datasets.pattern_table import PatternTable, encode_table

    table = table or PatternTable(patterns, latents)
    files = _write(table, out, published, tempo) if out else []
    if as_json:
        rows = _describe(table, latents)
        click.echo(json.dumps({**about, "count": len(patterns), "files": [str(f) for f in files], "patterns": rows}, ensure_ascii=False))
    elif not out:
        click.echo(encode_table(table).decode(), nl=False)
    else:
        click.echo(f"wrote {len(patterns)} patterns to {out}", err=True)
    if "asked" in about and len(patterns) < about["asked"]:
        click.echo(f"only {len(patterns)} of {about['asked']} patterns were found that pass the filter: try a larger --spread", err=True)


def _describe(table: PatternTable, latents: npt.NDArray[np.float32] | None) -> list[dict[str, Any]]:
    """A row of JSON a pattern."""
    from backbeat.codecs.patterns import measure_entropy, write_pattern

    nats = [round(float(e), 4) for e in measure_entropy(table.patterns)]
    rows: list[dict[str, Any]] = [{"pattern": write_pattern(p), "entropy": e} for p, e in zip(table.patterns, nats, strict=True)]
    for row, point in zip(rows, [] if latents is None else latents.tolist(), strict=False):
        row["latent"] = [round(x, 6) for x in point]
    for row, genre in zip(rows, table.genres, strict=False):
        row["genre"] = genre
    return rows


def _write(table: PatternTable, out: Path, published: bool, tempo: float) -> list[Path]:
    """The files that were written."""
    from backbeat.datasets.pattern_files import PUBLISHED_TICKS_PER_QUARTER, TICKS_PER_QUARTER, encode_midi
    from backbeat.datasets.pattern_table import write_table
    from backbeat.files import write_bytes

    if tempo and not 4 <= tempo <= 1000:
        raise InputError(f"a tempo lies in 4-1000 quarters a minute, not {tempo:g}")
    how: dict[str, Any] = {"ticks_per_quarter": PUBLISHED_TICKS_PER_QUARTER if published else TICKS_PER_QUARTER, "qpm": tempo}
    if out.suffix.lower() in (".tsv", ".txt") or (out.exists() and not out.is_dir() and out.suffix.lower() not in (".mid", ".midi")):
        write_table(table, out)
        return [out]
    if out.suffix.lower() in (".mid", ".midi"):
        write_bytes(out, encode_midi(table.patterns, **how))
        return [out]
    if out.suffix.lower() in FILE_SUFFIXES and not out.is_dir():
        raise OutputError(f"{out}: patterns are written as .tsv or .mid, or into a folder")
    if out.is_dir() and any(out.iterdir()):
        raise OutputError(f"{out}: this folder is not empty: name a new one, or a file ending in .tsv or .mid")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be made ({error.strerror or error})") from None
    width = max(4, len(str(len(table))))
    paths = [out / f"pattern-{number:0{width}}.mid" for number in range(1, len(table) + 1)]
    for path, pattern in zip(paths, table.patterns, strict=True):
        write_bytes(path, encode_midi(pattern[None], **how))
    return paths
