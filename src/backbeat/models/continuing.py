"""Going on after a primer, with any model that improvises: a primer in text or from a song, a grid long enough, the drums on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.drum_events import DRUM_KIT, DrumEncoding, parse_primer
from backbeat.codecs.words import PLAIN_VELOCITY, words_to_groove
from backbeat.errors import InputError, ModelError
from backbeat.grid import MAX_BARS, Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, read_song
from backbeat.models.drums_rnn import MOST_BEAMS, DrumsRnnModel
from backbeat.sampling import draw_steps
from backbeat.units import MetreMap, TempoMap, round_half_up

DEFAULT_QPM = 120.0
SLOWEST, FASTEST = 20, 400
MAX_STEPS = 16_000
_CLAP = 39


@dataclass(frozen=True, eq=False)
class Primer:
    """Drums to go on after.

    Args:
        events: int64 [n], numbers of an encoding.
        grid: bars that hold them.
        tempo, metre: to write with.
        is_text: whether it came as text, so that it may end anywhere.
    """

    events: npt.NDArray[np.int64]
    grid: Grid
    tempo: TempoMap
    metre: MetreMap
    is_text: bool


@dataclass(frozen=True)
class Search:
    """How a continuation is drawn; defaults are those of the original.

    Args:
        temperature, top_p: see ``sampling.draw_steps``.
        beam_size, branch_factor, steps_per_iteration: see ``sampling.search_beams``; for models whose takes can branch.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    beam_size: int = 1
    branch_factor: int = 1
    steps_per_iteration: int = 1


def read_primer(primer: str, encoding: DrumEncoding = DRUM_KIT, qpm: float | None = None) -> Primer:
    """A primer from text as "[(36,42),(),(42,)]" (4/4), or from a MIDI file, whose tempo it has.

    Args:
        primer: the text, or the path of the file.
        encoding: in which it is read.
        qpm: tempo that is asked for; of text 120 if none is.

    Raises:
        InputError: the text is no primer, the file has no drums, or another tempo than the one asked for.
    """
    if qpm is not None and not SLOWEST <= qpm <= FASTEST:
        raise InputError(f"the tempo must lie in {SLOWEST}-{FASTEST} quarter notes a minute, not {qpm:g}")
    if primer.lstrip()[:1] in ("[", "(") and not Path(primer).is_file():
        return _read_text(primer, encoding, DEFAULT_QPM if qpm is None else qpm)
    song = read_song(Path(primer))
    if not song.drum_parts:
        raise InputError(f"{primer} has no drums to go on after")
    own = song.tempo.qpm()
    if qpm is not None and abs(own - qpm) > 0.01:
        raise InputError(f"{primer} plays at {own:.6g} BPM, not at {qpm:g}: leave --qpm out")
    grid = song.grid(encoding.steps_per_quarter)
    kit = load_kit("drums_rnn_9" if encoding is DRUM_KIT else "general_midi")
    hits = extract_groove(song, grid, kit)[0].hits
    events = np.array([encoding.number(kit.written[np.flatnonzero(row)].tolist()) for row in hits], np.int64)
    return Primer(events, grid, song.tempo, song.metre, is_text=False)


def _read_text(text: str, encoding: DrumEncoding, qpm: float) -> Primer:
    events = encoding.numbers(parse_primer(text))
    bar = 4 * encoding.steps_per_quarter
    grid = Grid.regular(-(-len(events) // bar), steps_per_quarter=encoding.steps_per_quarter)
    return Primer(events, grid, TempoMap(480, (0,), (round_half_up(60e6 / qpm),)), MetreMap((0,), (4,), (4,)), is_text=True)


def extend_grid(grid: Grid, steps: int) -> Grid:
    """A grid with as many more bars like the last one as ``steps`` steps need.

    Raises:
        InputError: the piece would be too long.
    """
    if not 0 < steps <= MAX_STEPS:
        raise InputError(f"so many steps cannot be played: ask for {MAX_STEPS:,} at most, not {steps:,}")
    if steps <= grid.steps:
        return grid
    more = -((grid.steps - steps) // int(grid.bar_steps[-1]))
    if grid.bars + more > MAX_BARS:
        raise InputError(f"so many bars cannot be played: ask for {MAX_BARS:,} at most")
    length = int(grid.bar_ticks[-1] - grid.bar_ticks[-2])
    ticks = np.concatenate([grid.bar_ticks, grid.bar_ticks[-1] + length * np.arange(1, more + 1)])
    quarters = (*grid.bar_quarters, *grid.bar_quarters[-1:] * more)
    numerators, denominators = ((*n, *n[-1:] * more) for n in (grid.numerators, grid.denominators))
    return Grid(ticks, quarters, numerators, denominators, grid.steps_per_quarter)


def find_length(primer: Primer, bars: int | None, steps: int | None) -> int:
    """Steps of the result, primer included; the original's default is 128.

    Raises:
        InputError: both are given, or the primer is not shorter.
    """
    if bars is not None and steps is not None:
        raise InputError("give --bars or --steps, not both")
    if bars is not None:
        more = max(0, bars - primer.grid.bars)
        wanted = int(primer.grid.first_steps[min(bars, primer.grid.bars)]) + more * int(primer.grid.bar_steps[-1]) if bars > 0 else 0
    else:
        wanted = 128 if steps is None else steps
    if wanted <= len(primer.events):
        raise InputError(f"the primer has {len(primer.events)} steps ({primer.grid.bars} bars), and so long is the result to be: ask for more bars or steps")
    return wanted


def continue_primer(model: Any, primer: Primer, steps: int, rng: np.random.Generator, how: Search) -> tuple[Groove, float]:  # noqa: ANN401 - any improviser
    """Go on after a primer.

    Args:
        model: one that improvises.
        primer: in its encoding.
        steps: of the result, primer included.
        rng: the same seed plays the same.
        how: see there.

    Returns:
        the drums, primer first, and the natural logarithm of the probability of what was added, as it was drawn.

    Raises:
        InputError: an option is out of range, or not for this model.
        ModelError: the model does not improvise.
    """
    grid = extend_grid(primer.grid, steps)
    if isinstance(model, DrumsRnnModel):
        words, log_p = model.continue_words(primer.events, grid.bar_steps, rng, steps=steps, **vars(how))
        return _make_groove(words, grid, model.encoding), log_p
    if not hasattr(model, "begin"):
        raise ModelError(f"{model.name} cannot go on after a primer: it plays for songs only")
    if (how.beam_size, how.branch_factor, how.steps_per_iteration) != (1, 1, 1):
        raise InputError(f"{model.name} does not search with beams: leave --beam-size, --branch-factor and --steps-per-iteration out")
    if not 0 <= how.temperature <= 5 or not 0 < how.top_p <= 1:
        raise InputError(f"temperature must lie in 0-5 and top-p in (0, 1], not {how.temperature} and {how.top_p}")
    take = model.begin(grid)
    for word in primer.events.tolist():
        take.push(word)
    more, log_p = draw_steps(take, steps - len(primer.events), rng, temperature=how.temperature, top_p=how.top_p)
    return _make_groove(np.concatenate([primer.events, np.array(more, np.int64)]), grid, DRUM_KIT), log_p


def _make_groove(words: npt.NDArray[np.int64], grid: Grid, encoding: DrumEncoding) -> Groove:
    """Drums on a grid; behind their end it is silent."""
    words = np.pad(words, (0, grid.steps - len(words)))
    if encoding is DRUM_KIT:
        return words_to_groove(words.astype(np.uint16), grid)
    kit = load_kit("general_midi")
    hits = np.zeros((grid.steps, len(kit)), np.bool_)
    hits[:, kit.lookup[_CLAP]] = words > 0
    return Groove(grid, kit, hits, hits * np.float32(PLAIN_VELOCITY), np.zeros(hits.shape, np.float32))


__all__ = ["MOST_BEAMS", "Primer", "Search", "continue_primer", "extend_grid", "find_length", "read_primer"]
