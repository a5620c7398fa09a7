"""``backbeat groove``: drums without a song."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path
from typing import Any

import click

from backbeat.cli.touch_options import lean_on_profile, make_touch, touch_options
from backbeat.cli.wish_options import Asked, wish_options
from backbeat.errors import InputError

SLOWEST, FASTEST = 20, 400
DENOMINATORS = (2, 4, 8, 16)


@click.command("groove")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write. Default: a free name in this folder, groove.mid.")
@click.option("--bars", type=int, default=8, show_default=True, help="How many bars to play.")
@click.option("--tempo", type=float, default=120.0, show_default=True, help="Quarter notes a minute.")
@click.option("--metre", default="4/4", show_default=True, help="Such as 4/4, 3/4, 6/8 or 7/8.")
@click.option("--style", default="any", show_default=True, help="A style of the drummer (see 'accompany --help'); other models have none.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same options, seed and version give the same bytes.")
@click.option("--temperature", type=float, help="How adventurous: 0 plays the most likely.")
@click.option("--top-p", type=float, help="Choose only among the likely, in (0, 1].")
@wish_options
@touch_options
@click.option("--model", help="Another model: a name of 'backbeat models', or the folder of a trained one.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    out: Path | None,
    bars: int,
    tempo: float,
    metre: str,
    style: str,
    seed: int,
    temperature: float | None,
    top_p: float | None,
    asked: Asked,
    model: str | None,
    as_json: bool,
    **hands: Any,  # noqa: ANN401 - see ``touch_options``
) -> None:
    """Play drums without a song, into a MIDI file of their own."""
    from backbeat.cues import hear_nothing
    from backbeat.drummer import MAX_STEPS, load_player
    from backbeat.grid import Grid
    from backbeat.midi import write_groove
    from backbeat.touch import play_by_hand
    from backbeat.units import MetreMap, TempoMap, round_half_up

    started = time.perf_counter()
    numerator, denominator = read_metre(metre)
    if not SLOWEST <= tempo <= FASTEST:
        raise InputError(f"the tempo must lie in {SLOWEST}-{FASTEST} quarter notes a minute, not {tempo:g}")
    most = MAX_STEPS * denominator // (16 * numerator)
    if not 1 <= bars <= most:
        raise InputError(f"bars must lie in 1-{most:,} in {metre}, not {bars}")
    grid = Grid.regular(bars, numerator, denominator)
    player = lean_on_profile(load_player(model), hands["profile"])
    wishes = asked.lay(hear_nothing(grid, tempo), player.styles) if asked else None
    groove = player.play_alone(grid, style=style, qpm=tempo, seed=seed, temperature=temperature, top_p=top_p, wishes=wishes)
    tempi = TempoMap(480, (0,), (round_half_up(60e6 / tempo),))
    groove = play_by_hand(groove, tempi, make_touch(**hands), seed=seed, rounded=True, wishes=wishes.with_style(style) if wishes else None)
    written = write_groove(groove, out or _find_name(), tempi, MetreMap((0,), (numerator,), (denominator,)))
    report = {
        "out": str(written.path),
        "bars": bars,
        "metre": f"{numerator}/{denominator}",
        "tempo": tempo,
        "style": style,
        "seed": seed,
        "asked": asked.describe(),
    }
    report |= {"model": {"name": player.model.name, "folder": model}, "hits": groove.count_hits(), "notes": written.notes}
    report |= {"seconds": round(time.perf_counter() - started, 3)}
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def read_metre(text: str) -> tuple[int, int]:
    """Numerator and denominator of a metre as people write it.

    Raises:
        InputError: it is no metre that can be played.
    """
    numerator, _, denominator = text.partition("/")
    if not (numerator.isascii() and numerator.isdigit() and denominator.isascii() and denominator.isdigit()):
        raise InputError(f"--metre {text}: write it as 4/4 or 7/8")
    if not 1 <= int(numerator) <= 32 or int(denominator) not in DENOMINATORS:
        raise InputError(f"--metre {text}: 1 to 32 beats, each a half, quarter, 8th or 16th note (2, 4, 8, 16)")
    return int(numerator), int(denominator)


def _find_name() -> Path:
    return next(p for k in count(1) if not (p := Path(f"groove{f'-{k}' if k > 1 else ''}.mid")).exists())


def _tell(report: dict[str, Any]) -> str:
    hits = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in sorted(report["hits"].items(), key=lambda item: -item[1]) if n)
    lines = [f"{report['bars']} bars of {report['metre']} at {report['tempo']:g} BPM by {report['model']['name']}", f"played: {hits or 'nothing'}"]
    return "\n".join([*lines, f"wrote {report['out']}", f"{report['seconds']} s, seed {report['seed']}"])
