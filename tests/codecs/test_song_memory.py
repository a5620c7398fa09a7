"""What is remembered of a song: references point where they say, and only back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.song_memory import HINTS, NO_WORD, REFERENCES, SongMemory, remember


def column(name):
    return REFERENCES.index(name)


def test_copies_look_whole_bars_back():
    words = np.arange(160) % 37
    known = remember(words.tolist()).words
    for bars, name in ((1, "1 bars back"), (2, "2 bars back"), (4, "4 bars back"), (8, "8 bars back")):
        lag = 16 * bars
        assert (known[:lag, column(name)] == NO_WORD).all() and np.array_equal(known[lag:160, column(name)], words[: 160 - lag])


def test_a_passage_that_comes_back_is_followed_over_a_slip():
    rng = np.random.default_rng(0)
    passage = rng.integers(1, 512, 60)
    again = passage.copy()
    again[30] = 0
    known = remember([*passage.tolist(), *rng.integers(1, 512, 40).tolist(), *again.tolist()]).words
    followed = known[100:160, column("the passage that is followed")]
    assert np.array_equal(followed[12:], passage[12:])  # found after 6 words, and not lost at the slip
    assert known[100 + 31, column("behind the same 6 words")] != passage[31]


def test_the_most_frequent_word_of_a_place_wins():
    words = np.tile(np.arange(16), 6)
    words[16 * 5] = 99
    known = remember(words.tolist())
    assert known.words[80, column("most often here")] == 0 and known.words[81, column("most often behind this word here")] == NO_WORD
    assert 0 < known.hints[80, 12] <= 1


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=80), st.integers(0, 511))
def test_a_later_word_changes_nothing_before(words, other):
    known, longer = remember(words), remember([*words, other])
    assert known.words.shape == (len(words) + 1, len(REFERENCES)) and known.hints.shape == (len(words) + 1, HINTS)
    assert np.array_equal(known.words, longer.words[:-1]) and np.array_equal(known.hints, longer.hints[:-1])
    assert known.hints.min() >= 0 and known.hints.max() <= 1


def test_a_fork_goes_its_own_way():
    memory = SongMemory()
    for word in [1, 2, 3] * 10:
        memory.look()
        memory.push(word)
    twin = memory.fork()
    twin.look()
    twin.push(7)
    assert memory.look() != twin.look() and len(memory._words) == 30
