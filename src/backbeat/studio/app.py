"""The studio's server: which address is answered by what, and how errors are told."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles

from backbeat.errors import BackbeatError, InputError, OutputError
from backbeat.studio.api import Api
from backbeat.studio.engine import Studio
from backbeat.studio.events import Newsroom
from backbeat.studio.history import MissingError, StaleError
from backbeat.studio.map_page import MapPage
from backbeat.studio.security import MAP_POLICY, Guard

STATIC = "static"
MISSING_PAGE = "<!doctype html><title>Backbeat</title><p>The page has not been built in this checkout: run <code>make page</code>.</p>"
STATUSES = ((MissingError, 404), (StaleError, 409), (InputError, 400), (OutputError, 507))
REASONS = {404: "there is nothing at this address", 405: "this address cannot be asked in this way"}


class Files(StaticFiles):
    """Files of the page, which a browser asks for again before it uses its copy."""

    async def check_config(self) -> None:
        """A folder that is not there has no files, that is all."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Where a file lies; a name that cannot be one lies nowhere."""
        return ("", None) if "\0" in path else super().lookup_path(path)

    def file_response(self, *args: Any, **options: Any) -> Response:  # noqa: ANN401 - as the base class has it
        """The answer for one file."""
        response = super().file_response(*args, **options)
        response.headers["cache-control"] = "no-cache"
        return response


def make_app(studio: Studio, newsroom: Newsroom, port: int) -> Guard:
    """The studio as an ASGI application.

    Args:
        studio: the engine.
        newsroom: where its news go.
        port: the port that it is served on; requests for another are turned away.
    """
    studio.subscribe(lambda news: newsroom.publish(_show_news(news)))
    folder = Path(str(resources.files("backbeat"))) / "studio" / STATIC
    sounds = Path(str(resources.files("backbeat"))) / "sounds"
    chart = MapPage(studio.store.home)

    async def show_page(request: Request) -> Response:
        page = folder / "index.html"
        if not page.is_file():
            return Response(MISSING_PAGE, media_type="text/html")
        return FileResponse(page, headers={"cache-control": "no-cache"})

    def show_map(request: Request) -> Response:
        return Response(chart.read(), media_type="text/html", headers={"content-security-policy": MAP_POLICY, "cache-control": "no-cache"})

    routes: list[BaseRoute] = [
        Route("/", show_page),
        Route("/map", show_map),
        Mount("/static", Files(directory=folder, check_dir=False)),
        Mount("/sounds", Files(directory=sounds)),
        Mount("/api", Router(Api(studio, newsroom).routes, redirect_slashes=False)),
    ]
    handlers = {HTTPException: _tell_http, BackbeatError: _tell_error, MemoryError: _tell_memory, Exception: _tell_bug}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return Guard(app, port)


def _show_news(news: dict[str, Any]) -> dict[str, Any]:
    """News of the engine as the page gets them."""
    return {"type": "job", **news} if "job" in news else {"type": "project", "id": news["project"], "revision": news["revision"]}


def _tell(status: int, text: str, headers: dict[str, str] | None = None, more: dict[str, Any] | None = None) -> Response:
    return JSONResponse({"error": " ".join(text.split()), **(more or {})}, status, headers)


async def _tell_http(request: Request, error: HTTPException) -> Response:
    return _tell(error.status_code, REASONS.get(error.status_code, error.detail), dict(error.headers or {}))


async def _tell_error(request: Request, error: BackbeatError) -> Response:
    status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
    more: dict[str, Any] = {"revision": error.revision} if isinstance(error, StaleError) else {}
    return _tell(status, str(error), None, more)


async def _tell_memory(request: Request, error: MemoryError) -> Response:
    return _tell(413, "out of memory: try a shorter song")


async def _tell_bug(request: Request, error: Exception) -> Response:
    return _tell(500, f"the studio made a mistake ({type(error).__name__}): the terminal it runs in says more")
