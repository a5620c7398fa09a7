"""Compose ``song.mid``: a rock song for bass, guitar, piano, strings and a lead, without drums.

Run ``python make_song.py [FOLDER]``; the folder is this one unless named. About two minutes in E minor: intro, verse, chorus,
verse, chorus, a bridge in 7/8 with its own tempo, a last chorus a whole tone higher, and a short ritardando.
"""

from __future__ import annotations

import sys
from pathlib import Path

from band import (
    EXPRESSION,
    META_LYRIC,
    PAN,
    PEDAL,
    VOLUME,
    Bar,
    Player,
    Section,
    Track,
    bass_note,
    close_chord,
    conduct,
    lay_bars,
    power_chord,
    slow_down,
    write_midi,
)

VERSE, CHORUS = "Em Em C D Em Em Am B7", "G D Em C G D C D"
SECTIONS = [
    Section("Intro", "intro", "Em Em Em D", 116, 0.84),
    Section("Verse 1", "verse", VERSE, 116, 0.86),
    Section("Chorus 1", "chorus", CHORUS, 116, 1.05),
    Section("Verse 2", "verse", VERSE, 116, 0.9),
    Section("Chorus 2", "chorus", CHORUS, 116, 1.08),
    Section("Bridge", "bridge", "Am Am F G Am Am F E", 126, 0.95, 7, 8),
    Section("Last chorus", "chorus", CHORUS, 118, 1.14, transpose=2),
    Section("Ending", "ending", "C D Em", 118, 0.95, transpose=2),
]
KEYS = {"Intro": (1, 1), "Last chorus": (3, 0)}

# The riff that bass and guitar lock to, and where each section takes it; a list is played bar by bar and begun again.
BASS = {
    "intro": ["................", "R--R..O.R--.7.5.", "R--R..O.R--.7.5.", "R--R..O.R.5.7.A."],
    "verse": ["R--R..O.R--.7.5.", "R--R..O.R--.5.A."],
    "stop": ["R--R..O-........"],
    "chorus": ["R-R-R-O-R-RRO-5-", "R-R-R-O-R-R-5-A-"],
    "bridge": ["R-.RR-5-R-.RO-", "R-.RR-5-R-.R7-", "R-.RR-5-R-.RO-", "R-.RR-5-R-7-A-"],
    "ending": ["R-------R-----5-", "R-------5---A---", "R---------------"],
}
GUITAR = {
    "intro": ["x..x..X-x..xx.X-"],
    "verse": ["x..x..X-x..xx.x.", "x..x..X-x..xX-X-"],
    "stop": ["X--X..X-........"],
    "chorus": ["X---X-X---X-X-X-", "X---X-X---X-XXX-"],
    "bridge": ["X-.xX-x-X-.xX-", "X-.xX-x-X-.xxx"],
    "ending": ["X-------X-------", "X-------X-------", "X---------------"],
}
PIANO = {
    "verse": ["........X---....", "......X-X---..X-"],
    "stop": ["X--X..X-........"],
    "chorus": ["X--X--X-X---X-X-", "X--X--X-X--X--X-"],
    "bridge": ["X---X---X-----"],
    "ending": ["X-------X-------", "X-------X-------", "X---------------"],
}
MELODIES = {
    "verse": [
        "r:4 B4:2 D5:2 E5:6 r:2", "r:8 G5:2 E5:2 D5:4", "E5:6 D5:2 C5:4 r:4", "r:4 A4:2 B4:2 D5:6 r:2",
        "r:4 B4:2 D5:2 E5:4 G5:4", "r:6 F#5:2 E5:4 D5:4", "C5:6 D5:2 E5:8", "D#5:6 r:6 A4:2 B4:2",
    ],
    "chorus": [
        "B5:6 A5:2 G5:4 D5:4", "F#5:6 G5:2 A5:6 r:2", "G5:6 F#5:2 E5:4 B4:4", "E5:6 G5:2 E5:6 r:2",
        "B5:6 A5:2 G5:4 B5:4", "A5:6 F#5:2 D5:6 r:2", "E5:4 G5:4 C6:4 B5:4", "A5:12 r:4",
    ],
    "bridge": [
        "A4:4 C5:4 E5:6", "E5:4 D5:4 C5:6", "C5:4 F5:4 A5:6", "B5:4 A5:4 G5:6",
        "A5:2 G5:2 E5:4 C5:6", "A4:2 C5:2 E5:4 A5:6", "C6:4 A5:4 F5:6", "E5:4 G#5:4 B5:6",
    ],
    "ending": ["E5:8 G5:8", "F#5:8 A5:4 F#5:4", "G5:16"],
}  # fmt: skip


def choose(patterns: dict[str, list[str]], bar: Bar) -> str | None:
    """The pattern of a bar: a verse ends with a stop of the whole band."""
    kind = "stop" if bar.section.kind == "verse" and bar.last and "stop" in patterns else bar.section.kind
    if kind not in patterns:
        return None
    return patterns[kind][bar.place % len(patterns[kind])]


def play_rhythm(bars: list[Bar], bass: Track, guitar: Track, piano: Track) -> None:
    """Bass and guitar on the riff, the piano on chords with the pedal."""
    players = [
        (Player(bass, 11, 88, late=2), BASS, bass_note),
        (Player(guitar, 12, 86, late=4), GUITAR, power_chord),
        (Player(piano, 13, 72), PIANO, close_chord(57)),
    ]
    for bar in bars:
        for player, patterns, voice in players:
            if pattern := choose(patterns, bar):
                player.pattern(bar, pattern, voice, roll=3 if player.track is guitar else 0)
                if player.track is piano:
                    piano.control(bar.tick + 20, PEDAL, 127)
                    piano.control(bar.tick + (bar.steps - 1) * 120, PEDAL, 0)


def play_strings(bars: list[Bar], strings: Track) -> None:
    """Whole bars with a swell, from the second verse on and in every chorus."""
    player = Player(strings, 14, 70, late=-4)
    for bar in bars:
        if bar.section.kind in ("chorus", "bridge", "ending") or bar.section.name == "Verse 2":
            player.pattern(bar, "X" + "-" * (bar.steps - 1), close_chord(60), gate=0.99)
            for k in range(0, bar.steps, 2):
                strings.control(bar.tick + k * 120, EXPRESSION, 78 + 40 * (k / bar.steps) * (1.1 if bar.last else 0.7))


def play_lead(bars: list[Bar], lead: Track) -> None:
    """The tune, bent up to where a chorus begins."""
    player = Player(lead, 15, 80, late=6)
    for bar in bars:
        if bar.section.kind in MELODIES:
            player.melody(bar, MELODIES[bar.section.kind][bar.place], swell=4 if bar.section.kind == "chorus" else 0)
        if bar.section.kind == "chorus" and bar.place == 0:
            for k in range(5):
                lead.bend(bar.tick + 24 * k, -2048 + 512 * k)


def compose(path: Path) -> None:
    """Write the song."""
    bars, end = lay_bars(SECTIONS)
    conductor = conduct(SECTIONS, "No Drummer Yet", KEYS)
    slow_down(conductor, bars[-3].tick, end, 118, 62)
    chorus = next(b for b in bars if b.section.kind == "chorus")
    conductor.meta(chorus.tick, META_LYRIC, "And the band plays on")
    bass, guitar, piano = Track("Bass", 0, 33), Track("Electric guitar", 1, 30), Track("Piano", 2, 0)
    strings, lead = Track("Strings", 3, 48), Track("Lead", 4, 81)
    for track, volume, pan in ((bass, 104, 64), (guitar, 84, 40), (piano, 90, 84), (strings, 74, 70), (lead, 82, 60)):
        track.control(0, VOLUME, volume)
        track.control(0, PAN, pan)
    play_rhythm(bars, bass, guitar, piano)
    play_strings(bars, strings)
    play_lead(bars, lead)
    write_midi(path, [conductor, bass, guitar, piano, strings, lead], end)


if __name__ == "__main__":
    compose(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "song.mid")
