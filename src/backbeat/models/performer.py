"""The performer's network at work, without torch: the encoder once for a whole piece, the player stroke by stroke.

The encoder runs in ONNX Runtime. The player is three small matrices and is walked in numpy, because a call of any runtime costs
more than its arithmetic. A checkpoint folder holds ``network.onnx`` (the encoder), ``weights.safetensors`` (the whole network,
from which the player's matrices are read and an adapted one is trained), ``config.json`` and ``card.md``.
"""

from __future__ import annotations

import json
import math
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.errors import ModelError
from backbeat.models.performer_inputs import FAMILIES, FEATURES, LATE_SCALE, REFERENCES, VELOCITY_CENTRE, VELOCITY_SCALE, Seen, Singles
from backbeat.runtime.recurrent import Arrays, RecurrentSession
from backbeat.units import Floats, Ints

NETWORK = "performer"
SHIPPED = "weights/performer"
WEIGHTS = "weights.safetensors"
RATES, VELOCITY_RATE, DRUM_RATE = (1 / 4, 1 / 16, 1 / 64), 1 / 16, 1 / 6
"""Of the slow averages of lateness, of velocity, and of both for each drum; as in ``networks.performer``."""
NARROWEST = (0.03, 0.05)
REMEMBERED = (0.98, 0.95)
"""Share of what a drawn stroke lies off its mean that is remembered, of velocity and of lateness: draws follow draws, and the whole of it
lets velocities wander to their ends (this and the next four chosen on the validation split by C2ST and the distance of the distributions)."""
SETTLING, SETTLING_RATE = 0.15, 1 / 64
"""Share of the slow average of these rests of velocity, one a drum, that is forgotten too: a loud bar is remembered, a kit that grows louder is not."""
SPREAD, CHOICE = (0.7, 1.0), 0.9
"""Times the spread within a component, of velocity and of lateness, and the chance in its choice: people repeat a stroke more exactly than
independent draws do."""
LOUDEST, QUIETEST = (1 - VELOCITY_CENTRE) / VELOCITY_SCALE, (1 / 127 - VELOCITY_CENTRE) / VELOCITY_SCALE
BIN = 1 / 127 / VELOCITY_SCALE


class Told(NamedTuple):
    """What is told beside the strokes: index of style and drummer, 0 = any; accents int64 [n], 0 = not said, then ghost, normal, accent."""

    style: int
    drummer: int
    accents: Ints


class Expected(NamedTuple):
    """What the encoder says of n strokes.

    Args:
        means: float32 [n, 3], mean velocity, mean and median lateness, in the network's units.
        lead: float32 [n, hidden], for the player.
    """

    means: Singles
    lead: Singles


class PerformerNet:
    """A checkpoint folder, ready to play.

    Args:
        folder: see the module.

    Raises:
        ModelError: a file is missing or damaged, or holds another network.
    """

    def __init__(self, folder: Path) -> None:
        self._session = RecurrentSession(folder, NETWORK)
        config = self._session.config
        names = (config.get("styles") or [], config.get("drummers") or [])
        if not all(isinstance(n, list) and n for n in names) or config.get("inputs") != describe_inputs():
            raise ModelError(f"{folder}: config.json is not one that this version can read: install or learn the model again")
        self.config: dict[str, Any] = config
        self.styles, self.drummers = (tuple(str(n) for n in listed) for listed in names)
        weights = read_weights(folder / WEIGHTS)
        try:
            self._recall, self._inner, self._give = (weights[f"player.{n}.weight"] for n in ("recall", "inner", "give"))
            self._inner_bias, self._give_bias = weights["player.inner.bias"], weights["player.give.bias"]
        except KeyError as error:
            raise ModelError(f"{folder / WEIGHTS} lacks {error}: install or learn the model again") from error
        self.components = len(self._give_bias) // 5

    def expect(self, seen: Seen, told: Told) -> Expected:
        """Hear a whole piece of at least one stroke."""
        style, drummer = (np.full((1, len(told.accents)), i, np.int64) for i in (told.style, told.drummer))
        inputs: Arrays = {"features": seen.features[None], "style": style, "drummer": drummer, "accents": told.accents[None]}
        outputs, _ = self._session.run(inputs, {})
        return Expected(outputs["means"][0], outputs["lead"][0])

    def play(self, seen: Seen, expected: Expected, bounds: Singles, rng: np.random.Generator, temperature: float = 1.0) -> Singles:
        """Draw how every stroke is played, each given all before it.

        Args:
            seen, expected: of the same n strokes.
            bounds: float32 [n], how far from its place a stroke may be, in the network's units.
            rng: the same state plays the same.
            temperature: of the choice of components and of their spread.

        Returns:
            float32 [n, 2], velocity and lateness in the network's units.
        """
        count, kinds = len(seen.families), self.components
        noise = np.clip(rng.random((count, 2)), 1e-6, 1 - 1e-6)
        noise = temperature * np.log(noise / (1 - noise)) * SPREAD
        choice = (CHOICE * temperature * rng.gumbel(size=(count, kinds))).astype(np.float32)
        past = _Past(seen, len(self._recall[0]))
        rows = zip(expected.lead, choice, noise.tolist(), expected.means[:, :2].tolist(), bounds.tolist(), seen.families.tolist(), strict=True)
        slow = [0.0] * len(FAMILIES)
        recall, inner, give, inner_bias, give_bias = self._recall, self._inner, self._give, self._inner_bias, self._give_bias
        played = np.zeros((count, 2), np.float32)
        for i, (lead, chance, (loud_noise, late_noise), (loud_mean, late_mean), bound, drum) in enumerate(rows):
            hidden = recall @ past.look(i)
            hidden += lead
            hidden = inner @ np.maximum(hidden, 0, out=hidden)
            hidden += inner_bias
            given = give @ np.maximum(hidden, 0, out=hidden)
            given += give_bias
            k = int((given[:kinds] + chance).argmax())
            loud, loud_scale, late, late_scale = given[kinds + k :: kinds].tolist()
            loud += loud_mean + loud_noise * max(NARROWEST[0], math.exp(loud_scale))
            late += late_mean + late_noise * max(NARROWEST[1], math.exp(late_scale))
            loud = QUIETEST + BIN * int((min(max(loud, QUIETEST), LOUDEST) - QUIETEST) / BIN + 0.5)
            late = min(max(late, -bound), bound)
            played[i] = loud, late
            slow[drum] += SETTLING_RATE * (loud - loud_mean - slow[drum])
            loud_rest, late_rest = REMEMBERED[0] * (loud - loud_mean - SETTLING * slow[drum]), REMEMBERED[1] * (late - late_mean)
            past.add(i, loud_mean + loud_rest, late_mean + late_rest, loud_rest, late_rest)
        return played

    def measure(self, seen: Seen, expected: Expected, played: Singles) -> Floats:
        """Bits that surprise: how likely strokes were, each given how all before it were played.

        Args:
            seen, expected: of n strokes.
            played: float32 [n, 2] in the network's units.

        Returns:
            float64 [n, 2]: log2 of the probability of the velocity (one of 127), and of the density of the lateness in ms given it.
        """
        given = self.follow(seen, expected, played)
        return _measure_mixture(given, expected.means.astype(np.float64), played.astype(np.float64))

    def follow(self, seen: Seen, expected: Expected, played: Singles) -> Floats:
        """float64 [n, 5 components]: the mixture that each stroke is drawn from, given how all before it were played.

        Logits, then velocity and its log-scale, lateness and its log-scale; the two count from the means.

        Args:
            seen, expected: of n strokes.
            played: float32 [n, 2] in the network's units.
        """
        past = _Past(seen, len(self._recall[0]))
        memory = np.zeros((len(played), past.row.size), np.float32)
        rest = played - expected.means[:, :2]
        for i, ((loud, late), (loud_rest, late_rest)) in enumerate(zip(played.tolist(), rest.tolist(), strict=True)):
            memory[i] = past.look(i)
            past.add(i, loud, late, loud_rest, late_rest)
        hidden = np.maximum(expected.lead + memory @ self._recall.T, 0)
        return np.asarray(np.maximum(hidden @ self._inner.T + self._inner_bias, 0) @ self._give.T + self._give_bias, dtype=np.float64)


class _Past:
    """What the player sees of the strokes so far, as ``networks.performer.recall`` makes it for all at once."""

    def __init__(self, seen: Seen, size: int) -> None:
        count = len(seen.families)
        self.references = np.where(seen.references < 0, count, seen.references)
        self.families = seen.families.tolist()
        self.history = np.zeros((count + 1, 4), np.float32)
        self.row = np.zeros(size, np.float32)
        self._recalled = self.row[: 4 * len(REFERENCES)].reshape(-1, 4)
        self._slow, self._drums = [0.0] * 4, [(0.0, 0.0)] * len(FAMILIES)

    def look(self, i: int) -> Singles:
        """float32 [memory]: what is known before stroke ``i``; overwritten by the next call."""
        self.history.take(self.references[i], axis=0, out=self._recalled, mode="clip")
        self.row[-6:] = (*self._slow, *self._drums[self.families[i]])
        return self.row

    def add(self, i: int, loud: float, late: float, loud_rest: float, late_rest: float) -> None:
        """Stroke ``i`` was played like this; the rests are against its means."""
        self.history[i] = loud, late, loud_rest, late_rest
        a, b, c, d = self._slow
        self._slow = [a + RATES[0] * (late_rest - a), b + RATES[1] * (late_rest - b), c + RATES[2] * (late_rest - c), d + VELOCITY_RATE * (loud_rest - d)]
        loud_own, late_own = self._drums[self.families[i]]
        self._drums[self.families[i]] = (loud_own + DRUM_RATE * (loud_rest - loud_own), late_own + DRUM_RATE * (late_rest - late_own))


def _measure_mixture(given: Floats, means: Floats, played: Floats) -> Floats:
    """float64 [n, 2] in bits, see ``PerformerNet.measure``; as ``networks.performer.measure_nats``."""
    logits, loud, loud_scale, late, late_scale = np.split(given, 5, axis=1)
    weights = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    loud_scale, late_scale = (np.maximum(s, math.log(n)) for s, n in zip((loud_scale, late_scale), NARROWEST, strict=True))
    velocity, away = played[:, :1], played[:, :1] - loud - means[:, :1]
    bins = _log_density(away / np.exp(loud_scale), loud_scale) + math.log(BIN)
    top = -np.logaddexp(0, (away - BIN / 2) / np.exp(loud_scale))
    bottom = -np.logaddexp(0, -(away + BIN / 2) / np.exp(loud_scale))
    bins = np.where(velocity > LOUDEST - BIN / 2, top, np.where(velocity < QUIETEST + BIN / 2, bottom, bins))
    timing = _log_density((played[:, 1:] - late - means[:, 1:2]) / np.exp(late_scale), late_scale)
    alone, both = (np.logaddexp.reduce(x, axis=1) for x in (weights + bins, weights + bins + timing))
    return np.stack([alone / math.log(2), (both - alone) / math.log(2) - math.log2(LATE_SCALE)], axis=1)


def _log_density(z: Floats, log_scale: Floats) -> Floats:
    return np.asarray(-z - log_scale - 2 * np.logaddexp(0, -z))


def describe_inputs() -> dict[str, Any]:
    """What a checkpoint's network must read, kept in its config.json."""
    return {"features": FEATURES, "families": list(FAMILIES), "references": list(REFERENCES)}


def read_weights(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The tensors of a safetensors file of single floats.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        data = path.read_bytes()
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        out = {}
        for name, entry in header.items():
            if name != "__metadata__":
                first, stop = entry["data_offsets"]
                if entry["dtype"] != "F32":
                    raise ValueError(entry["dtype"])
                out[name] = np.frombuffer(data[8 + size + first : 8 + size + stop], "<f4").reshape(entry["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: the weights cannot be loaded ({type(error).__name__}): install or learn the model again") from error
    return out


def open_performer(folder: Path | None = None) -> PerformerNet:
    """The network of a checkpoint folder; none = the one that ships.

    Raises:
        ModelError: the folder holds no performer, or is damaged.
    """
    if folder is None:
        with resources.as_file(resources.files("backbeat").joinpath(SHIPPED)) as shipped:
            return PerformerNet(shipped)
    return PerformerNet(folder)
