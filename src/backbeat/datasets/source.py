"""What a corpus is built from: one ``Source`` a piece, and ``Dataset``, the parts that every data set states."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG

from backbeat.errors import InputError

MAX_FILE_BYTES = 64 << 20
"""Larger files are refused before they are read: no song has as many bytes."""


def read_file(source: Source) -> bytes:
    """The bytes of a source that is a file of its own.

    Raises:
        InputError: it cannot be read, or is larger than ``MAX_FILE_BYTES``.
    """
    try:
        status = Path(source.path).stat()
        if not S_ISREG(status.st_mode):
            raise InputError(f"{source.path}: cannot be read (not a regular file)")
        if status.st_size > MAX_FILE_BYTES:
            raise InputError(f"{source.path}: larger than the {MAX_FILE_BYTES >> 20} MB that are read")
        return Path(source.path).read_bytes()
    except (OSError, ValueError) as error:
        raise InputError(f"{source.path}: cannot be read ({error})") from None


@dataclass(frozen=True)
class Source:
    """One piece for a corpus.

    Args:
        path: the file, or the archive or table that holds the piece.
        name: how the manifest calls it; unique within its data set.
        genre: a data set's genre label, "" if unknown.
        cluster: near-duplicate cluster as the data set states it, "" if unknown; begins with the data set's name, as in ``lakh:TRAAAGR``.
        band: True for songs, False for drums alone, None where it is not known: the file decides.
        licence: as stated by the source.
        split: train, validation or test where the data set says so, else "".
        member: which member of an archive, or row of a table, holds the piece.
        reader: gives the MIDI file's bytes; a function of a module, so that sources travel between processes.
        tempo: quarters a minute as the data set states it, 0 if unknown.
        tags: what else it says of a piece: "beat", "fill", "drummer3", "eval_session", "intro" ...
    """

    path: str
    name: str
    genre: str = ""
    cluster: str = ""
    band: bool | None = True
    licence: str = ""
    split: str = ""
    member: str = ""
    reader: Callable[[Source], bytes] = read_file
    tempo: float = 0
    tags: tuple[str, ...] = ()

    def read(self) -> bytes:
        """The piece as the bytes of a MIDI file.

        Raises:
            InputError: it cannot be read.
        """
        return self.reader(self)


@dataclass(frozen=True)
class Dataset:
    """A data set, in the order of parts that mirdata keeps: description, citation, licence, index, loader.

    Args:
        name: what the command line calls it.
        title: one line for people: what it is and how much of it.
        citation, licence: as its makers want it cited and used.
        download: what to download and where to put it, for the message when it is missing.
        list_all: lists the sources below a data folder; raises InputError where the data set is not there.
        splits: names of its own splits, () where it has none.
        index: path below the data folder -> sha256, of the files by which a copy can be checked.
    """

    name: str
    title: str
    citation: str
    licence: str
    download: str
    list_all: Callable[[Path], Iterable[Source]]
    splits: tuple[str, ...] = ()
    index: Mapping[str, str] = field(default_factory=dict)

    def missing(self, data: Path) -> InputError:
        """The error to raise where the data set is not below ``data``."""
        return InputError(f"no {self.name} below {data}: {self.download}, or set BACKBEAT_DATA")

    def list_sources(self, data: Path, split: str = "") -> list[Source]:
        """Its sources, all or those of one split.

        Raises:
            InputError: the data set is not below ``data``, or has no such split.
        """
        if split and split not in self.splits:
            raise InputError(f"{self.name} has no split {split!r}" + (f": choose from {', '.join(self.splits)}" if self.splits else ", it comes as a whole"))
        return [s for s in self.list_all(data) if not split or s.split == split]
