"""The paper's network of melodies at work: loops whose bits are drawn one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backbeat.codecs.melodies import DRUM_STEPS, PITCHES, TICKS, Melody, encode_loop, matrix_to_melody
from backbeat.errors import InputError
from backbeat.models.melody_setting import Phraser, Setting, Words
from backbeat.runtime.recurrent import RecurrentSession
from backbeat.sampling import draw
from backbeat.units import Floats


class LoopPlayer:
    """The paper's network at work. Of its 64 ticks, the first half is played on the first two bars of a phrase, the second on the others.

    Args:
        session: a checkpoint folder of variant "loops".
        alone: draw one note a tick, whether and which by the tick's probabilities; else every bit by itself, which clashes.
    """

    name = "paper"

    def __init__(self, session: RecurrentSession, *, alone: bool = True) -> None:
        self.session, self.alone = session, alone

    def begin(self, setting: Setting) -> Phraser:
        """Start a melody.

        Raises:
            InputError: the drums are not in 4/4 and 16ths.
        """
        if setting.grid.steps_per_quarter != 4 or any(kind != (16, 4, 4) for kind in setting.grid.metre_kinds[0]):
            raise InputError("the paper's network knows 4/4 only: use the model 'ours' for other metres")
        return _LoopPhraser(self, setting)

    def tell(self, drums: Words, family: int, key: int, octave: int) -> npt.NDArray[np.float64]:
        """float64 [64, 128]: the probability that each pitch begins at each tick.

        Args:
            drums: uint16 [32].
            family, key, octave: see ``codecs.melodies``.
        """
        logits = self.session.run({"loops": encode_loop(drums, family, key, octave)[None]}, {})[0]["logits"][0]
        return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64)))).reshape(TICKS, PITCHES)


class _LoopPhraser:
    """A melody of the paper's network; phrases do not know of one another."""

    def __init__(self, player: LoopPlayer, setting: Setting) -> None:
        self.player, self.setting = player, setting

    def draw(self, first: int, end: int, rng: np.random.Generator, keep: Melody | None = None) -> Melody:
        steps, half, heat = len(self.setting.cut(first, end)), DRUM_STEPS, self.setting.temperature
        chances = np.concatenate([self._tell(first, min(first + 2, end))[:half], self._tell(min(first + 2, end - 1), end)[half:]])[:steps]
        matrix = draw_alone(chances, rng, heat) if self.player.alone else rng.random(chances.shape) < temper_bits(chances, heat)
        if keep is not None:
            matrix[: steps - 16] = False
            matrix[keep["step"][keep["step"] < steps - 16], keep["pitch"][keep["step"] < steps - 16]] = True
        return matrix_to_melody(matrix)

    def _tell(self, first: int, end: int) -> npt.NDArray[np.float64]:
        drums = self.setting.cut(first, end)
        return self.player.tell(np.resize(drums, DRUM_STEPS), self.setting.program // 8, self.setting.key, self.setting.octave)

    def accept(self, first: int, end: int, phrase: Melody) -> None:
        """Nothing is carried."""


def draw_alone(chances: Floats, rng: np.random.Generator, temperature: float = 1.0) -> npt.NDArray[np.bool_]:
    """At most one note a tick: bool [ticks, 128].

    Args:
        chances: float64 [ticks, 128], the probability that each pitch begins. Whether any does is drawn as often as they say.
        rng: the same seed draws the same.
        temperature: of the pitches; 0 takes the likeliest.
    """
    begins = rng.random(len(chances)) < 1 - np.prod(1 - chances, axis=1)
    out = np.zeros(chances.shape, np.bool_)
    for tick in np.flatnonzero(begins).tolist():
        out[tick, draw(np.log(np.maximum(chances[tick], 1e-12)).astype(np.float32), rng, temperature=temperature)] = True
    return out


def temper_bits(chances: Floats, temperature: float) -> Floats:
    """Probabilities of bits at a temperature: 0 leaves those above one half.

    Args:
        chances: float64, any shape, in 0-1.
        temperature: >= 0.
    """
    if temperature in (0, 1):
        return (chances > 0.5).astype(np.float64) if temperature == 0 else chances
    odds = (np.clip(chances, 1e-12, 1 - 1e-12) / (1 - np.clip(chances, 1e-12, 1 - 1e-12))) ** (1 / temperature)
    return np.asarray(odds / (1 + odds))
