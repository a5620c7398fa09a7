"""What two hands and two feet can play: who plays what, where it is impossible, and what to leave out then.

The search is a Viterbi decoding over assignments of strokes to limbs, as in fingering (Al Kasimi, Nichols, Raphael: A simple algorithm for automatic
generation of polyphonic piano fingerings, ISMIR 2007). Limits and sources: ``docs/playability.md``.
"""

from backbeat.transforms.playability.conflicts import Conflict, assign_limbs, assign_note_limbs, find_conflicts, find_note_conflicts, make_playable
from backbeat.transforms.playability.limits import PLAYED, WRITTEN, Limits
from backbeat.transforms.playability.strokes import Fault, Limb, Timed, Verdict, judge

__all__ = [
    "PLAYED",
    "WRITTEN",
    "Conflict",
    "Fault",
    "Limb",
    "Limits",
    "Timed",
    "Verdict",
    "assign_limbs",
    "assign_note_limbs",
    "find_conflicts",
    "find_note_conflicts",
    "judge",
    "make_playable",
]
