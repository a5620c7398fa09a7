"""Compose ``ballad.mid``: a slow song in 12/8 for bass, guitar, piano, strings and a saxophone, without drums.

Run ``python make_ballad.py [FOLDER]``; the folder is this one unless named. About a minute in D major: a short intro, a verse,
a chorus and an ending.
"""

from __future__ import annotations

import sys
from pathlib import Path

from band import EXPRESSION, PAN, PEDAL, VOLUME, Bar, Player, Section, Track, bass_note, close_chord, conduct, lay_bars, slow_down, write_midi

STEPS, BEAT = 24, 6
SECTIONS = [
    Section("Intro", "intro", "D G", 93, 0.8, 12, 8),
    Section("Verse", "verse", "D A Bm G D A G A7", 93, 0.88, 12, 8),
    Section("Chorus", "chorus", "G A F#m Bm G A D D7", 93, 1.06, 12, 8),
    Section("Ending", "ending", "G D", 93, 0.85, 12, 8),
]
BASS = {
    "verse": ["R---------5-R-------5-A-", "R---------R-5-----R-5-A-"],
    "chorus": ["R---R-5---R-R---R-O-5-A-", "R---R-5---R-O---5-R-5-A-"],
    "ending": ["R-----------5-------A---", "R-----------------------"],
}
GUITAR = {"chorus": ["......X---X-......X---X-"], "ending": ["......X-----......X-----", "........................"]}
ARPEGGIO = {"intro": "012321012321", "verse": "012321012321", "chorus": "023132023132", "ending": "012321012321"}
MELODIES = {
    "verse": [
        "r:6 F#4:4 A4:2 D5:8 C#5:4", "C#5:6 B4:4 A4:2 E4:12", "r:6 D5:4 E5:2 F#5:8 E5:4", "D5:10 B4:2 B4:6 r:6",
        "r:6 F#4:4 A4:2 D5:8 E5:4", "E5:6 C#5:4 A4:2 A4:12", "B4:6 D5:6 G5:8 F#5:4", "E5:18 r:6",
    ],
    "chorus": [
        "G5:6 F#5:4 E5:2 D5:8 B4:4", "E5:6 F#5:4 G5:2 A5:12", "A5:6 F#5:6 C#5:8 E5:4", "D5:18 F#5:6",
        "G5:6 F#5:4 E5:2 B5:8 A5:4", "G5:6 F#5:4 E5:2 C#5:12", "D5:24", "r:12 A4:6 C5:6",
    ],
    "ending": ["B4:12 D5:6 E5:6", "F#5:24"],
}  # fmt: skip


def play_piano(bars: list[Bar], piano: Track) -> None:
    """Broken chords in 8ths under the pedal."""
    player, voice = Player(piano, 22, 66, beat=BEAT), close_chord(54)
    for bar in bars:
        tones = voice(bar, "X")
        tones = [*tones, tones[0] + 12][:4]
        for index, letter in enumerate(ARPEGGIO[bar.section.kind]):
            if bar.section.kind == "ending" and bar.last and index:
                break
            whole = bar.section.kind == "ending" and bar.last
            player.strike(bar, 2 * index, STEPS if whole else 2, tones if whole else [tones[int(letter)]], roll=12 if whole else 0)
        piano.control(bar.tick + 20, PEDAL, 127)
        piano.control(bar.tick + (STEPS - 1) * 120, PEDAL, 0)


def play_others(bars: list[Bar], bass: Track, guitar: Track, strings: Track, saxophone: Track) -> None:
    """Bass, guitar on the back of the beat, strings from the chorus on, the tune."""
    low, strum = Player(bass, 21, 84, late=3, beat=BEAT), Player(guitar, 23, 68, beat=BEAT)
    pad, tune = Player(strings, 24, 64, late=-4, beat=BEAT), Player(saxophone, 25, 84, late=9, beat=BEAT)
    for bar in bars:
        kind = bar.section.kind
        if kind in BASS:
            low.pattern(bar, BASS[kind][bar.place % len(BASS[kind])], bass_note)
        if kind in GUITAR:
            strum.pattern(bar, GUITAR[kind][bar.place % len(GUITAR[kind])], close_chord(59), roll=9)
        if kind in ("chorus", "ending"):
            pad.pattern(bar, "X" + "-" * (STEPS - 1), close_chord(62), gate=0.99)
            for k in range(0, STEPS, 3):
                strings.control(bar.tick + k * 120, EXPRESSION, 76 + 36 * k / STEPS)
        if kind in MELODIES:
            tune.melody(bar, MELODIES[kind][bar.place])


def compose(path: Path) -> None:
    """Write the song."""
    bars, end = lay_bars(SECTIONS)
    conductor = conduct(SECTIONS, "Twelve Slow Eighths", {"Intro": (2, 0)})
    slow_down(conductor, bars[-2].tick, end, 93, 54)
    bass, guitar, piano = Track("Bass", 0, 33), Track("Clean guitar", 1, 27), Track("Piano", 2, 0)
    strings, saxophone = Track("Strings", 3, 48), Track("Alto saxophone", 4, 65)
    for track, volume, pan in ((bass, 100, 64), (guitar, 76, 36), (piano, 94, 80), (strings, 72, 68), (saxophone, 92, 58)):
        track.control(0, VOLUME, volume)
        track.control(0, PAN, pan)
    play_piano(bars, piano)
    play_others(bars, bass, guitar, strings, saxophone)
    write_midi(path, [conductor, bass, guitar, piano, strings, saxophone], end)


if __name__ == "__main__":
    compose(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "ballad.mid")
