"""How many songs a second one core turns into training arrays, stage by stage, beside other people's readers. Prints a table.

Usage: python benchmarks/corpus_speed.py DATA/songs/train [--songs 150] [--runs 3] [--peers-python PATH]
The songs are drawn (seed 0) from the MIDI files below the folder that have a band and drums; their bytes are in memory before the clock
starts. Times are CPU seconds of one process with one thread, the median of the runs. Peers are run by another Python where they are
installed: pip install mido pretty_midi miditoolkit symusic note_seq.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def read_with_symusic() -> Callable[[bytes], Any]:
    from symusic import Score

    return Score.from_midi


def read_with_mido() -> Callable[[bytes], Any]:
    import mido

    return lambda data: mido.MidiFile(file=io.BytesIO(data))


def read_with_pretty_midi() -> Callable[[bytes], Any]:
    import pretty_midi

    return lambda data: pretty_midi.PrettyMIDI(io.BytesIO(data))


def read_with_miditoolkit() -> Callable[[bytes], Any]:
    import miditoolkit

    return lambda data: miditoolkit.MidiFile(file=io.BytesIO(data))


def extract_with_note_seq() -> Callable[[bytes], Any]:
    """Drums RNN's way: a NoteSequence, quantised to sixteenths, its drum track as sets of pitches."""
    from note_seq import drums_lib, midi_io, sequences_lib

    def extract(data: bytes) -> list[frozenset[int]]:
        quantized = sequences_lib.quantize_note_sequence(midi_io.midi_to_note_sequence(data), 4)
        track = drums_lib.DrumTrack()
        track.from_quantized_sequence(quantized, gap_bars=10_000)
        return list(track)

    return extract


def tokenise_like_neuraldrummer() -> Callable[[bytes], Any]:
    """NeuralDrummer's way: pretty_midi's beats cut in halves, each drum note at the nearest, and how many notes of all start there."""
    import numpy as np
    import pretty_midi

    def tokenise(data: bytes) -> str:
        song = pretty_midi.PrettyMIDI(io.BytesIO(data))
        beats = song.get_beats()
        places = np.sort(np.concatenate([beats, beats[:-1] + np.diff(beats) / 2]))
        steps: list[list[int]] = [[] for _ in places]
        count = np.zeros(len(places))
        for instrument in song.instruments:
            for note in instrument.notes:
                place = int(np.abs(places - note.start).argmin())
                count[place] += 1
                if instrument.is_drum:
                    steps[place].append(note.pitch)
        level = (count - count.mean()) / max(count.std(), 1e-9)
        return ",-1,".join(",".join([*map(str, step), f"i{i:.1f}"]) for step, i in zip(steps, level, strict=True))

    return tokenise


PEERS: dict[str, tuple[str, Callable[[], Callable[[bytes], Any]]]] = {
    "symusic": ("symusic, reading alone", read_with_symusic),
    "mido": ("mido, reading alone", read_with_mido),
    "miditoolkit": ("miditoolkit, reading alone", read_with_miditoolkit),
    "pretty_midi": ("pretty_midi, reading alone", read_with_pretty_midi),
    "note_seq": ("note_seq, drums quantised (Drums RNN's pipeline)", extract_with_note_seq),
    "neuraldrummer": ("pretty_midi, beats and tokens as NeuralDrummer's", tokenise_like_neuraldrummer),
}


def measure_peer(name: str, paths: list[str], runs: int) -> dict[str, float] | None:
    """Milliseconds a song of one peer, and the songs it cannot read; none where it is not installed."""
    try:
        read = PEERS[name][1]()
    except ImportError:
        return None
    songs = [Path(path).read_bytes() for path in paths]
    spent, failed = [], 0
    for _ in range(runs):
        failed, before = 0, time.process_time()
        for data in songs:
            try:
                read(data)
            except Exception:  # peers raise whatever they like
                failed += 1
        spent.append(time.process_time() - before)
    return {"ms": statistics.median(spent) / len(songs) * 1000, "failed": failed}


def ask_peers(python: str, paths: list[str], runs: int) -> dict[str, dict[str, float] | None]:
    results = {}
    for name in PEERS:
        command = [python, __file__, "--peer", name, "--runs", str(runs), *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        results[name] = json.loads(done.stdout) if done.returncode == 0 and done.stdout else None
    return results


def time_stages(songs: list[bytes], runs: int) -> dict[str, float]:
    """Milliseconds a song of each stage of ours, the stages run one behind the other."""
    from backbeat.cues import encode, hear
    from backbeat.datasets.preparation import KIT, find_fault, fold_groove
    from backbeat.kits import load_kit
    from backbeat.midi import extract_groove, parse_song
    from backbeat.midi.reader import dissect

    kit = load_kit(KIT)
    rows: list[dict[str, float]] = []
    for _ in range(runs):
        spent: dict[str, float] = defaultdict(float)

        def clock(stage: str, work: Callable[[], T], spent: dict[str, float] = spent) -> T:
            before = time.process_time()
            result = work()
            spent[stage] += time.process_time() - before
            return result

        for data in songs:
            clock("bytes to events", partial(dissect, data))
            song = clock("bytes to song (events, notes, parts, drums found)", partial(parse_song, data))
            grid = clock("bars and steps", song.grid)
            groove, _ = clock("drums on the grid", partial(extract_groove, song, grid, kit))
            folded = clock("drums to words", partial(fold_groove, groove))
            clock("faults", partial(find_fault, grid, groove, folded.words))
            cues = clock("listening to the band", partial(hear, song, grid))
            clock("features of the band", partial(encode, cues))
        rows.append(spent)
    return {stage: statistics.median(row[stage] for row in rows) / len(songs) * 1000 for stage in rows[0]}


def choose_songs(folder: Path, count: int) -> list[str]:
    """Songs that ours keeps, so that every stage has its full work."""
    from backbeat.datasets.preparation import Example, prepare

    paths = sorted(str(p) for p in folder.rglob("*.mid"))
    random.Random(0).shuffle(paths)
    chosen: list[str] = []
    for path in paths:
        if len(chosen) == count:
            break
        if isinstance(prepare(path, clean=False), Example):
            chosen.append(path)
    return chosen


def time_prepare(songs: list[bytes], runs: int) -> float:
    from backbeat.datasets.preparation import prepare_bytes

    spent = []
    for _ in range(runs):
        before = time.process_time()
        for data in songs:
            prepare_bytes(data, "song", clean=False)
        spent.append(time.process_time() - before)
    return statistics.median(spent) / len(songs) * 1000


def time_blocks(paths: list[str], runs: int) -> float:
    """Milliseconds a song of ``build_block``, which is all that a corpus build does with a file: it is read, hashed, prepared, flagged,
    fingerprinted and packed.
    """
    from backbeat.datasets.blocks import SIZE, Settings, build_block
    from backbeat.datasets.source import Source

    sources = [Source(path, Path(path).name) for path in paths]
    spent = []
    for _ in range(runs):
        before = time.process_time()
        for first in range(0, len(sources), SIZE):
            build_block(sources[first : first + SIZE], Settings(clean=False))
        spent.append(time.process_time() - before)
    return statistics.median(spent) / len(paths) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="+")
    parser.add_argument("--songs", type=int, default=150)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers-python", default=sys.executable, help="the Python that has the peers; default this one")
    parser.add_argument("--peer", choices=PEERS, help="measure one peer on the files that follow, and print JSON")
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported
    if options.peer:
        print(json.dumps(measure_peer(options.peer, options.folder, options.runs)))
        return
    paths = choose_songs(Path(options.folder[0]), options.songs)
    songs = [Path(p).read_bytes() for p in paths]
    print(f"{len(songs)} songs, {sum(map(len, songs)) / len(songs) / 1000:.0f} kB each, median of {options.runs} runs, CPU time of one core\n")
    print(f"{'what':52} {'ms a song':>10} {'songs a second':>15}")
    ours = {"Backbeat, files to blocks of a corpus": time_blocks(paths, options.runs), "Backbeat, bytes to training arrays": time_prepare(songs, options.runs)}
    for what, ms in {**ours, **{f"  {k}": v for k, v in time_stages(songs, options.runs).items()}}.items():
        print(f"{what:52} {ms:10.2f} {1000 / ms:15.0f}")
    for name, result in ask_peers(options.peers_python, paths, options.runs).items():
        title = PEERS[name][0]
        if result is None:
            print(f"{title:52} {'not installed':>26}")
        else:
            failed = f"   {result['failed']:.0f} songs it cannot read" if result["failed"] else ""
            print(f"{title:52} {result['ms']:10.2f} {1000 / result['ms']:15.0f}{failed}")


if __name__ == "__main__":
    main()
