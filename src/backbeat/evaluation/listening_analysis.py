"""What the answers of a listening test say: means and differences of systems with confidence intervals.

Conventions: ratings are whole numbers from 1 to 5 in an array [listeners, songs, systems], nan where there is none.
Intervals hold 95 % and come from a bootstrap over listeners and songs at once (the pigeonhole bootstrap of Owen 2007, "The
pigeonhole bootstrap", which is a little too wide rather than too narrow): both are drawn anew with replacement, a rating counts
as often as its listener times its song. A difference is taken within listener and song, so that a strict listener or an easy
song cancels out. With one listener the intervals speak of songs only, with one song of listeners only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.evaluation.listening import ANSWERS_FORMAT, KEY_FORMAT, QUESTIONS, RATINGS, VERSION

Floats = npt.NDArray[np.float64]
RESAMPLES = 4000
LEVEL = 95
MAX_BYTES = 16 << 20
"""Longest file that is read: no test has so many answers."""


@dataclass(frozen=True)
class Key:
    """Which clip is whose.

    Args:
        test: the test's random name.
        systems: in the order of the tables.
        songs: their names.
        clips: clip -> (index of its song, index of its system).
    """

    test: str
    systems: tuple[str, ...]
    songs: tuple[str, ...]
    clips: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Answers:
    """What one listener said: question -> clip -> rating."""

    listener: str
    ratings: dict[str, dict[str, int]]


def _load(path: Path, what: str, form: str) -> dict[str, Any]:
    """A JSON object of a known form.

    Raises:
        InputError: it cannot be read or is something else.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: larger than {MAX_BYTES >> 20} MB, not {what}")
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: not {what}, or a damaged one (no JSON)") from None
    if not isinstance(data, dict) or data.get("format") != form:
        raise InputError(f"{path}: not {what} (it has no format {form!r})")
    if data.get("version") != VERSION:
        raise InputError(f"{path}: version {data.get('version')!r} of {what}, this Backbeat reads {VERSION}")
    return data


def read_key(path: Path) -> Key:
    """Read ``key.json``.

    Raises:
        InputError: it cannot be read, or is no key of a listening test.
    """
    data = _load(path, "the key of a listening test", KEY_FORMAT)
    try:
        systems = tuple(str(s) for s in data["systems"])
        entries = {str(name): (str(clip["song"]), str(clip["system"])) for name, clip in data["clips"].items()}
        songs = tuple(dict.fromkeys(song for song, _ in entries.values()))
        clips = {name: (songs.index(song), systems.index(system)) for name, (song, system) in entries.items()}
        return Key(str(data["test"]), systems, songs, clips)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(f"{path}: a damaged key: use the key.json that was written with the test") from None


def read_answers(path: Path, key: Key) -> Answers:
    """Read the file that a listener saved.

    Raises:
        InputError: it cannot be read, is damaged, or belongs to another test.
    """
    data = _load(path, "an answers file of a listening test", ANSWERS_FORMAT)
    if data.get("test") != key.test:
        raise InputError(f"{path}: answers to another listening test ({str(data.get('test'))[:40]!r}), the key is of {key.test!r}")
    listener, answers = data.get("listener"), data.get("answers")
    if not isinstance(listener, str) or not listener or not isinstance(answers, list):
        raise InputError(f"{path}: a damaged answers file: ask the listener to save it again")
    ratings: dict[str, dict[str, int]] = {name: {} for name in QUESTIONS}
    for place, answer in enumerate(answers, 1):
        _add(ratings, answer, key, f"{path}: answer {place}")
    return Answers(listener, ratings)


def _add(ratings: dict[str, dict[str, int]], answer: object, key: Key, where: str) -> None:
    clip = answer.get("clip") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(clip, str) or clip not in key.clips:
        raise InputError(f"{where} is to no clip of this test: ask the listener to save the file again")
    if any(clip in rated for rated in ratings.values()):
        raise InputError(f"{where} rates clip {clip} a second time: ask the listener to save the file again")
    for name in QUESTIONS:
        rating = answer.get(name)
        if rating is None:
            continue
        if isinstance(rating, bool) or not isinstance(rating, int) or not RATINGS[0] <= rating <= RATINGS[1]:
            raise InputError(f"{where} has the rating {str(rating)[:40]!r}, not a whole number from {RATINGS[0]} to {RATINGS[1]}")
        ratings[name][clip] = rating


def gather(key: Key, answers: Sequence[Answers]) -> dict[str, Floats]:
    """Question -> float64 [listeners, songs, systems]; of two files of one listener the later counts."""
    by_listener = {a.listener: a for a in answers}
    arrays = {}
    for name in QUESTIONS:
        arrays[name] = np.full((len(by_listener), len(key.songs), len(key.systems)), np.nan)
        for row, one in enumerate(by_listener.values()):
            for clip, rating in one.ratings[name].items():
                arrays[name][(row, *key.clips[clip])] = rating
    return arrays


def estimate(ratings: Floats, seed: int = 0) -> tuple[float, float, float]:
    """Mean of ratings and its interval.

    Args:
        ratings: float64 [listeners, songs], nan where there is none.
        seed: of the bootstrap.

    Returns:
        mean, lower and upper end; nan without a rating, and for the ends where there are fewer than two ratings.
    """
    known = np.isfinite(ratings)
    if not known.any():
        return float("nan"), float("nan"), float("nan")
    mean = float(ratings[known].mean())
    if known.sum() < 2:
        return mean, float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    listeners, songs = (rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(np.float64) for n in ratings.shape)
    sums = ((listeners @ np.where(known, ratings, 0.0)) * songs).sum(axis=1)
    counts = ((listeners @ known.astype(np.float64)) * songs).sum(axis=1)
    means = sums[counts > 0] / counts[counts > 0]
    low, high = np.percentile(means, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return mean, float(low), float(high)


def analyse(key: Key, answers: Sequence[Answers], seed: int = 0) -> dict[str, Any]:
    """Means of systems and differences of pairs, for each question.

    Args:
        key: which clip is whose.
        answers: one a listener.
        seed: of the bootstrap.

    Returns:
        ``{"listeners", "songs", "ratings", "asked", "level", "questions": {name: {"text", "means": [rows], "differences": [rows]}}}``, as JSON takes it.
    """
    arrays = gather(key, answers)
    questions = {name: _analyse_question(key, arrays[name], seed) | {"text": QUESTIONS[name]} for name in QUESTIONS}
    count = int(sum(np.isfinite(a).sum() for a in arrays.values()))
    return {
        "test": key.test,
        "listeners": len({a.listener for a in answers}),
        "songs": len(key.songs),
        "ratings": count,
        "asked": int(sum(a.size for a in arrays.values())),
        "level": LEVEL,
        "questions": questions,
    }


def _analyse_question(key: Key, ratings: Floats, seed: int) -> dict[str, Any]:
    means = [{"system": s, **_tell(ratings[:, :, k], "mean", seed)} for k, s in enumerate(key.systems)]
    pairs = combinations(range(len(key.systems)), 2)
    differences = [{"a": key.systems[i], "b": key.systems[j], **_tell(ratings[:, :, i] - ratings[:, :, j], "difference", seed)} for i, j in pairs]
    return {"means": means, "differences": differences}


def _tell(ratings: Floats, name: str, seed: int) -> Mapping[str, float | int | None]:
    """A row of a table; None for what is not known."""
    values = [round(v, 4) if np.isfinite(v) else None for v in estimate(ratings, seed)]
    return dict(zip((name, "low", "high"), values, strict=True)) | {"ratings": int(np.isfinite(ratings).sum())}
