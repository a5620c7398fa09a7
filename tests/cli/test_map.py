import json

import pytest


@pytest.fixture
def table(run, tmp_path):
    path = tmp_path / "some.tsv"
    assert run("patterns", "sample", "--model", "vae", "-n", 40, "-o", path).code == 0
    return path


@pytest.mark.slow
def test_a_table_becomes_a_page_and_its_places_are_kept(run, table, tmp_path):
    pytest.importorskip("openTSNE", reason="needs openTSNE: pip install 'backbeat[report]'")
    placed = tmp_path / "placed.tsv"
    first = run("map", table, "-o", tmp_path / "map.html", "--generated", 5, "--table", placed, "--json")
    assert first.code == 0, first.err
    told = json.loads(first.out)
    assert told["patterns"] == 40 and told["generated"] == 5 and (tmp_path / "map.html").stat().st_size > 25_000
    again = run("map", placed, "-o", tmp_path / "map.svg", "--places", "--generated", 0)
    assert again.code == 0 and "40 patterns" in again.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("-o", "map.pdf"), "a map is written as .html, .png or .svg"), (("-o", "map.html", "--places"), "the table has no places")],
)
def test_what_cannot_be_is_one_line(run, table, tmp_path, arguments, message):
    path, *rest = arguments[1:]
    result = run("map", table, "-o", tmp_path / path, *rest)
    assert result.code == 1 and message in result.err and len(result.err.splitlines()) == 1


def test_the_table_is_not_written_over_itself_and_perplexity_is_a_number(run, table, tmp_path):
    before = table.read_bytes()
    for arguments, message in ((("--table", table), "is the input"), (("--perplexity", "nan"), "--perplexity nan")):
        result = run("map", table, "-o", tmp_path / "map.html", *arguments)
        assert result.code == 1 and message in result.err and len(result.err.splitlines()) == 1
    assert table.read_bytes() == before
