"""New hits in the manner of those that are there: as loud, and as late, as the drums around them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backbeat.cues import Cues
from backbeat.groove import Groove
from backbeat.transforms.timing import follow_timing

_ENOUGH, _STEADY, _CLEARLY_OFF = 8, 0.12, 0.2
_LATEST = np.nextafter(np.float32(0.5), np.float32(0))


def suit(new: Groove, given: Groove, cues: Cues) -> Groove:
    """Give new hits the velocities and the timing of the drums that are given.

    A hit takes that velocity of its class in ``given`` that is nearest to its own, so that drums of one velocity stay so, and
    ghost notes stay ghost notes. It is as late as the given hits usually are at its place in the quarter, if they are steady
    there; else as the band is, see ``follow_timing``; where the band is clearly off the grid it always goes with the band.

    Args:
        new: hits on the grid.  given: drums on the same grid, in the same kit.
        cues: the band on that grid.
    """
    followed = follow_timing(new, cues)
    clearly = (cues.onsets.sum(axis=1) > 0) & (np.abs(cues.offsets) > _CLEARLY_OFF)
    habit, steady = find_habit(given)
    phase = new.grid.step_in_bar % new.grid.steps_per_quarter
    late = np.where((steady[phase] & ~clearly)[:, None], habit[phase][:, None], followed.offsets)
    return Groove(new.grid, new.kit, new.hits, match_velocities(new, given), np.where(new.hits, late, 0).astype(np.float32))


def match_velocities(new: Groove, given: Groove) -> npt.NDArray[np.float32]:
    """float32 [steps, classes]: the velocities of new hits, each exchanged for the nearest that its class has in ``given``.

    A class that is not in ``given`` keeps its own, unless all given hits are equally loud.
    """
    out = new.velocities.copy()
    everywhere = np.unique(given.velocities[given.hits])
    for column in range(len(new.kit)):
        known = np.unique(given.velocities[given.hits[:, column], column])
        if not len(known) and len(everywhere) == 1:
            known = everywhere
        here = new.hits[:, column]
        if len(known) and here.any():
            out[here, column] = known[np.argmin(np.abs(out[here, column][:, None] - known), axis=1)]
    return out


def find_habit(given: Groove) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """How late hits usually are at each place of the quarter (median, float32 [steps per quarter]), and where they are steady enough to say so."""
    count = given.grid.steps_per_quarter
    steps, columns = np.nonzero(given.hits)
    late, phase = given.offsets[steps, columns], given.grid.step_in_bar[steps] % count
    habit, steady = np.zeros(count, np.float32), np.zeros(count, np.bool_)
    for k in range(count):
        here = late[phase == k]
        if len(here) >= _ENOUGH:
            habit[k] = min(np.float32(np.median(here)), _LATEST)
            steady[k] = np.mean(np.abs(here - habit[k]) < _STEADY) > 0.6
    return habit, steady
