"""Drawing from logits that are known."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.sampling import draw, keep_top, normalise

PROBABILITIES = np.array([0.1, 0.5, 0.05, 0.35])
LOGITS = np.log(PROBABILITIES).astype(np.float32)


def count_draws(n: int = 4000, **options: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.bincount([draw(LOGITS, rng, **options) for _ in range(n)], minlength=4) / n  # type: ignore[arg-type]


def test_logits_become_probabilities() -> None:
    assert normalise(LOGITS) == pytest.approx(PROBABILITIES, rel=1e-6)
    assert normalise(LOGITS + 1000) == pytest.approx(PROBABILITIES, rel=1e-3)
    assert normalise(np.stack([LOGITS, LOGITS])).shape == (2, 4)


def test_temperature_sharpens_and_flattens() -> None:
    assert normalise(LOGITS, 0.5) == pytest.approx(PROBABILITIES**2 / (PROBABILITIES**2).sum(), rel=1e-6)
    assert normalise(LOGITS, 1e6) == pytest.approx(np.full(4, 0.25), abs=1e-5)


def test_forbidden_outcomes_have_no_probability() -> None:
    assert normalise(np.array([0, -np.inf, 0], np.float32)).tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize(
    ("top_p", "top_k", "kept"),
    [
        (1, 0, [0, 1, 2, 3]),
        (0.4, 0, [1]),
        (0.51, 0, [1, 3]),
        (0.9, 0, [0, 1, 3]),
        (0.99, 0, [0, 1, 2, 3]),
        (1, 1, [1]),
        (1, 3, [0, 1, 3]),
        (0.9, 2, [1, 3]),
        (1, 9, [0, 1, 2, 3]),
    ],
)
def test_top_p_and_top_k_keep_the_likely(top_p: float, top_k: int, kept: list[int]) -> None:
    out = keep_top(PROBABILITIES, top_p, top_k)
    assert np.flatnonzero(out).tolist() == kept
    assert out.sum() == pytest.approx(1)
    assert out[kept] == pytest.approx(PROBABILITIES[kept] / PROBABILITIES[kept].sum())


def test_of_equals_the_first_is_kept() -> None:
    assert keep_top(np.full(4, 0.25), 1.0, 2).tolist() == [0.5, 0.5, 0, 0]


def test_temperature_0_takes_the_most_likely() -> None:
    assert draw(LOGITS, np.random.default_rng(0), temperature=0) == 1


def test_frequencies_follow_the_probabilities() -> None:
    assert count_draws() == pytest.approx(PROBABILITIES, abs=0.03)


def test_what_is_cut_off_is_never_drawn() -> None:
    frequencies = count_draws(1000, top_p=0.6)
    assert frequencies[[0, 2]].tolist() == [0, 0]
    assert frequencies[1] == pytest.approx(0.5 / 0.85, abs=0.06)


def test_the_same_seed_draws_the_same() -> None:
    first, second = ([draw(LOGITS, rng) for _ in range(50)] for rng in (np.random.default_rng(3), np.random.default_rng(3)))
    assert first == second


def test_only_what_is_possible_is_drawn() -> None:
    logits = np.full(512, -np.inf, np.float32)
    logits[[7, 500]] = [0, 1]
    rng = np.random.default_rng(0)
    assert {draw(logits, rng) for _ in range(50)} == {7, 500}


@pytest.mark.parametrize("options", [{"temperature": -0.1}, {"top_p": 0}, {"top_p": 1.1}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="temperature must not be negative"):
        draw(LOGITS, np.random.default_rng(0), **options)  # type: ignore[arg-type]
