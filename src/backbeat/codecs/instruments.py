"""Instruments of melodies by name: General MIDI programs."""

from __future__ import annotations

from backbeat.errors import InputError

INSTRUMENTS = {
    "piano": 0,
    "epiano": 4,
    "bells": 11,
    "organ": 16,
    "guitar": 25,
    "distortion": 30,
    "bass": 33,
    "synth-bass": 38,
    "violin": 40,
    "strings": 48,
    "choir": 52,
    "trumpet": 56,
    "brass": 61,
    "sax": 65,
    "flute": 73,
    "lead": 81,
    "pad": 89,
    "sitar": 104,
    "kalimba": 108,
}
"""Names that people use -> program 0-127."""
FAMILIES = (
    *("piano", "bells", "organ", "guitar", "bass", "strings", "ensemble", "brass"),
    *("reeds", "flutes", "lead", "pad", "effects", "ethnic", "drums", "noises"),
)
"""The 16 families of General MIDI, a family is eight programs."""


def find_program(name: str) -> int:
    """The General MIDI program of an instrument.

    Args:
        name: one of ``INSTRUMENTS``, in any case, or a program's number from 0 to 127.

    Raises:
        InputError: it is neither.
    """
    text = name.strip().lower()
    if text in INSTRUMENTS:
        return INSTRUMENTS[text]
    if text.isascii() and text.isdigit() and len(text) < 4 and int(text) < 128:
        return int(text)
    raise InputError(f"no instrument {name!r}: choose from {', '.join(INSTRUMENTS)}, or give a General MIDI program from 0 to 127")


def name_program(program: int) -> str:
    """The name of a program, or else of its family: "bass", "sax" ...

    Args:
        program: 0-127.
    """
    return next((name for name, number in INSTRUMENTS.items() if number == program), FAMILIES[program // 8])
