"""How much a profile gains: bits per onset of held-out takes before and after ``learn``, by kind of player.

Players are drummers of Groove MIDI's validation and test splits, of which the performer has not learned these takes, though it has
learned others of most of them: ten takes at random are learned from, all others measured; and ten takes in a row of one session.
Players unlike them are the same takes as another kit or another hand would give them, and typed drums. "Before" is the performer
told nothing. What is hit is the drummer's business, which a profile does not touch: its bits stay as they are.

Usage: python benchmarks/learn_figures.py DATA [--draws 2] [--drummers drummer1,drummer7]
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from backbeat.codecs.strokes import Strokes
from backbeat.midi import read_song
from backbeat.midi.reading import read_strokes
from backbeat.models.performer import open_performer
from backbeat.profiles import MOST_TAKES, compare, learn_manner, make_take

LEAST_HELD_OUT = 3


def strike(strokes: Strokes, velocities: np.ndarray, late: np.ndarray | None = None) -> Strokes:
    """Velocities 0-127 and lateness as a MIDI file can hold them."""
    loud = (np.clip(np.floor(velocities + 0.5), 1, 127) / 127).astype(np.float32)
    return strokes.play(velocities=loud, late=strokes.late if late is None else late.astype(np.float32))


def shift_drums(strokes: Strokes) -> Strokes:
    """Snares 12 ms later, hats 6 ms earlier."""
    names = np.array(strokes.kit.names)[strokes.columns]
    return strokes.play(late=(strokes.late + 12.0 * (names == "snare") - 6.0 * (np.char.find(names, "hat") >= 0)).astype(np.float32))


def even_out(strokes: Strokes) -> Strokes:
    """An even hand: what lies off the mean of its drum, in velocity and in lateness, shrinks to 40 %."""
    out = []
    for values in (strokes.velocities * 127.0, strokes.late.astype(np.float64)):
        means = (np.bincount(strokes.columns, values) / np.maximum(np.bincount(strokes.columns), 1))[strokes.columns]
        out.append(means + 0.4 * (values - means))
    return strike(strokes, out[0], out[1])


def type_in(strokes: Strokes) -> Strokes:
    """Drums as they are typed: one velocity a drum, on the grid."""
    return strike(strokes, 100.0 - 4 * (strokes.columns % 6), np.zeros(len(strokes)))


KINDS: dict[str, Callable[[Strokes], Strokes]] = {
    "as played": lambda s: s,
    "velocity ^ 1.6": lambda s: strike(s, 127 * (s.velocities.astype(np.float64)) ** 1.6),
    "velocity in 20-90": lambda s: strike(s, 20 + 70 * s.velocities.astype(np.float64)),
    "snare +12, hats -6 ms": shift_drums,
    "both of these": lambda s: shift_drums(strike(s, 127 * (s.velocities.astype(np.float64)) ** 1.6)),
    "soft: half as loud": lambda s: strike(s, 63 * s.velocities.astype(np.float64)),
    "an even hand": even_out,
    "typed": type_in,
}


def read_takes(data: Path) -> list[tuple[dict[str, str], Strokes]]:
    """All takes of validation and test with a bar or more of strokes."""
    with (data / "groove" / "info.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] in ("validation", "test")]
    takes = []
    for row in rows:
        reading = read_strokes(read_song(data / "groove" / row["midi_filename"]))
        if len(reading.strokes) >= 4:
            takes.append((row, reading.strokes.play(late=reading.lateness.astype(np.float32))))
    return takes


def list_players(takes: list[tuple[dict[str, str], Strokes]], draws: int) -> dict[str, list[tuple[list[Strokes], list[Strokes]]]]:
    """Name -> takes to learn from and takes to measure, several times."""
    players: dict[str, list[tuple[list[Strokes], list[Strokes]]]] = {}
    for field, title in (("drummer", "{}, {}, at random"), ("session", "{}, {}, a session in order")):
        groups: dict[str, list[Strokes]] = {}
        for row, strokes in takes:
            groups.setdefault(title.format(row[field], row["split"]), []).append(strokes)
        for name, own in groups.items():
            if len(own) < MOST_TAKES + LEAST_HELD_OUT:
                continue
            orders = [np.random.default_rng(d).permutation(len(own)) for d in range(draws)] if field == "drummer" else [np.arange(len(own))]
            players[name] = [([own[i] for i in o[:MOST_TAKES]], [own[i] for i in o[MOST_TAKES:]]) for o in orders]
    return players


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--odd", default="drummer1, validation", help="whose takes are made unlike them")
    options = parser.parse_args()
    net = open_performer()
    players = list_players(read_takes(options.data), options.draws)
    print(f"{'player':46}{'kind':24}{'learned':>8}{'held out':>9}  velocity        lateness        sum             fall   seconds")
    for name, pairs in players.items():
        for kind, change in KINDS.items():
            if kind != "as played" and not name.startswith(options.odd + ", at"):
                continue
            for learned, kept in pairs:
                started = time.perf_counter()
                own = [make_take(change(s)) for s in learned]
                manner = learn_manner(net, own)
                seconds = time.perf_counter() - started
                result = compare(net, manner, [make_take(change(s)) for s in kept])
                sums = [(*r, r.sum()) for r in (result.before, result.after)]
                bits = "  ".join(f"{a:6.2f} -> {b:5.2f}" for a, b in zip(*sums, strict=True))
                print(f"{name:46}{kind:24}{sum(len(s) for s in learned):8}{result.strokes:9}{bits}  {100 * result.fall:5.1f} %{seconds:8.1f}", flush=True)


if __name__ == "__main__":
    main()
