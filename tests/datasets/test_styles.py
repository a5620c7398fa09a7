from __future__ import annotations

import pytest

from backbeat.datasets.styles import STYLES, find_style, style_index
from backbeat.errors import InputError


@pytest.mark.parametrize(
    ("genre", "style"),
    [
        ("rock", "rock"),
        ("Rock/Metal", "metal"),
        ("funk/soul", "funk"),
        ("soul", "soul"),
        ("", "any"),
        ("unknown words", "any"),
        ("pop (60s-70s)", "pop"),
        ("rock reggae", "reggae"),
        ("Hip-Hop", "hiphop"),
        ("neworleans", "jazz"),
    ],
)
def test_the_style_of_a_genre(genre: str, style: str) -> None:
    assert find_style(genre) == style


@pytest.mark.parametrize("style", STYLES[1:])
def test_every_style_is_a_genre_of_its_own(style: str) -> None:
    assert find_style(style) == style
    assert STYLES[style_index(style)] == style


def test_any_stands_first() -> None:
    assert style_index("any") == 0


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(InputError, match="no style 'polka': choose from any, rock"):
        style_index("polka")


@pytest.mark.parametrize(
    ("genre", "style"),
    [
        ("slowjazz2", "jazz"),
        ("60srock", "rock"),
        ("afro-cuban", "latin"),
        ("Afro Cuban", "latin"),
        ("Swing&Jazz", "jazz"),
        ("R&B", "soul"),
        ("hiphop/rnb", "hiphop"),
        ("mtl", "metal"),
        ("bossanova", "latin"),
        ("FunkyDrummer", "funk"),
        ("DeepHouse", "electronic"),
        ("countryblues", "country"),
        ("Slow Reggaeton", "latin"),
        ("rockballad", "rock"),
        ("guitarballad", "pop"),
        ("16beat3", "pop"),
        ("16shuffle1", "blues"),
        ("shufflerock", "rock"),
        ("Cha Cha", "latin"),
        ("Classic Hip Hop", "hiphop"),
    ],
)
def test_words_inside_words(genre, style):
    assert find_style(genre) == style


@pytest.mark.parametrize("genre", ["askance", "wrapper", "ContemporaryKick", "XGSONG", "strap", "son-in-law", "metronome", "waltz", "80s", "///"])
def test_short_and_vague_words_inside_others_mean_nothing(genre):
    assert find_style(genre) == "any"
