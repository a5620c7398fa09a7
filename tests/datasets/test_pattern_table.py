"""Tables of patterns: round trips, the published form, and what is no table."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.datasets import list_sources
from backbeat.datasets.drum_space import read_patterns
from backbeat.datasets.pattern_table import PatternTable, encode_table, list_table, read_table, write_table
from backbeat.errors import InputError, OutputError
from backbeat.midi import parse_song
from tests.datasets.here import find_data

ROW = ",".join(["1", "0", "4", "0"] * 8)


def make_table(n, dimensions, rng):
    return PatternTable(
        rng.integers(0, 1 << 14, (n, 32)).astype(np.uint16),
        rng.normal(size=(n, dimensions)).astype(np.float32) if dimensions else None,
        rng.normal(size=(n, 2)).astype(np.float32) if dimensions else None,
        tuple(rng.choice(["rock", "", "hip hop"], n).tolist()),
        tuple(f"folder/söng {i}.mid" for i in range(n)),
        rng.integers(1, 99, n),
        rng.integers(1, 99, n),
    )


@given(st.integers(1, 5), st.sampled_from([0, 4, 64]), st.integers(0, 99))
def test_what_is_written_is_read(tmp_path_factory, n, dimensions, seed):
    table, path = make_table(n, dimensions, np.random.default_rng(seed)), tmp_path_factory.mktemp("t") / "t.tsv"
    write_table(table, path)
    back = read_table(path)
    assert np.array_equal(back.patterns, table.patterns) and back.patterns.dtype == np.uint16
    for name in ("latents", "places"):
        ours, theirs = getattr(table, name), getattr(back, name)
        assert (ours is None and theirs is None) or np.allclose(ours, theirs, rtol=1e-5)
    assert back.pieces == table.pieces and back.genres in (table.genres, ())
    assert np.array_equal(back.files, table.files) and np.array_equal(back.repeats, table.repeats)
    assert encode_table(back) == path.read_bytes()


def test_the_original_reads_what_we_write(tmp_path):
    """Whatever splits a row at tabs finds the pattern, four floats and two floats where the published files have them."""
    table = make_table(3, 4, np.random.default_rng(0))
    for line, pattern, latent, place in zip(encode_table(table).decode().splitlines(), table.patterns, table.latents, table.places, strict=True):
        cells = line.split("\t")
        assert [int(x) for x in cells[0].split(",")] == pattern.tolist()
        assert [float(x) for x in cells[1].split(",")] == pytest.approx(latent.tolist(), rel=1e-5)
        assert [float(x) for x in cells[2].split(",")] == pytest.approx(place.tolist(), rel=1e-5)
    plain = PatternTable(table.patterns, table.latents, table.places)
    write_table(plain, tmp_path / "plain")
    patterns, latents, places = read_patterns(tmp_path / "plain")
    assert np.array_equal(patterns, table.patterns) and np.allclose(latents, table.latents) and np.allclose(places, table.places)


def test_columns_may_be_missing(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text(f"{ROW}\n{ROW}\n", encoding="ascii")
    table = read_table(path)
    assert len(table) == 2 and table.latents is None and table.genres == () and table.files is None
    path.write_text(f"{ROW}\t1,2,3,4\n", encoding="ascii")
    assert read_table(path).latents.tolist() == [[1, 2, 3, 4]]
    path.write_text(f"{ROW}\t\t\trock\n{ROW}\t\t\t\n", encoding="ascii")
    assert read_table(path).genres == ("rock", "") and read_table(path).places is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "not a table of patterns"),
        ([ROW, ROW + "\t1"], "all of them alike"),
        ([ROW + "\t" * 7], "rows of 1 to 7 columns"),
        ([ROW, "1,2"], "row 2, column 1: it needs 32"),
        (["16384,0"], "a pattern is 2-192 whole numbers"),
        (["1.5,0"], "a pattern is"),
        (["7"], "a pattern is"),
        (["x,0"], "column 1: could not convert"),
        ([ROW + "\t1,2", ROW + "\t1"], "row 2, column 2"),
        ([ROW + "\tnan,1"], "column 2 has a number that is not finite"),
        ([ROW + "\t1,2\t1"], "column 3: it needs 2"),
    ],
)
def test_what_is_no_table_is_refused(rows, message, tmp_path):
    (tmp_path / "t.tsv").write_text("\n".join(rows), encoding="ascii")
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "t.tsv")


def test_bytes_folders_and_missing_files_are_refused(tmp_path):
    (tmp_path / "t.tsv").write_bytes(b"\xff\x00")
    for path in (tmp_path / "t.tsv", tmp_path / "none.tsv", tmp_path):
        with pytest.raises(InputError, match="cannot be read as a table"):
            read_table(path)
    with pytest.raises(OutputError):
        write_table(PatternTable(np.zeros((1, 2), np.uint16)), tmp_path / "no" / "t.tsv")


def test_rows_can_be_chosen():
    table = make_table(5, 4, np.random.default_rng(0))
    some = table.choose(np.array([4, 1]))
    assert some.pieces == (table.pieces[4], table.pieces[1]) and np.array_equal(some.latents, table.latents[[4, 1]])
    assert len(table.choose(np.array([True, False, True, False, False]))) == 2


def test_rows_are_pieces(tmp_path):
    path = tmp_path / "t.tsv"
    write_table(PatternTable(np.array([[1, 0, 2, 0] * 8, [4] * 32], np.uint16), genres=("rock", "")), path)
    sources = list_sources(str(path))
    assert [s.genre for s in sources] == ["rock", ""] and sources == list(list_table(path))
    assert len(parse_song(sources[1].read()).parts[0].notes) == 96


def test_a_published_row_comes_out_digit_for_digit(tmp_path):
    row = ",".join(["5", "0", "4", "0"] * 8) + "\t4.5008087158203125,17.88306999206543,1e-05,-4.930428981781006\t0.5,-33.25"
    path = tmp_path / "published.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{row}\r\n{row}\r\n".encode())
    row_of_float32 = row.replace("1e-05", repr(float(np.float32(1e-5))))
    assert encode_table(read_table(path)).decode() == f"{row_of_float32}\n" * 2


def test_the_published_samples_come_out_digit_for_digit():
    for path in sorted((find_data() / "drum-space").glob("sampled10k_*_filtered")):
        published = path.read_bytes().replace(b"\r\n", b"\n").rstrip() + b"\n"
        assert encode_table(read_table(path)) == published


def test_a_table_of_no_pattern_is_an_empty_file():
    none = PatternTable(np.zeros((0, 32), np.uint16), np.zeros((0, 4), np.float32), np.zeros((0, 2), np.float32))
    assert encode_table(none) == b""
