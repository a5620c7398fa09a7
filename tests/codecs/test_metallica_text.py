"""LSTMetallica's text: its words, both ways, and the published corpus to the byte."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.codecs.metallica_text import (
    BAR,
    STEPS,
    list_spellings,
    read_song_words,
    read_songs_words,
    read_text,
    spell_tokens,
    words_to_text_groove,
    write_midi,
    write_text,
)
from backbeat.datasets import list_sources
from backbeat.errors import InputError
from backbeat.kits import load_kit
from backbeat.midi import parse_song
from tests.midi.builders import Track, midi

KICK_CRASH, RIDE = 0b010000001, 0b100000000  # in the order of drums_rnn_9
BARS = st.lists(st.integers(0, 511), min_size=STEPS, max_size=STEPS)
SONGS = st.lists(st.lists(BARS, min_size=1, max_size=3), min_size=1, max_size=3)


def make_songs(songs):
    return [np.array(bars, np.uint16).ravel() for bars in songs]


def drums(*notes, quarter=480):
    track = Track()
    for tick, pitch in notes:
        track.note(tick, 10, pitch, 100, 9)
    return parse_song(midi(track.chunk(), division=quarter))


def test_the_kick_is_the_first_bit_and_the_crash_the_last():
    assert list_spellings()[KICK_CRASH] == "0b100000001"
    assert list_spellings()[RIDE] == "0b000000010"
    assert len(set(list_spellings())) == 512


def test_a_bar_follows_every_16_words_and_the_last_is_padded():
    tokens = spell_tokens([1] * 17)
    assert [i for i, token in enumerate(tokens) if token == BAR] == [16, 33]
    assert tokens[18:33] == ["0b000000000"] * 15


@settings(max_examples=25, deadline=None)
@given(SONGS, st.booleans())
def test_text_to_midi_to_text_is_the_identity(songs, marks):
    text = write_text(make_songs(songs), marks=marks)
    read = read_text(text)
    assert read.irregular == 0 and read.marked == marks
    back = read_songs_words(parse_song(write_midi(read.songs), "made"))
    assert write_text(back, marks=marks) == text


def test_bars_of_another_length_run_on_and_are_counted():
    read = read_text("0b100000000 BAR " + "0b000000001 " * 20 + "BAR")
    assert read.irregular == 2 and len(read.songs) == 1 and len(read.songs[0]) == 32
    assert read.songs[0][:21].tolist() == [1, *[0b010000000] * 20]


@pytest.mark.parametrize("text", ["", "BAR BAR", "0b10000000", "0b1000000011 BAR", "kick"])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(InputError, match="token 1|holds no word"):
        read_text(text)


@pytest.mark.parametrize("quarter", [24, 96, 220, 480, 960])
def test_notes_are_rounded_to_16ths_half_up(quarter):
    half = quarter / 8
    before, after = int(np.ceil(half)) - 1, int(np.ceil(half))
    assert read_song_words(drums((before, 36), quarter=quarter))[1].nonzero()[0].tolist() == [0]
    assert read_song_words(drums((after, 36), quarter=quarter))[1].nonzero()[0].tolist() == [1]


def test_notes_are_converted_as_the_original_does():
    pitches = {35: 36, 37: 38, 40: 38, 43: 41, 47: 45, 50: 48, 44: 42, 57: 49, 52: 49, 59: 51, 53: 51, 55: 51}
    for pitch, into in pitches.items():
        ours, theirs = (read_song_words(drums((0, p), (0, 36)))[1][0] for p in (pitch, into))
        assert ours == theirs
    assert read_song_words(drums((0, 54), (0, 36)))[1][0] == 1  # a tambourine leaves


def test_a_groove_writes_the_originals_notes():
    groove = words_to_text_groove(np.array([511], np.uint16))
    assert sorted(groove.kit.written[groove.hits[0]].tolist()) == [36, 38, 41, 42, 45, 46, 48, 49, 51]
    assert groove.grid.bars == 1


def test_notes_end_and_the_tempo_is_the_one_asked_for():
    song = parse_song(write_midi([np.array([1] * 16, np.uint16)], 150), "made")
    (part,) = song.drum_parts
    assert song.tempo.qpm() == pytest.approx(150) and (part.notes["end"] > part.notes["onset"]).all()
    assert song.end_tick == 4 * 480


def test_another_kit_writes_its_own_notes():
    song = parse_song(write_midi([np.array([1 | 2] * 16, np.uint16)], kit=load_kit("neuraldrummer_6")), "made")
    assert set(song.drum_parts[0].notes["pitch"].tolist()) == {35, 38} or set(song.drum_parts[0].notes["pitch"].tolist()) == {36, 38}


def test_a_tempo_out_of_range_is_refused():
    with pytest.raises(InputError, match="tempo"):
        write_midi([np.zeros(16, np.uint16)], 0)


@pytest.mark.slow
def test_the_published_text_comes_out_to_the_byte_and_survives_midi():
    if "BACKBEAT_DATA" not in os.environ or not (Path(os.environ["BACKBEAT_DATA"]) / "lstmetallica").is_dir():
        pytest.skip("needs lstmetallica: set BACKBEAT_DATA")
    data = Path(os.environ["BACKBEAT_DATA"])
    published = (data / "lstmetallica" / "metallica_drums_text.txt").read_text(encoding="utf-8")
    sources = sorted(list_sources("lstmetallica", data), key=lambda s: s.name.lower())
    songs = [read_song_words(parse_song(s.read(), s.name))[1] for s in sources]
    text = write_text(songs)
    tokens = text.split()
    assert (len(songs), len(text), len(tokens), len(set(tokens)), tokens.count(BAR)) == (57, 2_141_692, 185_759, 118, 10_927)
    assert text == published
    assert write_text(read_songs_words(parse_song(write_midi(read_text(published).songs), "made"))) == published
