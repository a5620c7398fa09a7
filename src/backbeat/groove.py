"""Groove: what the drummer plays, as an immutable value over arrays [step, kit class]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.grid import Grid
from backbeat.kits import Kit


@dataclass(frozen=True, eq=False)
class Groove:
    """Hits, velocities and offsets of a drum passage on a grid.

    Args:
        grid: the bars and steps.
        kit: names the columns.
        hits: bool [steps, classes].
        velocities: float32 [steps, classes] in (0, 1] where hit, 0 elsewhere.
        offsets: float32 [steps, classes], steps in [-0.5, 0.5), positive = late, 0 where not hit.

    Raises:
        ValueError: a shape or a range is wrong.
    """

    grid: Grid
    kit: Kit
    hits: npt.NDArray[np.bool_]
    velocities: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = (self.grid.steps, len(self.kit))
        for name, dtype in (("hits", np.bool_), ("velocities", np.float32), ("offsets", np.float32)):
            array = np.array(getattr(self, name), dtype=dtype)
            if array.shape != shape:
                raise ValueError(f"{name} has shape {array.shape}, not [steps, classes] = {shape}")
            if name != "hits":
                array[~self.hits] = 0
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        struck, late = self.velocities[self.hits], self.offsets[self.hits]
        if struck.size and not (struck.min() > 0 and struck.max() <= 1 and late.min() >= -0.5 and late.max() < 0.5):
            raise ValueError("velocities lie in (0, 1] and offsets in [-0.5, 0.5) where there is a hit")

    @classmethod
    def empty(cls, grid: Grid, kit: Kit) -> Groove:
        """A groove without a hit."""
        shape = (grid.steps, len(kit))
        return cls(grid, kit, np.zeros(shape, np.bool_), np.zeros(shape, np.float32), np.zeros(shape, np.float32))

    def replace(
        self,
        *,
        hits: npt.NDArray[np.bool_] | None = None,
        velocities: npt.NDArray[np.float32] | None = None,
        offsets: npt.NDArray[np.float32] | None = None,
    ) -> Groove:
        """A copy with some arrays exchanged."""
        new = [old if given is None else given for given, old in ((velocities, self.velocities), (offsets, self.offsets))]
        return Groove(self.grid, self.kit, self.hits if hits is None else hits, *new)

    def count_hits(self) -> dict[str, int]:
        """Number of hits of each class."""
        return dict(zip(self.kit.names, self.hits.sum(axis=0).tolist(), strict=True))

    def to_kit(self, kit: Kit) -> Groove:
        """The same passage in another kit; of two hits that meet in a cell the louder stays, classes it lacks leave."""
        target = self.kit.mapping(kit)
        shape = (self.grid.steps, len(kit))
        hits, velocities, offsets = np.zeros(shape, np.bool_), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for column, into in enumerate(target):
            if into < 0:
                continue
            louder = self.hits[:, column] & (self.velocities[:, column] > velocities[:, into])
            hits[louder, into] = True
            velocities[louder, into] = self.velocities[louder, column]
            offsets[louder, into] = self.offsets[louder, column]
        return Groove(self.grid, kit, hits, velocities, offsets)

    def bar(self, index: int) -> npt.NDArray[np.bool_]:
        """Bool [steps of the bar, classes]: the hits of one bar (0-based)."""
        return self.hits[self.grid.first_steps[index] : self.grid.first_steps[index + 1]]
