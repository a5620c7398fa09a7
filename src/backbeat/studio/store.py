"""Where projects are kept: a folder each, with the song's bytes and the journal."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from backbeat import __version__
from backbeat.codecs.taps import lay_grid as lay_bars
from backbeat.errors import InputError, OutputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.midi import parse_song
from backbeat.midi.writer import build_song
from backbeat.song import Song
from backbeat.studio import archive, journal
from backbeat.studio.drums import studio_kit
from backbeat.studio.history import Entry, MissingError, write_entry
from backbeat.studio.project import ABOUT, JOURNAL, SONG, Project, lay_grid, read_history, replay
from backbeat.studio.settings import Number, show
from backbeat.studio.states import MAX_NAME, State, read_name
from backbeat.takes import MAX_STEPS

SCHEMA = 1
_ID = re.compile(r"[0-9a-f]{16}")
_METRE = re.compile(r"([1-9]\d?)/(1|2|4|8|16|32)")
_QPM, _MOST_SONG = Number(20, 400), 16 << 20


def find_home() -> Path:
    """The folder of the projects where none is named: in $XDG_DATA_HOME, or ~/.local/share."""
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "share") / "backbeat" / "studio"


class Store:
    """The projects of a home folder.

    Args:
        home: the folder, made where it is missing; none = ``find_home()``.

    Raises:
        OutputError: it cannot be made.
    """

    def __init__(self, home: Path | str | None = None) -> None:
        self.home = Path(home) if home is not None else find_home()
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            raise OutputError(f"{self.home}: the studio cannot keep its projects there ({error}): name another folder with --home") from None

    def create(self, name: str, data: bytes) -> Project:
        """A new project from the bytes of a MIDI file.

        Args:
            name: of the file, for people; a path or an ending in it is left out.
            data: the file.

        Raises:
            MidiError: the bytes are no MIDI file, or a damaged one.
            SongError: the song is too long.
            OutputError: the project cannot be written.
        """
        label = clean_name(name)
        _parse(data, label)
        entry = Entry(0, None, _now(), {"type": "open"}, "Open the song", State())
        return self._make(label, data, journal.write_line(write_entry(entry, State())))

    def blank(self, name: str, bars: int, metre: str = "4/4", qpm: float = 120.0) -> Project:
        """A new project without a song.

        Args:
            name: for people.
            bars: how many.
            metre: such as "4/4" or "7/8".
            qpm: quarters a minute.

        Raises:
            InputError: a value is out of range, or they are too many bars.
            OutputError: the project cannot be written.
        """
        found = _METRE.fullmatch(metre) if isinstance(metre, str) else None
        if found is None:
            raise InputError(f"a metre is written as 4/4 or 7/8, not {show(metre)}")
        numerator, denominator = int(found[1]), int(found[2])
        count = int(Number(1, MAX_STEPS * denominator // (16 * numerator), whole=True)("the number of bars", bars))
        grid, tempo, metres = lay_bars(count, numerator, denominator, _QPM("the tempo", qpm))
        return self.create(name, build_song(Groove.empty(grid, studio_kit()), tempo, metres))

    def open(self, project: str) -> Project:
        """Open a project.

        Raises:
            MissingError: there is none with this id.
            InputError: it is damaged.
        """
        folder = self._find(project)
        about = _read_about(folder)
        try:
            data = (folder / SONG).read_bytes()
        except OSError as error:
            raise InputError(f"{project}/{SONG}: cannot be read ({error})") from None
        song, grid = _parse(data, about["name"])
        return Project(folder, about["name"], song, *read_history(folder, grid))

    def list(self) -> list[dict[str, Any]]:
        """All projects, the last changed first: id, name, changed (ISO 8601, UTC), bars. Damaged ones are left out."""
        found = []
        for folder in self.home.iterdir():
            with contextlib.suppress(InputError, OSError):
                if _ID.fullmatch(folder.name):
                    about, changed = _read_about(folder), (folder / JOURNAL).stat().st_mtime
                    found.append((changed, {"id": folder.name, "name": about["name"], "changed": _tell(changed), "bars": about["bars"]}))
        return [view for _, view in sorted(found, key=lambda pair: (-pair[0], pair[1]["id"]))]

    def rename(self, project: str, name: str) -> str:
        """Give a project another name; returns it as it was written down, on one line.

        Raises:
            MissingError: there is no such project.
            InputError: it is no name.
            OutputError: it cannot be written.
        """
        folder = self._find(project)
        name = read_name(name)
        archive.write_durably(folder / ABOUT, _dump(_read_about(folder) | {"name": name}))
        return name

    def delete(self, project: str) -> None:
        """Take a project away, with all its history.

        Raises:
            MissingError: there is no such project.
            OutputError: it cannot be taken away.
        """
        folder = self._find(project)
        gone = self.home / f".gone-{project}-{secrets.token_hex(4)}"
        try:
            folder.rename(gone)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be deleted ({error})") from None
        shutil.rmtree(gone, ignore_errors=True)

    def export_file(self, project: Project | str) -> bytes:
        """The project file of a project: everything, in one zip.

        Raises:
            MissingError: there is no such project.
            InputError: it cannot be read.
        """
        project = project if isinstance(project, Project) else self.open(project)
        try:
            lines = project.read_journal()
            return archive.write_archive({ABOUT: (project.folder / ABOUT).read_bytes(), SONG: (project.folder / SONG).read_bytes(), JOURNAL: lines})
        except OSError as error:
            raise InputError(f"{project.id}: cannot be read ({error})") from None

    def import_file(self, data: bytes) -> Project:
        """A new project that is exactly the one that a project file was made of, history included.

        Raises:
            InputError: the bytes are no project file, or a damaged one, or of another schema.
            OutputError: the project cannot be written.
        """
        files = archive.read_archive(data, {ABOUT: 1 << 20, SONG: _MOST_SONG, JOURNAL: archive.MAX_UNPACKED})
        try:
            about = check_about(journal.read_line(files[ABOUT]))
        except InputError as error:
            raise InputError(f"the project file cannot be opened: {ABOUT}: {error}") from None
        grid = _parse(files[SONG], about["name"])[1]
        end = replay(archive.split_lines(files[JOURNAL]), grid, f"the project file cannot be opened: {JOURNAL}")[1]
        return self._make(about["name"], files[SONG], files[JOURNAL][:end])

    def _make(self, name: str, data: bytes, lines: bytes) -> Project:
        bars = _parse(data, name)[1].bars
        kit = studio_kit()
        about = {"schema": SCHEMA, "backbeat": __version__, "name": name, "kit": {"name": kit.name, "version": kit.version}, "bars": bars}
        project, making = secrets.token_hex(8), self.home / f".new-{secrets.token_hex(8)}"
        try:
            making.mkdir()
            for file, content in ((ABOUT, _dump(about)), (SONG, data), (JOURNAL, lines)):
                archive.write_durably(making / file, content)
            making.rename(self.home / project)
            archive.settle(self.home)
        except OSError as error:
            shutil.rmtree(making, ignore_errors=True)
            raise OutputError(f"{self.home}: the project cannot be written ({error})") from None
        return self.open(project)

    def _find(self, project: str) -> Path:
        if not isinstance(project, str) or not _ID.fullmatch(project) or not (self.home / project / JOURNAL).is_file():
            raise MissingError(f"there is no project {show(project)}")
        return self.home / project


def clean_name(name: str) -> str:
    """A name for people from that of a file: without path and ending, on one line, never empty."""
    base = PurePosixPath(PureWindowsPath(str(name)).name).name
    stem = re.sub(r"\.(midi?|kar|rmi|backbeat)$", "", base, flags=re.IGNORECASE)
    text = " ".join("".join(c if c.isprintable() else " " for c in stem).split())
    return text[:MAX_NAME].strip() or "Song"


def check_about(data: object) -> dict[str, Any]:
    """What ``project.json`` says, checked.

    Raises:
        InputError: it is not as this module writes it, or of another schema or kit.
    """
    if not isinstance(data, dict):
        raise InputError(f"it is {show(data)}")
    if data.get("schema") != SCHEMA or type(data["schema"]) is not int:
        raise InputError(f"it has schema {show(data.get('schema'))}, this version of Backbeat reads {SCHEMA}")
    kit, known = data.get("kit"), studio_kit()
    if not isinstance(kit, Mapping) or (kit.get("name"), kit.get("version")) != (known.name, known.version):
        raise InputError(f"its kit is {show(kit)}, this version of Backbeat has {known.name} {known.version}")
    bars = Number(1, MAX_STEPS, whole=True)("bars", data.get("bars"))
    return {"schema": SCHEMA, "backbeat": str(data.get("backbeat"))[:40], "name": read_name(data.get("name")), "kit": dict(kit), "bars": bars}


def _read_about(folder: Path) -> dict[str, Any]:
    try:
        return check_about(journal.read_line((folder / ABOUT).read_bytes()))
    except (OSError, InputError) as error:
        raise InputError(f"{folder.name}/{ABOUT}: {error}") from None


@lru_cache(4)
def _parse(data: bytes, name: str) -> tuple[Song, Grid]:
    """A song that is not too long, and its grid."""
    song = parse_song(data, name)
    grid = lay_grid(song)
    if grid.steps > MAX_STEPS:
        raise InputError(f"{name} has {grid.bars:,} bars, more than can be played ({MAX_STEPS:,} 16ths): look for an event far behind its end, or cut it")
    return song, grid


def _dump(about: Mapping[str, Any]) -> bytes:
    return json.dumps(about, indent=1).encode() + b"\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _tell(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
