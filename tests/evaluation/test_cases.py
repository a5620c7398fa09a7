"""Sources become cases as they are, or the reason why not."""

import numpy as np
import pytest

from backbeat.codecs.words import hits_to_words
from backbeat.datasets import list_sources
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.cases import Choice, list_corpus, load_case, read_corpus
from backbeat.evaluation.results import Case
from tests.evaluation.small import POISON, drum_take, make_takes
from tests.midi.builders import band_song
from tests.training.corpora import make_corpus


def write(folder, data, name="song.mid", **rest):
    (folder / name).write_bytes(data)
    return Source(str(folder / name), name, **rest)


def test_a_song_has_its_band_and_its_words(tmp_path):
    case = load_case(write(tmp_path, band_song(8)))
    assert isinstance(case, Case)
    assert case.piece.band is not None and case.piece.example is case.example and case.piece.cues is case.cues
    assert np.array_equal(hits_to_words(case.example.velocities > 0), case.piece.words)
    assert case.piece.hits[0].nonzero()[0].tolist() == [0, 2]  # kick and closed hat on 1


def test_a_take_has_no_band(tmp_path):
    case = load_case(write(tmp_path, drum_take(1), band=False))
    assert isinstance(case, Case)
    assert case.piece.band is None and not case.example.band and case.piece.active_bars.all()


@pytest.mark.parametrize(
    ("data", "band", "choice", "reason"),
    [
        (POISON, True, Choice(), "unreadable"),
        (b"", True, Choice(), "unreadable"),
        (band_song(8, drums=False), True, Choice(), "no drums"),
        (drum_take(1), True, Choice(), "no band"),
        (drum_take(1, numerator=3), False, Choice(metre="4/4"), "not in 4/4 throughout"),
    ],
)
def test_what_cannot_be_measured_on_says_why(tmp_path, data, band, choice, reason):
    result = load_case(write(tmp_path, data, band=band), choice)
    assert isinstance(result, str) and result.startswith(reason)


def test_where_nobody_knows_the_file_decides_whether_there_is_a_band(tmp_path):
    assert load_case(write(tmp_path, band_song(9), band=None)).piece.band is not None
    case = load_case(write(tmp_path, drum_take(1), band=None))
    assert isinstance(case, Case) and case.piece.band is None


def test_style_and_kind_choose_among_sources(tmp_path):
    takes = list_sources("groove_midi", make_takes(tmp_path))
    rock = [s for s in takes if Choice(style="Rock").admits(s)]
    assert 0 < len(rock) < len(takes) and all(s.genre == "rock" for s in rock)
    assert all("swing" in s.tags for s in takes if Choice(style="swing").admits(s))
    fills = {s.name for s in takes if Choice(kind="fill").admits(s)}
    assert fills and not fills & {s.name for s in takes if Choice(kind="beat").admits(s)}


def test_a_corpus_gives_the_pieces_it_was_built_from(tmp_path):
    make_corpus(tmp_path)
    sources = list_corpus(tmp_path / "corpus")
    cases = [load_case(s) for s in sources]
    real = load_case(write(tmp_path, band_song(14)))
    assert len(cases) == 4 and all(isinstance(c, Case) for c in cases)
    twin = next(c for c in cases if np.array_equal(c.piece.words, real.piece.words))
    for name in ("step", "bar", "song", "words", "velocities", "articulations", "matches", "layout"):
        assert np.array_equal(getattr(twin.example, name), getattr(real.example, name)), name
    assert np.allclose(twin.cues.onsets, real.cues.onsets, atol=0.02)
    assert np.array_equal(twin.cues.section_starts, real.cues.section_starts)
    assert np.array_equal(twin.piece.active_bars, real.piece.active_bars)
    with pytest.raises(InputError, match="a corpus holds arrays"):
        sources[0].read()


def test_a_corpus_without_such_pieces_is_refused(tmp_path):
    make_corpus(tmp_path)
    assert len(read_corpus(tmp_path / "corpus", band=True)) == 4
    assert len(read_corpus(tmp_path / "corpus", every=2, band=True)) == 2
    with pytest.raises(InputError, match="not a corpus"):
        read_corpus(tmp_path, band=True)
