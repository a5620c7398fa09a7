"""Do NeuralDrummer's drums stay in time until the end of the song? The corrected one, and the original's clock. Prints a table.

Usage: python benchmarks/neural_drummer_in_time.py DATA [--songs 30]

Songs of songs:validation, those with bars that are not 4/4 first. Each is accompanied, written and read again. *On the grid*: share of
drum notes within a quarter of a 16th of a 16th of the song's own bars, for a drummer is early or late. *Until*: where the last drum note falls, as a share of the band's last note.
*Clock*: where the original's last half-beat falls, which is half a quarter behind the one before whatever the metre (see
``codecs.intensity.steps_to_groove``), as a share of the same: below 1 its drums end too early, above it they run on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from backbeat.codecs.intensity import tokenise
from backbeat.datasets import list_sources
from backbeat.drummer import load_player
from backbeat.errors import BackbeatError, InputError
from backbeat.midi import parse_song, splice_drums
from backbeat.song import Song


def is_odd(song: Song) -> bool:
    """Whether it has bars that are not 4/4."""
    grid = song.grid()
    return set(zip(grid.numerators, grid.denominators, strict=True)) != {(4, 4)}


def read_songs(data: Path, count: int) -> list[tuple[str, Song]]:
    songs = []
    for source in list_sources("songs:validation", data):
        try:
            song = parse_song(source.read(), source.name)
            if song.grid().bars > 1 and song.band:
                songs.append((source.name, song, is_odd(song)))
        except BackbeatError:
            continue
    songs.sort(key=lambda row: not row[2])
    odd = sum(row[2] for row in songs)
    chosen = [*songs[: min(odd, count * 2 // 3)], *songs[odd :: max(1, (len(songs) - odd) // max(1, count - count * 2 // 3))]]
    return [(name, song) for name, song, _ in chosen[:count]]


def measure_distances(onsets: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """From each onset to the nearest step, in lengths of the step it lies in; ticks, both sorted."""
    right = np.clip(np.searchsorted(steps, onsets), 1, len(steps) - 1)
    before, behind = onsets - steps[right - 1], steps[right] - onsets
    return np.minimum(np.abs(before), np.abs(behind)) / (before + behind)


def place_clock(song: Song, last: int) -> float:
    """The last half-beat of the original's clock as a share of the band's last note; NaN where it rejects the song."""
    try:
        steps = tokenise(song.data, drums_only=False)
    except InputError:
        return float("nan")
    struck = max((k for k, step in enumerate(steps) if any(not token.startswith("i") for token in step)), default=0)
    return struck * (song.tempo.ticks_per_quarter // 2) / max(1, last)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--songs", type=int, default=30)
    options = parser.parse_args()
    player = load_player("neural-drummer")
    print(f"{'song':44} {'metres':28} {'tempi':>5} {'notes':>6} {'on the grid':>11} {'until':>6} {'clock':>6}")
    rows = []
    for name, song in read_songs(options.data, options.songs):
        try:
            groove = player.accompany(song, seed=0)
        except BackbeatError as error:
            print(f"{Path(name).name[:43]:44} refused: {error}")
            continue
        grid, last = song.grid(), max(int(p.notes["onset"].max()) for p in song.band if len(p.notes))
        drums = [p.notes["onset"] for p in parse_song(splice_drums(song, groove)).drum_parts]
        onsets = np.concatenate(drums).astype(np.int64) if drums else np.zeros(0, np.int64)
        steps = grid.ticks(np.arange(grid.steps))
        exact = float((measure_distances(onsets, steps) <= 0.25).mean()) if len(onsets) else float("nan")
        until = float(onsets.max()) / last if len(onsets) else 0.0
        metres = sorted({f"{n}/{d}" for n, d in zip(grid.numerators, grid.denominators, strict=True)})
        rows.append((exact, until, place_clock(song, last)))
        told = f"{len(onsets):6} {exact:11.3f} {until:6.2f} {rows[-1][2]:6.2f}"
        print(f"{Path(name).name[:43]:44} {' '.join(metres)[:28]:28} {len(song.tempo.ticks):5} {told}", flush=True)
    exact, until, clock = (np.array(column) for column in zip(*rows, strict=True))
    print(
        f"{len(rows)} songs: {np.mean(exact):.1%} of the notes on the grid, at least {np.min(exact):.1%}; drums until 90 % of the song and more in {int((until >= 0.9).sum())};",
        end=" ",
    )
    print(f"the original's clock within 2 % of the song in {int((np.abs(clock - 1) < 0.02).sum())}, rejected {int(np.isnan(clock).sum())}")


if __name__ == "__main__":
    main()
