"""The sections of a song, with a letter each, and how intense the band is in each bar: what the timeline shows."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backbeat.cues import Cues

SAME_SECTION = 0.82
"""Sections whose bars are at least this like each other (mean cosine of their descriptors, bar by bar) share a letter."""
MAX_SHIFT = 1
"""Bars by which a section may be found too early or too late and still be compared rightly."""
LOUDEST_SHARE = 0.95

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """A run of bars: the first of them, how many they are, and the letter of the section that they are."""

    first_bar: int
    bars: int
    label: str


def find_sections(cues: Cues) -> list[Section]:
    """The sections of a song; similar ones share a letter, in the order in which they come: A, B, ... Z, AA.

    Args:
        cues: of the band.
    """
    starts = [*np.flatnonzero(cues.section_starts).tolist(), cues.grid.bars]
    spans = [(a, b) for a, b in itertools.pairwise(starts) if b > a]
    models: list[tuple[int, int]] = []
    out = []
    for first, end in spans:
        alike = [_compare(cues, span, (first, end)) for span in models]
        best = int(np.argmax(alike)) if alike else -1
        if best < 0 or alike[best] < SAME_SECTION:
            best = len(models)
            models.append((first, end))
        out.append(Section(first, end - first, name_letter(best)))
    return out


def name_letter(number: int) -> str:
    """A for 0, Z for 25, then AA, AB and so on."""
    name = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        name = chr(65 + place) + name
    return name


def _compare(cues: Cues, one: tuple[int, int], other: tuple[int, int]) -> float:
    """How like two runs of bars are, bar by bar from their starts, in 0-1; runs of very different lengths or metres are not."""
    if cues.grid.bar_steps[one[0]] != cues.grid.bar_steps[other[0]]:
        return 0.0
    lengths = sorted((one[1] - one[0], other[1] - other[0]))
    if lengths[0] * 3 < lengths[1]:
        return 0.0
    values = []
    for shift in range(-MAX_SHIFT, MAX_SHIFT + 1):
        a, b = one[0] + max(0, shift), other[0] + max(0, -shift)
        count = min(one[1] - a, other[1] - b)
        if count > 0:
            values.append(float((cues.descriptors[a : a + count] * cues.descriptors[b : b + count]).sum(axis=1).mean()))
    return max(values)


def measure_intensity(cues: Cues) -> Array:
    """How intense the band is in each bar: float64 [bars] in 0-1, against its most intense bars.

    The squared mean of three: how loudly the lanes play, how many sound, and how densely notes start.
    """
    grid = cues.grid
    if not grid.bars:
        return np.zeros(0)
    first, steps = grid.first_steps[:-1], np.maximum(grid.bar_steps, 1)
    struck = np.add.reduceat((cues.onsets > 0).astype(np.float64), first, axis=0)
    loud = np.add.reduceat(cues.velocities.astype(np.float64), first, axis=0) / np.maximum(struck, 1)
    power = np.sqrt((loud**2).sum(axis=1))
    lanes = cues.activity.sum(axis=1)
    density = np.sqrt(struck.sum(axis=1) / steps)
    mean = (_scale(power) + _scale(lanes) + _scale(density)) / 3
    return np.asarray(np.clip(mean, 0, 1) ** 2, dtype=np.float64)


def _scale(values: Array) -> Array:
    """The values against their highest, without the few that stick out."""
    top = float(np.quantile(values, LOUDEST_SHARE)) if len(values) else 0.0
    top = top or float(values.max(initial=0.0))
    return np.minimum(values / top, 1.0) if top > 0 else np.zeros(len(values))
