"""Humanise songs, patterns and takes with every feel option; how far is the result from what was asked for, read back from the file?

    python benchmarks/humanise_figures.py DATA [--files 60] [--seed 1]

Files come in equal parts from songs/validation, styles, mma-grooves and Groove MIDI (those that are there). Also checked on each: every event
that is not a drum note is as it was, and the drum notes are the same. Exit status 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from backbeat.datasets import list_sources
from backbeat.errors import BackbeatError
from backbeat.humanising import Humanised, Wish, humanise
from backbeat.midi import parse_song
from backbeat.midi.events import META
from backbeat.midi.splice import list_events
from backbeat.performer import load_performer
from backbeat.song import Song
from backbeat.transforms.feel import Feel

SETS = ("songs", "yamaha_styles", "mma_grooves", "groove_midi")
Miss = Callable[[Humanised, Humanised], float]


EXCUSES = ("asked for", "nothing to swing")
"""What a note says where a figure cannot be reached; such files are counted apart."""


def miss_class(done: Humanised, _: Humanised) -> float:
    """The worst class of those that were pushed, ms."""
    wanted = {"snare": 8, "closed_hat": -3, "open_hat": -3}
    return max((abs(done.after.late_ms[name] - ms) for name, ms in wanted.items() if name in done.after.late_ms), default=float("nan"))


ASKED: dict[str, tuple[Feel, str, Miss]] = {
    "swing 62": (Feel(swing=62), "% of pair", lambda d, _: abs(d.after.swing - 62)),
    "push 12": (Feel(late_ms=-12), "ms", lambda d, _: abs(d.after.late_ms["all"] + 12)),
    "snare +8, hats -3": (Feel(late_ms_of={"snare": 8, "hat": -3}), "ms", miss_class),
    "tightness 2": (Feel(tightness=2), "%", lambda d, p: 100 * abs(2 * d.after.spread_ms / p.after.spread_ms - 1)),
    "tightness 0.5": (Feel(tightness=0.5), "%", lambda d, p: 100 * abs(d.after.spread_ms / p.after.spread_ms / 2 - 1)),
    "dynamics 0.5": (Feel(dynamics=0.5), "%", lambda d, p: 100 * abs(2 * d.after.velocity_spread / p.after.velocity_spread - 1)),
    "dynamics 1.3": (Feel(dynamics=1.3), "%", lambda d, p: 100 * abs(d.after.velocity_spread / p.after.velocity_spread / 1.3 - 1)),
}


def list_files(data: Path, count: int, rng: random.Random) -> Iterator[tuple[str, Song]]:
    """Songs with at least 16 drum notes, in equal parts from the data sets that are there."""
    for name in SETS:
        try:
            sources = [s for s in list_sources(name, data) if s.split in ("", "validation")]
        except BackbeatError:
            continue
        rng.shuffle(sources)
        found = 0
        for source in sources:
            try:
                song = parse_song(source.read(), source.name)
            except BackbeatError:
                continue
            if sum(len(p.notes) for p in song.drum_parts) >= 16:
                yield name, song
                found += 1
            if found >= count // len(SETS):
                break


def is_intact(song: Song, data: bytes) -> bool:
    """Whether only velocities and ticks of drum notes differ."""
    pairs = {(p.track, p.channel) for p in song.drum_parts}

    def split(data: bytes) -> tuple[list[object], list[object]]:
        rest, drums = [], []
        for number, track in enumerate(list_events(data)):
            for tick, status, body in track:
                if 0x80 <= status < 0xA0 and (number, status & 15) in pairs:
                    drums.append((number, status, body[0]))
                elif not (status == META and body[:1] == b"\x2f"):  # a swing or push may take the last stroke behind the end
                    rest.append((number, tick, status, body))
        return rest, sorted(drums)

    return split(song.data) == split(data)


def main() -> None:
    """Humanise, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    player, broken = load_performer(), 0
    misses: dict[str, list[float]] = {name: [] for name in ASKED}
    files: dict[str, int] = {}
    for kind, song in list_files(options.data, options.files, random.Random(options.seed)):
        files[kind] = files.get(kind, 0) + 1
        plain = humanise(song, player=player)
        for name, (feel, _, miss) in ASKED.items():
            done = humanise(song, Wish(feel=feel), player=player)
            misses[name].append(float("nan") if any(t in remark for remark in done.remarks for t in EXCUSES) else miss(done, plain))
            if not is_intact(song, done.data):
                broken += 1
                print(f"{song.source}: {name}: not only drum notes changed", file=sys.stderr)
    print(", ".join(f"{n} of {kind}" for kind, n in files.items()) + f"; {broken} files with other changes")
    print("| asked | unit | median | 95 % | worst | over 1 | files without a note |\n|---|---|---|---|---|---|---|")
    for name, (_, unit, _) in ASKED.items():
        found = np.array([m for m in misses[name] if not np.isnan(m)])
        figures = (np.median(found), np.quantile(found, 0.95), found.max())
        print(f"| {name} | {unit} | " + " | ".join(f"{f:.2f}" for f in figures) + f" | {np.count_nonzero(found > 1)} | {len(found)} |")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
