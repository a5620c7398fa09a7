"""NeuralDrummer's tokens: half-beats with the pitches struck and an intensity, as the original writes them into ``saved.txt``.

One line a file: ``42,36,i0.0,-1,42,i0.6,-1``. A number is a MIDI pitch of the drums, ``iX.X`` the intensity, ``-1`` ends a
half-beat. The intensity of a half-beat is that of the next one: how many notes of all instruments, drums included, start
there, as deviations from the song's mean in standard deviations, to one decimal; outliers are evened out first. A song in
which that number never changes has no deviation: the original writes ``inan`` then, which nothing can read.

Steps: a list a half-beat of tokens without the ``-1``. Source: bdshrk/neuraldrummer, 2023-2024 (MIT); FACTS of its behaviour in docs/models.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backbeat.codecs.half_beats import HalfBeats, read_half_beats
from backbeat.errors import InputError, MidiError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.units import Floats

END = "-1"
SHORTEST = 32
"""So many half-beats, or fewer, are too short a file."""
TAIL = 4
"""Half-beats behind the last bar line that repeat the last intensity."""
_OUTLYING = 2.0

Steps = list[list[str]]


def tokenise(data: bytes, *, drums_only: bool = True) -> Steps:
    """The tokens of a MIDI file.

    Args:
        data: the file.
        drums_only: pitches of the last drum instrument only, as in training; else of all instruments, as the original needs it to play.

    Raises:
        InputError: why the original leaves the file out: "Broken!", "File too short!", "Empty!" or no intensities.
    """
    try:
        beats = read_half_beats(data)
    except MidiError as error:
        raise InputError(f"Broken! ({error})") from error
    placed = [(i.is_drum, beats.place(i)) for i in beats.instruments]
    everything = _fill([p for _, p in placed])
    if len(everything) <= SHORTEST:
        raise InputError(f"File too short! ({len(everything)} half-beats, more than {SHORTEST} are needed)")
    intensities = _tell_intensities(everything, beats)
    drums = [p for is_drum, p in placed if is_drum]
    if drums_only and not drums:
        raise InputError("Empty! (no drums on channel 10)")
    steps = _fill(drums[-1:]) if drums_only else everything
    steps += [[] for _ in range(len(intensities) - len(steps))]
    return [[*step, *intensities[k : k + 1]] for k, step in enumerate(steps)]


def _fill(instruments: Sequence[list[tuple[int, int]]]) -> Steps:
    """Pitches by half-beat, instrument by instrument, until the last note."""
    steps: Steps = [[] for _ in range(1 + max((place for notes in instruments for place, _ in notes), default=-1))]
    for notes in instruments:
        for place, pitch in notes:
            steps[place].append(str(pitch))
    return steps


def _tell_intensities(everything: Steps, beats: HalfBeats) -> list[str]:
    counts = count_ahead([len(step) for step in everything], beats.last_downbeat)
    return [f"i{value}" for value in normalise(counts)]


def count_ahead(counts: Sequence[int], last_downbeat: int) -> Floats:
    """The number of notes of the half-beat behind each; the last is repeated, and then ``TAIL`` times more.

    Args:
        counts: notes by half-beat.
        last_downbeat: index of the last bar line.

    Raises:
        InputError: fewer than two half-beats are left.
    """
    length = min(last_downbeat - 1, len(counts))
    if length < 2:
        raise InputError("no intensities (there are less than two half-beats)")
    following = [*counts[1:length], counts[length - 1]]
    return np.array([*following, *following[-1:] * TAIL], dtype=np.float64)


def normalise(counts: Floats) -> Floats:
    """Deviations from the mean in standard deviations, to one decimal; NaN where nothing deviates.

    Args:
        counts: float64 [n].
    """
    even = replace_outliers(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.round((even - np.mean(even)) / np.std(even), 1))


def replace_outliers(counts: Floats) -> Floats:
    """Values that are two standard deviations from the mean, or more, become the mean of the nearest earlier and later one that is not.

    Where there is none on one side, the other's stands alone; where there is none at all, everything becomes the same.
    """
    mean, spread = np.mean(counts), np.std(counts)
    inside = np.flatnonzero((counts < mean + _OUTLYING * spread) & (counts > mean - _OUTLYING * spread))
    if not len(inside):
        return np.zeros_like(counts)
    index = np.arange(len(counts))
    right = np.searchsorted(inside, index)
    later = inside[np.minimum(right, len(inside) - 1)]
    earlier = inside[np.maximum(np.where((right < len(inside)) & (later == index), right, right - 1), 0)]
    return np.asarray(np.where(later == earlier, counts[later], (counts[earlier] + counts[later]) / 2))


def join_steps(steps: Steps) -> str:
    """Steps as a line of ``saved.txt``, without its end."""
    return ",".join(token for step in steps for token in (*step, END))


def split_line(line: str) -> Steps:
    """The inverse of ``join_steps``.

    Raises:
        InputError: a token is neither a pitch nor an intensity.
    """
    steps: Steps = [[]]
    for token in line.strip().split(",") if line.strip() else ():
        if token == END:
            steps.append([])
            continue
        try:
            if not (0 <= int(token) <= 127 if not token.startswith("i") else np.isfinite(float(token[1:])) or token == "inan"):
                raise ValueError
        except ValueError:
            raise InputError(f"{token!r} is no token: write a pitch as 42, an intensity as i0.6, the end of a half-beat as -1") from None
        steps[-1].append(token)
    return steps if steps[-1] else steps[:-1]


def read_lines(text: str) -> list[Steps]:
    """The files of a ``saved.txt``, as the original loads them: lines of at most nine tokens are left out.

    Raises:
        InputError: a token cannot be read; the message names the line.
    """
    files = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(",") + 1 > 9:
            try:
                files.append(split_line(line))
            except InputError as error:
                raise InputError(f"line {number}: {error}") from error
    return files


def encode_steps(steps: Steps, kit: Kit) -> npt.NDArray[np.float32]:
    """What the network reads: float32 [n, classes + 1], 1 for a class that is struck, the intensity last; other pitches are left out."""
    lookup = kit.lookup
    rows = np.zeros((len(steps), len(kit) + 1), np.float32)
    for row, step in zip(rows, steps, strict=True):
        for token in step:
            if token.startswith("i"):
                row[-1] = float(token[1:])
            elif lookup[int(token)] >= 0:
                row[lookup[int(token)]] = 1
    return rows


def steps_to_groove(steps: Steps, grid: Grid, kit: Kit | None = None) -> Groove:
    """Drums on a song's grid, as the original puts them into ``combined.mid``: half-beat k half a quarter behind the one before.

    That is in time only where beats are quarters; elsewhere it is what the original does. Every hit has velocity 127. The
    original's clock, a note 0 in every half-beat, is left out.

    Args:
        steps: tokens; intensities and pitches that the kit lacks are left out.
        grid: of the song; half-beats behind its end are left out.
        kit: names the classes; none = the original's six.
    """
    kit = kit or load_kit("neuraldrummer_6")
    struck = encode_steps(steps, kit)[:, :-1] > 0
    quarters = float(sum(grid.bar_quarters))
    per_quarter = float(grid.bar_ticks[-1] - grid.bar_ticks[0]) / max(quarters, 1e-9)
    ticks = np.floor(np.arange(len(steps)) * (int(per_quarter + 0.5) // 2)).astype(np.int64) + int(grid.bar_ticks[0])
    inside = ticks < grid.bar_ticks[-1]
    places, late = grid.locate(ticks[inside])
    shape = (grid.steps, len(kit))
    hits, offsets = np.zeros(shape, np.bool_), np.zeros(shape, np.float32)
    rows, columns = np.nonzero(struck[inside])
    hits[places[rows], columns] = True
    offsets[places[rows], columns] = late[rows]
    return Groove(grid, kit, hits, hits.astype(np.float32), offsets)


def groove_to_steps(groove: Groove, kit: Kit | None = None) -> Steps:
    """The pitches that each half-beat of a groove writes; the grid must have two steps a quarter.

    Raises:
        InputError: it has not.
    """
    kit = kit or load_kit("neuraldrummer_6")
    if groove.grid.steps_per_quarter != 2:
        raise InputError(f"half-beats need two steps a quarter, not {groove.grid.steps_per_quarter}: quantise the groove first")
    return [[str(note) for note in kit.written[row]] for row in groove.to_kit(kit).hits]
