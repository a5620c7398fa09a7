"""Notes that go on where a primer stops: the network of tokens, or the original's window of 25 notes."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np

from backbeat.codecs.notes import KINDS, PITCHES, VOCABULARY, Notes, notes_to_tokens, tokens_to_notes
from backbeat.errors import InputError, ModelError
from backbeat.runtime.recurrent import RecurrentSession
from backbeat.sampling import draw
from backbeat.units import Floats

NETWORK = "notes"
SHIPPED = "weights/notes"
LONGEST_PRIMER = 2000
"""Notes of a primer that are heard, the last ones."""
MOST = 10_000


class NotePlayer:
    """A network of tokens at work.

    Args:
        session: a checkpoint folder of variant "tokens".
    """

    temperature = 1.0
    least = 1

    def __init__(self, session: RecurrentSession) -> None:
        self.session = session
        self.parts = str(session.config.get("codec", {}).get("parts", "all"))

    def score(self, notes: Notes) -> Floats:
        """Nats of every note's step, pitch and duration, each given all that came before: float64 [n, 3].

        Args:
            notes: float64 [n, 3] pitch, step, duration, see ``codecs.notes``.
        """
        tokens = notes_to_tokens(notes)
        before = np.concatenate([[VOCABULARY], tokens])[: len(tokens)].astype(np.int64)
        if not len(tokens):
            return np.zeros((0, 3))
        logits = self.session.run({"tokens": before[None]}, self.session.start())[0]["logits"][0].astype(np.float64)
        out = np.empty((len(tokens) // 3, 3))
        for column, (first, stop) in enumerate(KINDS):
            part = logits[column::3, first:stop]
            part = part - part.max(axis=1, keepdims=True)
            log_p = part - np.log(np.exp(part).sum(axis=1, keepdims=True))
            out[:, column] = -log_p[np.arange(len(part)), tokens[column::3] - first]
        return out

    def continue_notes(self, primer: Notes, count: int, rng: np.random.Generator, *, temperature: float | None = None) -> Notes:
        """Play on.

        Args:
            primer: what was played, at least one note.
            count: notes to add.
            rng: the same seed plays the same.
            temperature: 0 takes the likeliest; none = the usual one.

        Returns:
            float64 [count, 3], without the primer.

        Raises:
            InputError: the primer is empty, or a number is out of range.
        """
        _check(primer, count, temperature, self.least)
        heat = self.temperature if temperature is None else temperature
        tokens = notes_to_tokens(primer[-LONGEST_PRIMER:])
        outputs, state = self.session.run({"tokens": np.concatenate([[VOCABULARY], tokens])[None].astype(np.int64)}, self.session.start())
        logits, added = outputs["logits"][0, -1], np.empty(3 * count, np.int64)
        for place in range(len(added)):
            first, stop = KINDS[place % 3]
            added[place] = first + draw(logits[first:stop], rng, temperature=heat)
            outputs, state = self.session.run({"tokens": added[None, place : place + 1]}, state)
            logits = outputs["logits"][0, 0]
        return tokens_to_notes(added)


class WindowNotePlayer:
    """The original's network and sampling: only pitches are drawn, times are what the network says, at least 0.

    As in the original the window begins with the primer's first notes, and a pitch that was played is fed back as it is, not divided
    by 128 as those of the primer are.

    Args:
        session: a checkpoint folder of variant "windows".
    """

    temperature = 2.0

    def __init__(self, session: RecurrentSession) -> None:
        self.session = session
        self.parts = str(session.config.get("codec", {}).get("parts", "first"))
        self.least = int(session.config["sizes"]["length"])

    def continue_notes(self, primer: Notes, count: int, rng: np.random.Generator, *, temperature: float | None = None) -> Notes:
        """Play on, see ``NotePlayer``; the primer must have 25 notes."""
        _check(primer, count, temperature, self.least)
        heat = self.temperature if temperature is None else temperature
        window = (primer[: self.least] / [PITCHES, 1, 1]).astype(np.float32)
        added = np.zeros((count, 3))
        for note in added:
            told = self.session.run({"notes": window[None]}, {})[0]
            note[:] = draw(told["pitch"][0], rng, temperature=heat), max(0.0, float(told["step"][0])), max(0.0, float(told["duration"][0]))
            window = np.concatenate([window[1:], note[None].astype(np.float32)])
        return added


def _check(primer: Notes, count: int, temperature: float | None, least: int) -> None:
    if len(primer) < least:
        raise InputError(f"the primer has {len(primer)} notes: it needs at least {least}")
    if not 1 <= count <= MOST:
        raise InputError(f"the number of notes must lie in 1-{MOST:,}, not {count}")
    if temperature is not None and not 0 <= temperature <= 5:
        raise InputError(f"the temperature must lie in 0-5, not {temperature}")


def open_notes(folder: Path | None = None) -> NotePlayer | WindowNotePlayer:
    """The player of a checkpoint folder; none = the one that ships.

    Raises:
        ModelError: the folder holds no note network, or is damaged.
    """
    if folder is None:
        with resources.as_file(resources.files("backbeat").joinpath(SHIPPED)) as shipped:
            return open_notes(shipped)
    session = RecurrentSession(folder, NETWORK)
    variant = session.config.get("variant")
    if variant == "tokens":
        return NotePlayer(session)
    if variant == "windows":
        return WindowNotePlayer(session)
    raise ModelError(f"{folder} holds a variant {variant!r} of the note network that this version does not know")
