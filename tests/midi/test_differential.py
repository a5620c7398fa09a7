"""The reader against symusic and mido, two readers by other people.

Tolerated difference: symusic leaves out notes that no note-off ends; here they last until their track ends, so only ended notes are
compared where there are stuck ones. mido refuses some files that others read (escape events, chunks between tracks, running status
across tracks); it is compared on files made here.
"""

from __future__ import annotations

import io
import os
from collections import Counter
from pathlib import Path

import mido
import pytest
import symusic
from hypothesis import given, settings

from backbeat.errors import MidiError
from backbeat.midi import parse_song
from backbeat.midi.splice import list_events, splice_drums
from backbeat.song import Song
from tests.midi.builders import METRES, band_song
from tests.midi.test_splice import files

DATA = os.environ.get("BACKBEAT_DATA", "")


def compare_with_symusic(data: bytes) -> Song:
    song, score = parse_song(data), symusic.Score.from_midi(data)
    mine = Counter((int(n["onset"]), int(n["end"]), int(n["pitch"]), int(n["velocity"])) for p in song.parts for n in p.notes)
    theirs = Counter((n.time, n.end, n.pitch, n.velocity) for t in score.tracks for n in t.notes)
    stuck = next((int(w.split()[0]) for w in song.warnings if "have no note-off" in w), 0)
    assert not theirs - mine
    assert (mine - theirs).total() == stuck
    return song


@pytest.mark.parametrize("metre", METRES, ids=lambda m: f"{m[0]}-{m[1]}")
def test_symusic_reads_the_same_notes_tempo_and_metre(metre: tuple[int, int]) -> None:
    data = band_song(3, numerator=metre[0], denominator=metre[1])
    song, score = compare_with_symusic(data), symusic.Score.from_midi(data)
    assert [(t.time, t.mspq) for t in score.tempos] == list(zip(song.tempo.ticks, song.tempo.microseconds, strict=True))
    assert [(t.time, t.numerator, t.denominator) for t in score.time_signatures] == [(0, *metre)]
    assert Counter(t.program for t in score.tracks if not t.is_drum) == Counter(p.program for p in song.band)


@settings(max_examples=40, deadline=None)
@given(files(plain=True))
def test_mido_reads_the_same_events(data: bytes) -> None:
    for events, track in zip(list_events(data), mido.MidiFile(file=io.BytesIO(data)).tracks, strict=True):
        now, theirs = 0, []
        for message in track:
            now += message.time
            theirs.append((now, message.bytes()[0] if not message.is_meta else 0xFF))
        assert [(tick, status) for tick, status, _ in events] == theirs


@pytest.mark.slow
@pytest.mark.skipif(not DATA, reason="BACKBEAT_DATA is not set: the folder of unpacked data")
def test_symusic_reads_the_same_notes_of_real_songs() -> None:
    paths = sorted(Path(DATA, "songs").rglob("*.mid"))[::80]
    assert paths, f"no songs in {DATA}/songs"
    for path in paths:
        try:
            song = compare_with_symusic(path.read_bytes())
        except MidiError:
            continue  # a handful of the songs are damaged
        kept = splice_drums(song, None, drums="keep")
        assert kept == song.data
        stripped = parse_song(splice_drums(song, None))
        assert [p.notes.tolist() for p in stripped.band] == [p.notes.tolist() for p in song.band], path
