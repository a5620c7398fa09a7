"""``backbeat compose``: a whole song from nothing."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backbeat.cli.touch_options import make_touch, touch_options
from backbeat.errors import InputError

if TYPE_CHECKING:
    from backbeat.composing import Composition


@click.command("compose")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write. Default: a free name in this folder, composed.mid.")
@click.option("--style", default="any", show_default=True, help="A style of the drummer (see 'accompany --help').")
@click.option("--bars", type=int, default=64, show_default=True, help="Length of the song, 4-512.")
@click.option("--key", default="C", show_default=True, help="Such as C, F#, Bb, Am or Dm.")
@click.option("--tempo", type=float, default=110.0, show_default=True, help="Quarter notes a minute.")
@click.option("--metre", default="4/4", show_default=True, help="Such as 4/4, 3/4, 6/8 or 7/8.")
@click.option("--novelty", type=float, default=0.2, show_default=True, help="Share of sections that return with a new groove: 0 none, 1 all.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same options, seed and version give the same bytes.")
@click.option("--wav", type=click.Path(path_type=Path), help="Also render the song.")
@touch_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    out: Path | None,
    style: str,
    bars: int,
    key: str,
    tempo: float,
    metre: str,
    novelty: float,
    seed: int,
    wav: Path | None,
    as_json: bool,
    **hands: Any,  # noqa: ANN401 - see ``touch_options``
) -> None:
    """Compose a song: intro, verses, choruses, fills and an ending; drums first, and bass, chords and a lead on them."""
    from backbeat.cli.groove import FASTEST, SLOWEST, read_metre
    from backbeat.composing import compose
    from backbeat.drummer import load_drummer
    from backbeat.files import write_bytes

    started = time.perf_counter()
    if not SLOWEST <= tempo <= FASTEST:
        raise InputError(f"the tempo must lie in {SLOWEST}-{FASTEST} quarter notes a minute, not {tempo:g}")
    touch = make_touch(**hands)
    song = compose(load_drummer(), bars, key, tempo=tempo, metre=read_metre(metre), style=style, novelty=novelty, seed=seed, touch=touch)
    path = out or next(p for k in count(1) if not (p := Path(f"composed{f'-{k}' if k > 1 else ''}.mid")).exists())
    if wav is not None and wav.resolve() == path.resolve():
        raise InputError(f"{wav} is the song: use another --wav")
    write_bytes(path, song.encode())
    report = _report(song) | {"out": str(path), "bars": bars, "key": key, "tempo": tempo, "metre": metre, "style": style, "seed": seed}
    if wav:
        from backbeat.render.audio import render_midi

        audio = render_midi(path.read_bytes())
        audio.write(wav)
        report["wav"] = str(wav)
    report["seconds"] = round(time.perf_counter() - started, 3)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _report(song: Composition) -> dict[str, Any]:
    sections = [{"name": s.name, "groove": s.groove + 1, "first_bar": s.first + 1, "bars": s.bars} for s in song.sections]
    return {"sections": sections, "parts": {"Drums": int(song.drums.hits.sum())} | {name: len(notes) for name, _, notes in song.parts}}


def _tell(report: dict[str, Any]) -> str:
    lines = [f"bar {s['first_bar']:3}: {s['name']}, {s['bars']} bars, groove {s['groove']}" for s in report["sections"]]
    lines.append(", ".join(f"{name} {n}" for name, n in report["parts"].items()) + " notes")
    lines += [f"wrote {report[name]}" for name in ("out", "wav") if name in report]
    return "\n".join([*lines, f"{report['seconds']} s, seed {report['seed']}"])
