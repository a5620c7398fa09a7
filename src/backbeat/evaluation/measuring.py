"""Measuring the drummer and its floors on the same songs: likelihood, song-only onsets, musical sense.

Context of the likelihoods: the whole song, every step given the real drums before it and (where it listens) the whole band.
Song-only onsets: no real drums are given. A wrong band is that of another song of the same metre, repeated to fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.recall import recall
from backbeat.codecs.words import groove_to_words, words_to_hits
from backbeat.cues import Cues
from backbeat.datasets.preparation import Example, prepare_with_cues
from backbeat.datasets.source import Source
from backbeat.metrics import likelihood, onsets, sense
from backbeat.models.drummer import DrummerModel, Sampling
from backbeat.models.protocol import HeardBand, Piece, Player, Scorer

SEED = 0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Case:
    """A song to measure on: its real drums, its band, and both packed."""

    piece: Piece
    example: Example
    cues: Cues


@dataclass(frozen=True, eq=False)
class Measured:
    """What the drummer made of a case.

    Args:
        case: the song.
        log2_p: [steps] each: with its band, with a wrong one ("" where there is none of its metre), and without.
        hits: bool [steps, 9] played from the song alone.
    """

    case: Case
    log2_p: dict[str, Floats]
    hits: npt.NDArray[np.bool_]


def load_case(source: Source) -> Case | str:
    """Read a song as it is, without any cleaning, or say why it cannot be measured on."""
    prepared = prepare_with_cues(source.path, clean=False)
    if isinstance(prepared, str):
        return prepared
    example, cues = prepared
    if not example.words.any():
        return "no drums"
    piece = Piece(source.name, cues.grid, example.words, HeardBand(cues.onsets, cues.active_bars))
    return Case(piece, example, cues)


def exchange_band(case: Case, donor: Case) -> Example | None:
    """The case's drums with the donor's band, repeated to fill; None where the metres differ."""
    lengths = set(case.piece.grid.bar_steps.tolist())
    if lengths != set(donor.piece.grid.bar_steps.tolist()) or len(lengths) != 1:
        return None
    mine, theirs = case.example, donor.example
    step = np.resize(np.arange(len(theirs.step)), len(mine.step))
    bar = np.resize(np.arange(len(theirs.bar)), len(mine.bar))
    matches = donor.cues.matches[bar]
    matches = np.where(matches < np.arange(len(bar))[:, None], matches, -1)
    recalled = recall(mine.words, case.piece.grid, matches)
    return replace(mine, step=theirs.step[step], bar=theirs.bar[bar], song=theirs.song, recalled=recalled)


@cache
def _model(folder: str) -> DrummerModel:
    return DrummerModel(Path(folder))


def measure(task: tuple[Source, Source], folder: str, how: Sampling, play: bool = True) -> Measured | str:
    """Measure the drummer on one song, with another one as the wrong band."""
    case = load_case(task[0])
    if isinstance(case, str):
        return case
    model = _model(folder)
    scores = {"band": model.score(case.example), "no band": model.score(case.example, band=False)}
    donor = load_case(task[1])
    wrong = exchange_band(case, donor) if isinstance(donor, Case) else None
    if wrong is not None:
        scores["wrong band"] = model.score(wrong)
    hits = words_to_hits(np.zeros_like(case.example.words))
    if play:
        hits = words_to_hits(groove_to_words(model.play(case.cues, [np.random.default_rng([SEED, 0, 0])], how=how)[0]))
    return Measured(case, scores, hits)


def measure_all(
    sources: Sequence[Source], folder: Path, *, how: Sampling | None = None, workers: int = 2, progress: Callable[[int], None] = lambda n: None
) -> tuple[list[Measured], dict[str, str]]:
    """Measure on many songs; the wrong band of each is that of the song 7 places on.

    Returns:
        what was measured, and the songs that could not be with the reason.
    """
    tasks = [(s, sources[(i + 7) % len(sources)]) for i, s in enumerate(sources)]
    work = partial(measure, folder=str(folder), how=how or Sampling())
    kept, rejected = [], {}
    with ProcessPoolExecutor(workers) as pool:
        for done, (task, result) in enumerate(zip(tasks, pool.map(work, tasks, chunksize=4), strict=True), 1):
            if isinstance(result, str):
                rejected[task[0].name] = result
            else:
                kept.append(result)
            progress(done)
    return kept, rejected


def tabulate_likelihood(measured: Sequence[Measured], floors: Iterable[Scorer]) -> list[dict[str, Any]]:
    """Bits per onset and per step of the drummer and the floors; the wrong band only over songs that have one."""
    words = np.concatenate([m.case.example.words for m in measured])
    rows = []
    for kind in ("band", "no band"):
        rows.append({"model": f"drummer, {kind}", **likelihood.evaluate(np.concatenate([m.log2_p[kind] for m in measured]), words)})
    swapped = [m for m in measured if "wrong band" in m.log2_p]
    if swapped:
        theirs = np.concatenate([m.case.example.words for m in swapped])
        right, wrong = (likelihood.evaluate(np.concatenate([m.log2_p[k] for m in swapped]), theirs) for k in ("band", "wrong band"))
        rows.append({"model": "drummer, wrong band (metre matched)", **wrong, "band gain": wrong["bits_per_onset"] - right["bits_per_onset"]})
    for floor in floors:
        scores = np.concatenate([floor.score(m.case.piece) for m in measured])
        rows.append({"model": floor.name, **likelihood.evaluate(scores, words)})
    return rows


def tabulate_onsets(measured: Sequence[Measured], floors: Iterable[Player]) -> list[dict[str, Any]]:
    """Song-only onset F1 of the drummer and the floors (copies look at real drums, their names say so)."""
    real = [m.case.piece.hits for m in measured]
    bars = [m.case.piece.grid.first_steps for m in measured]
    rows = [{"model": "drummer", **onsets.evaluate(real, [m.hits for m in measured], bars)}]
    for floor in floors:
        rng = np.random.default_rng(SEED)
        rows.append({"model": floor.name, **onsets.evaluate(real, [floor.play(m.case.piece, rng) for m in measured], bars)})
    return rows


def tabulate_sense(measured: Sequence[Measured], floors: Iterable[Player]) -> list[dict[str, Any]]:
    """Musical sense of the real drums, the drummer and the floors."""
    rows = [{"model": "real drums", **_judge(measured, [m.case.piece.hits for m in measured])}]
    rows.append({"model": "drummer", **_judge(measured, [m.hits for m in measured])})
    for floor in floors:
        rng = np.random.default_rng(SEED)
        rows.append({"model": floor.name, **_judge(measured, [floor.play(m.case.piece, rng) for m in measured])})
    return rows


def _judge(measured: Sequence[Measured], hits: Sequence[npt.NDArray[np.bool_]]) -> dict[str, float]:
    performances = []
    for m, h in zip(measured, hits, strict=True):
        grid, cues = m.case.piece.grid, m.case.cues
        bass = cues.onsets[:, 0] > 0
        performances.append(sense.Performance(h, grid.first_steps, grid.numerators, grid.denominators, bass, cues.active_bars, cues.section_starts))
    return sense.evaluate(performances)
