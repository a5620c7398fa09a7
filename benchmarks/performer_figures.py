"""The performer beside all floors of YARDSTICKS: errors, distances, bits, who can tell it from people, and what hangs together.

Groove MIDI, 4/4 takes of the test split (or validation), whole takes on 16ths with the nine classes of Drums RNN, offsets against
the nearest 16th, the louder of two hits of a cell kept. Rows: quantised, class x position mean, ridge, sampler and uniform +-20 ms as in
``timing_floors.py``; GrooVAE as published (Gillick et al. 2019, on the same test split: 18.80 ms, MSE .032, KL of velocity .08); the
performer's mean and its samples, told nothing, and told style and drummer of the take. The four ``eval_session`` folders, which
training has nothing of, stand apart.

Usage: python benchmarks/performer_figures.py DATA [--split validation] [--model FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from timing_floors import COLUMNS, draw_hits, play_mean, play_ridge, read_split

from backbeat.codecs.strokes import Strokes, groove_to_strokes
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.metrics import timing
from backbeat.metrics.discrimination import STEPS, FeelWindows, c2st_feel, find_windows
from backbeat.midi import extract_groove, read_song
from backbeat.models.performer_inputs import read_accents
from backbeat.performer import Performer, Playing, load_performer
from backbeat.units import TempoMap

Floats = npt.NDArray[np.float64]
Feel = timing.Feel
HUMAN = "the drummer"


class Take(NamedTuple):
    """A take, its tempo, and what is known of it."""

    name: str
    groove: Groove
    tempo: TempoMap
    style: str
    drummer: str
    is_eval: bool


def read_takes(data: Path, split: str) -> list[Take]:
    """The 4/4 takes of a split, in the order of ``timing_floors.read_split``."""
    with (data / "groove" / "info.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == split and r["time_signature"] == "4-4"]
    takes = []
    for row in rows:
        song = read_song(data / "groove" / row["midi_filename"])
        groove = extract_groove(song, song.grid(), load_kit("drums_rnn_9"))[0]
        style = row["style"].split("/")[0]
        takes.append(Take(row["id"], groove, song.tempo, style, row["drummer"], "eval_session" in row["session"]))
    return takes


def perform_takes(performer: Performer, takes: list[Take], *, told: bool, mean: bool, seed: int = 0) -> list[Groove]:
    """All takes played anew."""
    hows = [Playing(style=t.style if told else "any", drummer=t.drummer if told else "any", mean=mean) for t in takes]
    return [performer.perform(t.groove, t.tempo, seed=seed + i, how=h) for i, (t, h) in enumerate(zip(takes, hows, strict=True))]


def collect(takes: list[Take], grooves: list[Groove]) -> Feel:
    """The feel of grooves as one."""
    return timing.join_feels([timing.collect_feel(g, t.tempo) for t, g in zip(takes, grooves, strict=True)])


def spread(takes: list[Take], feel: Feel) -> list[Groove]:
    """A feel of all hits as grooves again."""
    grooves, first = [], 0
    for take in takes:
        hits = take.groove.hits
        stop = first + int(hits.sum())
        velocities, offsets = np.zeros(hits.shape, np.float32), np.zeros(hits.shape, np.float32)
        velocities[hits] = np.clip(feel.velocities[first:stop], 1 / 127, 1)
        offsets[hits] = np.clip(feel.offsets[first:stop], -0.5, 0.499)
        grooves.append(take.groove.replace(velocities=velocities, offsets=offsets))
        first = stop
    return grooves


def make_windows(takes: list[Take], grooves: list[Groove]) -> tuple[FeelWindows, npt.NDArray[np.str_]]:
    """Two-bar windows that are not silent, and the take of each."""
    arrays: list[list[npt.NDArray[np.float32]]] = [[], [], []]
    names = []
    for take, groove in zip(takes, grooves, strict=True):
        starts = find_windows(groove.grid.first_steps)
        cells = starts[:, None] + np.arange(STEPS)
        kept = groove.hits[cells].any(axis=(1, 2))
        for array, values in zip(arrays, (groove.hits, groove.velocities, groove.offsets), strict=True):
            array.append(values[cells][kept])
        names += [f"{take.drummer}/{take.name}"] * int(kept.sum())
    hits, velocities, offsets = (np.concatenate(a) for a in arrays)
    return FeelWindows(hits.astype(bool), velocities, offsets), np.array(names)


def tell_apart(takes: list[Take], played: list[Groove]) -> float:
    """C2ST of takes as people played them against the same takes played; against nothing, half of the takes against the other half."""
    if played:
        return c2st_feel(*make_windows(takes, [t.groove for t in takes]), *make_windows(takes, played))
    side = np.random.default_rng(0).permutation(len(takes)) % 2 == 0
    halves = [[t for t, s in zip(takes, side, strict=True) if s == k] for k in (True, False)]
    return c2st_feel(*(x for half in halves for x in make_windows(half, [t.groove for t in half])))


def measure_bits(train: Feel, test: Feel) -> tuple[float, float]:
    """Bits of velocity and lateness (density per ms) under histograms of class x position, smoothed by those of the class and of all."""
    values = [(np.floor(f.velocities * 127 + 0.5).astype(int), np.floor(f.milliseconds / 4).astype(int) + 100) for f in (train, test)]
    out = []
    for kind, (size, width) in enumerate(((128, 1), (200, 4))):
        known, wanted = np.clip(values[0][kind], 0, size - 1), np.clip(values[1][kind], 0, size - 1)
        chance = np.full(len(wanted), 1 / size)
        for keys, ours in ((train.cells * 0, test.cells * 0), (train.cells >> 20, test.cells >> 20), (train.cells, test.cells)):
            names, place = np.unique(np.concatenate([keys, ours]), return_inverse=True)
            table = np.zeros((len(names), size))
            np.add.at(table, (place[: len(keys)], known), 1)
            total, at = table.sum(axis=1), place[len(keys) :]
            chance = (table[at, wanted] + 20 * chance) / (total[at] + 20)
        out.append(float(-np.log2(chance / width).mean()))
    return out[0], out[1]


def show_bits(performer: Performer, takes: list[Take], floor: tuple[float, float]) -> None:
    """Bits per onset of velocity and lateness."""
    print(f"\n{'bits per onset':44} velocity   lateness (density per ms)")
    print(f"{'histograms of class x position':44} {floor[0]:8.3f} {floor[1]:10.3f}")
    for told in (False, True):
        hows = [Playing(style=t.style, drummer=t.drummer) if told else Playing() for t in takes]
        bits = [performer.log_likelihood(groove_to_strokes(t.groove, t.tempo), h, rounded=True) for t, h in zip(takes, hows, strict=True)]
        loud, late = -np.concatenate(bits).mean(axis=0)
        print(f"{'performer, ' + ('style and drummer told' if told else 'told nothing'):44} {loud:8.3f} {late:10.3f}")


def show_together(takes: list[Take], played: dict[str, list[Groove]]) -> None:
    """What hangs together: lateness from stroke to stroke, of one place, of a take; snares by loudness; hats within the beat."""
    print(
        f"\n{'':44} {'late r, next':>12} {'8 on':>7} {'same place':>10} {'of takes, sd':>12} {'velocity r':>10} {'ghost':>6} {'normal':>6} {'accent':>6}   closed hat on 1 e & a"
    )
    for name, grooves in played.items():
        strokes = [groove_to_strokes(g, t.tempo) for g, t in zip(grooves, takes, strict=True)]
        pairs = [(s.late[:-k], s.late[k:]) for k in (1, 8) for s in strokes if len(s) > 16]
        half = len(pairs) // 2
        together = [(s.late[:-1][_same(s)], s.late[1:][_same(s)]) for s in strokes]
        near, far, same = (np.corrcoef(*(np.concatenate(side) for side in zip(*p, strict=True)))[0, 1] for p in (pairs[:half], pairs[half:], together))
        people = [groove_to_strokes(t.groove, t.tempo) for t in takes]
        loud, real = (np.concatenate([s.velocities for s in x]) for x in (strokes, people))
        columns, kinds = np.concatenate([s.columns for s in people]), np.concatenate([read_accents(s) for s in people])
        snares = [loud[(columns == load_kit("drums_rnn_9").index("snare")) & (kinds == k)].mean() * 127 for k in range(3)]
        places = np.concatenate([np.floor(s.quarters * 4 + 0.5).astype(int) % 4 for s in strokes])
        hats = [loud[(columns == load_kit("drums_rnn_9").index("closed_hat")) & (places == k)].mean() * 127 for k in range(4)]
        figures = [near, far, same, np.std([s.late.mean() for s in strokes if len(s)]), np.corrcoef(loud, real)[0, 1]]
        print(f"{name:44} {figures[0]:12.3f} {figures[1]:7.3f} {figures[2]:10.3f} {figures[3]:12.2f} {figures[4]:10.3f}", end=" ")
        print(*(f"{s:6.1f}" for s in snares), "  ", *(f"{h:6.1f}" for h in hats))


def _same(strokes: Strokes) -> npt.NDArray[np.bool_]:
    return np.asarray(np.diff(strokes.quarters) < 1e-6)


def show_accents(performer: Performer, takes: list[Take]) -> None:
    """Coarse accents of the drummer given: are they followed?"""
    followed, total, kept = 0, 0, []
    for number, take in enumerate(takes):
        strokes = groove_to_strokes(take.groove, take.tempo)
        wanted = read_accents(strokes)
        played = performer.perform_strokes(strokes, seed=number, accents=wanted, rounded=True)
        followed += int((read_accents(played) == wanted).sum())
        total += len(strokes)
        kept.append((strokes.velocities, played.velocities))
    real, ours = (np.concatenate(x) for x in zip(*kept, strict=True))
    print(
        f"\nwith the drummer's ghosts and accents told: {followed / total:.1%} of the strokes lie in the range told, velocity r {np.corrcoef(real, ours)[0, 1]:.3f}"
    )


def show_apart(title: str, takes: list[Take], played: dict[str, list[Groove]]) -> None:
    """C2ST of what can vary from hit to hit; people against people are half of the takes against the other half."""
    print(f"\nC2ST, {title}: the same hits, as people played them and as they are played here; 0.5 = nobody can tell")
    for name, grooves in played.items():
        if "mean" not in name and name != "ridge":
            print(f"{name:44} {tell_apart(takes, grooves if name != HUMAN else []):.3f}", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=os.environ.get("BACKBEAT_DATA"))
    parser.add_argument("--split", default="test", choices=["validation", "test"])
    parser.add_argument("--model", type=Path, help="checkpoint folder; default: the one that ships")
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the data folder, or set BACKBEAT_DATA")
    started, data = time.perf_counter(), Path(options.data)
    performer, takes = load_performer(options.model), read_takes(data, options.split)
    train, validation, test = (read_split(data, s) for s in ("train", "validation", options.split))
    played = play_all(performer, takes, play_floors(train, validation, test))
    own = {"all": takes, "eval_session": [t for t in takes if t.is_eval]}
    chosen = {title: {n: [g for g, t in zip(grooves, takes, strict=True) if t in part] for n, grooves in played.items()} for title, part in own.items() if part}
    for title, grooves in chosen.items():
        show_errors(f"{options.split}, {title}", own[title], grooves)
        show_floor(performer, own[title])
    show_bits(performer, takes, measure_bits(train.feel, test.feel))
    show_together(takes, {n: played[n] for n in (HUMAN, "sampler", "performer, samples, told nothing", "performer, samples, style and drummer told")})
    show_accents(performer, takes)
    for title, grooves in chosen.items():
        show_apart(f"{options.split}, {title}", own[title], grooves)
    print(f"\n{time.perf_counter() - started:.0f} s")


def play_floors(train, validation, test) -> Callable[[list[Take]], dict[str, list[Groove]]]:  # type: ignore[no-untyped-def]  # noqa: ANN001 - splits
    """The floors of ``timing_floors`` as grooves."""
    rng, known, hits = np.random.default_rng(0), train.feel, test.feel
    drawn = draw_hits(known, hits, rng)
    late, loud = play_ridge(train, validation, test).T
    plain = np.full(len(hits), known.velocities.mean())
    uniform = rng.uniform(-20, 20, len(hits)) / timing.steps_to_ms(np.ones(len(hits)), hits.qpm)
    feels = {
        "quantised, one velocity": (np.zeros(len(hits)), plain),
        "class x position mean": (play_mean(known, hits, known.offsets), play_mean(known, hits, known.velocities)),
        "ridge": (late, np.clip(loud, 0, 1)),
        "sampler": (known.offsets[drawn], known.velocities[drawn]),
        "uniform +-20 ms": (uniform, rng.uniform(0, 1, len(hits))),
    }
    return lambda takes: {name: spread(takes, timing.replace_feel(hits, offsets=a, velocities=b)) for name, (a, b) in feels.items()}


def play_all(performer: Performer, takes: list[Take], floors: Callable[[list[Take]], dict[str, list[Groove]]]) -> dict[str, list[Groove]]:
    """Every row of the tables: floors, the performer, people."""
    played = floors(takes)
    for mean in (True, False):
        for told in (False, True):
            name = f"performer, {'mean' if mean else 'samples'}, {'style and drummer told' if told else 'told nothing'}"
            played[name] = perform_takes(performer, takes, told=told, mean=mean)
    return played | {HUMAN: [t.groove for t in takes]}


def show_errors(title: str, takes: list[Take], played: dict[str, list[Groove]]) -> None:
    """Errors, distances and C2ST of all rows."""
    real = collect(takes, [t.groove for t in takes])
    print(f"\n{title}: {len(takes)} takes, {len(real):,} hits")
    print(f"{'':44} " + " ".join(f"{c.replace('timing', 't').replace('velocity', 'v').replace('_pooled', '_pool'):>12}" for c in COLUMNS))
    for name, grooves in played.items():
        figures = timing.evaluate(real, collect(takes, grooves))
        print(f"{name:44} " + " ".join(f"{figures[c]:12.4f}" for c in COLUMNS))
        if name.startswith("uniform"):
            print(f"{'GrooVAE, as published (velocity KL .08)':44} {18.80:12.4f} {0.032:12.4f}")


def show_floor(performer: Performer, takes: list[Take]) -> None:
    """How far samples of two seeds lie apart: no sample of a perfect performer is expected nearer to the drummer."""
    one, other = (collect(takes, perform_takes(performer, takes, told=True, mean=False, seed=seed)) for seed in (0, 1000))
    figures = timing.evaluate(one, other)
    print(f"{'samples against samples of another seed':44} " + " ".join(f"{figures[c]:12.4f}" if "w1" in c else " " * 12 for c in COLUMNS))


if __name__ == "__main__":
    main()
