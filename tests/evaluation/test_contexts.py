"""A window knows nothing of the drums before it."""

from dataclasses import replace

import numpy as np
import pytest

from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.cases import load_case
from backbeat.evaluation.contexts import WHOLE, cut_all, cut_piece, cut_windows, name_context, parse_context, score_in_context
from backbeat.evaluation.listener import Listener
from backbeat.models.cache import CacheMixture
from backbeat.models.drummer import DrummerModel
from backbeat.models.ngram import NGram
from tests.midi.builders import band_song
from tests.models.pieces import make_piece, make_takes


@pytest.fixture
def case(tmp_path):
    (tmp_path / "song.mid").write_bytes(band_song(9))
    return load_case(Source(str(tmp_path / "song.mid"), "song"))


def change_first_bars(case, bars):
    """The same piece with other drums in its first bars."""
    words = case.piece.words.copy()
    last = case.piece.grid.first_steps[bars]
    words[:last] = np.roll(words[:last], 3) ^ 1
    return replace(case.piece, words=words, example=replace(case.example, words=words))


@pytest.mark.parametrize(("text", "bars"), [("whole", 0), ("4-bars", 4), ("1-bar", 1), ("16bars", 16)])
def test_contexts_are_read(text, bars):
    assert parse_context(text) == bars


@pytest.mark.parametrize("text", ["", "0-bars", "-2-bars", "four bars", "4", "4-bars ", "1000000-bars"])
def test_other_contexts_are_refused(text):
    with pytest.raises(InputError, match=r"no context .*4-bars"):
        parse_context(text)


def test_contexts_have_names():
    assert [name_context(b) for b in (WHOLE, 1, 4)] == ["whole takes", "windows of 1 bar", "windows of 4 bars"]


def test_windows_cover_the_piece(case):
    windows = list(cut_windows(case.piece, 4))
    assert [w.grid.bars for w in windows] == [4, 4, 1]
    assert np.array_equal(np.concatenate([w.words for w in windows]), case.piece.words)
    for name in ("step", "bar", "layout", "velocities", "offsets"):
        assert np.array_equal(np.concatenate([getattr(w.example, name) for w in windows]), getattr(case.example, name)), name
    assert next(cut_windows(case.piece, WHOLE)) is case.piece
    assert len(cut_all([case.piece, case.piece], 4)) == 6


def test_references_before_the_window_point_nowhere(case):
    matches = np.array([[-1, -1], [0, -1], [1, 0], [2, 1], [3, 0], [4, 3], [5, 4], [6, 1], [7, 5]], np.int32)
    piece = replace(case.piece, example=replace(case.example, matches=matches))
    assert cut_piece(piece, 4, 8).example.matches.tolist() == [[-1, -1], [0, -1], [1, 0], [2, -1]]


def test_a_piece_of_words_alone_is_cut_too():
    window = cut_piece(make_piece(np.arange(64) % 8), 1, 3)
    assert window.example is None and window.words.tolist() == (np.arange(16, 48) % 8).tolist()


@pytest.mark.parametrize("name", ["5-gram", "cache", "drummer"])
def test_no_window_is_better_informed_than_it_may_be(case, name, drummer_folder):
    """Other drums before a window change nothing in it; in a whole take they do."""
    if name == "drummer":
        model = Listener(DrummerModel(drummer_folder))
    else:
        model = NGram.of_order(5) if name == "5-gram" else CacheMixture(orders=(2,), contexts=())
        model.fit([*make_takes(), case.piece])
    other = change_first_bars(case, 4)
    behind = slice(int(case.piece.grid.first_steps[4]), None)
    ours, theirs = (score_in_context(model.score, piece, 4) for piece in (case.piece, other))
    assert np.array_equal(ours[behind], theirs[behind])
    assert not np.array_equal(*(score_in_context(model.score, piece, WHOLE)[behind] for piece in (case.piece, other)))
    assert np.array_equal(ours[behind], np.concatenate([model.score(w) for w in list(cut_windows(case.piece, 4))[1:]]))
