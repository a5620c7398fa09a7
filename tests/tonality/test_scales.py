"""Names of keys, and their scales."""

from __future__ import annotations

import pytest

from backbeat.errors import InputError
from backbeat.tonality.scales import find_relative, get_mode, get_tonic, list_scale, name_german, name_key, name_tonic, parse_key


@pytest.mark.parametrize("key", range(24))
def test_every_key_is_read_back_from_its_names(key):
    assert parse_key(name_key(key)) == parse_key(name_german(key)) == parse_key(f"{name_tonic(key)} {get_mode(key)}") == key


@pytest.mark.parametrize("key", range(24))
def test_the_relative_key_has_the_same_notes_and_the_other_mode(key):
    other = find_relative(key)
    assert set(list_scale(other)) == set(list_scale(key)) and get_mode(other) != get_mode(key) and find_relative(other) == key


@pytest.mark.parametrize(
    ("text", "tonic", "mode"),
    [
        ("Am", 9, "minor"),
        ("a", 9, "minor"),
        ("A", 9, "major"),
        ("Bb", 10, "major"),
        ("B", 11, "major"),
        ("B-dur", 10, "major"),
        ("h-moll", 11, "minor"),
        ("F#m", 6, "minor"),
        ("f# minor", 6, "minor"),
        (" Eb  major ", 3, "major"),
        ("es-moll", 3, "minor"),
        ("As-dur", 8, "major"),
        ("Cb", 11, "major"),
        ("E♭m", 3, "minor"),
        ("GM", 7, "major"),
    ],
)
def test_names_that_people_write_are_understood(text, tonic, mode):
    assert (get_tonic(parse_key(text)), get_mode(parse_key(text))) == (tonic, mode)


@pytest.mark.parametrize("text", ["", "H", "Hm", "C##", "major", "A-", "bes-dur", "a-mol", "Am7", "🎵"])
def test_other_names_are_refused(text):
    with pytest.raises(InputError, match="is no key"):
        parse_key(text)


def test_scales_begin_with_their_tonic():
    assert list_scale(parse_key("C")) == (0, 2, 4, 5, 7, 9, 11)
    assert list_scale(parse_key("Am")) == (9, 11, 0, 2, 4, 5, 7)
