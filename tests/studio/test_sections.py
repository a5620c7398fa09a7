"""Sections with their letters, and the band's intensity."""

import numpy as np
import pytest

from backbeat.cues import hear, hear_nothing
from backbeat.grid import Grid
from backbeat.midi import parse_song
from backbeat.studio.sections import find_sections, measure_intensity, name_letter
from tests.midi.builders import Track, midi


def listen(form):
    """The cues of a song of eight-bar sections: V is a soft verse, C a loud chorus, B a bridge."""
    bass, keys, lead = Track().program(0, 33), Track().program(0, 0, 1), Track().program(0, 30, 2)
    for number, kind in enumerate(form):
        for bar in range(8):
            tick = (8 * number + bar) * 1920
            for beat in range(4 if kind == "V" else 8):
                width = 480 if kind == "V" else 240
                bass.note(tick + beat * width, width - 10, {"V": 40, "C": 45, "B": 35}[kind], 60 if kind == "V" else 110)
            if kind != "V":
                for beat in range(0, 16, 2 if kind == "C" else 3):
                    lead.note(tick + beat * 120, 110, {"C": 69, "B": 61}[kind] + bar % 2, 115, 2)
            keys.note(tick, 1900, {"V": 60, "C": 64, "B": 54}[kind], 50 if kind == "V" else 100, 1)
    song = parse_song(midi(*(t.chunk() for t in (bass, keys, lead))))
    return hear(song, song.grid())


def test_sections_that_come_back_share_a_letter():
    found = find_sections(listen("VCVCBC"))
    assert [(s.first_bar, s.bars) for s in found] == [(8 * k, 8) for k in range(6)]
    assert "".join(s.label for s in found) == "ABABCB"


def test_a_chorus_is_more_intense_than_a_verse():
    found = measure_intensity(listen("VCV"))
    assert found.shape == (24,) and found.min() >= 0 and found.max() <= 1
    assert found[8:16].min() > found[:8].max() + 0.2


def test_without_a_band_there_is_one_section_and_no_intensity():
    cues = hear_nothing(Grid.regular(4))
    assert [(s.first_bar, s.bars, s.label) for s in find_sections(cues)] == [(0, 4, "A")] and np.all(measure_intensity(cues) == 0)


def test_sections_cover_all_bars_in_order():
    found = find_sections(listen("VBC"))
    assert [s.first_bar for s in found] == np.cumsum([0, *(s.bars for s in found)])[:-1].tolist()


@pytest.mark.parametrize(("number", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA")])
def test_letters(number, letter):
    assert name_letter(number) == letter
