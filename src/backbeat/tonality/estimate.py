"""What a detector says of a key."""

from __future__ import annotations

from dataclasses import dataclass

from backbeat.tonality.scales import get_mode, name_key, name_tonic
from backbeat.units import Floats


@dataclass(frozen=True, eq=False)
class KeyEstimate:
    """The key that is most likely, and how likely it and the others are.

    Args:
        key: 0-23, see ``scales``.
        probabilities: float64 [24]; they sum to one.
    """

    key: int
    probabilities: Floats

    @property
    def confidence(self) -> float:
        """The probability of the key, 0-1."""
        return float(self.probabilities[self.key])

    @property
    def name(self) -> str:
        """Short, as in "Am" or "Bb"."""
        return name_key(self.key)

    @property
    def tonic(self) -> str:
        """Its tonic, as in "A" or "Bb"."""
        return name_tonic(self.key)

    @property
    def mode(self) -> str:
        """Either "major" or "minor"."""
        return get_mode(self.key)
