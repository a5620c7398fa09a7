"""From note-ons and note-offs to notes: against a walk that keeps a queue for every key."""

from __future__ import annotations

from collections import defaultdict, deque

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.midi.notes import Settings, VoiceEvents, pair_notes
from backbeat.song import NOTE_DTYPE

Event = tuple[int, int, int, int, int]
TRACKS = 3


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    """Track, tick, status, pitch, velocity, by track and time; few pitches, so that they meet."""
    event = st.tuples(
        st.integers(0, TRACKS - 1), st.integers(0, 12), st.sampled_from([0x80, 0x90, 0x90, 0x91, 0xB0]), st.sampled_from([40, 41]), st.integers(0, 2)
    )
    return sorted(draw(st.lists(event, max_size=60)), key=lambda e: e[:2])


def as_columns(events: list[Event]) -> VoiceEvents:
    return VoiceEvents(*np.array(events, dtype=np.int64).reshape(-1, 5).T)


def pair_by_hand(events: list[Event], end: int) -> dict[tuple[int, int], list[tuple[int, int, int, int]]]:
    sounding: dict[tuple[int, int, int], deque[list[int]]] = defaultdict(deque)
    parts: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    for track, tick, status, pitch, velocity in events:
        queue = sounding[track, status & 15, pitch]
        if status >= 0x90 and status < 0xA0 and velocity:
            note = [tick, end, pitch, velocity]
            parts[track, status & 15].append(note)
            queue.append(note)
        elif status < 0xA0 and queue:
            queue.popleft()[1] = tick
    return {key: sorted((tuple(n) for n in notes), key=lambda n: (n[0], n[2])) for key, notes in parts.items()}  # type: ignore[misc]


@settings(max_examples=80, deadline=None)
@given(event_lists())
def test_the_first_struck_is_the_first_ended(events: list[Event]) -> None:
    paired = pair_notes(as_columns(events), np.full(TRACKS, 20))
    got = {(track, channel): [tuple(n) for n in notes.tolist()] for track, channel, notes in paired.split_parts()}
    assert got == pair_by_hand(events, 20)
    assert paired.stuck == sum(n[1] == 20 for notes in got.values() for n in notes)
    assert paired.empty == sum(n[0] == n[1] for notes in got.values() for n in notes)


def test_many_parts_are_kept_apart() -> None:
    events = [(track, 0, 0x90 | channel, 60, 1) for track in range(100) for channel in range(16)]
    parts = pair_notes(as_columns(events), np.full(100, 5)).split_parts()
    assert [(t, c) for t, c, _ in parts] == [(t, c) for t in range(100) for c in range(16)]


def make_notes(*onsets: int) -> np.ndarray:
    notes = np.zeros(len(onsets), NOTE_DTYPE)
    notes["onset"] = onsets
    return notes


def test_most_notes_decide_the_setting_and_its_own_track_goes_first() -> None:
    changes = as_columns([(0, 0, 0xC0, 5, 0), (0, 100, 0xC0, 6, 0), (1, 50, 0xC0, 7, 0), (1, 0, 0xC1, 8, 0)])
    programs = Settings(changes, changes.data1)
    assert programs.find(0, 0, make_notes(0, 100, 120)) == 6
    assert programs.find(0, 0, make_notes(0, 99, 120)) == 5
    assert programs.find(1, 0, make_notes(0, 1, 2)) == 7, "what its track sets counts for its first notes, too"
    assert programs.find(2, 0, make_notes(60, 70, 80)) == 7, "a track that sets nothing takes what its channel is set to"
    assert programs.find(2, 1, make_notes(0)) == 8
    assert programs.find(0, 2, make_notes(0)) == -1
