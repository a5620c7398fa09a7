"""``backbeat continue``: go on after a few bars of drums."""

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
    from backbeat.drummer import Drummer
    from backbeat.groove import Groove
    from backbeat.models.continuing import Primer, Search


@click.command("continue")
@click.argument("primer", default="[(36,)]")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="File to write. Default: a free name in this folder, continued.mid.")
@click.option("--model", default="drums-rnn", show_default=True, help="A name of 'backbeat models', or the folder of a trained one.")
@click.option("--bars", type=int, help="Length of the result in bars, primer included.")
@click.option("--steps", type=int, help="Length of the result in steps of the model, primer included. Default: 128.")
@click.option("--outputs", type=int, default=1, show_default=True, help="How many continuations to write: NAME.mid, NAME-2.mid ...")
@click.option("--temperature", type=float, help="How adventurous: 0 plays the most likely. Default: 1, or the drummer's own.")
@click.option("--top-p", type=float, help="Choose only among the likely, in (0, 1].")
@click.option("--beam-size", type=int, default=1, show_default=True, help="Keep so many sequences and write the likeliest.")
@click.option("--branch-factor", type=int, default=1, show_default=True, help="Branches of each sequence of the beam.")
@click.option("--steps-per-iteration", type=int, default=1, show_default=True, help="Steps that a branch is drawn on before the likeliest stay.")
@click.option("--qpm", type=float, help="Tempo in quarter notes a minute; a MIDI primer has its own. Default: 120.")
@click.option("--style", default="any", show_default=True, help="A style of the drummer; other models have none.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same options, seed and version give the same bytes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    primer: str,
    out: Path | None,
    model: str,
    bars: int | None,
    steps: int | None,
    outputs: int,
    temperature: float | None,
    top_p: float | None,
    beam_size: int,
    branch_factor: int,
    steps_per_iteration: int,
    qpm: float | None,
    style: str,
    seed: int,
    as_json: bool,
) -> None:
    """Go on after PRIMER: a MIDI file with drums, or text such as "[(36,42),(),(42,)]", MIDI notes step by step (default: one kick)."""
    from backbeat.codecs.drum_events import DRUM_KIT
    from backbeat.drummer import Drummer, load_player
    from backbeat.midi import write_groove
    from backbeat.models.continuing import Search, find_length, read_primer

    started = time.perf_counter()
    if not 1 <= outputs <= 100:
        raise InputError(f"outputs must lie in 1-100, not {outputs}")
    player = load_player(model)
    given = read_primer(primer, getattr(player.model, "encoding", DRUM_KIT), qpm)
    length = find_length(given, bars, steps)
    how = Search(1.0 if temperature is None else temperature, 1.0 if top_p is None else top_p, beam_size, branch_factor, steps_per_iteration)
    takes = []
    for k, path in enumerate(_name_outputs(primer, out, outputs)):
        if isinstance(player, Drummer):
            groove, log_p = _ask_drummer(player, primer, given, length, how, {"temperature": temperature, "top_p": top_p}, style, seed + k), None
        else:
            groove, log_p = _draw(player.model, given, length, how, style, [abs(seed), int(seed < 0), k])
        written = write_groove(groove, path, given.tempo, given.metre)
        takes.append({"path": str(written.path), "notes": written.notes, "log_likelihood": log_p, "hits": groove.count_hits()})
    report = {"primer": primer, "primer_steps": len(given.events), "steps": length, "tempo": round(given.tempo.qpm(), 3), "seed": seed, "outputs": takes}
    report |= {"model": {"name": player.model.name, "folder": model}, "seconds": round(time.perf_counter() - started, 3)}
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _tell(report))


def _draw(model: Any, primer: Primer, length: int, how: Search, style: str, seed: list[int]) -> tuple[Groove, float]:  # noqa: ANN401 - any improviser
    import numpy as np

    from backbeat.models.continuing import continue_primer

    if style != "any":
        raise InputError(f"{model.name} has no styles: leave --style out")
    groove, log_p = continue_primer(model, primer, length, np.random.default_rng(seed), how)
    return groove, round(log_p, 4)


def _ask_drummer(drummer: Drummer, primer: str, given: Primer, length: int, how: Search, options: dict[str, Any], style: str, seed: int) -> Groove:
    """The drummer thinks in bars, and keeps how loud and how late a MIDI primer is."""
    from backbeat.codecs.words import words_to_groove
    from backbeat.kits import load_kit
    from backbeat.midi import extract_groove, read_song
    from backbeat.models.continuing import extend_grid

    if (how.beam_size, how.branch_factor, how.steps_per_iteration) != (1, 1, 1):
        raise InputError("the drummer does not search with beams: leave --beam-size, --branch-factor and --steps-per-iteration out")
    grid = extend_grid(given.grid, length)
    if len(given.events) != given.grid.steps or length != grid.steps:
        raise InputError("the drummer goes on in whole bars: give a primer of whole bars, and --bars")
    kit = load_kit("backbeat") if drummer.model.kit.name == "backbeat" else drummer.model.kit
    if given.is_text:
        groove = words_to_groove(given.events.astype("uint16"), given.grid).to_kit(kit)
    else:
        groove = extract_groove(read_song(Path(primer)), given.grid, kit)[0]
    return drummer.continue_groove(replace(groove, kit=drummer.model.kit), grid.bars, style=style, qpm=given.tempo.qpm(), seed=seed, **options)


def _name_outputs(primer: str, out: Path | None, outputs: int) -> list[Path]:
    """The files to write; without -o a free name."""
    first = out or next(p for k in count(1) if not (p := Path(f"continued{f'-{k}' if k > 1 else ''}.mid")).exists())
    if not first.name:
        raise OutputError(f"{first}: this is a folder, name a file in it")
    paths = [first if k == 0 else first.with_name(f"{first.stem}-{k + 1}{first.suffix}") for k in range(outputs)]
    if any(p.exists() and Path(primer).is_file() and p.samefile(primer) for p in paths):
        raise OutputError(f"{primer} is the primer: use another -o")
    return paths


def _tell(report: dict[str, Any]) -> str:
    lines = [f"{report['steps']} steps after a primer of {report['primer_steps']}, at {report['tempo']:g} BPM, by {report['model']['name']}"]
    for take in report["outputs"]:
        likely = "" if take["log_likelihood"] is None else f", log-likelihood {take['log_likelihood']:.1f}"
        lines.append(f"wrote {take['path']}: {take['notes']} notes{likely}")
    return "\n".join([*lines, f"{report['seconds']} s, seed {report['seed']}"])
