"""The feel of a take as a template: how late and how loud each drum is at each place of the bar, to be given to other drums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.codecs.places import Swing
from backbeat.codecs.strokes import Strokes
from backbeat.errors import InputError
from backbeat.units import Floats, Ints

Flags = npt.NDArray[np.bool_]
_TURNS = 6
_EVEN = 48


@dataclass(frozen=True, eq=False)
class Template:
    """The feel of a take: the mean of what was played, by class and place in the bar, and in coarser ways where that says nothing.

    Args:
        cells, classes, places: (class, place), class, or place in the bar (48ths of a quarter) -> mean lateness in ms and velocity, 1-127.
        all: the mean of everything.
        swing: of the take.
    """

    cells: Mapping[tuple[str, int], tuple[float, float]]
    classes: Mapping[str, tuple[float, float]]
    places: Mapping[int, tuple[float, float]]
    all: tuple[float, float]
    swing: Swing

    def look_up(self, name: str, place: int) -> tuple[float, float, str]:
        """Mean lateness and velocity for a stroke, and what they are of: "cell", "class", "place" or "all"."""
        if (name, place) in self.cells:
            return *self.cells[name, place], "cell"
        if name in self.classes:
            return *self.classes[name], "class"
        if place in self.places:
            return *self.places[place], "place"
        return *self.all, "all"


def number_places(straight: Floats) -> Ints:
    """int64 [m]: places in the bar in 48ths of a quarter."""
    return np.asarray(np.floor(straight * _EVEN + 0.5), dtype=np.int64)


def learn_template(strokes: Strokes, straight: Floats, late: Floats, swing: Swing) -> Template:
    """The feel of a take.

    Args:
        strokes: the take.
        straight: float64 [m], places without swing.
        late: float64 [m], ms behind the nominal places, swing included in those.
        swing: of the take.

    Raises:
        InputError: the take has no stroke.
    """
    if not len(strokes):
        raise InputError("the groove to take the feel of has no drums")
    names = strokes.kit.names
    velocities = strokes.velocities.astype(np.float64) * 127
    place = number_places(straight)

    def average(keys: list[tuple[int, ...]]) -> dict[tuple[int, ...], tuple[float, float]]:
        different, number = np.unique(np.array(keys), axis=0, return_inverse=True)
        number, count = number.reshape(-1), np.bincount(number.reshape(-1))
        means = zip((np.bincount(number, late) / count).tolist(), (np.bincount(number, velocities) / count).tolist(), strict=True)
        return dict(zip(map(tuple, different.tolist()), means, strict=True))

    columns, places = strokes.columns.tolist(), place.tolist()
    cells = {(names[c], p): v for (c, p), v in average(list(zip(columns, places, strict=True))).items()}
    classes = {names[c]: v for (c,), v in average([(c,) for c in columns]).items()}
    by_place = {p: v for (p,), v in average([(p,) for p in places]).items()}
    return Template(cells, classes, by_place, (float(late.mean()), float(velocities.mean())), swing)


def follow_template(strokes: Strokes, straight: Floats, late: Floats, velocities: Floats, template: Template) -> tuple[Floats, Floats, Ints, Flags]:
    """Shift what was performed so that each place of the bar and class has the template's means.

    Args:
        strokes: what is played.
        straight: float64 [m], places without swing.
        late: float64 [m], ms.  velocities: float64 [m], MIDI units.
        template: the feel.

    Returns:
        lateness and velocities; int64 [m], the group that each stroke belongs to; bool [m], whether the template has its class and place.
    """
    names, places = strokes.kit.names, number_places(straight).tolist()
    found = [template.look_up(names[c], p) for c, p in zip(strokes.columns.tolist(), places, strict=True)]
    keys = [
        (k, names[c] if k in ("cell", "class") else "", p if k in ("cell", "place") else 0)
        for (_, _, k), c, p in zip(found, strokes.columns.tolist(), places, strict=True)
    ]
    numbers = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    group = np.array([numbers[key] for key in keys], dtype=np.int64)
    aims = np.array([(a, v) for a, v, _ in found]).reshape(-1, 2)
    count = np.maximum(np.bincount(group, minlength=1), 1)
    out = []
    for values, aim, low, high in ((late, aims[:, 0], -np.inf, np.inf), (velocities, aims[:, 1], 1.0, 127.0)):
        moved = values.astype(np.float64)
        for _ in range(_TURNS):
            moved = np.clip(moved + aim - (np.bincount(group, moved, minlength=1) / count)[group], low, high)
        out.append(moved)
    return out[0], out[1], group, np.array([k == "cell" for _, _, k in found], dtype=np.bool_)
