"""Build a corpus: blocks computed by an engine, then one pass that finds copies and writes what is kept.

Every block is a file that appears whole or not at all, and depends on its sources only. So a build that was stopped, at
whatever moment and however hard, goes on with the blocks that are missing and ends with the same corpus.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from backbeat.datasets import engines
from backbeat.datasets.blocks import SIZE, Array, Block, Row, Settings, build_block, hash_plan, load_block
from backbeat.datasets.clusters import Clusters, Verdict, judge
from backbeat.datasets.corpus import PIECE_DTYPE, SCHEMA, WORKSHOP, Corpus
from backbeat.datasets.fingerprints import load_minhash
from backbeat.datasets.manifest import LEDGER, MANIFEST, TableWriter, load_arrow
from backbeat.datasets.preparation import check_settings
from backbeat.datasets.source import Source
from backbeat.datasets.styles import STYLES
from backbeat.errors import InputError, OutputError
from backbeat.files import write_bytes
from backbeat.kits import load_kit

ENGINES = ("pool", "ray")


@dataclass(frozen=True)
class Plan:
    """What is built, and how.

    Args:
        sources: the pieces, in the order in which they are kept.
        settings: how a file becomes arrays.
        keep_copies: keep all members of a cluster of copies, in one split.
    """

    sources: Sequence[Source]
    settings: Settings = field(default_factory=Settings)
    keep_copies: bool = False

    @property
    def blocks(self) -> list[Sequence[Source]]:
        """The sources in runs of ``blocks.SIZE``."""
        return [self.sources[i : i + SIZE] for i in range(0, len(self.sources), SIZE)]

    @property
    def digest(self) -> str:
        """Hex digest of everything that decides the result."""
        return hashlib.sha256(f"{hash_plan(self.sources, self.settings)} {self.keep_copies}".encode()).hexdigest()


def build_corpus(
    plan: Plan,
    folder: Path,
    *,
    workers: int = 1,
    engine: str = "pool",
    resume: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Counter[str]:
    """Build a corpus.

    Args:
        plan: the sources and settings.
        folder: made if missing; must be empty, or hold this very build unfinished.
        workers: processes; 1 computes here.
        engine: "pool", or "ray" for a cluster.
        resume: go on with a build that was stopped.
        progress: called with the number of sources done.

    Returns:
        how many sources were kept ("kept") and rejected, by reason; the sum is the number of sources.

    Raises:
        InputError: there is no source, or the folder holds something else, or another build.
        OutputError: the folder cannot be written, or the disk is full. What was done stays, to be gone on with.
        MissingExtraError: a package of the extra "data" (or "scale", for Ray) is not installed.
    """
    if not plan.sources:
        raise InputError("no sources: there is nothing to build a corpus from")
    if engine not in ENGINES:
        raise InputError(f"no engine {engine!r}: choose from {', '.join(ENGINES)}")
    check_settings(plan.settings.kit, plan.settings.steps_per_quarter)
    load_arrow()
    load_minhash()
    if engine == "ray":
        engines.load_ray()
    engines.use_one_thread()
    with _explain_faults(folder):
        workshop = _open_workshop(plan, folder, resume)
        if not (folder / "meta.json").is_file():
            _compute_blocks(plan, workshop, workers, engine, progress)
            _write_corpus(plan, workshop, folder)
        _settle(folder)
        shutil.rmtree(workshop, ignore_errors=True)
        for left in folder.glob(".backbeat-*.tmp"):  # of a build that was killed while it wrote the last file
            left.unlink()
    progress(len(plan.sources))
    return Counter(_read_meta(folder)["results"])


@contextmanager
def _explain_faults(folder: Path) -> Iterator[None]:
    """Say in one line what the disk refuses, and that nothing is lost by it."""
    try:
        yield
    except BrokenPipeError:  # nobody reads what is shown of the progress
        raise
    except (OSError, OutputError) as error:
        what = str(error) if isinstance(error, OutputError) else f"{folder}: the build stopped ({error.strerror or error})"
        hint = ": when that is mended, the same command with --resume goes on" if (folder / WORKSHOP / "plan").is_file() else ""
        raise OutputError(what + hint) from None


def _settle(folder: Path) -> None:
    """Wait until the disk has what was written, so that after a power cut either the corpus is whole or its blocks are still there."""
    for path in [*folder.iterdir(), folder]:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _read_meta(folder: Path) -> dict[str, Any]:
    meta = Corpus(folder).meta
    if not isinstance(meta.get("results"), dict):
        raise InputError(f"{folder} is not a corpus of this version: name a new folder")
    return meta


def _open_workshop(plan: Plan, folder: Path, resume: bool) -> Path:
    workshop, marker = folder / WORKSHOP, folder / WORKSHOP / "plan"
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder for the corpus")
    if not folder.exists() or not any(folder.iterdir()):
        workshop.mkdir(parents=True, exist_ok=True)
        write_bytes(marker, plan.digest.encode())
        return workshop
    if (folder / "meta.json").is_file() and resume:
        if _read_meta(folder).get("plan") != plan.digest:
            raise InputError(f"{folder} holds a corpus of other sources or settings: name a new folder")
        return workshop
    # A build that was killed before it wrote its plan left an empty workshop, which is as good as an empty folder.
    if not marker.is_file() and [p.name for p in folder.iterdir()] == [WORKSHOP] and not any(workshop.glob("*.npz")):
        write_bytes(marker, plan.digest.encode())
        return workshop
    if not marker.is_file():
        raise InputError(f"{folder} is not empty: name a new folder for the corpus")
    if not resume:
        raise InputError(f"{folder} holds a build that was stopped: add --resume to go on with it, or name a new folder")
    if marker.read_text(encoding="utf-8", errors="replace") != plan.digest:
        raise InputError(f"{folder} holds a build of other sources or settings: resume it with the same ones, or name a new folder")
    return workshop


def _compute_blocks(plan: Plan, workshop: Path, workers: int, engine: str, progress: Callable[[int], None]) -> None:
    blocks = plan.blocks
    missing = [(i, block) for i, block in enumerate(blocks) if not zipfile.is_zipfile(_block_path(workshop, i))]
    done = len(plan.sources) - sum(len(block) for _, block in missing)
    progress(done)
    work, rescue = partial(build_block, settings=plan.settings), partial(_rescue, settings=plan.settings)
    if engine == "ray":
        results = engines.run_ray(work, missing, rescue)
    elif workers > 1:
        results = engines.run_pool(work, missing, workers, rescue)
    else:
        results = engines.run_here(work, missing)
    with closing(results):
        for index, data in results:
            write_bytes(_block_path(workshop, index), data)
            done += len(blocks[index])
            progress(done)


def _block_path(workshop: Path, index: int) -> Path:
    return workshop / f"{index:07}.npz"


def _refuse(source: Source) -> bytes:
    raise InputError("the process that read it died")


def _rescue(block: Sequence[Source], run_alone: Callable[..., bytes | None], settings: Settings) -> bytes:
    """A block again, without the sources that kill the process that reads them."""
    work = partial(build_block, settings=settings)
    safe = [source if run_alone(work, [source]) else replace(source, reader=_refuse) for source in block]
    return run_alone(work, safe) or work([replace(source, reader=_refuse) for source in block])


def _read_blocks(plan: Plan, workshop: Path, *, arrays: bool) -> Iterator[Block]:
    for index in range(len(plan.blocks)):
        path = _block_path(workshop, index)
        try:
            yield load_block(path.read_bytes(), arrays=arrays)
        except ValueError as error:
            path.unlink(missing_ok=True)
            raise InputError(f"{path} is damaged and was removed ({error}): the same command with --resume computes it again") from None


def _judge_copies(plan: Plan, workshop: Path) -> tuple[Iterator[Verdict], list[str]]:
    """A verdict for every piece that was read, and their names."""
    clusters, splits, digests, names = Clusters(), list[str](), list[str](), list[str]()
    for block in _read_blocks(plan, workshop, arrays=False):
        kept = (r for r in block.rows if r["result"] == "kept")
        for row, signature in zip(kept, block.signatures, strict=True):
            clusters.add(row, signature)
            splits.append(row["split"])
            digests.append(row["sha256"])
            names.append(row["name"])
    return judge(clusters, splits, digests, keep_copies=plan.keep_copies), names


def _write_corpus(plan: Plan, workshop: Path, folder: Path) -> None:
    """Write the arrays of what is kept, the manifest, the ledger and, last, meta.json, which makes it a corpus."""
    verdicts, names = _judge_copies(plan, workshop)
    with _Writer(folder) as writer, TableWriter(folder / MANIFEST) as manifest, TableWriter(folder / LEDGER) as ledger:
        for block in _read_blocks(plan, workshop, arrays=True):
            pieces = block.pieces()
            for row in block.rows:
                if row["result"] != "kept":
                    ledger.add(row)
                    continue
                verdict, piece = next(verdicts), next(pieces)
                row |= {"cluster": verdict.cluster, "split": verdict.split}
                if verdict.result == "kept":
                    manifest.add(row | {"piece": writer.pieces})
                    writer.add(piece, row)
                else:
                    ledger.add(row | {"result": verdict.result, "detail": f"of {names[verdict.twin]}"})
    meta = {
        "schema": SCHEMA,
        "arrays": writer.kinds,
        "kit": load_kit(plan.settings.kit).to_dict(),
        "steps_per_quarter": plan.settings.steps_per_quarter,
        "styles": list(STYLES),
        "pieces": writer.pieces,
        "sources": len(plan.sources),
        "results": dict((manifest.results + ledger.results).most_common()),
        "plan": plan.digest,
        "manifest_sha256": hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest(),
    }
    write_bytes(folder / "meta.json", json.dumps(meta, indent=1).encode())


class _Writer:
    """Streams arrays to disk, so that memory does not grow with the corpus."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, dict[str, BinaryIO]()
        self.kinds: dict[str, tuple[str, list[int]]] = {}
        self.pieces = self.steps = self.bars = 0
        self._open("pieces")

    def add(self, piece: dict[str, Array], row: Row) -> None:
        """Append a piece."""
        for name, array in piece.items():
            if name not in self.files:
                self._open(name)
                self.kinds[name] = (array.dtype.str, list(array.shape[1:]))
            self.files[name].write(np.ascontiguousarray(array).tobytes())
        steps, bars = len(piece["words"]), len(piece["layout"])
        entry = (self.steps, steps, self.bars, bars, STYLES.index(row["style"]), row["band"], row["dynamic"])
        self.files["pieces"].write(np.array([entry], dtype=PIECE_DTYPE).tobytes())
        self.pieces, self.steps, self.bars = self.pieces + 1, self.steps + steps, self.bars + bars

    def _open(self, name: str) -> None:
        self.files[name] = (self.folder / f"{name}.bin").open("wb")

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        for file in self.files.values():
            with suppress(OSError) if kind else nullcontext():  # of a full disk; the first error is told
                file.close()
