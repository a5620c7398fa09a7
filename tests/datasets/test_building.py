"""Building a corpus: nothing is lost, and neither the engine nor being killed changes a byte."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from backbeat.datasets import building, list_sources
from backbeat.datasets.blocks import BAR_ARRAYS, SIZE, STEP_ARRAYS, Settings
from backbeat.datasets.building import WORKSHOP, Plan, build_corpus
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.preparation import Example, prepare
from backbeat.datasets.source import Source
from backbeat.datasets.styles import STYLES
from backbeat.errors import InputError
from tests.midi.builders import Track, band_song, midi

FILES = {
    "four.mid": band_song(12), "waltz.mid": band_song(16, numerator=3), "six.mid": band_song(10, numerator=6, denominator=8),
    "no drums.mid": band_song(12, drums=False), "short.mid": band_song(7), "damaged.mid": b"MThd and nothing else",
    "twin.mid": band_song(13), "same bytes.mid": band_song(12),
}  # fmt: skip


def write_files(folder: Path, files: dict[str, bytes]) -> list[Source]:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    cluster = {"four.mid": "made-up:a", "twin.mid": "made-up:a"}
    return [Source(str(folder / n), n, "rock" if n == "four.mid" else "", cluster.get(n, ""), True, "CC0", "train") for n in files]


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    return write_files(tmp_path / "songs", FILES)


def read_all(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_all_that_goes_in_is_kept_or_rejected(sources: list[Source], tmp_path: Path) -> None:
    done: list[int] = []
    counts = build_corpus(Plan(sources), tmp_path / "corpus", progress=done.append)
    expected = {"no drums": 1, "fewer than 8 bars with drums": 1, "unreadable": 1, "near-duplicate as stated": 1, "duplicate bytes": 1}
    assert dict(counts) == {"kept": 3} | expected
    assert done[0] == 0 and done[-1] == len(FILES)
    corpus = Corpus(tmp_path / "corpus")
    manifest, ledger = corpus.manifest.to_pylist(), corpus.ledger.to_pylist()
    assert sorted(r["name"] for r in [*manifest, *ledger]) == sorted(FILES)
    assert {r["name"]: r["bars"] for r in manifest} == {"four.mid": 12, "waltz.mid": 16, "six.mid": 10}
    assert [r["piece"] for r in manifest] == [0, 1, 2] and corpus.names == ["four.mid", "waltz.mid", "six.mid"]
    for row in [*manifest, *ledger]:
        assert row["licence"] == "CC0"
        assert row["sha256"] == hashlib.sha256(FILES[row["name"]]).hexdigest()
    details = {r["name"]: r["detail"] for r in ledger}
    assert details["twin.mid"] == details["same bytes.mid"] == "of four.mid"
    assert "damaged.mid" in details["damaged.mid"]
    assert not (tmp_path / "corpus" / WORKSHOP).exists()


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "SIZE", 2)
    build_corpus(Plan(sources), tmp_path / "one", workers=1)
    build_corpus(Plan(sources), tmp_path / "two", workers=2)
    assert read_all(tmp_path / "one") == read_all(tmp_path / "two")


def test_a_piece_is_what_was_prepared(sources: list[Source], tmp_path: Path) -> None:
    build_corpus(Plan(sources), tmp_path / "corpus")
    corpus = Corpus(tmp_path / "corpus")
    assert len(corpus) == 3 == len(list(corpus))
    for index, name in enumerate(("four.mid", "waltz.mid", "six.mid")):
        example = prepare(str(tmp_path / "songs" / name))
        assert isinstance(example, Example)
        piece = corpus.piece(index)
        assert set(piece) == {*STEP_ARRAYS, *BAR_ARRAYS, "song"}
        for key in piece:
            assert np.array_equal(piece[key], getattr(example, key)), (name, key)
        assert not piece["words"].flags.writeable and not piece["words"].flags.owndata, "a view into the map"


def test_the_corpus_says_what_is_in_it(sources: list[Source], tmp_path: Path) -> None:
    build_corpus(Plan(sources), tmp_path / "corpus")
    corpus = Corpus(tmp_path / "corpus")
    assert corpus.pieces["style"].tolist() == [STYLES.index("rock"), 0, 0]
    assert corpus.pieces["band"].all()
    assert corpus.pieces["bars"].tolist() == [12, 16, 10]
    meta = json.loads((tmp_path / "corpus" / "meta.json").read_text(encoding="utf-8"))
    assert meta["manifest_sha256"] == hashlib.sha256((tmp_path / "corpus" / "manifest.parquet").read_bytes()).hexdigest()
    assert (meta["kit"]["name"], meta["pieces"], meta["sources"]) == ("backbeat", 3, len(FILES))
    assert corpus.choose("train").tolist() == [0, 1, 2] and not len(corpus.choose("test"))


def test_settings_reach_the_arrays(sources: list[Source], tmp_path: Path) -> None:
    build_corpus(Plan(sources, Settings(steps_per_quarter=8)), tmp_path / "corpus")
    assert Corpus(tmp_path / "corpus").pieces["steps"].tolist()[0] == 12 * 32
    with pytest.raises(InputError, match="steps per quarter lie in"):
        build_corpus(Plan(sources, Settings(steps_per_quarter=0)), tmp_path / "none")


def test_copies_can_be_kept_in_one_split(tmp_path: Path) -> None:
    sources = write_files(tmp_path / "songs", FILES)
    stated = {"four.mid": "train", "twin.mid": "test", "same bytes.mid": "test"}
    sources = [Source(s.path, s.name, cluster=s.cluster, split=stated.get(s.name, "")) for s in sources]
    build_corpus(Plan(sources, keep_copies=True), tmp_path / "corpus")
    kept = {r["name"]: r["split"] for r in Corpus(tmp_path / "corpus").manifest.to_pylist()}
    assert "four.mid" not in kept, "its cluster belongs to the test split"
    assert kept["twin.mid"] == kept["same bytes.mid"] == "test"


def test_a_folder_with_something_in_it_is_refused(sources: list[Source], tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious.txt").write_text("mine", encoding="utf-8")
    for resume in (False, True):
        with pytest.raises(InputError, match="is not empty: name a new folder"):
            build_corpus(Plan(sources), tmp_path / "full", resume=resume)
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["precious.txt"]
    with pytest.raises(InputError, match="no sources"):
        build_corpus(Plan([]), tmp_path / "empty")


def test_a_stopped_build_goes_on_only_as_itself(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "SIZE", 2)
    whole, folder = tmp_path / "whole", tmp_path / "corpus"
    build_corpus(Plan(sources), whole)

    def stop(done: int) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_corpus(Plan(sources), folder, progress=stop)
    with pytest.raises(InputError, match="is not a corpus"):
        Corpus(folder)
    with pytest.raises(InputError, match="add --resume"):
        build_corpus(Plan(sources), folder)
    with pytest.raises(InputError, match="other sources or settings"):
        build_corpus(Plan(sources[:-1]), folder, resume=True)
    with pytest.raises(InputError, match="other sources or settings"):
        build_corpus(Plan(sources, Settings(clean=False)), folder, resume=True)
    done: list[int] = []
    build_corpus(Plan(sources), folder, resume=True, progress=done.append)
    assert done[0] == 4, "what was done is not done again"
    assert read_all(folder) == read_all(whole)
    build_corpus(Plan(sources), folder, resume=True)
    assert read_all(folder) == read_all(whole), "resuming a finished build changes nothing"


def test_a_build_that_stopped_while_writing_goes_on(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "corpus"
    build_corpus(Plan(sources), whole)
    real = building.write_bytes

    def fail(path: Path, data: bytes) -> None:
        if path.name == "meta.json":
            raise KeyboardInterrupt
        real(path, data)

    monkeypatch.setattr(building, "write_bytes", fail)
    with pytest.raises(KeyboardInterrupt):
        build_corpus(Plan(sources), folder)
    monkeypatch.setattr(building, "write_bytes", real)
    build_corpus(Plan(sources), folder, resume=True)
    assert read_all(folder) == read_all(whole)


def test_half_a_block_is_computed_again(sources: list[Source], tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    (folder / WORKSHOP).mkdir(parents=True)
    (folder / WORKSHOP / "plan").write_text(Plan(sources).digest, encoding="utf-8")
    (folder / WORKSHOP / "0000000.npz").write_bytes(b"half a block")
    assert build_corpus(Plan(sources), folder, resume=True)["kept"] == 3


def test_a_block_of_something_else_is_told_and_removed(sources: list[Source], tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    (folder / WORKSHOP).mkdir(parents=True)
    (folder / WORKSHOP / "plan").write_text(Plan(sources).digest, encoding="utf-8")
    np.savez(folder / WORKSHOP / "0000000.npz", other=np.zeros(3))
    with pytest.raises(InputError, match="damaged and was removed"):
        build_corpus(Plan(sources), folder, resume=True)
    assert build_corpus(Plan(sources), folder, resume=True)["kept"] == 3


SCRIPT = """
import sys
from pathlib import Path
from backbeat.datasets import building, list_sources
from backbeat.datasets.source import Source
building.SIZE = 1
sources = [Source(str(p), p.name, split="train") for p in sorted(Path(sys.argv[1]).iterdir())]
building.build_corpus(building.Plan(sources), Path(sys.argv[2]), workers=int(sys.argv[3]), resume="resume" in sys.argv)
"""


def start_build(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *map(str, arguments)], stderr=subprocess.DEVNULL)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of Unix")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_build_resumed_is_the_uninterrupted_one(tmp_path: Path, workers: int) -> None:
    write_files(tmp_path / "songs", {f"{bars}.mid": band_song(bars) for bars in range(8, 40)})
    whole, folder = tmp_path / "whole", tmp_path / "corpus"
    assert start_build(tmp_path / "songs", whole, 1).wait() == 0
    kills, finished = 0, False
    for wanted in (3, 11, 25):
        process = start_build(tmp_path / "songs", folder, workers, "resume")
        while process.poll() is None and len(list(folder.glob(f"{WORKSHOP}/*.npz"))) < wanted:
            time.sleep(0.005)
        finished = process.poll() is not None
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += not finished
    assert kills >= 2, "the build was too quick to be killed"
    process = start_build(tmp_path / "songs", folder, workers, "resume")
    assert process.wait() == 0
    assert read_all(folder) == read_all(whole)


def kill_reader(source: Source) -> bytes:
    """Reads the file, unless it is the poisoned one, which takes its process with it."""
    if source.name == "waltz.mid":
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(source.path).read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of Unix")
def test_a_file_that_kills_its_reader_lands_in_the_ledger(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "SIZE", 3)
    poisoned = [Source(s.path, s.name, split="train", reader=kill_reader) for s in sources]
    counts = build_corpus(Plan(poisoned), tmp_path / "corpus", workers=2)
    assert counts.total() == len(sources)
    rejected = {r["name"]: r["detail"] for r in Corpus(tmp_path / "corpus").ledger.to_pylist() if r["result"] == "unreadable"}
    assert rejected["waltz.mid"] == "the process that read it died" and set(rejected) == {"waltz.mid", "damaged.mid"}


def dawdle(source: Source) -> bytes:
    """Takes too long for one of the files."""
    if source.name == "six.mid":
        time.sleep(5)
    return Path(source.path).read_bytes()


def test_a_file_that_takes_too_long_lands_in_the_ledger(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backbeat.datasets.blocks.SECONDS", 0.3)
    slow = [Source(s.path, s.name, reader=dawdle) for s in sources]
    build_corpus(Plan(slow), tmp_path / "corpus")
    rejected = {r["name"]: r["detail"] for r in Corpus(tmp_path / "corpus").ledger.to_pylist()}
    assert "not done after 0.3 s" in rejected["six.mid"]


def test_blocks_are_small_enough_to_lose(sources: list[Source]) -> None:
    assert SIZE <= 64, "a killed build loses at most the blocks in flight"


def test_of_a_folder_the_files_decide_whether_there_is_a_band(tmp_path: Path) -> None:
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "song.mid").write_bytes(band_song(12))
    kit = Track()
    for eighth in range(128):
        kit.note(eighth * 240, 60, (36, 42, 38, 46)[eighth % 4], 90, 9)
    (tmp_path / "mixed" / "take.mid").write_bytes(midi(kit.chunk(128 * 240)))
    build_corpus(Plan(list_sources(str(tmp_path / "mixed"))), tmp_path / "corpus")
    assert [(r["name"], r["band"]) for r in Corpus(tmp_path / "corpus").manifest.to_pylist()] == [("song.mid", True), ("take.mid", False)]
