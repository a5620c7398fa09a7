"""Who may talk to the studio, and how much: the server is on this machine only, and answers only its own page.

A page elsewhere on the web can send requests to 127.0.0.1, and a name that it owns can be made to point there (DNS rebinding). So the
``Host`` must be ours, an ``Origin`` must be ours, a change needs a kind of body that a form of another page cannot send, and bodies are
counted while they come in.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY, MAX_JSON = 16 << 20, 4 << 20
"""Largest bodies in bytes: a song or a project, and an action."""
MAX_DRAINED = 1 << 30
"""Bytes of a body that is too long that are read, and dropped, before the connection is closed."""

MAX_DEPTH = 32
BODY_TYPES = ("application/json", "application/octet-stream")
HOSTS = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "worker-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Scripts come from here only; the decoder of the SoundFont is WebAssembly."""

MAP_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page of the pattern map is one file with its script inside, and may load nothing."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
"""Sent with every answer that does not say otherwise."""


class Guard:
    """Turns away what does not come from the studio's own page, and adds the headers that keep the page to itself.

    Args:
        app: what is guarded.
        port: the port that the server listens on.
    """

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        names = [f"{host}:{port}" for host in HOSTS] + (list(HOSTS) if port == 80 else [])
        self.hosts, self.origins = frozenset(names), frozenset(f"http://{name}" for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # no web sockets

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message.get("headers", ())}
                missing = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in there]
                message = {**message, "headers": [*message.get("headers", ()), *missing]}
            await send(message)

        refused = self._refuse(scope)
        if refused:
            await _answer(send_guarded, *refused)
        else:
            await self.app(scope, receive, send_guarded)

    def _refuse(self, scope: Scope) -> tuple[int, str] | None:
        """Status and reason where the request is not let in."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1").strip())
        hosts, origins = headers.get("host", []), headers.get("origin", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return 421, "this is the studio of this machine: open it at the address that it printed"
        if any(origin.lower() not in self.origins for origin in origins):
            return 403, "another page asked for this: only the studio's own page may"
        if scope["method"] not in ("GET", "HEAD") and headers.get("sec-fetch-site", ["same-origin"])[0] not in ("same-origin", "none"):
            return 403, "another page asked for this: only the studio's own page may"
        kind = headers.get("content-type", [""])[0].partition(";")[0].strip().lower()
        if scope["method"] in ("POST", "PUT", "PATCH") and kind not in BODY_TYPES:
            return 415, "the body must be application/json or application/octet-stream"
        return None


async def _answer(send: Send, status: int, text: str) -> None:
    body = json.dumps({"error": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The body of a request; of one that is too long nothing is kept.

    Raises:
        HTTPException: 413, it has more bytes than ``limit``.
    """
    parts, size = list[bytes](), 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            parts.append(part)
        elif size > MAX_DRAINED:
            break
        else:  # a browser hears the answer only when it has sent all, so what comes is taken and dropped
            parts.clear()
    if size > limit:
        raise HTTPException(413, f"more than {limit >> 20} MB: no song needs that", headers={"connection": "close"})
    return b"".join(parts)


async def read_json(request: Request) -> dict[str, Any]:
    """The object that a request holds as JSON; numbers are finite, and nothing is nested deeply.

    Raises:
        HTTPException: 400, 413 or 415, it holds none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "the body must be application/json")
    body = await read_body(request, MAX_JSON)
    try:
        found = json.loads(body or b"{}", parse_constant=_refuse_constant, parse_float=_read_float)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON that can be read") from None
    if not isinstance(found, dict):
        raise HTTPException(400, "the body must be a JSON object")
    if _measure_depth(found) > MAX_DEPTH:
        raise HTTPException(400, "the body is nested too deeply")
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _read_float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def _measure_depth(value: Any) -> int:  # noqa: ANN401 - any JSON
    """How deeply a JSON value is nested, as far as ``MAX_DEPTH`` + 1."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        inner = [v.values() if isinstance(v, dict) else v for v in level if isinstance(v, dict | list)]
        level, depth = [item for items in inner for item in items], depth + 1
    return depth
