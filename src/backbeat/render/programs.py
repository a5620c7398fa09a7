"""General MIDI programs: their names, and which sound stands in for one that a SoundFont lacks.

Programs are numbered 0-127, as in MIDI bytes; a family is a run of eight.
"""

from __future__ import annotations

from collections.abc import Collection

FAMILY_SIZE = 8

NAMES = tuple(
    """
    Acoustic Grand Piano|Bright Acoustic Piano|Electric Grand Piano|Honky-tonk Piano|Electric Piano 1|Electric Piano 2|Harpsichord|Clavinet
    Celesta|Glockenspiel|Music Box|Vibraphone|Marimba|Xylophone|Tubular Bells|Dulcimer
    Drawbar Organ|Percussive Organ|Rock Organ|Church Organ|Reed Organ|Accordion|Harmonica|Bandoneon
    Nylon Guitar|Steel Guitar|Jazz Guitar|Clean Guitar|Muted Guitar|Overdriven Guitar|Distortion Guitar|Guitar Harmonics
    Acoustic Bass|Finger Bass|Pick Bass|Fretless Bass|Slap Bass 1|Slap Bass 2|Synth Bass 1|Synth Bass 2
    Violin|Viola|Cello|Contrabass|Tremolo Strings|Pizzicato Strings|Harp|Timpani
    String Ensemble 1|String Ensemble 2|Synth Strings 1|Synth Strings 2|Choir Aahs|Voice Oohs|Synth Voice|Orchestra Hit
    Trumpet|Trombone|Tuba|Muted Trumpet|French Horn|Brass Section|Synth Brass 1|Synth Brass 2
    Soprano Sax|Alto Sax|Tenor Sax|Baritone Sax|Oboe|English Horn|Bassoon|Clarinet
    Piccolo|Flute|Recorder|Pan Flute|Blown Bottle|Shakuhachi|Whistle|Ocarina
    Square Lead|Saw Lead|Calliope Lead|Chiff Lead|Charang Lead|Voice Lead|Fifths Lead|Bass and Lead
    New Age Pad|Warm Pad|Polysynth Pad|Choir Pad|Bowed Pad|Metallic Pad|Halo Pad|Sweep Pad
    Rain|Soundtrack|Crystal|Atmosphere|Brightness|Goblins|Echoes|Sci-fi
    Sitar|Banjo|Shamisen|Koto|Kalimba|Bagpipe|Fiddle|Shanai
    Tinkle Bell|Agogo|Steel Drums|Woodblock|Taiko Drum|Melodic Tom|Synth Drum|Reverse Cymbal
    Guitar Fret Noise|Breath Noise|Seashore|Bird Tweet|Telephone Ring|Helicopter|Applause|Gunshot
    """.strip()
    .replace("\n", "|")
    .replace("|    ", "|")
    .split("|")
)
"""The 128 names of General MIDI level 1, shortened where the family is plain."""

STAND_INS = (
    (0, 0, 0, 0, 4, 4, 0, 4),  # pianos
    (4, 4, 4, 4, 4, 4, 4, 25),  # bells and mallets: an electric piano is struck metal, too
    (16, 16, 16, 16, 16, 16, 16, 16),  # organs and free reeds
    (25, 25, 27, 27, 27, 30, 30, 27),  # guitars
    (33, 33, 33, 33, 33, 33, 38, 38),  # basses
    (48, 48, 48, 48, 48, 25, 25, 33),  # strings; plucked ones by a guitar, timpani by a bass
    (48, 48, 48, 48, 52, 52, 52, 61),  # ensembles and choirs
    (56, 56, 61, 56, 61, 61, 61, 61),  # brass
    (65, 65, 65, 65, 73, 65, 65, 73),  # reeds
    (73, 73, 73, 73, 73, 73, 73, 73),  # flutes
    (81, 81, 73, 81, 30, 52, 81, 81),  # synthetic leads
    (89, 89, 89, 52, 89, 89, 89, 89),  # synthetic pads
    (89, 89, 89, 25, 89, 89, 89, 89),  # synthetic effects
    (25, 25, 25, 25, 4, 65, 48, 65),  # from elsewhere
    (4, 4, 4, 4, 33, 33, 38, 89),  # percussion with a pitch
    (89, 89, 89, 89, 89, 89, 89, 89),  # noises
)
"""For each program, the one of the shipped ``band.sf3`` that sounds most like it, family by family."""


def find_stand_in(program: int, available: Collection[int]) -> int | None:
    """The program that sounds for one that a SoundFont lacks: the table's, else the nearest of its family, else none.

    Args:
        program: 0-127.
        available: the programs the SoundFont has in bank 0.
    """
    family, place = divmod(program, FAMILY_SIZE)
    if STAND_INS[family][place] in available:
        return STAND_INS[family][place]
    relatives = [p for p in available if p // FAMILY_SIZE == family]
    return min(relatives, key=lambda p: (abs(p - program), p), default=None)


def find_kit_stand_in(program: int, available: Collection[int]) -> int | None:
    """The drum kit (a program of bank 128) that sounds for one that a SoundFont lacks: its family's, else the standard kit."""
    family = program - program % FAMILY_SIZE
    return next((p for p in (family, 0) if p in available), None)
