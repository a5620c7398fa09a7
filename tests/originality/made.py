"""A corpus made up for tests: tracks of random but drum-like bars, each different from the others."""

from __future__ import annotations

import numpy as np

from backbeat.codecs.words import hits_to_words, words_to_groove
from backbeat.grid import Grid
from backbeat.midi import write_groove
from backbeat.originality.index import Index
from backbeat.originality.tracks import Library, Track
from backbeat.units import MetreMap, TempoMap

SHARE = np.array([0.3, 0.2, 0.45, 0.06, 0.05, 0.05, 0.05, 0.04, 0.08])


def make_track(name, rng, bars=16, steps=16, cluster=""):
    """Every bar is drawn anew, with hats on the quarters."""
    hits = rng.random((bars * steps, 9)) < SHARE
    hits[::4, 2] = True
    return Track(name, hits_to_words(hits), np.arange(bars + 1) * steps, cluster)


def make_even_track(name, rng, bars=16):
    """As ``make_track``, with rests on every second step: it can be written at double time."""
    track = make_track(name, rng, bars)
    words = track.words.copy()
    words[1::2] = 0
    return Track(name, words, track.first_steps)


def make_tracks(count=30, seed=0):
    rng = np.random.default_rng(seed)
    tracks = [make_track(f"track {i}", rng) for i in range(count)]
    return [*tracks, make_track("waltz", rng, steps=12), *(make_even_track(f"even {i}", rng) for i in range(4))]


def make_index(tracks):
    return Index.of(Library.lay(tracks))


def write_track(path, track):
    """A track in 4/4 as a MIDI file."""
    groove = words_to_groove(track.words, Grid.regular(len(track.first_steps) - 1))
    write_groove(groove, path, TempoMap(480), MetreMap((0,), (4,), (4,)))
    return path
