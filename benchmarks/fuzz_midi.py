"""Damage real MIDI files and see what happens: each must end in success or in one clear line, in bounded time and memory.

    python benchmarks/fuzz_midi.py --count 5000
    python benchmarks/fuzz_midi.py --count 200 --command "backbeat accompany {input} -o {output}"

Sources are the songs under ``$BACKBEAT_DATA/songs``, or files made here where that is not set. Without ``--command`` each file is read,
laid on a grid, its drums are extracted, and put back into the file in both ways, in this process. With it, the command is run for each file: exit
status 0, or 1 with one line on stderr and no traceback, is right. Files that end in another way are kept in ``--keep``.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from backbeat.errors import BackbeatError
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song, splice_drums

INTERESTING = (0, 1, 0x7F, 0x80, 0x90, 0x99, 0xC0, 0xF0, 0xF7, 0xFF)


class TooSlowError(Exception):
    """A file took longer than the limit."""


def load_sources(limit: int) -> list[bytes]:
    """Real songs, or generated ones."""
    data = os.environ.get("BACKBEAT_DATA")
    paths = sorted(Path(data, "songs").rglob("*.mid")) if data else []
    if paths:
        return [path.read_bytes() for path in paths[:: max(1, len(paths) // limit)][:limit]]
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.midi.builders import METRES, band_song

    return [band_song(8, numerator=n, denominator=d) for n, d in METRES]


def flip_bytes(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Change a few bytes anywhere."""
    for _ in range(rng.randint(1, 20)):
        data[rng.randrange(len(data))] = rng.choice([rng.randrange(256), rng.choice(INTERESTING)])
    return data


def flip_values(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Change a few bytes below 128 into others below 128: most such files can still be read, and say strange things."""
    for _ in range(rng.randint(1, 20)):
        place = rng.randrange(len(data))
        if data[place] < 0x80:
            data[place] = rng.choice([rng.randrange(0x80), 0, 1, 0x51, 0x58, 0x7F])
    return data


def flip_structure(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Change bytes of the header, a chunk's length or a track's first events."""
    marks = [0] + [i for i in range(len(data) - 4) if data[i : i + 4] == b"MTrk"]
    for _ in range(rng.randint(1, 4)):
        data[min(len(data) - 1, rng.choice(marks) + rng.randrange(24))] = rng.choice([rng.randrange(256), rng.choice(INTERESTING)])
    return data


def cut_end(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Lose the end."""
    return data[: rng.randrange(len(data))]


def cut_middle(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Lose a piece."""
    start = rng.randrange(len(data))
    del data[start : start + rng.choice([1, 2, 7, 100, 5000])]
    return data


def insert_noise(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Gain a piece of noise."""
    start = rng.randrange(len(data))
    data[start:start] = rng.randbytes(rng.choice([1, 2, 7, 100]))
    return data


def splice_files(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Go on with another file."""
    other = rng.choice(others)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def splice_tracks(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Keep the header of one file and take the tracks of another, with bytes changed."""
    return flip_bytes(data[:14] + rng.choice(others)[14:], others, rng)


MUTATIONS = (flip_bytes, flip_values, flip_structure, cut_end, cut_middle, insert_noise, splice_files, splice_tracks)


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in a block that lasts too long."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlowError

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def try_library(data: bytes, seconds: float) -> str:
    """Read, extract and write one file in this process; how it ended."""
    try:
        with limit_time(seconds):
            song = parse_song(data)
            groove, _ = extract_groove(song, song.grid(), load_kit("general_midi"))
            for drums in ("keep", "replace"):
                parse_song(splice_drums(song, groove, drums=drums))  # type: ignore[arg-type]
    except BackbeatError as error:
        return "told" if "\n" not in str(error) and len(str(error)) < 300 else "bad line"
    except TooSlowError:
        return "too slow"
    except Exception as error:
        return f"crash: {type(error).__name__}: {error}"
    return "success"


def try_command(data: bytes, command: str, seconds: float) -> str:
    """Run a command on one file; how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "song.mid"), Path(folder, "out.mid")
        source.write_bytes(data)
        words = [w.format(input=source, output=out) for w in shlex.split(command)]
        try:
            done = subprocess.run(words, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return "too slow"
        if done.returncode == 0:
            return "success"
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        if done.returncode != 1 or "Traceback" in done.stderr.decode(errors="replace"):
            return f"crash: exit {done.returncode}: {lines[-1] if lines else ''}"
        return "partial file" if out.exists() else "told" if lines else "silent"


def main() -> int:
    """Damage files, count the ends, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000, help="damaged files to try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sources", type=int, default=200, help="sound files to start from")
    parser.add_argument("--seconds", type=float, default=10, help="time limit for a file")
    parser.add_argument("--command", help="command to run, with {input} and {output}")
    parser.add_argument("--keep", type=Path, help="folder for files that ended badly")
    options = parser.parse_args()
    sources, rng = load_sources(options.sources), random.Random(options.seed)
    ends: dict[str, Counter[str]] = {m.__name__: Counter() for m in MUTATIONS}
    bad: Counter[str] = Counter()
    slowest = 0.0
    for number in range(options.count):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        data = bytes(mutate(bytearray(rng.choice(sources)), sources, rng))
        start = time.perf_counter()
        end = try_command(data, options.command, options.seconds) if options.command else try_library(data, options.seconds)
        slowest = max(slowest, time.perf_counter() - start)
        kind = end if end in ("success", "told") else "BAD"
        ends[mutate.__name__][kind] += 1
        if kind == "BAD":
            bad[end] += 1
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{number:05d}.mid").write_bytes(data)
    who = resource.RUSAGE_CHILDREN if options.command else resource.RUSAGE_SELF
    print(f"{'damage':<16}{'success':>9}{'told':>9}{'BAD':>9}")
    for name, counts in ends.items():
        print(f"{name:<16}" + "".join(f"{counts[kind]:>9}" for kind in ("success", "told", "BAD")))
    print(f"slowest {slowest:.2f} s, peak memory {resource.getrusage(who).ru_maxrss / 1024:.0f} MB")
    for end, count in bad.most_common(20):
        print(f"{count:>6}  {end}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
