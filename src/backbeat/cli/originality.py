"""``backbeat originality``: whether drums are a copy of training data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from backbeat.originality.results import Originality, Place, VerbatimRun

TEMPI = {1: "", 0.5: ", at half time", 2: ", at double time"}


@click.command("originality")
@click.argument("drums", type=click.Path(path_type=Path))
@click.option("--against", type=click.Path(path_type=Path), required=True, help="Corpus, or folder of MIDI files, to compare with; indexed on first use.")
@click.option("--top", type=click.IntRange(0), default=5, show_default=True, help="Show so many passages, and so many bars of each length.")
@click.option("--sources", type=click.IntRange(1), default=3, show_default=True, help="Name so many tracks that have a thing.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Also write what is found here, as JSON.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with everything that was found.")
def command(drums: Path, against: Path, top: int, sources: int, out: Path | None, as_json: bool) -> None:
    """Find where the drums of DRUMS (a MIDI file, whole songs as well) stand in training data.

    Shows the nearest 1, 2 and 4 bars however they are turned and at whatever tempo, the longest verbatim run and shared passages, with
    sources, beside the same figures for human tracks. The index of a corpus is kept in CORPUS/originality.index.
    """
    from backbeat.files import write_bytes
    from backbeat.originality.compare import compare
    from backbeat.originality.humans import measure_humans
    from backbeat.originality.index import open_index
    from backbeat.originality.tracks import read_track

    read_track(drums)  # a wrong file should be told before an index is built
    index = open_index(against, measure=measure_humans, progress=lambda line: click.echo(line, err=True))
    found = compare(index, read_track(drums, index.steps_per_quarter), sources=sources)
    text = json.dumps(found.to_dict(), ensure_ascii=False)
    if out:
        write_bytes(out, f"{text}\n".encode("utf-8", "surrogateescape"))
    click.echo(text if as_json else tell(found, top))


def tell(found: Originality, top: int) -> str:
    """What was found, for people."""
    lines = [f"{found.name}: {found.bars} bars against {found.tracks:,} tracks, {found.training_bars:,} bars"]
    lines += _tell_summaries(found)
    lines.append(f"longest verbatim run: {_tell_run(found.run)}{_tell_human_run(found.human)}")
    passages = [p for p in found.passages if p.steps > 0][:top]
    if passages:
        lines.append("shared passages, wherever their bar lines are")
    for p in passages:
        lines.append(
            f"  bar {p.bar:3} step {p.step + 1:2}, {p.steps:4} steps: {p.distance} of {p.hits} hits differ{TEMPI[p.tempo]}: {_tell_places((p.source,), 1)}"
        )
    for bars in sorted({w.bars for w in found.windows}):
        near = [w for w in found.windows if w.bars == bars and not w.far][:top]
        if near:
            lines.append(f"most telling {_count(bars, 'bar')}, rare ones first")
        for w in near:
            turned = f", turned by {w.turn} steps" if w.turn else ""
            place = f"bar {w.bar:3}" + (f" step {w.step + 1}" if w.step else "")
            lines.append(f"  {place}: {w.distance} of {w.hits} hits differ{turned}{TEMPI[w.tempo]}: {_tell_places(w.sources, w.tracks)}")
    return "\n".join(lines)


def _count(number: float, noun: str) -> str:
    return f"{number:g} {noun}{'' if number == 1 else 's'}"


def _tell_summaries(found: Originality) -> list[str]:
    human: dict[str, Any] = found.human.get("windows", {})
    lines = [f"{'nearest':>8}  {'windows':>7}  {'median distance':>24}  {'exact copies':>12}  {'nothing near':>12}"]
    for s in found.summaries:
        distance = f"{s.median_distance:g} hits ({s.median_share:.0%})"
        lines.append(f"{_count(s.bars, 'bar'):>8}  {s.windows:>7}  {distance:>24}  {s.exact_copies:>12.0%}  {s.far:>12.0%}")
        h = human.get(str(s.bars))
        if h:
            distance = f"{h['median_distance']:g} hits ({h['median_share']:.0%})"
            lines.append(f"{'human':>8}  {'':>7}  {distance:>24}  {h['exact_copies']:>12.0%}  {h['far']:>12.0%}")
    return lines


def _tell_run(run: VerbatimRun | None) -> str:
    if run is None:
        return "none"
    return f"{_count(run.bars, 'bar')} ({run.steps} steps) from bar {run.bar} step {run.step + 1}: {_tell_places(run.sources, run.tracks)}"


def _tell_human_run(human: dict[str, Any]) -> str:
    if not human:
        return ""
    low, middle, high = human["run_bars"]
    return f"\n  human: {middle:g} bars, 8 of 10 tracks between {low:g} and {high:g}"


def _tell_places(places: tuple[Place, ...], tracks: int) -> str:
    named = ", ".join(f"{p.name} bar {p.bar}" + (f" step {p.step + 1}" if p.step else "") for p in places)
    more = tracks - len(places)
    return named + (f" and {more:,} more" if more > 0 else "")
