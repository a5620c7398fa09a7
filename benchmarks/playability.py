"""How many bars two hands and two feet cannot play: of people, of transcriptions, of arrangers' grooves, and of ours before and after.

    python benchmarks/playability.py [DATA] [--played] [--generated BARS] [--songs N] [--json]

DATA is the folder that holds ``groove``, ``songs`` and ``mma-grooves`` (default: the environment variable BACKBEAT_DATA). ``--played`` reads files
(by the limits of ``backbeat check``); ``--generated`` plays so many bars: three in five with the bands of validation songs, the rest alone in
all styles and metres at 60 to 200 qpm and by other models, each performed as ``accompany`` performs it, and counts impossible bars and hits before and after
``make_playable`` (by the limits of what is written). A bar counts once however many places of it are impossible; only bars with drums count.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from backbeat.datasets import DATASETS
from backbeat.errors import BackbeatError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.midi import parse_song
from backbeat.transforms.playability import PLAYED, WRITTEN, Limits, assign_note_limbs, find_conflicts, find_note_conflicts, make_playable
from backbeat.units import TempoMap

METRES = ((4, 4), (3, 4), (6, 8), (7, 8), (5, 4), (12, 8))
TAKES = 3
OTHERS = ("drums-rnn", "lstmetallica")


@dataclass
class Row:
    """Bars of a kind, and how many of them are impossible for which reason."""

    name: str
    bars: int = 0
    impossible: int = 0
    single_kick: int = 0
    why: Counter[str] = field(default_factory=Counter)

    def tell(self) -> str:
        """A line of the table."""
        share = 100 / max(1, self.bars)
        whys = ", ".join(f"{name} {share * n:.2f} %" for name, n in self.why.most_common())
        return f"{self.name:34} {self.bars:7,} {self.impossible:6,} {100 - share * self.impossible:8.2f} % {100 - share * self.single_kick:8.2f} %   {whys}"


@dataclass
class Played:
    """Bars of a kind that we play, before and after."""

    name: str
    bars: int = 0
    before: int = 0
    after: int = 0
    after_played: int = 0
    hits: int = 0
    seconds: float = 0.0
    taken: Counter[str] = field(default_factory=Counter)

    def tell(self) -> str:
        """A line of the table."""
        gone = sum(self.taken.values())
        most = ", ".join(f"{name} {n}" for name, n in self.taken.most_common(6))
        return (
            f"{self.name:34} {self.bars:7,} {self.before:6,} ({100 * self.before / max(1, self.bars):5.2f} %) {self.after:5} {self.after_played:5} "
            f"{100 * gone / max(1, self.hits):6.3f} % of {self.hits:,}   {1000 * self.seconds / max(1, self.bars):.2f} ms/bar   {most}"
        )


def name_fault(why: str) -> str:
    """The class of a conflict, from its sentence."""
    for part, name in (("open and closed", "open + closed hat"), ("pedal closes", "open hat + pedal"), ("hands", "hands"), ("feet", "feet"), ("foot", "feet")):
        if part in why:
            return "three hands" if name == "hands" and "at once" in why else name
    return "other"


def count_file(data: bytes, row: Row) -> None:
    """Add the bars of a file's drums to a row."""
    song = parse_song(data)
    _, bars, _ = assign_note_limbs(song, PLAYED)
    conflicts = find_note_conflicts(song, PLAYED)
    row.bars += len(set(bars.tolist()))
    row.impossible += len({c.bar for c in conflicts})
    row.single_kick += len({c.bar for c in find_note_conflicts(song, PLAYED.with_pedals(False))})
    for why in {(c.bar, name_fault(c.why)) for c in conflicts}:
        row.why[why[1]] += 1


def measure_files(data: Path) -> Iterator[Row]:
    """Rows of files: Groove MIDI by split, validation songs by genre, arrangers' grooves."""
    sources = [(f"Groove MIDI, {split}", "groove_midi", split, False) for split in ("train", "validation", "test")]
    for title, name, split, by_genre in [*sources, ("songs", "songs", "validation", True), ("MMA grooves", "mma_grooves", "", False)]:
        rows: dict[str, Row] = {}
        for source in DATASETS[name].list_sources(data, split):
            keys = [title, f"  {source.genre}"] if by_genre and source.genre else [title]
            for key in keys:
                row = rows.setdefault(key, Row(key))
                try:
                    count_file(source.read(), row)
                except BackbeatError:
                    continue
        yield from sorted((r for r in rows.values() if r.bars >= 200), key=lambda r: (r.name[0] == " ", -r.bars))


def count_groove(groove: Groove, tempo: TempoMap, row: Played) -> None:
    """Add a groove to a row, before and after."""
    grid = groove.grid
    started = time.process_time()
    made = make_playable(groove, tempo)
    row.seconds += time.process_time() - started
    row.bars += len(np.unique(grid.bar_of_step[groove.hits.any(axis=1)]))
    row.hits += int(groove.hits.sum())
    row.before += _count_bars(groove, tempo, WRITTEN)
    row.after += _count_bars(made, tempo, WRITTEN)
    row.after_played += _count_bars(made, tempo, PLAYED)
    for name, number in (groove.replace(hits=groove.hits & ~made.hits)).count_hits().items():
        row.taken[name] += number
    row.taken += Counter()  # drops zeros


def _count_bars(groove: Groove, tempo: TempoMap, limits: Limits) -> int:
    return len({c.bar for c in find_conflicts(groove, tempo, limits)})


def measure_generated(data: Path, bars: int, songs: int) -> Iterator[Played]:
    """Rows of what we play."""
    from backbeat.drummer import load_drummer, load_player
    from backbeat.performer import load_performer

    drummer, performer = load_drummer(), load_performer()
    yield from _accompany(data, 3 * bars // 5, songs)
    alone = Played("drummer alone, all styles")
    for k in range(10**6):
        if alone.bars >= bars // 4:
            break
        grid, tempo = Grid.regular(32, *METRES[k % len(METRES)]), _set_tempo(60 + 140 * (k * 0.381966 % 1))
        groove = drummer.play_alone(grid, style=drummer.styles[k % len(drummer.styles)], qpm=tempo.qpm(), seed=k)
        count_groove(performer.perform(groove, tempo, seed=k), tempo, alone)
    yield alone
    for name in OTHERS:
        row, player = Played(f"groove --model {name}"), load_player(name)
        for k in range(10**6):
            if row.bars >= 3 * bars // 40:
                break
            grid, tempo = Grid.regular(32), _set_tempo(60 + 140 * (k * 0.381966 % 1))
            count_groove(performer.perform(player.play_alone(grid, seed=k), tempo, seed=k), tempo, row)
        yield row


def _accompany(data: Path, bars: int, songs: int) -> Iterator[Played]:
    from backbeat.drummer import load_drummer
    from backbeat.performer import load_performer

    drummer, performer = load_drummer(), load_performer()
    plain, row = Played("accompany, not performed"), Played("accompany, performed")
    sources = DATASETS["songs"].list_sources(data, "validation")
    for k, source in enumerate(sources[:: max(1, len(sources) // songs)]):
        if row.bars >= bars:
            break
        style = drummer.styles[k % len(drummer.styles)] if k % 2 else "any"
        try:
            song = parse_song(source.read(), source.name)
            grooves = drummer.accompany_takes(song, TAKES, seed=k, style=style)
        except BackbeatError:
            continue
        for take, groove in enumerate(grooves):
            count_groove(groove, song.tempo, plain)
            count_groove(performer.perform(groove, song.tempo, seed=take), song.tempo, row)
        sys.stderr.write(f"\r{row.bars} bars")
    yield plain
    yield row


def _set_tempo(qpm: float) -> TempoMap:
    return TempoMap(480, (0,), (round(60e6 / qpm),))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("BACKBEAT_DATA"), help="folder with the data sets")
    parser.add_argument("--played", action="store_true", help="count the bars of files")
    parser.add_argument("--generated", type=int, default=0, metavar="BARS", help="play so many bars")
    parser.add_argument("--songs", type=int, default=226, help="at most so many songs to play to")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args()
    if not options.data:
        parser.error("name the folder with the data sets, or set BACKBEAT_DATA")
    if options.played:
        print(f"{'files':34} {'bars':>7} {'not':>6} {'playable':>10} {'one kick':>10}   why not, share of bars")
        for row in measure_files(Path(options.data)):
            print(json.dumps(asdict(row)) if options.json else row.tell(), flush=True)
    if options.generated:
        print(f"{'played by us':34} {'bars':>7} {'impossible before':>16} {'after':>5} {'check':>5} hits taken away")
        for played in measure_generated(Path(options.data), options.generated, options.songs):
            print(json.dumps(asdict(played)) if options.json else played.tell(), flush=True)


if __name__ == "__main__":
    main()
