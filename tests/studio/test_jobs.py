"""Long work: how far it is, how it ends, and how it is stopped."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import pytest

from backbeat.errors import InputError
from backbeat.studio.history import MissingError
from backbeat.studio.jobs import KEPT_RESULTS, Job, Jobs, Watch


@pytest.fixture
def told() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def jobs(told: list[dict[str, Any]]) -> Any:
    made = Jobs(told.append)
    yield made
    made.close()


def wait(job: Job) -> Job:
    assert job.ended.wait(5)
    return job


def test_progress_and_result(jobs: Jobs, told: list[dict[str, Any]]) -> None:
    def work(watch: Watch) -> str:
        for k in range(5):
            watch(k / 5)
            time.sleep(0.06)
        return "made"

    job = wait(jobs.submit("render", "p", work))
    assert (job.state, job.progress, job.result, job.error) == ("done", 1.0, "made", "")
    views = [news["job"] for news in told]
    assert views[0]["state"] == "queued" and views[-1]["state"] == "done"
    shares = [v["progress"] for v in views]
    assert shares == sorted(shares) and len({s for s in shares if 0 < s < 1}) >= 3
    assert jobs.get(job.id) is job and set(job.view()) == {"id", "kind", "project", "state", "progress", "error", "revision", "entry", "aside"}


def test_progress_is_not_told_too_often(jobs: Jobs, told: list[dict[str, Any]]) -> None:
    wait(jobs.submit("render", "p", lambda watch: [watch(k / 1000) for k in range(1000)] and None))
    assert len(told) < 20


def test_errors_become_the_jobs(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: Watch) -> None:
        raise InputError("not like this")

    def fail(_: Watch) -> None:
        raise ZeroDivisionError("oh")

    assert wait(jobs.submit("x", "p", refuse)).view()["error"] == "not like this"
    with caplog.at_level(logging.ERROR):
        job = wait(jobs.submit("x", "p", fail))
    assert job.state == "failed" and "report it" in job.error and "ZeroDivisionError" in caplog.text


def test_cancelling_shows_at_once_and_stops_the_work(jobs: Jobs) -> None:
    running, stopped = threading.Event(), threading.Event()

    def work(watch: Watch) -> None:
        try:
            while True:
                watch(0.5)
                running.set()
                time.sleep(0.01)
        finally:
            stopped.set()

    job, behind = jobs.submit("x", "p", work), jobs.submit("x", "p", lambda _: "too late")
    assert running.wait(5) and behind.state == "queued"
    start = time.monotonic()
    assert jobs.cancel(behind.id).state == jobs.cancel(job.id).state == "cancelled" and job.ended.is_set()
    assert stopped.wait(1) and time.monotonic() - start < 0.5
    assert wait(jobs.submit("x", "p", lambda _: "next")).result == "next"
    assert behind.state == "cancelled" and behind.result is None and not behind.cancel()


def test_what_is_being_written_cannot_be_cancelled(jobs: Jobs) -> None:
    sealed, go = threading.Event(), threading.Event()

    def work(watch: Watch) -> str:
        job.seal()
        sealed.set()
        go.wait(5)
        return "written"

    gate = threading.Event()
    jobs.submit("x", "p", lambda _: gate.wait(5))
    job = jobs.submit("x", "p", work)
    gate.set()
    assert sealed.wait(5) and not job.cancel() and job.state == "running"
    go.set()
    assert wait(job).result == "written"


def test_lanes_do_not_wait_for_each_other(jobs: Jobs) -> None:
    gate = threading.Event()
    slow = jobs.submit("x", "p", lambda _: gate.wait(5), lane="render")
    assert wait(jobs.submit("x", "p", lambda _: 1, lane="play")).result == 1 and slow.state in ("queued", "running")
    gate.set()


def test_old_results_are_forgotten(jobs: Jobs) -> None:
    made = [wait(jobs.submit("x", "p", lambda _: "made")) for _ in range(2 * KEPT_RESULTS + 1)]
    assert sum(job.result is not None for job in made) <= KEPT_RESULTS + 1
    with pytest.raises(MissingError, match="no such job"):
        jobs.get("x")


def test_closing_stops_everything() -> None:
    jobs = Jobs(lambda _: None)
    job = jobs.submit("x", "p", lambda watch: [(watch(0), time.sleep(0.01)) for _ in range(1000)] and None)
    jobs.close()
    assert job.state == "cancelled"
