"""A studio in its own process, as a person starts it, and its HTTP interface."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from urllib.parse import quote


class Running:
    """``backbeat studio`` on a free port, or on a given one."""

    def __init__(self, home, port=0):
        self.home = home
        command = [sys.executable, "-m", "backbeat", "studio", "--no-browser", "--json", "--port", str(port), "--home", str(home)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the studio did not start: exit {self.process.wait()}")
        self.url = json.loads(line)["url"].rstrip("/")
        self.port = int(self.url.rpartition(":")[2])

    def kill(self):
        """As pulling the plug."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, path, body=None):
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/api{path}", data=data, headers={"content-type": kind})) as answer:
            return json.loads(answer.read())

    def fetch(self, path) -> bytes:
        with urllib.request.urlopen(f"{self.url}/api{path}") as answer:
            return answer.read()

    def create(self, data, name="song.mid") -> str:
        return self.ask(f"/projects?name={quote(name)}", data)["id"]

    def state(self, id_):
        return self.ask(f"/projects/{id_}")["state"]

    def act(self, id_, **action):
        """Do something, and wait until it is done. Returns the state after it."""
        answer = self.ask(f"/projects/{id_}/actions", {"revision": None, "action": action})
        while "job" in answer and answer["job"]["state"] in ("queued", "running"):
            time.sleep(0.05)
            answer = self.ask(f"/jobs/{answer['job']['id']}")
        assert "job" not in answer or answer["job"]["state"] == "done", answer
        return self.state(id_)

    def groove(self, id_, take=None):
        """{bar: [[step, class, velocity, offset], ...]} of a take, else of the current one; steps count from the beginning of the piece."""
        state = self.state(id_)
        if not state["takes"]:
            return {}
        chosen = state["takes"][state["take"] if take is None else take]
        return {int(bar): rows for bar, rows in self.ask(f"/projects/{id_}/grooves/{chosen['groove']}")["bars"].items() if rows}


@contextlib.contextmanager
def run_studio(home, port=0):
    studio = Running(home, port)
    try:
        yield studio
    finally:
        if studio.process.poll() is None:
            studio.kill()
