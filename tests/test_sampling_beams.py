"""Temperature of probabilities, drawing step by step, and the beam search, on chains whose probabilities are known."""

import numpy as np
import pytest

from backbeat.sampling import draw_steps, search_beams, temper


class Chain:
    """A Markov chain over three outcomes."""

    table = np.array([[0.6, 0.3, 0.1], [0.05, 0.05, 0.9], [0.2, 0.2, 0.6]])

    def __init__(self, past=()):
        self.past = list(past)

    def distribution(self):
        return self.table[self.past[-1] if self.past else 0]

    def push(self, word):
        self.past.append(word)

    def fork(self):
        return Chain(self.past)


def log_p(outcomes):
    take, total = Chain(), 0.0
    for outcome in outcomes:
        total += np.log(take.distribution()[outcome])
        take.push(outcome)
    return total


def test_temper_is_the_softmax_of_scaled_logarithms():
    p = np.array([0.5, 0.3, 0.2])
    scaled = np.exp(np.log(p) / 0.7)
    assert temper(p, 0.7) == pytest.approx(scaled / scaled.sum())
    assert temper(p, 1) is p and temper(p, 0).tolist() == [1, 0, 0]
    with pytest.raises(ValueError, match="must not be negative"):
        temper(p, -1)


def test_draws_come_with_their_probability_and_follow_it():
    outcomes, gained = draw_steps(Chain(), 40, np.random.default_rng(0))
    assert gained == pytest.approx(log_p(outcomes))
    firsts = [draw_steps(Chain(), 1, np.random.default_rng(k))[0][0] for k in range(2000)]
    assert np.bincount(firsts) / 2000 == pytest.approx(Chain.table[0], abs=0.04)


def test_temperature_0_is_greedy_and_certain():
    assert draw_steps(Chain(), 5, np.random.default_rng(0), temperature=0) == ([0] * 5, 0.0)


def test_top_p_leaves_the_unlikely_out():
    outcomes, _ = draw_steps(Chain(), 200, np.random.default_rng(0), top_p=0.5)
    assert set(outcomes) == {0}


def test_one_beam_is_plain_drawing_and_the_take_stays():
    take = Chain([2])
    found = search_beams(take, 12, np.random.default_rng(4))
    assert found == draw_steps(Chain([2]), 12, np.random.default_rng(4)) and take.past == [2]


@pytest.mark.parametrize("steps_per_iteration", [1, 3, 5, 20])
def test_beams_are_as_long_as_asked_and_say_their_probability(steps_per_iteration):
    outcomes, gained = search_beams(Chain(), 10, np.random.default_rng(1), beam_size=3, branch_factor=2, steps_per_iteration=steps_per_iteration)
    assert len(outcomes) == 10 and gained == pytest.approx(log_p(outcomes))


def test_the_first_iteration_takes_the_rest():
    calls = []

    class Watched(Chain):
        def fork(self):
            calls.append(len(self.past))
            return Watched(self.past)

    search_beams(Watched(), 10, np.random.default_rng(1), steps_per_iteration=4)
    assert calls == [0, 2, 6]


def test_wide_beams_find_the_likeliest():
    best = max(log_p([a, b, c, d]) for a in range(3) for b in range(3) for c in range(3) for d in range(3))
    assert search_beams(Chain(), 4, np.random.default_rng(0), beam_size=30, branch_factor=30)[1] == pytest.approx(best)


@pytest.mark.parametrize("options", [{"beam_size": 0}, {"branch_factor": 0}, {"steps_per_iteration": 0}])
def test_numbers_below_1_are_refused(options):
    with pytest.raises(ValueError, match="must be at least 1"):
        search_beams(Chain(), 4, np.random.default_rng(0), **options)
