"""Building a corpus: nothing is lost, and neither the engine nor being killed changes a byte."""

from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.datasets import building, list_sources
from backbeat.datasets.blocks import BAR_ARRAYS, SIZE, STEP_ARRAYS, Settings, build_block
from backbeat.datasets.building import WORKSHOP, Plan, build_corpus
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.fingerprints import Fingerprint, load_minhash, take_fingerprint
from backbeat.datasets.preparation import Example, prepare
from backbeat.datasets.source import Source
from backbeat.datasets.styles import STYLES
from backbeat.errors import InputError, MissingExtraError, OutputError
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


def leave_block(folder: Path, plan: Plan, data: bytes) -> None:
    """A stopped build with one block."""
    (folder / WORKSHOP).mkdir(parents=True)
    (folder / WORKSHOP / "plan").write_text(plan.digest, encoding="utf-8")
    (folder / WORKSHOP / "0000000.npz").write_bytes(data)


@pytest.mark.parametrize("left", [0, 10, 0.5, -1])
def test_a_block_that_a_power_cut_left_unfinished_is_computed_again(sources: list[Source], tmp_path: Path, left: float) -> None:
    block = build_block(sources, Settings())
    leave_block(tmp_path / "corpus", Plan(sources), block[: int(left if isinstance(left, int) else left * len(block))])
    assert build_corpus(Plan(sources), tmp_path / "corpus", resume=True)["kept"] == 3


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.9])
def test_a_damaged_block_says_so_and_is_computed_again(sources: list[Source], tmp_path: Path, place: float) -> None:
    block = bytearray(build_block(sources, Settings()))
    at = int(place * len(block))
    block[at : at + 50] = bytes(b ^ 0xFF for b in block[at : at + 50])
    leave_block(tmp_path / "corpus", Plan(sources), bytes(block))
    with pytest.raises(InputError, match="damaged and was removed"):
        build_corpus(Plan(sources), tmp_path / "corpus", resume=True)
    assert build_corpus(Plan(sources), tmp_path / "corpus", resume=True)["kept"] == 3


def test_a_build_that_was_killed_before_its_first_file_can_be_begun_again(sources: list[Source], tmp_path: Path) -> None:
    for resume in (False, True):
        (tmp_path / f"{resume}" / WORKSHOP).mkdir(parents=True)
        assert build_corpus(Plan(sources), tmp_path / f"{resume}", resume=resume)["kept"] == 3


def test_what_a_build_killed_at_its_last_file_left_is_cleared(sources: list[Source], tmp_path: Path) -> None:
    build_corpus(Plan(sources), tmp_path / "whole")
    build_corpus(Plan(sources), tmp_path / "corpus")
    (tmp_path / "corpus" / ".backbeat-0123.tmp").write_bytes(b"half a meta.json")
    build_corpus(Plan(sources), tmp_path / "corpus", resume=True)
    assert read_all(tmp_path / "corpus") == read_all(tmp_path / "whole")


@pytest.mark.parametrize("where", ["_Writer.add", "write_bytes", "TableWriter.add"])
def test_a_full_disk_is_told_in_one_line_and_can_be_gone_on_with(where: str, sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_corpus(Plan(sources), tmp_path / "whole")

    def fill(*arguments: Any) -> None:
        if str(arguments[0]).endswith("plan"):
            return arguments[0].write_bytes(arguments[1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(f"backbeat.datasets.building.{where}", fill)
        with pytest.raises(OutputError, match=r"No space left on device.*: when that is mended, the same command with --resume goes on"):
            build_corpus(Plan(sources), tmp_path / "corpus")
    build_corpus(Plan(sources), tmp_path / "corpus", resume=True)
    assert read_all(tmp_path / "corpus") == read_all(tmp_path / "whole")


def test_a_folder_that_cannot_be_one_is_told_in_one_line(sources: list[Source], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mine")
    with pytest.raises(InputError, match="file is a file: name a folder"):
        build_corpus(Plan(sources), tmp_path / "file")
    with pytest.raises(OutputError, match="the build stopped"):
        build_corpus(Plan(sources), tmp_path / "file" / "corpus")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "meta.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="is damaged"):
        build_corpus(Plan(sources), tmp_path / "odd", resume=True)
    with pytest.raises(InputError, match="no engine 'steam': choose from pool, ray"):
        build_corpus(Plan(sources), tmp_path / "new", engine="steam")


def test_names_that_are_no_text_are_escaped_in_both_tables(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    for name, data in {b"caf\xe9.mid": band_song(12), b"broken \xff\n.mid": b"MThd"}.items():
        (tmp_path / "songs" / os.fsdecode(name)).write_bytes(data)
    build_corpus(Plan(list_sources(str(tmp_path / "songs"))), tmp_path / "corpus")
    corpus = Corpus(tmp_path / "corpus")
    (kept,), (left,) = corpus.manifest.to_pylist(), corpus.ledger.to_pylist()
    assert kept["name"] == "caf\\udce9.mid" and kept["path"].endswith("/caf\\udce9.mid")
    assert left["name"] == "broken \\udcff\n.mid" and "broken" in left["detail"]


def fail(source: Source) -> bytes:
    """A reader with a bug."""
    raise ZeroDivisionError(f"in {source.name}")


def test_a_bug_that_one_file_brings_to_light_costs_only_that_file(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trip(example: Example) -> Fingerprint:
        if len(example.layout) == 16:
            raise IndexError("out of range")
        return take_fingerprint(example)

    monkeypatch.setattr("backbeat.datasets.blocks.take_fingerprint", trip)
    odd = [replace(s, reader=fail) if s.name == "six.mid" else s for s in sources]
    assert build_corpus(Plan(odd), tmp_path / "corpus")["failed"] == 2
    rejected = {r["name"]: r["detail"] for r in Corpus(tmp_path / "corpus").ledger.to_pylist() if r["result"] == "failed"}
    assert rejected == {
        "waltz.mid": "a fault of Backbeat, please report it with the file (IndexError: out of range)",
        "six.mid": "a fault of Backbeat, please report it with the file (ZeroDivisionError: in six.mid)",
    }


def test_a_package_that_is_missing_is_no_fault_of_the_files(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_minhash.cache_clear()
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(MissingExtraError, match=r"needs datasketch.*backbeat\[data\]"):
        build_corpus(Plan(sources), tmp_path / "corpus")
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"needs ray.*backbeat\[scale\]"):
        build_corpus(Plan(sources), tmp_path / "corpus", engine="ray")
    assert not (tmp_path / "corpus").exists(), "told before anything is done"


def test_every_source_rejected_is_a_corpus_without_pieces(tmp_path: Path) -> None:
    sources = write_files(tmp_path / "songs", {"a.mid": b"", "b.mid": b"MThd"})
    assert dict(build_corpus(Plan(sources), tmp_path / "corpus")) == {"unreadable": 2}
    assert len(Corpus(tmp_path / "corpus")) == 0 and Corpus(tmp_path / "corpus").names == []


@pytest.mark.parametrize("keep_copies", [False, True])
def test_stated_splits_and_folders_without_never_share_a_cluster(tmp_path: Path, keep_copies: bool) -> None:
    """Copies by bytes, by content and as stated, in data sets with splits and in folders without, in any order."""
    rng = np.random.default_rng(5)
    files = {f"{bars}.mid": band_song(bars) for bars in range(8, 20)}
    write_files(tmp_path / "songs", files)
    sources = []
    for number, name in enumerate([*files, *files, *files]):
        split, cluster = ("", "train", "validation", "test")[rng.integers(4)], f"made-up:{rng.integers(6)}" if rng.random() < 0.3 else ""
        sources.append(Source(str(tmp_path / "songs" / name), f"{number} {name}", cluster=cluster, split=split))
    counts = build_corpus(Plan(sources, Settings(clean=False), keep_copies), tmp_path / "corpus")
    corpus = Corpus(tmp_path / "corpus")
    rows = corpus.manifest.to_pylist()
    splits: dict[int, set[str]] = {}
    for row in rows:
        splits.setdefault(row["cluster"], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values()) and len(rows) + len(corpus.ledger) == counts.total() == len(sources)
    by_bytes: dict[str, set[str]] = {}
    for row in rows:
        by_bytes.setdefault(row["sha256"], set()).add(row["split"])
    assert all(len(found) == 1 for found in by_bytes.values())


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


def read_slowly(source: Source) -> bytes:
    """Takes longer than anybody waits for one of the files, and swallows errors meanwhile, as libraries do."""
    if source.name == "six.mid":
        while True:
            try:
                time.sleep(60)
            except Exception:
                continue
    return Path(source.path).read_bytes()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of Unix")
def test_stopping_does_not_wait_for_the_files_being_read(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "SIZE", 1)
    slow = [replace(s, reader=read_slowly) for s in sources]

    def stop(done: int) -> None:
        if done == len(sources) - 1:
            raise KeyboardInterrupt

    before = set(multiprocessing.active_children())
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        build_corpus(Plan(slow), tmp_path / "corpus", workers=2, progress=stop)
    while set(multiprocessing.active_children()) - before and time.monotonic() - started < 15:
        time.sleep(0.05)
    assert time.monotonic() - started < 15, "the workers end, though one had 20 s to go"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals of Unix")
def test_a_file_that_swallows_the_alarm_is_given_up_all_the_same(sources: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backbeat.datasets.blocks.SECONDS", 0.3)
    build_corpus(Plan([replace(s, reader=read_slowly) for s in sources]), tmp_path / "corpus")
    assert {r["name"]: r["detail"] for r in Corpus(tmp_path / "corpus").ledger.to_pylist()}["six.mid"] == "not done after 0.3 s"


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
