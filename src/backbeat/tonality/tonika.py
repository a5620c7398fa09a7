"""The tonality detector of 2020 (altsoph/tonika_detector), rule by rule, with its quirks; 167 of its 256 labelled melodies are right.

The rules: of 24 scales those that hold every pitch class stay; if none does, the rarest classes leave one by one until one fits. A scale
scores three for each tonic, one for each third, one for each fifth (major) or sixth (minor), and one for each step from fifth to tonic,
tonic to fifth and tonic to third between notes that follow one another and differ. The best wins; of equals the first of the table.

Quirks: durations do not count; every note message counts, those too that end a note (a note-on of velocity 0, a note-off), so that
a file with them has every note twice; the name ``bes`` is read as a, not as b flat (no scale of the table is written with it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from backbeat.errors import InputError
from backbeat.midi.notes import collect_voice_events
from backbeat.midi.reader import dissect
from backbeat.song import Song
from backbeat.tonality.estimate import KeyEstimate
from backbeat.tonality.scales import KEYS, parse_key

NOTES = ("c", "cis", "d", "dis", "e", "f", "fis", "g", "gis", "a", "b", "h")
"""Names of the pitch classes."""
OTHER_NAMES = {
    "ces": "h",
    "des": "cis",
    "es": "dis",
    "ees": "dis",
    "fes": "e",
    "ges": "fis",
    "aes": "gis",
    "as": "gis",
    "bes": "a",
    "hes": "b",
    "eis": "f",
    "ais": "b",
    "bis": "h",
    "his": "c",
}
"""Other names of notes, and what they are read as."""
SCALES = {
    "C-dur": "c d e f g a h",
    "Des-dur": "des es f ges as b c",
    "b-moll": "b c des es f ges as",
    "As-dur": "as b c des es f g",
    "f-moll": "f g as b c des es",
    "Es-dur": "es f g as b c d",
    "B-dur": "b c d es f g a",
    "g-moll": "g a b c d es f",
    "F-dur": "f g a b c d e",
    "d-moll": "d e f g a b c",
    "a-moll": "a h c d e f g",
    "G-dur": "g a h c d e fis",
    "e-moll": "e fis g a h c d",
    "D-dur": "d e fis g a h cis",
    "h-moll": "h cis d e fis g a",
    "A-dur": "a h cis d e fis gis",
    "fis-moll": "fis gis a h cis d e",
    "E-dur": "e fis gis a h cis dis",
    "H-dur": "h cis dis e fis gis ais",
    "gis-moll": "gis ais h cis dis e fis",
    "Fis-dur": "fis gis ais h cis dis eis",
    "dis-moll": "dis eis fis gis ais h cis",
    "c-moll": "c d es f g as b",
    "cis-moll": "cis dis e fis gis a h",
}
"""The scales in the original's order, which decides between equals."""


def read_note(name: str) -> int:
    """The pitch class of a note's name as the original reads it: ``bes`` is a.

    Raises:
        ValueError: it knows no such name.
    """
    return NOTES.index(OTHER_NAMES.get(name, name))


_DEGREES = {name: tuple(map(read_note, notes.split())) for name, notes in SCALES.items()}


def detect_tonika(pitches: Sequence[int]) -> str:
    """The key of a melody, by the original's German name.

    Args:
        pitches: MIDI pitches of the note messages, in their order.
    """
    scores = score_scales(pitches)
    return max(scores, key=lambda name: scores[name])


def detect_tonika_key(pitches: Sequence[int]) -> int:
    """What ``detect_tonika`` finds, as the number of a key (see ``scales``).

    Args:
        pitches: MIDI pitches of the note messages, in their order.
    """
    return parse_key(detect_tonika(pitches))


def find_key_by_rules(song: Song) -> KeyEstimate:
    """The key of a song by these rules, from all parts but the drums; its confidence is its share of all scores of the shortlist.

    Raises:
        InputError: it has no note but drums.
    """
    pitches = list_note_messages(song)
    if not pitches:
        raise InputError(f"{song.source or 'the song'}: no note but drums, so it has no key")
    scores = score_scales(pitches)
    shares = np.zeros(KEYS)
    for name, score in scores.items():
        shares[parse_key(name)] = score
    total = shares.sum()
    return KeyEstimate(detect_tonika_key(pitches), shares / total if total else shares)


def score_scales(pitches: Sequence[int]) -> dict[str, int]:
    """Scores of the scales of the shortlist, in the table's order.

    Args:
        pitches: MIDI pitches of the note messages, in their order.
    """
    classes = [p % 12 for p in pitches]
    counts = Counter(classes)
    pairs = Counter((a, b) for a, b in pairwise(classes) if a != b)
    return {name: _score(name, counts, pairs) for name in list_fitting(counts)}


def list_fitting(counts: Counter[int]) -> list[str]:
    """The scales that hold every pitch class; if none does, those that hold all but the rarest.

    Args:
        counts: how often each pitch class is struck; of equals those that came later leave first.
    """
    for kept in range(len(counts), -1, -1):
        wanted = {c for c, _ in counts.most_common(kept)}
        fitting = [name for name, degrees in _DEGREES.items() if wanted <= set(degrees)]
        if fitting:
            return fitting
    return list(SCALES)


def _score(name: str, counts: Counter[int], pairs: Counter[tuple[int, int]]) -> int:
    first, third, fifth, sixth = (_DEGREES[name][d] for d in (0, 2, 4, 5))
    extra = counts[fifth] if name.endswith("dur") else counts[sixth]
    return 3 * counts[first] + counts[third] + extra + pairs[fifth, first] + pairs[first, fifth] + pairs[first, third]


def list_note_messages(song: Song) -> list[int]:
    """The pitches of all note messages of a song's parts that are not drums, ends of notes too, by time; at one tick in the file's order.

    Args:
        song: any; of a file of one track this is what the original reads.
    """
    tracks = dissect(song.data).tracks
    events = collect_voice_events(song.data, tracks)
    band = {(p.track, p.channel) for p in song.band}
    notes = [
        (tick, index, pitch)
        for index, (track, tick, status, pitch) in enumerate(zip(*(a.tolist() for a in events[:4]), strict=True))
        if status < 0xA0 and (track, status & 15) in band
    ]
    return [pitch for _, _, pitch in sorted(notes)]
