"""A style that is asked for leans the words towards its patterns, and only where it should."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from backbeat.codecs.words import WORD_BITS
from backbeat.drummer import load_drummer
from backbeat.errors import ModelError
from backbeat.grid import Grid
from backbeat.kits import load_kit
from backbeat.models.drummer_styles import FILE, Lean, Leaning, Patterns, load_patterns

SNARE, RIDE = 1, 8


def patterns() -> Patterns:
    """Two patterns of jazz: a ride on every beat, a snare on every beat."""
    rates = np.full((2, 16, 9), 0.05)
    rates[0, ::4, RIDE] = rates[1, ::4, SNARE] = 0.9
    return Patterns({"jazz": np.array([0.5, 0.5])}, {"jazz": rates})


def lean(styles: list[str], grid: Grid | None = None, how: Leaning | None = None, share: float = 1.0, key: int = 1) -> Lean | None:
    grid = grid or Grid.regular(len(styles))
    return Lean.of(patterns(), styles, grid, np.full(grid.steps, share), np.full((grid.steps, 9), 0.1, np.float32), key, how or Leaning())


def probability(words: npt.NDArray[np.float32], cls: int) -> float:
    weights = np.exp(words - words.max())
    return float(weights @ WORD_BITS[:, cls] / weights.sum())


def test_a_hit_becomes_as_likely_as_in_the_pattern_at_full_weight() -> None:
    leaning = lean(["jazz"], how=Leaning(weight=1, steady=0))
    assert leaning is not None
    words = np.random.default_rng(0).normal(size=512).astype(np.float32)
    favoured = leaning.favour(4, (0,), words)
    assert favoured is not None
    apart = np.log(0.2 / 0.8) * WORD_BITS[:, RIDE] + np.zeros(512, np.float32)
    moved = leaning.favour(4, (0,), apart.astype(np.float32))
    assert moved is not None and probability(apart + moved, RIDE) == pytest.approx(0.9, abs=1e-4)
    half = Lean(leaning.patterns, leaning.styles, leaning.style, leaning.place, leaning.weight / 2, leaning.fits, 1, leaning.how).favour(4, (0,), apart)
    assert half is not None and 0.2 < probability(apart + half, RIDE) < 0.9


def test_nothing_leans_where_no_style_is_asked_for_or_the_band_rests() -> None:
    words = np.zeros(512, np.float32)
    assert lean(["any", "any"]) is None and lean(["polka"]) is None
    leaning, resting = lean(["any", "jazz"]), lean(["jazz"], share=0)
    assert leaning is not None and leaning.favour(0, (0,), words) is None and leaning.favour(16, (0,), words) is not None
    assert resting is not None and resting.favour(0, (0,), words) is None


def test_the_metre_is_mapped_by_beats_and_others_are_left_alone() -> None:
    waltz = Grid.regular(2, 3)
    leaning = lean(["jazz", "jazz"], waltz)
    assert leaning is not None and leaning.place[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15]
    assert leaning.weight[0] == pytest.approx(Leaning().weight * Leaning().other)


def test_known_drums_tell_which_pattern_it_is() -> None:
    leaning = lean(["jazz"] * 4)
    assert leaning is not None
    steps, words = np.arange(32), np.zeros(32, np.int64)
    words[::4] = 1 << SNARE
    assert {leaning.draw(np.random.default_rng(k), steps, words) for k in range(20)} == {(1,)}
    nothing = np.zeros(0, np.int64)
    assert {leaning.draw(np.random.default_rng(k), nothing, nothing) for k in range(20)} == {(0,), (1,)}


def test_one_seed_draws_different_patterns_for_different_songs() -> None:
    nothing = np.zeros(0, np.int64)
    drawn = {leaning.draw(np.random.default_rng(1), nothing, nothing) for k in range(20) if (leaning := lean(["jazz"], key=k)) is not None}
    assert drawn == {(0,), (1,)}


def test_a_damaged_table_is_refused_in_one_line(tmp_path: Path) -> None:
    assert load_patterns(tmp_path) is None
    tables = ["{", "[]", '{"styles": {"jazz": {}}}', json.dumps({"styles": {"jazz": {"shares": [1], "rates": [0] * 144}}})]
    for text in tables:
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        with pytest.raises(ModelError, match="install the model again"):
            load_patterns(tmp_path)


def test_the_drummers_table_knows_what_jazz_is() -> None:
    drummer = load_drummer()
    assert drummer.model.patterns is not None and set(drummer.model.patterns.rates) <= set(drummer.styles)
    grid = Grid.regular(8)
    nine = load_kit("drums_rnn_9")
    ride = {s: np.mean([drummer.play_alone(grid, style=s, seed=k).to_kit(nine).hits[:, RIDE].mean() for k in range(6)]) for s in ("jazz", "rock")}
    assert ride["jazz"] > ride["rock"]
