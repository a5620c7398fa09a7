"""Human takes as strokes for the performer: rounded to 16ths, as notated, and thinned out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from backbeat.codecs.strokes import Strokes, groove_to_strokes
from backbeat.datasets.source import Source
from backbeat.errors import BackbeatError, InputError
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song
from backbeat.models.performer_inputs import Seen, Singles, describe_strokes, read_accents, scale_played
from backbeat.song import Song
from backbeat.units import Floats, Ints

ANY = "any"
DIVISIONS = {4: 0.0, 3: 0.02, 6: 0.05, 8: 0.06}
"""Parts of a beat that a notation chooses from -> what each costs, in quarters of mean squared-root distance."""
VARIANTS = ("rounded", "nine", "notated", "thinned")


class Take(NamedTuple):
    """A take as the network learns it.

    Args:
        seen: see ``describe_strokes``.
        played: float32 [n, 2], velocity and lateness in the network's units.
        accents: int64 [n].
        sixteenth: float32 [n], lateness of a whole 16th in the network's units.
        style, drummer: names.
        variant: one of ``VARIANTS``.
    """

    seen: Seen
    played: Singles
    accents: Ints
    sixteenth: Singles
    style: str
    drummer: str
    variant: str


def find_player(source: Source) -> str:
    """The drummer of a take, from its tags or the first folder of its name; "any" where neither says."""
    named = [t for t in (*source.tags, source.name.split("/")[0]) if t.startswith("drummer") and t[7:].isdigit()]
    return named[0] if named else ANY


def list_variants(song: Song, variants: Sequence[str], rng: np.random.Generator) -> dict[str, Strokes]:
    """The strokes of a song in several readings: on 16ths with all drums or nine of them, as notated, and with drums taken away."""
    out = {}
    kit, nine = load_kit("backbeat"), load_kit("drums_rnn_9")
    for variant in variants:
        if variant in ("rounded", "nine"):
            strokes = groove_to_strokes(extract_groove(song, song.grid(), nine if variant == "nine" else kit)[0], song.tempo)
        else:
            strokes = notate(groove_to_strokes(extract_groove(song, song.grid(24), kit)[0], song.tempo))
        out[variant] = thin(strokes, rng) if variant == "thinned" else strokes
    return out


def thin(strokes: Strokes, rng: np.random.Generator) -> Strokes:
    """The same strokes without those of one or two drums, chosen at random; all where nothing would be left."""
    columns = np.unique(strokes.columns)
    lost = rng.choice(columns, min(len(columns), int(rng.integers(1, 3))), replace=False)
    stays = ~np.isin(strokes.columns, lost)
    return pick(strokes, np.flatnonzero(stays)) if stays.any() else strokes


def pick(strokes: Strokes, chosen: Ints) -> Strokes:
    """Some of the strokes.

    Args:
        strokes: of a piece.
        chosen: int64 [m], ascending.
    """
    names = ("columns", "bars", "places", "bar_quarters", "beat_quarters", "starts", "qpm", "velocities", "late")
    return replace(strokes, **{n: getattr(strokes, n)[chosen] for n in names})


def notate(strokes: Strokes) -> Strokes:
    """Strokes at the places where a notation would put them: each beat in 16ths, triplets, sextuplets or 32nds, whichever is near and simple.

    Of two strokes of a drum that fall on one place the louder stays.
    """
    if not len(strokes):
        return strokes
    milliseconds = 60_000 / strokes.qpm
    played = strokes.quarters + strokes.late / milliseconds
    beats = np.floor(played + 1 / 16).astype(np.int64)
    beats -= beats.min()
    nominal, cost = np.zeros((len(DIVISIONS), len(strokes))), np.zeros((len(DIVISIONS), int(beats.max()) + 1))
    for row, (division, price) in enumerate(DIVISIONS.items()):
        nominal[row] = np.floor(played * division + 0.5) / division
        distance = np.bincount(beats, (played - nominal[row]) ** 2) / np.maximum(np.bincount(beats), 1)
        cost[row] = np.sqrt(distance) + price
    places = nominal[cost.argmin(axis=0)[beats], np.arange(len(strokes))]
    late = ((played - places) * milliseconds).astype(np.float32)
    inside = places - strokes.starts
    bars, starts, inside = _move_bars(strokes, places, inside)
    moved = replace(strokes, places=inside, bars=bars, starts=starts, late=late)
    order = np.lexsort((-moved.velocities, moved.columns, np.round(places * 48)))
    key = np.stack([np.round(places * 48), moved.columns], axis=1)[order]
    first = np.concatenate([[True], (np.diff(key, axis=0) != 0).any(axis=1)])
    return pick(moved, order[first])


def _move_bars(strokes: Strokes, places: Floats, inside: Floats) -> tuple[Ints, Floats, Floats]:
    """Bars, their starts and the places in them of strokes that rounding took into the bar before or behind."""
    early, late = (inside < -1e-6) & (strokes.bars > 0), inside > strokes.bar_quarters - 1e-6
    bars = strokes.bars - early + late
    starts = strokes.starts - np.where(early, strokes.bar_quarters, 0) + np.where(late, strokes.bar_quarters, 0)
    return bars, starts, np.maximum(places - starts, 0)


def prepare_takes(sources: Sequence[Source], variants: Sequence[str] = VARIANTS, seed: int = 0, shortest: int = 4) -> list[Take]:
    """All takes in all variants.

    Args:
        sources: MIDI files.
        variants: see ``list_variants``.
        seed: of what is thinned out.
        shortest: strokes of a take, at least.

    Raises:
        InputError: no take can be used.
    """
    takes = []
    for number, source in enumerate(sources):
        try:
            found = list_variants(parse_song(source.read(), source.name), variants, np.random.default_rng([seed, number]))
        except BackbeatError:
            continue
        for variant, strokes in found.items():
            if len(strokes) >= shortest:
                takes.append(make_take(strokes, source.genre or ANY, find_player(source), variant))
    if not takes:
        raise InputError(f"none of {len(sources)} pieces has {shortest} strokes to learn from: the performer needs MIDI files of drums")
    return takes


def make_take(strokes: Strokes, style: str, drummer: str, variant: str) -> Take:
    """Strokes as the network learns them."""
    seen = describe_strokes(strokes, rounded=variant in ("rounded", "nine"))
    sixteenth = scale_played(strokes.velocities, (15_000 / strokes.qpm).astype(np.float32))[:, 1]
    return Take(seen, scale_played(strokes.velocities, strokes.late), read_accents(strokes), sixteenth, style, drummer, variant)
