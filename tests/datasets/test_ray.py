"""The Ray engine: a cluster of several nodes gives the same corpus, even when a worker and a node die on the way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backbeat.datasets import building
from backbeat.datasets.building import Plan, build_corpus
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from tests.midi.builders import band_song

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
ray = pytest.importorskip("ray", reason="needs Ray: pip install 'backbeat[scale]'")


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    ray.init(address=made.address, log_to_driver=False, logging_level="error")
    yield made
    ray.shutdown()
    made.shutdown()


def die_once(source: Source) -> bytes:
    """Reads a file; the first reader of the poisoned one dies with its process."""
    marker = Path(source.path).with_suffix(".died")
    if source.name == "20.mid" and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(source.path).read_bytes()


def test_a_cluster_that_loses_a_worker_and_a_node_gives_the_same_rows(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "SIZE", 2)
    (tmp_path / "songs").mkdir()
    for bars in range(8, 40):
        (tmp_path / "songs" / f"{bars}.mid").write_bytes(band_song(bars))
    files = sorted((tmp_path / "songs").glob("*.mid"))
    build_corpus(Plan([Source(str(p), p.name) for p in files]), tmp_path / "here")

    nodes = [cluster.add_node(num_cpus=1)]

    def lose_node(done: int) -> None:
        if done >= 6 and nodes:
            cluster.remove_node(nodes.pop())

    counts = build_corpus(Plan([Source(str(p), p.name, reader=die_once) for p in files]), tmp_path / "there", engine="ray", progress=lose_node)
    assert counts.total() == len(files)
    assert (tmp_path / "songs" / "20.died").exists() and not nodes, "a worker and a node were lost"
    for path in (tmp_path / "here").iterdir():
        assert path.read_bytes() == (tmp_path / "there" / path.name).read_bytes(), path.name


def die_always(source: Source) -> bytes:
    """Reads a file, unless it is the poisoned one, which takes its worker with it again and again."""
    if source.name == "9.mid":
        os.kill(os.getpid(), signal.SIGKILL)
    return Path(source.path).read_bytes()


def test_a_file_that_kills_every_worker_lands_in_the_ledger_as_in_a_pool(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "SIZE", 2)
    (tmp_path / "songs").mkdir()
    for bars in range(8, 12):
        (tmp_path / "songs" / f"{bars}.mid").write_bytes(band_song(bars))
    sources = [Source(str(p), p.name, split="train", reader=die_always) for p in sorted((tmp_path / "songs").glob("*.mid"))]
    counts = build_corpus(Plan(sources), tmp_path / "ray", engine="ray")
    assert counts["unreadable"] == 1 and counts.total() == 4
    build_corpus(Plan(sources), tmp_path / "pool", workers=2)
    for path in (tmp_path / "pool").iterdir():
        assert path.read_bytes() == (tmp_path / "ray" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "nonsense"])
def test_no_cluster_at_the_address_is_told_at_once(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "song.mid").write_bytes(band_song(12))
    monkeypatch.setenv("RAY_ADDRESS", address)
    started = time.monotonic()
    with pytest.raises(InputError, match=f"no Ray cluster at {address} .*: start one with 'ray start --head', or unset RAY_ADDRESS"):
        build_corpus(Plan([Source(str(tmp_path / "song.mid"), "song.mid")]), tmp_path / "corpus", engine="ray")
    assert time.monotonic() - started < 30
