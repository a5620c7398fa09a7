"""Reading: parts, tempo, metre, notes, text, and every oddity that is tolerated."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import pytest

from backbeat.errors import InputError
from backbeat.midi import parse_song, read_song
from backbeat.midi.reader import decode_text
from backbeat.song import Part
from tests.midi.builders import Track, band_song, chunk, header, midi, undump


def notes_of(part: Part) -> list[tuple[int, int, int, int]]:
    return [tuple(int(v) for v in note) for note in part.notes.tolist()]


def test_parts_are_the_channels_of_the_tracks_that_have_notes() -> None:
    both = Track().name("Two").program(0, 40, 2).note(0, 10, 60, 100, 2).program(0, 41, 3).note(5, 10, 61, 90, 3)
    song = parse_song(midi(Track().name("Empty").chunk(), both.chunk()))
    assert [(p.track, p.channel, p.program, p.name) for p in song.parts] == [(1, 2, 40, "Two"), (1, 3, 41, "Two")]
    assert notes_of(song.parts[0]) == [(0, 10, 60, 100)]


def test_notes_stand_by_onset_then_pitch() -> None:
    song = parse_song(midi(Track().note(9, 1, 70).note(0, 5, 64).note(0, 5, 60).chunk()))
    assert [(n[0], n[2]) for n in notes_of(song.parts[0])] == [(0, 60), (0, 64), (9, 70)]


def test_overlapping_notes_of_one_pitch_end_in_the_order_they_began() -> None:
    track = Track().add(0, b"\x90\x3c\x64").add(10, b"\x90\x3c\x50").add(20, b"\x80\x3c\x00").add(30, b"\x80\x3c\x00")
    assert notes_of(parse_song(midi(track.chunk())).parts[0]) == [(0, 20, 60, 100), (10, 30, 60, 80)]


def test_a_note_on_without_velocity_ends_a_note() -> None:
    track = Track().add(0, b"\x90\x3c\x64").add(10, b"\x90\x3c\x00")
    assert notes_of(parse_song(midi(track.chunk())).parts[0]) == [(0, 10, 60, 100)]


def test_a_note_off_that_ends_nothing_does_not_end_a_later_note() -> None:
    track = (
        Track()
        .add(0, b"\x80\x3c\x00")
        .add(5, b"\x90\x3c\x64")
        .add(9, b"\x80\x3c\x00")
        .add(10, b"\x80\x3c\x00")
        .add(20, b"\x90\x3c\x40")
        .add(25, b"\x80\x3c\x00")
    )
    assert notes_of(parse_song(midi(track.chunk())).parts[0]) == [(5, 9, 60, 100), (20, 25, 60, 64)]


def test_a_stuck_note_lasts_until_its_track_ends() -> None:
    song = parse_song(midi(Track().add(0, b"\x90\x3c\x64").chunk(960)))
    assert notes_of(song.parts[0]) == [(0, 960, 60, 100)]
    assert "1 notes have no note-off: they end with their track" in song.warnings


def test_a_note_of_no_length_is_kept_and_named() -> None:
    song = parse_song(midi(Track().note(7, 0, 60).chunk()))
    assert notes_of(song.parts[0]) == [(7, 7, 60, 100)]
    assert "1 notes have no length" in song.warnings


def test_the_program_is_the_one_most_notes_sound_with() -> None:
    track = Track().program(0, 5).note(0, 1, 60).program(10, 6).note(10, 1, 60).note(20, 1, 60)
    assert parse_song(midi(track.chunk())).parts[0].program == 6


def test_a_program_change_in_another_track_counts_where_the_own_track_has_none() -> None:
    conductor = Track().program(0, 11, 4).program(0, 12, 5)
    song = parse_song(midi(conductor.chunk(), Track().note(0, 1, 60, 100, 4).chunk(), Track().program(0, 13, 5).note(0, 1, 60, 100, 5).chunk()))
    assert [p.program for p in song.parts] == [11, 13]


def test_tempo_and_metre_come_from_all_tracks_and_the_last_of_a_tick_wins() -> None:
    first = Track().tempo(0, 400_000).metre(0, 3, 4).tempo(480, 300_000)
    second = Track().tempo(480, 250_000).metre(960, 6, 8).note(0, 10, 60)
    song = parse_song(midi(first.chunk(), second.chunk()))
    assert (song.tempo.ticks, song.tempo.microseconds) == ((0, 480), (400_000, 250_000))
    assert (song.metre.ticks, song.metre.numerators, song.metre.denominators) == ((0, 960), (3, 6), (4, 8))


def test_a_song_without_tempo_and_metre_plays_in_four_four_at_120() -> None:
    song = parse_song(midi(Track().note(0, 10, 60).chunk()))
    assert (song.tempo.qpm(), song.metre.numerators, song.metre.denominators) == (120, (4,), (4,))
    assert "the file names no tempo: 120 BPM is taken" in song.warnings
    assert "the file names no metre: 4/4 is taken" in song.warnings


def test_tempo_zero_and_metre_zero_are_ignored() -> None:
    song = parse_song(midi(Track().tempo(0, 0).metre(0, 0, 4).meta(0, 0x58, b"\x04\x63\x18\x08").meta(0, 0x51, b"").note(0, 10, 60).chunk()))
    assert (song.tempo.microseconds, song.metre.numerators) == ((500_000,), (4,))
    assert "2 tempo events of tempo 0 or of a wrong size are ignored" in song.warnings
    assert "2 metre events that name no metre are ignored" in song.warnings


@pytest.mark.parametrize(("division", "per_second"), [(0xE728, 1000), (0xE808, 192), (0xE250, 2400), (0xE364, Fraction(3_000_000, 1001))])
def test_smpte_division_makes_ticks_time(division: int, per_second: Fraction) -> None:
    song = parse_song(midi(Track().tempo(0, 250_000).note(0, 10, 60).chunk(), division=division))
    assert song.tempo.ticks_per_second == per_second
    assert song.tempo.seconds(1000) == pytest.approx(float(1000 / per_second))


@pytest.mark.parametrize("division", [1, 24, 96, 480, 30_720, 32_767])
def test_any_resolution_is_read(division: int) -> None:
    assert parse_song(band_song(division=division)).tempo.ticks_per_quarter == division


def test_the_end_is_the_last_end_of_track_or_note() -> None:
    assert parse_song(midi(Track().note(0, 10, 60).chunk(5000), Track().note(0, 900, 60).chunk())).end_tick == 5000


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Schlagzeug f\xfcr alle", "Schlagzeug für alle"),
        ("Гитара ♪".encode(), "Гитара ♪"),
        ("ドラム".encode("cp932"), "ドラム"),
        (b"Bass\x00\r\n  2", "Bass 2"),
        (b"", ""),
    ],
)
def test_text_is_decoded_into_one_line(raw: bytes, text: str) -> None:
    assert decode_text(raw) == text
    assert parse_song(midi(Track().name(raw).note(0, 1, 60).chunk())).parts[0].name == text


def test_an_instrument_name_stands_in_for_a_missing_track_name() -> None:
    assert parse_song(midi(Track().meta(0, 0x04, b"Flute").note(0, 1, 60).chunk())).parts[0].name == "Flute"


def test_running_status_is_read() -> None:
    track = Track()
    for n in range(50):
        track.add(n * 10, bytes([0x90, 60 + n % 7, 100])).add(n * 10 + 5, bytes([0x90, 60 + n % 7, 0]))
    plain, running = midi(track.chunk()), midi(track.chunk(running=True))
    assert len(running) == len(plain) - 99
    assert notes_of(parse_song(plain).parts[0]) == notes_of(parse_song(running).parts[0])
    assert parse_song(running).warnings == parse_song(plain).warnings


def test_running_status_across_tracks_is_read_with_a_warning() -> None:
    data = undump("""
        "MThd" 00000006 0001 0002 0060
        "MTrk" 0000000C  00 90 3C 64  10 80 3C 40  00 FF 2F 00
        "MTrk" 00000007  00 3C 64              # a note-off, by the status of the track before
                         00 FF 2F 00
    """)
    song = parse_song(data)
    assert notes_of(song.parts[0]) == [(0, 16, 60, 100)]
    assert "track 2: begins with the running status of the track before" in song.warnings


def test_running_status_after_a_meta_event_is_read_with_a_warning() -> None:
    data = undump("""
        "MThd" 00000006 0000 0001 0060
        "MTrk" 00000013  00 90 3C 64
                         00 FF 01 01 41        # a text event should end running status
                         20 3C 00              # a note-on of velocity 0
                         00 FF 2F 00
                         00 00 00              # and bytes behind the end of track
    """)
    song = parse_song(data)
    assert notes_of(song.parts[0]) == [(0, 32, 60, 100)]
    assert "track 1: goes on with running status after a meta or SysEx event" in song.warnings
    assert "track 1: has 3 bytes after its end of track: kept, not understood" in song.warnings


def test_a_missing_end_of_track_is_tolerated() -> None:
    song = parse_song(midi(Track().note(0, 10, 60).chunk(end_of_track=False)))
    assert notes_of(song.parts[0]) == [(0, 10, 60, 100)]
    assert "track 1: has no end-of-track event: it ends with its last event" in song.warnings


def test_a_long_header_wrong_count_unknown_chunk_and_junk_are_tolerated() -> None:
    track = Track().note(0, 10, 60).chunk()
    data = chunk(b"MThd", b"\0\1\0\1\1\xe0\xab\xcd") + track + chunk(b"XFIH", b"abc") + track + b"\0\0\0"
    song = parse_song(data)
    assert (len(song.parts), song.data) == (2, data)
    assert [w for w in song.warnings if "the file names" not in w] == [
        "the header has 8 bytes instead of 6: the rest is kept, not understood",
        "the header says 1 tracks, the file has 2: all 2 are read",
        "unknown chunks are kept, not understood: XFIH",
        "3 bytes of junk after the last chunk are kept, not understood",
    ]


@pytest.mark.parametrize(
    ("format_", "said"),
    [(2, "format 2 (independent tracks): read as tracks that sound together"), (7, "format 7 is unknown: read as tracks that sound together")],
)
def test_other_formats_are_read_as_simultaneous(format_: int, said: str) -> None:
    track = Track().note(0, 10, 60).chunk()
    song = parse_song(midi(track, track, format_=format_))
    assert (song.format, len(song.parts)) == (format_, 2)
    assert said in song.warnings


def test_the_midi_file_inside_a_riff_wrapper_is_read() -> None:
    inside = band_song()
    inside += b"" if len(inside) % 2 == 0 else b"\0"
    body = b"RMID" + b"data" + len(inside).to_bytes(4, "little") + inside + b"LIST" + (4).to_bytes(4, "little") + b"INFO"
    song = parse_song(b"RIFF" + len(body).to_bytes(4, "little") + body)
    assert song.data == inside
    assert song.warnings[0] == "RIFF wrapper (.rmi): the MIDI file inside is read, and written without the wrapper and without its chunks LIST"


def test_a_song_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(band_song())
    song = read_song(path)
    assert (song.source, song.data, len(song.parts)) == (str(path), band_song(), 3)
    assert (song.warnings, len(song.band), len(song.drum_parts)) == ((), 2, 1)


def test_a_path_that_cannot_be_read_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"nothing\.mid: there is no such file$"):
        read_song(tmp_path / "nothing.mid")
    with pytest.raises(InputError, match=r"this is a folder, give a MIDI file$"):
        read_song(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read \("):
        read_song("a\0b.mid")

    def refuse(self: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"song\.mid: no permission to read this file$"):
        read_song("song.mid")


def test_a_song_without_notes_is_a_song() -> None:
    song = parse_song(header(0, 1) + Track().name("Silence").chunk(960))
    assert (song.parts, song.end_tick, song.last_note_tick) == ((), 960, 0)


def test_a_song_of_45_kilobytes_is_read_in_the_time_that_training_needs() -> None:
    track = Track()
    for n in range(5600):
        track.note(n * 60, 55, 36 + n % 40)
    data = midi(track.chunk())
    assert len(data) > 44_000
    parse_song(data)
    best = min(_time(data) for _ in range(3))
    assert best < 0.1  # 0.01 s on the machine this was written on


def _time(data: bytes) -> float:
    start = time.perf_counter()
    parse_song(data)
    return time.perf_counter() - start
