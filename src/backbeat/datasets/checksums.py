"""Which files a data set must have: SHA-256 checksums that ship with the package.

An index is a text file in the format of ``sha256sum``, so that ``sha256sum -c`` understands its lines for single files:
a checksum, two spaces, and a path below the data folder. Large sets have a line ``sources`` or ``sources:SPLIT`` instead: the
digest over all their sources, sorted by name, of the lines ``name TAB size TAB sha256``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path

from backbeat.datasets.source import MAX_FILE_BYTES, Dataset, Source
from backbeat.errors import InputError
from backbeat.files import write_bytes

ALL = "sources"
MAX_LINES = 1_500
"""A set of more files gets digests instead of a line a file."""


class ChecksumIndex(Mapping[str, str]):
    """The index of a data set, read when it is first asked for; empty where none ships.

    Args:
        name: the data set.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _lines(self) -> dict[str, str]:
        file = resources.files("backbeat") / "datasets" / "checksums" / f"{self.name}.txt"
        return parse_index(file.read_text(encoding="utf-8")) if file.is_file() else {}

    def __getitem__(self, path: str) -> str:
        return self._lines[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def parse_index(text: str) -> dict[str, str]:
    """Path -> checksum, of the lines of an index.

    Raises:
        InputError: a line is no checksum and path.
    """
    lines = {}
    for number, line in enumerate(text.splitlines(), 1):
        checksum, space, path = line.partition("  ")
        if len(checksum) != 64 or not space or not path:
            raise InputError(f"line {number} of the checksum index is no SHA-256 checksum and path")
        lines[path] = checksum
    return lines


def write_index(dataset: Dataset, data: Path, file: Path, *, entries: Iterable[str] = ()) -> int:
    """Write the index of a data set from a copy that is known to be good.

    Args:
        dataset: the data set.
        data: the folder that holds it.
        file: the index to write; ``datasets/checksums/NAME.txt`` of the source tree ships.
        entries: paths below ``data``, and ``sources`` or ``sources:SPLIT`` for digests; by default those of the index that
            ships, else every file that a source comes from.

    Returns:
        number of lines.

    Raises:
        InputError: the data set or one of the entries is not there.
        OutputError: the index cannot be written.
    """
    wanted = list(entries) or list(dataset.index) or _choose_entries(dataset, data)
    digests = {entry: _compute(dataset, data, entry) for entry in wanted}
    missing = [entry for entry, digest in digests.items() if not digest]
    if missing:
        raise InputError(f"{data} lacks {missing[0]}: no index without it")
    write_bytes(file, "".join(f"{digest}  {entry}\n" for entry, digest in digests.items()).encode())
    return len(digests)


def _choose_entries(dataset: Dataset, data: Path) -> list[str]:
    paths = sorted({Path(s.path).relative_to(data).as_posix() for s in dataset.list_all(data)})
    return paths if len(paths) <= MAX_LINES else [f"{ALL}:{split}" for split in dataset.splits] or [ALL]


def check_dataset(dataset: Dataset, data: Path) -> list[str]:
    """What is wrong with a copy of a data set, one line each: ``missing: PATH`` or ``changed: PATH``; [] where it is whole.

    Raises:
        InputError: the data set is not below ``data``, or no checksums of it ship.
    """
    if not dataset.index:
        raise InputError(f"no checksums of {dataset.name} ship with Backbeat: it cannot be checked")
    next(iter(dataset.list_all(data)), None)  # tells where to get it if nothing is there
    faults = []
    for entry, expected in dataset.index.items():
        found = _compute(dataset, data, entry)
        if found != expected:
            faults.append(f"{'changed' if found else 'missing'}: {entry}")
    return faults


def _compute(dataset: Dataset, data: Path, entry: str) -> str:
    """The checksum of an entry, "" where it is not there."""
    kind, _, split = entry.partition(":")
    if kind == ALL:
        return digest_sources(dataset.list_sources(data, split))
    path = data / entry
    return hash_file(path) if path.is_file() else ""


def hash_file(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_sources(sources: Iterable[Source]) -> str:
    """One digest of the files of many sources, whatever their order and folder; "" of none.

    A file that is missing or larger than ``MAX_FILE_BYTES`` counts as its name alone.
    """
    lines = []
    for source in sources:
        path = Path(source.path)
        whole = path.is_file() and path.stat().st_size <= MAX_FILE_BYTES
        lines.append(f"{source.name}\t{path.stat().st_size}\t{hash_file(path)}\n" if whole else f"{source.name}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest() if lines else ""
