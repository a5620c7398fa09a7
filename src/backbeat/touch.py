"""From what a drummer decided to how hands and feet play it: velocity, microtiming, and nothing that nobody could play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.asking import Wishes
from backbeat.codecs.controls import Levels, velocity_of
from backbeat.codecs.strokes import groove_to_strokes
from backbeat.groove import Groove
from backbeat.performer import Performer, Playing, load_performer
from backbeat.profiles import load_profile
from backbeat.transforms.playability import make_playable
from backbeat.units import Floats, TempoMap

_LATEST = np.nextafter(np.float32(0.5), np.float32(0))
FOLLOWED = 0.5
"""How far loudness as the drummer decided it, of the classes and of each bar, moves the performer's: 0 not at all, 1 fully."""
SURE = 8
"""Hits of a class by which its loudness is half its own, half that of the whole."""
DRIFT = 6
"""Quarters on either side over which drummers find back to the band."""
KNEE = 0.7
"""Velocities above this are held back."""
HELD = 0.4
"""How far above it they come at most."""
MARKING = ("crash", "splash", "china")
"""Cymbals that mark a place: a drummer who strikes one means it, though the performer learned from people who also brush them."""
TIGHTNESS = 1.5
"""A good drummer to a click: nearer to it than the players of Groove MIDI, who mean 1."""


@dataclass(frozen=True)
class Touch:
    """How hits are played.

    Args:
        performed: velocities and microtiming by the performer; False leaves them as the drummer decided, on the grid and the band's timing.
        playable: hits that two hands and two feet cannot play leave.
        playing: how the performer plays.
        profile: folder of ``backbeat learn``, whose player it is; none = the performer that ships.
    """

    performed: bool = True
    playable: bool = True
    playing: Playing = field(default_factory=lambda: Playing(tightness=TIGHTNESS))
    profile: Path | None = None

    def in_style(self, style: str) -> Touch:
        """The same in a style, where the performer knows it and nothing else is asked for."""
        if not self.performed or self.playing.style != "any" or style not in open_shipped().styles:
            return self
        return replace(self, playing=replace(self.playing, style=style))


TOUCH = Touch()
"""As a good drummer plays."""
TYPED = Touch(performed=False, playable=False)
"""Hits as they were decided."""


@cache
def open_shipped() -> Performer:
    """The performer that ships, opened once."""
    return load_performer()


def play_by_hand(groove: Groove, tempo: TempoMap, touch: Touch = TOUCH, *, seed: int = 0, rounded: bool = False, wishes: Wishes | None = None) -> Groove:
    """Hits as a person plays them.

    Args:
        groove: what is hit; its offsets are where the hits are meant (swing, triplets), its velocities how loud its bars are.
        tempo: of the song.
        touch: see ``Touch``.
        seed: the same plays the same.
        rounded: the hits stand on the nearest 16th, whatever was meant; else they are meant where they are.
        wishes: in which styles bars are played, where the performer knows them, and how loud.
    """
    if touch.performed and groove.hits.any():
        performer = load_profile(touch.profile) if touch.profile is not None else None
        styles = dict.fromkeys(wishes.styles) if wishes else {"any": None}
        playings = {style: touch.in_style(style).playing for style in styles}
        played = {how: perform(groove, tempo, how, seed=seed, rounded=rounded, performer=performer) for how in dict.fromkeys(playings.values())}
        groove = _choose_by_bar([played[playings[style]] for style in wishes.styles]) if wishes else played[touch.playing]
    groove = make_playable(groove, tempo) if touch.playable else groove
    return set_loudness(groove, wishes.intensity) if wishes else groove


def _choose_by_bar(played: Sequence[Groove]) -> Groove:
    """Each bar from the groove in its place: the same hits, played in several ways."""
    first, steps = played[0], played[0].grid.first_steps
    velocities, offsets = first.velocities.copy(), first.offsets.copy()
    for bar, groove in enumerate(played):
        here = slice(int(steps[bar]), int(steps[bar + 1]))
        velocities[here], offsets[here] = groove.velocities[here], groove.offsets[here]
    return first.replace(velocities=velocities, offsets=offsets)


def set_loudness(groove: Groove, intensity: Levels) -> Groove:
    """The same hits as loud as is asked for; what is not said stays as loud as it is.

    Bars in a row with the same wish are made louder or softer together, so that what is between them and within them stays:
    struck harder by one factor, the loudest held back.

    Args:
        groove: hits with velocities.
        intensity: float32 [bars] in 0-1, nan = not said; see ``codecs.controls``.
    """
    if np.isnan(intensity).all() or not groove.hits.any():
        return groove
    velocities = groove.velocities.copy()
    edges = [0, *(np.flatnonzero(np.diff(np.nan_to_num(intensity, nan=-1))) + 1).tolist(), len(intensity)]
    for first, last in pairwise(edges):
        steps = slice(int(groove.grid.first_steps[first]), int(groove.grid.first_steps[last]))
        hits = groove.hits[steps]
        if hits.any() and not np.isnan(intensity[first]):
            wanted = float(velocity_of(intensity[first : first + 1])[0]) / 127
            velocities[steps][hits] = _to_midi(_strike(velocities[steps][hits].astype(np.float64), wanted))
    return groove.replace(velocities=velocities)


def _strike(velocities: Floats, wanted: float) -> Floats:
    """Velocities [n] struck harder or softer by one factor, the loudest held back, so that their mean is the one that is wanted."""
    low, high = 1e-3, 1e3
    for _ in range(40):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if float(hold_back(middle * velocities).mean()) < wanted else (low, middle)
    return hold_back(low * velocities)


def hold_back(velocities: Floats) -> Floats:
    """Velocities that go beyond ``KNEE`` pressed together below 1.

    Args:
        velocities: float [n], 0 or more.
    """
    above = np.maximum(velocities - KNEE, 0) / (1 - KNEE)
    return np.asarray(np.minimum(velocities, KNEE) + (1 - KNEE) * np.tanh(above), dtype=np.float64)


def perform(groove: Groove, tempo: TempoMap, playing: Playing, *, seed: int = 0, rounded: bool = False, performer: Performer | None = None) -> Groove:
    """The same hits with a performer's velocities and microtiming about the places where they are meant; see ``play_by_hand``."""
    strokes = groove_to_strokes(groove, tempo)
    quarter = 60_000 / strokes.qpm
    meant = replace(strokes, places=strokes.places + strokes.late / quarter, late=np.zeros_like(strokes.late))
    played = (performer or open_shipped()).perform_strokes(meant, seed=abs(seed), how=playing, rounded=rounded)
    steps, columns = np.nonzero(groove.hits)
    offsets = np.zeros(groove.hits.shape, np.float32)
    in_steps = (strokes.late + stay_with_band(played.late, meant.quarters)) / quarter * groove.grid.steps_per_quarter
    offsets[steps, columns] = np.clip(in_steps, -0.5, _LATEST)
    velocities = np.zeros(groove.hits.shape, np.float32)
    force = _measure_force(groove, played.velocities, by_class=performer is None)
    loud = spread_loudest(played.velocities, np.random.default_rng([abs(seed), len(steps)]))
    velocities[steps, columns] = soften(loud * force)
    marking = [name in MARKING for name in groove.kit.names]
    velocities[:, marking] = mean_it(velocities[:, marking], groove.velocities[:, marking])
    return groove.replace(velocities=np.where(groove.hits, _to_midi(velocities), 0).astype(np.float32), offsets=offsets)


def stay_with_band(late: npt.NDArray[np.float32], quarters: Floats) -> Floats:
    """Lateness without its slow drift: among themselves drummers rush and drag for bars, with a band they come back to it.

    Args:
        late: float32 [n], ms.
        quarters: float64 [n], where each stroke is meant.

    Returns:
        float64 [n], ms; its mean over about two bars is 0 everywhere.
    """
    bins = np.floor(quarters - quarters.min()).astype(np.int64)
    sums, counts = np.bincount(bins, late.astype(np.float64)), np.bincount(bins).astype(np.float64)
    window = np.hanning(2 * DRIFT + 3)[1:-1]
    drift, weight = (np.convolve(values, window)[DRIFT : DRIFT + len(sums)] for values in (sums, counts))
    return np.asarray(late - (drift / np.maximum(weight, 1e-9))[bins], dtype=np.float64)


def spread_loudest(velocities: npt.NDArray[np.float32], rng: np.random.Generator) -> Floats:
    """Velocities with those at 127, where a fifth of the strokes on electronic kits end, as they may have been: no two accents are alike.

    Args:
        velocities: float32 [n] in 0-1.
        rng: the same state plays the same.

    Returns:
        float64 [n]; what is spread lies about 0.97, from 0.75 to 1.2.
    """
    return np.where(velocities >= 1, np.clip(rng.normal(0.97, 0.09, len(velocities)), 0.75, 1.2), velocities.astype(np.float64))


def soften(velocities: Floats) -> Floats:
    """Velocities with the loudest held back, as electronic kits reach 127 often and a sampled kit should seldom: 1 becomes 0.87, 1.5 becomes 0.97.

    Args:
        velocities: float [n], 0 or more.
    """
    above = np.maximum(velocities - KNEE, 0)
    return np.asarray(np.minimum(velocities, KNEE) + above / (1 + above / HELD), dtype=np.float64)


def mean_it(velocities: npt.NDArray[np.float32], decided: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Velocities at least 0.6 of what was decided: those below 0.75 of it are pressed together above 0.6.

    Args:
        velocities, decided: float32, of one shape.
    """
    return np.maximum(velocities, 0.6 * decided + 0.2 * velocities)


def _measure_force(groove: Groove, played: npt.NDArray[np.float32], *, by_class: bool) -> Floats:
    """float64 [n]: how much harder each stroke is struck than the performer strikes it, 1 = as hard.

    Args:
        groove: of n hits, with the drummer's velocities, from which the loudness of the whole, of each class and of each bar is taken.
        played: float32 [n], the performer's velocities, by step and class.
        by_class: False leaves the balance of the classes to the performer.
    """
    steps, columns = np.nonzero(groove.hits)
    decided, columns = groove.velocities[steps, columns].astype(np.float64), columns if by_class else np.zeros_like(columns)
    counts, decisions, plays = (np.bincount(columns, w) for w in (np.ones(len(columns)), decided, played.astype(np.float64)))
    level = (decisions + SURE * decided.mean()) / (plays + SURE * played.mean())
    bars = groove.grid.bar_of_step[steps]
    usual = np.bincount(bars, (decisions / np.maximum(counts, 1))[columns])
    louder = np.bincount(bars, decided) / np.maximum(usual, 1e-9)
    return np.asarray(level[columns] ** FOLLOWED * (1 + FOLLOWED * (louder[bars] - 1)), dtype=np.float64)


def _to_midi(velocities: npt.NDArray[np.float32] | Floats) -> npt.NDArray[np.float32]:
    """Velocities as a MIDI file can hold them, 1/127 to 1."""
    return np.asarray(np.clip(np.floor(velocities * 127 + 0.5), 1, 127) / 127, dtype=np.float32)
