"""Tracks, their names, and the library they are laid into."""

from types import SimpleNamespace

import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.originality.tracks import BARRIER, MARGIN, Library, Track, list_corpus_tracks, read_names
from tests.originality.made import make_track


class FakeCorpus(SimpleNamespace):
    """What is used of a corpus."""

    def __len__(self):
        return len(self.all)

    def __iter__(self):
        return iter(self.all)


def make_corpus(folder, tracks, **more):
    pieces = [{"words": t.words, "layout": np.stack([np.diff(t.first_steps)] * 5, axis=1)} for t in tracks]
    return FakeCorpus(folder=folder, all=pieces, **more)


def test_names_of_a_manifest_are_those_of_the_kept(tmp_path):
    (tmp_path / "manifest.csv").write_text("name,result\na.mid,kept\nb.mid,no drums\nc.mid,kept\n", encoding="utf-8")
    tracks = [make_track(str(i), np.random.default_rng(i), bars=2) for i in range(2)]
    read = list(list_corpus_tracks(make_corpus(tmp_path, tracks)))
    assert [t.name for t in read] == ["a.mid", "c.mid"]
    assert all(np.array_equal(a.words, b.words) and np.array_equal(a.first_steps, b.first_steps) for a, b in zip(read, tracks, strict=True))


def test_a_corpus_with_other_names_than_pieces_counts_them(tmp_path):
    assert read_names(make_corpus(tmp_path, [make_track("a", np.random.default_rng(0))], names=["a", "b"])) == ["piece 1"]


def test_names_and_clusters_of_a_corpus_of_today(tmp_path):
    tracks = [make_track(str(i), np.random.default_rng(i), bars=2) for i in range(3)]
    column = SimpleNamespace(to_pylist=lambda: [7, None, 7])
    manifest = SimpleNamespace(column_names=["cluster"], column=lambda name: column)
    library = Library.lay(list_corpus_tracks(make_corpus(tmp_path, tracks, names=["a", "b", "c"], manifest=manifest)))
    assert library.names == ["a", "b", "c"]
    assert library.track_groups.tolist() == [0, 1, 0]


def test_barriers_stand_between_tracks_and_around_them():
    a, b = (make_track(n, np.random.default_rng(0), bars=2) for n in "ab")
    library = Library.lay([a, b])
    assert (library.words == BARRIER).sum() == 2 * MARGIN + 2
    assert library.track_places.tolist() == [MARGIN, MARGIN + 33]
    assert np.array_equal(library.words[MARGIN + 33 : MARGIN + 65], b.words)
    assert library.find_track(np.array([MARGIN, MARGIN + 31, MARGIN + 33])).tolist() == [0, 0, 1]
    assert library.find_bar(MARGIN + 33 + 18) == (2, 2)


def test_a_library_of_nothing_is_refused():
    with pytest.raises(InputError, match="no training track"):
        Library.lay([])


def test_tracks_without_a_cluster_are_their_own_group():
    track = make_track("a", np.random.default_rng(0), bars=1)
    assert Library.lay([track, Track("a", track.words, track.first_steps)]).track_groups.tolist() == [0, 1]
