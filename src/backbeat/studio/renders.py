"""Sound to take away: the song, the drums, or stems (one WAV for each piece of the kit and one of the band), made as jobs.

Stems are rendered one by one, at one level, and the mix is their sum, sample by sample. A process of its own makes the sound, so that the
page goes on being served, and so that it can be stopped.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from backbeat.errors import InputError, OutputError
from backbeat.groove import Groove
from backbeat.midi import splice_drums
from backbeat.song import Song
from backbeat.studio.downloads import WAVE, ZIP, build_drums, build_pieces, name_download, split_pieces, take_groove
from backbeat.studio.jobs import Job, Jobs
from backbeat.studio.project import Project
from backbeat.studio.sound_process import ERROR, ORDER, SONG
from backbeat.studio.views import PIECES

RENDERS = {"song.wav": WAVE, "drums.wav": WAVE, "stems.zip": ZIP, "all.zip": ZIP}
PREFIX = "backbeat-studio-"
KEPT = 6
"""Results that are kept for the page to fetch."""
POLL_SECONDS = 0.05

Watch = Callable[[float], Any]


class Result(NamedTuple):
    """A file that a job made: its name for people, what kind it is, and where it lies."""

    name: str
    kind: str
    path: Path


class Workshop:
    """Makes sound in folders of its own, of which the last are kept."""

    def __init__(self) -> None:
        self._folders: list[Path] = []
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()
        atexit.register(self.close)
        _sweep(Path(tempfile.gettempdir()))

    def close(self) -> None:
        """Stop what is being made, and throw all results away."""
        for process in list(self._processes):
            process.kill()
        self.clear()

    def clear(self, keep: int = 0) -> None:
        """Throw the oldest results away.

        Args:
            keep: how many stay.
        """
        with self._lock:
            old, self._folders = self._folders[: max(0, len(self._folders) - keep)], self._folders[max(0, len(self._folders) - keep) :]
        for folder in old:
            shutil.rmtree(folder, ignore_errors=True)

    def start(self, jobs: Jobs, project: Project, what: str, take: int | None) -> Job:
        """Start a job that makes sound.

        Args:
            jobs: where it is done.
            project: the song and its drums.
            what: one of ``RENDERS``.
            take: which take; none = the current one.

        Raises:
            InputError: there is no such take, or nothing to hear.
        """
        song, groove, name = project.song, take_groove(project, take), project.name
        order = _plan(song, groove, what)
        files = {SONG: splice_drums(song, groove)}
        if what == "all.zip":
            files |= {name_download(name, "song.mid"): files[SONG], name_download(name, "drums.mid"): build_drums(project, groove)}
            files[name_download(name, "pieces.mid")] = build_pieces(project, groove)
            order["add"] = [file for file in files if file != SONG]

        def run(watch: Watch) -> Result:
            folder = self._make_folder()
            try:
                for file, data in {**files, ORDER: json.dumps(order).encode()}.items():
                    (folder / file).write_bytes(data)
                self._run_process(folder, len(order["stems"]), watch)
            except BaseException as error:
                shutil.rmtree(folder, ignore_errors=True)
                if isinstance(error, OSError):
                    raise OutputError(f"the sound cannot be written ({error.strerror})") from None
                raise
            for raw in folder.glob("*.raw"):
                raw.unlink()
            return Result(name_download(name, what), RENDERS[what], folder / order["out"])

        return jobs.submit(what, project.id, run, lane="render")

    def _make_folder(self) -> Path:
        self.clear(KEPT - 1)
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        with self._lock:
            self._folders.append(folder)
        return folder

    def _run_process(self, folder: Path, stems: int, watch: Watch) -> None:
        """Run the process to its end; where ``watch`` raises, it is killed.

        Raises:
            InputError: what the process says.
        """
        command = [sys.executable, "-m", "backbeat.studio.sound_process", str(folder)]
        with (folder / "done").open("wb") as done:
            process = subprocess.Popen(command, stdout=done, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self._processes.add(process)
        try:
            progress = _Progress(stems)
            while process.poll() is None:
                watch(progress.guess((folder / "done").read_bytes().count(b"\n")))
                time.sleep(POLL_SECONDS)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            self._processes.discard(process)
        if process.returncode:
            with contextlib.suppress(OSError):
                raise InputError((folder / ERROR).read_text(encoding="utf-8"))
            raise OutputError(f"the sound could not be made (the process ended with {process.returncode})")


def _plan(song: Song, groove: Groove, what: str) -> dict[str, Any]:
    """What the process is asked for."""
    band = any(len(part.notes) for part in song.band)
    pieces = {PIECES[piece][0]: _list_notes(part) for piece, part in split_pieces(groove).items()}
    if what in ("song.wav", "drums.wav") and pieces:
        pieces = {"Drums": sorted(note for notes in pieces.values() for note in notes)}
    stems: list[list[Any]] = [["Band", None]] if band and what != "drums.wav" else []
    stems += [[_clean(name), notes] for name, notes in pieces.items()]
    if not stems:
        raise InputError("nothing to hear: ask for drums first")
    archive = RENDERS[what] == ZIP
    return {"stems": stems, "out": "out.zip" if archive else "out.wav", "zip": archive, "add": []}


def _list_notes(groove: Groove) -> list[int]:
    return sorted({int(groove.kit.written[column]) for column in np.unique(np.nonzero(groove.hits)[1])})


def _clean(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9 -]", "", name)


def _sweep(folder: Path) -> None:
    """Throw away what studios that were killed have left."""
    if os.name != "posix":
        return
    for left in folder.glob(f"{PREFIX}*-*"):
        pid = left.name.removeprefix(PREFIX).partition("-")[0]
        try:
            os.kill(int(pid), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(left, ignore_errors=True)
        except (OSError, OverflowError):
            continue


class _Progress:
    """Guesses how far the process is between two stems, from how long those before took."""

    def __init__(self, stems: int) -> None:
        self._stems, self._done = stems, 0
        self._started = self._since = time.monotonic()
        self._each = 3.0

    def guess(self, done: int) -> float:
        now = time.monotonic()
        if done > self._done:
            self._done, self._since, self._each = done, now, (now - self._started) / done
        part = 1 - 0.5 ** ((now - self._since) / self._each)  # ever nearer, never there
        return float(min(0.97, (done + 0.95 * part) / self._stems))
