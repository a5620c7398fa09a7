"""Plots of notes: a piano roll, and how pitches, steps and durations are distributed. Needs matplotlib (extra ``report``)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from backbeat.errors import InputError, MissingExtraError
from backbeat.files import write_bytes
from backbeat.units import Floats

FORMATS = (".png", ".svg", ".pdf")


def plot_notes(played: Floats, path: Path, primer: Floats | None = None) -> None:
    """Draw a piano roll, and below it the distributions of pitch, step and duration beside the primer's.

    Args:
        played: float64 [n, 3] pitch, step and duration (seconds).
        path: a .png, .svg or .pdf file.
        primer: the same, of the notes before; none = there are none.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: the name has another ending.
        OutputError: the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: a plot ends in {', '.join(FORMATS)}")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "report") from error
    figure = Figure(figsize=(11, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplot_mosaic([["roll"] * 3, ["pitch", "step", "duration"]])
    _draw_roll(axes["roll"], played, primer)
    for column, name in enumerate(("pitch", "step", "duration")):
        _draw_distribution(axes[name], name, played[:, column], None if primer is None else primer[:, column])
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix[1:].lower(), dpi=120)
    write_bytes(path, buffer.getvalue())


def _draw_roll(axes: Any, played: Floats, primer: Floats | None) -> None:  # noqa: ANN401 - matplotlib's Axes
    before = np.zeros((0, 3)) if primer is None else primer
    notes = np.concatenate([before, played])
    starts = np.cumsum(notes[:, 1])
    colours = ["0.6"] * len(before) + ["C0"] * len(played)
    axes.barh(notes[:, 0], np.maximum(notes[:, 2], 0.02), left=starts, height=0.8, color=colours)
    axes.set(xlabel="seconds", ylabel="MIDI pitch", title="Notes" + (" (grey: the primer)" if len(before) else ""))


def _draw_distribution(axes: Any, name: str, played: Floats, primer: Floats | None) -> None:  # noqa: ANN401 - matplotlib's Axes
    if name == "pitch":
        bins = np.arange(int(played.min(initial=127)) - 1, int(played.max(initial=0)) + 3) - 0.5
    else:
        bins = np.linspace(0, max(0.1, float(np.quantile(played, 0.98)) if len(played) else 0.1), 30)
    if primer is not None and len(primer):
        axes.hist(primer, bins=bins, density=True, color="0.6", label="primer")
    axes.hist(played, bins=bins, density=True, histtype="step", color="C0", linewidth=2, label="played")
    axes.set(xlabel="MIDI pitch" if name == "pitch" else f"{name} (seconds)")
    if primer is not None and len(primer):
        axes.legend(frameon=False)
