"""Curves of a run: a PNG, and event files for TensorBoard, both made from its log."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from backbeat.errors import MissingExtraError
from backbeat.training.loop import read_log

PNG, EVENTS = "curves.png", "tensorboard"


def _gather(lines: list[dict[str, Any]]) -> dict[str, dict[str, list[tuple[int, float]]]]:
    """Figure -> "train" or "validation" -> (update, value)."""
    curves: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for line in lines:
        for kind in ("train", "validation"):
            for name, value in line.get(kind, {}).items():
                curves.setdefault(name, {}).setdefault(kind, []).append((line["update"], value))
    return curves


def draw_curves(folder: Path) -> Path:
    """Draw every figure of a run's log over the updates, training and validation in one panel.

    Args:
        folder: the run; ``curves.png`` is written there.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "train") from error
    curves = _gather(read_log(folder))
    figure = Figure(figsize=(4.2 * min(3, max(1, len(curves))), 3 * ((len(curves) + 2) // 3 or 1)), layout="constrained")
    for place, (name, kinds) in enumerate(curves.items(), 1):
        axes = figure.add_subplot((len(curves) + 2) // 3, min(3, len(curves)), place)
        for kind, points in kinds.items():
            axes.plot(*zip(*points, strict=True), marker="o" if len(points) < 40 and kind == "validation" else "", markersize=3, label=kind)
        values = [v for points in kinds.values() for _, v in points]
        if min(values) > 0 and max(values) > 20 * min(values):
            axes.set_yscale("log")
        axes.set(title=name.replace("_", " "), xlabel="update")
        axes.legend(frameon=False)
    path = folder / PNG
    figure.savefig(path, dpi=110)
    return path


def write_events(folder: Path) -> Path:
    """Write a run's log as TensorBoard event files, anew each time, so that a resumed run leaves no broken curve.

    Args:
        folder: the run; the files go to ``tensorboard`` there.

    Raises:
        MissingExtraError: tensorboardX is not installed.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("tensorboardX", "train") from error
    path = folder / EVENTS
    shutil.rmtree(path, ignore_errors=True)
    with SummaryWriter(str(path)) as writer:
        for name, kinds in _gather(read_log(folder)).items():
            for kind, points in kinds.items():
                for update, value in points:
                    writer.add_scalar(f"{name}/{kind}", value, update)
    return path
