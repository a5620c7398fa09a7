"""Progress on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def show_progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left on stderr; call what it gives with the number done so far.

    What was done before the first call (a resumed run reports it) does not count for the rate.
    """
    done, before, started = 0, 0, time.monotonic()

    def show_rate(count: int | None) -> str:
        seconds = time.monotonic() - started
        return f"{(done - before) / seconds:.0f}/s" if done > before and seconds > 0.5 else ""

    with click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True, item_show_func=show_rate) as bar:

        def advance(count: int) -> None:
            nonlocal done, before
            if not done:
                before = count
            step, done = count - done, count
            bar.update(step, count)

        yield advance
