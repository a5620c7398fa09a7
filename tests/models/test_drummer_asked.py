"""What is asked for moves the words, and progress is told."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.codecs.controls import Controls, hits_of
from backbeat.codecs.words import WORD_BITS
from backbeat.grid import Grid
from backbeat.models.drummer_asked import Guidance, Pace, Progress, guide_fills, share_watch

NAN = float("nan")
SNARE, LOW_TOM, CRASH, KICK_AND_HAT = 1 << 1, 1 << 4, 1 << 7, 0b101


def controls(density: list[float], fills: list[float]) -> Controls:
    return Controls(np.array(density, np.float32), np.full(len(fills), NAN, np.float32), np.array(fills, np.float32))


def test_a_fill_is_favoured_in_the_second_half_and_crowned_by_a_crash() -> None:
    bias = guide_fills(controls([NAN] * 3, [1, NAN, 0]), Grid.regular(3), Guidance())
    assert not bias[:8].any() and (bias[8:11, SNARE] > 0).all() and (bias[8:16, LOW_TOM] > 0).all() and (bias[8:16, 0b100] < 0).all()
    assert bias[8, SNARE] > bias[8, LOW_TOM] and bias[15, SNARE] < bias[15, LOW_TOM], "from the snare down to the low tom"
    assert bias[16, CRASH] > 0 and not bias[17:32].any()
    assert (bias[32:, LOW_TOM] < 0).all() and not bias[32:, SNARE].any()


def test_a_hint_moves_less_than_a_wish() -> None:
    hint, wish = (guide_fills(controls([NAN], [f]), Grid.regular(1), Guidance()) for f in (0.5, 1.0))
    assert hint[8:] == pytest.approx(wish[8:] / 2)


def test_density_is_learned_from_what_is_played() -> None:
    grid = Grid.regular(2)
    pace = Pace.of(controls([0.9, 0.1], [NAN] * 2), grid, np.zeros(2, np.bool_), Guidance())
    assert pace is not None
    learned = 0.0
    for step in range(16):
        learned = pace.learn(step, learned, 0)
    assert learned > 0, "nothing is played, so more is favoured"
    full, sparse = pace.favour(0, 0.0), pace.favour(16, 0.0)
    assert full is not None and sparse is not None and full[KICK_AND_HAT] > full[0] == 0 == sparse[0] > sparse[KICK_AND_HAT]
    assert pace.learn(16, 0.0, 9) < 0
    assert pace.learn(0, 99.0, 0) == Guidance().most


def test_nothing_is_learned_where_the_band_rests_or_nothing_is_said() -> None:
    grid, nobody = Grid.regular(2), np.zeros(2, np.bool_)
    assert Pace.of(controls([NAN, NAN], [1, 1]), grid, nobody, Guidance()) is None
    pace = Pace.of(controls([NAN, 0.9], [NAN] * 2), grid, ~nobody, Guidance())
    assert pace is not None and pace.favour(0, 1.0) is None
    assert pace.learn(0, 0.3, 0) == 0.3 == pace.learn(20, 0.3, 0)


def test_hits_of_a_density_rise() -> None:
    assert (np.diff(hits_of(np.linspace(0, 1, 11))) > 0).all()
    assert WORD_BITS.shape == (512, 9)


def test_progress_is_told_and_may_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(np.arange(0, 99, 0.02).tolist())
    monkeypatch.setattr("backbeat.models.drummer_asked.time.monotonic", lambda: 10 + next(clock))
    told: list[float] = []
    progress = Progress(share_watch(told.append, 0.5, 1.0), 100)
    for _ in range(100):
        progress.advance()
    assert told == sorted(told) and told[0] == 0.5 and 0.95 < told[-1] <= 1 and 30 <= len(told) <= 60

    def stop(_share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Progress(stop, 10)
    assert share_watch(None, 0, 1) is None
    Progress(None, 0).advance()
