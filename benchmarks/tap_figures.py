"""Taps that become drums: how many are played, what between them, and how near that comes to a drummer who played the rhythm.

    python benchmarks/tap_figures.py [DATA] [--split test] [--lines 100] [--model FOLDER] [--json FILE]

DATA is the folder with the data sets (default: the environment variable BACKBEAT_DATA). Lines of at most 16 bars, a quarter of them each:

    bass       a bass part of songs-validation, drumified (``--from bass``, without the rest of the band); the song's drums are beside it
    random     text with taps, accents and rests by chance, 5 to 70 % taps
    kit        a Groove MIDI take tapped: its onsets, all drums as one voice, with how loud and how late they were
    kick+snare the same of its kick and snare only

played      share of the taps on whose 16th the groove has a hit (goal: .95)
on accents  share of accented taps with kick, snare or crash; on light taps the same, of light ones; both nan where a line has none
between     hits between the taps for each 16th there, ours and (real) the drummer's
F1          onset F1, micro over nine classes, to the drummer's real hits, where there is one: ours; the drummer playing alone to the same
            grid, style unknown; and a kick on every tap
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.codecs.taps import lay_parts
from backbeat.datasets import list_sources
from backbeat.drummer import Drummer, load_drummer
from backbeat.errors import BackbeatError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song
from backbeat.models.tapping import Tapping
from backbeat.song import Song
from backbeat.tapping import Tapped, play_line, tap_song, tap_text
from backbeat.units import MetreMap, TempoMap

BARS, LEAST_TAPS = 16, 16
Bits = npt.NDArray[np.bool_]


class Rhythm(NamedTuple):
    """A line, and the drummer's hits bool [steps, 9] where there was one."""

    kind: str
    tapped: Tapped
    real: Bits | None


def cut(song: Song, first: int, bars: int) -> Song:
    """Some bars of a song in one metre as a song of its own, at the tempo of its first tick."""
    grid = song.grid()
    first = min(first, grid.bars - 1)
    low, high = int(grid.bar_ticks[first]), int(grid.bar_ticks[min(grid.bars, first + bars)])
    parts = []
    for part in song.parts:
        notes = part.notes[(part.notes["onset"] >= low) & (part.notes["onset"] < high)].copy()
        notes["onset"] -= low
        notes["end"] = np.minimum(notes["end"], high) - low
        if len(notes):
            parts.append(replace(part, notes=notes))
    microseconds = int(60e6 / song.tempo.qpm(low) + 0.5)
    tempo = TempoMap(song.tempo.ticks_per_quarter, (0,), (microseconds,))
    metre = MetreMap((0,), (grid.numerators[first],), (grid.denominators[first],))
    return Song(song.data, 1, tuple(parts), tempo, metre, high - low, source=song.source)


def hits_of(song: Song, grid: Grid) -> Bits:
    """The real drums, bool [steps, 9]."""
    return extract_groove(song, grid, load_kit("drums_rnn_9"))[0].hits


def read_bass(data: Path, count: int) -> list[Rhythm]:
    """Bass parts of songs with drums."""
    rng, found = np.random.default_rng(3), list[Rhythm]()
    sources = list_sources("songs:validation", data)
    for index in rng.permutation(len(sources)):
        try:
            song = parse_song(sources[index].read(), sources[index].name)
            grid = song.grid()
            if len(song.metre.ticks) > 1 or grid.bars < BARS + 8 or song.tempo.ticks_per_second or not song.drum_parts:
                continue
            part = cut(song, 8, BARS)
            tapped = tap_song(part, "bass")
        except BackbeatError:
            continue
        real = hits_of(part, tapped.line.grid)
        if np.count_nonzero(tapped.line.taps) >= LEAST_TAPS and real.any(axis=1).sum() >= LEAST_TAPS:
            found.append(Rhythm("bass", tapped, real))
        if len(found) == count:
            break
    return found


def make_random(count: int) -> list[Rhythm]:
    """Lines of chance."""
    rng = np.random.default_rng(5)
    return [
        Rhythm("random", tap_text("".join(rng.choice(list("xX."), 64, p=[0.7 * d, 0.3 * d, 1 - d])) + "x", bars=8), None) for d in rng.uniform(0.05, 0.7, count)
    ]


def read_takes(data: Path, split: str, count: int, *, loud: bool) -> list[Rhythm]:
    """Groove MIDI takes as taps: all drums, or kick and snare."""
    rng, found = np.random.default_rng(9), list[Rhythm]()
    sources = [s for s in list_sources(f"groove_midi:{split}", data) if "beat" in s.tags]
    nine = load_kit("drums_rnn_9")
    for index in rng.permutation(len(sources)):
        song = cut(parse_song(sources[index].read(), sources[index].name), 0, BARS)
        if loud:
            stays = [np.isin(nine.lookup[p.notes["pitch"]], [0, 1]) for p in song.parts]
            tapped = tap_song(replace(song, parts=tuple(replace(p, notes=p.notes[s]) for p, s in zip(song.parts, stays, strict=True) if s.any())))
        else:
            tapped = tap_song(song)
        if np.count_nonzero(tapped.line.taps) >= LEAST_TAPS:
            line = lay_parts(tapped.heard.parts if loud else song.parts, song.grid()) if not loud else tapped.line
            tapped = replace(tapped, line=line)
            found.append(Rhythm("kick+snare" if loud else "kit", tapped, hits_of(song, tapped.line.grid)))
        if len(found) == count:
            break
    return found


def to_nine(groove: Groove) -> Bits:
    """Hits of the nine classes."""
    return groove.to_kit(load_kit("drums_rnn_9")).hits


def f1(pairs: list[tuple[Bits, Bits]]) -> float:
    """Over all hits of all lines."""
    both, sums = (sum(int(v) for v in column) for column in zip(*(((a & b).sum(), a.sum() + b.sum()) for a, b in pairs), strict=True))
    return round(2 * both / max(sums, 1), 3)


def share(hit: list[Bits]) -> float:
    """The share that is true, nan of none."""
    flat = np.concatenate(hit) if hit else np.zeros(0)
    return round(float(flat.mean()), 3) if len(flat) else float("nan")


def measure(drummer: Drummer, rhythms: list[Rhythm], how: Tapping) -> dict[str, float]:
    """The figures of one kind of lines."""
    played, accents, lights, between, real_between = ([] for _ in range(5))
    pairs: dict[str, list[tuple[Bits, Bits]]] = {"ours": [], "alone": [], "kick": []}
    started = time.perf_counter()
    for seed, rhythm in enumerate(rhythms):
        line = rhythm.tapped.line
        ours = to_nine(play_line(drummer, rhythm.tapped, how=how, seed=seed)[0])
        rank, loud = line.rank_accents(), ours[:, [0, 1, 7]].any(axis=1)
        played.append(ours[line.taps].any(axis=1))
        accents.append(loud[rank > 0])
        lights.append(loud[rank < 0])
        between.append(ours[~line.taps].sum(axis=1))
        if rhythm.real is not None:
            real_between.append(rhythm.real[~line.taps].sum(axis=1))
            kick = np.zeros_like(ours)
            kick[line.taps, 0] = True
            pairs["ours"].append((ours, rhythm.real))
            pairs["alone"].append((to_nine(drummer.play_alone(line.grid, qpm=rhythm.tapped.tempo.qpm(), seed=seed)), rhythm.real))
            pairs["kick"].append((kick, rhythm.real))
    seconds = (time.perf_counter() - started) / max(len(rhythms), 1)
    out = {"lines": len(rhythms), "taps": sum(map(len, played)), "played": share(played), "on accents": share(accents), "on lights": share(lights)}
    out |= {"between": share(between), "real": share(real_between), **{f"F1 {k}": f1(v) if v else float("nan") for k, v in pairs.items()}}
    return out | {"seconds": round(seconds, 2)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("BACKBEAT_DATA"), type=Path)
    parser.add_argument("--split", default="test", help="of Groove MIDI")
    parser.add_argument("--lines", type=int, default=100)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder with the data sets, or set BACKBEAT_DATA")
    drummer, count = load_drummer(options.model), -(-options.lines // 4)
    kinds = {
        "bass": read_bass(options.data, count),
        "random": make_random(count),
        "kit": read_takes(options.data, options.split, count, loud=False),
        "kick+snare": read_takes(options.data, options.split, count, loud=True),
    }
    report = {}
    for kind, rhythms in kinds.items():
        report[kind] = measure(drummer, rhythms, Tapping())
        if len(report) == 1:
            print(f"{'':<12}" + "".join(f"{name:>11}" for name in report[kind]))
        print(f"{kind:<12}" + "".join(f"{value:>11}" for value in report[kind].values()), flush=True)
    taps = sum(r["taps"] for r in report.values())
    print(f"\nall taps: {taps}, played {sum(r['taps'] * r['played'] for r in report.values()) / taps:.3f}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
