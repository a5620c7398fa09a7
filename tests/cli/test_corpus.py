"""``backbeat corpus``: build, stop, resume, describe, export."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.midi.builders import band_song

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'backbeat[data]'")


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    folder = tmp_path / "songs"
    folder.mkdir()
    for bars in range(8, 16):
        (folder / f"{bars}.mid").write_bytes(band_song(bars))
    (folder / "broken.mid").write_bytes(b"MThd")
    return folder


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "backbeat", "corpus", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c)


def hear_ctrl_c() -> None:
    """Tests that run in the background inherit a SIGINT that is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_build_describe_export(songs: Path, tmp_path: Path) -> None:
    out, errors = (process := start("build", songs, "-o", tmp_path / "corpus", "--json")).communicate()
    assert process.returncode == 0, errors
    report = json.loads(out)
    assert report["files"] == 9 == sum(report["results"].values()) and report["results"]["unreadable"] == 1
    out, errors = start("describe", tmp_path / "corpus", "--json").communicate()
    described = json.loads(out)
    assert described["sources"] == 9 == described["pieces"] + sum(described["left out"].values())
    assert sum(described["splits"].values()) == sum(described["styles"].values()) == described["pieces"]
    process = start("export", tmp_path / "corpus", "-o", tmp_path / "corpus.parquet")
    process.communicate()
    assert process.returncode == 0 and (tmp_path / "corpus.parquet").stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals of Unix")
def test_ctrl_c_leaves_a_state_to_resume_and_says_so(songs: Path, tmp_path: Path) -> None:
    for copy in range(300):
        (songs / f"more {copy}.mid").write_bytes(band_song(60 + copy))
    process = start("build", songs, "-o", tmp_path / "corpus", "--workers", 2)
    while not list(tmp_path.glob("corpus/.build/*.npz")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "the same command with --resume goes on" in errors and "Traceback" not in errors
    out, errors = (process := start("build", songs, "-o", tmp_path / "corpus")).communicate()
    assert process.returncode == 1 and "add --resume" in errors
    out, errors = (process := start("build", songs, "-o", tmp_path / "corpus", "--resume", "--json")).communicate()
    assert process.returncode == 0, errors
    assert sum(json.loads(out)["results"].values()) == 309


@pytest.mark.slow
def test_a_corpus_in_which_nothing_is_kept_is_described_and_exported(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "broken.mid").write_bytes(b"MThd")
    _, errors = (process := start("build", tmp_path / "songs", "-o", tmp_path / "corpus", "--workers", 1)).communicate()
    assert process.returncode == 0, errors
    out, errors = (process := start("describe", tmp_path / "corpus", "--json")).communicate()
    assert process.returncode == 0, errors
    assert json.loads(out)["pieces"] == 0 and json.loads(out)["left out"] == {"unreadable": 1}
    _, errors = (process := start("export", tmp_path / "corpus", "-o", tmp_path / "corpus.parquet")).communicate()
    assert process.returncode == 0, errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["build", "nothing here", "-o", "corpus"], "nothing here"),
        (["build", "SONGS", "-o", "corpus", "--steps-per-quarter", "0"], "steps per quarter"),
        (["build", "SONGS", "-o", "corpus", "--kit", "no kit"], "no kit"),
        (["describe", "SONGS"], "is not a corpus"),
        (["export", "SONGS", "-o", "x.parquet"], "is not a corpus"),
        (["build", "SONGS", "-o", "songs/8.mid"], "8.mid is a file: name a folder"),
        (["build", "SONGS", "-o", "songs/8.mid/corpus"], "the build stopped"),
        (["build", "", "-o", "corpus"], "an empty name"),
    ],
)
def test_bad_input_is_told_in_one_line(songs: Path, tmp_path: Path, arguments: list[str], told: str) -> None:
    process = start(*(str(songs) if a == "SONGS" else str(tmp_path / a) if a in ("corpus", "x.parquet") or "/" in a else a for a in arguments))
    out, errors = process.communicate()
    assert process.returncode == 1 and not out
    line = [x for x in errors.splitlines() if x.startswith("backbeat: ")]
    assert len(line) == 1 and told in line[0] and "Traceback" not in errors
