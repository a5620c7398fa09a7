"""LSTMetallica's text: words, BAR tokens, folds."""

import os
from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.metallica_text import list_columns, read_song_words
from backbeat.datasets import list_sources
from backbeat.errors import SongError
from backbeat.evaluation.cases import Choice, load_case
from backbeat.evaluation.metallica import BAR, deal_folds, make_cache, spell_bars, split_scores
from backbeat.midi import parse_song
from tests.midi.builders import Track, midi
from tests.models.pieces import make_piece


def drums(*notes):
    track = Track().metre(0, 7, 8)
    for tick, pitch in notes:
        track.note(tick, 10, pitch, 100, 9)
    return parse_song(midi(track.chunk()))


def test_bars_have_16_words_whatever_the_metre():
    grid, words = read_song_words(drums((0, 36), (59, 42), (60, 57), (16 * 120, 55)))
    assert grid.bars == 2 and len(words) == 32
    assert np.flatnonzero(words).tolist() == [0, 1, 16]
    assert words[[0, 1, 16]].tolist() == [1 | 4, 128, 256]  # kick and hat; crash; splash counts as ride


def test_unknown_notes_do_not_lengthen_a_song():
    grid, _ = read_song_words(drums((0, 36), (5000, 54)))
    assert grid.bars == 1
    with pytest.raises(SongError, match="no drum"):
        read_song_words(drums((0, 54)))


def test_bars_are_spelt_and_taken_apart():
    piece = make_piece(np.arange(48) % 200)
    spelt = spell_bars(piece)
    assert spelt.grid.bar_steps.tolist() == [17, 17, 17]
    assert np.flatnonzero(spelt.words == BAR).tolist() == [16, 33, 50]
    words, bars = split_scores(spelt.words.astype(float))
    assert np.array_equal(words, piece.words) and bars.tolist() == [BAR] * 3


def test_bars_of_two_lengths_or_a_played_bar_cannot_be_spelt():
    with pytest.raises(ValueError, match="BAR"):
        spell_bars(make_piece(np.full(16, BAR)))


def test_folds_hold_every_song_out_once():
    songs = list(range(57))
    folds = list(deal_folds(songs))
    assert sorted(s for _, _, held in folds for s in held) == songs
    assert {len(held) for *_, held in folds} == {5, 6}
    for learn, tune, held in folds:
        assert sorted(learn + tune + held) == songs
    assert [f[2] for f in deal_folds(songs)] == [f[2] for f in folds] != [f[2] for f in deal_folds(songs, seed=1)]


def test_the_cache_looks_back_by_bars_of_17_words():
    assert any("copy 17 steps" in part for part in make_cache().parts)


@pytest.mark.slow
def test_the_published_text_comes_out_to_the_word():
    if "BACKBEAT_DATA" not in os.environ or not (Path(os.environ["BACKBEAT_DATA"]) / "lstmetallica").is_dir():
        pytest.skip("needs lstmetallica: set BACKBEAT_DATA")
    data = Path(os.environ["BACKBEAT_DATA"])
    published = (data / "lstmetallica" / "metallica_drums_text.txt").read_text(encoding="utf-8").split()
    made = []
    for source in sorted(list_sources("lstmetallica", data), key=lambda s: s.name.lower()):
        rows = load_case(source, Choice(text=True)).piece.hits[:, list_columns()].astype(int)
        for bar in rows.reshape(-1, 16, 9):
            made += ["0b" + "".join(map(str, row)) for row in bar.tolist()] + ["BAR"]
    assert made == published
