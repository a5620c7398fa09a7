"""Our network of melodies at work: step by step, within the scale, its state carried from phrase to phrase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from backbeat.codecs.melodies import HIGHEST, HOLD, LOWEST, PITCHES, REST, TOKENS, Melody, melody_to_tokens, tokens_to_melody
from backbeat.codecs.melody_features import NO_CHORD, Places, encode_features, recall
from backbeat.models.melody_setting import PHRASE, Phraser, Setting
from backbeat.runtime.recurrent import RecurrentSession
from backbeat.sampling import draw
from backbeat.tonality.chords import turn_chords
from backbeat.tonality.scales import list_scale
from backbeat.units import Ints

REACH = 12
"""Semitones above and below the base that may be played: two octaves in all, as many as the filters allow."""


class StepPlayer:
    """Our network at work.

    Args:
        session: a checkpoint folder of variant "steps".
    """

    name = "ours"

    def __init__(self, session: RecurrentSession) -> None:
        self.session = session
        self.progressions: dict[str, list[list[int]]] = session.config.get("progressions", {})

    def begin(self, setting: Setting) -> Phraser:
        """Start a melody."""
        return _StepPhraser(self, setting)

    def draw_progression(self, minor: bool, rng: np.random.Generator) -> Ints:
        """int64 [4]: chords of four bars seen from a tonic of C, drawn as often as songs have them; no chords where none are known."""
        rows = np.array(self.progressions.get("minor" if minor else "major") or [[NO_CHORD] * PHRASE + [1]], np.int64)
        return rows[int(rng.choice(len(rows), p=rows[:, -1] / rows[:, -1].sum())), :PHRASE]

    def draw_chords(self, labels: Sequence[int], bars: int, key: int, rng: np.random.Generator) -> Ints:
        """int64 [bars]: chords for phrases of four bars; phrases of one section have the same.

        Args:
            labels: section of each phrase.
            bars: in all.
            key: 0-23.
            rng: the same seed draws the same.
        """
        known = {label: turn_chords(self.draw_progression(key >= 12, rng), key % 12) for label in dict.fromkeys(labels)}
        return np.concatenate([np.zeros(0, np.int64), *(known[label] for label in labels)])[:bars]


class _StepPhraser:
    """A melody of ours: tokens so far, and the network's state behind them."""

    def __init__(self, player: StepPlayer, setting: Setting) -> None:
        self.session, self.setting = player.session, setting
        self.places = Places.of(setting.grid)
        self.tokens = np.full(setting.grid.steps, REST, np.int64)
        self.state = player.session.start()
        chords = setting.chords if setting.chords is not None else np.full(setting.grid.bars, NO_CHORD)
        self.features = encode_features(
            setting.words,
            self.places,
            family=setting.program // 8,
            minor=setting.key >= 12,
            octave=setting.octave,
            chords=chords,
            tonic=setting.key % 12,
            density=setting.density,
        )
        self.allowed = _list_allowed(setting)

    def draw(self, first: int, end: int, rng: np.random.Generator, keep: Melody | None = None) -> Melody:
        start, stop = (int(self.setting.grid.first_steps[bar]) for bar in (first, end))
        fixed = int(self.setting.grid.first_steps[end - 1]) if keep is not None else start
        tokens, state = self.tokens.copy(), self.state
        if keep is not None:
            tokens[start:stop] = self._encode(keep, stop - start)
        for step in range(start, stop):
            outputs, state = self._run(tokens, step, state)
            if step >= fixed:
                logits = np.where(self.allowed, outputs, -np.inf)
                if tokens[step - 1] == REST or step == 0:
                    logits[HOLD] = -np.inf
                tokens[step] = draw(logits, rng, temperature=self.setting.temperature, top_p=self.setting.top_p)
        return tokens_to_melody(tokens[start:stop], self.setting.base)

    def accept(self, first: int, end: int, phrase: Melody) -> None:
        start, stop = (int(self.setting.grid.first_steps[bar]) for bar in (first, end))
        self.tokens[start:stop] = self._encode(phrase, stop - start)
        for step in range(start, stop):
            _, self.state = self._run(self.tokens, step, self.state)

    def _encode(self, phrase: Melody, steps: int) -> Ints:
        return melody_to_tokens(phrase, steps, self.setting.base)

    def _run(self, tokens: Ints, step: int, state: dict[str, npt.NDArray[np.float32]]) -> tuple[npt.NDArray[np.float32], dict[str, npt.NDArray[np.float32]]]:
        recalled = np.array(recall(tokens, self.places, step), np.int64)[None, None]
        outputs, state = self.session.run({"features": self.features[None, step : step + 1], "recalled": recalled}, state)
        return outputs["logits"][0, 0], state


def _list_allowed(setting: Setting) -> npt.NDArray[np.bool_]:
    """Bool [tokens]: rest, hold, and the notes of the scale within reach."""
    allowed = np.ones(TOKENS, np.bool_)
    above = np.arange(LOWEST, HIGHEST + 1)
    pitches = setting.base + above
    in_scale = np.isin(pitches % 12, list_scale(setting.key))
    allowed[TOKENS - len(above) :] = in_scale & (np.abs(above) <= REACH) & (pitches >= 0) & (pitches < PITCHES)
    return allowed
