import inspect
import os
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbeat.datasets.folders import clean_name, find_folder, is_midi, list_file, list_files, list_folder
from backbeat.errors import InputError
from tests.datasets.here import midi, write_tree


@pytest.mark.parametrize("name", ["a.mid", "B.MIDI", "x/y.Kar", "z.rmi", "a.b.smf"])
def test_midi_by_name(name):
    assert is_midi(name)


@pytest.mark.parametrize("name", ["mid", "a.mid.bak", "a.mp3", "midi", ""])
def test_not_midi_by_name(name):
    assert not is_midi(name)


def test_names_are_sorted_part_by_part_and_others_are_left_out(tmp_path):
    write_tree(tmp_path, "b.mid", "a/z.mid", "a.mid", "a/b/c.KAR", "B.mid", "notes.txt", "a/cover.jpg")
    assert [s.name for s in list_folder(tmp_path)] == ["B.mid", "a/b/c.KAR", "a/z.mid", "a.mid", "b.mid"]
    assert next(iter(list_folder(tmp_path / "a"))).read() == midi(36, 39)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    names=st.sets(st.lists(st.sampled_from(["a", "B", "c d", "é", "x.mid"]), min_size=1, max_size=4).map(lambda parts: "/".join([*parts, "n.mid"])), max_size=8)
)
def test_every_file_is_listed_once_in_order_of_its_parts(names, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    write_tree(folder, *names)
    assert [name for _, name in list_files(folder)] == sorted(names, key=lambda n: n.split("/"))


def test_a_tree_deeper_than_python_recurses_is_no_trouble(tmp_path):
    write_tree(tmp_path, "d/" * 150 + "x.mid")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        names = [name for _, name in list_files(tmp_path)]
    finally:
        sys.setrecursionlimit(before)
    assert names == ["d/" * 150 + "x.mid"]


def test_links_to_folders_are_not_followed(tmp_path):
    write_tree(tmp_path, "a/x.mid")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "y.mid").symlink_to(tmp_path / "a" / "x.mid")
    assert [s.name for s in list_folder(tmp_path)] == ["a/x.mid", "y.mid"]


def test_a_folder_that_cannot_be_listed_is_not_passed_over(tmp_path):
    with pytest.raises(InputError, match=r"nowhere: cannot be listed \(No such file"):
        list(list_folder(tmp_path / "nowhere"))


def test_a_name_that_is_no_text_can_be_written(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.mid")).write_bytes(midi(36))
    (source,) = list_folder(tmp_path)
    assert source.name == "caf\\udce9.mid"
    assert source.read() == midi(36)
    assert clean_name("café") == "café"


def test_one_file(tmp_path):
    write_tree(tmp_path, "a/x.mid")
    assert [s.name for s in list_file(tmp_path / "a" / "x.mid")] == ["x.mid"]


def test_the_first_folder_that_exists(tmp_path):
    write_tree(tmp_path, "b/x.mid", "c/x.mid")
    assert find_folder(tmp_path, "a", "b", "c") == tmp_path / "b"
    assert find_folder(tmp_path, "a") is None
