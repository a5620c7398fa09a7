"""A studio in a folder of the test, and its page's view of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from backbeat.drummer import load_drummer
from backbeat.studio.app import make_app
from backbeat.studio.engine import Studio
from backbeat.studio.events import Newsroom
from backbeat.studio.store import Store
from tests.midi.builders import band_song

PORT = 8765
BINARY = {"content-type": "application/octet-stream"}


class Client:
    """A browser, so to speak: requests answered by the application itself.

    Args:
        app: the application.
        host: what the address bar says.
    """

    def __init__(self, app: Any, host: str = f"127.0.0.1:{PORT}") -> None:
        self.app, self.host = app, host

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request and its answer."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{self.host}") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Fetch."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """Send."""
        return self.request("POST", path, **more)

    def delete(self, path: str) -> httpx.Response:
        """Throw away."""
        return self.request("DELETE", path)


@dataclass
class Page:
    """What the page does, as short as a test wants it."""

    client: Client

    def upload(self, data: bytes, name: str = "song.mid") -> dict[str, Any]:
        """Drop a file; the project."""
        answer = self.client.post("/api/projects", params={"name": name}, content=data, headers=BINARY)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def act(self, project: str, revision: int | None = None, **action: Any) -> Any:
        """Do something; the answer."""
        return self.client.post(f"/api/projects/{project}/actions", json={"revision": revision, "action": action})

    def state(self, project: str) -> dict[str, Any]:
        """The state as it is now."""
        return self.client.get(f"/api/projects/{project}").json()["state"]

    def wait(self, job: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        """The job when it has ended."""
        end = time.monotonic() + seconds
        while (found := self.client.get(f"/api/jobs/{job['id']}").json()["job"])["state"] in ("queued", "running"):
            assert time.monotonic() < end, found
            time.sleep(0.01)
        return found

    def generate(self, project: str, **more: Any) -> dict[str, Any]:
        """Ask for takes, and wait; the state then."""
        answer = self.act(project, type="generate", takes=1, seed=1, **more)
        assert answer.status_code == 202, answer.text
        job = self.wait(answer.json()["job"])
        assert job["state"] == "done", job
        return self.state(project)

    def edit(self, project: str, *cells: tuple[int, str, int | None]) -> dict[str, Any]:
        """Set cells by hand; the state then."""
        listed = [{"step": step, "class": name, "velocity": velocity} for step, name, velocity in cells]
        answer = self.act(project, type="edit", cells=listed)
        assert answer.status_code == 200, answer.text
        return answer.json()["state"]


@pytest.fixture
def server(tmp_path: Path, drummer_folder: Path) -> Iterator[Studio]:
    """An engine with a tiny drummer."""
    studio = Studio(Store(tmp_path / "home"), load=lambda: load_drummer(drummer_folder))
    yield studio
    studio.close()


@pytest.fixture
def client(server: Studio) -> Client:
    """A browser at the right address."""
    return Client(make_app(server, Newsroom(), PORT))


@pytest.fixture
def page(client: Client) -> Page:
    """The page."""
    return Page(client)


@pytest.fixture
def song() -> bytes:
    """Four bars of a band with drums."""
    return band_song(4)
