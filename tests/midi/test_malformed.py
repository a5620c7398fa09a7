"""The zoo: files that cannot be read, each named after its fault, and the one line that says so."""

from __future__ import annotations

import pytest

from backbeat.errors import BackbeatError, MidiError
from backbeat.midi import parse_song
from backbeat.midi.chunks import MAX_BYTES
from tests.midi.builders import Track, band_song, midi, undump

HEADER = '"MThd" 00000006 0001 0001 0060'

ZOO = {
    "empty": ("", "the file is empty"),
    "text_named_mid": ('"This" 20 "is" 20 "a" 20 "shopping" 20 "list."', "not a MIDI file: it does not start with MThd (it looks like text)"),
    "zip_named_mid": ("504B0304 00000000 00000000 0000", "not a MIDI file: it does not start with MThd (it looks like something else)"),
    "sound_named_mid": ('"RIFF" 10000000 "WAVE" "fmt" 20 00000000', "a RIFF file (sound or picture), not MIDI"),
    "wrapper_around_nothing": ('"RIFF" 04000000 "RMID"', "a RIFF RMID file without a MIDI file inside"),
    "header_cut": ('"MThd" 00000006 0001', "truncated: the file ends within its header, at byte 10"),
    "header_longer_than_the_file": ('"MThd" 000000FF 0001 0001 0060', "truncated: the file ends within its header, at byte 14"),
    "header_too_short": ('"MThd" 00000004 0001 0001 0060', "the header chunk says 4 bytes, but a MIDI header has 6"),
    "no_tracks": ('"MThd" 00000006 0001 0000 0060', "the file has a MIDI header but no tracks"),
    "only_unknown_chunks": ('"MThd" 00000006 0001 0000 0060  "ABCD" 00000001 00', "the file has a MIDI header but no tracks"),
    "tracks_missing_at_the_end": ('"MThd" 00000006 0001 0002 0060 "MTrk" 00000004 00FF2F00 "MTr"', "truncated: the file ends at byte 29 after 1 of 2 tracks"),
    "track_longer_than_the_file": (
        f'{HEADER} "MTrk" 00000040  00 90 3C 64  00 FF 2F 00',
        "truncated: track 1 says it ends at byte 86, but the file ends at byte 30",
    ),
    "track_cut_in_its_length": (f'{HEADER} "MTrk" 0000', "truncated: track 1 says it ends at byte"),
    "track_too_short": (
        f'{HEADER} "MTrk" 00000005  00 90 3C 64  10 80 3C 40  00 FF 2F 00',  # 12 bytes: the next chunk seems to begin in the second event
        "no chunk starts there after 1 of 1 tracks|data end in the middle of an event",
    ),
    "track_length_wrong_before_a_track": (
        '"MThd" 00000006 0001 0002 0060  "MTrk" 00000003  00 FF 2F 00  "MTrk" 00000004  00 FF 2F 00',
        "wrong chunk length before byte 25: no chunk starts there after 1 of 2 tracks",
    ),
    "event_cut_by_the_end_of_its_track": (f'{HEADER} "MTrk" 00000003  00 90 3C', "track 1: its data end in the middle of an event, at byte 25"),
    "delta_cut": (f'{HEADER} "MTrk" 00000002  81 80', "track 1: its data end in the middle of an event"),
    "delta_of_five_bytes": (f'{HEADER} "MTrk" 00000009  81 81 81 81 00  00 FF 2F 00', "a delta time or length at byte 22 is longer than 4 bytes"),
    "meta_longer_than_its_track": (f'{HEADER} "MTrk" 00000006  00 FF 01 7F 41 42', "track 1: its data end in the middle of an event"),
    "sysex_longer_than_its_track": (f'{HEADER} "MTrk" 00000006  00 F0 7F 41 42 F7', "track 1: its data end in the middle of an event"),
    "no_status_at_all": (f'{HEADER} "MTrk" 00000007  00 3C 64  00 FF 2F 00', "byte 23 should begin an event, but is 0x3C and no event came before"),
    "unknown_status": (f'{HEADER} "MTrk" 00000006  00 F4  00 FF 2F 00', "byte 23 is 0xF4, which begins no event in a file"),
    "data_byte_too_large": (f'{HEADER} "MTrk" 00000008  00 90 3C E4  00 FF 2F 00', "the event that ends at byte 26 has a data byte above 127"),
    "resolution_zero": ('"MThd" 00000006 0001 0001 0000  "MTrk" 00000004  00 FF 2F 00', "the header says 0 ticks per quarter"),
    "smpte_of_no_known_rate": ('"MThd" 00000006 0001 0001 9928  "MTrk" 00000004  00 FF 2F 00', "0x9928 is neither ticks per quarter nor an SMPTE rate"),
    "smpte_of_no_ticks": ('"MThd" 00000006 0001 0001 E700  "MTrk" 00000004  00 FF 2F 00', "0xE700 is neither ticks per quarter nor an SMPTE rate"),
}


@pytest.mark.parametrize("fault", ZOO)
def test_a_damaged_file_is_refused_in_one_line(fault: str) -> None:
    dump, message = ZOO[fault]
    with pytest.raises(MidiError) as caught:
        parse_song(undump(dump), "song.mid")
    text = str(caught.value)
    assert text.startswith("song.mid: ")
    assert "\n" not in text
    assert any(part in text for part in message.split("|"))


def test_a_huge_file_is_refused_before_it_is_walked() -> None:
    with pytest.raises(MidiError, match="the file has 64 MB, more than the 64 MB that are read"):
        parse_song(bytes(MAX_BYTES + 1))


def test_a_huge_track_and_a_huge_number_of_events_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MidiError, match="track 1: it has 9 MB, more than the 8 MB of a track that are read"):
        parse_song(midi(b"MTrk" + (9 << 20).to_bytes(4, "big") + bytes(9 << 20)))
    monkeypatch.setattr("backbeat.midi.reader.MAX_EVENTS", 30)
    with pytest.raises(MidiError, match="track 3: more than 30 events come before it, which no song has"):
        parse_song(band_song())
    monkeypatch.setattr("backbeat.midi.reader.MAX_TRACKS", 3)
    with pytest.raises(MidiError, match="4 tracks, more than the 3 that are read"):
        parse_song(band_song())


def test_a_file_that_lasts_for_years_is_refused() -> None:
    body = b"\xff\xff\xff\x7f\x90\x3c\x00" + b"\xff\xff\xff\x7f\x3c\x00" * 5000
    data = midi(b"MTrk" + len(body).to_bytes(4, "big") + body)
    with pytest.raises(MidiError, match="its delta times are damaged"):
        parse_song(data)


def test_every_cut_within_a_chunk_is_refused() -> None:
    data = band_song(1)
    ends = {data.index(b"MTrk", start) for start in range(len(data) - 4) if b"MTrk" in data[start:]}
    for size in range(len(data)):
        if size in ends and size > min(ends):  # whole tracks are missing, which a wrong count in the header looks like
            assert "tracks, the file has" in parse_song(data[:size]).warnings[0]
            continue
        with pytest.raises(MidiError, match="MIDI data: "):
            parse_song(data[:size])


def test_every_changed_byte_ends_in_a_song_or_in_one_line() -> None:
    data = midi(Track().name("A").tempo(0, 500_000).metre(0, 4, 4).program(0, 3).note(0, 100, 60).sysex(0, "7E7F0901").note(50, 20, 36, 90, 9).chunk(300))
    for index in range(len(data)):
        for value in (0, 0x7F, 0x80, 0xFF, data[index] ^ 1):
            try:
                song = parse_song(data[:index] + bytes([value]) + data[index + 1 :])
            except BackbeatError as error:
                assert "\n" not in str(error)
            else:
                assert song.end_tick >= song.last_note_tick
