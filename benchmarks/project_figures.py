"""What the studio's engine costs: actions on a song, a long history, opening it again; and the feel that comes out.

Seconds are CPU seconds of this process (a machine that does nothing else needs about as long), the best of three.

Usage: python benchmarks/project_figures.py SONG.mid [--edits 1000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backbeat.humanising import measure_feel
from backbeat.midi import parse_song
from backbeat.midi.writer import build_song
from backbeat.studio.engine import Studio
from backbeat.studio.project import Project
from backbeat.studio.store import Store


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("song", type=Path)
    parser.add_argument("--edits", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        studio = Studio(Store(home))
        data = options.song.read_bytes()
        show("drop (parse, grid, write)", lambda: studio.store.create(f"{time.time()}.mid", data), 1)
        project = studio.open(studio.store.create("song.mid", data).id)
        run(studio, project, type="generate", takes=1)
        bars = project.grid.bars
        print(f"{bars} bars, {len(project.drums().hits)} hits")
        middle = list(range(bars // 2, bars // 2 + 4))
        show("generate 1 take", lambda: run(studio, project, type="generate", takes=1), 1)
        show("redo 4 bars", lambda: run(studio, project, type="redo", bars=middle))
        show("redo 4 bars, kick and snare", lambda: run(studio, project, type="redo", bars=middle, classes=["kick", "snare"]))
        show("feel of all", lambda: run(studio, project, type="feel"))
        show_feel(studio, project)
        show_history(studio, project, options.edits)
        studio.close()


def run(studio: Studio, project: Project, **action: object) -> None:
    """One job, to its end."""
    job = studio.start(project.id, None, action)
    job.ended.wait()
    if job.state != "done":
        raise SystemExit(job.error)


def show(name: str, work: Callable[[], Any], times: int = 3) -> None:
    """A row: the CPU seconds of some work."""
    best = np.inf
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    print(f"{name:44} {best:8.3f} s")


def show_feel(studio: Studio, project: Project) -> None:
    """What is asked of the feel, and what comes out."""
    print(f"{'asked':44} {'swing':>8} {'late':>8} {'spread':>8} {'dynamics':>9}")
    nothing: dict[str, float | None] = dict.fromkeys(("swing", "push_ms", "tightness", "dynamics"))
    for asked in ({}, {"swing": 58.0}, {"swing": 66.0}, {"push_ms": -15.0}, {"tightness": 3.0}, {"tightness": 0.75}, {"dynamics": 0.5}):
        studio.act(project.id, None, {"type": "settings", "scope": "song", "values": nothing | asked})
        run(studio, project, type="feel")
        m = measure_feel(parse_song(build_song(project.groove(), project.song.tempo, project.song.metre)))
        print(f"{asked!s:44} {m.swing:8.2f} {m.late_ms['all']:8.2f} {m.spread_ms:8.2f} {m.velocity_spread:9.2f}")


def show_history(studio: Studio, project: Project, edits: int) -> None:
    """What many edits cost."""
    journal, rng = project.folder / "journal.jsonl", np.random.default_rng(1)
    before, start = journal.stat().st_size, time.process_time()
    for step in rng.integers(0, project.grid.steps, edits).tolist():
        cell = {"step": step, "class": int(rng.integers(24)), "velocity": int(rng.integers(1, 128))}
        studio.act(project.id, None, {"type": "edit", "cells": [cell]})
    print(f"{'an edit':44} {(time.process_time() - start) / edits * 1000:8.2f} ms")
    print(f"{'journal of an edit':44} {(journal.stat().st_size - before) / edits:8.0f} bytes")
    show("open again", lambda: Store(studio.store.home).open(project.id))


if __name__ == "__main__":
    main()
