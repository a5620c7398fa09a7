"""The index on disk: kept, found again, renewed when the corpus changes, never half there."""

import json
import os

import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.originality import index as module
from backbeat.originality.compare import compare
from backbeat.originality.index import FOLDER, load_index, open_index, save_index, take_fingerprint
from backbeat.originality.tracks import read_track
from tests.originality.made import make_index, make_track, make_tracks, write_track


@pytest.fixture
def folder(tmp_path):
    """Three MIDI files with drums, and one that is none."""
    inner = tmp_path / "midi" / "inner"
    inner.mkdir(parents=True)
    for i in range(3):
        write_track(inner / f"{i}.mid", make_track(str(i), np.random.default_rng(i), bars=6))
    (tmp_path / "midi" / "broken.mid").write_bytes(b"MThd")
    return tmp_path / "midi"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_is_saved_is_loaded_and_answers_the_same(tmp_path):
    index = make_index(make_tracks(5))
    save_index(index, tmp_path / "index", "abc")
    again = load_index(tmp_path / "index", "abc")
    track = make_track("q", np.random.default_rng(1), bars=5)
    assert compare(again, track) == compare(index, track)
    assert again.library.names == index.library.names
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_an_index_of_another_corpus_or_version_is_not_loaded(tmp_path, monkeypatch):
    save_index(make_index(make_tracks(2)), tmp_path / "index", "abc")
    assert load_index(tmp_path / "index", "abd") is None
    monkeypatch.setattr(module, "VERSION", 99)
    assert load_index(tmp_path / "index", "abc") is None


@pytest.mark.parametrize("name", ["meta.json", "arrays.bin"])
@pytest.mark.parametrize("harm", ["cut", "emptied", "lengthened", "gone"])
def test_a_damaged_index_is_not_loaded(tmp_path, name, harm):
    save_index(make_index(make_tracks(2)), tmp_path / "index", "abc")
    path = tmp_path / "index" / name
    whole = path.read_bytes()
    path.unlink() if harm == "gone" else path.write_bytes({"cut": whole[: len(whole) // 2], "emptied": b"", "lengthened": whole + b"1"}[harm])
    assert load_index(tmp_path / "index", "abc") is None


@pytest.mark.parametrize("change", [{"names": ["one"]}, {"arrays": []}, {"arrays": {"library.words": 3}}, {"shelves": [[5, 5]]}])
def test_an_index_whose_table_is_wrong_is_not_loaded(tmp_path, change):
    save_index(make_index(make_tracks(2)), tmp_path / "index", "abc")
    path = tmp_path / "index" / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert load_index(tmp_path / "index", "abc") is None
    path.write_text("[1]")
    assert load_index(tmp_path / "index", "abc") is None


def test_of_two_processes_that_index_at_once_both_get_an_index(tmp_path, monkeypatch):
    index, real = make_index(make_tracks(2)), os.rename

    def come_first(source, target):
        if str(source).endswith(".tmp") and not (tmp_path / "index").exists():
            monkeypatch.setattr(module.os, "rename", real)
            save_index(index, tmp_path / "index", "abc")
        real(source, target)

    monkeypatch.setattr(module.os, "rename", come_first)
    save_index(index, tmp_path / "index", "abc")
    assert load_index(tmp_path / "index", "abc") is not None
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_an_old_index_is_replaced(tmp_path):
    save_index(make_index(make_tracks(2)), tmp_path / "index", "old")
    save_index(make_index(make_tracks(3)), tmp_path / "index", "new")
    assert load_index(tmp_path / "index", "new") is not None
    assert [p.name for p in tmp_path.iterdir()] == ["index"]


def test_a_folder_of_midi_files_is_indexed_once(folder, cache):
    lines = []
    index = open_index(folder, progress=lines.append)
    assert index.library.names == ["inner/0.mid", "inner/1.mid", "inner/2.mid"]
    assert (folder / FOLDER / "meta.json").is_file() and lines
    lines.clear()
    assert open_index(folder, progress=lines.append).library.names == index.library.names
    assert lines == []


def test_a_new_file_renews_the_index(folder, cache):
    open_index(folder)
    write_track(folder / "new.mid", make_track("new", np.random.default_rng(9), bars=4))
    assert "new.mid" in open_index(folder).library.names


def test_a_folder_that_cannot_be_written_has_its_index_in_the_cache(folder, cache, monkeypatch):
    (folder / FOLDER).write_bytes(b"in the way")  # as root may write everywhere, a file stands where the folder should
    real = os.rename

    def refuse(source, target):
        if str(target).startswith(str(folder)):
            raise PermissionError("read-only")
        real(source, target)

    monkeypatch.setattr(module.os, "rename", refuse)
    open_index(folder)
    assert [p.suffix for p in (cache / "backbeat").iterdir()] == [".index"]
    lines = []
    open_index(folder, progress=lines.append)
    assert lines == []
    assert sorted(p.name for p in folder.iterdir()) == ["broken.mid", "inner", FOLDER]


def test_the_fingerprint_of_a_corpus_is_that_of_its_meta(tmp_path):
    (tmp_path / "meta.json").write_text(json.dumps({"a": 1}))
    before = take_fingerprint(tmp_path)
    (tmp_path / "other.txt").write_text("x")
    assert take_fingerprint(tmp_path) == before
    (tmp_path / "meta.json").write_text(json.dumps({"a": 2}))
    assert take_fingerprint(tmp_path) != before


def test_human_figures_are_kept(folder, cache):
    open_index(folder, measure=lambda index: {"tracks": len(index.library.names)})
    assert open_index(folder).human == {"tracks": 3}


def test_a_missing_folder_and_one_without_drums_are_told(tmp_path, cache):
    with pytest.raises(InputError, match="no such folder"):
        open_index(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no training track"):
        open_index(tmp_path / "empty")


def test_a_track_is_read_as_it_was_written(tmp_path):
    track = make_track("a", np.random.default_rng(2), bars=4)
    write_track(tmp_path / "a.mid", track)
    read = read_track(tmp_path / "a.mid")
    assert np.array_equal(read.words[: len(track.words)], track.words)
