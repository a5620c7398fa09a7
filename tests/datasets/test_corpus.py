"""A corpus: everything that goes in is kept or rejected with a reason, whatever the number of workers."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from backbeat.datasets.corpus import BAR_ARRAYS, STEP_ARRAYS, Corpus, build_corpus
from backbeat.datasets.source import Source
from backbeat.datasets.groove_midi import list_takes
from backbeat.datasets.preparation import Example, prepare
from backbeat.datasets.songs import list_songs
from backbeat.datasets.styles import STYLES
from backbeat.errors import InputError
from tests.midi.builders import band_song

FILES = {
    "four.mid": band_song(12), "waltz.mid": band_song(16, numerator=3), "six.mid": band_song(10, numerator=6, denominator=8),
    "no drums.mid": band_song(12, drums=False), "short.mid": band_song(7), "damaged.mid": b"MThd and nothing else", "twin.mid": band_song(12),
}  # fmt: skip


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    folder = tmp_path / "songs"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    cluster = {"four.mid": "a", "twin.mid": "a"}
    return [Source(str(folder / n), n, "rock" if n == "four.mid" else "", cluster.get(n, ""), True, "CC0") for n in FILES]


def read_manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_all_that_goes_in_is_kept_or_rejected(sources: list[Source], tmp_path: Path) -> None:
    done: list[int] = []
    counts = build_corpus(sources, tmp_path / "corpus", workers=1, progress=done.append)
    assert dict(counts) == {"kept": 3, "no drums": 1, "fewer than 8 bars with drums": 1, "unreadable": 1, "near-duplicate": 1}
    assert done == list(range(1, 7))
    rows = read_manifest(tmp_path / "corpus")
    assert sorted(r["name"] for r in rows) == sorted(FILES)
    assert {r["name"]: r["result"] for r in rows}["twin.mid"] == "near-duplicate"
    assert {r["name"]: r["bars"] for r in rows if r["result"] == "kept"} == {"four.mid": "12", "waltz.mid": "16", "six.mid": "10"}
    assert {r["licence"] for r in rows} == {"CC0"}


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(sources: list[Source], tmp_path: Path) -> None:
    build_corpus(sources, tmp_path / "one", workers=1)
    build_corpus(sources, tmp_path / "two", workers=2)
    names = sorted(p.name for p in (tmp_path / "one").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_a_piece_is_what_was_prepared(sources: list[Source], tmp_path: Path) -> None:
    build_corpus(sources, tmp_path / "corpus", workers=1)
    corpus = Corpus(tmp_path / "corpus")
    assert len(corpus) == 3 == len(list(corpus))
    for index, name in enumerate(("four.mid", "waltz.mid", "six.mid")):
        example = prepare(str(tmp_path / "songs" / name))
        assert isinstance(example, Example)
        piece = corpus.piece(index)
        assert set(piece) == {*STEP_ARRAYS, *BAR_ARRAYS, "song"}
        for key in ("step", "bar", "song", "words", "velocities", "articulations", "layout"):
            assert np.array_equal(piece[key], getattr(example, key)), (name, key)
        assert np.array_equal(piece["recalled_words"], example.recalled.words)
        assert np.array_equal(piece["habit"], example.recalled.habit)
        assert not piece["words"].flags.writeable and not piece["words"].flags.owndata, "a view into the map"


def test_the_corpus_says_what_is_in_it(sources: list[Source], tmp_path: Path) -> None:
    build_corpus(sources, tmp_path / "corpus", workers=1)
    corpus = Corpus(tmp_path / "corpus")
    assert corpus.pieces["style"].tolist() == [STYLES.index("rock"), 0, 0]
    assert corpus.pieces["band"].all()
    assert corpus.pieces["bars"].tolist() == [12, 16, 10]
    meta = json.loads((tmp_path / "corpus" / "meta.json").read_text(encoding="utf-8"))
    assert meta["manifest_sha256"] == hashlib.sha256((tmp_path / "corpus" / "manifest.csv").read_bytes()).hexdigest()
    assert (meta["kit"]["name"], meta["pieces"]) == ("backbeat", 3)


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="is not empty: name a new folder"):
        build_corpus([], tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["precious.txt"]


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a corpus"):
        Corpus(tmp_path)


def test_an_empty_corpus_is_readable(tmp_path: Path) -> None:
    assert not build_corpus([], tmp_path / "corpus", workers=1)
    assert len(Corpus(tmp_path / "corpus")) == 0


def test_songs_are_listed_by_split(tmp_path: Path) -> None:
    (tmp_path / "songs" / "test").mkdir(parents=True)
    lines = ["path,split,genre,cluster,licence,md5", "a.mid,test,rock,c1,none stated,0", "b.mid,train,,c2,CC0,0"]
    (tmp_path / "songs-manifest.csv").write_text("\n".join(lines), encoding="utf-8")
    assert list_songs(tmp_path, "test") == [Source(str(tmp_path / "songs" / "test" / "a.mid"), "a.mid", "rock", "c1", True, "none stated")]
    with pytest.raises(InputError, match="no songs below"):
        list_songs(tmp_path, "train")


def test_takes_are_listed_by_split(tmp_path: Path) -> None:
    (tmp_path / "groove").mkdir()
    lines = ["drummer,style,split,midi_filename", "d1,funk/groove1,train,d1/1.mid", "d2,rock,test,d2/1.mid"]
    (tmp_path / "groove" / "info.csv").write_text("\n".join(lines), encoding="utf-8")
    assert list_takes(tmp_path, "train") == [Source(str(tmp_path / "groove" / "d1/1.mid"), "d1/1.mid", "funk", "", False, "CC BY 4.0")]
    with pytest.raises(InputError, match="no Groove MIDI below"):
        list_takes(tmp_path / "elsewhere", "train")
