"""How much a profile gains: bits per onset of held-out takes before and after ``learn``, by kind of player.

Real players are drummers of Groove MIDI's validation and test splits, of which the performer has not learned these takes, though it has
learned others of most of them: takes at random, the rest of the drummer's takes measured; and of the sessions that nobody has heard the
first ones learned, the rest measured. Players unlike them are the same takes as another kit or another hand would give them. Scripted
players have patterns, accents and lags of their own, with some spread; each take is in another tempo and varies the patterns. "Before" is
what ships, told nothing: the drummer for what is hit, the performer for velocity (of 127) and lateness (density per ms).

Usage: python benchmarks/learn_figures.py DATA [--learn 1,3,10] [--only real,scripted,odd] [--most 1500]
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from backbeat.codecs.strokes import Strokes
from backbeat.datasets.preparation import prepare
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import read_song, write_groove
from backbeat.midi.reading import read_strokes
from backbeat.models.performer import open_performer
from backbeat.profiles import MOST_TAKES, Ear, Take, VocabularyEar, compare, learn_manner, make_take, open_drummer
from backbeat.units import MetreMap, TempoMap

LEAST_HELD_OUT = 3
ODD = "drummer1, validation, at random"
"""Whose takes are made unlike them."""


def strike(strokes: Strokes, velocities: np.ndarray, late: np.ndarray | None = None) -> Strokes:
    """Velocities 0-127 and lateness as a MIDI file can hold them."""
    loud = (np.clip(np.floor(velocities + 0.5), 1, 127) / 127).astype(np.float32)
    return strokes.play(velocities=loud, late=strokes.late if late is None else late.astype(np.float32))


def shift_drums(strokes: Strokes) -> Strokes:
    """Snares 12 ms later, hats 6 ms earlier."""
    names = np.array(strokes.kit.names)[strokes.columns]
    return strokes.play(late=(strokes.late + 12.0 * (names == "snare") - 6.0 * (np.char.find(names, "hat") >= 0)).astype(np.float32))


def quieten_hats(strokes: Strokes) -> Strokes:
    """Hats at 40 % of their velocity, and the snare 12 ms later."""
    names = np.array(strokes.kit.names)[strokes.columns]
    loud = strokes.velocities * 127.0 * np.where(np.char.find(names, "hat") >= 0, 0.4, 1.0)
    return strike(strokes, loud, strokes.late + 12.0 * (names == "snare"))


def even_out(strokes: Strokes) -> Strokes:
    """An even hand: what lies off the mean of its drum, in velocity and in lateness, shrinks to 40 %."""
    out = []
    for values in (strokes.velocities * 127.0, strokes.late.astype(np.float64)):
        means = (np.bincount(strokes.columns, values) / np.maximum(np.bincount(strokes.columns), 1))[strokes.columns]
        out.append(means + 0.4 * (values - means))
    return strike(strokes, out[0], out[1])


KINDS: dict[str, Callable[[Strokes], Strokes]] = {
    "as played": lambda s: s,
    "velocity ^ 1.6": lambda s: strike(s, 127 * (s.velocities.astype(np.float64)) ** 1.6),
    "velocity in 20-90": lambda s: strike(s, 20 + 70 * s.velocities.astype(np.float64)),
    "snare +12, hats -6 ms": shift_drums,
    "quiet hats, snare +12": quieten_hats,
    "half as loud": lambda s: strike(s, 63 * s.velocities.astype(np.float64)),
    "an even hand": even_out,
    "typed": lambda s: strike(s, 100.0 - 4 * (s.columns % 6), np.zeros(len(s))),
}


def read_take(path: Path, change: Callable[[Strokes], Strokes]) -> Take | None:
    """A take; none if it has fewer than four strokes."""
    reading = read_strokes(read_song(path))
    if len(reading.strokes) < 4:
        return None
    piece = prepare(str(path), band=False, clean=False)
    strokes = change(reading.strokes.play(late=reading.lateness.astype(np.float32)))
    return make_take(strokes, None if isinstance(piece, str) else piece)


def list_real(data: Path) -> dict[str, list[Path]]:
    """Player -> takes of validation and test, those of a drummer in random order."""
    with (data / "groove" / "info.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] in ("validation", "test")]
    players: dict[str, list[Path]] = {}
    for row in rows:
        names = [f"{row['drummer']}, {row['split']}, at random"] + [f"{row['session']} (unheard)"] * ("eval" in row["session"])
        for name in names:
            players.setdefault(name, []).append(data / "groove" / row["midi_filename"])
    mixed = {k: [v[i] for i in np.random.default_rng(0).permutation(len(v))] if k.endswith("random") else v for k, v in players.items()}
    return {k: v for k, v in mixed.items() if len(v) >= (MOST_TAKES if k.endswith("(unheard)") else MOST_TAKES + LEAST_HELD_OUT)}


PATTERNS = {
    "rock": ("x...x...x.x.x...", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "funk": ("x..x..x...x..x..", "....x..x.x..x..x", "xxxxxxxxxxxxxxxx"),
    "ballad": ("x.......x.......", "....x.......x...", "x...x...x...x..."),
}


def write_scripted(folder: Path, name: str, takes: int, spread: tuple[float, float]) -> list[Path]:
    """Takes of a scripted player: accents and lags by drum and place, normal spread in velocities and ms, 5 % of the cells otherwise, fills."""
    kit = load_kit("backbeat")
    columns = [kit.index(n) for n in ("kick", "snare", "closed_hat")]
    loud = np.array([100.0, 96.0, 52.0])[:, None] + np.array([12, -30, -14, -30] * 4) * np.array([0.3, 1.0, 1.0])[:, None]
    lags = np.array([-2.0, 12.0, -6.0])[:, None] + np.array([0.0, 3.0, 0.0, 5.0] * 4)
    rng = np.random.default_rng(sum(map(ord, name)))
    paths = []
    for number in range(takes):
        qpm, bars = float(rng.integers(80, 140)), 24
        grid = Grid.regular(bars, 4, 4)
        hits, velocities, offsets = (np.zeros((grid.steps, len(kit)), kind) for kind in (np.bool_, np.float32, np.float32))
        for k, pattern in enumerate(PATTERNS[name]):
            own = np.tile(np.array([c == "x" for c in pattern]), bars)
            own ^= rng.random(len(own)) < 0.05 * (k < 2)
            own[np.arange(len(own)) % 128 >= 120] = rng.random(np.count_nonzero(np.arange(len(own)) % 128 >= 120)) < (0.3, 0.7, 0.1)[k]
            step = np.flatnonzero(own)
            hits[step, columns[k]] = True
            struck = loud[k, step % 16] + rng.normal(0, spread[0], len(step))
            velocities[step, columns[k]] = np.clip(np.floor(struck + 0.5), 1, 127) / 127
            late = lags[k, step % 16] + rng.normal(0, spread[1], len(step))
            offsets[step, columns[k]] = late / (15_000 / qpm)
        played = Groove(grid, kit, hits, velocities, np.clip(offsets, -0.49, 0.49))
        paths.append(folder / f"{name}{number}.mid")
        write_groove(played, paths[-1], TempoMap(480, (0,), (int(6e7 / qpm),)), MetreMap((0,), (4,), (4,)))
    return paths


def list_cases(data: Path, folder: Path, only: set[str]) -> Iterator[tuple[str, str, list[Path]]]:
    """Player, kind, takes."""
    real = list_real(data)
    if "real" in only:
        yield from ((name, "as played", paths) for name, paths in real.items())
    if "odd" in only:
        yield from ((ODD, kind, real[ODD][:30]) for kind in KINDS if kind != "as played")
    if "scripted" in only:
        for name in PATTERNS:
            for spread in ((4.0, 3.0), (9.0, 7.0), (16.0, 12.0)):
                own = folder / f"{name}{spread[0]}"
                own.mkdir()
                yield f"scripted, {name}", f"spread {spread[0]:g}, {spread[1]:g} ms", write_scripted(own, name, MOST_TAKES + LEAST_HELD_OUT, spread)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--learn", default="1,3,10", help="how many takes")
    parser.add_argument("--only", default="real,odd,scripted")
    parser.add_argument("--most", type=int, default=1500, help="strokes of each take that are measured")
    options = parser.parse_args()
    net, words = open_performer(), VocabularyEar(open_drummer())
    print(
        f"{'player':34}{'kind':24}{'takes':>5}{'held':>6}  hits           velocity       lateness       falls: hits  velocity  lateness  these two  all   seconds"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, kind, paths in list_cases(options.data, Path(folder), set(options.only.split(","))):
            takes = [t for p in paths if (t := read_take(p, KINDS.get(kind, KINDS["as played"]))) is not None]
            most = 7 if name.endswith("(unheard)") else MOST_TAKES
            kept = [t._replace(stop=min(t.stop, options.most)) for t in takes[most:]]
            for count in map(int, options.learn.split(",")):
                started = time.perf_counter()
                manner = learn_manner(net, takes[: min(count, most)], Ear(net, words))
                seconds = time.perf_counter() - started
                r = compare(net, manner, kept, words)
                pairs = [(r.words_before, r.words_after), *zip(r.before, r.after, strict=True)]
                bits = "  ".join(f"{a:5.2f} -> {b:5.2f}" for a, b in pairs)
                falls = [1 - b / a for a, b in pairs]
                shown = "".join(f"{100 * f:9.1f}%" for f in (*falls, r.fall, r.fall_in_all))
                print(f"{name:34}{kind:24}{min(count, most):5}{r.strokes:6}  {bits}{shown}{seconds:8.1f}", flush=True)


if __name__ == "__main__":
    main()
