"""How many planted copies of real songs are found, by what was done to them, and how many other songs are taken for copies.

    python benchmarks/planted_copies.py DATA/songs/validation DATA/songs/train [--copied 30] [--others 150] [--seed 7]

Songs of the first folder are copied, changed and compared with them and with songs of the second. Copies are written by mido. The clusters
among the songs themselves are listed too: to be listened to, for they are real copies or false ones.
"""

from __future__ import annotations

import argparse
import io
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np

from backbeat.datasets.clusters import PARTS, Clusters
from backbeat.datasets.fingerprints import Fingerprint, take_fingerprint
from backbeat.datasets.preparation import Example, prepare_bytes

Note = tuple[int, int, int, int, int]  # onset, end, channel, pitch, velocity
Track = tuple[list[Note], list[tuple[int, mido.Message]]]
Change = Callable[[list[Track], int, random.Random], tuple[list[Track], int]]
DRUMS = 9


def read_tracks(data: bytes) -> tuple[list[Track], int]:
    """Notes and other events of each track, and ticks a quarter."""
    song = mido.MidiFile(file=io.BytesIO(data), clip=True)
    return [read_track(track) for track in song.tracks], song.ticks_per_beat


def read_track(track: mido.MidiTrack) -> Track:
    now, notes, rest = 0, [], []
    sounding = defaultdict(list)
    for message in track:
        now += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.channel, message.note].append((now, message.velocity))
        elif message.type in ("note_on", "note_off"):
            if waiting := sounding[message.channel, message.note]:
                onset, velocity = waiting.pop(0)
                notes.append((onset, now, message.channel, message.note, velocity))
        elif message.type != "end_of_track":
            rest.append((now, message))
    return notes, rest


def write_tracks(tracks: list[Track], ticks_per_quarter: int) -> bytes:
    song = mido.MidiFile(type=1, ticks_per_beat=ticks_per_quarter)
    for notes, rest in tracks:
        events = [(max(0, tick), 0, message) for tick, message in rest]
        for onset, end, channel, pitch, velocity in notes:
            start = max(0, onset)
            events.append((start, 2, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
            events.append((max(end, start + 1), 1, mido.Message("note_off", channel=channel, note=pitch)))
        track, now = mido.MidiTrack(), 0
        for tick, _, message in sorted(events, key=lambda event: event[:2]):
            track.append(message.copy(time=tick - now))
            now = tick
        song.tracks.append(track)
    buffer = io.BytesIO()
    song.save(file=buffer)
    return buffer.getvalue()


def change_notes(how: Callable[[Note, int, random.Random], Note | None]) -> Change:
    """A change of each note by itself; None leaves it out."""

    def change(tracks: list[Track], quarter: int, rng: random.Random) -> tuple[list[Track], int]:
        return [([new for note in notes if (new := how(note, quarter, rng))], rest) for notes, rest in tracks], quarter

    return change


def transpose(tracks: list[Track], quarter: int, rng: random.Random) -> tuple[list[Track], int]:
    up = rng.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6])
    return change_notes(lambda n, q, r: n if n[2] == DRUMS else (*n[:3], min(127, max(0, n[3] + up)), n[4]))(tracks, quarter, rng)


def change_tempo(tracks: list[Track], quarter: int, rng: random.Random) -> tuple[list[Track], int]:
    factor = rng.uniform(0.5, 2)
    return [
        (notes, [(t, m.copy(tempo=min(0xFFFFFF, int(m.tempo * factor))) if m.type == "set_tempo" else m) for t, m in rest]) for notes, rest in tracks
    ], quarter


def stretch(factor: float, *, keep_quarter: bool = True) -> Change:
    """All times multiplied, and the file's resolution too where the music is to stay as it is."""

    def change(tracks: list[Track], quarter: int, rng: random.Random) -> tuple[list[Track], int]:
        made = [([(int(a * factor), int(b * factor), *n) for a, b, *n in notes], [(int(t * factor), m) for t, m in rest]) for notes, rest in tracks]
        return made, quarter if keep_quarter else int(quarter * factor)

    return change


def swap_channels(tracks: list[Track], quarter: int, rng: random.Random) -> tuple[list[Track], int]:
    others = [c for c in range(16) if c != DRUMS]
    into = dict(zip(others, rng.sample(others, 15), strict=True)) | {DRUMS: DRUMS}
    made = [
        ([(a, b, into[c], p, v) for a, b, c, p, v in notes], [(t, m.copy(channel=into[m.channel]) if hasattr(m, "channel") else m) for t, m in rest])
        for notes, rest in tracks
    ]
    return rng.sample(made, len(made)), quarter


def edit(share: float) -> Change:
    """That share of notes is left out, played at another pitch or moved by a 16th, a third each."""

    def how(note: Note, quarter: int, rng: random.Random) -> Note | None:
        if rng.random() >= share:
            return note
        onset, end, channel, pitch, velocity = note
        kind, shift = rng.randrange(3), rng.choice([-1, 1]) * quarter // 4
        if kind == 0:
            return None
        if kind == 1:
            return onset + shift, end + shift, channel, pitch, velocity
        new = rng.choice([36, 38, 42, 46, 49, 51]) if channel == DRUMS else min(127, max(0, pitch + rng.choice([-7, -5, -3, -2, -1, 1, 2, 3, 5, 7])))
        return onset, end, channel, new, velocity

    return change_notes(how)


def cut(first: float, last: float) -> Change:
    """Only the bars (of 4/4) between two shares of the song."""

    def change(tracks: list[Track], quarter: int, rng: random.Random) -> tuple[list[Track], int]:
        end = max((note[1] for notes, _ in tracks for note in notes), default=0)
        start, stop = (int(end * share) // (4 * quarter) * 4 * quarter for share in (first, last))
        made = [
            ([(a - start, b - start, *n) for a, b, *n in notes if start <= a <= stop], [(t - start, m) for t, m in rest if t <= stop]) for notes, rest in tracks
        ]
        return made, quarter

    return change


def shake(note: Note, quarter: int, rng: random.Random) -> Note:
    late = rng.randint(-5, 5)
    return (note[0] + late, note[1] + late, *note[2:])


def chain(*changes: Change) -> Change:
    def change(tracks: list[Track], quarter: int, rng: random.Random) -> tuple[list[Track], int]:
        for one in changes:
            tracks, quarter = one(tracks, quarter, rng)
        return tracks, quarter

    return change


CHANGES: dict[str, Change] = {
    "written again": chain(),
    "transposed by -5 to +6": transpose,
    "tempo x 0.5 to x 2": change_tempo,
    "all times doubled": stretch(2),
    "all times halved": stretch(0.5),
    "tracks and channels in another order": swap_channels,
    "another resolution": stretch(2.5, keep_quarter=False),
    "velocities random": change_notes(lambda n, q, r: (*n[:4], r.randint(20, 127))),
    "notes 5 ticks early or late": change_notes(shake),
    "first tenth cut off": cut(0.1, 1),
    "second half cut off": cut(0, 0.5),
    "5 % of notes changed": edit(0.05),
    "10 % of notes changed": edit(0.10),
    "20 % of notes changed": edit(0.20),
    "transposed, tempo, cut, order, 5 % changed": chain(transpose, change_tempo, cut(0.1, 1), swap_channels, edit(0.05)),
}


def choose_songs(folder: Path, count: int, rng: random.Random) -> dict[Path, Example]:
    """Songs that a corpus would keep and mido can read."""
    paths, chosen = sorted(folder.rglob("*.mid")), dict[Path, Example]()
    for path in rng.sample(paths, len(paths)):
        data = path.read_bytes()
        example = prepare_bytes(data, path.name)
        try:
            read_tracks(data)
        except Exception:  # mido raises whatever it likes
            continue
        if isinstance(example, Example):
            chosen[path] = example
        if len(chosen) == count:
            break
    return chosen


def find_clusters(known: list[Fingerprint], copy: Fingerprint | None = None) -> Clusters:
    clusters = Clusters()
    for number, one in enumerate([*known, *([copy] if copy else [])]):
        clusters.add({"sha256": f"{number}", "content": one.content, "stated_cluster": ""}, one.signature)
    return clusters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("copied", type=Path)
    parser.add_argument("others", type=Path)
    parser.add_argument("--copies", type=int, default=30, help="songs that are copied")
    parser.add_argument("--songs", type=int, default=150, help="other songs")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    copied = choose_songs(options.copied, options.copies, rng)
    paths = [*copied, *(others := choose_songs(options.others, options.songs, rng))]
    known = [take_fingerprint(example) for example in [*copied.values(), *others.values()]]
    clusters = find_clusters(known)
    print(f"{len(copied)} songs copied among {len(others)} others; clusters of the songs themselves:")
    for number, (reason, twin) in enumerate(clusters.reasons):
        if reason:
            print(f"  {paths[number].name} and {paths[twin].name}: {reason}")
    print(f"\n{'what was done':44} {'found':>6} {'of':>4} {'taken for others':>17}   median similarity, {' and '.join(PARTS)}")
    for title, change in CHANGES.items():
        found = wrong = tried = 0
        similar = []
        for number, path in enumerate(copied):
            tracks, quarter = change(*read_tracks(path.read_bytes()), random.Random(f"{path.name} {title}"))
            example = prepare_bytes(write_tracks(tracks, quarter), path.name, clean=False)
            if not isinstance(example, Example):
                continue
            fingerprint, tried = take_fingerprint(example), tried + 1
            with_copy = find_clusters(known, fingerprint)
            joined = {clusters.find(n) for n in range(len(known)) if with_copy.find(n) == with_copy.find(len(known))}
            found, wrong = found + (clusters.find(number) in joined), wrong + len(joined - {clusters.find(number)})
            similar.append(np.mean(fingerprint.signature == known[number].signature, axis=1))
        print(f"{title:44} {found:6} {tried:4} {wrong:17}   {np.median(similar, axis=0).round(2).tolist()}", flush=True)


if __name__ == "__main__":
    main()
