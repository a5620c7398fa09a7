"""``backbeat score``: how well drums suit a song."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from backbeat.appreciation import Appreciation, PartScore, Passage


@click.command("score")
@click.argument("song", type=click.Path(path_type=Path))
@click.option("--drums", type=click.Path(path_type=Path), help="Judge the drums of this file instead of the song's own, laid over it beat for beat.")
@click.option("--loop", is_flag=True, help="Repeat the drums of --drums until the song ends.")
@click.option("--bars", "show_bars", is_flag=True, help="Show every passage of four bars, not only the worst.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write the result here, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(song: Path, drums: Path | None, loop: bool, show_bars: bool, out: Path | None, as_json: bool) -> None:
    """Say how well the drums of SONG, anybody's, suit its band: a number, its parts, and the bars where they do not."""
    from backbeat.appreciation import appreciate
    from backbeat.errors import InputError
    from backbeat.files import write_bytes
    from backbeat.midi import read_song

    if loop and drums is None:
        raise InputError("--loop repeats the drums of another file: name it with --drums")
    heard = read_song(song)
    result = appreciate(heard, read_song(drums) if drums else None, loop=loop)
    text = json.dumps({"file": str(song), "drums": str(drums or song), **result.to_dict()}, ensure_ascii=False)
    if out:
        write_bytes(out, text.encode() + b"\n")
    click.echo(text if as_json else _tell(song, drums, result, show_bars))


def _tell(song: Path, drums: Path | None, result: Appreciation, show_bars: bool) -> str:
    name = f"{drums} with {song}" if drums else str(song)
    lines = [
        f"{name}: {100 * result.chance:.0f} of 100, the drum track {result.verdict}",
        f"  better than {_percent(result.above_real)} of songs' own drum tracks, and than {_percent(result.above_other)} of other songs' tracks",
        "",
        *map(_tell_part, result.parts),
        "",
    ]
    worst = result.list_worst()
    lines += ["passages that suit least:", *map(_tell_passage, worst)] if worst else ["no passage stands out as bad"]
    if show_bars:
        lines += ["", "every passage, of 100:", *(f"  {_bars(p):12} {100 * p.chance:4.0f} {'#' * round(20 * p.chance)}" for p in result.passages)]
    return "\n".join([*lines, *(f"warning: {w}" for w in result.warnings)])


def _tell_part(part: PartScore) -> str:
    if part.value != part.value:  # nan: there is nothing to say it of
        return f"  {part.title:58} nothing to judge"
    rank = "far below real tracks" if part.above_real < 0.05 else "below most real tracks" if part.above_real < 0.25 else "like real tracks"
    return f"  {part.title:58} {part.value:7.2f}  {rank if part.above_real < 0.75 else 'above most real tracks'}"


def _tell_passage(passage: Passage) -> str:
    from backbeat.appreciation.parts import PARTS

    return f"  {_bars(passage)}: {PARTS[passage.trouble].trouble} ({100 * passage.chance:.0f} of 100)"


def _bars(passage: Passage) -> str:
    first, last = passage.first + 1, passage.last + 1
    return f"bar {first}" if first == last else f"bars {first}-{last}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
