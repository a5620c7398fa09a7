"""The rules of the original detector."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from backbeat.errors import InputError
from backbeat.midi import parse_song, read_song
from backbeat.tonality.scales import parse_key
from backbeat.tonality.tonika import SCALES, detect_tonika, detect_tonika_key, find_key_by_rules, list_fitting, list_note_messages, read_note, score_scales
from tests.midi.builders import Track, midi


def test_the_labelled_melodies_give_167_of_256():
    if "BACKBEAT_DATA" not in os.environ or not (Path(os.environ["BACKBEAT_DATA"]) / "tonality").is_dir():
        pytest.skip("needs tonality: set BACKBEAT_DATA")
    folder = Path(os.environ["BACKBEAT_DATA"]) / "tonality"
    rows = [line.split("\t") for line in (folder / "markup.tsv").read_text(encoding="utf-8").splitlines()]
    right = sum(detect_tonika(list_note_messages(read_song(folder / "midi" / name))) == label.strip() for name, label in rows)
    assert (right, len(rows)) == (167, 256)


def test_there_are_24_scales_with_german_names():
    assert len(SCALES) == 24 and {parse_key(name) for name in SCALES} == set(range(24))


def test_the_quirk_bes_is_read_as_a():
    assert read_note("bes") == read_note("a") == 9
    assert read_note("b") == read_note("ais") == 10


def test_only_scales_with_all_notes_stay():
    assert list_fitting(Counter([0, 2, 4, 5, 7, 9, 11])) == ["C-dur", "a-moll"]


def test_the_rarest_class_leaves_where_no_scale_fits_and_of_equals_the_later():
    c_major = [0, 2, 4, 5, 7, 9, 11] * 2
    assert list_fitting(Counter([*c_major, 6])) == ["C-dur", "a-moll"]
    chromatic = Counter([0, 1, 2, 3])  # 3 leaves, then 2: C and C sharp alone fit
    assert list_fitting(Counter([0, 1])) == list_fitting(chromatic)


def test_scores_count_tonic_third_fifth_or_sixth_and_steps_between_them():
    scores = score_scales([60, 67, 60, 64, 69])  # c g c e a
    assert scores["C-dur"] == 3 * 2 + 1 + 1 + (1 + 1 + 1)  # c twice, e, g; c-g, g-c, c-e
    assert scores["a-moll"] == 3 * 1 + 2 + 0 + 1  # a, its third c, no f; e-a is fifth to tonic
    assert detect_tonika([60, 67, 60, 64, 69]) == "C-dur"


def test_notes_that_repeat_make_no_pair():
    assert score_scales([60, 60, 67])["C-dur"] == score_scales([60, 67, 60])["C-dur"] - 1


def test_of_equals_the_first_of_the_table_wins():
    assert detect_tonika([]) == "C-dur"
    assert detect_tonika_key([]) == 0


def test_note_ons_of_velocity_0_and_note_offs_count_as_notes_drums_do_not():
    on, off = (lambda pitch, velocity, channel=0: bytes([0x90 | channel, pitch, velocity])), bytes([0x80, 64, 0])
    track = Track().add(0, on(60, 100)).add(10, on(60, 0)).add(20, on(64, 100)).add(30, off)
    drums = Track().add(0, on(36, 100, 9)).add(10, on(36, 0, 9))
    assert list_note_messages(parse_song(midi(track.chunk(), drums.chunk()))) == [60, 60, 64, 64]


def test_a_song_of_drums_alone_has_no_key():
    drums = Track().add(0, bytes([0x99, 36, 100])).add(10, bytes([0x99, 36, 0]))
    with pytest.raises(InputError, match="no note but drums"):
        find_key_by_rules(parse_song(midi(drums.chunk())))


def test_confidence_is_a_share_of_the_scores():
    track = Track()
    for i, pitch in enumerate((60, 64, 67, 72, 67, 64, 60)):
        track.add(i * 10, bytes([0x90, pitch, 90])).add(i * 10 + 9, bytes([0x80, pitch, 0]))
    found = find_key_by_rules(parse_song(midi(track.chunk())))
    assert found.name == "C" and 0 < found.confidence <= 1 and found.probabilities.sum() == pytest.approx(1)
