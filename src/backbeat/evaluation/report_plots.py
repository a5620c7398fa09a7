"""The plots of a report, each as one SVG element that can stand in a page.

Made by matplotlib without its global state; the same figures give the same bytes. Colours are those of Okabe and Ito, and
every series also has a hatch, a dash or a marker of its own. Text stays text, so that it can be searched and read aloud.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES
from backbeat.errors import MissingExtraError
from backbeat.evaluation.report_figures import Feature, Places, measure_wasserstein
from backbeat.evaluation.results import REAL
from backbeat.kits import load_kit
from backbeat.metrics.calibration import Reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#000000")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "++", "oo")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<")
HUMAN = "#c8c8c8"
BINS = 16
SHORT = 40
"""Longest name in a plot; what is longer is cut, and stands in full in the tables."""

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "backbeat",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "hatch.linewidth": 0.7,
    "legend.frameon": False,
}


def shorten(name: str) -> str:
    """A name that fits beside a plot."""
    return name if len(name) <= SHORT else name[: SHORT - 1] + "…"


@contextmanager
def _style() -> Iterator[None]:
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError("matplotlib", "report") from None
    with matplotlib.rc_context(_STYLE):
        yield


def _make_figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _write(figure: Figure, name: str, text: str) -> str:
    """The figure as one SVG element with a description, its ids made unique by ``name``."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}, transparent=True)
    svg = file.getvalue().decode("utf-8")
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(text)}"', 1)


def plot_classes(scores: Mapping[str, Floats]) -> str:
    """Bars of onset F1 by class.

    Args:
        scores: player -> float64 [9], nan for a class that nobody hits.
    """
    labels = [c.label for c in load_kit("drums_rnn_9").classes]
    with _style():
        figure = _make_figure(10.4, 3.6)
        axes = figure.subplots()
        width = 0.84 / max(len(scores), 1)
        for index, (name, values) in enumerate(scores.items()):
            places = np.arange(CLASSES) - 0.42 + (index + 0.5) * width
            bars: dict[str, Any] = {"color": COLOURS[index % 7], "hatch": HATCHES[index % 7], "edgecolor": "white", "linewidth": 0.4}
            axes.bar(places, np.nan_to_num(values), width, label=shorten(name), **bars)
        axes.set_xticks(range(CLASSES), labels)
        axes.set_ylim(0, 1)
        axes.set_ylabel("onset F1")
        axes.grid(axis="y", color="#dddddd")
        figure.legend(loc="outside upper left", ncols=min(4, max(len(scores), 1)))
        means = "; ".join(
            f"{name}: " + ", ".join(f"{c} {v:.2f}" for c, v in zip(labels, values, strict=True) if np.isfinite(v)) for name, values in scores.items()
        )
        return _write(figure, "classes", f"Bar chart of onset F1 by class. {means}.")


def plot_features(features: Mapping[Feature, Mapping[str, Floats]]) -> str:
    """Histograms of each feature over pieces, a row a player, the real drums as a grey shape behind each.

    Args:
        features: feature -> player -> float64 [pieces]; ``REAL`` among the players.
    """
    shown = {f: by for f, by in features.items() if np.isfinite(by[REAL]).any()}
    players = [p for p in next(iter(shown.values()), {}) if p != REAL]
    if not shown or not players:
        return ""
    with _style():
        figure = _make_figure(10.4, 0.75 + 0.85 * len(players))
        grid = figure.subplots(len(players), len(shown), squeeze=False, sharex="col")
        for column, (feature, by) in enumerate(shown.items()):
            edges = _choose_edges(list(by.values()))
            for row, player in enumerate(players):
                _draw_histogram(grid[row, column], by[REAL], by[player], edges, row)
            grid[0, column].set_title(feature.name)
        for row, player in enumerate(players):
            grid[row, 0].set_ylabel(_wrap(shorten(player)), rotation=0, ha="right", va="center")
        parts = [f"{f.name}: " + ", ".join(f"{p} {measure_wasserstein(by[REAL], by[p]):.3g}" for p in players) for f, by in shown.items()]
        return _write(figure, "features", f"Histograms of {len(shown)} features. Wasserstein distances from the real drums, {'; '.join(parts)}.")


def _wrap(name: str, width: int = 12) -> str:
    words, lines = name.split(" "), [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _choose_edges(samples: Sequence[Floats]) -> Floats:
    values = np.concatenate([s[np.isfinite(s)] for s in samples])
    low, high = float(values.min()), float(values.max())
    return np.linspace(low, high if high > low else low + 1, BINS + 1)


def _draw_histogram(axes: Axes, real: Floats, played: Floats, edges: Floats, index: int) -> None:
    shares = [np.histogram(v[np.isfinite(v)], edges)[0] / max(int(np.isfinite(v).sum()), 1) for v in (real, played)]
    axes.stairs(shares[0], edges, fill=True, color=HUMAN)
    axes.stairs(shares[1], edges, color=COLOURS[index % 7], linewidth=1.5)
    axes.set_yticks([])
    axes.set_ylim(0, max(float(np.max(shares)), 1e-9) * 1.4)
    distance = measure_wasserstein(real, played)
    axes.text(0.98, 0.94, f"W {distance:.2g}" if np.isfinite(distance) else "none", transform=axes.transAxes, ha="right", va="top", fontsize=8)


def plot_places(places: Mapping[str, Places]) -> str:
    """Share of bars that hit a class at a place of the bar, played against real, a panel a player.

    Args:
        places: player -> its shares.
    """
    labels = [c.label for c in load_kit("drums_rnn_9").classes]
    with _style():
        figure = _make_figure(10.4, 4.1)
        grid = figure.subplots(1, max(len(places), 2), squeeze=False, sharex=True, sharey=True)[0]
        for axes, (name, place) in zip(grid, places.items(), strict=False):
            axes.plot([0, 1], [0, 1], color="#777777", linewidth=1, linestyle="--")
            for index, label in enumerate(labels):
                marker: dict[str, Any] = {"marker": MARKERS[index], "color": (*COLOURS, "#666666", "#7a3e9d")[index], "markersize": 5}
                axes.plot(place.real[:, index], place.played[:, index], linestyle="", alpha=0.8, label=label, **marker)
            axes.set_title(f"{_wrap(shorten(name), 24)}\nmean gap {place.gap:.2f}")
            axes.set_xlabel("share of real bars")
            axes.set_aspect("equal")
        grid[0].set_ylabel("share of played bars")
        for axes in grid[len(places) :]:
            axes.set_axis_off()
        handles, names = grid[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right center")
        text = ", ".join(f"{name} {place.gap:.2f}" for name, place in places.items())
        return _write(figure, "places", f"Scatter plots of how often each class is hit at each place of a bar, played against real. Mean gap: {text}.")


def plot_reliability(curves: Mapping[str, tuple[Reliability, float]]) -> str:
    """Reliability curves: predicted chance of a hit against the share of hits.

    Args:
        curves: model -> its curve and its expected calibration error.
    """
    with _style():
        figure = _make_figure(5.4, 4.1)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="#777777", linewidth=1, linestyle="--")
        for index, (name, (curve, error)) in enumerate(curves.items()):
            full = curve.counts > 0
            look: dict[str, Any] = {"clip_on": False, "color": COLOURS[index % 7], "marker": MARKERS[index % 9], "linestyle": ("-", "--", ":", "-.")[index % 4]}
            axes.plot(curve.predicted[full], curve.happened[full], label=f"{shorten(name)}, ECE {error:.3f}", **look)
        axes.set(xlabel="predicted chance of a hit", ylabel="share that was hit", xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.legend(loc="upper left")
        text = ", ".join(f"{name} {error:.3f}" for name, (_, error) in curves.items())
        return _write(figure, "reliability", f"Reliability curves of the chance of a hit. Expected calibration error: {text}.")


def plot_songs(model: str, floor: str, ours: Floats, theirs: Floats, marked: Mapping[str, Sequence[int]]) -> str:
    """Bits per onset by piece, the model's against those of a floor.

    Args:
        model, floor: names.
        ours, theirs: float64 [pieces], nan where one has no figure.
        marked: label -> indices of pieces that stand out.
    """
    both = np.isfinite(ours) & np.isfinite(theirs)
    if not both.any():
        return ""
    with _style():
        figure = _make_figure(6.2, 4.6)
        axes = figure.subplots()
        high = 1.06 * float(max(ours[both].max(), theirs[both].max()))
        axes.plot([0, high], [0, high], color="#777777", linewidth=1, linestyle="--")
        axes.plot(theirs[both], ours[both], linestyle="", marker="o", color=COLOURS[0], alpha=0.5, markersize=4)
        for index, (label, chosen) in enumerate(marked.items(), 1):
            kept = [i for i in chosen if both[i]]
            axes.plot(theirs[kept], ours[kept], linestyle="", marker=MARKERS[index], color=COLOURS[index], markersize=8, label=label)
        axes.set(xlabel=f"bits per onset, {shorten(floor)}", ylabel=f"bits per onset, {shorten(model)}", xlim=(0, high), ylim=(0, high), aspect="equal")
        axes.legend(loc="upper left")
        better = f"{model} needs fewer bits than {floor} in {int((ours < theirs)[both].sum())} of {int(both.sum())} pieces"
        return _write(figure, "songs", f"Scatter plot of bits per onset by piece: {better}.")
