"""The server process: a port of this machine only, the address, and a quick end."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from backbeat.errors import InputError
from backbeat.studio.events import Newsroom
from backbeat.studio.security import App

HOST = "127.0.0.1"
GRACE_SECONDS = 1
"""How long open requests may take after Ctrl-C."""
WORK_SECONDS = 2.0
"""How long work that has been cancelled may take to notice."""


def bind(port: int) -> socket.socket:
    """A socket on a port of this machine; nobody else on the network can reach it.

    Args:
        port: 0 = any that is free.

    Raises:
        InputError: the port is taken, or not allowed.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        reason = "is in use: the studio may be open already, or name another with --port" if taken else f"cannot be used ({error}): name another with --port"
        raise InputError(f"port {port} {reason}") from None
    return listener


class Server(uvicorn.Server):
    """A server that ends its streams of news as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, newsroom: Newsroom) -> None:
        super().__init__(config)
        self.newsroom = newsroom

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a second time, at once."""
        self.newsroom.close()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle Ctrl-C and a request to end as a wish to stop, which is no error."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


def end_threads(prefix: str, seconds: float = WORK_SECONDS) -> None:
    """Wait for the threads that work to end; where they do not, end the process: a network that is at work while Python is taken down aborts it.

    Args:
        prefix: their names begin with this.
        seconds: how long they are waited for, all together.
    """
    end = time.monotonic() + seconds
    working = [thread for thread in threading.enumerate() if thread.name.startswith(prefix)]
    for thread in working:
        thread.join(max(0.0, end - time.monotonic()))
    if any(thread.is_alive() for thread in working):
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(0)


def serve(app: App, newsroom: Newsroom, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until the process is told to stop.

    Args:
        app: what answers.
        newsroom: whose streams end when the server does.
        listener: the socket, see ``bind``.
        ready: called once requests will be answered.
    """
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        ws="none",
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=30,
        http="h11",
        loop="asyncio",
        h11_max_incomplete_event_size=64 << 10,
    )
    listener.listen(128)
    ready()  # the socket takes connections already; they are answered once the loop runs
    Server(config, newsroom).run(sockets=[listener])
