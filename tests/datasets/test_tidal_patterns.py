import json

import pytest

from backbeat.datasets import DATASETS
from backbeat.datasets.tidal_patterns import encode_entry, read_entries
from backbeat.errors import InputError
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song
from tests.datasets.here import list_here

ROCK = {"name": "Rock1", "genre": "Rock", "bpm": 96.0, "parts": {"bd": "x.......x.......", "sn": "....x.......x...", "ac": "....x..........."}}
SHUFFLE = {"name": "Shuffle1", "genre": "Shuffle", "bpm": 60.0, "parts": {"ch": "x.xx.xx.xx.x"}}


def write(folder, *entries):
    (folder / "tidal-patterns.json").write_text(json.dumps(entries), encoding="utf-8")
    return DATASETS["tidal_patterns"].list_sources(folder)


def test_a_pattern_is_a_bar_played_four_times():
    song = parse_song(encode_entry(ROCK))
    assert song.grid().steps == 64 and song.tempo.qpm() == 96
    groove, report = extract_groove(song, song.grid(), load_kit("drums_rnn_9"))
    steps, columns = groove.hits.nonzero()
    assert list(zip(steps.tolist(), columns.tolist(), strict=True))[:4] == [(0, 0), (4, 1), (8, 0), (12, 1)]
    assert not report.unknown


def test_an_accent_is_a_velocity_and_no_sound():
    notes = parse_song(encode_entry(ROCK)).drum_parts[0].notes
    assert notes["pitch"][:4].tolist() == [36, 38, 36, 38]
    assert notes["velocity"][:4].tolist() == [90, 120, 90, 90]


def test_twelve_steps_are_a_bar_of_triplets():
    song = parse_song(encode_entry(SHUFFLE, repeats=1))
    assert song.end_tick == 4 * 480
    assert song.drum_parts[0].notes["onset"].tolist() == [0, 320, 480, 800, 960, 1280, 1440, 1760]


def test_sixty_is_a_place_holder_for_an_unknown_tempo(tmp_path):
    rock, shuffle, none = write(tmp_path, ROCK, SHUFFLE, ROCK | {"name": "x", "bpm": None})
    assert (rock.tempo, shuffle.tempo, none.tempo) == (96, 0, 0)
    assert (rock.name, rock.genre, rock.band) == ("Rock1", "Rock", False)
    assert rock.read() == encode_entry(ROCK) and shuffle.read() == encode_entry(SHUFFLE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": {"bd": "x...", "sn": "x"}}, "pattern Rock1: its parts are empty or of different lengths"),
        ({"parts": {"bd": ""}}, "pattern Rock1: its parts are empty or of different lengths"),
        ({"parts": {"zz": "x..."}}, "pattern Rock1: part 'zz' is not known, only bd, sn, .*, ac"),
        ({"parts": {}}, "pattern Rock1: its parts are empty"),
        ({"parts": None}, "not a pattern"),
    ],
)
def test_a_broken_pattern_is_a_source_that_says_why(change, message, tmp_path):
    (source,) = write(tmp_path, ROCK | change)
    with pytest.raises(InputError, match=message):
        source.read()


@pytest.mark.parametrize("text", ["", "{", '{"name": 1}', "[1]", '[{"name": "a"}]', "[" * 100_000, "7"])
def test_what_is_no_list_of_patterns_is_refused(text, tmp_path):
    (tmp_path / "tidal-patterns.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"tidal-patterns.json: not a list of patterns"):
        read_entries(tmp_path / "tidal-patterns.json")


def test_all_patterns_can_be_read():
    sources = list_here("tidal_patterns")
    songs = [parse_song(s.read(), s.name) for s in sources]
    assert {song.end_tick % (16 * 120) for song in songs} == {0}  # whole bars
    assert sum(s.tempo == 0 for s in sources) == 443
