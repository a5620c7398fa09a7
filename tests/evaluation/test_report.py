import base64
import io
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from backbeat.errors import MissingExtraError, OutputError
from backbeat.evaluation.report import build_page, write_report
from backbeat.evaluation.report_html import write_number, write_table
from backbeat.evaluation.results import REAL, Result
from tests.evaluation.fabricate import HOSTILE, make_report
from tests.evaluation.pages import Page

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return make_report(tmp_path_factory.mktemp("songs"))


@pytest.fixture(scope="module")
def text(report):
    return build_page(report, sound=False)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_page_is_sound_html(page):
    assert not page.faults
    assert not page.list_doubled_ids()


def test_the_page_loads_nothing(page, text):
    assert page.list_loaded() == []
    assert not page.find("script") and not page.find("link") and not page.find("iframe")
    style = " ".join(re.findall(r"<style.*?</style>|style=\"[^\"]*\"", text, re.DOTALL))
    assert "@import" not in style and not re.search(r"url\((?!#)", style)
    policy = page.find("meta")[2]["content"]
    assert policy.startswith("default-src 'none'")


def test_references_within_the_page_lead_somewhere(page, text):
    ids = {a["id"] for _, a in page.tags if "id" in a}
    inner = {v[1:] for _, a in page.tags for k, v in a.items() if k in ("href", "xlink:href") and v.startswith("#")}
    assert inner | set(re.findall(r"url\(#([^)]+)\)", text)) <= ids
    assert {"tables", "classes", "features", "calibration", "pieces", "songs", "rejected"} <= inner


def test_hostile_names_are_text(page, text):
    assert "<script>alert" not in text
    assert HOSTILE in "".join(page.text)
    assert "broken <b>song</b>" in "".join(page.text)


def test_six_songs_have_their_grids_real_above_played(page, report):
    labels = [a["aria-label"] for a in page.find("svg") if ", bars " in a["aria-label"]]
    assert len(labels) >= 12
    assert all(labels[i].startswith(REAL) and labels[i + 1].startswith("drummer") for i in range(0, len(labels), 2))
    headings = re.findall(r"(?:Worst|Best) \d: (.+)", "\n".join(page.text))
    assert sorted(headings) == sorted(r.case.piece.name for r in report.results)
    assert headings[0] == "song 5" and headings[3] == HOSTILE


def test_every_drawing_says_what_it_shows(page):
    drawings = page.find("svg")
    assert len(drawings) >= 16
    assert all(a["role"] == "img" and len(a["aria-label"]) > 20 for a in drawings)


def test_both_calibrations_are_drawn(page):
    labels = [a["aria-label"] for a in page.find("svg")]
    assert any("Expected calibration error: drummer" in a and "cache 0.1" in a for a in labels)
    assert any("Mean gap: drummer" in a and "rock loop" in a for a in labels)


def test_the_headline_says_the_models_and_the_floors_bits(page, report):
    rows = {row["model"]: row["bits_per_onset"] for row in report.tables["likelihood, whole song"]}
    said = "".join(page.text)
    assert f"drummer needs {rows['drummer']:.3f} bits per onset, the best floor (cache) {rows['cache']:.3f}." in said
    assert "Context of the likelihoods: whole songs." in said and "songs:validation" in said


def test_the_same_report_gives_the_same_bytes(report, text, tmp_path):
    path = write_report(report, tmp_path / "new" / "folder", sound=False)
    assert path.name == "index.html" and path.read_text(encoding="utf-8") == text


def test_the_sound_is_there_and_not_silent(report):
    results = [Result(r.case, r.log2_p, {n: r.hits[n] for n in (REAL, "drummer")}) for r in report.results[:2]]
    page = Page(build_page(replace(report, results=results), songs=1))
    sources = [a["src"] for a in page.find("audio")]
    assert len(sources) == 4 and len(set(sources)) == 4
    for source in sources:
        kind, data = source.split(",")
        assert kind == "data:audio/mpeg;base64"
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data)))
        assert 5 * rate < len(samples) <= 20 * rate and np.abs(samples).max() > 0.05
    assert not page.faults and page.list_loaded() == []


def test_a_song_whose_file_is_gone_is_drawn_and_the_reason_told(report):
    result = report.results[0]
    gone = replace(result, case=replace(result.case, source=replace(result.case.source, path="gone.mid")))
    page = Page(build_page(replace(report, results=[Result(gone.case, gone.log2_p)])))
    assert "No sound: gone.mid: cannot be read" in "".join(page.text)
    assert not page.find("audio") and any(", bars " in a["aria-label"] for a in page.find("svg"))


@pytest.mark.parametrize("kept", ["likelihoods", "hits", "nothing"])
def test_a_model_that_cannot_do_everything_has_a_shorter_page(report, kept):
    by_likelihood = kept == "likelihoods"
    results = [Result(r.case, r.log2_p if by_likelihood else {}, {REAL: r.hits[REAL]} if by_likelihood else r.hits) for r in report.results[:2]]
    page = Page(build_page(replace(report, results=[] if kept == "nothing" else results, tables={}), sound=False))
    sections = [a["id"] for a in page.find("section")]
    assert not page.faults
    assert (
        sections
        == {
            "likelihoods": ["pieces", "songs", "rejected"],
            "hits": ["classes", "features", "calibration", "songs", "rejected"],
            "nothing": ["rejected"],
        }[kept]
    )


def test_names_that_matplotlib_would_read_as_formulas_stay_text(report):
    name = r"5 $\frac floor_ <i>"
    results = [Result(r.case, {"drummer": r.log2_p["drummer"], name: r.log2_p["cache"]}, {**r.hits, name: r.hits["drummer"]}) for r in report.results]
    page = Page(build_page(replace(report, results=results), sound=False))
    assert not page.faults and name in "".join(page.text)


def test_a_piece_with_no_drums_does_not_stop_the_page(report):
    result = report.results[0]
    piece = replace(result.case.piece, words=np.zeros_like(result.case.piece.words))
    silent = Result(replace(result.case, piece=piece), result.log2_p, {n: np.zeros_like(h) for n, h in result.hits.items()})
    page = Page(build_page(replace(report, results=[silent, report.results[1]]), sound=False))
    assert not page.faults


def test_without_matplotlib_the_install_line_is_told(report, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"needs matplotlib.*backbeat\[report\]"):
        build_page(report, sound=False)


def test_a_folder_that_cannot_be_made_is_told(report, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        write_report(report, tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.12345, "0.123"), (3.0, "3"), (12345.0, "12,345"), (float("nan"), "–"), (float("inf"), "∞"), (1e-5, "1.0e-05"), ("<b>", "&lt;b&gt;"), (None, "–")],
)
def test_numbers_are_written_for_people(value, written):
    assert write_number(value) == written


def test_a_column_of_fractions_has_decimals_throughout():
    page = Page(write_table([{"model": "a", "x": 1.0, "n": 7.0}, {"model": "b", "x": 0.5, "n": 12.0}], "caption"))
    assert [t for t in page.text if t.strip()][-6:] == ["a", "1.000", "7", "b", "0.500", "12"]


def test_tasks_are_kept_apart(page):
    bars = next(a["aria-label"] for a in page.find("svg") if a["aria-label"].startswith("Bar chart"))
    assert "rock loop" in bars and "history" not in bars
    assert "with history" in "".join(page.text)


def test_a_table_marks_the_model_and_leaves_missing_cells_empty():
    rows = [{"model": "a", "x": 1}, {"model": "ours", "<y>": 2}]
    page = Page(write_table(rows, "caption", ours="ours"))
    assert [a.get("class") for a in page.find("tr")] == [None, None, "ours"]
    assert page.text.count("1") == 1 and "<y>" in page.text and not page.faults
