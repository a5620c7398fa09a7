"""Debian's Chromium, a studio in its own process, and pages in which everything played is written down."""

import io
import shutil
from pathlib import Path

import mido
import pytest

from tests.studio.browser.running import run_studio
from tests.studio.browser.working import Desk

HERE = Path(__file__).parent
STATIC = HERE.parents[2] / "src" / "backbeat" / "studio" / "static"
# No flag lets the page sound before it was clicked: the tests click, as people do.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.fspath).parent == HERE:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def browser(shipped_folder):
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'backbeat[dev]'")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("needs Chromium: apt-get install chromium")
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: make page")
    with sync.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def studio(browser, tmp_path_factory):
    with run_studio(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def open_desk(browser, studio):
    """Opens pages: ``open_desk(project id)``; none may have thrown an error, nor asked anybody else for anything."""
    contexts, faults = [], []

    def open_one(id_=None, at=studio, listening=True, size=(1280, 720), **options):
        context = browser.new_context(bypass_csp=listening, viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith((at.url, "blob:", "data:")) else faults.append(request.url))
        if listening:
            page.add_init_script(path=HERE / "tap.js")
        page.goto(f"{at.url}/#/p/{id_}" if id_ else at.url)
        return Desk(page, at)

    yield open_one
    for context in contexts:
        context.close()
    assert not faults


def make_song(bars=8, parts=2) -> bytes:
    """A band without drums, 120 quarters a minute: bass on the quarters, chords that are held."""
    file = mido.MidiFile(ticks_per_beat=480)
    for part in range(parts):
        track = mido.MidiTrack([mido.Message("program_change", channel=part, program=(33, 0, 48)[part % 3])])
        if part == 0:
            track.insert(0, mido.MetaMessage("set_tempo", tempo=500_000))
            track.insert(1, mido.MetaMessage("time_signature", numerator=4, denominator=4))
        track.append(mido.MetaMessage("track_name", name=("Bass", "Piano", "Strings")[part % 3]))
        for bar in range(bars):
            root = (36, 41, 43, 36)[bar % 4]
            for pitches, length in [((root,), 480)] * 4 if part == 0 else [((root + 24, root + 28, root + 31), 1920)]:
                track += [mido.Message("note_on", channel=part, note=p, velocity=84) for p in pitches]
                track += [mido.Message("note_off", channel=part, note=p, time=length - 20 if i == 0 else 0) for i, p in enumerate(pitches)]
                track.append(mido.Message("control_change", channel=part, control=11, value=120, time=20))
        file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


@pytest.fixture(scope="package")
def song() -> bytes:
    return make_song()


@pytest.fixture(scope="package")
def played(studio, song):
    """The bytes of a project with three takes, made once: every test that needs drums opens its own copy."""
    id_ = studio.create(song)
    studio.act(id_, type="generate", takes=3, seed=5)
    return studio.fetch(f"/projects/{id_}/download/project.backbeat")


@pytest.fixture
def project(studio, played):
    return studio.create(played, "song.backbeat")
