"""Sound as a job: it can be followed, fetched and stopped."""

import io
import os
import time
import zipfile

import numpy as np
import pytest
import soundfile

from backbeat.errors import InputError
from backbeat.midi import parse_song
from backbeat.studio.renders import Workshop

pytestmark = pytest.mark.slow


@pytest.fixture
def project(page, song):
    id_ = page.upload(song, "Tune.mid")["id"]
    page.edit(id_, (0, "kick", 110), (4, "snare", 100), (6, "closed_hat", 90), (7, "open_hat", 90))
    return id_


def fetch(page, project, what):
    answer = page.client.post(f"/api/projects/{project}/renders", json={"what": what})
    assert answer.status_code == 202, answer.text
    job = page.wait(answer.json()["job"])
    assert job["state"] == "done" and job["progress"] == 1, job
    return page.client.get(f"/api/jobs/{job['id']}/result")


def read(data):
    return soundfile.read(io.BytesIO(data), dtype="int16")[0].astype(np.int64)


def test_stems_are_one_wav_a_piece_and_their_sum_is_the_mix(page, project):
    answer = fetch(page, project, "stems.zip")
    assert 'filename="Tune-stems.zip"' in answer.headers["content-disposition"] and answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert set(archive.namelist()) == {"mix.wav", "Band.wav", "Kick.wav", "Snare.wav", "Hi-hat.wav"}
    sounds = {name: read(archive.read(name)) for name in archive.namelist()}
    mix = sounds.pop("mix.wav")
    assert np.array_equal(sum(sounds.values()), mix) and all(np.abs(s).max() > 100 for s in sounds.values())


def test_the_drums_begin_where_they_are_struck(page, project):
    drums = read(fetch(page, project, "drums.wav").content)
    assert np.abs(drums[:2400]).max() > 500 and len(drums) > 48_000 * 8


def test_everything_at_once(page, project):
    archive = zipfile.ZipFile(io.BytesIO(fetch(page, project, "all.zip").content))
    names = set(archive.namelist())
    assert {"mix.wav", "Band.wav", "Tune-drums.mid", "Tune-drums-only.mid", "Tune-pieces.mid"} <= names
    assert parse_song(archive.read("Tune-drums.mid")).band


def test_a_render_can_be_stopped_and_leaves_nothing(page, project, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    job = page.client.post(f"/api/projects/{project}/renders", json={"what": "all.zip"}).json()["job"]
    while page.client.get(f"/api/jobs/{job['id']}").json()["job"]["state"] == "queued":
        time.sleep(0.01)
    assert page.client.post(f"/api/jobs/{job['id']}/cancel", json={}).json()["job"]["state"] == "cancelled"
    assert page.client.get(f"/api/jobs/{job['id']}/result").status_code == 404
    end = time.monotonic() + 5
    while list(tmp_path.glob("backbeat-studio-*")) and time.monotonic() < end:
        time.sleep(0.02)
    assert not list(tmp_path.glob("backbeat-studio-*"))


@pytest.mark.parametrize(
    "asked", [{}, {"what": "x.wav"}, {"what": ["song.wav"]}, {"what": "../song.wav"}, {"what": "song.wav", "take": 99}, {"what": "song.wav", "take": "x"}]
)
def test_what_cannot_be_rendered(page, project, asked):
    answer = page.client.post(f"/api/projects/{project}/renders", json=asked)
    assert answer.status_code == 400 and answer.json()["error"]


def test_what_killed_studios_left_is_thrown_away(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone, ours, other = (tmp_path / f"backbeat-studio-{name}" for name in ("4194303-x", f"{os.getpid()}-x", "strange"))
    for folder in (gone, ours, other):
        folder.mkdir()
    Workshop()
    assert not gone.exists() and ours.exists() and other.exists()


def test_a_process_that_fails_is_told_in_one_line(tmp_path):
    (tmp_path / "order.json").write_text('{"stems": [["Kick", [36]]], "out": "out.wav", "zip": false, "add": []}')
    (tmp_path / "song.mid").write_bytes(b"no song")
    with pytest.raises(InputError, match="not a MIDI file"):
        Workshop()._run_process(tmp_path, 1, lambda share: None)
