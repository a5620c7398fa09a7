"""The performer: how each hit is played. Velocity and microtiming as people play them; the hits stay as they are.

Example:
    >>> from backbeat.performer import Playing, load_performer
    >>> performer = load_performer()
    >>> "drummer1" in performer.drummers
    True
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backbeat.codecs.strokes import Strokes, groove_to_strokes, strokes_to_groove
from backbeat.errors import InputError
from backbeat.groove import Groove
from backbeat.models.performer import Expected, PerformerNet, Told, open_performer
from backbeat.models.performer_inputs import ACCENTS, LATE_SCALE, VELOCITY_CENTRE, VELOCITY_SCALE, Seen, Singles, describe_strokes, scale_played
from backbeat.models.performer_limits import bound_lateness, find_graces, follow_mains
from backbeat.units import Floats, Ints, TempoMap

__all__ = ["Performer", "Playing", "load_performer"]

ROUNDED_STEPS = 4
"""Steps per quarter of a grid to which playing was rounded, whatever was meant."""


@dataclass(frozen=True)
class Playing:
    """How to play.

    Args:
        style: a style of ``Performer.styles``; "any" leaves it open.
        drummer: a drummer of ``Performer.drummers``; "any" leaves it open.
        tightness: 1 = as people play; 2 = twice as tight (the lateness lies half as far from the player's mean), 0.5 twice as loose.
        dynamics: times how far velocities lie from the mean of their class; 0 = all alike.
        temperature: of the draws; below 1 more usual, above 1 wilder.
        mean: play what players do on average, without drawing.

    Raises:
        InputError: a number is out of range.
    """

    style: str = "any"
    drummer: str = "any"
    tightness: float = 1.0
    dynamics: float = 1.0
    temperature: float = 1.0
    mean: bool = False

    def __post_init__(self) -> None:
        for name, least, most in (("tightness", 0.01, 1000.0), ("dynamics", 0.0, 10.0), ("temperature", 0.0, 5.0)):
            value = getattr(self, name)
            if not least <= value <= most:
                raise InputError(f"{name} must lie in {least:g}-{most:g}, not {value}")


class Performer:
    """Plays strokes and grooves.

    Args:
        net: see ``open_performer``.
    """

    def __init__(self, net: PerformerNet) -> None:
        self.net = net

    @property
    def styles(self) -> tuple[str, ...]:
        """Styles that can be asked for, "any" first."""
        return self.net.styles

    @property
    def drummers(self) -> tuple[str, ...]:
        """Drummers that can be asked for, "any" first."""
        return self.net.drummers

    def perform(self, groove: Groove, tempo: TempoMap, *, seed: int = 0, how: Playing = Playing()) -> Groove:
        """The same hits, played: new velocities and offsets.

        Args:
            groove: what is hit. On a grid of 16ths its hits are taken as rounded to it, on any other as meant where they stand.
            tempo: of the song.
            seed: the same plays the same.
            how: see ``Playing``.

        Raises:
            InputError: there is no such style or drummer.
        """
        strokes = groove_to_strokes(groove, tempo)
        return strokes_to_groove(self.perform_strokes(strokes, seed=seed, how=how, rounded=groove.grid.steps_per_quarter == ROUNDED_STEPS), groove, tempo)

    def perform_strokes(self, strokes: Strokes, *, seed: int = 0, how: Playing = Playing(), accents: Ints | None = None, rounded: bool = False) -> Strokes:
        """The same strokes, played: new velocities and lateness.

        Never later or earlier than 60 ms or half of the way to the next place, so no stroke passes another. Flams and drags stay
        what they are: their grace notes keep their distance from the main stroke.

        Args:
            strokes: what is struck; how it was played counts for nothing but flams.
            seed: the same plays the same; negative ones are seeds of their own.
            how: see ``Playing``.
            accents: int64 [n], how loud roughly, 0 = ghost, 1 = normal, 2 = accent, -1 = not said (see ``read_accents``); none = not said.
            rounded: the places are those of the nearest 16th, whatever was meant; else they are meant as they are.

        Raises:
            InputError: there is no such style or drummer, or the accents are not as above.
        """
        told = self._tell(strokes, how, accents)
        if not len(strokes):
            return strokes
        order = np.lexsort((strokes.columns, strokes.quarters))
        ordered = _reorder(strokes, order)
        seen = describe_strokes(ordered, rounded=rounded)
        expected = self.net.expect(seen, told._replace(accents=told.accents[order]))
        graces = find_graces(ordered)
        bounds = bound_lateness(ordered, graces)
        velocities, late = self._draw(seen, expected, (bounds / LATE_SCALE).astype(np.float32), np.random.default_rng(seed if seed >= 0 else [-seed, 1]), how)
        velocities = _scale_dynamics(velocities, ordered.columns, how.dynamics)
        late = np.clip(late.mean() + (late - late.mean()) / how.tightness, -bounds, bounds)
        late, velocities = follow_mains(ordered, late, velocities, graces)
        played = ordered.play(velocities=_to_midi(velocities), late=late.astype(np.float32))
        return _reorder(played, np.argsort(order, kind="stable"))

    def log_likelihood(self, strokes: Strokes, how: Playing = Playing(), *, rounded: bool = False) -> Floats:
        """float64 [n, 2]: how likely strokes were played as they are, each given those before it.

        Log2 of the probability of the velocity (one of 127), and of the density per ms of the lateness given it.

        Args:
            strokes: played.
            how: its style and drummer are told.
            rounded: see ``perform_strokes``.

        Raises:
            InputError: there is no such style or drummer.
        """
        told = self._tell(strokes, how, None)
        if not len(strokes):
            return np.zeros((0, 2))
        order = np.lexsort((strokes.columns, strokes.quarters))
        ordered = _reorder(strokes, order)
        seen = describe_strokes(ordered, rounded=rounded)
        out = np.zeros((len(strokes), 2))
        out[order] = self.net.measure(seen, self.net.expect(seen, told), scale_played(ordered.velocities, ordered.late))
        return out

    def _tell(self, strokes: Strokes, how: Playing, accents: Ints | None) -> Told:
        for kind, name, known in (("style", how.style, self.styles), ("drummer", how.drummer, self.drummers)):
            if name not in known:
                raise InputError(f"the performer knows no {kind} {name!r}: choose from {', '.join(known)}")
        said = np.full(len(strokes), -1, np.int64) if accents is None else np.asarray(accents, np.int64)
        if said.shape != (len(strokes),) or np.any((said < -1) | (said >= len(ACCENTS))):
            raise InputError(f"accents are {len(strokes)} numbers from -1 to {len(ACCENTS) - 1}, one a stroke")
        return Told(self.styles.index(how.style), self.drummers.index(how.drummer), said + 1)

    def _draw(self, seen: Seen, expected: Expected, bounds: Singles, rng: np.random.Generator, how: Playing) -> tuple[Floats, Floats]:
        """Velocities in 0-1 and lateness in ms, float64 [n] each."""
        if how.mean:
            played = np.stack([expected.means[:, 0], np.clip(expected.means[:, 1], -bounds, bounds)], axis=1)
        else:
            played = self.net.play(seen, expected, bounds, rng, how.temperature)
        return VELOCITY_CENTRE + VELOCITY_SCALE * played[:, 0].astype(np.float64), LATE_SCALE * played[:, 1].astype(np.float64)


def _reorder(strokes: Strokes, order: Ints) -> Strokes:
    names = ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm", "velocities", "late")
    return replace(strokes, **{n: getattr(strokes, n)[order] for n in names})


def _scale_dynamics(velocities: Floats, columns: Ints, dynamics: float) -> Floats:
    """Velocities [n] farther from the mean of their class, or nearer."""
    if dynamics == 1:
        return velocities
    means = (np.bincount(columns, velocities) / np.maximum(np.bincount(columns), 1))[columns]
    return np.asarray(means + dynamics * (velocities - means))


def _to_midi(velocities: Floats) -> Singles:
    """Velocities as a MIDI file can hold them, 1/127 to 1."""
    return np.asarray(np.clip(np.floor(velocities * 127 + 0.5), 1, 127) / 127, dtype=np.float32)


def load_performer(folder: Path | None = None) -> Performer:
    """The performer of a checkpoint folder; none = the one that ships.

    Raises:
        ModelError: the folder holds no performer, or is damaged.
    """
    return Performer(open_performer(folder))
