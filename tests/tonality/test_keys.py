"""Our key finder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.errors import InputError
from backbeat.midi import parse_song, read_song
from backbeat.song import NOTE_DTYPE
from backbeat.tonality.keys import describe, find_key, find_key_of_notes, fit_weights, list_features, load_weights, measure_lengths
from backbeat.tonality.scales import parse_key
from tests.midi.builders import Track, midi


def line(pitches, length=10, step=10):
    return np.array([(i * step, i * step + length, p, 90) for i, p in enumerate(pitches)], NOTE_DTYPE)


C_TUNE = [60, 64, 67, 64, 65, 62, 59, 60, 60, 67, 72, 71, 69, 67, 65, 64, 62, 60]
A_TUNE = [57, 60, 64, 60, 62, 59, 57, 56, 57, 64, 69, 67, 65, 64, 62, 60, 59, 57]


@pytest.mark.parametrize(("tune", "name"), [(C_TUNE, "C"), (A_TUNE, "Am")])
def test_plain_tunes_are_in_their_key(tune, name):
    found = find_key_of_notes([line(tune)])
    assert found.name == name and found.key == parse_key(name) and found.confidence > 0.5
    assert (found.tonic, found.mode) == (name.rstrip("m"), "minor" if name.endswith("m") else "major")


@given(st.lists(st.integers(36, 84), min_size=1, max_size=30), st.integers(-11, 11))
def test_a_transposed_melody_is_in_the_transposed_key(pitches, semitones):
    one, other = find_key_of_notes([line(pitches)]), find_key_of_notes([line([p + semitones for p in pitches])])
    turned = [(k % 12 + semitones) % 12 + 12 * (k >= 12) for k in range(24)]
    assert other.probabilities[turned] == pytest.approx(one.probabilities)
    assert one.probabilities.sum() == pytest.approx(1)


def test_lengths_end_with_the_next_moment_of_the_part():
    notes = np.array([(0, 1000, 60, 90), (0, 5, 64, 90), (10, 10, 67, 90), (30, 90, 60, 90)], NOTE_DTYPE)
    assert measure_lengths(notes).tolist() == [10, 5, 1, 15]  # a note of no length is one tick; the last is at most as long as the median gap


def test_one_note_is_enough_and_none_is_not():
    assert find_key_of_notes([line([62])]).tonic == "D"
    assert find_key_of_notes([]) is None and describe([line([])]) is None


def test_shares_sum_to_one():
    piece, opening = describe([line(C_TUNE), line(A_TUNE)])
    assert (piece**2).sum() == pytest.approx(1) and opening.sum() == pytest.approx(1)


def test_features_of_a_key_are_seen_from_its_tonic():
    described = np.arange(24.0).reshape(2, 12)
    rows = list_features(described)
    assert rows[7, 0] == described[0, 7] and rows[12 + 9, 24] == described[0, 9]
    assert not rows[3, 24:].any() and not rows[15, :24].any()


def test_fitting_recovers_keys_and_a_strong_ridge_shrinks():
    rng = np.random.default_rng(1)
    keys = rng.integers(0, 24, 120)
    tunes = [[p + int(k) % 12 for p in (A_TUNE if k >= 12 else C_TUNE)] for k in keys]
    features = np.stack([list_features(describe([line(tune)])) for tune in tunes])
    weights = fit_weights(features, keys)
    assert ((features @ weights).argmax(axis=1) == keys).all()
    assert np.abs(fit_weights(features, keys, ridge=1e4)).max() < 0.1 * np.abs(weights).max()


def test_shipped_weights_prefer_the_tonic():
    assert load_weights().shape == (48,)
    for first in (0, 12, 24, 36):
        assert load_weights()[first : first + 12].argmax() in (0, 3, 4, 7)


def test_drums_are_not_heard_and_alone_have_no_key():
    track, drums = Track(), Track()
    for i, pitch in enumerate(C_TUNE):
        track.add(i * 10, bytes([0x90, pitch, 90])).add(i * 10 + 9, bytes([0x80, pitch, 0]))
        drums.add(i * 10, bytes([0x99, 42, 90])).add(i * 10 + 9, bytes([0x89, 42, 0]))
    both, alone = parse_song(midi(track.chunk(), drums.chunk())), parse_song(midi(track.chunk()))
    assert find_key(both).probabilities == pytest.approx(find_key(alone).probabilities)
    with pytest.raises(InputError, match="no note but drums"):
        find_key(parse_song(midi(drums.chunk())))


def test_labelled_melodies_are_found_as_learned():
    if "BACKBEAT_DATA" not in os.environ or not (Path(os.environ["BACKBEAT_DATA"]) / "tonality").is_dir():
        pytest.skip("needs tonality: set BACKBEAT_DATA")
    folder = Path(os.environ["BACKBEAT_DATA"]) / "tonality"
    rows = [line.split("\t") for line in (folder / "markup.tsv").read_text(encoding="utf-8").splitlines()][::4]
    right = sum(find_key(read_song(folder / "midi" / name)).key == parse_key(label.strip().replace("moii", "moll")) for name, label in rows)
    assert right >= 0.75 * len(rows)
