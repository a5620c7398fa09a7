"""Blocks: a run of sources turned into arrays and manifest rows, the unit of work of every engine and of resuming.

A block depends on nothing but its sources and the settings, so whoever computes it, and whenever, the bytes are the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import current_thread, main_thread
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.datasets.fingerprints import PERMUTATIONS, Fingerprint, take_fingerprint
from backbeat.datasets.folders import clean_name
from backbeat.datasets.preparation import KIT, Example, prepare_bytes
from backbeat.datasets.quality import flag
from backbeat.datasets.source import Source
from backbeat.datasets.styles import find_style
from backbeat.errors import InputError, MissingExtraError

SIZE = 32
"""Sources of a block."""
SECONDS = 20
"""A file that takes longer is given up; the reader's own limits bound what a file can cost, this bounds what they miss."""
STEP_ARRAYS = ("step", "words", "velocities", "offsets", "articulations")
BAR_ARRAYS = ("bar", "layout", "tempo", "matches")
ARRAYS = (*STEP_ARRAYS, *BAR_ARRAYS, "song")

Array = npt.NDArray[Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """What decides how a file becomes arrays.

    Args:
        kit: kit of the articulations.  steps_per_quarter: density of the grid.
        clean: reject songs whose drums would teach something wrong.
    """

    kit: str = KIT
    steps_per_quarter: int = 4
    clean: bool = True


@dataclass(frozen=True, eq=False)
class Block:
    """What became of a run of sources.

    Args:
        rows: one a source, in order; "result" is "kept" or the reason for rejecting it.
        arrays: of the kept pieces, one behind the other.
        signatures: uint32 [kept, 2, 128], see ``Fingerprint``.
    """

    rows: list[Row]
    arrays: dict[str, Array]
    signatures: npt.NDArray[np.uint32]

    def pieces(self) -> Iterator[dict[str, Array]]:
        """The arrays of each kept piece, in order."""
        step = bar = 0
        for number, row in enumerate(r for r in self.rows if r["result"] == "kept"):
            steps, bars = int(self.arrays["layout"][bar : bar + row["bars"], 0].sum()), row["bars"]
            piece = {n: self.arrays[n][step : step + steps] for n in STEP_ARRAYS} | {n: self.arrays[n][bar : bar + bars] for n in BAR_ARRAYS}
            yield piece | {"song": self.arrays["song"][number : number + 1]}
            step, bar = step + steps, bar + bars


class _TooSlowError(BaseException):
    """Not an ``Exception``, so that no library takes it for one of its own and goes on."""


@contextmanager
def _limit_time(seconds: float) -> Iterator[None]:
    """Raise ``_TooSlowError`` after so many seconds (where signals can be had: the main thread of a Unix process)."""
    if current_thread() is not main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)  # and each second again: an error raised within a destructor is lost
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True, eq=False)
class _Study:
    """A piece that can be kept: its arrays, what the manifest says of it, and by what copies of it are known."""

    example: Example
    facts: Row
    fingerprint: Fingerprint


def prepare_source(source: Source, settings: Settings) -> tuple[Row, Example | None, Fingerprint | None]:
    """The manifest row of one source, and if it is kept its arrays and its fingerprint.

    Raises:
        MissingExtraError: datasketch is not installed.
    """
    row: Row = {"name": source.name, "path": source.path, "member": source.member, "licence": source.licence, "genre": source.genre}
    row |= {
        "style": find_style(source.genre),
        "split": source.split,
        "stated_cluster": source.cluster,
        "tags": " ".join(source.tags),
        "stated_tempo": source.tempo,
        "bytes": 0,
        "sha256": "",
    }
    study = _try_to_study(source, settings, row)
    if isinstance(study, str):
        result, _, detail = study.partition(": ")
        row |= {"result": result, "detail": detail}
    else:
        row |= {"result": "kept", "detail": ""} | study.facts
    row = {key: clean_name(value) if isinstance(value, str) else value for key, value in row.items()}
    return (row, None, None) if isinstance(study, str) else (row, study.example, study.fingerprint)


def _try_to_study(source: Source, settings: Settings, row: Row) -> _Study | str:
    """Study a source, or say why that cannot be done, whatever the reason: one file must not cost all others their corpus."""
    try:
        with _limit_time(SECONDS):
            data = source.read()
            row |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            return _study(data, source, settings)
    except _TooSlowError:
        return f"unreadable: not done after {SECONDS} s"
    except MemoryError:
        return "unreadable: needs more memory than there is"
    except InputError as error:
        return f"unreadable: {error}"
    except MissingExtraError:
        raise
    except Exception as error:
        return f"failed: a fault of Backbeat, please report it with the file ({type(error).__name__}: {error})"


def _study(data: bytes, source: Source, settings: Settings) -> _Study | str:
    example = _prepare(data, source, settings)
    if isinstance(example, str):
        return example
    fingerprint = take_fingerprint(example)
    facts: Row = {"band": example.band, "dynamic": bool(example.dynamic), "unknown_notes": example.unknown, "merged_notes": example.merged}
    return _Study(example, facts | flag(example) | {"content": fingerprint.content}, fingerprint)


def _prepare(data: bytes, source: Source, settings: Settings) -> Example | str:
    how: dict[str, Any] = {"clean": settings.clean, "kit": settings.kit, "steps_per_quarter": settings.steps_per_quarter}
    example = prepare_bytes(data, source.name, band=source.band is not False, **how)
    if example == "no band" and source.band is None:
        return prepare_bytes(data, source.name, band=False, **how)
    return example


def build_block(sources: Sequence[Source], settings: Settings) -> bytes:
    """Turn sources into the bytes of a block (an .npz file)."""
    rows, examples, signatures = [], [], []
    for source in sources:
        row, example, fingerprint = prepare_source(source, settings)
        rows.append(row)
        if example is not None and fingerprint is not None:
            examples.append(example)
            signatures.append(fingerprint.signature)
    arrays = {name: np.concatenate([_take(e, name) for e in examples]) for name in ARRAYS} if examples else {}
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(rows).encode(), dtype=np.uint8)
    named: dict[str, Any] = {f"array_{n}": a for n, a in arrays.items()}
    np.savez(buffer, rows=text, signatures=np.array(signatures, np.uint32).reshape(-1, 2, PERMUTATIONS), **named)
    return buffer.getvalue()


def _take(example: Example, name: str) -> Array:
    array: Array = getattr(example, name)
    return array[None] if name == "song" else array


def load_block(data: bytes, *, arrays: bool = True) -> Block:
    """Read the bytes of ``build_block``.

    Args:
        data: the bytes.
        arrays: False leaves the arrays where they are, which is quick.

    Raises:
        ValueError: the bytes are not a whole block.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            rows = json.loads(file["rows"].tobytes())
            named = {n: file[f"array_{n}"] for n in ARRAYS if f"array_{n}" in file.files} if arrays else {}
            return Block(rows, named, file["signatures"])
    except Exception as error:  # damaged bytes make zipfile and numpy raise whatever they like
        raise ValueError(f"not a whole block ({error})") from error


def hash_plan(sources: Sequence[Source], settings: Settings) -> str:
    """Hex digest of what a build is made of: its sources in order, and its settings."""
    digest = hashlib.sha256(json.dumps([SIZE, asdict(settings)]).encode())
    for s in sources:
        digest.update(json.dumps([s.path, s.member, s.name, s.genre, s.cluster, s.band, s.licence, s.split, s.tempo, s.tags]).encode())
    return digest.hexdigest()
