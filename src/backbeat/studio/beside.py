"""New strokes played beside others that were played before: each drawn given how all before it were played, the old ones as they are.

The performer's network is the one of ``backbeat.performer``; there it draws every stroke. Here what stays is its past, so that new hats are
loud where the old ones are loud, and early where they are early.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from backbeat.codecs.strokes import Strokes, groove_to_strokes
from backbeat.groove import Groove
from backbeat.models.performer import CHOICE, LOUDEST, NARROWEST, QUIETEST, SPREAD, Expected, Told
from backbeat.models.performer_inputs import LATE_SCALE, VELOCITY_CENTRE, VELOCITY_SCALE, Seen, describe_strokes, scale_played
from backbeat.models.performer_limits import bound_lateness, find_graces
from backbeat.performer import Playing
from backbeat.studio.drums import LATEST, Flags
from backbeat.studio.windows import Window
from backbeat.touch import open_shipped
from backbeat.transforms.suiting import find_habit
from backbeat.units import Floats

MOST_BESIDE, REMEMBERED = 160, 48
"""So many new strokes are played one by one, more are a passage of their own; and each in view of so many before it."""
LOUDEST_SPREAD = 0.06
"""How far below the loudest that stays those end that would be louder."""
_SWUNG, _CLEARLY_OFF = 0.06, 0.25
_PLACES = np.array([-0.5, -1 / 3, 0.0, 1 / 3, LATEST])
_NAMES = ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm", "velocities", "late")


def play_beside(groove: Groove, new: Flags, window: Window, playing: Playing, seed: int) -> tuple[Floats, Floats]:
    """Velocities (0-1, any) and offsets (steps, any) of a groove whose new hits are played beside the old ones.

    Args:
        groove: of the window; its new hits lie where they are meant.
        new: bool [steps, classes], which hits are new.
        window: the bars.
        playing: how; ``dynamics`` has been heeded by the old hits, so the new ones follow them.
        seed: the same plays the same.

    Returns:
        float64 [steps, classes] each, 0 without a hit.
    """
    strokes, fresh, order = _read(groove, new, window)
    net, meant = open_shipped().net, replace(strokes, late=np.zeros_like(strokes.late))
    seen = describe_strokes(meant)
    told = Told(net.styles.index(playing.style), net.drummers.index(playing.drummer), np.zeros(len(strokes), np.int64))
    expected = net.expect(seen, told)
    played = scale_played(strokes.velocities, (strokes.late * np.where(fresh, 0, playing.tightness)).astype(np.float32))
    bounds, rng = bound_lateness(meant, find_graces(meant)) / LATE_SCALE, np.random.default_rng(seed)
    for i in np.flatnonzero(fresh).tolist():
        near = slice(max(0, i - REMEMBERED), i + 1)
        mixture = net.follow(_cut(seen, near), Expected(expected.means[near], expected.lead[near]), played[near])[-1]
        played[i] = _draw(mixture, expected.means[i, :2].astype(np.float64), float(bounds[i]), rng)
    late = played[:, 1].astype(np.float64) * LATE_SCALE / playing.tightness
    velocities, offsets = np.zeros(groove.hits.shape), np.zeros(groove.hits.shape)
    steps, columns = (a[order] for a in np.nonzero(groove.hits))
    velocities[steps, columns] = VELOCITY_CENTRE + VELOCITY_SCALE * played[:, 0].astype(np.float64)
    loudest = velocities[groove.hits & ~new].max(initial=0) or 1.0
    above = new & (velocities > loudest)  # the performer's kit ends at 127, the others were held back
    velocities[above] = loudest * (1 - LOUDEST_SPREAD * rng.random(int(above.sum())))
    nominal = (strokes.quarters - groove_to_strokes(groove, window.tempo).quarters[order]) * groove.grid.steps_per_quarter
    offsets[steps, columns] = nominal + late * strokes.qpm / 60_000 * groove.grid.steps_per_quarter
    return velocities, offsets


def _cut(seen: Seen, near: slice) -> Seen:
    """Some strokes on their own; what refers to strokes before them refers to none."""
    references = seen.references[near] - near.start
    return Seen(seen.features[near], seen.families[near], np.where(references < 0, -1, references))


def _draw(mixture: Floats, means: Floats, bound: float, rng: np.random.Generator) -> tuple[float, float]:
    """One stroke from its mixture, see ``PerformerNet.follow``: a component, and logistic noise about it."""
    logits, loud, loud_scale, late, late_scale = np.split(mixture, 5)
    k = int(np.argmax(logits + CHOICE * rng.gumbel(size=len(logits))))
    noise = np.clip(rng.random(2), 1e-3, 1 - 1e-3)
    noise = np.log(noise / (1 - noise)) * SPREAD
    velocity = means[0] + loud[k] + noise[0] * max(NARROWEST[0], float(np.exp(loud_scale[k])))
    lateness = means[1] + late[k] + noise[1] * max(NARROWEST[1], float(np.exp(late_scale[k])))
    return float(np.clip(velocity, QUIETEST, LOUDEST)), float(np.clip(lateness, -bound, bound))


def _read(groove: Groove, new: Flags, window: Window) -> tuple[Strokes, Flags, Any]:
    """The strokes in the order in which they are meant, which of them are new (bool [n]), and that order (int64 [n])."""
    meant = find_meant(groove, new)
    strokes = groove_to_strokes(groove, window.tempo)
    steps, columns = np.nonzero(groove.hits)
    nominal = meant[steps, columns] / groove.grid.steps_per_quarter
    late = (strokes.late / 60_000 * strokes.qpm - nominal) * 60_000 / strokes.qpm
    strokes = replace(strokes, places=strokes.places + nominal, late=late.astype(np.float32))
    order = np.lexsort((strokes.columns, strokes.quarters))
    return replace(strokes, **{name: getattr(strokes, name)[order] for name in _NAMES}), new[steps, columns][order], order


def find_meant(groove: Groove, new: Flags) -> Floats:
    """float64 [steps, classes]: the offsets at which hits are meant; those of new hits are where they are.

    An old hit is meant where hits of its place in the quarter usually are, if that is clearly off the grid, else on it; one that is far from
    there is a triplet or a 32nd.

    Args:
        groove: bars.
        new: bool [steps, classes].
    """
    habit, steady = find_habit(groove.replace(hits=groove.hits & ~new))
    usual = np.where(steady & (np.abs(habit) > _SWUNG), habit, 0)[groove.grid.step_in_bar % groove.grid.steps_per_quarter]
    nearest = _PLACES[np.abs(groove.offsets[..., None] - _PLACES).argmin(axis=-1)]
    old = np.where(np.abs(groove.offsets - usual[:, None]) > _CLEARLY_OFF, nearest, usual[:, None])
    return np.where(new, groove.offsets, old).astype(np.float64)
