"""Styles that can be asked for, and how the genre words of data sets map to them."""

from __future__ import annotations

import re

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
    "rock": "rock prog oldies hrk", "metal": "metal mtl thr thrash", "punk": "punk",
    "jazz": "jazz fusion fus mahavishnu swing neworleans bigband bebop dixie ragtime charleston foxtrot quickstep basie evansish",
    "blues": "blues boogie boggie", "funk": "funk funky", "soul": "soul motown r&b r+b rb rnb",
    "latin": "latin afrocuban afro-cuban salsa bossa samba mambo rhumba rumba bolero beguine merengue tango cuban chacha cumbia bachata lambada "
    "forro reggaeton montuno calypso cha songo son brazil mariachi flamenco quando",
    "afro": "afrobeat highlife afro soukous gahu shiko", "hiphop": "hiphop rap hip-hop hip trap",
    "electronic": "electronic techno dance industrial disco house trance rave ambient dnb jungle dubstep breakbeat garage footwork electro bigbeat "
    "synthwave triphop trip",
    "country": "country cntry bluegrass western zydeco", "folk": "folk irish polka tarantella", "reggae": "reggae ska",
    "gospel": "gospel christian spiritual hymn",
    "pop": "pop poprock popular contemporary eurovision schlager chanson ballads 60s-70s",
}  # fmt: skip
_WEAK = {"rock": "twist jive", "blues": "shuffle", "pop": "ballad bald beat 8beat 16beat"}
"""Words that count only where no other says more: a jazz ballad is jazz."""


def _invert(words: dict[str, str]) -> dict[str, str]:
    return {word: style for style, line in words.items() for word in line.split()}


_STYLE_OF, _WEAK_STYLE_OF = _invert(_WORDS), _invert(_WEAK)
_ONLY_ALONE = {"contemporary", "popular", "beat", "trip", "trap"}
"""Never sought inside another word, like all that are shorter than four letters (ska, rap) but "pop"."""
_LONGEST_FIRST = sorted((w for w in _STYLE_OF | _WEAK_STYLE_OF if (len(w) >= 4 or w == "pop") and w not in _ONLY_ALONE), key=len, reverse=True)
_INSIDE = re.compile("|".join(map(re.escape, _LONGEST_FIRST)))
_SPLIT = re.compile(r"[\s/(),]+")
_STRONGEST = ("metal", "punk", "funk", "reggae", "latin", "pop")


def _list_words(genre: str) -> list[str]:
    """The known words of a genre label, in order: whole ones (numbers at their end do not count), else those inside: "slowjazz2" has jazz."""
    known = _STYLE_OF | _WEAK_STYLE_OF
    found = []
    for chunk in filter(None, _SPLIT.split(genre.lower())):
        whole = next((w for w in (chunk, chunk.rstrip("0123456789")) if w in known), None)
        found += [whole] if whole else _INSIDE.findall(chunk)
    return found


def find_style(genre: str) -> str:
    """The style that a genre label means, "any" where it means none: "rock/metal" is metal, "funk/soul" funk, "slowjazz" jazz."""
    words = _list_words(genre)
    found = [_STYLE_OF[w] for w in words if w in _STYLE_OF] or [_WEAK_STYLE_OF[w] for w in words]
    return next((style for style in _STRONGEST if style in found), found[0] if found else "any")


def style_index(name: str) -> int:
    """The index of a style.

    Raises:
        InputError: there is no such style.
    """
    if name not in STYLES:
        raise InputError(f"no style {name!r}: choose from {', '.join(STYLES)}")
    return STYLES.index(name)
