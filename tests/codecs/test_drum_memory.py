"""What a take remembers: the same step by step as at once, never of the future, and the obvious in a loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.drum_memory import BARS, COLUMNS, KERNELS, NO_WORD, TOP, TakeMemory, remember


def make_take(seed, bars):
    rng = np.random.default_rng(seed)
    pattern = rng.integers(0, 8, max(bars))
    words = np.concatenate([np.where(rng.random(n) < 0.2, rng.integers(0, 512, n), pattern[:n]) for n in bars])
    return words, np.array(bars)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.lists(st.sampled_from([3, 8, 12, 14, 16]), min_size=1, max_size=10))
def test_step_by_step_it_is_the_same_as_at_once(seed, bars):
    words, bar_steps = make_take(seed, bars)
    whole, take = remember(words, bar_steps), TakeMemory(bar_steps)
    for step, word in enumerate(words.tolist()):
        seen = take.look()
        for name in ("words", "shares", "hints"):
            assert np.array_equal(getattr(seen, name)[0], getattr(whole, name)[step]), (step, name)
        take.push(word)


def test_nothing_of_the_future_is_known():
    words, bars = make_take(1, [16] * 12)
    changed = words.copy()
    changed[100:] ^= 3
    before, after = remember(words, bars), remember(changed, bars)
    assert all(np.array_equal(getattr(before, n)[:101], getattr(after, n)[:101]) for n in ("words", "shares", "hints"))
    assert not np.array_equal(before.words, after.words)


def test_a_loop_is_remembered_as_certain():
    loop = np.arange(16) * 7 % 512
    memories = remember(np.tile(loop, 4), [16] * 4)
    assert (memories.words[:16] == NO_WORD).all() and not memories.shares[:16].any()
    firsts = slice(0, None, TOP)
    assert (memories.words[32:, firsts] == np.tile(loop, 2)[:, None]).all() and (memories.shares[40:, firsts] == 255).all()
    assert memories.hints[40:, -2:].max() == 0  # the nearest candidate differs in nothing


def test_the_more_alike_the_past_the_larger_the_share():
    bar_a, bar_b = np.tile([1, 4, 2, 4], 4), np.tile([1, 4, 2, 6], 4)
    a_end, b_end = bar_a.copy(), bar_b.copy()
    a_end[-1], b_end[-1] = 100, 200
    words = np.concatenate([a_end, b_end, b_end, a_end])
    last = remember(words, [16] * 4)
    assert last.words[-1][0] == 100 and last.shares[-1][0] > last.shares[-1][1]


def test_sizes_and_forks():
    words, bars = make_take(3, [16] * 70)
    memories = remember(words, bars)
    assert memories.words.shape == memories.shares.shape == (1120, TOP * len(KERNELS)) and memories.hints.shape == (1120, COLUMNS)
    assert memories.hints[-1, -3] == 3 * BARS
    take = TakeMemory(bars)
    for word in words[:40].tolist():
        take.push(word)
    twin = take.fork()
    twin.push(511)
    assert np.array_equal(take.look().words[0], memories.words[40])


@pytest.mark.parametrize("steps", [0, 1, 15])
def test_short_takes_remember_nothing(steps):
    memories = remember(np.zeros(steps, int), [16])
    assert memories.words.shape == (steps, 12) and not memories.shares.any()
