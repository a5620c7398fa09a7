"""Planted copies are found, whatever was done to them; figures say what they should."""

import numpy as np
import pytest

from backbeat.codecs.words import hits_to_words, words_to_hits
from backbeat.originality.compare import compare, find_windows, summarise
from backbeat.originality.humans import measure_humans
from backbeat.originality.index import Index
from backbeat.originality.tracks import Library, Track
from tests.originality.made import make_index, make_track, make_tracks

KINDS = ("plain", "shifted", "turned", "half", "double", "changed", "both")


@pytest.fixture(scope="module")
def index():
    return make_index(make_tracks())


def change(words, rng):
    """5 % of the hits, one at least, are taken away, and as many put elsewhere."""
    flat = words_to_hits(words).reshape(-1)
    count = max(1, round(0.05 * flat.sum()))
    full, empty = np.flatnonzero(flat), np.flatnonzero(~flat)
    flat[rng.choice(full, count, replace=False)] = False
    flat[rng.choice(empty, count, replace=False)] = True
    return hits_to_words(flat.reshape(-1, 9))


def plant(index, kind, bars, rng):
    """Host, source's name, first step and length of a copy."""
    library = index.library
    names = [i for i, n in enumerate(library.names) if n.startswith("even" if kind == "double" else "track")]
    track = int(rng.choice(names))
    place = int(library.track_places[track]) + 16 * int(rng.integers(0, 16 - 2 * bars))
    copy = library.words[place : place + 16 * bars * (2 if kind == "double" else 1)].copy()
    if kind in ("changed", "both"):
        copy = change(copy, rng)
    if kind == "turned":
        copy = np.roll(copy, int(rng.integers(1, len(copy))))
    if kind == "half":
        copy = np.stack([copy, 0 * copy], axis=1).reshape(-1)
    if kind == "double":
        copy = copy[::2]
    host = make_track("host", rng, bars=20)
    start = 64 + (int(rng.integers(1, 16)) if kind in ("shifted", "both") else 0)
    words = host.words.copy()
    words[start : start + len(copy)] = copy
    return Track("host", words, host.first_steps), library.names[track], start, len(copy)


def is_found(report, track, name, start, steps):
    spans = [(track.first_steps[w.bar - 1] + w.step, 16 * w.bars, {s.name for s in w.sources}) for w in report.windows]
    spans += [(track.first_steps[p.bar - 1] + p.step, p.steps, {p.source.name}) for p in report.passages]
    return any(name in names and min(low + length, start + steps) - max(low, start) >= steps // 2 for low, length, names in spans)


@pytest.mark.slow
@pytest.mark.parametrize("bars", [1, 2, 4])
@pytest.mark.parametrize("kind", KINDS)
def test_planted_copies_are_found(index, kind, bars):
    rng = np.random.default_rng([bars, KINDS.index(kind)])
    for _ in range(2):
        track, name, start, steps = plant(index, kind, bars, rng)
        assert is_found(compare(index, track), track, name, start, steps)


def test_a_track_of_the_library_is_an_exact_copy(index):
    track = make_tracks()[3]
    report = compare(index, track)
    assert [(s.bars, s.windows, s.median_distance, s.exact_copies, s.far) for s in report.summaries] == [(1, 16, 0, 1, 0), (2, 15, 0, 1, 0), (4, 13, 0, 1, 0)]
    assert report.run.sources[0].name == track.name and report.run.bars > 15.5
    assert report.passages[0].source.name == track.name and report.passages[0].distance == 0
    assert all(w.sources[0].name == track.name and w.sources[0].bar == w.bar for w in report.windows if w.bars == 4)


def test_fresh_drums_are_no_copy(index):
    report = compare(index, make_track("new", np.random.default_rng(99)))
    assert all(s.exact_copies == 0 for s in report.summaries)
    assert report.run is None or report.run.steps < 16


def test_the_named_bar_is_where_the_copy_came_from(index):
    source = make_tracks()[5]
    report = compare(index, Track("q", source.words[7 * 16 : 9 * 16], np.array([0, 16, 32])))
    window = next(w for w in report.windows if w.bars == 2)
    assert (window.distance, window.sources[0].name, window.sources[0].bar, window.tracks) == (0, source.name, 8, 1)


def test_other_metres_are_compared_with_their_like(index):
    waltz = next(t for t in make_tracks() if t.name == "waltz")
    report = compare(index, Track("q", np.roll(waltz.words[:48], 5), np.arange(5) * 12))
    assert next(s for s in report.summaries if s.bars == 4).exact_copies == 1


def test_silent_bars_do_not_count(index):
    words = np.concatenate([make_tracks()[0].words[:16], np.zeros(32, np.uint16)])
    assert [len(find_windows(index, Track("q", words, np.arange(4) * 16), bars)) for bars in (1, 2)] == [1, 1]


def test_a_window_whose_length_no_training_bar_has_is_far(index):
    report = compare(index, Track("q", np.array([1, 2, 4, 8, 5] * 2, np.uint16), np.array([0, 5, 10])))
    assert all(w.far and not w.sources for w in report.windows)
    assert [s.far for s in report.summaries] == [1, 1]


def test_a_short_track_has_no_long_windows(index):
    report = compare(index, Track("q", make_tracks()[0].words[:16], np.array([0, 16])))
    assert [s.bars for s in report.summaries] == [1]


def test_a_summary_counts_windows():
    windows = find_windows(make_index(make_tracks(3)), make_track("q", np.random.default_rng(5), bars=6), 1)
    (summary,) = summarise(windows)
    assert summary.windows == 6 and summary.median_distance == np.median([w.distance for w in windows])


def test_humans_are_not_compared_with_themselves_nor_their_copies():
    rng = np.random.default_rng(8)
    tracks = [make_track(f"t{i}", rng, bars=6) for i in range(4)]
    alone = measure_humans(make_index(tracks))
    assert (alone["tracks"], alone["windows"]["1"]["exact_copies"]) == (4, 0)
    copies = [Track(f"{t.name} again", t.words, t.first_steps) for t in tracks]
    assert measure_humans(make_index([*tracks, *copies]))["windows"]["1"]["exact_copies"] == 1
    told = [Track(t.name, t.words, t.first_steps, t.name[:2]) for t in [*tracks, *copies]]
    assert measure_humans(make_index(told))["windows"]["1"]["exact_copies"] == 0


def test_one_track_alone_has_no_human_figures():
    assert measure_humans(make_index(make_tracks(1)[:1])) == {}


def test_the_report_goes_into_json(index):
    import json

    report = compare(index, make_tracks()[1])
    assert json.loads(json.dumps(report.to_dict()))["run"]["sources"][0]["name"] == "track 1"


def test_tracks_are_at_home_in_their_library():
    tracks = make_tracks(3)
    index = Index.of(Library.lay(tracks))
    assert index.library.names == [t.name for t in tracks]
