"""``backbeat studio``: a real process, on a real port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "src"


@dataclass
class Process:
    """A studio that runs, and what it said when it began."""

    process: subprocess.Popen[str]
    said: str

    @property
    def port(self) -> int:
        return int(self.said.split("127.0.0.1:")[1].split("/")[0])

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, body, {"content-type": kind} if body is not None else {})
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def stop(self, how: int = signal.SIGINT) -> float:
        started = time.monotonic()
        self.process.send_signal(how)
        self.process.wait(20)
        return time.monotonic() - started


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the command with arguments."""
    running: list[subprocess.Popen[str]] = []

    def start_command(*arguments: object, home: str = "home") -> Process:
        command = [sys.executable, "-m", "backbeat", "studio", "--no-browser", "--home", str(tmp_path / home), *map(str, arguments)]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])},
        )
        running.append(process)
        assert process.stdout
        return Process(process, process.stdout.readline())

    yield start_command
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_prints_its_address_answers_and_ends_quietly(start):
    studio = start("--port", 0)
    assert studio.said == f"http://127.0.0.1:{studio.port}/\n"
    status, body = studio.ask("GET", "/api/about")
    assert status == 200 and json.loads(body)["styles"][0] == "any"
    assert studio.stop() < 3
    assert studio.process.returncode == 0
    out, err = studio.process.communicate()
    assert (out, err) == ("", "")


def test_a_song_is_opened_at_its_address(start):
    studio = start("--port", 0, EXAMPLES / "ballad.mid", "--json")
    said = json.loads(studio.said)
    assert set(said) == {"url", "project", "home"} and said["url"].endswith(f"/#{said['project']}")
    status, body = studio.ask("GET", f"/api/projects/{said['project']}")
    assert status == 200 and json.loads(body)["name"] == "ballad"


def test_it_ends_at_once_while_pages_listen(start):
    studio = start("--port", 0)
    connection = http.client.HTTPConnection("127.0.0.1", studio.port, timeout=20)
    connection.request("GET", "/api/events")
    news = connection.getresponse()
    assert news.getheader("content-type", "").startswith("text/event-stream") and news.readline() == b"retry: 1000\n"
    studio.ask("POST", "/api/projects/blank", b'{"bars": 4}')
    project = json.loads(studio.ask("GET", "/api/projects")[1])[0]["id"]
    studio.ask(
        "POST", f"/api/projects/{project}/actions", json.dumps({"action": {"type": "edit", "cells": [{"step": 0, "class": "kick", "velocity": 99}]}}).encode()
    )
    line = b""
    while not line.startswith(b"data: "):
        line = news.readline()
    assert json.loads(line[6:]) == {"type": "project", "id": project, "revision": 2}
    assert studio.stop(signal.SIGTERM) < 3 and studio.process.returncode == 0
    assert news.read() == b"\n"
    news.close()
    connection.close()
    assert studio.process.communicate()[1] == ""


def test_killed_it_loses_nothing(start):
    studio = start("--port", 0, EXAMPLES / "ballad.mid", "--json")
    project = json.loads(studio.said)["project"]
    cells = json.dumps({"action": {"type": "edit", "cells": [{"step": 3, "class": "snare", "velocity": 77}]}}).encode()
    state = json.loads(studio.ask("POST", f"/api/projects/{project}/actions", cells)[1])["state"]
    studio.ask("POST", f"/api/projects/{project}/actions", b'{"action": {"type": "generate", "takes": 3}}')
    studio.stop(signal.SIGKILL)
    again = start("--port", 0)
    view = json.loads(again.ask("GET", f"/api/projects/{project}")[1])
    assert view["state"]["takes"][0] == state["takes"][0]


def test_nobody_else_on_the_network_can_reach_it(start):
    studio = start("--port", 0)
    others = [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET) if not str(info[4][0]).startswith("127.")]
    if not others:
        pytest.skip("this machine has no other address")
    with socket.socket() as knock:
        knock.settimeout(2)
        assert knock.connect_ex((others[0], studio.port)) != 0


def test_a_port_in_use_is_one_line(refused, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused("studio", "--no-browser", "--home", tmp_path / "home", "--port", port)
    assert f"port {port} is in use" in line and "--port" in line and not (tmp_path / "home").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\xff\xff\0", b"PK\x03\x04junk"])
def test_a_damaged_song_is_one_line(refused, tmp_path, content):
    path = tmp_path / "song.mid"
    path.write_bytes(content)
    line = refused("studio", path, "--no-browser", "--home", tmp_path / "home", "--port", 0)
    assert "song" in line or "project file" in line
    refused("studio", tmp_path / "nothing.mid", "--no-browser", "--home", tmp_path / "home", "--port", 0)


def test_a_home_that_is_a_file_is_one_line(refused, tmp_path):
    (tmp_path / "home").write_text("x")
    assert "--home" in refused("studio", "--no-browser", "--home", tmp_path / "home", "--port", 0)


def test_importing_and_help_load_no_server():
    code = (
        "import sys; sys.argv = ['backbeat', '--help']\nimport backbeat\nfrom backbeat.cli import main\nmain()\n"
        "print('loaded:', [m for m in ('starlette', 'uvicorn', 'anyio', 'asyncio', 'numpy') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])},
    )
    assert result.stdout.rstrip().endswith("loaded: []"), result.stdout + result.stderr
