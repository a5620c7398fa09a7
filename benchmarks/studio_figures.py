"""How long a musician waits in the studio, in Chromium: first sound, drums, redo, frames a second, memory. Prints a table.

Usage: python benchmarks/studio_figures.py [SONG.mid] [--bars 200] [--long 500] [--runs 3]
Needs Chromium, playwright and the weights that ship. Without a song one is made up: bass, piano and strings in 4/4 at 120 BPM.
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.studio.browser.conftest import FLAGS, HERE, make_song
from tests.studio.browser.running import Running, run_studio
from tests.studio.browser.working import DROP, Desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FIRST_SOUND = """() => {
  const heard = window.heard.blocks, push = heard.push.bind(heard);
  window.firstSound = null;
  heard.push = (block) => { if (window.firstSound === null && block[1].some((v) => Math.abs(v) > 1e-3)) window.firstSound = performance.now(); return push(block); };
}"""
SCROLL = """async (seconds) => {
  const grid = document.querySelector("[data-testid=grid]"), gaps = [];
  grid.scrollLeft = 0;
  let last = await new Promise(requestAnimationFrame);
  const end = last + seconds * 1000;
  while (last < end) {
    grid.scrollLeft += 60;
    if (grid.scrollLeft + grid.clientWidth >= grid.scrollWidth - 2) grid.scrollLeft = 0;
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  }
  gaps.sort((a, b) => a - b);
  return [gaps.length / seconds, gaps[Math.floor(gaps.length * 0.95)], gaps.filter((g) => g > 34).length / gaps.length];
}"""


def open_desk(browser: Browser, studio: Running, id_: str | None = None) -> Desk:
    page = browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 720}).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(path=HERE / "tap.js")
    page.goto(f"{studio.url}/#/p/{id_}" if id_ else studio.url)
    return Desk(page, studio)


def measure_drop(browser: Browser, studio: Running, song: bytes) -> tuple[str, float, float]:
    """The project of a dropped song, seconds from the drop to its first sound, and from the press on the button to drums in the grid."""
    desk = open_desk(browser, studio)
    desk.find("drop-zone").wait_for()
    desk.page.wait_for_timeout(2500)  # a page is open for a while before somebody drops a file
    desk.page.evaluate(FIRST_SOUND)
    start = desk.page.evaluate("performance.now()")
    desk.page.evaluate(DROP, ["song.mid", base64.b64encode(song).decode()])
    desk.press("play")
    desk.wait(lambda: desk.page.evaluate("window.firstSound") is not None)
    sound = (desk.page.evaluate("window.firstSound") - start) / 1000
    begin = time.perf_counter()
    desk.press("generate")
    desk.wait(lambda: desk.hits > 0, 120)
    drums = time.perf_counter() - begin
    id_ = desk.id
    desk.page.context.close()
    return id_, sound, drums


def measure_redo(desk: Desk, runs: int) -> tuple[list[float], float]:
    """Seconds from the press to the other drums in the grid, for four bars, and the server's processor seconds for one; the first run is for warming up."""
    waits, work = [], 0.0
    for run in range(runs + 1):
        desk.choose_bars(8 + 4 * run, 8 + 4 * run)
        desk.key(*["Shift+ArrowRight"] * 3)
        before, begin, worked = desk.groove, time.perf_counter(), read_work(desk.studio.process.pid)
        desk.press("redo")
        desk.wait(lambda before=before: desk.groove != before, 60)
        waits.append(time.perf_counter() - begin)
        work += (read_work(desk.studio.process.pid) - worked) * (run > 0)
    return waits[1:], work / runs


def read_work(pid: int) -> float:
    """Processor seconds that a process has used."""
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def read_memory(pid: int | str) -> float:
    """Resident MB of a process."""
    pages = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(pages.split()[1]) / 1024


def add_chromium() -> float:
    """Resident MB of all processes of Chromium, shared pages counted once for each."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if text.startswith("Name:\tchrom") and "VmRSS" in text:
            total += read_memory(status.parent.name)
    return total


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("song", nargs="?", type=Path)
    parser.add_argument("--bars", type=int, default=200)
    parser.add_argument("--long", type=int, default=500)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    song = args.song.read_bytes() if args.song else make_song(args.bars, 3)
    rows = []
    with tempfile.TemporaryDirectory() as home, run_studio(home) as studio, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        drops = [measure_drop(browser, studio, song) for _ in range(args.runs)]
        rows.append((f"{args.bars} bars: drop to first sound, s", statistics.median(d[1] for d in drops), "< 2"))
        rows.append(("  the worst of them", max(d[1] for d in drops), "< 2"))
        rows.append((f"{args.bars} bars: generate to drums (three takes), s", statistics.median(d[2] for d in drops), ""))
        desk = open_desk(browser, studio, drops[0][0])
        desk.wait_for_drums(120)
        redos, work = measure_redo(desk, args.runs + 2)
        rows.append(("redo of 4 bars, s", statistics.median(redos), "< 1"))
        rows.append(("  the worst of them", max(redos), "< 1"))
        rows.append(("  the server's processor time for one, s", work, ""))
        desk.page.context.close()
        long = studio.create(make_song(args.long, 3))
        studio.act(long, type="generate", takes=1)
        desk = open_desk(browser, studio, long)
        desk.wait_for_drums(120)
        rate, late, skipped = desk.page.evaluate(SCROLL, 4)
        rows.append((f"{args.long} bars: frames a second, scrolling", rate, "60"))
        rows.append(("  95th percentile between frames, ms", late, "17"))
        rows.append(("  frames that take two or more, %", 100 * skipped, ""))
        desk.key("f")
        desk.press("play")
        rate, late, skipped = desk.page.evaluate(SCROLL, 4)
        rows.append((f"{args.long} bars: frames a second, scrolling and playing", rate, "60"))
        rows.append(("page: JavaScript heap, MB", desk.page.evaluate("performance.memory.usedJSHeapSize / 1e6"), ""))
        rows.append(("Chromium: all its processes, MB", add_chromium(), ""))
        rows.append(("server, MB", read_memory(studio.process.pid), ""))
        browser.close()
    print(f"| {'in Chromium, 1280 x 720':55} | {'measured':>9} | {'aim':>5} |\n|{'-' * 57}|{'-' * 10}:|{'-' * 6}:|")
    for name, value, aim in rows:
        print(f"| {name:55} | {value:9.2f} | {aim:>5} |")


if __name__ == "__main__":
    main()
