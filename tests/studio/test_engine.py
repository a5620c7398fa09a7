"""The studio as a musician meets it: what stays, what comes back, two tabs, and a server that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbeat.errors import InputError, OutputError
from backbeat.studio.actions import FORMS, JOBS
from backbeat.studio.drums import studio_kit
from backbeat.studio.engine import Studio
from backbeat.studio.history import Entry, MissingError, StaleError
from backbeat.studio.jobs import Job
from backbeat.studio.project import Project
from backbeat.studio.states import State
from backbeat.studio.steps import find_cells, find_locked
from backbeat.studio.store import Store
from tests.midi.builders import band_song
from tests.studio.fake import FakeDrummer

BARS = 6
NAMES = studio_kit().names
Cells = dict[tuple[int, int], tuple[int, bytes]]


def make_studio(home: Path, wait: Any = lambda: None) -> Studio:
    return Studio(Store(home), load=lambda: FakeDrummer(wait))  # type: ignore[arg-type,return-value]


@pytest.fixture
def studio(tmp_path: Path) -> Any:
    made = make_studio(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def project(studio: Studio) -> Project:
    return studio.open(studio.store.create("song.mid", band_song(BARS)).id)


def finish(job: Job) -> Job:
    assert job.ended.wait(20)
    assert job.state == "done", job.error
    return job


def do(studio: Studio, project: Project, **action: Any) -> Entry:
    """An action, whether it takes a while or not."""
    if action["type"] in JOBS:
        finish(studio.start(project.id, None, action))
        return project.entry
    return studio.act(project.id, None, action).entry


def cells_of(project: Project, state: State | None = None) -> Cells:
    """Velocity, and the bytes of the offset, of every hit of the current take."""
    return {(int(h["step"]), int(h["column"])): (int(h["velocity"]), h["offset"].tobytes()) for h in project.drums(state=state).hits}


def look(project: Project) -> tuple[Any, ...]:
    return project.view_state(), project.view_history(), cells_of(project), project.history.visited


def test_what_a_redo_was_not_asked_for_stays_to_the_bit(studio: Studio, project: Project) -> None:
    do(studio, project, type="generate", takes=2)
    for bars, classes in (([2, 3], None), (None, ["snare", "crash"]), ([0, 5], ["closed_hat"]), ([1], ["mid_tom", "ride_bell"])):
        before = cells_of(project)
        do(studio, project, type="redo", bars=bars, classes=classes)
        after, chosen = cells_of(project), find_cells(project.grid, bars, classes)
        assert {c: h for c, h in before.items() if not chosen[c]} == {c: h for c, h in after.items() if not chosen[c]}
        assert before != after


def test_locked_cells_never_change(studio: Studio, project: Project) -> None:
    do(studio, project, type="original")
    do(studio, project, type="lock", bars=[0, 1], classes=None)
    do(studio, project, type="lock", bars=[3], classes=["kick", "low_tom"])
    do(studio, project, type="settings", scope="song", values={"swing": 66, "push_ms": -12, "tightness": 4, "dynamics": 2})
    locked = find_locked(project.grid, project.state.locks)
    kept = {c: h for c, h in cells_of(project).items() if locked[c]}
    assert len(kept) == 2 * 8 + 2
    for action in (
        {"type": "redo", "bars": None},
        {"type": "redo", "bars": [3, 4], "classes": ["kick", "snare"], "takes": 2},
        {"type": "feel"},
        {"type": "generate", "takes": 2},
        {"type": "clear", "bars": None},
    ):
        do(studio, project, **action)
        for take in range(len(project.state.takes)):
            hits = {(int(h["step"]), int(h["column"])): (int(h["velocity"]), h["offset"].tobytes()) for h in project.drums(take).hits}
            assert {c: h for c, h in hits.items() if locked[c]} == kept, action
    step = int(project.grid.first_steps[3])
    for velocity in (None, 100):
        with pytest.raises(InputError, match="bar 4: kick is locked there, unlock it first"):
            do(studio, project, type="edit", cells=[{"step": step, "class": "kick", "velocity": velocity}])
    with pytest.raises(InputError, match="all of these cells are locked"):
        do(studio, project, type="clear", bars=[0])
    assert "locked" in failed(studio, project, type="redo", bars=[1]) and "locked" in failed(studio, project, type="feel", bars=[1])
    do(studio, project, type="unlock", bars=None)
    do(studio, project, type="edit", cells=[{"step": step, "class": "kick", "velocity": None}])
    assert (step, 0) not in cells_of(project) and not project.state.locks


def failed(studio: Studio, project: Project, **action: Any) -> str:
    job = studio.start(project.id, None, action)
    assert job.ended.wait(20) and job.state == "failed"
    return job.error


def test_the_same_action_with_its_seed_plays_the_same(studio: Studio, project: Project) -> None:
    do(studio, project, type="generate", takes=2)
    do(studio, project, type="redo", bars=[2], classes=None, takes=3)
    do(studio, project, type="feel", bars=None, classes=["snare"])
    seeds = [entry.seed for entry in project.history.entries[1:]]
    assert seeds == [0, 1, 2]
    for number in range(1, 4):
        entry = project.history.find(number)
        studio.goto(project.id, None, entry.parent or 0)
        again = do(studio, project, **entry.action)
        assert [t.groove for t in again.state.takes] == [t.groove for t in entry.state.takes]
    other = do(studio, project, type="generate", takes=2)
    assert other.seed == 3 and not {t.groove for t in other.state.takes[-2:]} & {t.groove for t in project.history.find(1).state.takes}


def test_the_seed_that_is_set_is_the_first_to_be_used(studio: Studio, project: Project) -> None:
    do(studio, project, type="settings", scope="song", values={"seed": 7})
    assert [do(studio, project, type="generate", takes=1).seed for _ in range(3)] == [7, 8, 9]
    assert do(studio, project, type="generate", takes=1, seed=8).seed == 8
    do(studio, project, type="settings", scope="song", values={"seed": None})
    assert do(studio, project, type="generate", takes=1).seed == 0


def test_undo_and_redo_without_end_and_branches_stay(studio: Studio, project: Project) -> None:
    do(studio, project, type="original")
    looks = [cells_of(project)]
    for step in range(20):
        do(studio, project, type="edit", cells=[{"step": step, "class": "cowbell", "velocity": 50 + step}])
        looks.append(cells_of(project))
    for seen in reversed(looks[:-1]):
        studio.undo(project.id)
        assert cells_of(project) == seen
    for seen in looks[1:]:
        studio.redo(project.id)
        assert cells_of(project) == seen
    studio.goto(project.id, None, 5)
    branch = do(studio, project, type="clear", bars=[1])
    studio.undo(project.id)
    assert studio.redo(project.id).entry.number == branch.number
    studio.goto(project.id, None, 21)
    assert cells_of(project) == looks[-1]
    studio.undo(project.id)
    assert studio.redo(project.id).entry.number == 21
    for _ in range(21):
        studio.undo(project.id)
    with pytest.raises(InputError, match="nothing to undo"):
        studio.undo(project.id)
    studio.goto(project.id, None, branch.number)
    with pytest.raises(InputError, match="nothing to redo"):
        studio.redo(project.id)
    with pytest.raises(MissingError, match="there is no state 99"):
        studio.goto(project.id, None, 99)


def test_two_tabs_notice_each_other(studio: Studio, project: Project) -> None:
    seen = project.revision
    studio.act(project.id, seen, {"type": "original"})
    for ask in (
        lambda: studio.act(project.id, seen, {"type": "clear"}),
        lambda: studio.start(project.id, seen, {"type": "generate"}),
        lambda: studio.undo(project.id, seen),
        lambda: studio.redo(project.id, seen),
        lambda: studio.goto(project.id, seen, 0),
    ):
        with pytest.raises(StaleError, match="has changed in the meantime") as caught:
            ask()
        assert caught.value.revision == project.revision == seen + 1
    assert studio.undo(project.id, seen + 1).revision == seen + 2


def test_two_servers_notice_each_other(studio: Studio, project: Project) -> None:
    other = make_studio(studio.store.home)
    there = other.open(project.id)
    do(studio, project, type="original")
    with pytest.raises(StaleError):
        other.act(project.id, there.revision, {"type": "clear"})
    assert look(there) == look(project)
    other.act(project.id, there.revision, {"type": "clear"})
    with pytest.raises(StaleError):
        studio.undo(project.id)
    assert look(there) == look(project)
    other.delete(project.id)
    with pytest.raises(MissingError):
        studio.undo(project.id)


def test_work_that_ends_when_the_musician_has_gone_on_is_put_aside(tmp_path: Path) -> None:
    gate = threading.Event()
    studio = make_studio(tmp_path, lambda: [gate.wait(10)].clear())
    project = studio.open(studio.store.create("x.mid", band_song(BARS)).id)
    job = studio.start(project.id, project.revision, {"type": "generate", "takes": 1})
    do(studio, project, type="original")
    gate.set()
    finish(job)
    assert job.aside and job.entry == 2 and project.entry.number == 1 and job.revision == project.revision == 2
    assert project.history.find(2).parent == 0 and len(project.history.find(2).state.takes) == 1
    before = look(project)
    assert look(make_studio(tmp_path).open(project.id)) == before
    studio.goto(project.id, None, 2)
    assert project.state.current is not None and project.state.current.name == "Take 1"
    assert not finish(studio.start(project.id, None, {"type": "generate", "takes": 1})).aside


def test_a_cancelled_job_leaves_no_trace(tmp_path: Path) -> None:
    studio = make_studio(tmp_path, lambda: time.sleep(0.05))
    project = studio.open(studio.store.create("x.mid", band_song(BARS)).id)
    journal = (project.folder / "journal.jsonl").read_bytes()
    job, waiting = (studio.start(project.id, None, {"type": "generate", "takes": 8}) for _ in range(2))
    time.sleep(0.1)
    assert studio.jobs.cancel(job.id).state == studio.jobs.cancel(waiting.id).state == "cancelled"
    assert finish(studio.start(project.id, None, {"type": "generate", "takes": 1})).entry == 1
    assert len(project.history.entries) == 2
    assert (project.folder / "journal.jsonl").read_bytes().startswith(journal)


def test_news_are_told(studio: Studio, project: Project) -> None:
    news: list[dict[str, Any]] = []
    end = studio.subscribe(news.append)
    do(studio, project, type="original")
    studio.undo(project.id)
    assert news == [{"project": project.id, "revision": 2}, {"project": project.id, "revision": 3}]
    do(studio, project, type="generate", takes=1)
    assert {"project": project.id, "revision": 4} in news and any(n.get("job", {}).get("state") == "running" for n in news)
    end()
    count = len(news)
    studio.delete(project.id)
    assert len(news) == count
    with pytest.raises(MissingError):
        studio.open(project.id)


def test_a_disk_that_fails_changes_nothing(studio: Studio, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    do(studio, project, type="original")
    before = look(project)

    def fail(_: Any) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(os, "fsync", fail)
    for ask in (lambda: studio.act(project.id, None, {"type": "clear"}), lambda: studio.undo(project.id)):
        with pytest.raises(OutputError, match="no space left"):
            ask()
    assert "no space left" in failed(studio, project, type="generate")
    monkeypatch.undo()
    assert look(project) == before == look(make_studio(studio.store.home).open(project.id))
    do(studio, project, type="clear")


bars = st.one_of(st.none(), st.lists(st.integers(0, BARS - 1), min_size=1, max_size=3, unique=True))
classes = st.one_of(st.none(), st.lists(st.sampled_from(NAMES[:8]), min_size=1, max_size=3, unique=True))
where = {"bars": bars, "classes": classes}
levels = st.fixed_dictionaries(
    {}, optional={"density": st.floats(0, 1), "intensity": st.one_of(st.none(), st.floats(0, 1)), "style": st.sampled_from(["rock", "jazz"])}
)
cell = st.fixed_dictionaries(
    {"step": st.integers(0, 16 * BARS - 1), "class": st.sampled_from(NAMES[:8])},
    optional={"velocity": st.one_of(st.none(), st.integers(1, 127)), "offset": st.floats(-0.5, 0.49)},
)
feels = st.fixed_dictionaries({}, optional={"swing": st.one_of(st.none(), st.floats(50, 75)), "push_ms": st.floats(-20, 20), "tightness": st.floats(0.5, 5)})


def act(type_: str, **values: Any) -> Any:
    return st.fixed_dictionaries({"type": st.just(type_), **values})


actions = st.one_of(
    act("edit", cells=st.lists(cell, min_size=1, max_size=4, unique_by=lambda c: (c["step"], c["class"]))),
    *(act(name, **where) for name in ("lock", "unlock", "clear", "feel")),
    act("redo", takes=st.integers(1, 3), **where),
    act("generate", takes=st.integers(1, 3)),
    act("settings", scope=st.just("song"), values=st.one_of(levels, feels)),
    act("settings", scope=st.fixed_dictionaries({"bar": st.integers(0, BARS - 1)}), values=levels),
    act("settings", scope=st.just({"section": 0}), values=levels),
    act("original"),
    act("take", index=st.integers(0, 4)),
    act("rename_take", index=st.integers(0, 2), name=st.just("Mine")),
    act("remove_take", index=st.integers(0, 4)),
    st.sampled_from([{"type": "undo"}, {"type": "undo"}, {"type": "redo!"}, {"type": "go", "to": 3}]),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(actions, max_size=10), st.booleans())
def test_whatever_is_done_can_be_undone_saved_and_opened(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, done: list[dict[str, Any]], blank: bool
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # for time's sake
    studio = make_studio(tmp_path_factory.mktemp("home"))
    made = studio.store.blank("x", BARS) if blank else studio.store.create("x.mid", band_song(BARS))
    project = studio.open(made.id)
    seen = [(project.entry.state, cells_of(project))]
    for action in done:
        before, locked = cells_of(project), find_locked(project.grid, project.state.locks)
        try:
            if action["type"] == "undo":
                studio.undo(project.id)
            elif action["type"] == "redo!":
                studio.redo(project.id)
            elif action["type"] == "go":
                studio.goto(project.id, None, action["to"])
            elif action["type"] in JOBS:
                job = studio.start(project.id, None, action)
                assert job.ended.wait(20)
                assert job.state == "done" or "report it" not in job.error, job.error
            else:
                studio.act(project.id, None, action)
        except InputError as error:
            assert "\n" not in str(error)
        if len(project.history.entries) > len(seen):
            seen.append((project.entry.state, cells_of(project)))
            if action["type"] in ("edit", "clear", "feel", "redo") and before:
                assert {c: h for c, h in before.items() if locked[c]} == {c: h for c, h in cells_of(project).items() if locked[c]}
    again = make_studio(studio.store.home).open(project.id)
    other = studio.store.import_file(studio.store.export_file(project))
    assert look(again) == look(project) == look(other)
    for number, (state, cells) in enumerate(seen):
        studio.goto(project.id, None, number)
        assert project.state == state == again.history.find(number).state == other.history.find(number).state
        assert cells_of(project) == cells == cells_of(again, state) == cells_of(other, state)
    studio.close()


@pytest.mark.slow
def test_a_thousand_edits_of_a_long_song_are_small_and_open_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    studio = make_studio(tmp_path)
    project = studio.open(studio.store.create("long.mid", band_song(500)).id)
    do(studio, project, type="original")
    before = (project.folder / "journal.jsonl").stat().st_size
    rng = np.random.default_rng(1)
    for step in rng.integers(0, 8000, 1000).tolist():
        do(studio, project, type="edit", cells=[{"step": step, "class": int(rng.integers(24)), "velocity": int(rng.integers(1, 128))}])
    size = (project.folder / "journal.jsonl").stat().st_size - before
    assert size < 2_000_000
    start = time.process_time()
    again = Studio(Store(tmp_path)).open(project.id)
    assert time.process_time() - start < 1
    assert look(again) == look(project)


WORKER = """
import sys
from backbeat.studio.engine import Studio
from backbeat.studio.store import Store
from tests.studio.fake import FakeDrummer
import threading, time
studio = Studio(Store(sys.argv[1]), load=lambda: FakeDrummer(lambda: time.sleep(0.02)))
project = studio.open(sys.argv[2])
job = None
for step in range(10**6):
    if job is None or job.ended.is_set():
        job = studio.start(project.id, None, {"type": "generate", "takes": 8})
    entry = studio.act(project.id, None, {"type": "edit", "cells": [{"step": step % 96, "class": step // 96 % 24, "velocity": 1 + step % 127}]}).entry
    print(entry.number, project.drums().key, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("lines", [1, 40])
def test_a_server_killed_while_it_plays_loses_nothing_that_it_answered(studio: Studio, project: Project, lines: int) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", WORKER, str(studio.store.home), project.id]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parents[2]) as server:
        assert server.stdout is not None
        answered = [server.stdout.readline() for _ in range(lines)]
        server.send_signal(signal.SIGKILL)
        answered += server.stdout.readlines()
    again = make_studio(studio.store.home)
    opened = again.open(project.id)
    for line in answered:
        if line.endswith("\n"):
            number, key = line.split()
            current = opened.history.find(int(number)).state.current
            assert current is not None and current.groove == key
    do(again, opened, type="clear")
    assert look(make_studio(studio.store.home).open(project.id)) == look(opened)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (None, "an action has a type"),
        ([], "an action has a type"),
        ({"type": "explode"}, "an action has a type"),
        ({"type": ["edit"]}, "an action has a type"),
        ({"type": "generate"}, "is long work"),
        ({"type": "clear", "bar": [1]}, "clear has no 'bar'"),
        ({"type": "clear", "bars": [6]}, "no bar 7: there are bars 1-6"),
        ({"type": "clear", "bars": [-1]}, "no bar 0"),
        ({"type": "clear", "bars": [10**400]}, "no bar"),
        ({"type": "clear", "bars": [1.0]}, "a bar is a number"),
        ({"type": "clear", "bars": []}, "bars are a list"),
        ({"type": "clear", "bars": 3}, "bars are a list"),
        ({"type": "clear", "classes": []}, "at least one kit class"),
        ({"type": "lock", "classes": ["drum"]}, "no kit class 'drum'"),
        ({"type": "edit"}, "cells are a list"),
        ({"type": "edit", "cells": [{"step": 0}]}, "a cell has step"),
        ({"type": "edit", "cells": [{"step": 96, "class": 0, "velocity": 1}]}, "a step is a whole number from 0 to 95"),
        ({"type": "edit", "cells": [{"step": 0, "class": 24, "velocity": 1}]}, "no kit class 24"),
        ({"type": "edit", "cells": [{"step": 0, "class": 0, "velocity": 0}]}, "a velocity is"),
        ({"type": "edit", "cells": [{"step": 0, "class": 0, "velocity": 90.5}]}, "a velocity is"),
        ({"type": "edit", "cells": [{"step": 0, "class": 0, "velocity": 90, "offset": 0.5}]}, "an offset is"),
        ({"type": "edit", "cells": [{"step": 0, "class": 0, "velocity": 90, "offset": float("nan")}]}, "an offset is"),
        ({"type": "edit", "cells": [{"step": 0, "class": 0}, {"step": 0, "class": "kick"}]}, "two of the cells"),
        ({"type": "take", "index": 0}, "there is no take 1"),
        ({"type": "take", "index": True}, "the number of a take"),
        ({"type": "take"}, "the number of a take"),
        ({"type": "rename_take", "index": 0, "name": ""}, "a name has"),
        ({"type": "remove_take", "index": 3}, "there is no take 4"),
        ({"type": "settings", "scope": "song", "values": {"bpm": 3}}, "no setting 'bpm'"),
        ({"type": "settings", "scope": "song", "values": {"style": "polka"}}, "no style 'polka': choose from any, rock, jazz"),
        ({"type": "settings", "scope": "song", "values": {"takes": 9}}, "takes is a whole number from 1 to 8"),
        ({"type": "settings", "scope": {"section": 99}, "values": {}}, "a section is a whole number|no section"),
        ({"type": "settings", "scope": {"section": 5}, "values": {}}, "no section 6"),
        ({"type": "settings", "scope": {"bar": 1}, "values": {"swing": 60}}, "no setting 'swing' here"),
        ({"type": "settings", "scope": {"bars": [3, 1]}, "values": {}}, "the first and the last"),
        ({"type": "settings", "scope": {"bars": [0, 1, 2]}, "values": {}}, "the first and the last"),
        ({"type": "settings", "scope": "moon", "values": {}}, "the scope is"),
        ({"type": "settings", "scope": {"bar": 1, "section": 1}, "values": {}}, "the scope is"),
        ({"type": "settings", "scope": "song"}, "settings are names with values"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(studio: Studio, project: Project, action: Any, message: str) -> None:
    before = look(project)
    with pytest.raises(InputError, match=message) as caught:
        studio.act(project.id, None, action)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert look(project) == before


def test_quick_actions_are_no_jobs(studio: Studio, project: Project) -> None:
    with pytest.raises(InputError, match="no long work"):
        studio.start(project.id, None, {"type": "clear"})
    assert set(FORMS) >= JOBS
    drumless = studio.open(studio.store.create("x.mid", band_song(4, drums=False)).id)
    with pytest.raises(InputError, match="no drums of its own"):
        studio.act(drumless.id, None, {"type": "original"})
    with pytest.raises(InputError, match="no style"):
        studio.act(project.id, None, {"type": "settings", "scope": "song", "values": {"style": "x"}})


def test_a_listener_that_fails_undoes_nothing(studio: Studio, project: Project, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: dict[str, Any]) -> None:
        raise RuntimeError("gone")

    studio.subscribe(fail)
    do(studio, project, type="original")
    assert project.entry.number == 1 and "a listener failed" in caplog.text


def test_behind_the_greatest_seed_comes_the_first(studio: Studio, project: Project) -> None:
    do(studio, project, type="settings", scope="song", values={"seed": 2**31 - 1})
    assert [do(studio, project, type="generate", takes=1).seed for _ in range(2)] == [2**31 - 1, 0]


def test_a_journal_damaged_in_the_middle_says_where(studio: Studio, project: Project) -> None:
    do(studio, project, type="original")
    do(studio, project, type="clear")
    path = project.folder / "journal.jsonl"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], lines[2][:30], *lines[3:]]))
    with pytest.raises(InputError, match="journal.jsonl, line 3: it is no JSON; what stands in the journal before that is whole: cut it off there"):
        make_studio(studio.store.home).open(project.id)
    path.write_bytes(b"\n".join(lines[:2]) + b"\n")
    assert make_studio(studio.store.home).open(project.id).entry.number == 0


@pytest.mark.parametrize("cells", [[{"step": 18, "class": "cowbell"}], [{"step": 4, "class": "crash"}, {"step": 8, "class": "kick"}]])
def test_an_edit_that_says_little_is_as_loud_and_as_late_as_the_others(studio: Studio, project: Project, cells: list[dict[str, Any]]) -> None:
    do(
        studio,
        project,
        type="edit",
        cells=[{"step": step, "class": "snare", "velocity": 70, "offset": 0.25 if step % 4 else 0.125} for step in range(0, 96, 2)],
    )
    entry = do(studio, project, type="edit", cells=cells)
    made = {(c["step"], c["class"]): (c["velocity"], c["offset"]) for c in entry.action["cells"]}
    for (step, name), (velocity, offset) in made.items():
        assert velocity == 90 and offset == (0.25 if step % 4 else 0.125), name
    do(studio, project, type="edit", cells=[{"step": 19, "class": "snare"}])
    assert cells_of(project)[19, NAMES.index("snare")][0] == 70
    before = cells_of(project)
    do(studio, project, type="edit", cells=[{"step": 18, "class": "snare", "velocity": 99}])
    assert cells_of(project)[18, NAMES.index("snare")] == (99, before[18, NAMES.index("snare")][1])
