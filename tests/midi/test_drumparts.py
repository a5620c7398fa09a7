"""Finding drum parts on any channel, and leaving basses and steel drums alone."""

from __future__ import annotations

import pytest

from backbeat.midi import parse_song
from backbeat.midi.drumparts import names_drums
from tests.midi.builders import Track, midi


def kit_track(channel: int, program: int = 0, name: str = "", bars: int = 4) -> Track:
    """Kick, snare and closed hat in 8ths, at 480 ticks per quarter."""
    track = Track().name(name).program(0, program, channel)
    for eighth in range(bars * 8):
        track.note(eighth * 240, 60, 42, 80, channel)
        if eighth % 2 == 0:
            track.note(eighth * 240, 60, 36 if eighth % 4 == 0 else 38, 100, channel)
    return track


def bass_track(channel: int = 1, program: int = 33, name: str = "Bass") -> Track:
    """A bass line on E, G, A, B flat and F sharp: pitches that are also drums."""
    track = Track().name(name).program(0, program, channel)
    for n, pitch in enumerate([40, 40, 43, 45, 46, 42, 40, 38] * 8):
        track.note(n * 240, 200, pitch, 90, channel)
    return track


def reasons(*tracks: Track) -> list[str]:
    return [part.drums for part in parse_song(midi(*(track.chunk() for track in tracks))).parts]


def test_channel_10_is_drums_whatever_it_plays() -> None:
    assert reasons(Track().name("Piano").note(0, 4000, 60, 90, 9)) == ["channel 10"]


def test_a_drum_kit_on_another_channel_is_known_by_its_notes() -> None:
    assert reasons(kit_track(2), bass_track()) == ["notes", ""]


def test_the_drums_of_channel_10_copied_to_a_bass_program_are_known() -> None:
    assert reasons(kit_track(9), kit_track(3, program=34)) == ["channel 10", "notes"]


def test_a_bass_that_follows_the_kick_is_a_bass() -> None:
    bass = Track().name("Bass").program(0, 33, 1)
    for n in range(16):
        bass.note(n * 480, 400, 36 if n % 2 == 0 else 38, 90, 1)
    assert reasons(kit_track(9), bass) == ["channel 10", ""]


def test_power_chords_are_not_drums() -> None:
    chords = Track().program(0, 81)
    for n, root in enumerate([37, 39, 40, 37, 35, 38, 40, 37] * 8):
        chords.note(n * 240, 200, root).note(n * 240, 200, root + 7)
    assert reasons(chords) == [""]


@pytest.mark.parametrize("program", [33, 38, 0, 81])
def test_a_bass_line_is_a_bass_line_on_any_program(program: int) -> None:
    assert reasons(kit_track(9), bass_track(program=program, name="")) == ["channel 10", ""]


@pytest.mark.parametrize(
    "name",
    ["Drums", "DRUMS 2", "Rock Drum Kit", "Percussion", "perc.", "Batterie", "Schlagzeug", "Bateria", "Snare (left)", "Kick", "Hi-Hat", "hihat", "Crash cymbal"]
    + ["Bass drum", "Synth Drum", "E-Drums", "Congas", "ドラム", "Барабаны", "P11-JAZZ KIT"],
)
def test_names_that_speak_of_drums(name: str) -> None:
    assert names_drums(name)
    single = Track().name(name).note(0, 60, 50, 90, 3).note(480, 60, 50, 90, 3)
    assert reasons(single) == ["name"]


@pytest.mark.parametrize(
    "name",
    [
        "Steel Drums",
        "steeldrum",
        "Drum & Bass Lead",
        "Drum and Bass",
        "Kick Bass",
        "Kickass guitar",
        "Drumond solo",
        "Tom Jobim",
        "Melodic Tom",
        "Timpani",
        "No drums",
        "Percy",
        "",
    ]
    + ["What a kite", "Harp", "Slap Bass"],
)
def test_names_that_do_not(name: str) -> None:
    assert not names_drums(name)


def test_a_drum_name_does_not_make_a_melody_drums() -> None:
    melody = Track().name("Conga")
    for n in range(40):
        melody.note(n * 480, 460, 48 + n * 7 % 25)
    assert reasons(melody) == [""]
    bass = bass_track(name="Conga")
    assert reasons(bass) == [""]


def test_a_name_that_several_parts_share_is_a_title() -> None:
    track = Track().name("Drum song").note(0, 60, 60, 90, 0).note(0, 60, 64, 90, 1).note(0, 60, 36, 90, 9)
    assert reasons(track) == ["", "", "channel 10"]


@pytest.mark.parametrize(
    ("program", "reason"), [(115, "program"), (116, "program"), (117, "program"), (118, "program"), (113, "program"), (112, ""), (114, ""), (47, "")]
)
def test_percussion_programs(program: int, reason: str) -> None:
    assert reasons(Track().program(0, program).note(0, 60, 60).note(480, 60, 60).note(960, 60, 62)) == [reason]


def test_a_percussion_program_that_plays_a_melody_is_not_drums() -> None:
    melody = Track().program(0, 117)
    for n in range(40):
        melody.note(n * 480, 460, 60 + n * 7 % 25)
    assert reasons(melody) == [""]


def test_a_long_reverse_cymbal_is_drums() -> None:
    assert reasons(Track().program(0, 119).note(0, 1920, 60)) == ["program"]


XG_ON, GM2_ON = "43 10 4C 00 00 7E 00", "7E 7F 09 03"


def test_the_drum_bank_counts_in_a_file_that_speaks_xg() -> None:
    banked = Track().control(0, 0, 127, 4).program(1, 25, 4).note(10, 60, 72, 90, 4).note(500, 2000, 30, 90, 4)
    assert reasons(Track().sysex(0, XG_ON), banked) == ["bank"]
    assert reasons(banked) == [""]  # elsewhere bank 127 is a melodic one: Roland's MT-32 sounds


def test_the_drum_bank_counts_elsewhere_where_the_notes_agree() -> None:
    banked = Track().control(0, 0, 127, 4)
    for n in range(8):
        banked.note(n * 240, 20, 36, 90, 4)
    assert reasons(banked) == ["bank"]


def test_the_bank_is_the_one_most_notes_sound_with() -> None:
    banked = Track().control(0, 0, 127, 4).note(10, 60, 72, 90, 4).control(100, 0, 0, 4).note(200, 60, 72, 90, 4).note(300, 60, 76, 90, 4)
    assert reasons(Track().sysex(0, XG_ON), banked) == [""]


def test_the_drum_bank_of_general_midi_2() -> None:
    banked = Track().control(0, 0, 120, 10).note(0, 60, 72, 90, 10)
    assert reasons(Track().sysex(0, GM2_ON), banked) == ["bank"]
    assert reasons(banked) == [""]


@pytest.mark.parametrize(
    ("message", "channel"),
    [
        ("41 10 42 12 40 1A 15 02 0F", 10),  # Roland GS: part 11 is a rhythm part, on channel 11
        ("41 10 42 12 40 11 15 01 19", 0),  # part 1
        ("43 10 4C 08 0A 07 02", 10),  # Yamaha XG: part 11 is a drum part
    ],
)
def test_a_sysex_message_makes_a_channel_a_rhythm_part(message: str, channel: int) -> None:
    part = Track().note(0, 3000, 72, 90, channel)
    assert reasons(Track().sysex(0, message), part) == ["sysex"]
    other = Track().note(0, 3000, 72, 90, channel + 1)
    assert reasons(Track().sysex(0, message), other) == [""]


def test_a_later_sysex_message_takes_it_back() -> None:
    setup = Track().sysex(0, "41 10 42 12 40 1A 15 02 0F").sysex(5, "41 10 42 12 40 1A 15 00 11")
    assert reasons(setup, Track().note(0, 3000, 72, 90, 10)) == [""]


@pytest.mark.parametrize("message", ["", "41", "43 10 4C 08", "43 10 4C 08 7F 07 01", "41 10 42 12 40 1A 15"])
def test_a_cut_sysex_message_is_no_matter(message: str) -> None:
    assert reasons(Track().sysex(0, message), Track().note(0, 3000, 72)) == [""]
