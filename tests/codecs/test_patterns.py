"""Patterns: words and hits, entropy, the canonical rotation (beside Booth's algorithm), hashes, and that all of it is linear."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs import patterns as module
from backbeat.codecs.patterns import (
    find_canonical,
    find_first,
    find_turns,
    hash_patterns,
    hits_to_patterns,
    measure_entropy,
    parse_pattern,
    patterns_to_hits,
    turn_patterns,
    write_pattern,
)
from backbeat.errors import InputError

words = st.integers(0, (1 << 14) - 1)
pattern_lists = st.integers(1, 40).flatmap(lambda n: st.lists(st.lists(st.one_of(st.integers(0, 2), words), min_size=n, max_size=n), min_size=1, max_size=6))


def booth(sequence):
    """Start of the least rotation, by the algorithm of Booth (1980): a second way to the same thing."""
    doubled, failure, least = sequence + sequence, [-1] * (2 * len(sequence)), 0
    for j in range(1, len(doubled)):
        i = failure[j - least - 1]
        while i != -1 and doubled[j] != doubled[least + i + 1]:
            if doubled[j] < doubled[least + i + 1]:
                least = j - i - 1
            i = failure[i]
        if i == -1 and doubled[j] != doubled[least + i + 1]:
            if doubled[j] < doubled[least + i + 1]:
                least = j
            failure[j - least] = -1
        else:
            failure[j - least] = i + 1
    return least % len(sequence)


@given(pattern_lists)
def test_words_and_hits_are_the_same_thing(rows):
    patterns = np.array(rows, np.uint16)
    hits = patterns_to_hits(patterns)
    assert hits.shape == (*patterns.shape, 14) and hits.dtype == np.bool_
    assert np.array_equal(hits_to_patterns(hits), patterns)
    assert hits[0, 0].tolist() == [bool(rows[0][0] >> bit & 1) for bit in range(14)]


@given(pattern_lists)
def test_canonical_is_the_least_rotation(rows):
    canonical = find_canonical(np.array(rows, np.uint16)).tolist()
    assert canonical == [min(row[i:] + row[:i] for i in range(len(row))) for row in rows]
    assert canonical == [row[booth(row) :] + row[: booth(row)] for row in rows]


@given(pattern_lists, st.integers(0, 100))
def test_rotations_share_their_hash_and_nothing_else_does(rows, turn):
    patterns = np.array(rows, np.uint16)
    turned = turn_patterns(patterns, np.full(len(rows), turn))
    assert np.array_equal(hash_patterns(turned), hash_patterns(patterns))
    other = patterns.copy()
    other[:, 0] ^= 1
    same = [sorted(a[i:] + a[:i] for i in range(len(a))) == sorted(b[i:] + b[:i] for i in range(len(b))) for a, b in zip(rows, other.tolist(), strict=True)]
    assert (hash_patterns(other) == hash_patterns(patterns)).tolist() == same


def test_hashes_do_not_change_between_versions_or_machines():
    assert hash_patterns(np.array([[1, 0, 2, 0]], np.uint16)).tolist() == hash_patterns(np.array([[2, 0, 1, 0]], np.uint16)).tolist()
    assert hash_patterns(np.arange(32, dtype=np.uint16)[None]).tolist() == [PINNED]


PINNED = 7846163702329695059


@given(pattern_lists)
def test_entropy_is_that_of_the_words(rows):
    for row, entropy in zip(rows, measure_entropy(np.array(rows, np.uint16)), strict=True):
        shares = [row.count(word) / len(row) for word in set(row)]
        assert entropy == pytest.approx(-sum(p * math.log(p) for p in shares))


def test_chunks_do_not_show(monkeypatch):
    rng = np.random.default_rng(1)
    patterns = rng.integers(0, 3, (50, 8)).astype(np.uint16)
    whole = measure_entropy(patterns), find_turns(patterns)
    monkeypatch.setattr(module, "_CHUNK", 7)
    assert np.allclose(whole[0], measure_entropy(patterns)) and np.array_equal(whole[1], find_turns(patterns))


def test_unique_search_is_linear(monkeypatch):
    """Twice as many patterns are compared twice as often, not four times: every comparison is counted."""
    compared = 0

    class Counted(np.ndarray):
        def __eq__(self, other):
            nonlocal compared
            compared += self.size
            return np.asarray(self) == np.asarray(other)

        __hash__ = None

    real = np.where
    monkeypatch.setattr(module.np, "where", lambda *a: real(*a).view(Counted))
    counts = []
    for n in (1000, 2000, 4000):
        compared = 0
        patterns = np.random.default_rng(0).integers(0, 4, (n, 32)).astype(np.uint16)
        find_first(hash_patterns(patterns))
        counts.append(compared)
    assert counts == [1000 * 32 * 32, 2000 * 32 * 32, 4000 * 32 * 32]


def test_the_first_of_each_hash():
    assert find_first(np.array([5, 3, 5, 3, 9], np.uint64)).tolist() == [0, 1, 4]


@given(st.lists(words, min_size=2, max_size=64))
def test_text_round_trip(row):
    assert parse_pattern(write_pattern(np.array(row, np.uint16))).tolist() == row


@pytest.mark.parametrize("text", ["", "1", "1,2,x", "1,,2", "16384,0", "-1,0", "1.5,0", "9999999999,0", ",".join(["0"] * 193), "²,1"])
def test_what_is_no_pattern_is_refused(text):
    with pytest.raises(InputError):
        parse_pattern(text)


@pytest.mark.parametrize("wrong", [np.zeros((2, 3), np.int64), np.zeros(3, np.uint16), np.zeros((2, 0), np.uint16), np.full((1, 4), 1 << 14, np.uint16)])
def test_arrays_are_checked(wrong):
    with pytest.raises(ValueError, match="pattern"):
        module.check_patterns(wrong)
