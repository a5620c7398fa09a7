"""Cells, locks, redo and undo: what the page does is what the project holds."""

from tests.studio.browser.conftest import make_song


def find_class(studio, name):
    return [c["name"] for c in studio.ask("/about")["kit"]["classes"]].index(name)


def hit_at(studio, id_, step, name):
    cls = find_class(studio, name)
    return next((row for rows in studio.groove(id_).values() for row in rows if row[:2] == [step, cls]), None)


def test_a_click_sets_a_hit_and_takes_it_away(open_desk, studio, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    before = studio.groove(project)
    had = hit_at(studio, project, 19, "snare")
    desk.after(lambda: desk.click_cell(19, "snare"))
    assert (hit_at(studio, project, 19, "snare") is None) == (had is not None)
    desk.after(lambda: desk.press("undo"))
    assert studio.groove(project) == before
    desk.after(lambda: desk.press("redo-state"))
    assert (hit_at(studio, project, 19, "snare") is None) == (had is not None)
    x, y = desk.place_of(20, "kick")
    if hit_at(studio, project, 20, "kick") is None:
        desk.after(lambda: desk.click_cell(20, "kick"))
    loud = hit_at(studio, project, 20, "kick")[2]

    def drag():
        desk.page.mouse.move(x, y)
        desk.page.mouse.down()
        desk.page.mouse.move(x, y + (20 if loud > 64 else -20), steps=5)
        desk.page.mouse.up()

    desk.after(drag)
    assert abs(hit_at(studio, project, 20, "kick")[2] - loud) > 8, "dragging changes its velocity"


def test_locked_cells_survive_a_redo_byte_for_byte(open_desk, studio, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    before = studio.groove(project)
    desk.choose_bars(1, 1)
    state = desk.after(lambda: desk.press("lock"))
    assert set(state["locks"]) == {"1"} and "kick" in state["locks"]["1"]
    desk.choose_bars(0, 3)
    desk.after(lambda: desk.press("redo"))
    after = studio.groove(project)
    assert after.get(1) == before.get(1), "the locked bar"
    assert {bar: rows for bar, rows in after.items() if bar > 3} == {bar: rows for bar, rows in before.items() if bar > 3}, "and what was not chosen"
    assert any(after.get(bar) != before.get(bar) for bar in (0, 2, 3)), "the others are new"
    desk.click_cell(16, "snare")
    assert "locked" in desk.find("message").inner_text()
    assert studio.groove(project) == after
    for _ in range(2):
        desk.after(lambda: desk.press("undo"))
    assert studio.groove(project) == before and studio.state(project)["locks"] == {}


def test_every_state_can_be_reached_again(open_desk, studio, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    seen = {}
    for step in (3, 5, 7):
        state = desk.after(lambda step=step: desk.click_cell(step, "snare"))
        seen[state["entry"]] = studio.groove(project)
    desk.press("history-tab")
    desk.find("entry").first.wait_for()
    for entry in list(seen)[:2]:
        desk.after(lambda entry=entry: desk.page.locator(f"[data-testid=entry][data-entry='{entry}']").click())
        assert studio.groove(project) == seen[entry]


def test_the_history_shows_where_one_is(open_desk, studio, project):
    first = studio.state(project)["entry"]
    for step in range(30):
        studio.act(project, type="edit", cells=[{"step": step, "class": "cowbell", "velocity": 60}])
    studio.ask(f"/projects/{project}/goto", {"revision": None, "entry": first})
    desk = open_desk(project)
    desk.wait_for_drums()
    desk.press("history-tab")
    desk.find("entry").first.wait_for()
    here = desk.page.locator("[data-testid=entry][aria-current=step]")
    desk.wait(lambda: here.count() == 1 and here.evaluate(IN_VIEW))
    assert "Edit bar 2: cowbell" in desk.find("history").inner_text()


IN_VIEW = """(e) => {
  const [a, b] = [e.getBoundingClientRect(), e.closest("ol").getBoundingClientRect()];
  return a.top >= b.top - 1 && a.bottom <= b.bottom + 1;
}"""


def test_the_keyboard_alone(open_desk, studio, song):
    id_ = studio.create(song)
    desk = open_desk(id_)
    desk.find("grid").wait_for()
    desk.key("g")
    state = desk.wait_for_drums()
    desk.after(lambda: desk.key("2"))
    assert studio.state(id_)["take"] == 1 and len(state["takes"]) == 3
    desk.key("ArrowDown")  # the focus is at the beginning, on the snare
    step, name = desk.find("grid").get_attribute("data-focus").split(",")
    desk.key("PageDown", "ArrowRight")
    had = hit_at(studio, id_, 17, name)
    desk.after(lambda: desk.key("Enter"))
    assert step == "0" and (hit_at(studio, id_, 17, name) is None) == (had is not None)
    desk.after(lambda: desk.key("Control+z"))
    assert hit_at(studio, id_, 17, name) == had
    desk.key("b")
    desk.after(lambda: desk.key("l"))
    assert list(studio.state(id_)["locks"]) == ["1"]
    desk.key("Control+a")
    before = studio.groove(id_)
    desk.after(lambda: desk.key("r"), 60)
    assert studio.groove(id_)[1] == before[1] and studio.groove(id_) != before
    desk.key(" ")
    desk.wait(lambda: desk.find("play").get_attribute("aria-label") == "Pause")
    desk.key(" ")
    desk.key("?")
    desk.find("help-dialog").wait_for()
    desk.key("Escape")
    desk.find("help-dialog").wait_for(state="detached")


def test_controls_reach_every_button_by_tab(open_desk, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    names = set()
    for _ in range(150):
        desk.key("Tab")
        names.add(desk.page.evaluate("document.activeElement?.dataset?.testid ?? document.activeElement?.closest('[data-testid]')?.dataset.testid ?? ''"))
    assert {"play", "undo", "downloads", "take-0", "grid", "generate", "set-style", "set-density", "volume"} <= names


def test_long_work_shows_progress_and_can_be_cancelled(open_desk, studio):
    long = studio.create(make_song(bars=150, parts=3), "long.mid")
    desk = open_desk(long)
    desk.find("grid").wait_for()
    desk.press("generate")
    desk.find("job").wait_for()
    desk.press("cancel")
    desk.find("job").wait_for(state="detached")
    assert studio.state(long)["takes"] == [] and desk.hits == 0
