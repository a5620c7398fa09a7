"""News for the page: what changed, as server-sent events (HTML Living Standard, section 9.2)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

News = dict[str, Any]
HEARTBEAT_SECONDS = 15.0
"""A line is sent this often where there is no news, so that both sides notice when the other is gone."""
MAX_WAITING = 1000
"""News that a page has not fetched; one that is further behind is told to load everything anew."""
MAX_LISTENERS = 64


class Newsroom:
    """Brings news from worker threads to every page that listens."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[News | None], asyncio.AbstractEventLoop] = {}
        self._closed = False

    @property
    def is_full(self) -> bool:
        """Whether no more pages can listen."""
        return len(self._queues) >= MAX_LISTENERS

    def publish(self, news: News) -> None:
        """Tell every page; may be called from any thread."""
        for queue, loop in list(self._queues.items()):
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_put, queue, news)

    def close(self) -> None:
        """End every stream, so that the server can stop at once; may be called from any thread."""
        self._closed = True
        for queue, loop in list(self._queues.items()):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(queue.put_nowait, None)

    async def listen(self) -> AsyncIterator[bytes]:
        """The stream of one page, until it goes or the server stops."""
        queue: asyncio.Queue[News | None] = asyncio.Queue()
        self._queues[queue] = asyncio.get_running_loop()
        try:
            yield b"retry: 1000\n\n"
            while not self._closed:
                try:
                    news = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if news is None:
                    return
                yield b"data: " + json.dumps(news).encode() + b"\n\n"
        finally:
            self._queues.pop(queue, None)


def _put(queue: asyncio.Queue[News | None], news: News) -> None:
    if queue.qsize() < MAX_WAITING:
        queue.put_nowait(news)
    elif queue.qsize() == MAX_WAITING:
        queue.put_nowait({"type": "missed"})
