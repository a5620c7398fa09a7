"""How long NeuralDrummer takes for drums to a 3.5-minute song, and notes for a primer. Prints a table.

Usage: python benchmarks/neural_drummer_speed.py [--runs 3] [--no-original]
The song is made up: 106 bars at 120 BPM (212 s), four parts. The original's network has random weights, which cost the same time; it needs
torch to be exported. Published for the original itself (pretty_midi, TensorFlow, same machine): 85-88 s wall, 58 s CPU, 0.87 GB.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import accompany_speed

BARS = 106


def measure(*arguments: str) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak megabytes of a command."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "backbeat", *arguments], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"backbeat {' '.join(arguments)} ended with {process.returncode}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def export_original(folder: Path) -> Path:
    """A checkpoint folder of the original's network with random weights."""
    import torch

    from backbeat.networks.neural_drummer import NeuralDrummer, NeuralDrummerConfig
    from backbeat.training.neural_drummer import export_windows

    torch.manual_seed(0)
    export_windows(NeuralDrummer(NeuralDrummerConfig()), folder / "original", "neuraldrummer_6", {})
    return folder / "original"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-original", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = folder / "song.mid"
        accompany_speed.BARS = BARS
        song.write_bytes(accompany_speed.build_song())
        rows = [("accompany, neural-drummer", ("accompany", str(song), "--model", "neural-drummer", "-o", str(folder / "a.mid")))]
        if not options.no_original:
            rows.append(("accompany, the original's network", ("accompany", str(song), "--model", str(export_original(folder)), "-o", str(folder / "b.mid"))))
        rows.append(("notes, 120 after the song", ("notes", "--primer", str(song), "-o", str(folder / "c.mid"))))
        print(f"{'command, cold; median of ' + str(options.runs):40} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
        for title, arguments in rows:
            walls, processors, peaks = zip(*(measure(*arguments) for _ in range(options.runs)), strict=True)
            print(f"{title:40} {statistics.median(walls):8.2f} {statistics.median(processors):8.2f} {max(peaks):8.0f}")


if __name__ == "__main__":
    main()
