"""Nothing is lost: reload, project files, downloads, two tabs, a server that dies."""

import io
import zipfile

import numpy as np

from backbeat.midi import parse_song
from tests.studio.browser.conftest import make_song
from tests.studio.browser.running import run_studio


def download(desk, name, tmp_path):
    desk.press("downloads")
    with desk.page.expect_download() as taken:
        desk.press(f"download-{name}")
    path = tmp_path / taken.value.suggested_filename
    taken.value.save_as(path)
    return path


def test_a_reload_shows_the_same(open_desk, studio, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    desk.after(lambda: desk.click_cell(21, "snare"))
    shown = desk.groove, desk.hits
    desk.page.reload()
    desk.wait_for_drums()
    assert (desk.groove, desk.hits) == shown and desk.id == project


def test_a_project_file_opens_exactly(open_desk, studio, project, tmp_path):
    desk = open_desk(project)
    desk.wait_for_drums()
    desk.after(lambda: desk.click_cell(21, "snare"))
    path = download(desk, "project.backbeat", tmp_path)
    assert path.suffix == ".backbeat" and zipfile.is_zipfile(path)
    desk.press("home")
    desk.find("file-input").set_input_files(path)
    desk.wait(lambda: desk.find("studio").count() and desk.id != project)
    desk.wait_for_drums()
    assert studio.groove(desk.id) == studio.groove(project)
    one, two = studio.state(desk.id), studio.state(project)
    assert [take["name"] for take in one["takes"]] == [take["name"] for take in two["takes"]]
    desk.after(lambda: desk.press("undo"))
    assert studio.groove(desk.id) != studio.groove(project), "with its history"


def test_a_download_is_the_grid(open_desk, studio, project, song, tmp_path):
    desk = open_desk(project)
    desk.wait_for_drums()
    view, about = studio.ask(f"/projects/{project}"), studio.ask("/about")
    seconds, notes = np.array(view["song"]["step_seconds"]), [c["note"] for c in about["kit"]["classes"]]
    rows = [row for bar in studio.groove(project).values() for row in bar]
    wanted = sorted((max(0, np.interp(step + offset, np.arange(len(seconds)), seconds)), notes[cls], velocity) for step, cls, velocity, offset in rows)
    for name, band in (("song.mid", 2), ("drums.mid", 0)):
        parsed = parse_song(download(desk, name, tmp_path).read_bytes())
        found = sorted((note["onset"] / 960, int(note["pitch"]), int(note["velocity"])) for part in parsed.drum_parts for note in part.notes)
        assert len(parsed.band) == band and len(found) == len(wanted)
        assert sorted(row[1:] for row in found) == sorted(row[1:] for row in wanted)
        assert np.allclose([row[0] for row in found], [row[0] for row in wanted], atol=0.003)


def test_a_new_piece_without_a_song(open_desk, studio):
    desk = open_desk()
    desk.find("blank-bars").fill("4")
    desk.press("blank-start")
    desk.find("grid").wait_for()
    desk.press("generate")
    desk.wait_for_drums()
    assert len(studio.ask(f"/projects/{desk.id}")["song"]["bars"]) == 4


def test_two_tabs_see_one_project(open_desk, studio, project):
    one, two = open_desk(project), open_desk(project)
    for desk in (one, two):
        desk.wait_for_drums()
    before = studio.groove(project)
    one.after(lambda: one.click_cell(1, "snare"))
    two.wait(lambda: two.groove == one.groove)
    one.click_cell(33, "snare")
    two.click_cell(35, "snare")
    for desk in (one, two):
        desk.page.wait_for_timeout(300)
        desk.settle()
    assert one.groove == two.groove
    changed = [step for step in (1, 33, 35) if has(studio, before, step) != has(studio, studio.groove(project), step)]
    told = [desk.find("message").inner_text() for desk in (one, two) if desk.find("message").count()]
    assert changed == [1, 33, 35] or told, "both edits are there, or one tab says why not"


def has(studio, groove, step):
    snare = [c["name"] for c in studio.ask("/about")["kit"]["classes"]].index("snare")
    return any(row[:2] == [step, snare] for rows in groove.values() for row in rows)


def test_a_killed_server_loses_nothing(open_desk, tmp_path, played):
    with run_studio(tmp_path) as first:
        id_ = first.create(played, "song.backbeat")
        desk = open_desk(id_, at=first)
        desk.wait_for_drums()
        desk.after(lambda: desk.click_cell(19, "snare"))
        kept = first.groove(id_), first.state(id_)
        desk.press("generate")
        desk.find("job").wait_for()
        first.kill()
        desk.find("offline").wait_for()
        with run_studio(tmp_path, first.port) as second:
            desk.studio = second
            desk.find("offline").wait_for(state="detached")
            assert (second.groove(id_), second.state(id_)) == kept
            desk.settle()
            desk.wait(lambda: desk.find("job").count() == 0)
            state = desk.after(lambda: desk.press("generate"), 60)
            assert len(state["takes"]) == 6
            desk.page.goto("about:blank")


def test_hostile_files_are_told_in_one_line(open_desk):
    desk = open_desk()
    for name, data in (("song.mid", b"MThd" + bytes(40)), ("x.backbeat", b"PK\x03\x04" + bytes(99)), ("<img src=x onerror=alert(1)>.mid", b"no")):
        desk.find("file-input").set_input_files({"name": name, "mimeType": "audio/midi", "buffer": data})
        desk.find("message").wait_for()
        text = desk.find("message").inner_text()
        assert text.strip() and "\n" not in text.strip() and "Traceback" not in text
        desk.find("message").get_by_role("button").click()
        desk.find("message").wait_for(state="detached")
    name = '"><img src=x onerror=alert(1)>.mid'
    desk.drop(make_song(2), name)
    assert desk.page.locator("img[src=x]").count() == 0


def test_stems_are_rendered_on_demand(open_desk, project, tmp_path):
    desk = open_desk(project)
    desk.wait_for_drums()
    desk.press("downloads")
    with desk.page.expect_download(timeout=60_000) as taken:
        desk.press("render-drums.wav")
    path = tmp_path / "drums.wav"
    taken.value.save_as(path)
    import soundfile

    sound, _ = soundfile.read(io.BytesIO(path.read_bytes()))
    assert np.abs(sound).max() > 0.05
