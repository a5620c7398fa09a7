"""A drummer for tests: quick, and different with every seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backbeat.cues import Cues
from backbeat.errors import InputError
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.song import Song


class FakeDrummer:
    """Plays at random; remembers what it was asked for.

    Args:
        wait: called now and then while it plays.
    """

    styles = ("any", "rock", "jazz")

    def __init__(self, wait: Callable[[], None] = lambda: None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._wait = wait

    def accompany_takes(self, song: Song, takes: int, **asked: Any) -> list[Groove]:
        """Takes at random."""
        return self._play(Groove.empty(song.grid(), load_kit("backbeat")), None, takes, asked)

    def play_cues(self, cues: Cues, takes: int, **asked: Any) -> list[Groove]:
        """Takes at random."""
        return self._play(Groove.empty(cues.grid, load_kit("backbeat")), None, takes, asked)

    def redo_takes(self, song: Song, groove: Groove, known: Any, takes: int, **asked: Any) -> list[Groove]:
        """What is known, and the rest at random."""
        return self._play(groove, known, takes, asked | {"known": known})

    def _play(self, groove: Groove, known: Any, takes: int, asked: dict[str, Any]) -> list[Groove]:
        self.asked.append(asked)
        if asked["style"] not in self.styles:
            raise InputError(f"no style {asked['style']!r}")
        out = []
        for take in range(takes):
            asked["watch"](take / takes)
            self._wait()
            rng = np.random.default_rng([asked["seed"], take])
            hits = rng.random(groove.hits.shape) < 0.06
            if known is not None:
                stays = known[:, groove.kit.mapping(load_kit("drums_rnn_9"))]
                hits = np.where(stays, groove.hits, hits)
            velocities = np.where(hits, rng.integers(20, 120, hits.shape) / 127, 0).astype(np.float32)
            new = Groove(groove.grid, groove.kit, hits, velocities, np.zeros(hits.shape, np.float32))
            keep = hits & groove.hits & (known is not None)
            out.append(new.replace(velocities=np.where(keep, groove.velocities, velocities), offsets=np.where(keep, groove.offsets, 0)))
        asked["watch"](1.0)
        return out
