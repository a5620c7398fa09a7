"""Damage MIDI files and accompany them: each must end in a file with drums or in one clear line, within 10 s of a core and 1 GB.

    python benchmarks/fuzz_accompany.py --count 5000 --workers 2

Sources are the example songs and, where ``$BACKBEAT_DATA/songs`` is there, its shortest songs. Every file goes the way of ``backbeat accompany``
(read, play, write; in turn with ``--drums replace`` and ``keep``) in a worker that has loaded the drummer once. Failures are: any exception that is
no BackbeatError, a warning of Python, a message that is not one line, too slow, too much memory, a file left behind by a refusal, a result that
cannot be read again, and, with ``keep``, a chunk of the input that is not in the output byte for byte. File n depends on the seed, the sources and
n only: ``--only n`` repeats it.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import FrameType

from fuzz_midi import MUTATIONS, TooSlowError  # its neighbour, which damages bytes

from backbeat.drummer import Drummer, load_drummer
from backbeat.errors import BackbeatError
from backbeat.midi import parse_song, read_song, write_song
from backbeat.midi.chunks import scan_chunks

EVENTS = (
    b"\xff\x51\x03{3}", b"\xff\x58\x04{1}{power}\x18\x08", b"\xff\x2f\x00", b"\xff\x03\x02\xff\x00", b"\xff\x7f\x00", b"\xf0\x02\x7e\xf7",
    b"\x90{7}{7}", b"\x80{7}{7}", b"\x99{7}{7}", b"\xc0{7}", b"\xc9{7}", b"\xb0{7}{7}", b"\xe0{7}{7}", b"\xf7\x00",
)  # fmt: skip
"""Sound events to insert; ``{3}`` stands for three random bytes, ``{7}`` for one below 128, ``{power}`` for a metre's denominator."""
DELTAS = (b"\x00", b"\x01", b"\x60", b"\x87\x40", b"\xff\x7f", b"\xff\xff\x7f", b"\xff\xff\xff\x7f")


@dataclass(frozen=True)
class Limits:
    """Seconds of processor time and megabytes that one file may take."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class End:
    """How one file ended: "success", "refused" or "FAILURE", why, and what it took."""

    number: int
    kind: str
    why: str
    seconds: float
    megabytes: float


def list_sources(count: int, steps: int) -> list[bytes]:
    """The example songs, and short songs of the data (up to ``steps`` 16ths)."""
    found = [p.read_bytes() for p in sorted((Path(__file__).parents[1] / "examples").glob("*.mid"))]
    data = os.environ.get("BACKBEAT_DATA")
    by_size = sorted(Path(data, "songs").rglob("*.mid"), key=lambda p: (p.stat().st_size, p.name)) if data else []
    for path in by_size:
        if len(found) >= count:
            break
        try:
            song = read_song(path)
            if song.band and 64 <= song.grid().steps <= steps:
                found.append(song.data)
        except BackbeatError:
            continue
    return found


def insert_events(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Insert sound events at the start of a track, with delta times up to the longest, and correct the chunk's length."""
    marks = [i for i in range(len(data) - 8) if data[i : i + 4] == b"MTrk"]
    start = rng.choice(marks)
    new = b"".join(rng.choice(DELTAS[: rng.choice([4, 7])]) + _fill(rng.choice(EVENTS), rng) for _ in range(rng.choice([1, 3, 30])))
    size = int.from_bytes(data[start + 4 : start + 8], "big") + len(new)
    data[start + 4 : start + 8] = size.to_bytes(4, "big")
    data[start + 8 : start + 8] = new
    return data


def add_tracks(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Add the tracks of another song, in the ticks of this one."""
    return data + rng.choice(others)[14:]


def change_division(data: bytearray, others: list[bytes], rng: random.Random) -> bytearray:
    """Another number of ticks per quarter, or SMPTE: everything gets longer or shorter."""
    data[12:14] = rng.choice([24, 96, 960, 30_720, 0x7FFF, 7, 1, 0xE728, 0xE250, 0xE801]).to_bytes(2, "big")
    return data


def repair_lengths(data: bytes) -> bytes:
    """Every track's length made right, up to the next track or the end, so that damage within is read."""
    head, *tracks = data.split(b"MTrk")
    return head + b"".join(b"MTrk" + max(0, len(t) - 4).to_bytes(4, "big") + t[4:] for t in tracks)


def _fill(event: bytes, rng: random.Random) -> bytes:
    values = {b"{3}": lambda: rng.randbytes(3), b"{1}": lambda: rng.randbytes(1), b"{7}": lambda: bytes([rng.randrange(128)])}
    values[b"{power}"] = lambda: bytes([rng.choice([0, 1, 2, 3, 4, 5, 6, 7, 255])])
    return re.sub(rb"\{\w+\}", lambda m: values[m[0]](), event)


MUTATORS = (*MUTATIONS, insert_events, add_tracks, change_division)


class Worker:
    """What a process keeps: the drummer, the sources, the limits."""

    drummer: Drummer
    sources: list[bytes]
    seed: int
    limits: Limits


def start_worker(sources: list[bytes], seed: int, limits: Limits) -> None:
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))  # only so that the machine survives; the limit is on what is used
    Worker.drummer, Worker.sources, Worker.seed, Worker.limits = load_drummer(), sources, seed, limits


def make_file(number: int) -> bytes:
    """Damaged file number ``number``; half of them with lengths of tracks that are right again."""
    rng = random.Random(f"{Worker.seed}:{number}")
    data = bytes(MUTATORS[number % len(MUTATORS)](bytearray(rng.choice(Worker.sources)), Worker.sources, rng))
    return repair_lengths(data) if number // len(MUTATORS) % 4 < 2 else data


@contextmanager
def limit_processor_time(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in a block that computes too long; unlike the time on the clock this is the same on a busy machine."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlowError

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def try_file(number: int) -> End:
    """Damage, accompany, judge one file."""
    data = make_file(number)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "song.mid"), Path(folder, "out.mid")
        source.write_bytes(data)
        kind, why = _accompany(source, out, "keep" if number // len(MUTATORS) % 2 else "replace", number)
        if kind == "refused" and os.listdir(folder) != ["song.mid"]:
            kind, why = "FAILURE", f"left a file behind: {why}"
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if kind != "FAILURE" and megabytes > Worker.limits.megabytes:
        kind, why = "FAILURE", f"took {megabytes:.0f} MB"
    return End(number, kind, why, time.process_time() - started, megabytes)


def _accompany(source: Path, out: Path, drums: str, seed: int) -> tuple[str, str]:
    try:
        with limit_processor_time(Worker.limits.seconds):
            song = read_song(source)
            groove = Worker.drummer.accompany(song, seed=seed)
            write_song(song, groove, out, drums=drums)  # type: ignore[arg-type]
    except BackbeatError as error:
        text = str(error)
        if "\n" in text or len(text) > 400:
            return "FAILURE", f"not one line: {text!r}"
        return "refused", f"{type(error).__name__}: {_shorten(text.replace(str(source), ''))}"
    except TooSlowError:
        return "FAILURE", "too slow"
    except BaseException as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return "FAILURE", f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
    return _check(song.data, out.read_bytes(), drums)


def _check(before: bytes, after: bytes, drums: str) -> tuple[str, str]:
    """Whether a result can be read, and kept what it should."""
    try:
        parse_song(after)
    except BackbeatError as error:
        return "FAILURE", f"the result cannot be read: {error}"
    if drums == "keep":
        position = 14
        for chunk in scan_chunks(before).chunks[1:]:
            position = after.find(before[chunk.start : chunk.end], position)
            if position < 0:
                return "FAILURE", "a chunk of the input is not in the output"
            position += chunk.end - chunk.start
    return "success", drums


def _shorten(text: str) -> str:
    """A message without its numbers, so that messages of one kind count together."""
    return re.sub(r"0x[0-9A-F]+|\d[\d,]*", "#", text.lstrip(": "))[:110]


def run(options: argparse.Namespace) -> Iterator[End]:
    """Try all files; in this process with --only."""
    sources = list_sources(options.sources, options.steps)
    steps = [parse_song(s).grid().steps for s in sources]
    print(f"{len(sources)} sources of {min(steps)}-{max(steps)} steps, {options.count} files, seed {options.seed}", flush=True)
    limits = Limits(options.seconds, options.megabytes)
    if options.only is not None:
        start_worker(sources, options.seed, limits)
        if options.keep:
            keep_file(options.keep, options.only)
        yield try_file(options.only)
        return
    with ProcessPoolExecutor(options.workers, get_context("spawn"), start_worker, (sources, options.seed, limits)) as pool:
        yield from pool.map(try_file, range(options.count), chunksize=8)


def keep_file(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number:05d}.mid").write_bytes(make_file(number))


def tell(ends: list[End], seconds: float) -> None:
    """Print the tables."""
    print(f"{'damage':<16}{'success':>9}{'refused':>9}{'FAILURE':>9}")
    for index, mutate in enumerate(MUTATORS):
        kinds = Counter(e.kind for e in ends if e.number % len(MUTATORS) == index)
        print(f"{mutate.__name__:<16}" + "".join(f"{kinds[k]:>9}" for k in ("success", "refused", "FAILURE")))
    kinds = Counter(e.kind for e in ends)
    print(f"{'all':<16}" + "".join(f"{kinds[k]:>9}" for k in ("success", "refused", "FAILURE")))
    for kind in ("refused", "FAILURE"):
        for why, count in Counter(e.why for e in ends if e.kind == kind).most_common(24):
            print(f"{count:>6}  {kind if kind == 'FAILURE' else ''} {why}")
    slowest = sorted(ends, key=lambda e: -e.seconds)[:5]
    print("slowest, processor time: " + ", ".join(f"{e.seconds:.2f} s (file {e.number}, {e.kind})" for e in slowest))
    print(
        f"peak memory of a worker {max(e.megabytes for e in ends):.0f} MB; {len(ends)} files in {seconds:.0f} s, {sum(e.seconds for e in ends):.0f} s of processor time"
    )
    failed = [e.number for e in ends if e.kind == "FAILURE"]
    if failed:
        print("failed files: " + " ".join(map(str, failed[:100])))


def main() -> int:
    """Damage files, count the ends, print tables; 1 where a file failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000, help="damaged files to try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--sources", type=int, default=40, help="sound files to start from")
    parser.add_argument("--steps", type=int, default=480, help="longest source, in 16ths; the example songs are always taken")
    parser.add_argument("--seconds", type=float, default=10, help="limit of processor time for a file")
    parser.add_argument("--megabytes", type=float, default=1024, help="memory limit for a worker")
    parser.add_argument("--only", type=int, help="try just the file of this number")
    parser.add_argument("--keep", type=Path, help="with --only: folder to write the file to")
    options = parser.parse_args()
    started = time.perf_counter()
    ends = []
    for end in run(options):
        ends.append(end)
        if len(ends) % 500 == 0:
            print(f"{len(ends)} files in {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    tell(ends, time.perf_counter() - started)
    return 1 if any(e.kind == "FAILURE" for e in ends) else 0


if __name__ == "__main__":
    sys.exit(main())
