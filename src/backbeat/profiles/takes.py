"""Takes of a player as they are learned from, and as the performer hears them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from backbeat.codecs.strokes import Strokes
from backbeat.datasets.preparation import Example
from backbeat.models.performer import Expected, PerformerNet, Told
from backbeat.models.performer_inputs import LATE_SCALE, Seen, describe_strokes, map_families, scale_played
from backbeat.profiles.calibration import Calibration, Mixture, read_mixture
from backbeat.profiles.habits import find_places
from backbeat.profiles.steadiness import Frame
from backbeat.units import Floats, Ints

STROKE_ARRAYS = ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm", "velocities", "late")


class Take(NamedTuple):
    """A take of the player, or a part of one.

    Args:
        strokes: in order of their places.
        seen: of the whole take.
        first, stop: the strokes that are learned from or measured; those before are only heard.
        piece: the hits on a grid of 16ths; none where the take does not lie on one.
        first_bar, stop_bar: the bars of the piece that count; None = to the end.
    """

    strokes: Strokes
    seen: Seen
    first: int
    stop: int
    piece: Example | None = None
    first_bar: int = 0
    stop_bar: int | None = None

    @property
    def part(self) -> slice:
        """The strokes that count."""
        return slice(self.first, self.stop)


class Played(NamedTuple):
    """How strokes were played, float64 or int64 [n] each: velocities (0-1), lateness in ms, families and places."""

    velocities: Floats
    late: Floats
    families: Ints
    places: Ints


def make_take(strokes: Strokes, piece: Example | None = None) -> Take:
    """A whole take.

    Args:
        strokes: as played.
        piece: its hits on a grid of 16ths, see ``datasets.preparation``.
    """
    order = np.lexsort((strokes.columns, strokes.quarters))
    ordered = replace(strokes, **{n: getattr(strokes, n)[order] for n in STROKE_ARRAYS})
    return Take(ordered, describe_strokes(ordered), 0, len(ordered), piece)


def shorten_takes(takes: Sequence[Take], most: int) -> list[Take]:
    """Takes of which no more strokes count than so many of each."""
    return [t._replace(stop=min(t.stop, t.first + most)) for t in takes]


def cut_take(take: Take) -> tuple[Take, Take]:
    """About two thirds of a take as if nothing else had been played, and the rest, before which the whole is heard."""
    bars = np.flatnonzero(np.diff(take.strokes.bars) > 0) + 1
    middle = 2 * len(take.strokes) // 3
    middle = int(bars[np.abs(bars - middle).argmin()]) if len(bars) else middle
    begun = make_take(replace(take.strokes, **{n: getattr(take.strokes, n)[:middle] for n in STROKE_ARRAYS}))
    bar = int(take.strokes.bars[middle]) if len(bars) else 0
    return begun._replace(piece=take.piece, stop_bar=bar), take._replace(first=middle, first_bar=bar)


def read_played(take: Take, part: slice | None = None) -> Played:
    """How strokes of a take were played; those that count, or another part."""
    s, part = take.strokes, part or take.part
    loud, late = s.velocities[part].astype(np.float64), s.late[part].astype(np.float64)
    return Played(loud, late, map_families(s.kit)[s.columns[part]], find_places(s.places[part]))


def expect_take(net: PerformerNet, take: Take, style: str, drummer: str) -> Expected:
    """What the performer expects of a take before it hears any of it."""
    told = Told(net.styles.index(style), net.drummers.index(drummer), np.zeros(len(take.strokes), np.int64))
    return net.expect(take.seen, told)


def hear_take(net: PerformerNet, take: Take, calibration: Calibration, style: str, drummer: str) -> Frame:
    """What the performer expects of a take up to the last stroke that counts, each given those before as it would have played them."""
    past = slice(take.stop)
    played = read_played(take, past)
    loud, late = calibration.to_frame(played.velocities, played.late, played.families)
    whole = expect_take(net, take, style, drummer)
    scaled = scale_played(loud.astype(np.float32), late.astype(np.float32))
    seen = Seen(take.seen.features[past], take.seen.families[past], take.seen.references[past])
    expected = Expected(whole.means[past], whole.lead[past])
    mixture = read_mixture(net.follow(seen, expected, scaled), expected.means.astype(np.float64))
    upper, lower = calibration.find_edges(played.velocities, played.families)
    values = (scaled[:, 0].astype(np.float64), scaled[:, 1].astype(np.float64))
    stretch = calibration.numbers[played.families, -1] + np.log(LATE_SCALE)
    return Frame(mixture, upper, lower, values, stretch, played.families, played.places)


def cut_played(played: Played, part: slice) -> Played:
    """Some of the strokes."""
    return Played(played.velocities[part], played.late[part], played.families[part], played.places[part])


def cut_mixture(mixture: Mixture, part: slice) -> Mixture:
    """Some strokes of a mixture."""
    return Mixture(*(m[part] for m in mixture))


def cut_frame(frame: Frame, part: slice) -> Frame:
    """Some strokes of a frame."""
    values = (frame.values[0][part], frame.values[1][part])
    rest = (getattr(frame, n)[part] for n in ("stretch", "families", "places"))
    return Frame(cut_mixture(frame.mixture, part), frame.upper[part], frame.lower[part], values, *rest)
