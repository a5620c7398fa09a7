"""The 24 keys: numbers, names in English and in German, and their scales.

A key is an int from 0 to 23: 0-11 are the major keys from C upwards, 12-23 the minor ones. Names are as people write them ("C", "F#",
"Bb", "Am", "F#m", "C minor", "Eb major"), or German as the original detector writes them ("C-dur", "fis-moll", "B-dur" for B flat).
"""

from __future__ import annotations

import re

from backbeat.errors import InputError

KEYS = 24
MAJOR, MINOR = "major", "minor"
MAJOR_STEPS, MINOR_STEPS = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
"""Semitones of the degrees above the tonic: the major and the natural minor scale."""
MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
GERMAN_MAJOR = ("C", "Des", "D", "Es", "E", "F", "Fis", "G", "As", "A", "B", "H")
GERMAN_MINOR = ("c", "cis", "d", "dis", "e", "f", "fis", "g", "gis", "a", "b", "h")

_ENGLISH = re.compile(r"^([A-Ga-g])(#|b|♯|♭)?(?:[ -]?(m|min|minor|maj|major|M))?$")
_GERMAN = re.compile(r"^([a-h](?:is|es|s)?)[ -](dur|moll)$", re.IGNORECASE)
_LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_CHANGES = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_PLAIN = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "h": 11}
_GERMAN_NOTES = {n + end: (pc + by) % 12 for n, pc in _PLAIN.items() for end, by in (("", 0), ("is", 1), ("es", -1))} | {"b": 10, "as": 8, "es": 3}


def make_key(tonic: int, mode: str) -> int:
    """The number of a key.

    Args:
        tonic: pitch class, 0 = C.
        mode: "major" or "minor".
    """
    return tonic % 12 + 12 * (mode == MINOR)


def get_tonic(key: int) -> int:
    """The pitch class of a key's tonic, 0 = C."""
    return key % 12


def get_mode(key: int) -> str:
    """Either "major" or "minor"."""
    return MINOR if key >= 12 else MAJOR


def list_scale(key: int) -> tuple[int, ...]:
    """The pitch classes of a key, from the tonic upwards; of a minor key those of the natural scale."""
    return tuple((key + step) % 12 for step in (MINOR_STEPS if key >= 12 else MAJOR_STEPS))


def find_relative(key: int) -> int:
    """The key with the same notes and the other mode: A minor of C major."""
    return (key + 9) % 12 + 12 if key < 12 else (key + 3) % 12


def name_tonic(key: int) -> str:
    """The name of a key's tonic: "C", "F#", "Bb"."""
    return (MINOR_TONICS if key >= 12 else MAJOR_TONICS)[key % 12]


def name_key(key: int) -> str:
    """The short name that musicians write over a lead sheet: "C", "F#", "Bb", "Am"."""
    return name_tonic(key) + ("m" if key >= 12 else "")


def name_german(key: int) -> str:
    """The name that the original detector writes: "C-dur", "fis-moll", "B-dur"."""
    return f"{GERMAN_MINOR[key % 12]}-moll" if key >= 12 else f"{GERMAN_MAJOR[key]}-dur"


def parse_key(text: str) -> int:
    """The key of a name.

    Args:
        text: English ("Am", "C#m", "Bb", "E major", "f# minor") or German with its ending ("a-moll", "B-dur", "Fis-dur").

    Raises:
        InputError: it names no key.
    """
    name = " ".join(text.split())
    german = _GERMAN.match(name)
    if german and german.group(1).lower() in _GERMAN_NOTES:
        return make_key(_GERMAN_NOTES[german.group(1).lower()], MINOR if german.group(2).lower() == "moll" else MAJOR)
    english = _ENGLISH.match(name)
    if not english:
        raise InputError(f"{text!r} is no key: write C, F#, Bb or Am, C#m, Ebm (or A minor, E major, fis-moll)")
    letter, change, mode = english.group(1), english.group(2) or "", english.group(3) or ""
    minor = mode in ("m", "min", "minor") or (not mode and letter.islower())
    return make_key(_LETTERS[letter.lower()] + _CHANGES[change], MINOR if minor else MAJOR)
