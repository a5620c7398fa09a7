"""Sizes, names and contrast; and that the page keeps to its own rules about what it loads."""

from pathlib import Path

import pytest

AXE = Path(__file__).parents[3] / "web" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = [(1280, 720), (1024, 768), (820, 1180), (1920, 1080)]
NAMELESS = """() => [...document.querySelectorAll("button, a[href], input, select, textarea, [role=button], [role=slider], [tabindex='0']")]
  .filter((e) => e.offsetParent !== null && e.type !== "hidden")
  .filter((e) => !(e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.labels?.length || e.innerText?.trim() || e.title))
  .map((e) => e.outerHTML.slice(0, 120))"""
ASK_AXE = """() => axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations.filter((v) => ["serious", "critical"].includes(v.impact))
  .map((v) => [v.id, ...v.nodes.slice(0, 4).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message ?? ""))]))"""


@pytest.mark.parametrize("touch", [False, True], ids=["mouse", "touch"])
def test_it_fits(open_desk, project, touch):
    desk = open_desk(project, has_touch=touch)
    desk.wait_for_drums()
    for size in SIZES:
        desk.page.set_viewport_size({"width": size[0], "height": size[1]})
        desk.page.wait_for_timeout(100)
        for name in ("play", "undo", "generate", "downloads", "take-2"):
            desk.find(name).scroll_into_view_if_needed()
            box = desk.find(name).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= size[0] + 0.5, (size, name)
        wide = desk.page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]")
        assert max(wide) <= size[0], f"nothing sticks out at {size}"
        grid = desk.find("grid").bounding_box()
        assert grid["width"] > size[0] * 0.4 and grid["height"] > 200, f"the grid has most of the room at {size}"


def check_access(desk):
    assert desk.page.evaluate(NAMELESS) == []
    if AXE.is_file():
        desk.page.evaluate(f"() => {{ if (!window.axe) {{ {AXE.read_text()} }} }}")
        assert desk.page.evaluate(ASK_AXE) == []


def test_everything_has_a_name_and_can_be_read(open_desk, project):
    desk = open_desk()
    desk.find("drop-zone").wait_for()
    check_access(desk)
    desk.page.goto(f"{desk.studio.url}/#/p/{project}")
    desk.wait_for_drums()
    check_access(desk)
    desk.choose_bars(1, 2)
    for name in ("scope-bars", "history-tab", "downloads", "help"):
        desk.press(name)
        desk.page.wait_for_timeout(200)  # nothing is half faded in
        check_access(desk)
    if not AXE.is_file():
        pytest.skip("names are checked; contrast and roles need axe-core: npm ci in web/")


def test_the_page_keeps_its_own_policy(open_desk, project):
    desk = open_desk(project, listening=False)
    told = []
    desk.page.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    desk.page.reload()
    desk.wait_for_drums()
    desk.press("play")
    desk.wait(lambda: desk.find("position").inner_text().strip()[:1] not in ("", "1"), 10)
    assert told == []
