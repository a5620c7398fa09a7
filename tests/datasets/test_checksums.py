import hashlib

import pytest

from backbeat.datasets import DATASETS
from backbeat.datasets.checksums import ChecksumIndex, check_dataset, digest_sources, parse_index, write_index
from backbeat.datasets.folders import list_folder
from backbeat.datasets.source import Dataset
from backbeat.errors import InputError
from tests.datasets.here import find_data, list_here, write_tree

LINES = {
    "songs": 4,
    "groove_midi": 1151,
    "lstmetallica": 58,
    "drum_space": 6,
    "asap": 200,
    "pop909": 1,
    "mma_grooves": 2,
    "tidal_patterns": 1,
    "yamaha_styles": 1,
}


def make(index, **parts):
    return Dataset("mine", "Mine", "none", "CC0", "get it there", lambda data: list_folder(data / "mine"), index=index, **parts)


def index_of(dataset, data, **settings):
    file = data / "index.txt"
    write_index(dataset, data, file, **settings)
    return parse_index(file.read_text(encoding="utf-8"))


@pytest.fixture
def data(tmp_path):
    write_tree(tmp_path / "mine", "a.mid", "b/c.mid", "table.tsv")
    return tmp_path


def test_an_index_has_a_line_a_file(data):
    assert index_of(make({}), data) == {n: hashlib.sha256((data / n).read_bytes()).hexdigest() for n in ("mine/a.mid", "mine/b/c.mid")}


def test_a_whole_copy_a_changed_one_and_one_with_a_missing_file(data):
    mine = make(index_of(make({}), data, entries=["mine/table.tsv", "mine/a.mid", "mine/b/c.mid"]))
    assert check_dataset(mine, data) == []
    (data / "mine" / "a.mid").write_bytes(b"another")
    (data / "mine" / "table.tsv").unlink()
    assert check_dataset(mine, data) == ["missing: mine/table.tsv", "changed: mine/a.mid"]


@pytest.mark.parametrize("fault", ["changed", "renamed", "missing", "added"])
def test_one_digest_of_all_files_notices(fault, data):
    mine = make(index_of(make({}), data, entries=["sources"]))
    assert check_dataset(mine, data) == []
    path = data / "mine" / "b" / "c.mid"
    if fault == "changed":
        path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    elif fault == "renamed":
        path.rename(data / "mine" / "b" / "d.mid")
    elif fault == "missing":
        path.unlink()
    else:
        (data / "mine" / "new.mid").write_bytes(b"")
    assert check_dataset(mine, data) == ["changed: sources"]


def test_a_set_of_many_files_gets_digests(data, monkeypatch):
    monkeypatch.setattr("backbeat.datasets.checksums.MAX_LINES", 1)
    assert list(index_of(make({}), data)) == ["sources"]


def test_the_digest_does_not_depend_on_folder_or_order(data, tmp_path):
    sources = list(list_folder(data / "mine"))
    write_tree(tmp_path / "other" / "place", "a.mid", "b/c.mid", "table.tsv")
    assert digest_sources(sources) == digest_sources(sources[::-1]) == digest_sources(list_folder(tmp_path / "other" / "place"))
    assert digest_sources([]) == ""


def test_no_index_is_written_of_a_copy_that_lacks_a_file(data):
    with pytest.raises(InputError, match=r"lacks mine/gone.mid: no index without it"):
        write_index(make({}), data, data / "index.txt", entries=["mine/gone.mid"])
    assert not (data / "index.txt").exists()


def test_a_set_without_checksums_and_a_missing_set_say_so(data):
    with pytest.raises(InputError, match="no checksums of mine ship"):
        check_dataset(make({}), data)
    with pytest.raises(InputError, match="no groove_midi below"):
        check_dataset(DATASETS["groove_midi"], data)


@pytest.mark.parametrize("text", ["abc  a.mid", "0" * 64 + " a.mid", "0" * 64 + "  "])
def test_a_line_that_is_no_checksum_is_refused(text):
    with pytest.raises(InputError, match="line 2 of the checksum index"):
        parse_index("0" * 64 + "  b.mid\n" + text)


def test_indexes_that_ship():
    assert {name: len(dataset.index) for name, dataset in DATASETS.items() if dataset.index and name != "drum_space_raw"} == LINES
    assert len(ChecksumIndex("nothing")) == 0


@pytest.mark.parametrize("name", sorted(set(LINES) - {"songs"}))
def test_the_copy_here_is_whole(name):
    list_here(name)
    assert check_dataset(DATASETS[name], find_data()) == []


@pytest.mark.slow
def test_the_songs_here_are_whole():
    present = {s.split for s in list_here("songs")}
    absent = [f"missing: sources:{split}" for split in DATASETS["songs"].splits if split not in present]
    assert check_dataset(DATASETS["songs"], find_data()) == absent
