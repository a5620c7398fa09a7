"""Makes the pictures of the studio in the documentation, in Chromium, from an example song.

Usage: python benchmarks/studio_screenshots.py [--out docs/images]
Needs Chromium, playwright and the weights that ship.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.studio.browser.conftest import FLAGS  # noqa: E402
from tests.studio.browser.running import Running, run_studio  # noqa: E402
from tests.studio.browser.working import Desk  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SONG = ROOT / "examples" / "song.mid"


class Camera:
    """Takes pictures of one project."""

    def __init__(self, browser: Browser, studio: Running, folder: Path) -> None:
        self.browser, self.studio, self.folder = browser, studio, folder

    def open(self, id_: str | None, size: tuple[int, int] = (1280, 720), touch: bool = False) -> Desk:
        """A page."""
        page = self.browser.new_context(bypass_csp=True, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", has_touch=touch).new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{self.studio.url}/#/p/{id_}" if id_ else self.studio.url)
        desk = Desk(page, self.studio)
        if id_:
            desk.wait_for_drums(60)
            page.wait_for_timeout(400)  # the band's notes are drawn
        return desk

    def shoot(self, desk: Desk, name: str) -> None:
        """Into a file."""
        desk.page.mouse.move(2, 700)
        desk.page.wait_for_timeout(300)
        path = self.folder / f"studio-{name}.png"
        desk.page.screenshot(path=path)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def shoot_all(camera: Camera, id_: str) -> None:
    desk = camera.open(id_)
    desk.choose_bars(16, 16)
    desk.key("Shift+ArrowRight")
    desk.page.locator("[data-testid=row][data-class=kick] button").first.click()
    desk.after(lambda: desk.press("lock"))
    desk.press("loop-selection")
    desk.page.locator("[data-testid=row][data-class=kick] button").first.click()
    desk.find("scope-bars").click()
    camera.shoot(desk, "bar-17")
    desk.press("history-tab")
    desk.press("downloads")
    camera.shoot(desk, "downloads")
    tablet = camera.open(id_, (820, 1180), touch=True)
    camera.shoot(tablet, "tablet")
    start = camera.open(None)
    start.find("drop-zone").wait_for()
    camera.shoot(start, "start")


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, run_studio(home) as studio, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        id_ = studio.create(SONG.read_bytes(), "Evening song.mid")
        studio.act(id_, type="generate", takes=3, seed=1)
        shoot_all(Camera(browser, studio, args.out), id_)
        browser.close()


if __name__ == "__main__":
    main()
