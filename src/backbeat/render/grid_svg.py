"""Bars of drums as a drawing (SVG): a row for each class, a column for each step, bar lines and beat ticks.

Two tracks can be held side by side: a hit that the other track has too is a filled square, one that it lacks a hollow
diamond, so that the difference does not hang on colour. Text is escaped; no style sheet is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from backbeat.grid import Grid
from backbeat.render.text import find_beats

Hits = npt.NDArray[np.bool_]
CELL_WIDTH, CELL_HEIGHT = 15, 14
LABEL_WIDTH, TOP, MARGIN = 104, 20, 6
SHARED, ALONE = "#1f4e79", "#b3400f"
"""Colours of hits that both tracks have, and that one has alone: contrast 8:1 and 5.9:1 on white."""

LINE, FAINT, TEXT = "#444444", "#d9d9d9", "#222222"


def draw_hits(hits: Hits, grid: Grid, labels: Sequence[str], first: int, last: int, *, other: Hits | None = None, title: str = "") -> str:
    """Draw bars of a drum track as one SVG element.

    Args:
        hits: bool [steps, classes].
        grid: the bars and steps.
        labels: a name for each class, in the order of the columns; drawn from the last (top) to the first (bottom).
        first, last: the first bar to draw and the one behind the last, 0-based.
        other: bool [steps, classes], the track to compare with; none = all hits are drawn alike.
        title: what a reader who cannot see it is told; bars and the number of hits are added.

    Raises:
        IndexError: the grid has no such bars.
        ValueError: a shape does not fit.
    """
    if not 0 <= first < last <= grid.bars:
        raise IndexError(f"bars {first + 1} to {last} of {grid.bars}")
    if hits.shape != (grid.steps, len(labels)) or (other is not None and other.shape != hits.shape):
        raise ValueError(f"hits must be [steps, classes] = {(grid.steps, len(labels))}, not {hits.shape}")
    start, stop = int(grid.first_steps[first]), int(grid.first_steps[last])
    shown = hits[start:stop]
    shared = shown if other is None else shown & other[start:stop]
    size = LABEL_WIDTH + (stop - start) * CELL_WIDTH + MARGIN, TOP + len(labels) * CELL_HEIGHT + MARGIN
    text = f"{title}, " if title else ""
    text += f"bars {first + 1} to {last}, {int(shown.sum())} hits" + ("" if other is None else f", {int(shared.sum())} of them in both tracks")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" width="{size[0]}" height="{size[1]}" role="img" aria-label="{escape(text)}"'
    )
    style = ' font-family="DejaVu Sans, Verdana, sans-serif" font-size="10"'
    return f"{head}{style}><title>{escape(text)}</title>{_draw_paper(grid, labels, first, last)}{_draw_marks(shown, shared, len(labels))}</svg>"


def _draw_paper(grid: Grid, labels: Sequence[str], first: int, last: int) -> str:
    """Class names, lines between rows, bar lines with bar numbers, and a tick where a beat begins."""
    start, bottom = int(grid.first_steps[first]), TOP + len(labels) * CELL_HEIGHT
    right = LABEL_WIDTH + (int(grid.first_steps[last]) - start) * CELL_WIDTH
    parts = []
    for row, label in enumerate(reversed(labels)):
        y = TOP + row * CELL_HEIGHT
        parts.append(f'<path d="M{LABEL_WIDTH} {y}H{right}" stroke="{FAINT}"/>')
        parts.append(f'<text x="{LABEL_WIDTH - 6}" y="{y + CELL_HEIGHT - 4}" text-anchor="end" fill="{TEXT}">{escape(label)}</text>')
    for bar in range(first, last):
        x = LABEL_WIDTH + (int(grid.first_steps[bar]) - start) * CELL_WIDTH
        parts.append(f'<text x="{x + 2}" y="10" fill="{TEXT}">{bar + 1}</text><path d="M{x} 2V{bottom}" stroke="{LINE}" stroke-width="1.5"/>')
        beats = np.flatnonzero(find_beats(grid, bar))
        parts.extend(f'<path d="M{x + int(b) * CELL_WIDTH} {TOP - 6}V{bottom}" stroke="{FAINT}"/>' for b in beats if b)
        parts.extend(f'<path d="M{x + int(b) * CELL_WIDTH} {TOP - 6}v6" stroke="{LINE}"/>' for b in beats if b)
    parts.append(f'<path d="M{LABEL_WIDTH} {bottom}H{right}V2" fill="none" stroke="{LINE}" stroke-width="1.5"/>')
    return "".join(parts)


def _draw_marks(shown: Hits, shared: Hits, rows: int) -> str:
    """The hits: squares where shared, diamonds where not."""
    squares, diamonds = [], []
    for step, column in zip(*np.nonzero(shown), strict=True):
        x, y = LABEL_WIDTH + int(step) * CELL_WIDTH, TOP + (rows - 1 - int(column)) * CELL_HEIGHT
        if shared[step, column]:
            squares.append(f"M{x + 2} {y + 2}h{CELL_WIDTH - 4}v{CELL_HEIGHT - 4}h{4 - CELL_WIDTH}z")
        else:
            half = CELL_HEIGHT // 2 - 2
            diamonds.append(f"M{x + CELL_WIDTH / 2} {y + 2}l{half} {half}l-{half} {half}l-{half} -{half}z")
    drawn = f'<path class="shared" fill="{SHARED}" d="{"".join(squares)}"/>' if squares else ""
    return drawn + (f'<path class="alone" fill="#ffffff" stroke="{ALONE}" stroke-width="1.8" d="{"".join(diamonds)}"/>' if diamonds else "")
