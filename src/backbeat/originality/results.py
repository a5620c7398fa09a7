"""What a comparison tells: windows, summaries, runs, passages, and where they come from. Bars are counted from 1."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where something stands in the training tracks.

    Args:
        name: of the track.
        bar: counted from 1.
        step: in the bar, from 0.
    """

    name: str
    bar: int
    step: int


@dataclass(frozen=True)
class Window:
    """A window of the query and the nearest training window.

    Args:
        bar, step, bars: where, bars from 1, and its length; those of the summaries begin at step 0.
        hits: its hits.
        distance: hits that differ; where no window is near, ``far`` is set and nothing is nearer than this.
        tempo, turn: how the training window lies on it: written at which tempo, and turned by how many of its steps.
        tracks: number of training tracks that have it.
        sources: some of its places.
    """

    bar: int
    bars: int
    hits: int
    distance: int
    far: bool
    step: int = 0
    tempo: float = 1.0
    turn: int = 0
    tracks: int = 0
    sources: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Summary:
    """The windows of one length.

    Args:
        bars: their length.
        windows: how many have a hit.
        median_distance: in hits.
        median_share: distance over the window's hits.
        exact_copies: share of windows at distance 0.
        far: share of windows with nothing near (a quarter of their hits or more differ).
    """

    bars: int
    windows: int
    median_distance: float
    median_share: float
    exact_copies: float
    far: float


@dataclass(frozen=True)
class VerbatimRun:
    """The longest passage that stands word for word in a training track, from a hit to a hit, rests included.

    Args:
        steps: its length in 16ths.
        bars: the same in bars of the query.
        bar, step: where it starts in the query, bars from 1.
        tracks: number of training tracks that have it.
        sources: some of its places.
    """

    steps: int
    bars: float
    bar: int
    step: int
    tracks: int
    sources: tuple[Place, ...]


@dataclass(frozen=True)
class SharedPassage:
    """A passage that nearly stands in a training track, wherever its bar lines are.

    Args:
        bar, step, steps: where in the query.
        tempo: as in ``Window``.
        distance, hits: hits that differ, and the passage's hits.
        source: where it stands.
    """

    bar: int
    step: int
    steps: int
    tempo: float
    distance: int
    hits: int
    source: Place


@dataclass(frozen=True)
class Originality:
    """What ``compare`` found.

    Args:
        name: of the query.
        bars: its bars.
        tracks, training_bars: what it was compared with.
        summaries: by length.
        windows: all windows with a hit, and near ones that begin off the bar line; the rarest copies first.
        run: None where not even eight steps stand in a training track.
        passages: best first.
        human: the same figures for human tracks against the other training tracks; {} where they were not measured.
    """

    name: str
    bars: int
    tracks: int
    training_bars: int
    summaries: tuple[Summary, ...]
    windows: tuple[Window, ...]
    run: VerbatimRun | None
    passages: tuple[SharedPassage, ...]
    human: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
