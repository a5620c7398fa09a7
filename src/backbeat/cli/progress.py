"""Progress on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def show_progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar with time left on stderr; call what it gives with the number done so far."""
    done = 0
    with click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True) as bar:

        def advance(count: int) -> None:
            nonlocal done
            bar.update(count - done)
            done = count

        yield advance
