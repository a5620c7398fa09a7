"""What a person does at the page: drop, press, click into the grid."""

import base64
import time

from tests.studio.browser.hearing import record

DROP = """([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name));
  const target = document.querySelector("[data-testid=drop-zone], [data-testid=studio]") ?? document.body;
  for (const kind of ["dragenter", "dragover", "drop"]) target.dispatchEvent(new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: data}));
}"""


class Desk:
    """A page of the studio."""

    def __init__(self, page, studio):
        self.page, self.studio = page, studio

    def find(self, name):
        return self.page.locator(f"[data-testid='{name}']")

    def press(self, name):
        self.find(name).click()

    def key(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def drop(self, data, name="song.mid"):
        self.find("drop-zone").wait_for()
        self.page.evaluate(DROP, [name, base64.b64encode(data).decode()])
        self.find("studio").wait_for()

    @property
    def id(self):
        self.find("studio").wait_for()
        return self.find("studio").get_attribute("data-project")

    @property
    def hits(self):
        return int(self.find("grid").get_attribute("data-hits"))

    @property
    def groove(self):
        return self.find("grid").get_attribute("data-groove")

    def wait(self, what, seconds=20):
        """Until ``what()`` is true."""
        end = time.monotonic() + seconds
        while not (value := what()):
            if time.monotonic() > end:
                raise AssertionError("what was waited for did not come")
            self.page.wait_for_timeout(25)
        return value

    def settle(self):
        """Until the page shows what the server has."""
        self.wait(lambda: self.studio.state(self.id)["revision"] == int(self.find("studio").get_attribute("data-revision")))
        state = self.studio.state(self.id)
        if state["takes"]:
            self.wait(lambda: self.groove == state["takes"][state["take"]]["groove"])
        return state

    def wait_for_drums(self, seconds=60):
        self.wait(lambda: self.find("grid").count() and self.hits > 0, seconds)
        return self.settle()

    def after(self, do, seconds=30):
        """Do something, and wait until the project has moved on; the new state."""
        before = self.studio.state(self.id)["revision"]
        do()
        self.wait(lambda: self.studio.state(self.id)["revision"] != before, seconds)
        return self.settle()

    def place_of(self, step, name):
        """The middle of a cell on the screen, scrolled to."""
        grid, row = self.find("grid"), self.page.locator(f"[data-testid=row][data-class={name}]")
        width = float(grid.get_attribute("data-step-width"))
        left = grid.evaluate(
            "(e, x) => { if (x < e.scrollLeft || x > e.scrollLeft + e.clientWidth - 40) e.scrollLeft = x - 60; return e.scrollLeft; }", step * width
        )
        row.scroll_into_view_if_needed()
        box, line = grid.bounding_box(), row.bounding_box()
        return box["x"] + (step + 0.5) * width - left, line["y"] + line["height"] / 2

    def click_cell(self, step, name):
        self.page.mouse.click(*self.place_of(step, name))

    def choose_bars(self, first, last, steps=16):
        """Drag over the ruler."""
        grid = self.find("grid")
        width, box = float(grid.get_attribute("data-step-width")), grid.bounding_box()
        left = grid.evaluate("(e, x) => (e.scrollLeft = x)", first * steps * width - 10)
        left = grid.evaluate("e => e.scrollLeft")
        x = [box["x"] + (bar * steps + steps / 2) * width - left for bar in (first, last)]
        self.page.mouse.move(x[0], box["y"] + 12)
        self.page.mouse.down()
        self.page.mouse.move(min(x[1], box["x"] + box["width"] - 4), box["y"] + 12, steps=4)
        self.page.mouse.up()

    def now(self):
        """Seconds of the audio context."""
        return self.page.evaluate("heard.context.currentTime")

    def play(self, seconds):
        """Press the button; what is heard from then on."""
        self.page.locator("[data-testid=play][data-ready=true]").wait_for()
        since = self.now()
        self.press("play")
        return self.listen(seconds, since)

    def listen(self, seconds, since=None):
        """What is heard in the next seconds, or in those from ``since`` on."""
        since = self.now() if since is None else since
        self.wait(lambda: self.now() > since + seconds + 0.1, seconds * 5 + 10)
        return record(self.page, since)
