"""How long a 4-minute song takes: from the command line, cold, and in Python, warm. Prints a table.

Usage: python benchmarks/accompany_speed.py [SONG.mid] [--runs 5]
Without a song one of 120 bars at 120 BPM (240 s) is made up: bass, guitar, keys and pad.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARS = 120


def build_song() -> bytes:
    """Format 1, 480 ticks per quarter, four tracks, 120 bars of 4/4 at 120 qpm."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + len(body).to_bytes(4, "big") + body

    def varlen(value: int) -> bytes:
        out = [value & 127]
        while value := value >> 7:
            out.insert(0, value & 127 | 128)
        return bytes(out)

    def track(channel: int, program: int, every: int, pitches: list[int]) -> bytes:
        body = bytes([0, 0xC0 | channel, program])
        for index in range(BARS * 1920 // every):
            pitch = pitches[index * every // 1920 % len(pitches)]
            body += bytes([0, 0x90 | channel, pitch, 80]) + varlen(every) + bytes([0x80 | channel, pitch, 0])
        return chunk(b"MTrk", body + b"\x00\xff\x2f\x00")

    parts = [(0, 33, 240, [40, 36, 43, 38]), (1, 27, 480, [64, 60, 67, 62]), (2, 0, 240, [76, 72, 79, 74]), (3, 48, 1920, [52, 48, 55, 50])]
    return chunk(b"MThd", bytes([0, 1, 0, len(parts), 1, 0xE0])) + b"".join(track(*p) for p in parts)


def run_cold(song: Path, out: Path) -> tuple[float, float]:
    """Seconds of wall time and peak megabytes of one run of the command."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "backbeat", "accompany", str(song), "-o", str(out)], check=True, capture_output=True)
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("song", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        song = options.song or Path(folder) / "song.mid"
        if not options.song:
            song.write_bytes(build_song())
        cold = [run_cold(song, Path(folder) / "out.mid") for _ in range(options.runs)]
        helps = []
        for _ in range(options.runs):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-m", "backbeat", "--help"], check=True, capture_output=True)
            helps.append(time.perf_counter() - started)
        import backbeat

        drummer, read = backbeat.load_drummer(), backbeat.read_song(song)
        drummer.accompany(read)
        warm = []
        for seed in range(options.runs):
            started = time.perf_counter()
            groove = drummer.accompany(read, seed=seed)
            warm.append(time.perf_counter() - started)
    seconds = read.tempo.seconds(read.last_note_tick)
    print(f"song of {seconds:.0f} s, {groove.grid.bars} bars, {groove.grid.steps} steps; median (min-max) of {options.runs} runs")
    for name, values in (("backbeat --help", helps), ("command, cold, wall s", [w for w, _ in cold]), ("Python, warm, wall s", warm)):
        print(f"{name:28} {statistics.median(values):6.2f} ({min(values):.2f}-{max(values):.2f})")
    print(f"{'command, peak MB':28} {max(m for _, m in cold):6.0f}")


if __name__ == "__main__":
    main()
