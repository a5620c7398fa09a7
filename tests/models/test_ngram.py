"""Kneser-Ney against a slow dictionary version, and sums over the vocabulary."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from backbeat.errors import ModelError
from backbeat.models.ngram import NGram, estimate_discounts
from backbeat.models.protocol import Piece
from backbeat.models.stream import POSITION, START, Stream, count_before
from tests.models.pieces import make_piece, make_takes, vary


class SlowNGram:
    """Interpolated modified Kneser-Ney with dictionaries, straight from the definition."""

    def __init__(self, pieces, order):
        tuples = Counter()
        for piece in pieces:
            words = [START] * (order - 1) + piece.words.tolist()
            tuples.update(tuple(words[i : i + order]) for i in range(len(words) - order + 1))
        self.tables = []
        for _ in range(order):
            followers, discounts = defaultdict(dict), estimate_discounts(np.array(list(tuples.values())))
            for t, count in tuples.items():
                followers[t[:-1]][t[-1]] = count
            self.tables.insert(0, (followers, discounts))
            tuples = Counter(t[1:] for t in tuples)

    def probability(self, history, word):
        p = 1 / 512
        for n, (followers, discounts) in enumerate(self.tables):
            counts = followers.get(tuple(history[len(history) - n :]))
            if counts is None:
                return p
            total = sum(counts.values())
            own = counts.get(word, 0)
            p = max(0, own - discounts[min(own, 3)]) / total + sum(discounts[min(c, 3)] for c in counts.values()) / total * p
        return p


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_agrees_with_the_definition(order):
    training, (piece,) = make_takes(seed=1, takes=6), make_takes(seed=2, takes=1)
    model, slow = NGram.of_order(order), SlowNGram(training, order)
    model.fit(training)
    padded = [START] * (order - 1) + piece.words.tolist()
    expected = [slow.probability(padded[t : t + order - 1], padded[t + order - 1]) for t in range(len(piece.words))]
    assert 2 ** model.score(piece) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("context", [(), (1,), (4, 3, 2, 1), (32, 16, 1, POSITION)])
def test_sums_to_one_over_the_vocabulary(context):
    model = NGram(context)
    model.fit(make_takes(seed=3))
    heard = make_takes(seed=4, takes=1)[0].words
    for step in (0, 6, 39):
        assert model.probabilities(Stream.join(vary(heard, step)))[step :: len(heard)].sum() == pytest.approx(1, abs=1e-5)


def test_no_context_reaches_across_pieces():
    model = NGram.of_order(3)
    model.fit(make_takes(seed=5))
    one, two = make_takes(seed=6, takes=2)
    joined = model.probabilities(Stream.join([one, two]))
    assert np.log2(joined) == pytest.approx(np.concatenate([model.score(one), model.score(two)]))


def test_position_tells_metres_apart():
    stream = Stream.join([make_piece(np.zeros(16)), make_piece(np.zeros(12), 3, 4)])
    assert len(set(stream.column(POSITION).tolist())) == 28


def test_lags_pad_with_start():
    stream = Stream.join([make_piece(np.arange(16)), make_piece(np.arange(100, 116))])
    assert stream.column(2)[[0, 1, 2, 16, 17, 18]].tolist() == [START, START, 0, START, START, 100]


def test_count_before():
    assert count_before(np.array([5, 3, 5, 5, 3], np.uint64)).tolist() == [0, 0, 1, 2, 1]


def test_discounts_of_chen_and_goodman():
    counts = np.repeat([1, 2, 3, 4], [10, 5, 3, 2])  # Y = 10 / 20
    assert estimate_discounts(counts) == pytest.approx([0, 0.5, 2 - 1.5 * 3 / 5, 3 - 2 * 2 / 3])


def test_tiny_corpora_fall_back_to_absolute_discounting():
    assert estimate_discounts(np.array([1, 1])).tolist() == [0, 0.5, 0.5, 0.5]


def test_unfitted_and_empty_are_refused():
    with pytest.raises(ModelError, match="5-gram is not fitted"):
        NGram.of_order(5).score(make_takes()[0])
    with pytest.raises(ModelError, match="nothing to learn from"):
        NGram.of_order(5).fit([])


def test_piece_refuses_another_length():
    piece = make_takes()[0]
    with pytest.raises(ValueError, match="3 words on a grid of 64 steps"):
        Piece("short", piece.grid, piece.words[:3])


def test_windows_have_nothing_before_them():
    piece = make_takes(bars=5, takes=1)[0]
    windows = list(piece.windows(2))
    assert [w.grid.bars for w in windows] == [2, 2, 1]
    assert np.array_equal(np.concatenate([w.words for w in windows]), piece.words)
    assert windows[1].grid.bar_ticks.tolist() == [0, 1920, 3840] and windows[1].name == "piece[2:4]"
    with pytest.raises(ValueError, match="has 5 bars, not 4 to 6"):
        piece.cut(4, 6)
