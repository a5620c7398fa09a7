"""A blind listening test: clips without names, a page that collects ratings, and a key that stays at home.

Every system (the real drums, the model, floors) plays the same bars of the same songs with the same sounds and in the same
manner, is brought to one loudness within a song, and gets a random name. The page knows nothing but those names; the key
says which is whose. The order of songs and clips is drawn anew for every listener.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from backbeat.errors import InputError, OutputError
from backbeat.evaluation.excerpts import open_excerpt
from backbeat.evaluation.report_figures import HISTORY, list_players, rank_floors
from backbeat.evaluation.results import REAL, Report, Result
from backbeat.files import write_bytes
from backbeat.render.loudness import measure_loudness
from backbeat.render.passage import Samples, encode_mp3

KEY_FORMAT, ANSWERS_FORMAT, VERSION = "backbeat-listening-key", "backbeat-listening-answers", 1
QUESTIONS = {"suits": "How well do the drums suit the song?", "human": "How human do the drums sound?"}
RATINGS = (1, 5)
LOUDNESS = -20.0
"""LUFS that the clips of a song are brought to, or less where one of them would clip."""

PEAK = 0.95
FLOORS = 3
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Kit:
    """What was written.

    Args:
        page: ``index.html``, to be given away together with the folder ``clips``.
        key: ``key.json``, to be kept.
        songs: how many songs it holds.
        systems: the systems that are compared.
        left_out: song -> why it is not among them.
    """

    page: Path
    key: Path
    songs: int
    systems: tuple[str, ...]
    left_out: dict[str, str]


def choose_systems(report: Report) -> list[str]:
    """The real drums, the measured model and the best three floors that play from the song alone."""
    known = list_players(report)
    floors = [f for f in rank_floors(report) if HISTORY not in f]
    return [s for s in (REAL, report.model) if s in known] + floors[:FLOORS]


def write_listening_test(
    report: Report,
    folder: Path,
    *,
    systems: Sequence[str] | None = None,
    songs: int = 8,
    seconds: float = 12.0,
    seed: int = 0,
    soundfont: str | Path | None = None,
    progress: Progress = lambda n: None,
) -> Kit:
    """Write a listening test into a folder, which is made where it is missing.

    Args:
        report: results with what the players played.
        folder: where ``index.html``, ``clips`` and ``key.json`` go.
        systems: players to compare; none = ``choose_systems``.
        songs: how many songs, spread over the results.
        seconds: length of a clip.
        seed: decides names of clips; two tests with different seeds, or of different drums, have different names.
        soundfont: an SF2 or SF3 file for all clips; none = the one that is shipped.
        progress: called with the number of songs done.

    Raises:
        InputError: the model or fewer than two systems played, one is not in the report, or no song can be rendered.
        OutputError: the folder cannot be written, or holds another listening test.
    """
    if systems is None and report.results and report.model not in list_players(report):
        raise InputError(f"{report.model} played nothing here, so there is nothing to hear of it: name a model that plays, and let it (--plays)")
    chosen = list(systems if systems is not None else choose_systems(report))
    _check_systems(report, chosen)
    rng = np.random.default_rng([seed, songs, _digest(report, chosen, seconds, str(soundfont))])
    test = _draw_names(rng, 1, {})[0]
    _check_folder(folder, test)
    clips: dict[str, dict[str, str]] = {}
    sounds: dict[str, bytes] = {}
    trials, left_out = list[list[str]](), dict[str, str]()
    for result in _order(report.results):
        if len(trials) == songs:
            break
        try:
            rendered = _render(result, chosen, seconds, soundfont)
        except InputError as error:
            left_out[result.case.piece.name] = str(error)
            continue
        names = _draw_names(rng, len(chosen), clips | {test: {}})
        clips |= {n: {"system": s, "song": result.case.piece.name} for n, s in zip(names, chosen, strict=True)}
        sounds |= dict(zip(names, rendered, strict=True))
        trials.append(sorted(names))
        progress(len(trials))
    if not trials:
        raise InputError(f"no song of {report.data} can be played for a listening test: {next(iter(left_out.values()), 'there are no results')}")
    key = {
        "format": KEY_FORMAT,
        "version": VERSION,
        "test": test,
        "model": report.model,
        "data": report.data,
        "seconds": seconds,
        "systems": chosen,
        "clips": clips,
    }
    page, key_file = _write(folder, test, trials, sounds, key)
    return Kit(page, key_file, len(trials), tuple(chosen), left_out)


def _check_systems(report: Report, systems: Sequence[str]) -> None:
    known = list_players(report)
    unknown = [s for s in systems if s not in known]
    if unknown:
        raise InputError(f"nothing was played by {', '.join(unknown)}: choose from {', '.join(known)}")
    if len(set(systems)) < 2 or len(set(systems)) < len(systems):
        raise InputError("a listening test compares two or more different systems: evaluate with --floors, or a model that plays")


def _digest(report: Report, systems: Sequence[str], *how: object) -> int:
    """A number that is another one where anything else is heard: no two tests may share a name, or one's answers would fit the other's key."""
    digest = hashlib.sha256(repr([report.model, report.data, *systems, *how]).encode("utf-8", "backslashreplace"))
    for result in report.results:
        digest.update(repr(result.case.piece.name).encode("utf-8", "backslashreplace"))
        for system in systems:
            digest.update(np.packbits(result.hits[system]).tobytes() if system in result.hits else b"-")
    return int.from_bytes(digest.digest()[:16])


def _check_folder(folder: Path, test: str) -> None:
    try:
        there = json.loads((folder / "key.json").read_bytes())
    except OSError:
        return
    except ValueError:
        there = None
    if not isinstance(there, dict) or there.get("test") != test:
        raise OutputError(f"{folder} holds another listening test, whose key would be lost: name a new folder")


def _order(results: Sequence[Result]) -> list[Result]:
    """Results so that any first few of them are spread over all: 0, 1/2, 1/4, 3/4, 1/8 ..."""
    width = max(1, (len(results) - 1).bit_length())
    places = sorted(range(len(results)), key=lambda i: int(f"{i:0{width}b}"[::-1], 2))
    return [results[i] for i in places]


def _render(result: Result, systems: Sequence[str], seconds: float, soundfont: str | Path | None) -> list[bytes]:
    """One MP3 a system, of one length and one loudness.

    Raises:
        InputError: a system did not play this song, or there is nothing to hear.
    """
    missing = [s for s in systems if s not in result.hits]
    if missing:
        raise InputError(f"not played by {', '.join(missing)}")
    excerpt = open_excerpt(result.case, seconds)
    sounds = [excerpt.render(result.hits[s], seconds=seconds, soundfont=soundfont) for s in systems]
    return [encode_mp3(s) for s in level(sounds)]


def level(sounds: Sequence[Samples]) -> list[Samples]:
    """Bring sounds to one loudness: ``LOUDNESS``, or the most that lets none of them clip.

    Args:
        sounds: float32 [frames, channels] each, at 48 kHz.

    Raises:
        InputError: one of them is silent.
    """
    loud = np.array([measure_loudness(s) for s in sounds])
    if not np.isfinite(loud).all():
        raise InputError("a system is silent here, and there is no band to hear instead")
    room = 20 * np.log10(PEAK / np.array([np.abs(s).max() for s in sounds]))
    target = min(LOUDNESS, float((loud + room).min()))
    return [(s * np.float32(10 ** ((target - now) / 20))).astype(np.float32) for s, now in zip(sounds, loud.tolist(), strict=True)]


def _draw_names(rng: np.random.Generator, count: int, taken: dict[str, Any]) -> list[str]:
    """Random names of 10 hexadecimal digits, none of them taken."""
    names: list[str] = []
    while len(names) < count:
        name = rng.bytes(5).hex()
        if name not in taken and name not in names:
            names.append(name)
    return names


def _write(folder: Path, test: str, trials: list[list[str]], sounds: dict[str, bytes], key: dict[str, Any]) -> tuple[Path, Path]:
    try:
        (folder / "clips").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error})") from None
    for name in sorted(sounds):  # in the order of their random names, so that the times of the files tell nothing
        write_bytes(folder / "clips" / f"{name}.mp3", sounds[name])
    page, key_file = folder / "index.html", folder / "key.json"
    write_bytes(page, build_page(test, trials).encode())
    write_bytes(key_file, (json.dumps(key, indent=1, sort_keys=True) + "\n").encode())
    return page, key_file


def build_page(test: str, trials: Sequence[Sequence[str]]) -> str:
    """The page of a listening test: one file, which plays ``clips/NAME.mp3``.

    Args:
        test: the test's random name.
        trials: the clips of each song.
    """
    config = {"test": test, "trials": [sorted(t) for t in sorted(map(sorted, trials))], "questions": QUESTIONS, "ratings": RATINGS}
    text = _read("listening.html")
    parts = {"format": json.dumps(ANSWERS_FORMAT), "style": _read("listening.css"), "script": _read("listening.js"), "config": json.dumps(config)}
    for name, part in parts.items():
        text = text.replace(f"/*{name}*/", part)
    return text


def _read(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")
