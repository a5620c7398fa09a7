"""Fingerprints: copies in another key or tempo are the same, near-copies similar, other songs not."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.datasets.clusters import SIMILAR, Clusters, choose_split, judge
from backbeat.datasets.fingerprints import PERMUTATIONS, Signatures, take_fingerprint
from backbeat.datasets.preparation import Example, prepare_bytes
from tests.midi.builders import Track, midi


def make_song(seed: int, *, up: int = 0, tempo: int = 500_000, stretch: int = 1, changed: float = 0.0, drum_seed: int | None = None) -> Example:
    """A made-up song of 40 bars: a walking bass, a tune and drums that all wander at random."""
    rng, drums = np.random.default_rng(seed), np.random.default_rng(seed if drum_seed is None else drum_seed)
    other = np.random.default_rng(99)
    conductor, bass, tune, kit = Track().metre(0, 4, 4).tempo(0, tempo), Track().program(0, 33), Track().program(0, 73, 1), Track()
    for eighth in range(320):
        tick = eighth * 240 * stretch
        low, high, play = 33 + int(rng.integers(0, 12)), 60 + int(rng.integers(0, 20)), rng.random() < 0.7
        if other.random() < changed:
            low, high = 33 + int(other.integers(0, 12)), 60 + int(other.integers(0, 20))
        bass.note(tick, 200, low + up)
        if play:
            tune.note(tick, 200, high + up, 90, 1)
        for pitch in (36, 38, 42, 49):
            if drums.random() < 0.4:
                kit.note(tick, 60, pitch, 90, 9)
    example = prepare_bytes(midi(*(t.chunk(320 * 240 * stretch) for t in (conductor, bass, tune, kit))), "song", clean=False)
    assert isinstance(example, Example)
    return example


def hash_content(example: Example) -> str:
    return take_fingerprint(example).content


def sign(example: Example) -> Signatures:
    return take_fingerprint(example).signature


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), up=st.integers(-5, 5), tempo=st.sampled_from([300_000, 500_000, 1_000_000]), stretch=st.sampled_from([1, 2]))
def test_key_and_tempo_do_not_matter(seed: int, up: int, tempo: int, stretch: int) -> None:
    original, copy = make_song(seed), make_song(seed, up=up, tempo=tempo, stretch=stretch)
    assert hash_content(original) == hash_content(copy) != ""
    assert np.array_equal(sign(original), sign(copy))


def test_a_note_makes_other_content_but_a_similar_signature() -> None:
    original, edited = make_song(1), make_song(1, changed=0.02)
    assert hash_content(original) != hash_content(edited)
    assert np.mean(sign(original)[0] == sign(edited)[0]) > SIMILAR[0]


@pytest.mark.parametrize("changed", [0.02, 0.05, 0.1])
def test_edited_copies_in_another_key_are_found(changed: float) -> None:
    clusters = Clusters()
    for number, song in enumerate([make_song(8), make_song(9), make_song(9, up=3, stretch=2, changed=changed)]):
        clusters.add(row(f"{number}"), sign(song))
    assert [clusters.find(i) for i in range(3)] == [0, 1, 1]


def test_other_songs_are_not_similar() -> None:
    first, second = sign(make_song(1)), sign(make_song(2))
    assert (np.mean(first == second, axis=1) < np.array(SIMILAR) / 2).all()


def make_riffs(seed: int, *, bars: tuple[int, int] = (0, 64), changed: float = 0.0, repeated: bool = False) -> Example:
    """A song of eight riffs of two bars, each played four times in a row; some notes are left out, moved by a 16th or played at another pitch.

    ``repeated``: each riff is one pitch, and all songs have the same rhythm.
    """
    rng, other = np.random.default_rng(seed), np.random.default_rng([99, seed])
    bass, tune, kit = Track().program(0, 33), Track().program(0, 29, 1), Track()
    riffs = [[(int(low) if repeated else 33 + int(rng.integers(0, 12)), 60 + int(rng.integers(0, 20))) for _ in range(16)] for low in rng.integers(33, 45, 8)]
    rests = np.tile(rng.random((8, 1, 16)) < 0.25, (1, 4, 1)).ravel() if not repeated else np.random.default_rng(3).random(512) < 0.4
    for eighth in range(64 * 8):
        riff, place = eighth // 64, eighth % 16
        tick, (low, high) = (eighth - bars[0] * 8) * 240, riffs[riff][place]
        kit.note(max(0, tick), 60, (36, 42, 38, 42, 36, 36, 38, 46)[eighth % 8], 90, 9)
        for track, pitch, channel in ((bass, low, 0), (tune, low if repeated else high, 1)):
            edit = other.random() / changed if changed else 1.0
            if edit < 1 / 3 or rests[eighth] or not bars[0] * 8 <= eighth < bars[1] * 8:
                continue
            moved = 120 if 1 / 3 <= edit < 2 / 3 else 0
            track.note(tick + moved, 100, pitch + (int(other.integers(1, 8)) if 2 / 3 <= edit < 1 else 0), 90, channel)
    example = prepare_bytes(midi(*(t.chunk() for t in (bass, tune, kit))), "song", clean=False)
    assert isinstance(example, Example)
    return example


def count_band_clusters(*songs: Example) -> int:
    clusters = Clusters()
    for number, song in enumerate(songs):
        signature = sign(song)
        signature[1] = 0  # by the band alone
        clusters.add(row(f"{number}"), signature)
    return len({clusters.find(i) for i in range(len(songs))})


@pytest.mark.parametrize("seed", range(4))
def test_a_tenth_of_all_notes_gone_moved_or_at_another_pitch_is_a_copy(seed: int) -> None:
    assert count_band_clusters(make_riffs(seed), make_riffs(seed, changed=0.1), make_riffs(seed + 10)) == 2


def test_notes_that_only_repeat_say_nothing() -> None:
    songs = [make_riffs(seed, repeated=True) for seed in range(4)]
    assert count_band_clusters(*songs) == 4


def test_both_halves_of_a_song_join_it_though_they_share_nothing() -> None:
    """The whole comes between its halves, so that the second half meets nothing similar but the whole, which is a copy itself."""
    first, whole, second = make_riffs(5, bars=(0, 28)), make_riffs(5), make_riffs(5, bars=(28, 64))
    assert count_band_clusters(first, second) == 2
    assert count_band_clusters(first, whole, second) == 1


def test_many_equal_copies_cost_no_more_than_few() -> None:
    clusters, signature = Clusters(), sign(make_riffs(1))
    for number in range(500):
        clusters.add(row(f"{number}"), signature)
    assert {clusters.find(i) for i in range(500)} == {0}
    assert max(len(known) for known in clusters._signatures) == 1, "only the first is compared with"


def row(name: str, **more: str) -> dict[str, str]:
    return {"sha256": name, "content": "", "stated_cluster": ""} | more


def test_every_kind_of_copy_joins_its_cluster() -> None:
    clusters = Clusters()
    songs = [make_song(1), make_song(2), make_song(1, changed=0.02), make_song(3, drum_seed=2), make_song(4)]
    for number, song in enumerate(songs):
        clusters.add(row(f"file {number}", content=hash_content(song)), sign(song))
    clusters.add(row("file 4"), np.zeros((2, PERMUTATIONS), np.uint32))
    clusters.add(row("file 6", stated_cluster="made-up:x"), np.zeros((2, PERMUTATIONS), np.uint32))
    clusters.add(row("file 7", stated_cluster="made-up:x"), np.zeros((2, PERMUTATIONS), np.uint32))
    assert [clusters.find(i) for i in range(8)] == [0, 1, 0, 1, 4, 4, 6, 6]
    assert [r for r, _ in clusters.reasons] == [
        "", "", "near-duplicate by its band", "near-duplicate by its drums", "", "duplicate bytes", "", "near-duplicate as stated",
    ]  # fmt: skip


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["", "train", "validation", "test"])), min_size=1, max_size=30), st.booleans())
def test_splits_never_share_a_cluster(pieces: list[tuple[int, str]], keep: bool) -> None:
    clusters = Clusters()
    for number, (cluster, _) in enumerate(pieces):
        clusters.add(row(f"{number:08x}", stated_cluster=f"c{cluster}"), np.zeros((2, PERMUTATIONS), np.uint32))
    verdicts = list(judge(clusters, [s for _, s in pieces], [f"{n:08x}" for n in range(len(pieces))], keep_copies=keep))
    assert len(verdicts) == len(pieces)
    kept = [(v.cluster, v.split) for v in verdicts if v.result == "kept"]
    assert len({c for c, _ in kept}) == len(set(kept)), "a cluster lies in one split"
    assert {c for c, _ in kept} == {v.cluster for v in verdicts}, "of every cluster something is kept"
    if not keep:
        assert len(kept) == len(set(kept)), "and only one piece"
    for (_, stated), verdict in zip(pieces, verdicts, strict=True):
        assert verdict.result != "kept" or stated in ("", verdict.split), "a stated split is never changed"


def test_splits_are_drawn_in_their_shares() -> None:
    rng = np.random.default_rng(0)
    splits = [choose_split(rng.bytes(32).hex()) for _ in range(4000)]
    assert splits.count("validation") / 4000 == pytest.approx(0.05, abs=0.01)
    assert splits.count("test") / 4000 == pytest.approx(0.05, abs=0.01)


def test_few_strokes_have_no_fingerprint() -> None:
    song = Track().name("tiny")
    for bar in range(int(Fraction(8))):
        song.note(bar * 1920, 60, 36, 90, 9)
    example = prepare_bytes(midi(song.chunk(8 * 1920)), "tiny", band=False, clean=False)
    assert isinstance(example, Example)
    assert hash_content(example) == "" and not sign(example).any()
