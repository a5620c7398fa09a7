import numpy as np
import pytest

from backbeat.datasets import DATASETS
from backbeat.datasets.drum_space import encode_pattern, list_table, read_patterns
from backbeat.errors import InputError
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song
from tests.datasets.here import find_data, list_here

HITS = [1, 0, 4, 0, 2, 0, 4, 0] * 4
ROW = ",".join(map(str, HITS)) + "\t0.5,-1,2.25,1e-3"


def write(path, *rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(rows), encoding="ascii")
    return path


def test_a_table_is_read(tmp_path):
    patterns, latents, places = read_patterns(write(tmp_path / "t", ROW + "\t7,8", ROW + "\t9,-1"))
    assert patterns.dtype == np.uint16 and patterns.tolist() == [HITS, HITS]
    assert latents.dtype == np.float32 and latents[0].tolist() == pytest.approx([0.5, -1, 2.25, 0.001])
    assert places.dtype == np.float32 and places.tolist() == [[7, 8], [9, -1]]
    patterns, latents, places = read_patterns(write(tmp_path / "t", ROW.split("\t")[0]))
    assert patterns.shape == (1, 32) and latents is None and places is None


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "it needs rows of one, two or three columns"),
        ([ROW, ROW + "\t1,2"], "it needs rows of one, two or three columns"),
        ([ROW, "1,2,3\t0,0,0,0"], r"row 2 is not a pattern: column 1 needs 32 numbers"),
        ([ROW, ROW + ",1"], r"row 2 is not a pattern: column 2 needs 4 numbers"),
        ([ROW.replace("1,0,", "x,0,", 1)], "could not convert string to float: 'x'"),
        ([ROW.replace("1,0,", "16384,0,", 1)], "a step is not a number from 0 to 16383"),
        ([ROW.replace("1,0,", "-1,0,", 1)], "a step is not a number from 0 to 16383"),
        ([ROW.replace("1,0,", "1.5,0,", 1)], "a step is not a number from 0 to 16383"),
        ([ROW.replace("1,0,", "nan,0,", 1)], "a step is not a number from 0 to 16383"),
    ],
)
def test_what_is_no_table_is_refused(rows, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_patterns(write(tmp_path / "t", *rows))


def test_bytes_that_are_no_text_and_a_missing_file_are_refused(tmp_path):
    (tmp_path / "t").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="t: cannot be read as a table of patterns"):
        read_patterns(tmp_path / "t")
    with pytest.raises(InputError, match="u: cannot be read as a table of patterns"):
        read_patterns(tmp_path / "u")


def test_a_pattern_is_two_bars_played_three_times():
    song = parse_song(encode_pattern(np.array(HITS, np.uint16)))
    grid = song.grid()
    assert grid.steps == 96 and len(grid.bar_ticks) == 7
    groove, report = extract_groove(song, grid, load_kit("drum_space_14"))
    words = (groove.hits << np.arange(14)).sum(axis=1)
    assert words.tolist() == HITS * 3
    assert set(groove.velocities[groove.hits].tolist()) == {1.0} and not report.unknown


def test_a_pattern_as_the_published_program_writes_it():
    song = parse_song(encode_pattern(np.array(HITS, np.uint16), ticks_per_quarter=360))
    assert song.tempo.ticks_per_quarter == 360
    assert song.end_tick == 3 * 32 * 120
    assert any("names no tempo" in w for w in song.warnings)
    (part,) = song.parts
    assert part.channel == 9 and set(part.notes["velocity"].tolist()) == {127}
    assert part.notes["onset"][:4].tolist() == [0, 240, 480, 720]


def test_rows_are_sources(tmp_path):
    write(tmp_path / "drum-space" / "sampled10k_vae_filtered", ROW)
    write(tmp_path / "drum-space" / "sampled10k_vae_raw", ROW, ROW.replace("1,0,", "2,0,", 1))
    (source,) = DATASETS["drum_space"].list_sources(tmp_path)
    assert (source.name, source.member, source.band, source.tags) == ("sampled10k_vae_filtered/00000", "0", False, ("vae", "filtered"))
    assert source.read() == encode_pattern(np.array(HITS, np.uint16))
    first, second = DATASETS["drum_space_raw"].list_sources(tmp_path)
    assert first.read() != second.read()


def test_a_table_that_got_shorter_or_went_says_so(tmp_path):
    path = write(tmp_path / "t", ROW, ROW)
    _, second = list_table(path)
    write(path, ROW)
    with pytest.raises(InputError, match="it has no row 2"):
        second.read()
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        second.read()


@pytest.mark.parametrize(("model", "kept"), [("acai", 5581), ("ae", 2795), ("vae", 1672)])
def test_the_published_counts(model, kept):
    list_here("drum_space")
    patterns, latents, places = read_patterns(find_data() / "drum-space" / f"sampled10k_{model}_filtered")
    assert patterns.shape == (kept, 32) and latents.shape == (kept, 4) and places is None
    assert patterns.max() < 1 << 14 and not (patterns >> 9 & 1).any()
