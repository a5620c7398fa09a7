"""How often a song's own drums are ranked above another song's: the check of ``backbeat score``, and what fits its weights.

    python benchmarks/appreciation_pairs.py [DATA] [--split test] [--pairs 1000] [--songs 400] [--fit FOLDER]

DATA is the folder with the songs (default: the environment variable BACKBEAT_DATA). A pair is a song A of one constant metre with its own drums,
and A with the drums of a donor B: same metre, tempo within 5 %, another near-duplicate cluster and title, B's drums repeated or cut to A's length
from its bar 1. Ties count half. Intervals: bootstrap over songs A, 95 %. --fit writes config.json and prints no test.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.appreciation.judge import SCHEMA, Judge, fit_judge, load_judges
from backbeat.appreciation.pairing import Band, hear_band, pair
from backbeat.appreciation.parts import PARTS, Tally, tally_all
from backbeat.appreciation.verdict import cut_passages
from backbeat.cues import hear
from backbeat.drummer import MAX_STEPS, load_drummer
from backbeat.errors import BackbeatError
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, read_song
from backbeat.models.drummer import DrummerModel

Tallies = dict[str, Tally]
TEMPO, DENSITY = 1.05, 1.1
PASSAGES = 4


@dataclass(frozen=True, eq=False)
class Item:
    """A song with its drums."""

    name: str
    cluster: str
    title: str
    band: Band
    groove: Groove

    @property
    def metre(self) -> tuple[int, int, int] | None:
        """Numerator, denominator and steps of every bar; None where they change."""
        grid = self.groove.grid
        kinds = set(zip(grid.numerators, grid.denominators, grid.bar_steps.tolist(), strict=True))
        return next(iter(kinds)) if len(kinds) == 1 else None


def read_item(path: Path, row: dict[str, str]) -> Item | None:
    """A song of the manifest; None without a band, with fewer than 8 bars of drums, or in changing metre."""
    try:
        song = read_song(path)
        if not song.drum_parts or sum(len(p.notes) for p in song.band) < 32:
            return None
        grid = song.grid()
        if grid.steps > MAX_STEPS:
            return None
        groove, _ = extract_groove(song, grid, load_kit("backbeat"))
    except BackbeatError:
        return None
    if (np.add.reduceat(groove.hits.any(axis=1), grid.first_steps[:-1]) > 0).sum() < 8:
        return None
    item = Item(row["path"], row["cluster"], row["title"], hear_band(hear(song, grid), load_drummer_once()), groove)
    return item if item.metre else None


@cache
def load_drummer_once() -> DrummerModel:
    """The shipped drummer."""
    return load_drummer().model


def read_items(data: Path, split: str, count: int, rng: np.random.Generator) -> list[Item]:
    """So many songs of a split, drawn at random."""
    with (data / "songs-manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split]
    items: list[Item] = []
    for k in rng.permutation(len(rows)).tolist():
        item = read_item(data / "songs" / split / rows[k]["path"], rows[k]) if len(items) < count else None
        if item is not None:
            items.append(item)
    return items


def draw_pairs(items: list[Item], count: int, rng: np.random.Generator, *, density: bool) -> list[tuple[int, int]]:
    """Songs and donors by index; each song about equally often, no pair twice."""
    qpm = np.array([np.median(i.band.cues.qpm) for i in items])
    busy = np.array([i.groove.hits.any(axis=1).mean() for i in items])
    pairs: dict[tuple[int, int], None] = {}
    for a in [int(a) for _ in range(12) for a in rng.permutation(len(items))]:
        near = np.abs(np.log(qpm / qpm[a])) <= np.log(TEMPO)
        if density:
            near &= np.abs(np.log(busy / busy[a])) <= np.log(DENSITY)
        donors = [b for b in np.flatnonzero(near).tolist() if _may_swap(items[a], items[b]) and (a, b) not in pairs]
        if donors and len(pairs) < count:
            pairs[a, int(rng.choice(donors))] = None
    return list(pairs)


def _may_swap(a: Item, b: Item) -> bool:
    return a.metre == b.metre and a.cluster != b.cluster and (a.title != b.title or not a.title)


def lay_donor(a: Item, b: Item) -> Groove:
    """B's drums, repeated or cut to A's length."""
    steps = np.resize(np.arange(b.groove.grid.steps), a.groove.grid.steps)
    return Groove(a.groove.grid, b.groove.kit, *(getattr(b.groove, n)[steps] for n in ("hits", "velocities", "offsets")))


def roll(a: Item, steps: int) -> Groove:
    """A's own drums, so many steps late."""
    return Groove(a.groove.grid, a.groove.kit, *(np.roll(getattr(a.groove, n), steps, axis=0) for n in ("hits", "velocities", "offsets")))


def measure(a: Item, groove: Groove) -> Tallies:
    """Every part of the judgement."""
    return tally_all(pair(a.band, groove, load_drummer_once()))


def read_whole(tallies: Tallies) -> list[float]:
    """[parts] over the whole song."""
    return [t.value() for t in tallies.values()]


def read_passages(true: Tallies, other: Tallies, a: Item, rng: np.random.Generator) -> list[tuple[list[float], list[float]]]:
    """[parts] of a few passages in which A's drums play, with its own and with the donor's drums."""
    played = np.add.reduceat(a.groove.hits.any(axis=1), a.groove.grid.first_steps[:-1]) > 0
    cuts = [c for c in cut_passages(a.groove.grid.bars) if played[c[0] : c[1]].any()]
    chosen = [cuts[k] for k in rng.permutation(len(cuts))[:PASSAGES].tolist()]
    return [([t.value(x, y) for t in true.values()], [t.value(x, y) for t in other.values()]) for x, y in chosen]


@dataclass(frozen=True, eq=False)
class Measured:
    """Values of pairs, float64 [pairs, parts]; which song each is of; passages likewise."""

    songs: npt.NDArray[np.int64]
    real: npt.NDArray[np.float64]
    other: npt.NDArray[np.float64]
    passage_songs: npt.NDArray[np.int64]
    passage_real: npt.NDArray[np.float64]
    passage_other: npt.NDArray[np.float64]


def measure_pairs(items: list[Item], own: dict[int, Tallies], swaps: list[tuple[int, Groove]], rng: np.random.Generator) -> Measured:
    """Measure songs (by index) with their own and with other drums; ``own`` keeps what was measured."""
    rows, passages = [], []
    for a, groove in swaps:
        if a not in own:
            own[a] = measure(items[a], items[a].groove)
        other = measure(items[a], groove)
        rows.append((a, read_whole(own[a]), read_whole(other)))
        passages += [(a, *p) for p in read_passages(own[a], other, items[a], rng)]
    columns = [[np.array(c) for c in zip(*part, strict=True)] for part in (rows, passages)]
    return Measured(*columns[0], *columns[1])


def won(real: npt.NDArray[np.float64], other: npt.NDArray[np.float64], songs: npt.NDArray[np.int64]) -> tuple[float, float, float, int]:
    """Share of pairs won, its interval, and the pairs that could be compared."""
    fine = ~(np.isnan(real) | np.isnan(other))
    points = ((real > other) + 0.5 * (real == other))[fine]
    _, groups = np.unique(songs[fine], return_inverse=True)
    sums, counts = np.bincount(groups, weights=points), np.bincount(groups)
    draws = np.random.default_rng(0).integers(len(sums), size=(2000, len(sums)))
    low, high = np.percentile(sums[draws].sum(axis=1) / counts[draws].sum(axis=1), [2.5, 97.5])
    return float(points.mean()), float(low), float(high), len(points)


def tell(title: str, judges: tuple[Judge, Judge], m: Measured, *, parts: bool = True) -> None:
    """Print how many pairs are won."""
    whole, passage = judges
    order, order_p = ([list(PARTS).index(n) for n in j.parts] for j in judges)
    print(f"\n{title}: {len(m.songs)} pairs of {len(set(m.songs.tolist()))} songs\n{'':34} {'won':>6}  95 % interval  pairs")

    def row(name: str, result: tuple[float, float, float, int]) -> None:
        print(f"{name:34} {100 * result[0]:5.1f} %  {100 * result[1]:.1f}-{100 * result[2]:.1f}  {result[3]:6}", flush=True)

    row("whole score", won(whole.score(m.real[:, order]), whole.score(m.other[:, order]), m.songs))
    row("passages of 4 bars", won(passage.score(m.passage_real[:, order_p]), passage.score(m.passage_other[:, order_p]), m.passage_songs))
    for k, name in enumerate(PARTS if parts else ()):
        row(f"  {name} alone", won(m.real[:, k], m.other[:, k], m.songs))


def join(one: Measured, two: Measured) -> Measured:
    """Both."""
    return Measured(*(np.concatenate([getattr(one, f.name), getattr(two, f.name)]) for f in fields(Measured)))


def fit(donated: Measured, moved: Measured, folder: Path, note: dict[str, object]) -> None:
    """Fit both judges on other songs' drums and on own drums out of place, and write them."""
    names, m = tuple(PARTS), join(donated, moved)
    whole = fit_judge(names, m.real, m.other, np.arange(len(m.real)) < len(donated.real))
    passage = fit_judge(names, m.passage_real, m.passage_other, np.arange(len(m.passage_real)) < len(donated.passage_real))
    folder.mkdir(parents=True, exist_ok=True)
    config = {"schema": SCHEMA, "fitted": note, "song": whole.to_dict(), "passage": passage.to_dict()}
    (folder / "config.json").write_text(json.dumps(config) + "\n", encoding="utf-8")
    for name, a, b in zip(names, whole.weight, passage.weight, strict=True):
        print(f"{name:20} weight {a:6.3f}, of passages {b:6.3f}")
    tell("fitted on: donors", (whole, passage), donated)
    tell("fitted on: own drums out of place", (whole, passage), moved)


def draw_moves(items: list[Item], count: int, rng: np.random.Generator) -> list[tuple[int, Groove]]:
    """Songs with their own drums out of place: by some 16ths up to three beats, or by one to four bars."""
    swaps = []
    for a in rng.permutation(len(items))[:count].tolist():
        bar = int(items[a].groove.grid.bar_steps[0])
        steps = [*(1, 2, 3, 4, 6, 8, 10, 12), *(bar * k for k in (1, 2, 3, 4))]
        swaps.append((a, roll(items[a], int(rng.choice(steps) * rng.choice([-1, 1])))))
    return swaps


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--split", default="test", choices=["train", "validation", "test"])
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--hard", type=int, default=200, help="pairs of each harder kind; with --fit, songs with their own drums out of place")
    parser.add_argument("--songs", type=int, default=400, help="songs to draw from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--values", type=Path, help="with --fit: keep the measured parts in this file (npz)")
    parser.add_argument("--fit", type=Path, help="fit on these pairs and write config.json into this folder")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder, or set BACKBEAT_DATA")
    rng, started = np.random.default_rng(options.seed), time.perf_counter()
    items = read_items(Path(options.data), options.split, options.songs, rng)
    own: dict[int, Tallies] = {}
    print(f"{options.split}: {len(items)} songs of constant metre heard in {time.perf_counter() - started:.0f} s", flush=True)

    def swap(count: int, density: bool) -> Measured:
        pairs = draw_pairs(items, count, rng, density=density)
        return measure_pairs(items, own, [(a, lay_donor(items[a], items[b])) for a, b in pairs], rng)

    first = swap(options.pairs, False)
    if options.fit:
        moved = measure_pairs(items, own, draw_moves(items, options.hard, rng), rng)
        note = {"split": options.split, "donors": len(first.songs), "moved": len(moved.songs), "songs": len(own), "seed": options.seed}
        if options.values:
            np.savez(options.values, **{f"{k}_{f.name}": getattr(m, f.name) for k, m in (("donated", first), ("moved", moved)) for f in fields(Measured)})
        fit(first, moved, options.fit, note)
        return
    judges = load_judges()
    tell("donor of the same metre, tempo within 5 %", judges, first)
    print(f"{time.perf_counter() - started:.0f} s")
    tell("donor as busy, too (within 10 %)", judges, swap(options.hard, True), parts=False)
    chosen = rng.permutation(len(items))[: options.hard].tolist()
    moves: dict[str, Callable[[Item], int]] = {
        "own drums, an 8th late": lambda i: 2,
        "own drums, a beat late": lambda i: 4,
        "own drums, one bar late": lambda i: int(i.groove.grid.bar_steps[0]),
        "own drums, four bars late": lambda i: 4 * int(i.groove.grid.bar_steps[0]),
    }
    for title, by in moves.items():
        tell(title, judges, measure_pairs(items, own, [(a, roll(items[a], by(items[a]))) for a in chosen], rng), parts=False)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
