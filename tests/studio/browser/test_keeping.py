"""Nothing is lost: reload, project files, downloads, two tabs, a server that dies."""

import io
import urllib.request
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


HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_many_windows_do_not_wait_for_each_other(open_desk, studio, project):
    first = open_desk(project)
    first.wait_for_drums()
    for _ in range(6):  # a browser has as many connections to one address, and the first page has one
        other = first.page.context.new_page()
        other.route("**/sounds/**", lambda route: route.abort())  # which takes long, and is not heard here
        other.goto(first.page.url)
        other.locator("[data-testid=grid]").wait_for()
        other.evaluate(HIDE, True)
    first.after(lambda: first.click_cell(3, "snare"))
    other.evaluate(HIDE, False)
    first.wait(lambda: other.locator("[data-testid=grid]").get_attribute("data-groove") == first.groove)


def test_a_project_deleted_in_another_window_is_closed(open_desk, studio, song):
    desk = open_desk(studio.create(song))
    desk.find("grid").wait_for()
    urllib.request.urlopen(urllib.request.Request(f"{studio.url}/api/projects/{desk.id}", method="DELETE")).close()
    desk.find("drop-zone").wait_for()
    assert "deleted in another window" in desk.find("message").inner_text()
    desk.page.reload()
    desk.find("drop-zone").wait_for()
    assert desk.find("message").count() == 0


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


def test_work_is_followed_where_no_news_come(open_desk, studio, project, tmp_path):
    desk = open_desk(project)
    desk.page.route("**/api/events", lambda route: route.abort())
    desk.page.reload()
    desk.wait_for_drums()
    state = desk.after(lambda: desk.press("generate"), 60)
    assert len(state["takes"]) == 6
    desk.wait(lambda: desk.find("job").count() == 0)
    desk.press("downloads")
    with desk.page.expect_download(timeout=60_000) as taken:
        desk.press("render-drums.wav")
    assert taken.value.suggested_filename == "song-drums.wav"


DRAGGED = """(name) => {
  const data = new DataTransfer();
  document.querySelector(`[data-testid="download-${name}"]`).dispatchEvent(new DragEvent("dragstart", {bubbles: true, dataTransfer: data}));
  return data.getData("DownloadURL");
}"""


def test_files_can_be_dragged_out_also_sound_that_is_ready(open_desk, studio, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    desk.press("downloads")
    with desk.page.expect_download(timeout=60_000) as taken:
        desk.press("render-drums.wav")
    assert taken.value.suggested_filename == "song-drums.wav"
    desk.press("downloads")
    names = {"song.mid": "song-drums.mid", "drums.mid": "song-drums-only.mid", "pieces.mid": "song-pieces.mid", "project.backbeat": "song.backbeat"}
    for what, name in {**names, "drums.wav": "song-drums.wav"}.items():
        kind, dragged, address = desk.page.evaluate(DRAGGED, what).split(":", 2)
        assert (dragged, kind.partition("/")[0]) == (name, {"mid": "audio", "wav": "audio"}.get(what[-3:], "application"))
        with urllib.request.urlopen(address) as answer:
            assert f'filename="{name}"' in answer.headers["content-disposition"] and len(answer.read()) > 100
    desk.key("Escape")
    desk.after(lambda: desk.key("2"))
    desk.press("downloads")
    assert desk.find("render-drums.wav").count(), "of another take it is made anew"


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
