"""Originality at full size: time to build and to ask, size and memory of the index, and whether planted copies are found.

    python benchmarks/originality_speed.py CORPUS HOSTS [--planted 100] [--tracks 20] [--rebuild]

CORPUS is what tracks are compared with; HOSTS another corpus, whose tracks are asked about and into which copies are planted. A copy is
1, 2 or 4 bars that stand in one training track only, put over the host's own drums:

    plain     at a bar line
    shifted   at any step
    turned    at a bar line, entered elsewhere (its end stands before its beginning)
    half      every step lasts twice as long
    double    every second step (of passages that can be written so)
    changed   at a bar line, with 5 % of the hits (one at least) taken away and as many put elsewhere
    both      shifted and changed
    slow      half time, shifted and changed

It is found where the report names its source at its place: as the nearest of a window, or as a passage, that overlaps it.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backbeat.codecs.words import Words, hits_to_words, words_to_hits
from backbeat.datasets.corpus import Corpus
from backbeat.originality.compare import compare
from backbeat.originality.humans import measure_humans
from backbeat.originality.index import FOLDER, Index, open_index
from backbeat.originality.results import Originality
from backbeat.originality.tracks import Track, list_corpus_tracks

KINDS = ("plain", "shifted", "turned", "half", "double", "changed", "both", "slow")


@dataclass(frozen=True, eq=False)
class Planted:
    """A copy in a host: its kind, length in bars, source, and steps in the host."""

    kind: str
    bars: int
    name: str
    track: Track
    start: int
    steps: int


def change(words: Words, rng: np.random.Generator, share: float = 0.05) -> Words:
    """Take away a share of the hits, and put as many elsewhere."""
    hits = words_to_hits(words)
    count = max(1, round(share * int(hits.sum())))
    full, empty = np.flatnonzero(hits), np.flatnonzero(~hits & hits.any(axis=0))
    flat = hits.reshape(-1).copy()
    flat[rng.choice(full, count, replace=False)] = False
    flat[rng.choice(empty, min(count, len(empty)), replace=False)] = True
    return hits_to_words(flat.reshape(hits.shape))


def disguise(words: Words, kind: str, rng: np.random.Generator) -> Words:
    """A passage as a copy of some kind."""
    if kind == "turned":
        return np.roll(words, int(rng.integers(1, len(words))))
    if kind in ("changed", "both", "slow"):
        words = change(words, rng)
    if kind in ("half", "slow"):
        slow = np.zeros(2 * len(words), dtype=np.uint16)
        slow[::2] = words
        return slow
    return words


def plant(index: Index, hosts: list[Track], kind: str, bars: int, rng: np.random.Generator) -> Planted:
    """A copy of some kind in a random host."""
    shelf = index.shelves[16 * bars, 2 if kind == "double" else 1]
    rare = np.flatnonzero((shelf.only >= 0) & (shelf.hits >= 8 * bars))
    place = int(shelf.list_places(int(rng.choice(rare)))[0])
    copy = disguise(np.array(index.library.words[place : place + shelf.steps * shelf.stride : shelf.stride]), kind, rng)
    while True:
        host = hosts[int(rng.integers(len(hosts)))]
        lines = host.first_steps[(np.diff(host.first_steps, append=0) == 16) & (host.first_steps + len(copy) + 16 < len(host.words))]
        if len(lines):
            break
    start = int(rng.choice(lines)) + (int(rng.integers(1, 16)) if kind in ("shifted", "both", "slow") else 0)
    words = np.array(host.words)
    words[start : start + len(copy)] = copy
    name = index.library.names[int(index.library.find_track(np.array([place]))[0])]
    return Planted(kind, bars, name, Track(host.name, words, host.first_steps), start, len(copy))


def is_found(planted: Planted, report: Originality) -> bool:
    """Whether the report names the source at the place of the copy."""
    end = planted.start + planted.steps
    first = planted.track.first_steps
    for window in report.windows:
        low = first[window.bar - 1] + window.step
        high = low + first[window.bar - 1 + window.bars] - first[window.bar - 1]
        if min(high, end) - max(low, planted.start) >= planted.steps // 2 and any(s.name == planted.name for s in window.sources):
            return True
    for passage in report.passages:
        low = first[passage.bar - 1] + passage.step
        if min(low + passage.steps, end) - max(low, planted.start) >= planted.steps // 2 and passage.source.name == planted.name:
            return True
    return False


def measure_planted(index: Index, hosts: list[Track], count: int) -> None:
    """Plant copies and print how many are found, by kind."""
    rng = np.random.default_rng(0)
    found, planted = Counter[str](), Counter[str]()
    for i in range(count):
        copy = plant(index, hosts, KINDS[i % len(KINDS)], (1, 2, 4)[i // len(KINDS) % 3], rng)
        planted[copy.kind] += 1
        if is_found(copy, compare(index, copy.track)):
            found[copy.kind] += 1
        else:
            print(f"  not found: {copy.kind}, {copy.bars} bars of {copy.name} in {copy.track.name} at step {copy.start}, {copy.steps} steps")
    for kind in KINDS:
        print(f"{kind:10} {found[kind]:4} of {planted[kind]:4} found")
    print(f"all        {found.total():4} of {planted.total():4} found")


def measure_queries(index: Index, tracks: list[Track]) -> None:
    """Ask about tracks and print the times."""
    walls, works = [], []
    for track in tracks:
        wall, work = time.perf_counter(), time.process_time()
        compare(index, track)
        walls.append(time.perf_counter() - wall)
        works.append(time.process_time() - work)
    bars = [len(t.first_steps) - 1 for t in tracks]
    print(f"{len(tracks)} tracks of {min(bars)} to {max(bars)} bars: median {np.median(walls):.2f} s, worst {max(walls):.2f} s", end="; ")
    print(f"processor time median {np.median(works):.2f} s, worst {max(works):.2f} s")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("hosts", type=Path)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--tracks", type=int, default=20)
    parser.add_argument("--rebuild", action="store_true", help="build the index even where there is one")
    options = parser.parse_args()
    if options.rebuild:
        shutil.rmtree(options.corpus / FOLDER, ignore_errors=True)
    started = time.perf_counter()
    index = open_index(options.corpus, measure=measure_humans, progress=lambda line: print(f"{time.perf_counter() - started:6.1f} s  {line}"))
    print(f"{time.perf_counter() - started:6.1f} s  open; most memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    size = sum(f.stat().st_size for f in (options.corpus / FOLDER).glob("*"))
    print(f"index: {len(index.library.names):,} tracks, {len(index.library.bars):,} bars, {size / 1e6:.0f} MB")
    print(f"human: {index.human}")
    hosts = list(list_corpus_tracks(Corpus(options.hosts)))
    measure_queries(index, [hosts[i] for i in np.linspace(0, len(hosts) - 1, options.tracks).astype(int)])
    measure_planted(index, hosts, options.planted)


if __name__ == "__main__":
    main()
