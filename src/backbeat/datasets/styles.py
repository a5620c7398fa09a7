"""Styles that can be asked for, and how the genre words of data sets map to them."""

from __future__ import annotations

from backbeat.errors import InputError

STYLES = (
    "any",
    "rock",
    "pop",
    "metal",
    "punk",
    "jazz",
    "blues",
    "funk",
    "soul",
    "latin",
    "afro",
    "hiphop",
    "electronic",
    "country",
    "folk",
    "reggae",
    "gospel",
)
"""Index 0, "any", means that no style is asked for."""

_WORDS = {
    "rock": "rock prog oldies", "metal": "metal", "punk": "punk", "jazz": "jazz fusion mahavishnu swing neworleans", "blues": "blues",
    "funk": "funk funky", "soul": "soul", "latin": "latin afrocuban salsa bossa samba", "afro": "afrobeat highlife afro",
    "hiphop": "hiphop rnb rap hip-hop", "electronic": "electronic techno dance industrial disco house trance", "country": "country",
    "folk": "folk irish", "reggae": "reggae ska", "gospel": "gospel christian",
    "pop": "pop poprock popular contemporary eurovision schlager chanson ballads 60s-70s",
}  # fmt: skip
_STYLE_OF = {word: style for style, words in _WORDS.items() for word in words.split()}


def find_style(genre: str) -> str:
    """The style that a genre label means, "any" where it means none: "rock/metal" is metal, "funk/soul" funk."""
    words = genre.lower().replace("/", " ").replace("(", " ").split()
    found = [_STYLE_OF[w] for w in words if w in _STYLE_OF]
    for style in ("metal", "punk", "funk", "reggae", "pop"):
        if style in found:
            return style
    return found[0] if found else "any"


def style_index(name: str) -> int:
    """The index of a style.

    Raises:
        InputError: there is no such style.
    """
    if name not in STYLES:
        raise InputError(f"no style {name!r}: choose from {', '.join(STYLES)}")
    return STYLES.index(name)
