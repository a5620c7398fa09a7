"""The addresses under /api: projects, what is done to them, jobs, news and downloads, as JSON."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from backbeat.errors import InputError
from backbeat.studio.actions import JOBS
from backbeat.studio.downloads import DOWNLOADS, name_download, write_download
from backbeat.studio.engine import Studio
from backbeat.studio.events import Newsroom
from backbeat.studio.opening import open_file
from backbeat.studio.playback import make_playback
from backbeat.studio.project import Project
from backbeat.studio.renders import RENDERS, Result, Workshop
from backbeat.studio.security import read_body, read_json
from backbeat.studio.views import shorten, view_about, view_song

TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
IMMUTABLE = "private, max-age=31536000, immutable"
MAX_KEPT_VIEWS = 8

View = dict[str, Any]


class Api:
    """Answers requests of the page.

    Args:
        studio: the engine.
        newsroom: where its news go.
    """

    def __init__(self, studio: Studio, newsroom: Newsroom) -> None:
        self.studio, self.newsroom = studio, newsroom
        self._songs, self._playbacks = _Kept(), _Kept()
        self._workshop = Workshop()

    @property
    def routes(self) -> list[BaseRoute]:
        """The addresses, below /api."""
        return [
            Route("/about", self.about),
            Route("/events", self.events),
            Route("/projects", self.list_projects, methods=["GET"]),
            Route("/projects", self.create, methods=["POST"]),
            Route("/projects/blank", self.create_blank, methods=["POST"]),
            Route("/projects/{id}", self.show, methods=["GET"]),
            Route("/projects/{id}", self.delete, methods=["DELETE"]),
            Route("/projects/{id}/rename", self.rename, methods=["POST"]),
            Route("/projects/{id}/grooves/{groove}", self.show_groove),
            Route("/projects/{id}/playback", self.play_back),
            Route("/projects/{id}/history", self.history),
            Route("/projects/{id}/actions", self.act, methods=["POST"]),
            *(Route(f"/projects/{{id}}/{name}", self._make_move(name), methods=["POST"]) for name in ("undo", "redo", "goto")),
            Route("/projects/{id}/download/{what}", self.download),
            Route("/projects/{id}/renders", self.render, methods=["POST"]),
            Route("/jobs/{job}", self.show_job),
            Route("/jobs/{job}/cancel", self.cancel_job, methods=["POST"]),
            Route("/jobs/{job}/result", self.show_result),
        ]

    def about(self, request: Request) -> Response:
        """What the studio can do."""
        return JSONResponse(view_about(self.studio.styles))

    async def events(self, request: Request) -> Response:
        """News, as long as the page listens."""
        if self.newsroom.is_full:
            raise HTTPException(429, "too many pages listen already: close some")
        return StreamingResponse(self.newsroom.listen(), media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    def list_projects(self, request: Request) -> Response:
        """All projects, the last changed first."""
        return JSONResponse(self.studio.store.list())

    async def create(self, request: Request) -> Response:
        """A project from the bytes of a song or of a project file."""
        data = await read_body(request)
        return await run_in_threadpool(self._create, request.query_params.get("name", "")[:1000], data)

    def _create(self, name: str, data: bytes) -> Response:
        return self._show(open_file(self.studio, name, data).id, 201)

    async def create_blank(self, request: Request) -> Response:
        """A project without a song."""
        asked = await read_json(request)
        bars, qpm = _take_number(asked, "bars", 16), _take_number(asked, "qpm", 120)
        name, metre = str(asked.get("name") or "Drums")[:1000], str(asked.get("metre", "4/4"))[:16]
        if bars != int(bars):
            raise InputError(f"bars must be a whole number, not {bars}")
        return await run_in_threadpool(lambda: self._show(self.studio.store.blank(name, int(bars), metre, qpm).id, 201))

    def show(self, request: Request) -> Response:
        """A project: its song and its state."""
        return self._show(self._open(request).id)

    def _show(self, id_: str, status: int = 200) -> Response:
        project = self.studio.open(id_)
        song = self._songs.get(id_, lambda: view_song(project.song, project.cues))
        return JSONResponse({"id": project.id, "name": project.name, "blank": project.blank, "song": song, "state": project.view_state()}, status)

    def delete(self, request: Request) -> Response:
        """Throw a project away."""
        id_ = _check_token(request.path_params["id"])
        self.studio.delete(id_)
        self._songs.drop(id_)
        self._playbacks.drop(id_)
        return JSONResponse({})

    async def rename(self, request: Request) -> Response:
        """Give a project another name."""
        asked = await read_json(request)
        id_, name = _check_token(request.path_params["id"]), asked.get("name")
        if not isinstance(name, str) or not name.strip():
            raise InputError("name must be a text")
        project = await run_in_threadpool(self.studio.rename, id_, shorten(name))
        return JSONResponse({"name": project.name})

    def show_groove(self, request: Request) -> Response:
        """The drums of a take, bar by bar; they never change."""
        groove = self._open(request).view_groove(_check_token(request.path_params["groove"]))
        return JSONResponse(groove, headers={"cache-control": IMMUTABLE})

    def play_back(self, request: Request) -> Response:
        """The band, in seconds."""
        project = self._open(request)
        body = self._playbacks.get(project.id, lambda: json.dumps(make_playback(project.song), separators=(",", ":")).encode())
        return Response(body, media_type="application/json", headers={"cache-control": IMMUTABLE})

    def history(self, request: Request) -> Response:
        """Every state that there was."""
        return JSONResponse(self._open(request).view_history())

    async def act(self, request: Request) -> Response:
        """Do something to a project: at once, or as a job."""
        asked = await read_json(request)
        return await run_in_threadpool(self._act, _check_token(request.path_params["id"]), _take_revision(asked), asked.get("action"))

    def _act(self, id_: str, revision: int | None, action: object) -> Response:
        if not isinstance(action, dict) or not isinstance(action.get("type"), str):
            raise InputError("an action is an object with a type")
        if action["type"] in JOBS:
            return JSONResponse({"job": self.studio.start(id_, revision, action).view()}, 202)
        return JSONResponse({"state": self.studio.act(id_, revision, action).project.view_state()})

    def _make_move(self, name: str) -> Callable[[Request], Any]:
        async def move(request: Request) -> Response:
            asked = await read_json(request)
            id_, revision = _check_token(request.path_params["id"]), _take_revision(asked)
            further = [_take_entry(asked)] if name == "goto" else []
            outcome = await run_in_threadpool(getattr(self.studio, name), id_, revision, *further)
            return JSONResponse({"state": outcome.project.view_state()})

        return move

    def download(self, request: Request) -> Response:
        """A file to take away."""
        project, what = self._open(request), request.path_params["what"]
        if what not in DOWNLOADS:
            raise HTTPException(404)
        take, kit = _take_take(request.query_params.get("take")), request.query_params.get("kit") or None
        data = self.studio.store.export_file(project) if what == "project.backbeat" else write_download(what, project, take, kit)
        return _attach(data, name_download(project.name, what), DOWNLOADS[what])

    async def render(self, request: Request) -> Response:
        """Start to make sound."""
        asked = await read_json(request)
        what = asked.get("what")
        if not isinstance(what, str) or what not in RENDERS:
            raise InputError(f"what is one of {', '.join(RENDERS)}")
        take = _take_take(asked.get("take"))
        project = await run_in_threadpool(self._open, request)
        job = await run_in_threadpool(self._workshop.start, self.studio.jobs, project, what, take)
        return JSONResponse({"job": job.view()}, 202)

    def show_job(self, request: Request) -> Response:
        """How far a job is."""
        return JSONResponse({"job": self.studio.jobs.get(_check_token(request.path_params["job"])).view()})

    async def cancel_job(self, request: Request) -> Response:
        """Stop a job."""
        await read_json(request)
        id_ = _check_token(request.path_params["job"])
        await run_in_threadpool(self.studio.jobs.cancel, id_)
        return JSONResponse({"job": self.studio.jobs.get(id_).view()})

    def show_result(self, request: Request) -> Response:
        """The file that a job made."""
        job = self.studio.jobs.get(_check_token(request.path_params["job"]))
        if not isinstance(job.result, Result) or not job.result.path.is_file():
            raise HTTPException(404)
        return FileResponse(job.result.path, media_type=job.result.kind, headers=_name_attachment(job.result.name))

    def _open(self, request: Request) -> Project:
        return self.studio.open(_check_token(request.path_params["id"]))


class _Kept:
    """The last views of songs, which do not change."""

    def __init__(self) -> None:
        self._views: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, id_: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - what was kept
        with self._lock:
            if id_ in self._views:
                self._views.move_to_end(id_)
                return self._views[id_]
        made = make()
        with self._lock:
            self._views[id_] = made
            while len(self._views) > MAX_KEPT_VIEWS:
                self._views.popitem(last=False)
        return made

    def drop(self, id_: str) -> None:
        with self._lock:
            self._views.pop(id_, None)


def _check_token(text: str) -> str:
    if not TOKEN.fullmatch(text):
        raise HTTPException(404)
    return text


def _take_number(asked: View, name: str, default: float) -> float:
    value = asked.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e9 < value < 1e9:
        raise InputError(f"{name} must be a number")
    return value


def _take_revision(asked: View) -> int | None:
    value = asked.get("revision")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise InputError("revision must be a whole number or null")
    return value


def _take_entry(asked: View) -> Any:  # noqa: ANN401 - the engine says what an entry is called
    value = asked.get("entry")
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InputError("entry must name a state of the history")
    return value


def _take_take(value: object) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,4}", str(value)):
        raise InputError("take must be a number from 0")
    return int(str(value))


def _attach(data: bytes, name: str, kind: str) -> Response:
    """A file to be saved under a name: in ASCII for old readers, and as it is (RFC 6266)."""
    return Response(data, media_type=kind, headers=_name_attachment(name))


def _name_attachment(name: str) -> dict[str, str]:
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    return {"content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"}
