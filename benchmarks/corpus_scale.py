"""What a corpus costs: time, memory and disk by number of songs, and by engine.

    python benchmarks/corpus_scale.py FOLDER [--counts 500 1000 2000] [--workers 1 2] [--ray]

FOLDER holds MIDI files (songs-train, say); each row builds a corpus of the first N in a process of its own. Memory is the
peak of the building process and of its largest worker; with it flat in N, a collection of any size can be built.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backbeat.datasets import list_sources
from backbeat.datasets.building import Plan, build_corpus


def build_one(folder: Path, count: int, workers: int, engine: str) -> None:
    """Build one corpus and print what it cost as JSON."""
    sources = list_sources(str(folder), None)[:count]
    out = Path(tempfile.mkdtemp())
    started = time.monotonic()
    if engine == "ray":
        import ray

        ray.init(log_to_driver=False, logging_level="error", include_dashboard=False, num_cpus=workers)
        print(f"Ray was up after {time.monotonic() - started:.1f} s", file=sys.stderr)
        started = time.monotonic()
    counts = build_corpus(Plan(sources), out / "corpus", workers=workers, engine=engine)
    seconds = time.monotonic() - started
    size = sum(p.stat().st_size for p in (out / "corpus").iterdir())
    own, children = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    shutil.rmtree(out)
    print(json.dumps({"songs": len(sources), "kept": counts["kept"], "seconds": seconds, "bytes": size, "own": own, "worker": children}))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--ray", action="store_true", help="also build by a local Ray cluster")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        count, workers, engine = options.one
        build_one(options.folder, int(count), int(workers), engine)
        return
    print(f"{'engine':8} {'workers':>7} {'songs':>7} {'kept':>7} {'songs/s':>8} {'per worker':>10} {'MB main':>8} {'MB worker':>9} {'GB per 10,000 kept':>18}")
    for engine in ("pool", *(["ray"] if options.ray else [])):
        for workers in options.workers if engine == "pool" else options.workers[-1:]:
            for count in options.counts:
                command = [sys.executable, __file__, str(options.folder), "--one", str(count), str(workers), engine]
                got = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
                rate = got["songs"] / got["seconds"]
                disk = got["bytes"] / max(got["kept"], 1) * 10_000 / 1e9
                print(
                    f"{engine:8} {workers:7} {got['songs']:7} {got['kept']:7} {rate:8.1f} {rate / workers:10.1f} {got['own']:8.0f} {got['worker']:9.0f} {disk:18.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
