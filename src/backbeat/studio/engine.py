"""The studio: what the page asks for, done to projects. Nothing here knows of HTTP."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backbeat.drummer import Drummer, load_drummer
from backbeat.errors import InputError
from backbeat.models.drummer_asked import Watch
from backbeat.studio.actions import JOBS, Action, read_action
from backbeat.studio.history import Entry, StaleError
from backbeat.studio.jobs import Job, Jobs, News
from backbeat.studio.playing import play
from backbeat.studio.project import Project
from backbeat.studio.steps import Step, take_step
from backbeat.studio.store import Store

_LOG = logging.getLogger(__name__)

Callback = Callable[[News], None]


@dataclass(frozen=True)
class Outcome:
    """What came of an action.

    Args:
        project: to which it was done.
        entry: the state that it led to.
        revision: of the project behind it.
    """

    project: Project
    entry: Entry
    revision: int


class Studio:
    """The projects that are open, and the work on them. Its methods may be called from several threads.

    Args:
        store: where projects are kept.
        load: loads the drummer when one is first needed.
    """

    def __init__(self, store: Store, load: Callable[[], Drummer] = load_drummer) -> None:
        self.store, self._load = store, load
        self.jobs = Jobs(self._tell)
        self._projects: dict[str, Project] = {}
        self._callbacks: list[Callback] = []
        self._lock = threading.RLock()

    @cached_property
    def drummer(self) -> Drummer:
        """Who plays."""
        with self._lock:
            return self.__dict__.get("drummer") or self._load()

    @property
    def styles(self) -> tuple[str, ...]:
        """Styles that can be asked for; "any" leaves it to the song."""
        return self.drummer.styles

    def open(self, project: str) -> Project:
        """A project; the same one every time.

        Raises:
            MissingError: there is none with this id.
            InputError: it is damaged.
        """
        with self._lock:
            if project not in self._projects:
                self._projects[project] = self.store.open(project)
            return self._projects[project]

    def delete(self, project: str) -> None:
        """Take a project away, and stop what is being done for it.

        Raises:
            MissingError, OutputError: see ``Store.delete``.
        """
        self.store.delete(project)
        self.jobs.cancel_all(project)
        with self._lock:
            self._projects.pop(project, None)
        self._tell({"project": project, "revision": None})

    def act(self, project: str, revision: int | None, action: object) -> Outcome:
        """Do what takes no time.

        Args:
            project: its id.
            revision: the one that the musician sees; none = whatever is current.
            action: see ``actions.FORMS``.

        Raises:
            MissingError: there is no such project.
            StaleError: it has another revision by now.
            InputError: the action is not one, is long work, or cannot be done.
            OutputError: it cannot be written; nothing changes.
        """
        opened = self.open(project)
        with opened.lock:
            opened.check_revision(revision)
            asked = read_action(action, opened.grid)
            if asked.type in JOBS:
                raise InputError(f"{asked.type} is long work: start it as a job")
            return self._commit(opened, opened.entry, take_step(opened, opened.state, asked, self._know_styles(asked)))

    def start(self, project: str, revision: int | None, action: object) -> Job:
        """Begin what takes a while.

        Args:
            project, revision, action: see ``act``.

        Raises:
            MissingError, StaleError, InputError: see ``act``; what shows later becomes the job's error.
        """
        opened = self.open(project)
        with opened.lock:
            opened.check_revision(revision)
            asked = read_action(action, opened.grid)
            if asked.type not in JOBS:
                raise InputError(f"{asked.type} is no long work: do it at once")
            entry, seen = opened.entry, opened.revision
            asked = asked.with_seed(self._choose_seed(opened, asked))

        def work(watch: Watch) -> Entry:
            step = play(self.drummer, opened, entry, asked, watch)
            job.seal()
            with opened.lock:
                job.aside = opened.revision != seen
                try:
                    outcome = self._commit(opened, entry, step, aside=job.aside)
                except StaleError:  # another studio has gone on; what it wrote has been read by now
                    job.aside = True
                    outcome = self._commit(opened, entry, step, aside=True)
                job.revision, job.entry = outcome.revision, outcome.entry.number
                return outcome.entry

        job = self.jobs.submit(asked.type, project, work, lane="play")
        return job

    def undo(self, project: str, revision: int | None = None) -> Outcome:
        """Go back by one state; see ``Project.undo`` and ``act``."""
        return self._move(project, revision, lambda opened: opened.undo())

    def redo(self, project: str, revision: int | None = None) -> Outcome:
        """Go forth by one state; see ``Project.redo`` and ``act``."""
        return self._move(project, revision, lambda opened: opened.redo())

    def goto(self, project: str, revision: int | None, entry: int) -> Outcome:
        """Go to any state; see ``Project.go`` and ``act``."""
        return self._move(project, revision, lambda opened: opened.go(entry))

    def rename(self, project: str, name: str) -> Project:
        """Give a project another name.

        Raises:
            MissingError, InputError, OutputError: see ``Store.rename``.
        """
        opened = self.open(project)
        with opened.lock:
            opened.name = self.store.rename(project, name)
        self._tell({"project": project, "revision": opened.revision})
        return opened

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Be told of changes: {"project": id, "revision": n} or {"job": view}, from any thread.

        Returns:
            ends it.
        """
        with self._lock:
            self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def close(self) -> None:
        """Stop all work; everything that was answered is on the disk already."""
        self.jobs.close()

    def _move(self, project: str, revision: int | None, go: Callable[[Project], Entry]) -> Outcome:
        opened = self.open(project)
        with opened.lock:
            opened.check_revision(revision)
            outcome = Outcome(opened, go(opened), opened.revision)
        self._tell({"project": project, "revision": outcome.revision})
        return outcome

    def _commit(self, project: Project, parent: Entry, step: Step, *, aside: bool = False) -> Outcome:
        entry = project.commit(parent, step.action, step.label, step.state, step.drums, aside=aside)
        outcome = Outcome(project, entry, project.revision)
        self._tell({"project": project.id, "revision": outcome.revision})
        return outcome

    def _know_styles(self, action: Action) -> tuple[str, ...] | None:
        values: Mapping[str, Any] = action.values.get("values", {})
        return self.styles if values.get("style") is not None else None

    def _choose_seed(self, project: Project, action: Action) -> int:
        given = action.values.get("seed")
        if given is not None:
            return int(given)
        return project.history.find_free_seed(project.state.settings["seed"] or 0)

    def _tell(self, news: News) -> None:
        for callback in list(self._callbacks):
            try:
                callback(news)
            except Exception:  # what was done stays done, whoever does not want to hear of it
                _LOG.exception("a listener failed")


__all__ = ["Outcome", "StaleError", "Studio"]
