from dataclasses import replace

import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.evaluation.excerpts import accent, open_excerpt
from backbeat.grid import Grid
from tests.evaluation.fabricate import make_case


def test_an_excerpt_is_as_long_as_it_may_be_and_begins_in_the_song(tmp_path):
    excerpt = open_excerpt(make_case(tmp_path, "a", 1), 12.0)
    start, stop = excerpt.seconds
    assert 8.0 < stop - start <= 12.0
    assert 0 < excerpt.first < excerpt.last <= excerpt.case.piece.grid.bars


def test_an_excerpt_has_one_bar_at_least_and_the_whole_song_at_most(tmp_path):
    case = make_case(tmp_path, "a", 1)
    short, long = open_excerpt(case, 0.1), open_excerpt(case, 1e6)
    assert short.last - short.first == 1
    assert long.first == 0
    assert case.piece.words[case.piece.grid.first_steps[long.last] :].any() == False  # noqa: E712 - of numpy


def test_a_piece_on_another_grid_than_its_file_is_not_played(tmp_path):
    case = make_case(tmp_path, "a", 1)
    with pytest.raises(InputError, match="its bars are not those of the file"):
        open_excerpt(replace(case, piece=case.piece.cut(0, 4)), 10.0)


def test_accents_follow_the_metre():
    grid = Grid.regular(1)
    levels = accent(np.ones((16, 9), np.bool_), grid).velocities[:, 0]
    assert (levels[[0, 4, 8, 12]] > levels[2]).all() and levels[2] > levels[1] == levels[3]
    assert not accent(np.zeros((16, 9), np.bool_), grid).hits.any()
