"""What the page plays is what the grid shows."""

from collections import Counter

import numpy as np

from tests.studio.browser.hearing import match_onsets, record


def solo_one(desk, studio, bars=range(8)):
    """Solos the kit piece that is struck most often in some bars; the seconds of its hits there."""
    view, about = studio.ask(f"/projects/{desk.id}"), studio.ask("/about")
    rows = [row for bar, rows in studio.groove(desk.id).items() if bar in bars for row in rows]
    cls = Counter(row[1] for row in rows if row[2] > 40).most_common(1)[0][0]
    desk.page.get_by_role("button", name=f"Solo {about['kit']['classes'][cls]['label']}", exact=True).click()
    seconds = np.array(view["song"]["step_seconds"])
    return np.array(sorted(np.interp(step + offset, np.arange(len(seconds)), seconds) for step, c, _, offset in rows if c == cls))


def check_near(off, share=0.9):
    near = np.abs(off) <= 0.015
    assert near.mean() >= share, f"{near.sum()} of {len(off)} are heard at their time: {np.round(off * 1000)} ms"


def mute_the_band(desk):
    for part in desk.find("part").all():
        part.get_by_role("button", name="Mute").click()


def test_dropped_generated_and_heard(open_desk, studio, song):
    desk = open_desk()
    desk.drop(song)
    desk.press("generate")
    state = desk.wait_for_drums()
    assert len(state["takes"]) == 3 and desk.hits == sum(map(len, studio.groove(desk.id).values()))
    times = solo_one(desk, studio, range(3))
    heard = desk.play(6)
    assert heard.loudness > 0.002, "it is not silent"
    _, off = match_onsets(heard, times[times < 5], (0, 0.5))  # at once
    check_near(off)


def test_the_cursor_is_where_the_sound_is(open_desk, studio, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    times = solo_one(desk, studio, range(2))
    heard = desk.play(4.5)
    moving = desk.page.evaluate(
        """async () => {
          const grid = document.querySelector("[data-testid=grid]"), cursor = document.querySelector("[data-testid=cursor]");
          await new Promise(requestAnimationFrame);
          const x = new DOMMatrix(getComputedStyle(cursor).transform).m41 + grid.scrollLeft;
          return [x / Number(grid.dataset.stepWidth) - 0.5, heard.context.currentTime - heard.context.outputLatency];
        }"""
    )
    shown = moving[0] * 0.125  # a sixteenth at 120
    expected = moving[1] - shown - heard.start
    begin, _ = match_onsets(heard, times[times < 3.9], (expected - 0.4, expected + 0.4))
    assert abs(begin - expected) < 0.04, "the cursor stands less than 40 ms beside the sound"


def test_mute_and_solo(open_desk, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    everything = desk.play(1.2)
    mute_the_band(desk)
    drums = desk.listen(1.2)
    desk.page.get_by_role("button", name="Solo Kick").click()
    low = desk.listen(1.2)
    desk.page.get_by_role("button", name="Mute Kick").click()
    desk.listen(0.6)
    nothing = desk.listen(0.6)
    assert everything.loudness > 0.01 and drums.loudness > 0.003 and low.loudness > 0.003
    bright = [np.mean(np.diff(r.samples) ** 2) / np.mean(r.samples**2) for r in (drums, low)]
    assert bright[1] < bright[0] / 3, "the kick alone is dark"
    assert nothing.loudness < 1e-3


def test_takes_switch_while_it_plays(open_desk, project):
    desk = open_desk(project)
    state = desk.wait_for_drums()
    since = desk.play(1).start
    for index in (1, 2, 0):
        desk.after(lambda index=index: desk.key(str(index + 1)))
        assert desk.groove == state["takes"][index]["groove"]
        desk.listen(0.4)
    assert desk.find("play").get_attribute("aria-label") == "Pause", "it plays on"
    assert record(desk.page, since + 0.3).longest_silence() < 0.3, "without a gap"
    desk.key(" ")
    desk.listen(0.3)
    assert desk.listen(0.5).loudness < 1e-4, "nothing hangs"


def test_a_loop_repeats_and_the_count_in_counts(open_desk, studio, project):
    desk = open_desk(project)
    desk.wait_for_drums()
    times = solo_one(desk, studio, [2]) - 4  # a bar is two seconds
    desk.choose_bars(2, 2)
    desk.key("o", "Home", "c")
    heard = desk.play(6.3)
    count = heard.samples[: int(1.9 * heard.rate)]
    assert np.abs(count).max() > 0.05, "the count-in is heard"
    passes = np.concatenate([times[times >= 0] + 2 * k for k in range(2)])
    _, off = match_onsets(heard, passes, (1.9, 2.3))
    check_near(off, 0.7)  # few hits, and a click that rings beside the first
    desk.key("c")
