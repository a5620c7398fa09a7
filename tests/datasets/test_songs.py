import pytest

from backbeat.datasets import DATASETS
from backbeat.datasets.source import Source
from backbeat.datasets.styles import find_style
from backbeat.errors import InputError
from tests.datasets.here import list_here, write_tree

MANIFEST = "path,split,genre,licence,cluster,qpm\na.mid,test,rock,CC0,7,96.5\nb/c.mid,train,,none stated,,\n"


@pytest.fixture
def data(tmp_path):
    (tmp_path / "songs-manifest.csv").write_text(MANIFEST, encoding="utf-8")
    write_tree(tmp_path / "songs", "test/a.mid", "train/b/c.mid")
    return tmp_path


def test_songs_are_as_the_manifest_says(data):
    assert DATASETS["songs"].list_sources(data) == [
        Source(str(data / "songs" / "test" / "a.mid"), "a.mid", "rock", "songs:7", True, "CC0", "test", tempo=96.5),
        Source(str(data / "songs" / "train" / "b" / "c.mid"), "b/c.mid", "", "", True, "none stated", "train"),
    ]
    assert [s.name for s in DATASETS["songs"].list_sources(data, "train")] == ["b/c.mid"]


def test_a_split_that_was_not_fetched_is_left_out(data):
    (data / "songs" / "train").rename(data / "elsewhere")
    assert [s.split for s in DATASETS["songs"].list_sources(data)] == ["test"]
    assert DATASETS["songs"].list_sources(data, "validation") == []


def test_without_songs_or_manifest_there_is_nothing(data):
    (data / "songs").rename(data / "elsewhere")
    with pytest.raises(InputError, match="no songs below .*put songs-manifest.csv and songs/train"):
        DATASETS["songs"].list_sources(data)


def test_splits_share_no_cluster():
    splits = {}
    for source in list_here("songs"):
        splits.setdefault(source.cluster, set()).add(source.split)
    assert all(len(found) == 1 for cluster, found in splits.items() if cluster)


def test_most_genres_mean_a_style():
    genres = [s.genre for s in list_here("songs") if s.genre]
    assert sum(find_style(g) != "any" for g in genres) > 0.5 * len(genres)
