"""Batches: every step once, the surroundings of every chunk, and what is left out of a piece, given away and asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.controls import COLUMNS
from backbeat.codecs.recall import NO_WORD
from backbeat.cues import BAND_BAR, BAND_SONG, BAND_STEP
from backbeat.datasets import list_sources
from backbeat.datasets.corpus import Corpus
from backbeat.errors import InputError
from backbeat.evaluation.cases import list_corpus
from backbeat.metrics.fills import find_fills
from backbeat.models.drummer_inputs import ASKED, MARGIN, Arrays, chunk, unfold
from backbeat.training.drummer_lanes import NOTHING, Augmentation, Lanes, Library, Packed, blur, measure_controls, play_through, prepare, tap_line
from tests.midi.builders import band_song
from tests.training.corpora import make_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("lanes"))


@pytest.fixture(scope="module")
def library(corpus: Corpus) -> Library:
    return Library(list_corpus(corpus.folder))


@pytest.fixture
def piece(corpus: Corpus) -> Arrays:
    return unfold(corpus.piece(0), len(corpus.meta["kit"]["classes"]))


def follow(batches: Iterable[Arrays], lanes: int) -> list[np.ndarray]:
    """The words of every piece as the lanes played them."""
    playing: dict[int, list[np.ndarray]] = {}
    done: list[np.ndarray] = []
    for batch in batches:
        for lane in range(lanes):
            if batch["fresh"][lane] and lane in playing:
                done.append(np.concatenate(playing.pop(lane)))
            if batch["valid"][lane].any():
                playing.setdefault(lane, []).append(batch["words"][lane][batch["valid"][lane]])
    return done + [np.concatenate(p) for p in playing.values()]


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("length", [16, 50, 1000])
def test_validation_plays_every_piece_once_and_whole(corpus: Corpus, library: Library, lanes: int, length: int) -> None:
    played = sorted(w.tobytes() for w in follow(play_through(library, lanes, length), lanes))
    assert played == sorted(p["words"].astype(np.int64).tobytes() for p in corpus)


@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("length", [16, 50, 1000])
def test_an_epoch_has_every_step_once(corpus: Corpus, library: Library, lanes: int, length: int) -> None:
    streams = Lanes(library, lanes, length, NOTHING)
    for epoch in (0, 1):
        batches = [streams.take(epoch * streams.updates_per_epoch + k) for k in range(streams.updates_per_epoch)]
        played = np.concatenate([b["words"][b["valid"]] for b in batches])
        assert np.array_equal(np.bincount(played, minlength=512), sum(np.bincount(p["words"], minlength=512) for p in corpus))
    assert all(b["fresh"].all() for b in batches[:1])


def test_what_stands_where_depends_on_seed_and_update_alone(library: Library) -> None:
    def draw(seed: int, *updates: int) -> bytes:
        streams = Lanes(library, 3, 64, Augmentation(), seed=seed)
        return [streams.take(u)["heard"].tobytes() for u in updates][-1]

    assert draw(1, 0, 1, 2, 9) == draw(1, 9) != draw(2, 9)
    whole, part = Lanes(library, 4, 64, Augmentation()).take(3), Lanes(library, 4, 64, Augmentation()).take(3, 2, 2)
    assert np.array_equal(whole["heard"][2:], part["heard"])


def test_files_are_learned_from_as_corpora_are(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(band_song(12))
    (tmp_path / "b.mid").write_bytes(b"no MIDI")
    library = Library(list_sources(str(tmp_path)))
    assert len(library) == 1 and library[0].band and len(library[0].arrays["words"]) == library.steps[0]
    (tmp_path / "a.mid").unlink()
    with pytest.raises(InputError, match="none of 1 pieces has drums"):
        Library(list_sources(str(tmp_path)))


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


def augmented(corpus: Corpus, how: Augmentation, seed: int = 0, *, band: bool = True) -> Arrays:
    return prepare(Packed(corpus.piece(0), 1, True, band), np.random.default_rng(seed), how)


def test_nothing_is_left_out_where_nothing_should_be(corpus: Corpus, piece: Arrays) -> None:
    out = augmented(corpus, NOTHING)
    for name, array in piece.items():
        assert np.array_equal(out[name], array) or name == "style", name
    assert not out["controls"].any() and not out["line"].any() and not chunk(out, 0, 64)["heard"][:, -ASKED:].any()


def test_a_take_without_a_band_has_none_of_its_columns(corpus: Corpus) -> None:
    out = augmented(corpus, NOTHING, band=False)
    assert not out["step"][:, BAND_STEP].any() and not out["bar"][:, BAND_BAR].any() and not out["song"][list(BAND_SONG)].any()
    assert (out["recalled_words"][:, 4:6] == NO_WORD).all()
    assert (out["recalled_words"][:, :4] != NO_WORD).any()


def test_a_lane_that_is_left_out_is_silent(corpus: Corpus, piece: Arrays) -> None:
    out = augmented(corpus, replace(NOTHING, no_lane=1))
    assert piece["step"][:, :24].any() and not out["step"][:, :24].any()
    assert np.array_equal(out["step"][:, 24:], piece["step"][:, 24:])


def test_memory_references_and_style_are_left_out(corpus: Corpus) -> None:
    out = augmented(corpus, replace(NOTHING, no_memory=1))
    assert (out["recalled_words"] == NO_WORD).all() and not out["habit"].any() and (out["agreement"] == 128).all()
    assert (augmented(corpus, replace(NOTHING, no_reference=1))["recalled_words"] == NO_WORD).all()
    assert augmented(corpus, NOTHING)["style"] == 1 and augmented(corpus, replace(NOTHING, no_style=1))["style"] == 0


def test_gaps_are_whole_bars(corpus: Corpus) -> None:
    out = augmented(corpus, replace(NOTHING, gaps=1))
    known = out["mask"].all(axis=1)
    assert np.array_equal(known, out["mask"].any(axis=1))
    assert known.any() and not known.all()
    assert all(len(set(known[out["bar_of_step"] == b])) == 1 for b in range(len(out["layout"])))


def test_classes_are_known_throughout(corpus: Corpus) -> None:
    for seed in range(8):
        mask = augmented(corpus, replace(NOTHING, classes=1), seed)["mask"]
        assert np.array_equal(mask, np.broadcast_to(mask[:1], mask.shape))


def test_what_is_known_is_heard_and_the_rest_is_not(piece: Arrays) -> None:
    piece["mask"][16:32, 1] = 1
    heard = chunk(piece, 0, len(piece["words"]))["heard"][MARGIN:-MARGIN, -18 - ASKED : -ASKED]
    assert np.array_equal(heard[:, :9], piece["mask"] * 255)
    assert np.array_equal(heard[:, 9:], piece["mask"] * piece["bits"] * 255)
    assert heard[:, 9:].any()


def test_a_line_taps_what_is_hit(corpus: Corpus, piece: Arrays) -> None:
    out = augmented(corpus, replace(NOTHING, line=1))
    heard = chunk(out, 0, len(out["words"]))["heard"][MARGIN:-MARGIN, -2:]
    assert np.array_equal(heard, out["line"]) and (heard[:, 1] == 255).all() and heard[:, 0].any()
    for seed in range(20):
        taps = tap_line(piece["bits"], np.random.default_rng(seed))[:, 0] > 0
        assert not (taps & ~piece["bits"].any(axis=1)).any(), "a tap where nothing is hit"


def test_controls_say_what_the_drums_do(corpus: Corpus, piece: Arrays) -> None:
    real = measure_controls(piece, dynamic=True)
    first = np.concatenate([[0], np.cumsum(piece["layout"][:, 0])])
    counts = [int(piece["bits"][a:b].sum()) for a, b in pairwise(first)]
    assert np.array_equal(np.argsort(counts, kind="stable"), np.argsort(real.density, kind="stable"))
    assert np.array_equal(real.fills > 0, find_fills(piece["bits"] > 0, first))
    assert np.isnan(measure_controls(piece, dynamic=False).intensity).all()
    out = augmented(corpus, replace(NOTHING, control=1), 3)
    assert out["controls"].shape == (len(out["layout"]), COLUMNS) and out["controls"][:, 1::2].any(axis=0).all()
    heard = chunk(out, 0, len(out["words"]))["heard"][MARGIN:-MARGIN, -ASKED : -ASKED + COLUMNS]
    assert np.array_equal(heard, out["controls"][out["bar_of_step"]])


def test_a_blurred_control_is_near_the_real_one() -> None:
    values = np.linspace(0.1, 0.9, 64).astype(np.float32)
    values[5] = np.nan
    kinds = [blur(values, np.random.default_rng(seed)) for seed in range(60)]
    assert any(len(set(k.tolist())) == 1 for k in kinds) and any(np.isnan(k).any() for k in kinds)
    passages = [k for k in kinds if len(set(k[~np.isnan(k)].tolist())) > 3]
    assert all(np.corrcoef(k[~np.isnan(k)], values[~np.isnan(k)])[0, 1] > 0.8 for k in (np.where(np.isnan(values), np.nan, p) for p in passages))
    assert np.isnan(blur(np.full(8, np.nan, np.float32), np.random.default_rng(0))).all()
