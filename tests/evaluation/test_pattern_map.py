import io
import shutil

import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.evaluation.pattern_map import PatternMap, draw_map, measure_map, place_among, place_points, write_map
from backbeat.midi import parse_song
from backbeat.models.pattern_space import open_pattern_space
from tests.evaluation.pages import Page

GENRES = ("rock", "metal", "jazz")


@pytest.fixture(scope="module")
def drawn() -> PatternMap:
    """90 patterns of three genres that lie apart, and 10 generated ones."""
    model, rng = open_pattern_space("vae"), np.random.default_rng(0)
    patterns = model.sample(100, rng)[0]
    places = np.concatenate([rng.normal(10 * k, 1, (30, 2)) for k in range(3)] + [rng.normal(10, 1, (10, 2))]).astype(np.float32)
    genres = (*("rock",) * 30, *("metal",) * 30, *("jazz",) * 30, *("",) * 10)
    return PatternMap(patterns, model.encode(patterns), places, genres, 10, model)


def test_genres_that_lie_apart_are_pure_and_shuffled_ones_are_not(drawn):
    figures = measure_map(drawn.places[:90], drawn.genres[:90])
    assert figures["purity"] > 0.95 and abs(figures["purity, shuffled"] - 1 / 3) < 0.06
    assert figures["genres"] == sorted(GENRES) and figures["of each"] == 30
    assert figures["distance, related"] < figures["distance, unrelated"], "rock lies beside metal"
    mixed = np.random.default_rng(1).permutation(90)
    assert abs(measure_map(drawn.places[mixed], drawn.genres[:90])["purity"] - 1 / 3) < 0.1


def test_genres_that_are_too_few_have_no_figures(drawn):
    assert measure_map(drawn.places, ("",) * 100) == {}
    assert measure_map(drawn.places[:40], drawn.genres[:40]) == {}, "ten of a genre are too few"


@pytest.mark.slow
def test_points_that_lie_together_are_placed_together():
    pytest.importorskip("openTSNE", reason="needs openTSNE: pip install 'backbeat[report]'")
    rng = np.random.default_rng(2)
    latents = np.concatenate([rng.normal(20 * k, 1, (30, 4)) for k in range(2)]).astype(np.float32)
    places, added = place_points(latents, latents[:2], seed=1)
    again, _ = place_points(latents, latents[:0], seed=1)
    assert np.array_equal(places, again), "the seed decides"
    centres = places[:30].mean(axis=0), places[30:].mean(axis=0)
    assert np.linalg.norm(centres[0] - centres[1]) > 3 * places[:30].std()
    assert all(np.linalg.norm(p - centres[0]) < np.linalg.norm(p - centres[1]) for p in added)
    with pytest.raises(InputError, match="at least 12 patterns, not 5"):
        place_points(latents[:5], latents[:0])


def test_a_point_is_placed_beside_its_nearest():
    latents, places = np.eye(3, dtype=np.float32), np.arange(6, dtype=np.float32).reshape(3, 2)
    assert place_among(latents, places, np.array([[0, 0.9, 0], [0, 0, 2]], np.float32)).tolist() == [[2, 3], [4, 5]]


def test_the_page_is_whole_and_loads_nothing(drawn):
    page = Page(write_map(drawn, measure_map(drawn.places, drawn.genres), "A <map> & more"))
    assert not page.faults and not page.list_loaded() and not page.list_doubled_ids()
    assert "http" not in "".join(page.text).replace("http-equiv", "")
    assert "A <map> & more" in "".join(page.text)


@pytest.mark.parametrize(("name", "begins"), [("map.png", b"\x89PNG"), ("map.svg", b"<?xml")])
def test_pictures(drawn, name, begins):
    assert draw_map(drawn, name).startswith(begins)


@pytest.fixture(scope="module")
def page(drawn, tmp_path_factory):
    """The map in Chromium."""
    sync = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("needs Chromium")
    path = tmp_path_factory.mktemp("map") / "map.html"
    path.write_text(write_map(drawn, {}), encoding="utf-8")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--autoplay-policy=no-user-gesture-required", "--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1000, "height": 700})
        faults = []
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.goto(path.as_uri())
        opened.wait_for_function("map.ready", timeout=30_000)
        yield opened
        browser.close()
    assert not faults


def point_at(page, index):
    return page.evaluate(
        f"(() => {{ const p = placeOf({index}), r = stage.getBoundingClientRect(); return [r.left + p[0] / ratio, r.top + p[1] / ratio]; }})()"
    )


@pytest.mark.slow
def test_what_the_page_shows_is_what_was_drawn(page, drawn):
    assert page.evaluate("Array.from(patternOf(7))") == drawn.patterns[7].tolist()
    assert drawn.model.layers, "the page has a decoder"
    decoded = page.evaluate("Array.from({length: 100}, (_, i) => Array.from(decode(latentOf(i))))")
    assert np.array_equal(decoded, drawn.model.decode(drawn.latents)), "the page's decoder is the model's"


@pytest.mark.slow
def test_pointing_tells_and_a_click_plays(page):
    x, y = point_at(page, 3)
    page.mouse.move(x, y)
    page.wait_for_function("document.getElementById('told').textContent.includes('rock')")
    page.mouse.click(x, y)
    page.wait_for_function("sound.heard > 0")
    loud = "new Promise(done => { const d = new Float32Array(2048); let n = 0, m = 0; const t = setInterval(() => { sound.meter.getFloatTimeDomainData(d); for (const v of d) m = Math.max(m, Math.abs(v)); if (++n > 40) { clearInterval(t); done(m); } }, 25); })"
    assert page.evaluate(loud) > 0.05, "it can be heard"
    page.keyboard.press(" ")
    assert page.evaluate("sound.playing.length") == 0


@pytest.mark.slow
def test_a_drag_goes_the_way_between_two_patterns(page, drawn):
    page.keyboard.press("w")
    (x, y), (to_x, to_y) = point_at(page, 0), point_at(page, 70)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(to_x, to_y, steps=4)
    page.mouse.up()
    way = page.evaluate("view.way.stations.map(s => Array.from(s.pattern))")
    ends = page.evaluate("[view.way.from, view.way.to]")
    assert len(way) >= 2 and way[0] == drawn.patterns[ends[0]].tolist() and way[-1] == drawn.patterns[ends[1]].tolist()
    page.keyboard.press("Escape")


@pytest.mark.slow
def test_a_lasso_exports_what_it_holds(page, drawn, tmp_path):
    page.keyboard.press("l")
    corners = page.evaluate(
        "(() => { const b = [...Array(30).keys()].map(placeOf), r = stage.getBoundingClientRect(), xs = b.map(p => p[0] / ratio + r.left), ys = b.map(p => p[1] / ratio + r.top);"
        " return [Math.min(...xs) - 5, Math.min(...ys) - 5, Math.max(...xs) + 5, Math.max(...ys) + 5]; })()"
    )
    left, top, right, bottom = corners
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        page.mouse.move(x, y, steps=3)
    page.mouse.up()
    chosen = page.evaluate("view.chosen")
    assert set(range(30)) <= set(chosen)
    with page.expect_download() as download:
        page.click("#save")
    download.value.save_as(tmp_path / "patterns.mid")
    song = parse_song((tmp_path / "patterns.mid").read_bytes())
    hits = sum(int(((drawn.patterns[chosen] >> k) & 1).sum()) for k in range(14))
    assert sum(len(p.notes) for p in song.drum_parts) == hits
    assert io.BytesIO((tmp_path / "patterns.mid").read_bytes()).read(4) == b"MThd"
