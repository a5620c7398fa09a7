"""Melodies on drums: what the filters let pass, likelihoods, and whether onsets follow the drums. Prints tables.

Usage: python benchmarks/melody_figures.py DATA [--pairs FOLDER] [--count 400] [--models ours paper FOLDER ...]
DATA holds the songs; pairs of drums and melody are mined from songs:validation (kept in FOLDER/validation.npz if that is given). Every loop
of 64 ticks is played on the drums of a held-out pair that is a melody of its own (looped, in its scale, one note at a time), with the pair's
instrument, key and octave: once, as it comes, with no second try. Real: the melodies of these pairs; their key counts as asked for, so that
the last filter says how often the song's key, as ours finds it, is what the original detector finds in the loop. Shuffled: the melody of
another pair. Likelihoods are of the onsets of real melodies, in bits a step (a note begins, or not), given the right drums, another
pair's drums, or nothing but the place in the bar (counted on the training pairs' half of the held-out ones).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from backbeat.codecs.melodies import (
    DRUM_STEPS,
    FIRST_NOTE,
    PITCHES,
    TICKS,
    find_base,
    melody_to_matrix,
    melody_to_tokens,
)
from backbeat.codecs.melody_features import NO_CHORD, Places, encode_features, find_density, recall_all
from backbeat.codecs.patterns import patterns_to_hits
from backbeat.datasets import list_sources
from backbeat.datasets.melody_loops import MelodyLoops, mine, read_loops, write_loops
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.metrics.melodies import FILTERS, count_faults, list_faults, measure_coincidence
from backbeat.models.melody import TRIES, open_melody, play
from backbeat.models.melody_loops import LoopPlayer
from backbeat.models.melody_setting import MelodyModel, Setting
from backbeat.models.melody_steps import StepPlayer
from backbeat.tonality.scales import list_scale

GRID = Grid.regular(4)


def read_pairs(data: Path, folder: Path | None) -> MelodyLoops:
    """The held-out pairs, mined or read."""
    path = folder / "validation.npz" if folder else None
    if path and path.is_file():
        return read_loops(path)
    loops = mine(list_sources("songs:validation", data))
    if path:
        write_loops(loops, path)
    return loops


def choose(loops: MelodyLoops, count: int, seed: int = 1) -> MelodyLoops:
    """Some looped pairs whose part is a melody in the song's key."""
    good = []
    for i in np.flatnonzero(loops.looped).tolist():
        notes, key = loops.melody(i), int(loops.key[i])
        alone = np.mean(np.unique(notes["step"], return_counts=True)[1] == 1)
        if alone >= 0.7 and np.isin(notes["pitch"] % 12, list_scale(key)).mean() >= 0.75 and 0 <= loops.octave[i] <= 8:
            good.append(i)
    kept = np.random.default_rng(seed).permutation(good)[:count]
    return loops.select(np.isin(np.arange(len(loops)), kept))


def make_setting(loops: MelodyLoops, i: int, drums: int | None = None, temperature: float = 1.0) -> Setting:
    """What a pair's melody is played on; the two bars of its drums, twice."""
    words = loops.drums[i if drums is None else drums]
    hits = patterns_to_hits(words[None])[0]
    groove = Groove(GRID, load_kit("drum_space_14"), hits, hits.astype(np.float32), np.zeros(hits.shape, np.float32))
    return Setting(groove, int(loops.key[i]), int(loops.program[i]), int(loops.octave[i]), temperature=temperature)


def generate(model: MelodyModel, loops: MelodyLoops, temperature: float, tries: int = 1) -> list[np.ndarray]:
    out = []
    for i in range(len(loops)):
        melody = play(model, make_setting(loops, i, temperature=temperature), np.random.default_rng([7, i]), tries=tries)
        out.append(melody_to_matrix(melody))
    return out


def show_acceptance(rows: dict[str, list[np.ndarray]], keys: list[int]) -> None:
    print(f"\nleft out by each filter, share of {len(keys)} loops\n{'':44}" + "".join(f"{name[:13]:>15}" for name in rows))
    counts = {name: count_faults(loops, keys) for name, loops in rows.items()}
    for fault in FILTERS:
        print(f"{fault:44}" + "".join(f"{c[1][fault]:15.1%}" for c in counts.values()))
    print(f"{'accepted by all eight':44}" + "".join(f"{c[0]:15.1%}" for c in counts.values()))
    seven = {n: np.mean([not set(list_faults(m, k)) - {"another key"} for m, k in zip(loops, keys, strict=True)]) for n, loops in rows.items()}
    print(f"{'accepted by the first seven':44}" + "".join(f"{v:15.1%}" for v in seven.values()))
    distinct = {n: len({np.packbits(m).tobytes() for m in loops}) / len(loops) for n, loops in rows.items()}
    print(f"{'different ones':44}" + "".join(f"{v:15.1%}" for v in distinct.values()))


def show_coincidence(rows: dict[str, list[np.ndarray]], loops: MelodyLoops) -> None:
    drums, other = loops.drums, np.roll(loops.drums, len(loops) // 2, axis=0)
    print(f"\n{'onsets that a drum meets':44}" + "".join(f"{name[:13]:>15}" for name in rows))
    parts = {"any drum": 0x3FFF, "kick or snare": 3, "kick": 1}
    for part, mask in parts.items():
        for name, words in ((part, drums), (f"{part}, of another pair", other)):
            struck = [(w & mask) > 0 for w in words]
            print(f"{name:44}" + "".join(f"{measure_coincidence([m.any(axis=1) for m in made], struck):15.1%}" for made in rows.values()))
    print(f"{'onsets a loop':44}" + "".join(f"{np.mean([m.any(axis=1).sum() for m in made]):15.1f}" for made in rows.values()))
    print(f"{'different pitches a loop':44}" + "".join(f"{np.mean([m.any(axis=0).sum() for m in made]):15.1f}" for made in rows.values()))
    halves = {n: np.mean([(m[:32].any(axis=1) == m[32:].any(axis=1)).mean() for m in made]) for n, made in rows.items()}
    print(f"{'steps whose rhythm comes again 2 bars later':44}" + "".join(f"{v:15.1%}" for v in halves.values()))


def bits_of(chances: np.ndarray, onsets: np.ndarray) -> float:
    p = np.clip(np.where(onsets, chances, 1 - chances), 1e-9, 1)
    return float(-np.log2(p).mean())


def score_steps(player: StepPlayer, loops: MelodyLoops, drums: np.ndarray, told: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Probability of an onset at each step [n, 64], and bits of each whole token [n, 64], given the melody so far."""
    tokens = np.stack([melody_to_tokens(loops.melody(i), TICKS, find_base(int(loops.key[i]), int(loops.octave[i]))) for i in range(len(loops))])
    features = []
    for i in range(len(loops)):
        key, chords = int(loops.key[i]), loops.chords[i].astype(int) if told else np.full(4, NO_CHORD)
        about = {"family": int(loops.program[i]) // 8, "minor": key >= 12, "octave": int(loops.octave[i]), "tonic": key % 12}
        features.append(encode_features(drums[i], Places.common(TICKS), chords=chords, density=find_density(tokens[i]) if told else -1, **about))
    inputs = {"features": np.stack(features), "recalled": recall_all(tokens)}
    logits = player.session.run(inputs, player.session.start(len(loops)))[0]["logits"].astype(float)
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    return p[..., FIRST_NOTE:].sum(axis=-1), -np.log2(np.take_along_axis(p, tokens[..., None], axis=-1)[..., 0])


def score_loops(player: LoopPlayer, loops: MelodyLoops, drums: np.ndarray) -> np.ndarray:
    """Probability of an onset at each tick [n, 64]."""
    told = [
        player.tell(drums[i][:DRUM_STEPS], int(loops.program[i]) // 8, int(loops.key[i]), int(loops.octave[i])).reshape(TICKS, PITCHES)
        for i in range(len(loops))
    ]
    return np.stack([1 - np.prod(1 - t, axis=1) for t in told])


def show_likelihood(models: dict[str, MelodyModel], loops: MelodyLoops, learn: MelodyLoops) -> None:
    onsets = np.stack([melody_to_matrix(loops.melody(i)).any(axis=1) for i in range(len(loops))])
    known = np.stack([melody_to_matrix(learn.melody(i)).any(axis=1) for i in range(len(learn))])
    other = np.roll(loops.drums, len(loops) // 2, axis=0)
    place = np.tile(known.reshape(-1, 4, 16).mean(axis=(0, 1)), 4)
    print(f"\nbits a step of whether a note begins, real melodies, {onsets.sum():,} onsets in {onsets.size:,} steps")
    print(f"{'':30}{'right drums':>14}{'other drums':>14}{'the drums give':>16}")
    print(f"{'share of onsets':30}{bits_of(np.full(onsets.shape, known.mean()), onsets):14.3f}")
    print(f"{'place in the bar':30}{bits_of(np.broadcast_to(place, onsets.shape), onsets):14.3f}")
    for name, model in models.items():
        if isinstance(model, StepPlayer):
            right, wrong = (score_steps(model, loops, d)[0] for d in (loops.drums, other))
        else:
            right, wrong = (score_loops(model, loops, d) for d in (loops.drums, other))
        a, b = bits_of(right, onsets), bits_of(wrong, onsets)
        print(f"{name + (', given the melody so far' if isinstance(model, StepPlayer) else ''):30}{a:14.3f}{b:14.3f}{b - a:16.3f}")
    for name, model in models.items():
        if isinstance(model, StepPlayer):
            right, wrong, told = (score_steps(model, loops, d, t)[1].mean() for d, t in ((loops.drums, False), (other, False), (loops.drums, True)))
            print(f"{name + ', whole tokens, bits a step':30}{right:14.3f}{wrong:14.3f}{wrong - right:16.3f}   with chords and density told {told:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--models", nargs="+", default=["ours", "paper"])
    options = parser.parse_args()
    mined = read_pairs(options.data, options.pairs)
    loops = choose(mined, 2 * options.count)
    half = np.arange(len(loops)) % 2 == 0
    learn, loops = loops.select(~half), loops.select(half)
    print(f"{len(mined):,} pairs held out, {mined.looped.mean():.0%} looped; {len(loops)} melodies measured")
    models = {name: open_melody(name if name in ("ours", "paper") else Path(name)) for name in options.models}
    keys = loops.key.astype(int).tolist()
    real = [melody_to_matrix(loops.melody(i)) for i in range(len(loops))]
    rows = {"real": real}
    for name, model in models.items():
        if isinstance(model, LoopPlayer):
            rows[f"{name}, bits"] = generate(LoopPlayer(model.session, alone=False), loops, 1.0)
        rows |= {name: generate(model, loops, 1.0), f"{name} T=.7": generate(model, loops, 0.7), f"{name} x{TRIES}": generate(model, loops, 1.0, TRIES)}
    show_acceptance(rows, keys)
    show_coincidence(rows, loops)
    show_likelihood(models, loops, learn)


if __name__ == "__main__":
    main()
