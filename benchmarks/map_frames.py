"""How smoothly a map moves: milliseconds between frames, and for drawing one, in Chromium.

pip install playwright
python benchmarks/map_frames.py MAP.html [--seconds 5] [--chromium /usr/bin/chromium]
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("map", type=Path)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(options.map.resolve().as_uri())
        page.wait_for_function("map.ready", timeout=60_000)
        points = page.evaluate("head.points")
        figures = page.evaluate(f"measureFrames({1000 * options.seconds})")
        browser.close()
    if options.json:
        print(json.dumps({"points": points, **figures}))
        return
    print(f"{points:,} points, {figures['frames']} frames in {options.seconds} s")
    print("| ms | median or mean | worst |\n|---|---|---|")
    print(f"| between frames | {figures['mean']:.1f} | {figures['worst']:.1f} |\n| drawing one | {figures['work']:.1f} | {figures['worst_work']:.1f} |")


if __name__ == "__main__":
    main()
