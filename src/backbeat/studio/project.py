"""A project: a song, the history of its drums, and the journal that both are kept in."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from backbeat.cues import Cues, hear
from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.song import Song
from backbeat.studio import journal
from backbeat.studio.drums import Drums, write_bar
from backbeat.studio.history import Entry, History, Line, MissingError, StaleError, write_entry, write_groove
from backbeat.studio.states import State

JOURNAL, SONG, ABOUT = "journal.jsonl", "song.mid", "project.json"
"""The files of a project's folder, and of a project file."""


def lay_grid(song: Song) -> Grid:
    """The 16ths of a song; of one without notes, those until its end.

    Raises:
        SongError: it has more bars than can be played.
    """
    return song.grid() if song.last_note_tick else Grid.lay(song.tempo, song.metre, song.end_tick)


class Project:
    """One project, opened. Its methods may be called from several threads.

    Args:
        folder: where it is kept; its name is the project's id.
        name: for people.
        song: the song, or the bare bars.
        history: read from the journal.
        end: where the journal ends, bytes.
    """

    def __init__(self, folder: Path, name: str, song: Song, history: History, end: int) -> None:
        self.folder, self.id, self.name = folder, folder.name, name
        self.song, self.grid, self.history = song, history.grid, history
        self.lock = threading.RLock()
        self._end = end

    @property
    def blank(self) -> bool:
        """Whether there is no band."""
        return not any(len(part.notes) for part in self.song.band)

    @property
    def revision(self) -> int:
        """Counts what changed the current state, undoing too."""
        return self.history.revision

    @property
    def entry(self) -> Entry:
        """The current one."""
        return self.history.current

    @property
    def state(self) -> State:
        """The current one."""
        return self.entry.state

    @cached_property
    def cues(self) -> Cues:
        """What the band plays."""
        return hear(self.song, self.grid)

    @cached_property
    def sections(self) -> tuple[tuple[int, int], ...]:
        """First bar of each section, and the one behind its last."""
        starts = self.cues.section_starts.nonzero()[0].tolist()
        return tuple(zip(starts, [*starts[1:], self.grid.bars], strict=True))

    def check_revision(self, revision: int | None) -> None:
        """Refuse to change what the one who asks has not seen.

        Args:
            revision: the one that was seen; none = whatever is current.

        Raises:
            StaleError: the project has another by now.
        """
        if revision is not None and revision != self.revision:
            raise StaleError(self.revision)

    def find_drums(self, key: str) -> Drums:
        """Drums by their key.

        Raises:
            MissingError: there are none.
        """
        drums = self.history.grooves.get(key)
        if drums is None:
            raise MissingError("there are no such drums in this project")
        return drums

    def drums(self, take: int | None = None, state: State | None = None) -> Drums:
        """The drums of a take.

        Args:
            take: its index; none = the current one, or no hits where there is none.
            state: of the history; none = the current one.

        Raises:
            InputError: there is no such take.
        """
        state = state or self.state
        chosen = state.current if take is None else state.choose(take).takes[take]
        return Drums.empty(self.grid) if chosen is None else self.find_drums(chosen.groove)

    def groove(self, take: int | None = None) -> Groove:
        """The same as a groove."""
        return self.drums(take).to_groove(self.grid)

    def view_state(self) -> dict[str, Any]:
        """The current state as the page gets it."""
        with self.lock:
            history, entry = self.history, self.entry
            can = {"can_undo": history.find_undo() is not None, "can_redo": history.find_redo() is not None}
            return {"revision": self.revision, "entry": entry.number, **can, "label": entry.label, **entry.state.to_dict()}

    def view_history(self) -> list[dict[str, Any]]:
        """All entries as the page gets them."""
        with self.lock:
            return [{"entry": e.number, "parent": e.parent, "label": e.label, "seed": e.seed, "time": e.time} for e in self.history.entries]

    def view_groove(self, key: str) -> dict[str, Any]:
        """Drums as the page gets them: the hits of the bars that have any.

        Raises:
            MissingError: there are none with this key.
        """
        return {"bars": {str(bar): write_bar(packed) for bar, packed in enumerate(self.find_drums(key).bars) if packed}}

    def commit(self, parent: Entry, action: Mapping[str, Any], label: str, state: State, drums: Iterable[Drums] = (), *, aside: bool = False) -> Entry:
        """Add an entry; when this returns it is on the disk.

        Args:
            parent: the entry that it was made from.
            action: what was done.  label: the same for people.
            state: what came of it.
            drums: those of its takes that are new.
            aside: it does not become the current one.

        Raises:
            StaleError: somebody else has written to the project.
            InputError: the history is full.
            OutputError: it cannot be written; nothing changes.
        """
        with self.lock:
            time = datetime.now(UTC).isoformat(timespec="seconds")
            entry = Entry(len(self.history.entries), parent.number, time, action, label, state, aside)
            new = {d.key: d for d in drums if d.key not in self.history.grooves}
            self.history.check_room(len(new))
            base = None if parent.state.current is None else self.find_drums(parent.state.current.groove)
            self._write([*(write_groove(d, base, self.grid) for d in new.values()), write_entry(entry, parent.state)])
            self.history.grooves |= new
            self.history.add(entry)
            return entry

    def go(self, number: int) -> Entry:
        """Make another entry the current one.

        Raises:
            MissingError: there is no such entry.
            StaleError, OutputError: see ``commit``.
        """
        with self.lock:
            entry = self.history.find(number)
            self._write([{"at": number}])
            self.history.go(number)
            return entry

    def undo(self) -> Entry:
        """Go to the entry that the current one was made from.

        Raises:
            InputError: it is the first.
            StaleError, OutputError: see ``commit``.
        """
        return self._go_to(self.history.find_undo(), "undo: this is the beginning")

    def redo(self) -> Entry:
        """Go to the entry, made from the current one, that was visited last.

        Raises:
            InputError: there is none.
            StaleError, OutputError: see ``commit``.
        """
        return self._go_to(self.history.find_redo(), "redo: this is the newest state")

    def read_journal(self) -> bytes:
        """The journal as far as it is known here.

        Raises:
            OSError: it cannot be read.
        """
        with self.lock, (self.folder / JOURNAL).open("rb") as file:
            return file.read(self._end)

    def _go_to(self, number: int | None, what: str) -> Entry:
        if number is None:
            raise InputError(f"there is nothing to {what}")
        return self.go(number)

    def _write(self, lines: Sequence[Line]) -> None:
        try:
            self._end = journal.append(self.folder / JOURNAL, [journal.write_line(line) for line in lines], self._end)
        except journal.MovedError:
            self._catch_up()
            raise StaleError(self.revision) from None

    def _catch_up(self) -> None:
        """Read what another studio has written.

        Raises:
            MissingError: the project was taken away.
        """
        history, self._end = read_history(self.folder, self.grid)
        self.history = history


def read_history(folder: Path, grid: Grid) -> tuple[History, int]:
    """The history in a project's folder, and where its journal ends, bytes.

    Args:
        folder: of the project.
        grid: of its song.

    Raises:
        MissingError: there is no journal.
        InputError: it is damaged.
    """
    name = f"{folder.name}/{JOURNAL}"
    try:
        with (folder / JOURNAL).open("rb") as file:
            return replay(journal.read_lines(file, name), grid, name)
    except InputError as error:
        raise InputError(f"{error}; what stands in the journal before that is whole: cut it off there to go on") from None
    except FileNotFoundError:
        raise MissingError(f"there is no project {folder.name}") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error})") from None


def replay(lines: Iterable[tuple[int, Any, int]], grid: Grid, name: str) -> tuple[History, int]:
    """A history from the lines of a journal, and where the last of them ends.

    Args:
        lines: see ``journal.read_lines``.
        grid: of the song.
        name: for messages.

    Raises:
        InputError: a line says what cannot be, or there is no entry.
    """
    history, end = History(grid), 0
    for number, line, behind in lines:
        try:
            history.apply(line)
        except InputError as error:
            raise InputError(f"{name}, line {number}: {error}") from None
        end = behind
    if not history.entries:
        raise InputError(f"{name}: there is no entry in it")
    return history, end
