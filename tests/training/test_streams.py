"""Batches: every step once, the surroundings of every chunk, and what is left out of a piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.recall import NO_WORD
from backbeat.cues import BAND_BAR, BAND_SONG, BAND_STEP
from backbeat.datasets.building import Plan, build_corpus
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.models.drummer_inputs import MARGIN, Arrays, chunk, unfold
from backbeat.training.streams import NOTHING, Augmentation, Streams, augment
from tests.training.corpora import make_corpus

ARTICULATIONS = 21


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("streams"))


@pytest.fixture
def piece(corpus: Corpus) -> Arrays:
    return unfold(corpus.piece(0), len(corpus.meta["kit"]["classes"]))


def follow(corpus: Corpus, lanes: int, length: int) -> list[np.ndarray]:
    """The words of every piece as the lanes played them."""
    playing: dict[int, list[np.ndarray]] = {}
    done: list[np.ndarray] = []
    for batch in Streams(corpus, lanes, length, NOTHING, endless=False):
        for lane in range(lanes):
            if batch["fresh"][lane] and lane in playing:
                done.append(np.concatenate(playing.pop(lane)))
            if batch["valid"][lane].any():
                playing.setdefault(lane, []).append(batch["words"][lane][batch["valid"][lane]])
    return done + [np.concatenate(p) for p in playing.values()]


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("length", [16, 50, 1000])
def test_every_step_is_played_once_and_in_order(corpus: Corpus, lanes: int, length: int) -> None:
    played = sorted(w.tobytes() for w in follow(corpus, lanes, length))
    assert played == sorted(p["words"].astype(np.int64).tobytes() for p in corpus)


def test_an_endless_stream_goes_on(corpus: Corpus) -> None:
    stream = iter(Streams(corpus, 2, 512, NOTHING))
    batches = [next(stream) for _ in range(12)]
    assert all(b["valid"].any(axis=1).all() for b in batches)
    assert all(b["fresh"].all() for b in batches), "every piece fits into one chunk here"


def test_the_seed_decides(corpus: Corpus) -> None:
    def draw(seed: int) -> bytes:
        stream = iter(Streams(corpus, 3, 64, Augmentation(), seed=seed))
        return b"".join(next(stream)["heard"].tobytes() for _ in range(8))

    assert draw(1) == draw(1) != draw(2)


def test_chunks_overlap_by_their_margins(piece: Arrays) -> None:
    whole = chunk(piece, 0, len(piece["words"]))["heard"]
    part = chunk(piece, 64, 32)["heard"]
    assert part.shape[0] == 32 + 2 * MARGIN
    assert np.array_equal(part, whole[64 : 64 + 32 + 2 * MARGIN])
    assert not whole[:MARGIN].any() and not whole[-MARGIN:].any()


def test_a_chunk_beyond_the_end_is_not_valid(piece: Arrays) -> None:
    steps = len(piece["words"])
    assert chunk(piece, steps - 10, 32)["valid"].tolist() == [True] * 10 + [False] * 22


def test_a_step_is_given_the_word_before_it_never_its_own(piece: Arrays) -> None:
    got = chunk(piece, 0, 40)
    assert not got["played"][0, :18].any()
    assert np.array_equal(got["played"][1:, :9], piece["bits"][:39])
    assert got["played"][1:, 9:18] == pytest.approx(piece["velocities"][:39] * 2 / 255)


def test_articulations_in_use_are_those_before(piece: Arrays) -> None:
    which = piece["articulations"]
    used: dict[int, int] = {}
    for step in range(60):
        assert sorted(used.values()) == np.flatnonzero(piece["used"][step]).tolist()
        used |= {c: int(which[step, c]) for c in range(9) if which[step, c] != 255}


def test_nothing_is_left_out_where_nothing_should_be(corpus: Corpus, piece: Arrays) -> None:
    kept = {k: v.copy() for k, v in piece.items()}
    augment(piece, np.random.default_rng(0), NOTHING, band=True)
    for name, array in kept.items():
        assert np.array_equal(piece[name], array), name


def test_a_take_without_a_band_has_none_of_its_columns(piece: Arrays) -> None:
    out = augment(piece, np.random.default_rng(0), NOTHING, band=False)
    assert not out["step"][:, BAND_STEP].any() and not out["bar"][:, BAND_BAR].any() and not out["song"][list(BAND_SONG)].any()
    assert (out["recalled_words"][:, 4:6] == NO_WORD).all()
    assert (out["recalled_words"][:, :4] != NO_WORD).any()


def test_a_lane_that_is_left_out_is_silent(corpus: Corpus, piece: Arrays) -> None:
    before = piece["step"].copy()
    out = augment(piece, np.random.default_rng(0), Augmentation(0, 1, 0, 0, 0, 0, 0), band=True)
    assert before[:, :24].any() and not out["step"][:, :24].any()
    assert np.array_equal(out["step"][:, 24:], before[:, 24:])
    assert corpus.piece(0)["step"][:, :24].any(), "the corpus stays as it is"


def test_memory_is_left_out(piece: Arrays) -> None:
    out = augment(piece, np.random.default_rng(0), Augmentation(0, 0, 0, 1, 0, 0, 0), band=True)
    assert (out["recalled_words"] == NO_WORD).all() and not out["habit"].any() and (out["agreement"] == 128).all()


def test_references_are_left_out(piece: Arrays) -> None:
    assert (augment(piece, np.random.default_rng(0), Augmentation(0, 0, 0, 0, 1, 0, 0), band=True)["recalled_words"] == NO_WORD).all()


def test_the_style_is_left_out(corpus: Corpus) -> None:
    batch = next(iter(Streams(corpus, 2, 16, NOTHING)))
    assert (batch["style"] == corpus.pieces["style"][0]).all() and batch["style"].all()
    assert not next(iter(Streams(corpus, 2, 16, Augmentation(0, 0, 1, 0, 0, 0, 0))))["style"].any()


def test_gaps_are_whole_bars(piece: Arrays) -> None:
    out = augment(piece, np.random.default_rng(0), Augmentation(0, 0, 0, 0, 0, 1, 0), band=True)
    known = out["mask"].all(axis=1)
    assert np.array_equal(known, out["mask"].any(axis=1))
    assert known.any() and not known.all()
    assert all(len(set(known[out["bar_of_step"] == b])) == 1 for b in range(len(out["layout"])))


def test_classes_are_known_throughout(piece: Arrays) -> None:
    for seed in range(8):
        fresh = dict(piece) | {"mask": np.zeros_like(piece["mask"])}
        mask = augment(fresh, np.random.default_rng(seed), Augmentation(0, 0, 0, 0, 0, 0, 1), band=True)["mask"]
        assert np.array_equal(mask, np.broadcast_to(mask[:1], mask.shape))


def test_what_is_known_is_heard_and_the_rest_is_not(piece: Arrays) -> None:
    piece["mask"][16:32, 1] = 1
    heard = chunk(piece, 0, len(piece["words"]))["heard"][MARGIN:-MARGIN, -18:]
    assert np.array_equal(heard[:, :9], piece["mask"] * 255)
    assert np.array_equal(heard[:, 9:], piece["mask"] * piece["bits"] * 255)
    assert heard[:, 9:].any()


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.mid").write_bytes(b"no MIDI")
    build_corpus(Plan([Source(str(tmp_path / "broken.mid"), "broken.mid")]), tmp_path / "corpus")
    with pytest.raises(InputError, match="holds no piece to learn from"):
        Streams(Corpus(tmp_path / "corpus"), 2, 16, NOTHING)
