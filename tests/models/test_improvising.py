"""Playing by sampling: rests, primers, temperature, and the statistics of what is drawn."""

import numpy as np
import pytest

from backbeat.codecs.words import hits_to_words, words_to_hits
from backbeat.errors import InputError
from backbeat.models.cache import CacheMixture
from backbeat.models.improvising import improvise
from backbeat.models.ngram import NGram
from backbeat.models.stream import POSITION, History, Stream, list_keys
from tests.models.pieces import make_piece, make_takes


class Known:
    """A model with known probabilities, whatever was played; it remembers what it was told."""

    def __init__(self, probabilities):
        self.probabilities = np.zeros(512)
        self.probabilities[: len(probabilities)] = probabilities
        self.pushed = []

    def begin(self, grid):
        return self

    def distribution(self):
        return self.probabilities.copy()

    def push(self, word):
        self.pushed.append(word)


def play(model, steps=1600, seed=0, **how):
    return hits_to_words(improvise(model, make_piece(np.zeros(steps)), np.random.default_rng(seed), **how))


def test_words_come_as_often_as_they_are_likely():
    words = play(Known([0.5, 0.3, 0.2]), steps=16000)
    assert np.bincount(words, minlength=3) / 16000 == pytest.approx([0.5, 0.3, 0.2], abs=0.02)


def test_temperature_sharpens_and_flattens():
    model = Known([0.5, 0.3, 0.2])
    assert set(play(model, temperature=0).tolist()) == {0}
    expected = np.array([0.5, 0.3, 0.2]) ** 2
    shares = np.bincount(play(model, steps=16000, temperature=0.5), minlength=3) / 16000
    assert shares == pytest.approx(expected / expected.sum(), abs=0.02)


def test_top_p_leaves_the_unlikely_out():
    assert set(play(Known([0.5, 0.3, 0.2]), top_p=0.6).tolist()) == {0, 1}


def test_what_is_played_is_what_is_pushed():
    model = Known([0.5, 0.3, 0.2])
    words = play(model, steps=64)
    assert model.pushed == words.tolist()


def test_the_primer_is_the_pieces_own_and_is_remembered():
    piece, model = make_piece(np.arange(64)), Known([0, 1])
    hits = improvise(model, piece, np.random.default_rng(0), primer=2)
    assert np.array_equal(hits[:32], piece.hits[:32]) and np.array_equal(hits[32:], words_to_hits(np.ones(32, np.uint16)))
    assert model.pushed[:32] == list(range(32))


@pytest.mark.parametrize("make", [lambda: NGram.of_order(9), lambda: CacheMixture(orders=(3,), contexts=((1, POSITION),))])
def test_a_loop_that_is_given_goes_on(make):
    model = make()
    loop = np.tile([5, 0, 4, 0, 6, 0, 4, 0], 8)
    model.fit([make_piece(loop), *make_takes(takes=2)])
    piece = make_piece(np.concatenate([loop, np.zeros(64)]))
    words = hits_to_words(model.play(piece, np.random.default_rng(0), primer=4, temperature=0))
    assert np.array_equal(words, np.tile(loop, 2))


def test_silent_bars_are_rests_that_the_model_is_told_of():
    model = Known([0, 1])
    piece = make_piece(np.zeros(48), onsets=np.zeros((48, 6)), active=[True, False, True])
    words = hits_to_words(improvise(model, piece, np.random.default_rng(0)))
    assert words.tolist() == model.pushed == [1] * 16 + [0] * 16 + [1] * 16


@pytest.mark.parametrize("how", [{"primer": 5}, {"primer": -1}, {"temperature": -1}, {"temperature": 6}, {"top_p": 0}, {"temperature": float("nan")}])
def test_what_is_out_of_range_is_refused(how):
    with pytest.raises(InputError, match=r"does not fit|must lie in"):
        improvise(Known([1]), make_piece(np.zeros(64)), np.random.default_rng(0), **how)


def test_keys_of_one_step_are_those_of_the_stream():
    (piece,) = make_takes(takes=1)
    stream, history, context = Stream.join([piece]), History(piece.grid), (32, 16, 1, POSITION)
    expected = np.stack(list(stream.context_keys(context)), axis=1) & ~np.uint64(511)
    for step, word in enumerate(piece.words.tolist()):
        keys = list(list_keys(map(history.symbol, reversed(context))))
        assert keys == expected[step].tolist()
        history.push(word)
