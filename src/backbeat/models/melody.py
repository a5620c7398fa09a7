"""Melodies on drums: our network step by step, or the paper's loop by loop, both by phrases whose drums decide what comes back.

A melody is played in phrases of four bars. Each phrase is drawn until the eight filters of the paper let it pass (``metrics.melodies``), at
most ``TRIES`` times; of those that do not, the one with the fewest faults stays. Phrases with the same drums are one section, and its
phrases go A, A with another ending, B, A: the drums are the layer that organises the piece.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.codecs.instruments import find_program
from backbeat.codecs.melodies import MELODY_DTYPE, PITCHES, Melody
from backbeat.errors import InputError, ModelError
from backbeat.groove import Groove
from backbeat.metrics.melodies import list_faults
from backbeat.models.melody_loops import LoopPlayer
from backbeat.models.melody_setting import PHRASE, MelodyModel, Setting, Words
from backbeat.models.melody_steps import StepPlayer
from backbeat.runtime.recurrent import RecurrentSession
from backbeat.song import NOTE_DTYPE, Notes
from backbeat.tonality.chords import parse_chord
from backbeat.tonality.scales import parse_key
from backbeat.units import Ints

__all__ = ["LoopPlayer", "MelodyModel", "Setting", "StepPlayer", "open_melody", "play", "repeat_chords", "write_melody"]

NETWORK = "melody"
SHIPPED = {"ours": "weights/melody", "paper": "weights/melody_paper"}
TRIES = 12
FORM = ("a", "a'", "b", "a")
"""Phrases of a section, again and again: a' is a with another last bar."""
DENSITIES = ("calm", "walking", "busy", "dense")


def play(model: MelodyModel, setting: Setting, rng: np.random.Generator, *, tries: int = TRIES) -> Melody:
    """A melody for the whole length of the drums.

    Args:
        model: of ``open_melody``.
        setting: what it is played on.
        rng: the same seed plays the same.
        tries: draws of a phrase until the filters let one pass; 1 = take what comes.
    """
    labels = label_phrases(setting)
    if setting.chords is None and isinstance(model, StepPlayer):
        setting.chords = model.draw_chords(labels, setting.grid.bars, setting.key, rng)
    phraser, phrases = model.begin(setting), dict[tuple[int, str], Melody]()
    counts: dict[int, int] = {}
    out = [np.zeros(0, MELODY_DTYPE)]
    for index, label in enumerate(labels):
        first, end = index * PHRASE, min(setting.grid.bars, (index + 1) * PHRASE)
        role = FORM[counts.get(label, 0) % len(FORM)]
        counts[label] = counts.get(label, 0) + 1
        known = phrases.get((label, role[0]))
        if known is None or role.endswith("'"):
            phrase = _draw_best(lambda f=first, e=end, k=known: phraser.draw(f, e, rng, k), setting, first, end, tries)  # type: ignore[misc]
            phrases.setdefault((label, role[0]), phrase)
        else:
            phrase = known
        phraser.accept(first, end, phrase)
        moved = phrase.copy()
        moved["step"] += setting.grid.first_steps[first]
        out.append(moved)
    return accent(np.concatenate(out), setting)


def _draw_best(draw: Callable[[], Melody], setting: Setting, first: int, end: int, tries: int) -> Melody:
    """The first phrase that the filters let pass, or else the one with the fewest faults."""
    best, fewest = None, 99
    for _ in range(max(1, tries)):
        phrase = draw()
        faults = len(list_faults(_to_loop(phrase, len(setting.cut(first, end))), setting.key))
        if best is None or faults < fewest:
            best, fewest = phrase, faults
        if not faults:
            break
    return best if best is not None else np.zeros(0, MELODY_DTYPE)


def _to_loop(phrase: Melody, steps: int) -> npt.NDArray[np.bool_]:
    loop = np.zeros((steps, PITCHES), np.bool_)
    loop[phrase["step"], phrase["pitch"]] = True
    return loop


def label_phrases(setting: Setting, alike: float = 0.8) -> list[int]:
    """The section of each phrase of four bars: phrases whose drums are mostly the same have the same number.

    Args:
        setting: its drums count.
        alike: share of struck steps that must be the same, of those that either has.
    """
    kinds: list[Words] = []
    labels = []
    for first in range(0, setting.grid.bars, PHRASE):
        drums = setting.cut(first, min(setting.grid.bars, first + PHRASE))
        found = next((i for i, kind in enumerate(kinds) if _compare(kind, drums) >= alike), len(kinds))
        if found == len(kinds):
            kinds.append(drums)
        labels.append(found)
    return labels


def _compare(a: Words, b: Words) -> float:
    if len(a) != len(b):
        return 0.0
    struck = (a > 0) | (b > 0)
    return float((a == b)[struck].mean()) if struck.any() else 1.0


def accent(melody: Melody, setting: Setting) -> Melody:
    """A melody with velocities: louder on beats, at bar lines, and where kick or snare are struck.

    Args:
        melody: MELODY_DTYPE [n].
        setting: what it is played on.
    """
    out = melody.copy()
    place, struck = setting.grid.step_in_bar[out["step"]], setting.words[out["step"]]
    out["velocity"] = 80 + 6 * (place % setting.grid.steps_per_quarter == 0) + 6 * (place == 0) + 6 * ((struck & 3) > 0)
    return out


def write_melody(
    groove: Groove,
    key: str | int,
    instrument: str | int = "lead",
    octave: int = 4,
    seed: int = 0,
    *,
    model: str | Path | MelodyModel = "ours",
    chords: Sequence[str] | Ints | None = None,
    density: str = "",
    temperature: float = 1.0,
    tries: int = TRIES,
    take: int = 0,
) -> Notes:
    """A melody on drums, from the first bar to the last.

    Args:
        groove: the drums, of any kit and grid.
        key: "Am", "F#", "Bb" ... or its number, see ``tonality.scales``.
        instrument: a name of ``codecs.instruments``, or a General MIDI program.
        octave: where the tonic is that the melody moves around; C4 = 60 is octave 4.
        seed: the same arguments and seed give the same notes.
        model: "ours", "paper", a checkpoint folder, or what ``open_melody`` gave.
        chords: of the bars, again and again: roman numerals ("i", "VI") or numbers of ``tonality.chords``; none = drawn. Ours only.
        density: calm, walking, busy or dense; "" = as it comes. Ours only.
        temperature: 0 plays the likeliest.
        tries: draws of a phrase until the filters let one pass.
        take: of one seed there are as many melodies as one likes; 0 is the first.

    Returns:
        NOTE_DTYPE [n] in ticks of the groove's grid, by onset.

    Raises:
        InputError: a name or number is wrong, or the model cannot play this metre.
        ModelError: the model cannot be loaded.
    """
    number = parse_key(key) if isinstance(key, str) else key
    program = find_program(instrument) if isinstance(instrument, str) else instrument
    if density and density not in DENSITIES:
        raise InputError(f"no density {density!r}: choose from {', '.join(DENSITIES)}")
    row = None if chords is None else repeat_chords(chords, groove.grid.bars, number)
    chosen = DENSITIES.index(density) if density else -1
    setting = Setting(groove, number, program, octave, chords=row, density=chosen, temperature=temperature)
    player = open_melody(model) if isinstance(model, (str, Path)) else model
    melody = play(player, setting, np.random.default_rng([abs(seed), int(seed < 0), take]), tries=tries)
    return melody_to_notes(melody, groove)


def repeat_chords(chords: Sequence[str] | Ints, bars: int, key: int) -> Ints:
    """int64 [bars]: chords, again and again.

    Args:
        chords: roman numerals, or numbers of ``tonality.chords``; at least one.
        bars: in all.
        key: 0-23.

    Raises:
        InputError: one of them is none, or there is none.
    """
    row = np.array([parse_chord(c, key) if isinstance(c, str) else int(c) for c in chords], np.int64)
    if not len(row):
        raise InputError("name at least one chord, as in 'i VI III VII'")
    return np.resize(row, bars)


def melody_to_notes(melody: Melody, groove: Groove) -> Notes:
    """A melody in ticks: NOTE_DTYPE [n].

    Args:
        melody: MELODY_DTYPE [n], steps of the groove's grid.
        groove: gives the grid.
    """
    ticks, out = groove.grid.step_ticks, np.zeros(len(melody), NOTE_DTYPE)
    out["onset"] = ticks[melody["step"]]
    out["end"] = np.maximum(ticks[np.minimum(melody["step"] + melody["length"], groove.grid.steps)], out["onset"] + 1)
    out["pitch"], out["velocity"] = melody["pitch"], melody["velocity"]
    return out[np.lexsort((out["pitch"], out["onset"]))]


def open_melody(model: str | Path = "ours") -> MelodyModel:
    """The player of a name or of a checkpoint folder.

    Args:
        model: "ours", "paper", or a folder of ``backbeat train melody``.

    Raises:
        ModelError: the folder holds no melody network, or is damaged.
    """
    if isinstance(model, str) and model in SHIPPED:
        with resources.as_file(resources.files("backbeat").joinpath(SHIPPED[model])) as shipped:
            return open_melody(shipped)
    session = RecurrentSession(Path(model), NETWORK)
    variant = session.config.get("variant")
    if variant == "steps":
        return StepPlayer(session)
    if variant == "loops":
        return LoopPlayer(session)
    raise ModelError(f"{model} holds a variant {variant!r} of the melody network that this version does not know")
