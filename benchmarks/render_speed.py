"""How fast MIDI becomes sound: times real time, cold (the shipped sounds are expanded first) and warm.

    python benchmarks/render_speed.py [FILE.mid ...] [--songs 5]

Without files, songs of the folder ``songs/validation`` in BACKBEAT_DATA. The cache of expanded sounds is not touched.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from importlib import resources
from pathlib import Path

from backbeat.midi import read_song
from backbeat.render import render_song, write_wav
from backbeat.render.fontcache import load_soundfont
from backbeat.render.soundfont import expand_soundfont


def choose_songs(count: int) -> list[Path]:
    """Songs spread over the validation folder."""
    files = sorted((Path(os.environ.get("BACKBEAT_DATA", "")) / "songs" / "validation").rglob("*.mid"))
    return files[:: max(1, len(files) // count)][:count]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--songs", type=int, default=5)
    options = parser.parse_args()
    files = options.files or choose_songs(options.songs)
    if not files:
        parser.error("name MIDI files, or set BACKBEAT_DATA")
    packed = resources.files("backbeat.sounds").joinpath("band.sf3").read_bytes()
    started = time.perf_counter()
    expanded = expand_soundfont(packed)
    expansion = time.perf_counter() - started
    load_soundfont()
    print(f"expansion of the sounds, once for a user: {expansion:.2f} s ({len(packed) / 1e6:.1f} to {len(expanded) / 1e6:.1f} MB)\n")
    print(f"{'song':40} {'seconds':>8} {'warm s':>7} {'x real':>7} {'cold x':>7} {'peak':>6} {'rms':>6}")
    total = spent = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            started = time.perf_counter()
            audio = render_song(read_song(file))
            write_wav(audio, Path(folder) / "song.wav")
            took = time.perf_counter() - started
            total, spent = total + audio.seconds, spent + took
            times = f"{audio.seconds / took:7.1f} {audio.seconds / (took + expansion):7.1f}"
            print(f"{file.stem[:40]:40} {audio.seconds:8.1f} {took:7.2f} {times} {audio.peak:6.3f} {audio.rms:6.3f}")
    print(f"{'all':40} {total:8.1f} {spent:7.2f} {total / spent:7.1f} {total / (spent + expansion):7.1f}")


if __name__ == "__main__":
    main()
