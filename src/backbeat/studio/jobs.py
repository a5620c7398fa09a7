"""Long work: what is being done, how far it is, and how to stop it."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from backbeat.errors import BackbeatError
from backbeat.models.drummer_asked import Watch
from backbeat.studio.history import MissingError

KEPT, KEPT_RESULTS = 200, 8
"""Ended jobs that are remembered, and how many of them with what came of them."""
TELL_SECONDS = 0.05
"""Progress is told no more often than this."""
ENDED = frozenset({"done", "failed", "cancelled"})

_LOG = logging.getLogger(__name__)

Work = Callable[[Watch], Any]
News = dict[str, Any]


class Cancelled(Exception):
    """The job that calls ``watch`` has been cancelled: stop, and leave nothing behind."""


class Job:
    """One piece of long work.

    Args:
        kind: of work, for the page.
        project: id of the project that it is for.
        work: called with ``watch`` in a thread of its own; ``watch(share)`` tells how far it is, 0-1, and raises ``Cancelled``.
        tell: called when something changes.
    """

    def __init__(self, kind: str, project: str, work: Work, tell: Callable[[News], None]) -> None:
        self.id, self.kind, self.project = secrets.token_hex(8), kind, project
        self.state, self.progress, self.error = "queued", 0.0, ""
        self.result: Any = None
        self.revision: int | None = None
        self.entry: int | None = None
        self.aside = False
        self.ended = threading.Event()
        self._work, self._tell = work, tell
        self._lock, self._told, self._sealed = threading.Lock(), 0.0, False

    def view(self) -> dict[str, Any]:
        """The job as JSON."""
        names = ("id", "kind", "project", "state", "progress", "error", "revision", "entry", "aside")
        return {name: getattr(self, name) for name in names}

    def watch(self, share: float) -> None:
        """Tell how far the work is.

        Raises:
            Cancelled: it is not wanted any more.
        """
        if self.state == "cancelled":
            raise Cancelled
        self.progress = max(self.progress, min(float(share), 1.0))
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            self._tell({"job": self.view()})

    def seal(self) -> None:
        """From here on the work cannot be cancelled: what came of it is being written.

        Raises:
            Cancelled: it has been cancelled before.
        """
        with self._lock:
            if self.state == "cancelled":
                raise Cancelled
            self._sealed = True

    def cancel(self) -> bool:
        """Stop it; whether that was possible. The state changes at once, the work ends when it next tells how far it is."""
        with self._lock:
            if self.state in ENDED or self._sealed:
                return False
            self.state = "cancelled"
        self._end()
        return True

    def run(self) -> None:
        """Do the work; errors become the job's state."""
        with self._lock:
            if self.state == "cancelled":
                return
            self.state = "running"
        self._tell({"job": self.view()})
        state, error, result = "done", "", None
        try:
            result = self._work(self.watch)
        except Cancelled:
            state = "cancelled"
        except BackbeatError as problem:
            state, error = "failed", str(problem)
        except Exception as problem:
            _LOG.exception("job %s", self.kind)
            state, error = "failed", f"this should not have happened, please report it: {problem!r}"[:300]
        with self._lock:
            if self.state == "cancelled":
                return
            self.state, self.error, self.result = state, error, result
            self.progress = 1.0 if state == "done" else self.progress
        self._end()

    def _end(self) -> None:
        self.ended.set()
        self._tell({"job": self.view()})


class Jobs:
    """All jobs; those of one lane are done one after another.

    Args:
        tell: called from worker threads with news.
    """

    def __init__(self, tell: Callable[[News], None]) -> None:
        self._tell = tell
        self._jobs: dict[str, Job] = {}
        self._lanes: dict[str, queue.SimpleQueue[Job | None]] = {}
        self._lock = threading.Lock()

    def submit(self, kind: str, project: str, work: Work, lane: str = "render") -> Job:
        """Begin a job as soon as those before it in its lane have ended.

        Args:
            kind, project, work: see ``Job``.
            lane: jobs of different lanes are done at the same time.
        """
        job = Job(kind, project, work, self._tell)
        with self._lock:
            self._jobs[job.id] = job
            self._forget()
            if lane not in self._lanes:
                self._lanes[lane] = queue.SimpleQueue()
                threading.Thread(target=_work_off, args=(self._lanes[lane],), name=f"studio-{lane}", daemon=True).start()
            self._lanes[lane].put(job)
        self._tell({"job": job.view()})
        return job

    def get(self, job: str) -> Job:
        """A job by its id.

        Raises:
            MissingError: there is none.
        """
        found = self._jobs.get(job)
        if found is None:
            raise MissingError("there is no such job")
        return found

    def cancel(self, job: str) -> Job:
        """Stop a job; one that has ended stays as it is.

        Raises:
            MissingError: there is none.
        """
        found = self.get(job)
        found.cancel()
        return found

    def cancel_all(self, project: str | None = None) -> None:
        """Stop the jobs of a project, or all."""
        for job in list(self._jobs.values()):
            if project in (None, job.project):
                job.cancel()

    def close(self) -> None:
        """Stop everything; the threads end."""
        self.cancel_all()
        with self._lock:
            for lane in self._lanes.values():
                lane.put(None)
            self._lanes.clear()

    def _forget(self) -> None:
        ended = [job for job in self._jobs.values() if job.state in ENDED]
        for job in ended[: max(0, len(ended) - KEPT)]:
            del self._jobs[job.id]
        for job in [job for job in ended if job.result is not None][:-KEPT_RESULTS]:
            job.result = None


def _work_off(lane: queue.SimpleQueue[Job | None]) -> None:
    while (job := lane.get()) is not None:
        job.run()
