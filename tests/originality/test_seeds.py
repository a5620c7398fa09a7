"""Verbatim runs and alignments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.metrics.novelty import find_longest_run as search_everything
from backbeat.originality.seeds import LEAST_HITS, LENGTH, Seeds, align, find_longest_run, make_streams
from backbeat.originality.tracks import Library, Track
from tests.originality.made import make_track

RNG = np.random.default_rng(11)
TRACKS = [make_track(f"t{i}", RNG, bars=8) for i in range(6)]
LIBRARY = Library.lay(TRACKS)
SEEDS = Seeds.plant(LIBRARY.words)


def cut(words):
    """Without the rests at both ends."""
    full = np.flatnonzero(words)
    return words[full[0] : full[-1] + 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5), st.integers(0, 100), st.integers(16, 60), st.integers(0, 40), st.integers(0, 2**32))
def test_a_planted_run_is_found_in_whole(source, start, steps, before, seed):
    rng = np.random.default_rng(seed)
    copy = cut(TRACKS[source].words[start : start + steps])
    around = make_track("q", rng, bars=6).words
    words = np.concatenate([around[:before], copy, around[before:]])
    run = find_longest_run(LIBRARY, SEEDS, words)
    longest = search_everything(words, [t.words for t in TRACKS])
    assert run.steps <= longest
    assert run.steps >= len(copy)
    for place in run.places:
        assert np.array_equal(LIBRARY.words[place : place + run.steps], words[run.start : run.start + run.steps])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 3, 5, 6, 12]), min_size=1, max_size=80), st.lists(st.sampled_from([0, 0, 3, 5, 6, 12]), min_size=8, max_size=200))
def test_the_run_is_the_longest_that_begins_and_ends_with_a_hit(query, training):
    query, training = np.array(query, np.uint16), np.array(training, np.uint16)
    library = Library.lay([Track("t", training, np.array([0, len(training)]))])
    run = find_longest_run(library, Seeds.plant(library.words), query)
    longest = 0
    data = training.tobytes()
    for start in np.flatnonzero(query):
        for end in np.flatnonzero(query[start:]) + start + 1:
            at = data.find(query[start:end].tobytes())
            while at > 0 and at % 2:
                at = data.find(query[start:end].tobytes(), at + 1)
            if at >= 0 and end - start > longest:
                longest = int(end - start)
    found = run.steps if run else 0
    assert found <= longest
    if longest >= 2 * LENGTH:  # with so few rests it holds a seed
        dense = np.bitwise_count(query).sum() >= LEAST_HITS
        assert found == longest or not dense or found >= longest - LENGTH


def test_a_track_of_the_library_is_one_run():
    words = TRACKS[2].words
    run = find_longest_run(LIBRARY, SEEDS, words)
    assert (run.steps, LIBRARY.find_track(run.places).tolist()) == (len(cut(words)), [2])


def test_runs_do_not_cross_from_track_to_track():
    words = np.concatenate([TRACKS[0].words, TRACKS[1].words])
    assert find_longest_run(LIBRARY, SEEDS, words).steps <= len(words) // 2


def test_the_excluded_track_is_no_source():
    run = find_longest_run(LIBRARY, SEEDS, TRACKS[3].words, exclude=3)
    assert run is None or 3 not in LIBRARY.find_track(run.places)


def test_all_sources_of_a_run_are_told():
    copy = cut(TRACKS[0].words[16:64])
    rng = np.random.default_rng(1)
    other = np.concatenate([make_track("x", rng, bars=1).words, copy])
    library = Library.lay([*TRACKS, Track("x", other, np.array([0, 16, len(other)]))])
    run = find_longest_run(library, Seeds.plant(library.words), copy)
    assert (run.steps, library.find_track(run.places).tolist()) == (len(copy), [0, 6])


@pytest.mark.parametrize("words", [np.zeros(64, np.uint16), np.ones(3, np.uint16), np.zeros(0, np.uint16)])
def test_what_has_no_seed_has_no_run(words):
    assert find_longest_run(LIBRARY, SEEDS, words) is None


def test_a_loop_in_a_loop_is_as_long_as_the_shorter():
    bar = make_track("a", np.random.default_rng(2), bars=1).words
    bar[0] |= 1
    library = Library.lay([Track("loop", np.tile(bar, 20), np.arange(21) * 16)])
    run = find_longest_run(library, Seeds.plant(library.words), np.tile(bar, 7))
    assert run.steps >= 7 * 16 - 15


@pytest.mark.parametrize("tempo", [1, 0.5, 2])
def test_streams_lay_a_copy_at_any_tempo_on_its_source(tempo):
    words = TRACKS[1].words.copy()
    words[1::2] = 0
    library = Library.lay([*TRACKS[2:], Track("even", words, TRACKS[1].first_steps)])
    copy = {1: words, 0.5: np.stack([words, 0 * words], axis=1).reshape(-1), 2: words[::2]}[tempo]
    streams = [s for s in make_streams(copy) if s.tempo == tempo]
    best = max((align(library, Seeds.plant(library.words), s) for s in streams), key=lambda a: a.scores.max(initial=0))
    i = int(np.argmax(best.scores))
    assert library.find_track(best.lines[i : i + 1] + best.starts[i])[0] == len(TRACKS) - 2
    assert best.apart[i, best.ends[i]] == best.apart[i, best.starts[i]]
    assert best.ends[i] - best.starts[i] > 0.9 * len(words)


def test_hits_that_a_stream_leaves_out_count_as_differing():
    words = TRACKS[1].words
    slow = np.stack([words, 0 * words], axis=1).reshape(-1)
    slow[33] = 1
    stream = next(s for s in make_streams(slow) if s.tempo == 0.5 and s.first == 0)
    best = align(LIBRARY, SEEDS, stream)
    i = int(np.argmax(best.scores))
    assert best.apart[i, best.ends[i]] - best.apart[i, best.starts[i]] == 1
