"""Hits played by hand in the studio: new ones among those that stay, and all of them again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backbeat.groove import Groove
from backbeat.performer import Playing
from backbeat.studio.beside import MOST_BESIDE, play_beside
from backbeat.studio.drums import LATEST, Flags
from backbeat.studio.settings import Values
from backbeat.studio.windows import Window
from backbeat.touch import TIGHTNESS, open_shipped, perform
from backbeat.transforms.playability import make_playable

TYPED_VELOCITIES, TYPED_SPREAD = 3, 0.01
"""Drums with no more velocities in a class than this, or whose offsets (steps) differ by less, were typed; what joins them is typed, too."""
_ENOUGH = 6
_LOUDER = (0.5, 2.0)
_CLEARLY_OFF, _PLAIN, _USUAL_LOUD = 0.2, 6.0, 80.0
_PLACES = np.array([-0.5, -1 / 3, 0.0, 1 / 3, LATEST])
_TURNS, _NEAR = 8, 1

Levels = npt.NDArray[np.float32]


def make_playing(settings: Values, style: str | None = None) -> Playing:
    """How the performer plays with the settings of a song.

    Args:
        settings: of the song.
        style: asked for; one that the performer does not know is left open.
    """
    tightness, dynamics = settings["tightness"], settings["dynamics"]
    style = style or settings["style"] or "any"
    known = style if style in open_shipped().styles else "any"
    return Playing(style=known, tightness=TIGHTNESS if tightness is None else tightness, dynamics=1.0 if dynamics is None else dynamics)


def play_new(groove: Groove, new: Flags, window: Window, playing: Playing, seed: int) -> Groove:
    """Play the new hits of some bars, as loud beside the others as a drummer would, and leave those be.

    Where the drums that stay were typed, on the grid or with hardly a velocity of their own, the new ones stay as they are.

    Args:
        groove: of the window; its new hits lie where they are meant, with velocities that suit.
        new: bool [steps, classes], which hits are new.
        window: the bars.
        playing: how.
        seed: the same plays the same.
    """
    old = groove.hits & ~new
    if not (groove.hits & new).any():
        return groove
    loud, late = (True, True) if old.sum() < _ENOUGH else (not _is_typed_loudness(groove, old), bool(np.ptp(groove.offsets[old]) >= TYPED_SPREAD))
    if not loud and not late:
        return groove
    take = new & groove.hits
    if old.sum() >= _ENOUGH and take.sum() <= MOST_BESIDE:
        velocities, offsets = play_beside(groove, take, window, playing, seed)
    else:
        played = perform(groove, window.tempo, playing, seed=seed)
        velocities = (played.velocities * _compare_levels(groove, played, old)).astype(np.float64)
        offsets = played.offsets.astype(np.float64)
    struck = np.clip(np.floor(velocities * 127 + 0.5), 1, 127) / 127
    return groove.replace(
        velocities=np.where(take, struck, groove.velocities).astype(np.float32) if loud else groove.velocities,
        offsets=np.where(take, np.clip(offsets, -0.5, LATEST), groove.offsets).astype(np.float32) if late else groove.offsets,
    )


def _is_typed_loudness(groove: Groove, old: Flags) -> bool:
    """Whether every class that is struck often has but a few velocities."""
    often = [c for c in range(len(groove.kit)) if old[:, c].sum() >= 2 * _ENOUGH] or [c for c in range(len(groove.kit)) if old[:, c].any()]
    return all(len(np.unique(groove.velocities[old[:, c], c])) <= TYPED_VELOCITIES for c in often)


def _compare_levels(given: Groove, played: Groove, old: Flags) -> Levels:
    """float32 [classes]: how much louder each class is in the hits that stay than the performer would have played them."""
    if not old.any():
        return np.ones(len(given.kit), np.float32)
    whole = float(given.velocities[old].mean() / played.velocities[old].mean())
    own = [
        float(given.velocities[old[:, c], c].mean() / played.velocities[old[:, c], c].mean()) if old[:, c].sum() >= _ENOUGH else whole
        for c in range(len(given.kit))
    ]
    return np.clip(np.array(own, np.float32), *_LOUDER).astype(np.float32)


def drop_impossible(groove: Groove, new: Flags, window: Window) -> Groove:
    """Without new hits that two hands and two feet could not play together with what stays.

    Args:
        groove: of the window.
        new: bool [steps, classes], which hits are new; all others stay, also where nobody could play them.
        window: the bars.
    """
    for _ in range(_TURNS):
        gone = groove.hits & ~make_playable(groove, window.tempo).hits
        if not gone.any():
            return groove
        leaving = gone & new
        if not leaving.any():  # one that stays would have to go: the new ones beside it do
            rows = np.asarray(gone.any(axis=1))
            near = np.asarray(np.convolve(rows, np.ones(2 * _NEAR + 1))[_NEAR : _NEAR + len(rows)] > 0)
            leaving = groove.hits & new & near[:, None]
        if not leaving.any():
            return groove
        groove = groove.replace(hits=groove.hits & ~leaving)
    return groove
