"""Sources from an archive (.zip, .tar, .tar.gz, .tar.xz, .tar.bz2) of MIDI files, without unpacking it.

Every regular member whose name ends in .mid, .midi, .kar, .rmi or .smf is a source. Nothing is written to disk, so a member
called ``../../x.mid`` is only a name. A name that occurs twice counts once, the last, as when unpacking. Archives in archives are
not opened.

Members of a .zip and of a plain .tar are sorted by name and read at random. A compressed tar can only be read forwards: its
members come in the archive's order, and each process keeps the archive open and reads on from where it was. Reading them in
order decompresses the archive once a process; a member that lies behind starts it again from its beginning.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import IO, cast

from backbeat.datasets.folders import clean_name, is_midi
from backbeat.datasets.source import MAX_FILE_BYTES, Source
from backbeat.errors import InputError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
_FAULTS = (OSError, EOFError, ValueError, RuntimeError, OverflowError, struct.error, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile)
_OPENERS: dict[bytes, Callable[[str], object]] = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ": lzma.LZMAFile}
_BLOCK = 512


def is_archive(name: str) -> bool:
    """Whether a file is an archive by its name."""
    return name.lower().endswith(SUFFIXES)


def list_archive(path: Path) -> Iterator[Source]:
    """The MIDI files of an archive.

    Raises:
        InputError: the archive is damaged or cannot be read.
    """
    try:
        yield from _list_zip(path) if path.name.lower().endswith(".zip") else _list_tar(path)
    except _FAULTS as error:
        raise InputError(f"{path}: not an archive, or a damaged one ({error}): get it again") from None


def _list_zip(path: Path) -> Iterator[Source]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.NameToInfo if is_midi(name))
    for name in names:
        yield Source(str(path), clean_name(name), band=None, member=name, reader=read_zip_member)


def read_zip_member(source: Source) -> bytes:
    """The bytes of a .zip's member.

    Raises:
        InputError: it cannot be read, or unpacks to more than ``MAX_FILE_BYTES``.
    """
    try:
        archive = _open_zip(source.path, _stamp(source.path), os.getpid())
        info = archive.getinfo(source.member)
        _check_size(source, info.file_size)
        with archive.open(info) as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except KeyError:
        raise InputError(f"{source.path}: it has no member {source.member!r} any more") from None
    except _FAULTS as error:
        raise InputError(f"{source.path}: {source.name} cannot be unpacked ({error})") from None
    _check_size(source, len(data))
    return data


def _check_size(source: Source, size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise InputError(f"{source.path}: {source.name} is larger than the {MAX_FILE_BYTES >> 20} MB that are read")


def _stamp(path: str) -> tuple[int, int]:
    """What changes when a file does."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size


# The process is part of the key: a forked child must not share its parent's place in the file.
@lru_cache(maxsize=4)
def _open_zip(path: str, stamp: tuple[int, int], process: int) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


@lru_cache(maxsize=4)
def _open_tar(path: str, stamp: tuple[int, int], process: int) -> _Tar:
    return _Tar(path)


class _Tar:
    """The decompressed bytes of a tar, kept open; ``tarfile`` reads its headers through it."""

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            magic = file.read(8)
        opener = next((opener for start, opener in _OPENERS.items() if magic.startswith(start)), None)
        self.is_compressed = opener is not None
        self._file = cast("IO[bytes]", opener(path) if opener else open(path, "rb"))  # noqa: SIM115 - closed when it goes
        self._lock = Lock()
        self.seek, self.tell = self._file.seek, self._file.tell

    def read(self, size: int) -> bytes:
        """Bytes of a header; one that claims to be huge is refused."""
        if not 0 <= size <= MAX_FILE_BYTES:
            raise InputError("a header of the archive claims to have more bytes than any has")
        return self._file.read(size)

    def read_at(self, offset: int, size: int) -> bytes:
        """Bytes of a member."""
        with self._lock:
            self._file.seek(offset)
            return self._file.read(size)

    def __del__(self) -> None:
        with suppress(AttributeError):
            self._file.close()


def _list_tar(path: Path) -> Iterator[Source]:
    file = _Tar(str(path))
    places = _find_members(file)
    for name in places if file.is_compressed else sorted(places):
        yield Source(str(path), clean_name(name), band=None, member="{}+{}".format(*places[name]), reader=read_tar_member)


def _find_members(file: _Tar) -> dict[str, tuple[int, int]]:
    """Offset and size of each MIDI file in the decompressed tar, in the archive's order; hard links lead to what they link to."""
    places: dict[str, tuple[int, int]] = {}
    with tarfile.open(fileobj=cast("IO[bytes]", file), mode="r:") as archive:
        end = -1
        while (info := archive.next()) is not None:
            if archive.offset <= end:
                raise tarfile.ReadError("a header says that its member has less than no bytes")
            end = archive.offset
            archive.members.clear()  # type: ignore[attr-defined]  # it would grow with the archive
            place = places.get(info.linkname) if info.islnk() else (info.offset_data, info.size)
            if is_midi(info.name) and place and (info.islnk() or (info.isreg() and not info.issparse())):
                places.pop(info.name, None)
                places[info.name] = place
        end = archive.offset
    file.seek(end)
    if file.read(_BLOCK).strip(b"\0"):
        raise tarfile.ReadError(f"no member starts at byte {end}")
    return places


def read_tar_member(source: Source) -> bytes:
    """The bytes of a tar's member; ``source.member`` is its offset and size in the decompressed archive, as in ``1536+20480``.

    Raises:
        InputError: it cannot be read, or has more than ``MAX_FILE_BYTES``.
    """
    try:
        offset, size = map(int, source.member.split("+"))
        _check_size(source, size)
        data = _open_tar(source.path, _stamp(source.path), os.getpid()).read_at(offset, size)
    except _FAULTS as error:
        raise InputError(f"{source.path}: {source.name} cannot be unpacked ({error})") from None
    if len(data) < size:
        raise InputError(f"{source.path}: {source.name} is cut off: the archive ends before it does")
    return data
