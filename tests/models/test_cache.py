"""The cache mixture: its parts, its weights, and the published figures."""

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from backbeat.errors import ModelError
from backbeat.metrics import likelihood
from backbeat.models import cache
from backbeat.models.cache import CacheMixture, copy_in_take, count_in_take, fit_weights
from backbeat.models.ngram import NGram
from backbeat.models.stream import POSITION, Stream
from tests.models.pieces import make_piece, make_takes, vary


@pytest.fixture(scope="module")
def mixture():
    model = CacheMixture(orders=(2, 4), contexts=((1, POSITION), (16, 1, POSITION)))
    model.fit(make_takes(seed=1, takes=8))
    model.tune(make_takes(seed=2, takes=4))
    return model


@pytest.mark.parametrize("step", [0, 5, 20, 40])
def test_sums_to_one_over_the_vocabulary(mixture, step):
    heard = make_takes(seed=3, takes=1)[0].words
    assert mixture.probabilities(Stream.join(vary(heard, step)))[step :: len(heard)].sum() == pytest.approx(1, abs=1e-5)


def test_remembers_the_take(mixture):
    pieces = make_takes(seed=4, takes=4, bars=8)
    plain = NGram.of_order(4)
    plain.fit(make_takes(seed=1, takes=8))
    words = np.concatenate([p.words for p in pieces])
    with_cache, without = (likelihood.perplexity(np.concatenate([m.score(p) for p in pieces]), words) for m in (mixture, plain))
    assert with_cache < 0.8 * without


def test_looks_only_back(mixture):
    piece = make_takes(seed=5, takes=1)[0]
    changed = piece.words.copy()
    changed[40:] = 7
    assert np.array_equal(mixture.score(piece)[:40], mixture.score(make_piece(changed))[:40])


def test_take_counts_are_relative_frequencies_so_far():
    stream = Stream.join([make_piece([3, 3, 3, 4] * 4), make_piece([3] * 16)])
    probabilities, evidence = count_in_take(stream, (1,))
    assert evidence[:5].tolist() == [False, False, True, True, False]  # after 3, steps 2 and 3 have seen what followed a 3
    assert probabilities[[2, 3, 5, 16, 17, 18]].tolist() == [1, 0, pytest.approx(2 / 3), 0, 0, 1]
    assert evidence[[16, 17, 18]].tolist() == [False, False, True]


def test_copy_starts_when_there_is_something_to_copy():
    words = np.concatenate([np.arange(16), np.arange(15), [99]])
    probabilities, evidence = copy_in_take(Stream.join([make_piece(words)]), 16)
    assert not evidence[:16].any() and evidence[16:].all()
    assert probabilities[16:].tolist() == [1] * 15 + [0]


def test_em_finds_the_better_part():
    good = np.array([[0.5, 0.1], [0.5, 0.1], [0.1, 0.9]])
    weights = fit_weights(good)
    assert weights.sum() == pytest.approx(1)
    grid = np.linspace(0, 1, 1001)
    best = max(grid, key=lambda w: np.log(good @ [w, 1 - w]).sum())
    assert weights[0] == pytest.approx(best, abs=2e-3)


def test_weights_need_a_step():
    with pytest.raises(ModelError, match="at least one step"):
        fit_weights(np.zeros((0, 3)))


def test_parts_are_named_and_weighed(mixture):
    assert len(mixture.parts) == len(mixture.weights) == 4 + len(cache.IN_TAKE) + len(cache.COPIES)


@pytest.mark.slow
@pytest.mark.skipif("BACKBEAT_DATA" not in os.environ, reason="BACKBEAT_DATA does not name the unpacked data")
def test_groove_midi_figures(monkeypatch):
    """The figures of the project's yardsticks, which were computed elsewhere, within 2 %."""
    path = Path(__file__).parents[2] / "benchmarks" / "published_floors.py"
    spec = importlib.util.spec_from_file_location("published_floors", path)
    benchmark = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "published_floors", benchmark)  # its dataclasses look there for their annotations
    spec.loader.exec_module(benchmark)
    training, validation, test = (benchmark.read_takes(Path(os.environ["BACKBEAT_DATA"]), s) for s in ("train", "validation", "test"))
    words = np.concatenate([p.words for p in test])
    for model, published in ((NGram.of_order(1), 14.64), (NGram.of_order(5), 6.69), (NGram.of_order(17), 6.02), (CacheMixture(), 2.91)):
        model.fit(training)
        model.tune(validation)
        assert likelihood.perplexity(np.concatenate([model.score(p) for p in test]), words) == pytest.approx(published, rel=0.02)
