"""Patterns as MIDI, as published and as 16ths, and what a user may name as a pattern."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.patterns import write_pattern
from backbeat.datasets.drum_space import encode_pattern
from backbeat.datasets.pattern_files import draw_pattern, encode_midi, read_midi, read_pattern, read_patterns
from backbeat.datasets.pattern_table import PatternTable, write_table
from backbeat.errors import InputError
from backbeat.midi import parse_song

ROCK = np.array([5, 0, 4, 0, 6, 0, 4, 0, 5, 0, 4, 1, 6, 0, 4, 0] * 2, np.uint16)


def test_the_published_form():
    """Three repeats, 120 ticks a step at 360 ticks a quarter, velocity 127, channel 10, no tempo: the bytes of the published program's notes."""
    data = encode_midi(ROCK[None], ticks_per_quarter=360)
    assert data == encode_pattern(ROCK, ticks_per_quarter=360)
    (part,) = parse_song(data).parts
    assert part.channel == 9 and set(part.notes["velocity"].tolist()) == {127}
    assert sorted(set(np.diff(np.unique(part.notes["onset"])).tolist())) == [120, 240]
    assert part.notes["onset"].max() == (32 * 3 - 2) * 120


@given(st.lists(st.integers(0, (1 << 9) - 1), min_size=32, max_size=32), st.sampled_from([360, 480]), st.booleans())
def test_what_is_written_is_read(tmp_path_factory, row, division, fast):
    pattern = np.array(row, np.uint16)
    pattern[0] |= 1
    path = tmp_path_factory.mktemp("p") / "p.mid"
    path.write_bytes(encode_midi(pattern[None], ticks_per_quarter=division, qpm=150 if fast and division == 480 else 0))
    assert read_midi(path).tolist() == pattern.tolist()


def test_patterns_follow_each_other():
    song = parse_song(encode_midi(np.stack([ROCK, ROCK * 2]), repeats=2, qpm=96))
    assert song.end_tick == 4 * 32 * 120 and song.tempo.qpm() == pytest.approx(96, rel=1e-4)


def test_a_pattern_by_any_name(tmp_path):
    write_table(PatternTable(np.stack([ROCK, ROCK * 2])), tmp_path / "t.tsv")
    (tmp_path / "p.mid").write_bytes(encode_midi(ROCK[None]))
    for text, expected in {
        write_pattern(ROCK): ROCK,
        f"{tmp_path}/t.tsv:2": ROCK * 2,
        f"{tmp_path}/t.tsv": ROCK,
        f"{tmp_path}/p.mid": ROCK,
    }.items():
        assert read_pattern(text).tolist() == expected.tolist()
    assert len(read_patterns([f"{tmp_path}/t.tsv", f"{tmp_path}/p.mid"])) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rock", "rock: no pattern: write 32 comma-separated numbers, or name a MIDI file"),
        ("1,2,x", "each step of a pattern is a whole number"),
        ("{}/t.tsv:3", "it has 2 rows, and no row 3"),
        ("{}/t.tsv:0", "no row 0"),
        ("{}/none.mid", "there is no such file"),
        ("{}/silent.mid", "no drums that kit drum_space_14 knows"),
        ("{}/junk.mid", "junk.mid"),
    ],
)
def test_what_is_no_pattern(tmp_path, text, message):
    write_table(PatternTable(np.stack([ROCK, ROCK * 2])), tmp_path / "t.tsv")
    (tmp_path / "silent.mid").write_bytes(encode_midi(ROCK[None] * 0))
    (tmp_path / "junk.mid").write_bytes(b"MThd and no more")
    with pytest.raises(InputError, match=message):
        read_pattern(text.format(tmp_path))


def test_lengths_cannot_be_mixed():
    with pytest.raises(InputError, match="patterns of 4 and 5 steps"):
        read_patterns(["1,2,3,4", "1,2,3,4,5"])


def test_a_drawing_shows_every_hit():
    text = draw_pattern(ROCK)
    assert text.splitlines()[1:] == [
        "            Kick |x...|....|x..x|....|x...|....|x..x|....|",
        "           Snare |....|x...|....|x...|....|x...|....|x...|",
        "   Closed hi-hat |x.x.|x.x.|x.x.|x.x.|x.x.|x.x.|x.x.|x.x.|",
    ]
    assert "32 steps" in text and "nats" in text
