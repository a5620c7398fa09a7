"""What holds for every data set: the parts it states, how it fails where it is missing, and how its sources behave where it is there."""

import importlib
import os
import pickle
import zipfile
from itertools import islice
from pathlib import Path

import pytest

from backbeat import datasets
from backbeat.datasets import DATASETS, list_sources
from backbeat.datasets.source import Dataset, Source
from backbeat.errors import InputError
from backbeat.midi import parse_song
from tests.datasets.here import find_data, list_here, midi, write_tree

FOLDER = Path(datasets.__file__).parent
COUNTS = {
    "songs:validation": 221,
    "songs:train": 8105,
    "songs:test": 673,
    "groove_midi": 1150,
    "groove_midi:train": 897,
    "groove_midi:validation": 124,
    "groove_midi:test": 129,
    "lstmetallica": 57,
    "drum_space": 10_048,
    "drum_space_raw": 30_000,
    "asap": 200,
    "pop909": 909,
    "mma_grooves": 1987,
    "tidal_patterns": 492,
    "yamaha_styles": 313,
}


@pytest.mark.parametrize("name", DATASETS)
def test_it_states_its_parts(name):
    dataset = DATASETS[name]
    assert dataset.name == name
    assert dataset.title and dataset.citation and dataset.licence and dataset.download
    assert set(dataset.splits) <= {"train", "validation", "test"}


@pytest.mark.parametrize("name", DATASETS)
def test_where_it_is_missing_one_line_says_what_to_get(name, tmp_path):
    with pytest.raises(InputError, match=f"no {name} below .*: .*, or set BACKBEAT_DATA") as caught:
        list_sources(name, tmp_path)
    message = str(caught.value)
    assert DATASETS[name].download in message and "\n" not in message


@pytest.mark.parametrize("name", DATASETS)
def test_a_split_that_it_does_not_have_is_refused(name, tmp_path):
    with pytest.raises(InputError, match=f"{name} has no split 'best'"):
        list_sources(f"{name}:best", tmp_path)


@pytest.mark.parametrize("file", sorted(p.name for p in FOLDER.glob("*.py") if "\nDATASET = " in p.read_text(encoding="utf-8")))
def test_every_file_with_a_data_set_is_in_the_table_and_says_where_it_is_from(file):
    module = importlib.import_module(f"backbeat.datasets.{file.removesuffix('.py')}")
    assert DATASETS[file.removesuffix(".py")] is module.DATASET
    parts = [module.__doc__.find(f"{part}:") for part in ("Origin", "Citation", "Licence", "Checksums", "Layout")]
    assert -1 not in parts and parts == sorted(parts)


def test_the_page_names_every_data_set():
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    assert not [name for name in DATASETS if f"`{name}`" not in page]


@pytest.mark.parametrize("spec", COUNTS)
def test_how_many_sources_there_are(spec):
    assert len(list_here(*spec.split(":"))) == COUNTS[spec]


@pytest.mark.parametrize("name", DATASETS)
def test_its_sources_are_what_they_should_be(name):
    sources = list_here(name)
    assert len({s.name for s in sources}) == len(sources)
    assert len({(s.path, s.member) for s in sources}) == len(sources)
    assert {s.split for s in sources} <= {"", *DATASETS[name].splits}
    assert all(s.licence for s in sources)
    assert all(s.cluster == "" or s.cluster.startswith(f"{name.split('_')[0]}:") for s in sources)
    assert list(islice(DATASETS[name].list_all(find_data()), 50)) == sources[:50]


@pytest.mark.parametrize("name", DATASETS)
def test_its_sources_travel_and_are_midi_files(name):
    sources = list_here(name)
    for source in sources[:: max(1, len(sources) // 5)]:
        again = pickle.loads(pickle.dumps(source))
        assert again == source
        if not source.path.endswith(".AC7"):
            song = parse_song(again.read(), source.name)
            assert song.parts
            assert source.band == any(len(p.notes) for p in song.band) or name in ("songs", "mma_grooves")


def test_a_name_that_stands_for_nothing_gives_the_list(tmp_path):
    with pytest.raises(InputError, match="neverheard: no file, folder or data set; data sets are songs, groove_midi, .*yamaha_styles") as caught:
        list_sources("neverheard", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_data_set_without_a_data_folder_asks_for_it():
    with pytest.raises(InputError, match="where is songs\\? .*--data DIR, or set BACKBEAT_DATA"):
        list_sources("songs:train")


def test_a_folder_a_file_and_an_archive_are_named_by_their_path(tmp_path):
    write_tree(tmp_path / "songs", "a.mid", "b/c.MID", "b/readme.txt")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("x.kar", midi(36))
    assert [s.name for s in list_sources(str(tmp_path / "songs"))] == ["a.mid", "b/c.MID"]
    assert [s.name for s in list_sources(str(tmp_path / "songs" / "a.mid"))] == ["a.mid"]
    assert [s.name for s in list_sources(str(tmp_path / "all.zip"))] == ["x.kar"]
    assert list_sources(str(tmp_path / "all.zip"))[0].read() == midi(36)


def test_a_folder_called_as_a_data_set_needs_a_path(tmp_path, monkeypatch):
    write_tree(tmp_path / "songs", "a.mid")
    monkeypatch.chdir(tmp_path)
    assert [s.name for s in list_sources("./songs")] == ["a.mid"]
    with pytest.raises(InputError, match="no songs below"):
        list_sources("songs", tmp_path)


def test_a_file_of_another_kind_and_an_empty_folder_are_refused(tmp_path):
    (tmp_path / "song.wav").write_bytes(b"RIFF")
    with pytest.raises(InputError, match=r"song.wav: neither MIDI nor an archive by its name; data sets are"):
        list_sources(str(tmp_path / "song.wav"))
    with pytest.raises(InputError, match=r": no piece in it"):
        list_sources(str(tmp_path))


def test_a_newcomer_is_a_dataset_of_a_few_lines(tmp_path):
    write_tree(tmp_path / "mine", "train/a.mid", "test/b.mid")

    def list_mine(data):
        for split in ("train", "test"):
            for path in sorted((data / "mine" / split).iterdir()):
                yield Source(str(path), f"{split}/{path.name}", split=split)

    mine = Dataset("mine", "Mine", "none", "mine", "put it into mine there", list_mine, ("train", "test"))
    assert [s.name for s in mine.list_sources(tmp_path)] == ["train/a.mid", "test/b.mid"]
    assert [s.name for s in mine.list_sources(tmp_path, "test")] == ["test/b.mid"]


def test_a_source_that_is_no_regular_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.mid")
    (tmp_path / "gone.mid").symlink_to(tmp_path / "nowhere")
    gone, pipe = list_sources(str(tmp_path))
    with pytest.raises(InputError, match=r"pipe.mid: cannot be read \(not a regular file\)"):
        pipe.read()
    with pytest.raises(InputError, match=r"gone.mid: cannot be read \(.*No such file"):
        gone.read()
