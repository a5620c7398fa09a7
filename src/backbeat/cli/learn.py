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
    from backbeat.profiles import Result, Take

_ENDINGS = (".mid", ".midi", ".smf")


@click.command("learn")
@click.argument("takes", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("profile"), show_default=True, help="Folder to write; must be new or empty.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which takes are left out together when the profile is measured.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(takes: tuple[Path, ...], out: Path, seed: int, as_json: bool) -> None:
    """Learn a player from 1-10 of their TAKES, MIDI files or folders of them; --profile of humanise, accompany and groove plays like them.

    What they hit, how loud and how late: bits per onset are those of takes that were left out.
    """
    from backbeat.models.performer import open_performer
    from backbeat.profiles import Ear, VocabularyEar, check_profile_folder, count_folds, cross_validate, learn_manner, open_drummer, write_profile

    started = time.perf_counter()
    check_profile_folder(out)
    paths = list_files(takes)
    read, notes = read_takes(paths)
    net, words = open_performer(), VocabularyEar(open_drummer())
    with show_progress("takes left out", count_folds(len(read))) as advance:
        result = cross_validate(net, read, seed, watch=advance, words=words)
    manner = learn_manner(net, read, Ear(net, words))
    figures = list_figures(result)
    data = {"takes": len(read), "strokes": sum(len(t.strokes) for t in read)}
    write_profile(manner, out, data, figures)
    like = {"drummer": manner.drummer, "style": manner.style, "style_of_hits": manner.vocabulary.style, "words": len(manner.vocabulary.words)}
    report = {"out": str(out)} | data | figures | like | {"left_out": notes}
    report |= {"seconds": round(time.perf_counter() - started, 2)}
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def list_figures(result: Result) -> dict[str, Any]:
    """Bits per onset before and after, and by what share they fall: hits, velocity, lateness, velocity and lateness, all; none where there are no hits."""
    bits: dict[str, dict[str, float | None]] = {}
    for side, strokes, words in (("before", result.before, result.words_before), ("after", result.after, result.words_after)):
        how = float(strokes.sum())
        parts = {"hits": words, "velocity": float(strokes[0]), "lateness": float(strokes[1]), "sum": how, "all": how + words}
        bits[side] = {name: round(value, 3) if value == value else None for name, value in parts.items()}
    falls = {"hits": result.words_fall, "sum": result.fall, "all": result.fall_in_all}
    rounded = {name: round(value, 4) if value == value else None for name, value in falls.items()}
    return {"bits_per_onset": bits, "fall": rounded["sum"], "falls": rounded, "held_out_strokes": result.strokes, "held_out_hits": result.onsets}


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

    from backbeat.datasets.preparation import prepare
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
            notes.append(f"{path}: the drums do not lie on the bars of the file: their timing says little, and what is hit is not learned from them")
        piece = prepare(str(path), band=False, clean=False) if reading.aligned else "not on the bars"
        strokes = reading.strokes.play(late=reading.lateness.astype(np.float32))
        takes.append(make_take(strokes, None if isinstance(piece, str) else piece))
    return takes, notes


def _tell(report: dict[str, Any]) -> str:
    before, after = report["bits_per_onset"]["before"], report["bits_per_onset"]["after"]
    lines = [f"{report['strokes']:,} strokes of {report['takes']} takes; most like {report['drummer']}, style {report['style']}"]
    lines.append(f"bits per onset on {report['held_out_strokes']:,} strokes that were left out:")
    lines.append(f"  {'':22}{'before':>8}{'after':>8}{'fall':>9}")
    titles = {"hits": "what is hit", "velocity": "velocity", "lateness": "lateness", "sum": "velocity and lateness", "all": "all"}
    for name, title in titles.items():
        if before[name] is None:
            continue
        fall = f"{100 * (1 - after[name] / before[name]):.1f} %" if before[name] > 0 else "-"
        lines.append(f"  {title:22}{before[name]:8.2f}{after[name]:8.2f}{fall:>9}")
    lines += [f"  note: {note}" for note in report["left_out"]]
    if max(fall or 0 for fall in report["falls"].values()) < 0.02:
        lines.append("  note: players like this one are known already; the profile changes little")
    return "\n".join([*lines, f"wrote {report['out']}", f"{report['seconds']} s"])
