"""Nearest windows: the same as comparing with everything, in every rotation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backbeat.codecs.words import hits_to_words, words_to_hits
from backbeat.originality.tracks import Library, Track
from backbeat.originality.windows import fill_shelf, find_nearest, fold_windows, list_starts, make_codes, make_keys, pack
from tests.originality.made import make_track

WORDS = hnp.arrays(np.uint16, st.integers(1, 70), elements=st.integers(0, 511))


def search_everything(windows, query):
    """Least distance over all windows and rotations."""
    turned = np.stack([np.roll(query, -t) for t in range(len(query))])
    return min(int(np.bitwise_count(w ^ turned).sum(axis=1).min()) for w in windows)


def make_shelf(tracks, bars=1):
    library = Library.lay(tracks)
    ((steps, starts),) = list_starts(library, bars).items()
    return library, fill_shelf(library, starts, steps)


@given(WORDS, st.integers(0, 100))
def test_a_key_does_not_change_with_rotation(words, turn):
    keys = make_keys(make_codes(np.stack([words, np.roll(words, turn)])))
    assert keys[0] == keys[1]


@given(WORDS)
def test_a_key_changes_with_a_hit(words):
    other = words.copy()
    other[0] ^= 1
    keys = make_keys(make_codes(np.stack([words, other])))
    assert keys[0] != keys[1]


@given(WORDS)
def test_packed_bits_are_the_hits(words):
    rows = pack(words[None])
    assert rows.shape == (9, 1, -(-len(words) // 64))
    assert np.bitwise_count(rows).sum() == words_to_hits(words).sum()
    assert np.array_equal(np.bitwise_count(rows).sum(axis=(1, 2)), words_to_hits(words).sum(axis=0))


def test_folds_count_hits_by_class_and_phase():
    words = np.array([1, 0, 3, 0, 1, 0, 0, 4], dtype=np.uint16)
    folded = fold_windows(words[None], 4)[0].reshape(9, 4)
    assert folded[0].tolist() == [2, 0, 1, 0] and folded[1].tolist() == [0, 0, 1, 0] and folded[2].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("steps", [12, 14, 16, 7])
@pytest.mark.parametrize("bars", [1, 2])
def test_the_nearest_is_that_of_an_exhaustive_search(steps, bars):
    rng = np.random.default_rng(steps)
    tracks = [make_track(str(i), rng, bars=10, steps=steps) for i in range(6)]
    _, shelf = make_shelf(tracks, bars)
    windows = [t.words[a * steps : (a + bars) * steps] for t in tracks for a in range(10 - bars + 1)]
    for share in (0, 0.02, 0.1, 0.5):
        base = np.roll(windows[int(rng.integers(len(windows)))], int(rng.integers(steps)))
        query = hits_to_words(words_to_hits(base) ^ (rng.random((len(base), 9)) < share * 0.3))
        match = find_nearest(shelf, query)
        assert match.distance == search_everything(windows, query)


@pytest.mark.parametrize("steps", [127, 128, 200, 255])
def test_full_long_bars_are_as_far_apart_as_their_hits(steps):
    words = [np.full(steps, 5, np.uint16), np.full(steps, 1, np.uint16), np.full(steps, 511, np.uint16)]
    words[1][: steps // 3] = 2
    _, shelf = make_shelf([Track("a", np.concatenate(words), np.arange(4) * steps)])
    for query in (words[0] | np.uint16(2), np.roll(words[1], 7) & np.uint16(1), words[2] & np.uint16(127)):
        assert find_nearest(shelf, query).distance == search_everything(words, query)


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(np.uint16, (5, 16), elements=st.integers(0, 511)), hnp.arrays(np.uint16, 16, elements=st.integers(0, 511)))
def test_any_words_are_found_at_their_least_distance(bars, query):
    if not bars.any():
        return
    track = Track("a", bars.reshape(-1), np.arange(6) * 16)
    _, shelf = make_shelf([track])
    assert find_nearest(shelf, query).distance == search_everything([b for b in bars if b.any()], query)


def test_the_turn_lays_the_query_on_the_window():
    rng = np.random.default_rng(3)
    track = make_track("a", rng, bars=4)
    library, shelf = make_shelf([track])
    match = find_nearest(shelf, np.roll(track.words[16:32], 5))
    place = int(shelf.list_places(match.window)[0])
    assert (match.distance, match.turn) == (0, 5)
    assert np.array_equal(library.words[place : place + 16], track.words[16:32])


def test_nothing_is_found_at_the_bound_or_beyond():
    rng = np.random.default_rng(4)
    tracks = [make_track(str(i), rng, bars=8) for i in range(3)]
    _, shelf = make_shelf(tracks)
    query = make_track("q", rng, bars=1).words
    distance = find_nearest(shelf, query).distance
    assert find_nearest(shelf, query, below=distance) is None
    assert find_nearest(shelf, query, below=distance + 1).distance == distance
    assert find_nearest(shelf, tracks[0].words[:16], below=0) is None


def test_what_only_the_excluded_track_has_is_left_out():
    rng = np.random.default_rng(5)
    mine, other = make_track("mine", rng, bars=3), make_track("other", rng, bars=3)
    shared = np.concatenate([other.words[:32], mine.words[:16]])
    _, shelf = make_shelf([mine, Track("other", shared, other.first_steps)])
    assert find_nearest(shelf, mine.words[:16], exclude=0).distance == 0
    assert find_nearest(shelf, mine.words[16:32], exclude=0).distance > 0
    assert find_nearest(shelf, mine.words[16:32], exclude=1).distance == 0


def test_rotations_share_a_place_on_the_shelf_and_silence_has_none():
    rng = np.random.default_rng(6)
    bar = make_track("a", rng, bars=1).words
    words = np.concatenate([bar, np.roll(bar, 3), np.zeros(16, np.uint16), bar])
    library, shelf = make_shelf([Track("a", words, np.arange(5) * 16)])
    assert len(shelf.keys) == 1
    assert [library.find_bar(int(p)) for p in shelf.list_places(0)] == [(1, 0), (2, 0), (4, 0)]


def test_windows_do_not_run_from_one_track_into_the_next():
    rng = np.random.default_rng(7)
    library = Library.lay([make_track("a", rng, bars=3), make_track("b", rng, bars=2)])
    assert {n: len(s) for n, s in list_starts(library, 2).items()} == {32: 3}
