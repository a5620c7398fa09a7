"""What the page plays of the band."""

import numpy as np
import pytest

from backbeat.midi import parse_song
from backbeat.render.timeline import seconds_of
from backbeat.studio import playback
from backbeat.studio.playback import find_stand_ins, make_playback
from tests.midi.builders import Track, midi


def play(*tracks):
    return make_playback(parse_song(midi(*(t.chunk() for t in tracks))))


def test_notes_follow_the_tempo_map():
    conductor = Track().tempo(0, 500_000).tempo(480, 1_000_000)
    part = Track().note(0, 240, 60, 90).note(480, 480, 62, 80)
    assert play(conductor, part)["parts"][0]["notes"] == [[0, 0.25, 60, 90], [0.5, 1.5, 62, 80]]


def test_controllers_pressure_and_bend_are_sent_when_they_change():
    part = Track().program(0, 40).control(0, 7, 90).control(240, 7, 90).control(480, 7, 50).add(480, b"\xe0\x00\x50").add(600, b"\xd0\x20").note(0, 960, 60)
    assert play(part)["controls"] == [[0, 0xC0, 40, 0], [0, 0xB0, 7, 90], [0.5, 0xB0, 7, 50], [0.5, 0xE0, 0, 0x50], [0.625, 0xD0, 0x20, 0]]


def test_bank_and_program_stay_together_even_where_they_repeat():
    part = Track().control(0, 0, 8).program(0, 5).control(480, 0, 8).program(480, 5).note(0, 960, 60)
    assert [c[1:3] for c in play(part)["controls"]] == [[0xB0, 0], [0xC0, 5]] * 2


def test_nothing_of_the_drums_is_sent():
    part = Track().program(0, 16, 9).control(0, 7, 20, 9).note(0, 100, 36, 100, 9).note(0, 480, 60)
    found = play(part)
    assert found["controls"] == [] and [p["channel"] for p in found["parts"]] == [0]


def test_messages_that_stop_all_notes_are_left_out():
    assert play(Track().control(0, 123, 0).control(0, 120, 0).control(0, 121, 0).control(0, 127, 0).note(0, 480, 60))["controls"] == []


def test_what_is_set_after_the_last_note_is_left_out():
    assert play(Track().note(0, 480, 60).control(4800, 7, 3))["controls"] == []


def test_too_many_notes_are_cut_and_said_so(monkeypatch):
    monkeypatch.setattr(playback, "MAX_NOTES", 3)
    found = play(*(Track().note(0, 10, 60, 90, c).note(20, 10, 61, 90, c) for c in range(3)))
    assert sum(len(p["notes"]) for p in found["parts"]) == 3 and found["truncated"]


def test_too_many_controls_are_thinned_but_keep_programs(monkeypatch):
    monkeypatch.setattr(playback, "MAX_CONTROLS", 50)
    part = Track().note(0, 4800, 60)
    for tick in range(400):
        part.control(tick, 11, tick % 128)
    part.program(300, 7)
    found = play(part)["controls"]
    assert len(found) <= 50 and [c for c in found if c[1] == 0xC0] and found == sorted(found, key=lambda c: c[0])


def test_programs_that_the_font_lacks_have_stand_ins():
    there = {0, 4, 16, 25, 27, 30, 33, 38, 48, 52, 56, 61, 65, 73, 81, 89}
    found = find_stand_ins()
    assert {int(p) for p in found} == set(range(128)) - there and set(found.values()) <= there and found["34"] == 33


@pytest.mark.parametrize("division", [96, 480, 0xE728])
def test_times_are_those_of_the_sound(division):
    song = parse_song(midi(Track().tempo(0, 400_000).note(50, 70, 60).chunk(), division=division))
    notes = make_playback(song)["parts"][0]["notes"]
    assert np.allclose(notes[0][:2], seconds_of(song.tempo, np.array([50, 120])), atol=1e-4)
