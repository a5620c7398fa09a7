"""Mining: each rule at its edge, songs made for it, and the same result whatever the number of processes."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.patterns import hash_patterns, turn_patterns
from backbeat.datasets import list_sources
from backbeat.datasets.mining import RULES, Rules, find_loops, mine, mine_song, split_at_pauses
from backbeat.datasets.pattern_files import encode_midi
from backbeat.errors import InputError
from backbeat.kits import load_kit
from backbeat.midi import parse_song
from tests.datasets.here import find_data

ROCK = np.array([5, 0, 4, 0, 6, 0, 4, 0, 5, 0, 4, 1, 6, 0, 4, 0] * 2, np.uint16)
WALTZ = np.array([1, 0, 4, 0, 2, 0, 4, 0, 2, 0, 4, 4] * 2, np.uint16)
ANYTHING = Rules(least_notes=1, entropy=0)


def mine_words(words, rules=ANYTHING, **midi):
    """What is mined from a file that plays words once."""
    return mine_song(parse_song(encode_midi(np.array(words, np.uint16)[None], repeats=1, **midi)), rules)


def with_metre(data, numerator, power):
    """The file with a time signature at its beginning."""
    at = data.index(b"MTrk") + 8
    event = bytes([0, 0xFF, 0x58, 4, numerator, power, 24, 8])
    return data[: at - 4] + (len(data) - at + len(event)).to_bytes(4, "big") + event + data[at:]


@given(st.lists(st.integers(0, 1), min_size=0, max_size=60), st.integers(1, 6), st.integers(2, 4))
def test_loops_are_what_the_definition_says(row, steps, repeats):
    """Beside the slow way: every window that is played ``repeats`` times in a row lies in a loop that was found, and no other does."""
    found = find_loops(np.array(row, np.uint16), steps, repeats)
    inside = {start + i for start, length in found for i in range(length - repeats * steps + 1)}
    slow = {t for t in range(len(row) - repeats * steps + 1) if row[t : t + repeats * steps] == row[t : t + steps] * repeats}
    assert inside == slow


@pytest.mark.parametrize(("repeats", "found"), [(2, 0), (3, 1), (7, 1)])
def test_three_times_in_a_row_is_the_edge(repeats, found):
    mined = mine_words(np.tile(ROCK, repeats))
    assert len(mined.patterns) == found and mined.counts["loops"] == found
    if found:
        assert mined.patterns[0].tolist() == ROCK.tolist() and mined.repeats.tolist() == [repeats]


def test_one_step_less_is_not_three_times():
    assert len(mine_words(np.tile(ROCK, 3)[:-2]).patterns) == 0
    assert len(mine_words(np.tile(ROCK, 2), replace(ANYTHING, repeats=2)).patterns) == 1


def test_a_loop_is_taken_from_its_bar_line():
    mined = mine_words([8, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, *np.tile(ROCK, 3)])
    assert mined.patterns.tolist() == [ROCK.tolist()]


def test_rotations_of_one_loop_count_once():
    turned = np.roll(ROCK, 8)
    mined = mine_words([*np.tile(ROCK, 4), *[128] * 32, *np.tile(turned, 4)])
    assert len(mined.patterns) == 1


def test_entropy_is_a_threshold_to_exceed():
    flat = np.tile(np.array([1, 0] * 16, np.uint16), 3)
    assert len(mine_words(flat, replace(ANYTHING, entropy=0.69)).patterns) == 1
    assert len(mine_words(flat, replace(ANYTHING, entropy=0.70)).patterns) == 0
    assert mine_words(flat, replace(ANYTHING, entropy=0.70)).counts["loops"] == 1


@pytest.mark.parametrize(("silence", "chunks"), [(15, 1), (16, 2), (17, 2)])
def test_a_pause_splits_at_its_length(silence, chunks):
    words = np.array([1, 1, *[0] * silence, 1], np.uint16)
    assert len(split_at_pauses(words, 16)) == chunks
    assert mine_words(words).counts["chunks"] == chunks


def test_a_chunk_keeps_the_rests_of_its_loop():
    late = np.roll(ROCK, 3)
    late[:3] = 0
    assert mine_words(np.tile(late, 3)).patterns.tolist() == [late.tolist()]


def test_few_notes_are_a_trivial_track():
    words, notes = np.tile(ROCK, 3), 3 * int(sum(bin(w).count("1") for w in ROCK))
    assert mine_words(words, replace(ANYTHING, least_notes=notes)).counts["tracks"] == 1
    assert mine_words(words, replace(ANYTHING, least_notes=notes + 1)).counts["tracks"] == 0


def test_metres():
    waltz = with_metre(encode_midi(WALTZ[None], repeats=3), 3, 2)
    assert len(mine_song(parse_song(waltz), ANYTHING).patterns) == 0
    in_three = mine_song(parse_song(waltz), replace(ANYTHING, metre="3/4"))
    assert in_three.patterns.tolist() == [WALTZ.tolist()] and in_three.counts["metre"] == 1
    shuffle = np.array(([5, 0, 0, 0, 4, 0, 6, 0, 0, 0, 4, 0] * 2 + [5, 0, 0, 0, 4, 0, 6, 0, 0, 4, 4, 0] * 2), np.uint16)
    twelve = with_metre(encode_midi(shuffle[None], repeats=3), 12, 3)
    found = mine_song(parse_song(twelve), replace(ANYTHING, metre="12/8"))
    assert found.patterns.tolist() == [shuffle.tolist()] and found.patterns.shape[1] == 48
    assert len(mine_song(parse_song(waltz), replace(ANYTHING, metre="any")).patterns) == 0  # 24 steps are no pattern of 32
    assert len(mine_song(parse_song(encode_midi(WALTZ[None], repeats=12)), replace(ANYTHING, metre="any")).patterns) == 0


def test_only_the_tenth_channel_unless_asked():
    data = encode_midi(np.tile(ROCK, (1, 1)), repeats=8)
    moved = bytes(b - 8 if b in (0x99, 0x89) else b for b in data)
    assert mine_song(parse_song(moved), ANYTHING).counts["tracks"] == 0
    assert mine_song(parse_song(moved), replace(ANYTHING, all_drums=True)).counts["tracks"] == 1


def test_quantised_whatever_there_is_unless_asked():
    song = parse_song(encode_midi(np.tile(ROCK, (1, 1)), repeats=3))
    (part,) = song.parts
    late = part.notes.copy()
    late["onset"][::2] += 40
    song = replace(song, parts=(replace(part, notes=late),))
    assert len(mine_song(song, ANYTHING).patterns) == 1
    assert mine_song(song, replace(ANYTHING, off_grid=0.4)).counts["on grid"] == 0
    assert mine_song(song, replace(ANYTHING, off_grid=0.6)).counts["on grid"] == 1


def test_anywhere_instead_of_in_a_row():
    other = np.roll(ROCK, 1) * 2
    words = [*ROCK, *other, *ROCK, *other * 4, *ROCK]
    rules = replace(ANYTHING, repeats=1, times=3)
    assert len(mine_words(words).patterns) == 0
    assert [p.tolist() for p in mine_words(words, rules).patterns] == [ROCK.tolist()]
    assert len(mine_words(words, replace(rules, times=4)).patterns) == 0


def write_songs(folder):
    """Four songs: two with rotations of one beat, one with another, one that is no MIDI file."""
    for genre, words in {"punk/a": ROCK, "b": np.roll(ROCK, 8), "jazz/c": ROCK * 2}.items():
        path = folder / f"{genre}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_midi(words[None], repeats=4))
    (folder / "d.mid").write_bytes(b"MThd nonsense")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_collection(tmp_path, workers):
    write_songs(tmp_path)
    sources = [replace(s, genre="punk" if "punk" in s.name else "") for s in list_sources(str(tmp_path))]
    done = []
    mined = mine(sources, ANYTHING, workers=workers, progress=done.append)
    assert done[-1] == 4
    assert mined.counts == Counter(
        {"files": 4, "readable": 3, "tracks": 3, "metre": 3, "on grid": 3, "chunks": 3, "long": 3, "loops": 3, "entropy": 3, "patterns": 2}
    )
    assert [name for name, _ in RULES] == list(mined.counts)
    assert len(np.unique(hash_patterns(mined.patterns))) == len(mined.patterns) == 2
    assert sorted(mined.files.tolist()) == [1, 2] and mined.repeats.tolist() == [4, 4]
    assert mined.genres[int(mined.files.argmax())] == "punk"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metre": "waltz"}, "metre 'waltz' is none"),
        ({"metre": "5/16", "bars": 1, "steps_per_quarter": 1}, "1.25 steps"),
        ({"bars": 0}, "bars must lie in 1-16"),
        ({"repeats": 0}, "repeats and times"),
        ({"pause": 0}, "a pause is at least one step"),
        ({"entropy": -1}, "the entropy must lie"),
        ({"off_grid": 2}, "the share off the grid"),
        ({"kit": "no such"}, "no kit 'no such'"),
    ],
)
def test_rules_that_cannot_be_followed(change, message):
    with pytest.raises(InputError, match=message):
        mine([], replace(ANYTHING, **change))


def test_lengths_by_metre():
    assert [Rules(metre=m).steps for m in ("4/4", "3/4", "12/8", "6/8", "any")] == [32, 24, 48, 24, 32]
    assert Rules(steps_per_quarter=3).steps == 24


def test_the_merging_kit_covers_the_classes():
    kit, classes = load_kit("drum_space_merged"), load_kit("drum_space_14")
    assert kit.names == classes.names
    assert [n for n in range(128) if n != 127 and kit.lookup[n] >= 0 and classes.lookup[kit.written[kit.lookup[n]]] != kit.lookup[n]] == []
    assert {kit.names[kit.lookup[n]] for n in (38, 40)} == {"snare"} and kit.names[kit.lookup[43]] == "low_tom" and kit.names[kit.lookup[50]] == "high_tom"


def test_turning_is_undone_by_mining(tmp_path):
    turned = turn_patterns(ROCK[None], np.array([5]))
    (tmp_path / "a.mid").write_bytes(encode_midi(turned, repeats=3))
    mined = mine(list_sources(str(tmp_path)), ANYTHING)
    assert hash_patterns(mined.patterns).tolist() == hash_patterns(ROCK[None]).tolist()


@pytest.mark.slow
def test_songs_of_the_validation_split():
    data = find_data()
    mined = mine(list_sources("songs:validation", data)[:40], Rules())
    assert mined.counts["files"] == 40 and mined.counts["patterns"] > 20
    assert all(a >= b for a, b in zip(list(mined.counts.values())[:5], list(mined.counts.values())[1:5], strict=False))
