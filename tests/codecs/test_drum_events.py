"""Drums RNN's representation: equal to the reference's on random events and on Groove MIDI files, and its rules one by one."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.codecs.drum_events import DRUM_KIT, ONE_DRUM, extract_tracks, parse_primer, write_primer
from backbeat.errors import InputError
from backbeat.midi import parse_song
from backbeat.midi.drumtrack import encode_chunk, encode_delta, encode_meta

GOLDEN = json.loads((Path(__file__).parents[1] / "goldens" / "drums_rnn.json").read_text(encoding="utf-8"))
ENCODINGS = {"drum_kit": DRUM_KIT, "one_drum": ONE_DRUM}
EVENTS = st.lists(st.frozensets(st.integers(0, 127), max_size=5), min_size=1, max_size=80)


def digest(value):
    return hashlib.sha256(json.dumps(value, separators=(",", ":")).encode()).hexdigest()


def find_groove():
    folder = Path(os.environ.get("BACKBEAT_DATA", "")) / "groove"
    if not (folder / "info.csv").is_file():
        pytest.skip("needs groove_midi: set BACKBEAT_DATA")
    return folder


def make_song(hits, changes=()):
    """A song of 480 ticks a quarter with drum hits (tick, note, velocity) and metas (tick, type, payload)."""
    events = [(t, 1, bytes([0x99, n, v])) for t, n, v in hits] + [(t + 20, 0, bytes([0x99, n, 0])) for t, n, v in hits if v]
    events += [(t, -1, encode_meta(kind, payload)) for t, kind, payload in changes]
    body, now = b"", 0
    for tick, _, data in sorted(events):
        body, now = body + encode_delta(tick - now) + data, tick
    header = (0).to_bytes(2, "big") + (1).to_bytes(2, "big") + (480).to_bytes(2, "big")
    return parse_song(encode_chunk(b"MThd", header) + encode_chunk(b"MTrk", body + encode_delta(0) + encode_meta(0x2F, b"")))


def beat(bars, start=0, note=36):
    """A hit on each quarter of 4/4."""
    return [(start + 480 * k, note, 90) for k in range(4 * bars)]


def test_a_thousand_random_events_are_numbered_and_read_as_by_the_reference():
    random = GOLDEN["random"]
    assert len(random["events"]) == 1000
    assert DRUM_KIT.numbers(random["events"]).tolist() == random["classes"]
    assert [sorted(DRUM_KIT.event(c)) for c in random["classes"]] == random["decoded"]


@pytest.mark.parametrize("name", ENCODINGS)
def test_inputs_and_labels_are_the_reference_s(name):
    golden, encoding = GOLDEN["random"][name], ENCODINGS[name]
    inputs, labels = encoding.encode(GOLDEN["random"]["events"][:200])
    assert list(inputs.shape) == golden["shape"] and labels.tolist() == golden["labels"]
    assert inputs[63].astype(int).tolist()[-8:] == golden["inputs_at_63"]
    assert digest(inputs.astype(int).tolist()) == golden["inputs_sha256"]


def test_the_sizes_are_those_of_the_original():
    assert (DRUM_KIT.classes, DRUM_KIT.inputs, DRUM_KIT.steps_per_quarter) == (512, 518, 4)
    assert (ONE_DRUM.classes, ONE_DRUM.inputs, ONE_DRUM.steps_per_quarter) == (2, 2, 2)
    assert ONE_DRUM.event(1) == {39} and {ONE_DRUM.number([n]) for n in range(128)} == {1}


def test_counters_tell_the_place_of_the_next_step():
    assert DRUM_KIT.count(np.array([0])).tolist() == [[1, -1, -1, -1, -1, -1]]
    assert DRUM_KIT.count(np.array([62, 63])).tolist() == [[1] * 6, [-1] * 6]


def test_unknown_notes_are_left_out_or_refused():
    assert DRUM_KIT.number({36, 100}) == 1
    with pytest.raises(InputError, match="drum note 100 belongs to no class of drum_kit"):
        DRUM_KIT.number({100}, strict=True)
    with pytest.raises(InputError, match="events 0-511, not 512"):
        DRUM_KIT.event(512)


@given(st.integers(0, 511))
def test_every_event_comes_back(number):
    assert DRUM_KIT.number(DRUM_KIT.event(number), strict=True) == number


@given(EVENTS)
def test_primers_come_back(events):
    assert parse_primer(write_primer(events)) == tuple(events)


def test_the_original_s_notation_is_read():
    assert parse_primer("[(36,42),(),(42,)]") == (frozenset({36, 42}), frozenset(), frozenset({42}))
    assert parse_primer("[36, (38)]") == (frozenset({36}), frozenset({38}))


@pytest.mark.parametrize("text", ["", "[]", "36", "[(128,)]", "[(36.5,)]", "[(True,)]", "['x']", "[(36,)", "open('x')", "[" * 400])
def test_what_is_no_primer_is_refused(text):
    with pytest.raises(InputError, match="write one tuple of MIDI notes"):
        parse_primer(text)


def test_a_track_begins_with_the_bar_of_its_first_hit():
    (track,) = extract_tracks(make_song(beat(8, start=3 * 1920 + 960))).tracks
    assert (track.start, track.steps_per_bar, len(track.events)) == (48, 16, 8 + 8 * 16 - 3)
    assert track.events[8] == {36} and not any(track.events[:8])


def test_halves_of_a_step_go_to_the_later_one():
    hits = [(k * 1920, 36, 90) for k in range(8)] + [(59, 38, 90), (180, 42, 90)]
    (track,) = extract_tracks(make_song(hits)).tracks
    assert track.events[0] == {36, 38} and track.events[2] == {42}


def test_silent_and_short_tracks_leave_and_long_ones_are_truncated():
    assert extract_tracks(make_song([])).tracks == ()
    assert extract_tracks(make_song([(t, n, 0) for t, n, _ in beat(8)])).tracks == ()
    assert extract_tracks(make_song(beat(6)))[1:] == (1, 0, 0)
    found = extract_tracks(make_song(beat(40)))
    assert [len(t.events) for t in found.tracks] == [512] and found.truncated == 1


def test_a_gap_of_a_bar_ends_a_track_and_less_does_not():
    ended = extract_tracks(make_song(beat(8) + beat(8, start=9 * 1920)))
    assert [t.start for t in ended.tracks] == [0, 144]
    (whole,) = extract_tracks(make_song(beat(8) + beat(8, start=8 * 1920 + 1440))).tracks
    assert len(whole.events) == 128 + 12 + 128 - 3


def test_changes_of_tempo_and_metre_cut():
    tempo = (8 * 1920, 0x51, (400_000).to_bytes(3, "big"))
    metre = (16 * 1920, 0x58, bytes([3, 2, 24, 8]))
    found = extract_tracks(make_song(beat(24), [tempo, metre])).tracks
    assert [(round(t.qpm), t.steps_per_bar, len(t.events)) for t in found] == [(120, 16, 125), (150, 16, 125), (150, 12, 125)]


def test_bars_that_are_no_whole_number_of_steps_are_skipped():
    found = extract_tracks(make_song(beat(12), [(0, 0x58, bytes([7, 3, 24, 8]))]), ONE_DRUM)
    assert found.tracks[0].steps_per_bar == 7  # 7/8 in 8ths
    odd = extract_tracks(make_song(beat(12), [(0, 0x58, bytes([7, 4, 24, 8]))]), ONE_DRUM)
    assert odd.tracks == () and odd.uneven == 1  # 7/16 in 8ths


def test_groove_midi_gives_the_reference_s_tracks():
    folder, wrong = find_groove(), []
    names = sorted(GOLDEN["files"])[::5]
    for name in names:
        song = parse_song((folder / name).read_bytes(), name)
        for config, (expected, counts) in GOLDEN["files"][name].items():
            found = extract_tracks(song, ENCODINGS[config])
            tracks = [[sorted(e) for e in t.events] for t in found.tracks]
            if digest(tracks)[:16] != expected or [len(tracks), *found[1:]] != counts:
                wrong.append((name, config))
    assert len(names) > 60 and not wrong


@pytest.mark.slow
def test_the_rock_beats_are_counted_as_by_the_reference():
    folder, total = find_groove(), np.zeros(4, int)
    rock = [n for n in GOLDEN["files"] if "rock" in n and "_beat_" in n]
    for name in rock:
        found = extract_tracks(parse_song((folder / name).read_bytes(), name))
        total += [len(found.tracks), *found[1:]]
    assert (len(rock), total.tolist()) == (212, [138, 76, 61, 0]) == (GOLDEN["rock_beats"]["files"], GOLDEN["rock_beats"]["counts"])
