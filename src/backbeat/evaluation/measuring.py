"""Measuring any model beside its floors on the same pieces: one protocol, one report.

A model *scores* a case's piece (``score``) and *plays* for it (``play``), whatever it is. Context of the likelihoods: the
whole take, or windows of N bars with no drums before them. Playing is from the band alone: no real drums are given, unless
a player copies, which its name says. A wrong band is that of another song of the same metre, repeated to fill.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from backbeat.codecs.words import WORD_BITS
from backbeat.datasets.source import Source
from backbeat.errors import InputError, MissingExtraError
from backbeat.evaluation import tables
from backbeat.evaluation.cases import Choice, load_case
from backbeat.evaluation.contexts import WHOLE, name_context, score_in_context
from backbeat.evaluation.fitting import (
    SONG_FLOORS,
    TAKE_FLOORS,
    DataSet,
    Round,
    TextReader,
    fit_models,
    make_floors,
    needs_fitting,
    open_model,
    plan_rounds,
    prepare_for_text,
)
from backbeat.evaluation.listener import Listener, exchange_band
from backbeat.evaluation.metallica import split_scores
from backbeat.evaluation.results import REAL, Case, Report, Result
from backbeat.models.protocol import Piece
from backbeat.models.registry import MODELS
from backbeat.units import Floats

DONOR = 7
"""The wrong band of each song is that of the song so many places on."""
_BITS = WORD_BITS.astype(np.float64)

__all__ = ["Options", "evaluate", "load_case", "measure"]


@dataclass(frozen=True)
class Options:
    """How an evaluation is run.

    Args:
        context: bars of a window, 0 = whole takes.
        floors: fit the floors that learn, too.
        corpus: where floors of songs learn from.  share: they learn from every n-th piece of it.  tuning: what they are tuned on.
        limit: measure on so many pieces, spread over the data set; 0 = all.
        plays: on so many pieces, models that count play and musical sense is judged; 0 = none.
        seed: of all that is drawn.  workers: processes; 1 = none beside this one.
    """

    context: int = WHOLE
    floors: bool = False
    corpus: Path | None = None
    share: int = 1
    tuning: str = "songs:validation"
    limit: int = 0
    plays: int = 100
    seed: int = 0
    workers: int = 1


@dataclass(frozen=True, eq=False)
class _Work:
    """What a process does with each piece."""

    models: list[Any]
    choice: Choice
    options: Options


@dataclass(frozen=True)
class _Task:
    source: Source
    donor: Source | None
    play: bool


@dataclass(eq=False)
class _Progress:
    """What is shown while it runs."""

    tell: Callable[[str], None]
    advance: Callable[[int], None]
    done: int = field(default=0)

    def step(self) -> None:
        self.done += 1
        self.advance(self.done)


def evaluate(
    model: str,
    data_set: DataSet,
    options: Options | None = None,
    *,
    tell: Callable[[str], None] = lambda text: None,
    advance: Callable[[int], None] = lambda done: None,
) -> Report:
    """Measure a model, and floors if wanted.

    Args:
        model: a name of the registry or a checkpoint folder. One that learns and has no folder is fitted as the floors are.
        data_set: what to measure on.
        options: how.
        tell: called with what is being done.
        advance: called with the number of pieces done.

    Raises:
        InputError: the data are not there, or nothing could be measured.
        ModelError: there is no such model.
    """
    options = options or Options()
    progress = _Progress(tell, advance)
    name = str(open_model(model).name)
    results: list[Result] = []
    rejected: dict[str, str] = {}
    learned: list[Piece] = []
    rounds = plan_rounds(data_set, corpus=options.corpus, share=options.share, tuning=options.tuning, workers=options.workers, seed=options.seed)
    wanted = {s.name for s in spread(data_set.list(), options.limit)} if options.limit else None
    for part in rounds:
        sources = [s for s in part.sources if wanted is None or s.name in wanted]
        if not sources:  # a fold of which nothing is wanted
            continue
        models, learned = _prepare(model, data_set, part, options, progress)
        for task, result in _run(models, sources, data_set.choice, options):
            if isinstance(result, str):
                rejected[task.source.name] = result
            else:
                results.append(result)
            progress.step()
    if not results:
        first = next(iter(rejected.items()), ("", ""))
        raise InputError(f"{data_set.name}: nothing could be measured on, {len(rejected)} of {len(rejected)} rejected (such as {first[0]}: {first[1]})")
    if find_spec("sklearn") is None:
        tell(f"told apart from real drums (C2ST): left out, {MissingExtraError('scikit-learn', 'report')}")
    made = tables.tabulate(results, name, options.context, plays=options.plays, learned=[] if data_set.choice.text else learned)
    return Report(name, data_set.name, name_context(options.context), made, rejected, results)


def spread(sources: Sequence[Source], limit: int) -> list[Source]:
    """So many of the sources, at even distances; all of them for 0."""
    return [sources[i * len(sources) // limit] for i in range(limit)] if 0 < limit < len(sources) else list(sources)


def _prepare(name: str, data_set: DataSet, part: Round, options: Options, progress: _Progress) -> tuple[list[Any], list[Piece]]:
    """The models of a round, ready, the measured one first; and what was learned from."""
    text = data_set.choice.text
    model = open_model(name)
    if text:
        model = prepare_for_text(model, fitted=not needs_fitting(name))
    names = SONG_FLOORS if any(s.band is not False for s in part.sources) else TAKE_FLOORS
    wanted = [n for n in names if options.floors or not MODELS[n].learns]
    floors = [f for f in make_floors(wanted, text=text) if f[1].name != model.name]
    unfitted = [model] * needs_fitting(name) + [floor for n, floor in floors if MODELS[n].learns]
    learned = fit_models(unfitted, part, options.context, progress.tell) if unfitted else []
    return [model, *(floor for _, floor in floors)], learned


def _run(models: list[Any], sources: list[Source], choice: Choice, options: Options) -> Iterator[tuple[_Task, Result | str]]:
    """Measure on every source, in order. Forked workers share the fitted models' memory; elsewhere each gets a copy."""
    played = {s.name for s in spread(sources, options.plays)} if options.plays else set()
    apart = DONOR % len(sources) or 1  # in a set of seven the seventh on would be the song itself
    donors = [sources[(i + apart) % len(sources)] if len(sources) > 1 else None for i in range(len(sources))]
    tasks = [_Task(s, donor, s.name in played) for s, donor in zip(sources, donors, strict=True)]
    work = _Work(models, choice, options)
    if options.workers <= 1 or len(tasks) == 1:
        yield from ((task, measure(task.source, task.donor, work.models, choice, options, play=task.play)) for task in tasks)
        return
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(options.workers, mp_context=context, initializer=_take_work, initargs=(work,)) as pool:
        yield from zip(tasks, pool.map(_work_on, tasks, chunksize=2), strict=True)


_WORK: list[_Work] = []


def _take_work(work: _Work) -> None:
    _WORK[:] = [work]


def _work_on(task: _Task) -> Result | str:
    work = _WORK[0]
    return measure(task.source, task.donor, work.models, work.choice, work.options, play=task.play)


def measure(source: Source, donor: Source | None, models: Sequence[Any], choice: Choice, options: Options, *, play: bool = True) -> Result | str:
    """Measure models on one piece.

    Args:
        source: the piece.
        donor: whose band is the wrong one; none = there is none.
        models: ready; the measured one first, then floors.
        choice: how pieces are read.
        options: see there.
        play: let models that count play, too; all others always do.

    Returns:
        what they made of it, or why it cannot be measured on.
    """
    case = load_case(source, choice)
    if isinstance(case, str):
        return case
    result = Result(case, hits={REAL: case.piece.hits})
    for index, model in enumerate(models):
        if hasattr(model, "score"):
            _score(result, model, options.context)
        if index == 0:
            _score_variants(result, model, donor, choice, options.context)
            _expect(result, model, play)
        _play(result, model, options.seed, first=index == 0, slowly=play)
    return result


def _score(result: Result, model: Any, context: int) -> None:  # noqa: ANN401 - any Scorer
    scores: Floats = score_in_context(model.score, result.case.piece, context)
    if isinstance(model, TextReader):
        scores, result.bars[model.name] = split_scores(scores)
    result.log2_p[model.name] = scores


def _score_variants(result: Result, model: Any, donor: Source | None, choice: Choice, context: int) -> None:  # noqa: ANN401 - any model
    """A listening model without its band, and with a wrong one."""
    piece = result.case.piece
    if not isinstance(model, Listener) or piece.band is None:
        return
    result.log2_p[f"{model.name}, no band"] = score_in_context(model.leave_band().score, piece, context)
    other = load_case(donor, choice) if donor is not None else ""
    wrong = exchange_band(piece, other.piece) if isinstance(other, Case) else None
    if wrong is not None:
        result.log2_p[f"{model.name}, wrong band"] = score_in_context(model.score, wrong, context)


def _expect(result: Result, model: Any, slowly: bool) -> None:  # noqa: ANN401 - any model
    """The probability of every hit given the real steps before it, where a model can say it."""
    piece = result.case.piece
    if isinstance(model, Listener):
        result.expected[model.name] = model.expect(piece).astype(np.float32)
    elif slowly and hasattr(model, "begin"):
        take, rows = model.begin(piece.grid), []
        for word in piece.words.tolist():
            rows.append(take.distribution() @ _BITS)
            take.push(word)
        result.expected[model.name] = np.clip(rows, 0, 1).astype(np.float32)


def _play(result: Result, model: Any, seed: int, *, first: bool, slowly: bool) -> None:  # noqa: ANN401 - any model
    """Let a model play. Those that count do not listen: on songs only the measured one plays, and on chosen pieces, because it is slow."""
    piece = result.case.piece
    if not hasattr(model, "play") or (isinstance(model, Listener) and piece.cues is None):
        return
    if hasattr(model, "begin") and not (slowly and (first or piece.band is None)):
        return
    result.hits[model.name] = model.play(piece, np.random.default_rng([seed, 0, 0]))
