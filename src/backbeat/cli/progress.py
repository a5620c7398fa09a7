"""Progress on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from click.termui import progressbar


@contextmanager
def show_progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left; call what it gives with the number done so far."""
    done = 0
    with progressbar(length=length, label=label, file=click.get_text_stream("stderr"), show_pos=True) as bar:

        def advance(count: int) -> None:
            nonlocal done
            bar.update(count - done)
            done = count

        yield advance
