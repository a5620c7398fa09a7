"""The tables of a report. A row maps "model" to its name and column names to figures; a title says context and task.

Song-only onsets and onsets with history are different tasks and never share a table. Rows that stand on fewer pieces than
the others say on how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backbeat.codecs.words import CLASSES, Hits, Words, hits_to_words
from backbeat.datasets.preparation import OFFSET_SCALE
from backbeat.errors import MissingExtraError
from backbeat.evaluation.contexts import WHOLE, name_context
from backbeat.evaluation.results import REAL, Result
from backbeat.metrics import bandgain, calibration, discrimination, likelihood, novelty, onsets, sense, timing
from backbeat.models.protocol import Piece
from backbeat.units import Floats

Row = dict[str, Any]
WRONG_BAND, NO_BAND, HISTORY = ", wrong band", ", no band", "history"
TEST_ONLY = "eval_session"
"""Tag of Groove MIDI's takes whose session is in no other split: 40 of the test split's."""
WINDOWS_A_PIECE = 8
"""Windows of a piece that are told apart or looked up, at even distances."""


def tabulate(results: Sequence[Result], model: str, context: int, *, plays: int, learned: Sequence[Piece]) -> dict[str, list[Row]]:
    """Every table that has a row.

    Args:
        results: one a piece.
        model: the measured model's name.
        context: bars of a window, 0 = whole takes.
        plays: judge musical sense, novelty and likeness on so many pieces; 0 = none.
        learned: pieces that floors learned from, for novelty.
    """
    few = [results[i * len(results) // plays] for i in range(plays)] if len(results) > plays else list(results)
    songs = [r for r in results if r.case.piece.band is not None]
    title = f"likelihood, {'whole song' if songs and context == WHOLE else name_context(context)}, own history"
    made = {
        title: tabulate_likelihood(results),
        f"{title}: the sessions that only the test split has": tabulate_likelihood([r for r in results if TEST_ONLY in r.case.source.tags]),
        "song-only onsets (no drums given)": tabulate_onsets(songs),
        "onsets with history (real drums before are given)": tabulate_history(results, model),
        f"musical sense, {len(few)} songs": tabulate_sense([r for r in few if r.case.piece.band is not None]),
        "told apart from real drums (C2ST), 2-bar windows": tabulate_discrimination(few),
        "novelty against what floors learned from, 2-bar windows": tabulate_novelty(few, learned),
        "velocity and microtiming": tabulate_feel(results),
        f"calibration of {model}, hits given all real steps before": tabulate_calibration(results, model),
    }
    return {title: rows for title, rows in made.items() if rows}


def _list_names(results: Sequence[Result], kind: str) -> list[str]:
    """Names in one of a result's dictionaries, in the order in which they first come."""
    return list(dict.fromkeys(name for r in results for name in getattr(r, kind)))


def tabulate_likelihood(results: Sequence[Result]) -> list[Row]:
    """Bits per onset and per step, perplexity; with BAR tokens where there are any, and what the right band saves."""
    rows = []
    for name in _list_names(results, "log2_p"):
        own = [r for r in results if name in r.log2_p]
        scores, words = _join([r.log2_p[name] for r in own]), _join([r.case.piece.words for r in own])
        row: Row = {"model": f"{name} (metre matched)" if name.endswith(WRONG_BAND) else name, **likelihood.evaluate(scores, words)}
        if len(own) < len(results):
            row["pieces"] = float(len(own))
        if all(name in r.bars for r in own):
            row |= likelihood.evaluate_bars(scores, _join([r.bars[name] for r in own]))
        right = name.removesuffix(WRONG_BAND)
        if right != name:
            row["band gain"] = bandgain.wrong_band_gain(_join([r.log2_p[right] for r in own]), scores, words)
        rows.append(row)
    return rows


def _join(arrays: Sequence[Any]) -> Any:  # noqa: ANN401 - arrays of one type
    return np.concatenate(list(arrays))


def tabulate_onsets(songs: Sequence[Result]) -> list[Row]:
    """Song-only onset F1, micro, by bar, by song and by class; copies belong to the other table."""
    return [_score_onsets(name, songs, _find_hits(songs, name)) for name in _list_names(songs, "hits") if name != REAL and HISTORY not in name]


def tabulate_history(results: Sequence[Result], model: str) -> list[Row]:
    """Onset F1 of copies, and of the model where it says at every step whether a hit is likely, given all real steps before."""
    rows = []
    if any(model in r.expected for r in results):
        likely = [r.expected[model] > 0.5 if model in r.expected else None for r in results]
        rows.append(_score_onsets(f"{model}, next step (p > 0.5)", results, likely))
    copies = [n for n in _list_names(results, "hits") if HISTORY in n]
    return rows + [_score_onsets(name, results, _find_hits(results, name)) for name in copies]


def _find_hits(results: Sequence[Result], name: str) -> list[Hits | None]:
    return [r.hits.get(name) for r in results]


def _score_onsets(name: str, results: Sequence[Result], played: Sequence[Hits | None]) -> Row:
    pairs = [(r.case.piece, hits) for r, hits in zip(results, played, strict=True) if hits is not None]
    figures = onsets.evaluate([p.hits for p, _ in pairs], [h for _, h in pairs], [p.grid.first_steps for p, _ in pairs])
    return {"model": name, **figures} | ({"pieces": float(len(pairs))} if len(pairs) < len(results) else {})


def tabulate_sense(songs: Sequence[Result]) -> list[Row]:
    """Musical sense of the real drums and of all that was played."""
    rows = []
    for name in _list_names(songs, "hits"):
        own = [r for r in songs if name in r.hits]
        rows.append({"model": name, **sense.evaluate(perform(r, r.hits[name]) for r in own)})
    return rows


def perform(result: Result, hits: Hits) -> sense.Performance:
    """Drums of a case as the functions of ``sense`` want them."""
    grid, cues = result.case.piece.grid, result.case.cues
    return sense.Performance(hits, grid.first_steps, grid.numerators, grid.denominators, cues.onsets[:, 0] > 0, cues.active_bars, cues.section_starts)


def take_windows(results: Sequence[Result], name: str) -> tuple[Words, list[int]]:
    """Two-bar windows of what a player played, uint16 [n, 32], and the index of the piece each is from."""
    windows, groups = [np.zeros((0, discrimination.STEPS), np.uint16)], list[int]()
    for index, result in enumerate(results):
        if name in result.hits:
            own = discrimination.make_windows(hits_to_words(result.hits[name]), result.case.piece.grid.first_steps)
            own = own[np.linspace(0, len(own) - 1, min(len(own), WINDOWS_A_PIECE)).astype(int)] if len(own) else own
            windows.append(own)
            groups += [index] * len(own)
    return np.concatenate(windows), groups


def tabulate_discrimination(results: Sequence[Result]) -> list[Row]:
    """AUC of trees that tell what was played from real drums, folds by piece; nothing where pieces or scikit-learn are missing."""
    real, real_groups = take_windows(results, REAL)
    rows = []
    for name in _list_names(results, "hits"):
        played, groups = take_windows(results, name)
        if name == REAL or HISTORY in name or min(len(set(groups)), len(set(real_groups))) < 2 * discrimination.FOLDS:
            continue
        try:
            rows.append({"model": name, "c2st": discrimination.c2st(real, np.array(real_groups), played, np.array(groups)), "windows": float(len(played))})
        except (MissingExtraError, ValueError):
            continue
    return rows


def tabulate_novelty(results: Sequence[Result], learned: Sequence[Piece]) -> list[Row]:
    """Distance to the nearest two bars of what floors learned from, of the real drums and of all that was played."""
    known = [discrimination.make_windows(p.words, p.grid.first_steps) for p in learned]
    training = np.concatenate([np.zeros((0, discrimination.STEPS), np.uint16), *known])
    rows = []
    for name in _list_names(results, "hits"):
        windows, _ = take_windows(results, name)
        if len(training) and len(windows) and HISTORY not in name:
            rows.append({"model": name, **novelty.evaluate(windows, training), "windows": float(len(windows))})
    return rows


def read_feel(result: Result) -> timing.Feel:
    """How the real hits of a case were struck."""
    example, grid = result.case.example, result.case.piece.grid
    steps, classes = np.nonzero(example.velocities)
    cells = timing.number_cells(classes, grid.step_in_bar[steps])
    offsets = example.offsets[steps, classes].astype(np.float64) / OFFSET_SCALE
    return timing.Feel(cells, offsets, example.velocities[steps, classes] / 127, result.case.cues.qpm[grid.bar_of_step[steps]].astype(np.float64))


def tabulate_feel(results: Sequence[Result]) -> list[Row]:
    """The floor of timing: the drummers' hits moved to the grid and struck with one velocity, where they were recorded from people."""
    feels = [read_feel(r) for r in results if r.case.example.dynamic and not r.case.example.band and r.case.piece.words.any()]
    if not feels or not any(np.any(f.offsets) for f in feels):
        return []
    real = timing.join_feels(feels)
    flat = timing.replace_feel(timing.quantise(real), velocities=np.full(len(real), real.velocities.mean()))
    return [{"model": "on the grid, mean velocity", **timing.evaluate(real, flat)}]


def tabulate_calibration(results: Sequence[Result], model: str) -> list[Row]:
    """The reliability curve: a row a bin of predicted probability."""
    own = [r for r in results if model in r.expected]
    if not own:
        return []
    expected: Floats = _join([r.expected[model].reshape(-1, CLASSES) for r in own]).astype(np.float64)
    hits = _join([r.case.piece.hits for r in own])
    curve = calibration.reliability(expected, hits)
    edges = np.linspace(0, 1, len(curve.counts) + 1)
    rows: list[Row] = [
        {"model": f"p {a:.1f}-{b:.1f}", "predicted": float(p), "happened": float(h), "cells": float(n)}
        for a, b, n, p, h in zip(edges[:-1], edges[1:], *curve, strict=True)
        if n
    ]
    return [*rows, {"model": "all", **calibration.evaluate(expected, hits)}]
