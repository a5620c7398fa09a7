"""The drummer model: what it plays, that known cells stay, and that its likelihood is the one it plays with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.codecs.words import groove_to_words
from backbeat.cues import Cues, hear, hear_nothing
from backbeat.datasets.preparation import pack
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.midi import parse_song
from backbeat.models.drummer import DrummerModel, Known, Sampling
from backbeat.models.drummer_order import order_bars
from tests.midi.builders import METRES, Track, band_song, midi

NINE = load_kit("drums_rnn_9")


@pytest.fixture(scope="module")
def model(drummer_folder: Path) -> DrummerModel:
    return DrummerModel(drummer_folder)


def make_cues(bars: int = 4, numerator: int = 4, denominator: int = 4) -> Cues:
    song = parse_song(band_song(bars, numerator=numerator, denominator=denominator))
    return hear(song, song.grid())


def make_rngs(*seeds: int) -> list[np.random.Generator]:
    return [np.random.default_rng(s) for s in seeds]


def same(one: Groove, two: Groove) -> bool:
    return all(getattr(one, n).tobytes() == getattr(two, n).tobytes() for n in ("hits", "velocities", "offsets"))


def to_nine(groove: Groove) -> np.ndarray:
    return groove.to_kit(NINE).hits


@pytest.mark.parametrize(("numerator", "denominator"), METRES)
def test_it_plays_in_every_metre(model: DrummerModel, numerator: int, denominator: int) -> None:
    cues = make_cues(3, numerator, denominator)
    groove = model.play(cues, make_rngs(1))[0]
    assert groove.grid is cues.grid and groove.kit == model.kit
    assert groove.hits.any() and not groove.offsets.any()
    assert to_nine(groove).sum() == groove.hits.sum(), "one articulation a class"


def test_takes_do_not_disturb_each_other(model: DrummerModel) -> None:
    cues = make_cues()
    together = model.play(cues, make_rngs(1, 2, 1))
    assert same(together[0], together[2]) and not same(together[0], together[1])
    alone = model.play(cues, make_rngs(2))[0]
    assert np.array_equal(alone.hits, together[1].hits)


def test_temperature_0_needs_no_luck(model: DrummerModel) -> None:
    how = Sampling(temperature=0, velocity_temperature=0, articulation_temperature=0)
    one, two = (model.play(make_cues(), make_rngs(s), how=how)[0] for s in (1, 2))
    assert np.array_equal(one.hits, two.hits)


def test_nobody_plays_far_from_any_sound(model: DrummerModel) -> None:
    bass = Track().program(0, 33)
    for beat in range(8):
        bass.note(beat * 480, 400, 40).note((80 + beat) * 480, 400, 40)
    song = parse_song(midi(bass.chunk()))
    grid = song.grid()
    groove = model.play(hear(song, grid), make_rngs(1))[0]
    played = [bool(groove.bar(b).any()) for b in range(grid.bars)]
    assert not any(played[4:18]), "two bars around the music are near"
    assert any(played[:4]) and any(played[18:])


@pytest.mark.parametrize("band", [True, False])
def test_known_cells_stay(model: DrummerModel, band: bool) -> None:
    cues = make_cues(6)
    rng = np.random.default_rng(5)
    given = model.play(cues, make_rngs(9))[0]
    mask = rng.random((cues.grid.steps, 9)) < 0.6
    for seed in range(3):
        groove = model.play(cues, make_rngs(seed), known=Known(mask, given), band=band, how=Sampling(temperature=2, top_p=1))[0]
        assert np.array_equal(to_nine(groove)[mask], to_nine(given)[mask])
        stays = mask[:, model.kit.mapping(NINE)] & given.hits
        assert np.array_equal(groove.hits[stays], given.hits[stays]) and np.array_equal(groove.velocities[stays], given.velocities[stays])


def test_all_known_is_a_copy(model: DrummerModel) -> None:
    cues = make_cues()
    given = model.play(cues, make_rngs(9))[0]
    mask = np.ones((cues.grid.steps, 9), np.bool_)
    assert same(model.play(cues, make_rngs(1), known=Known(mask, given))[0], given)


def test_what_is_not_known_is_not_looked_at(model: DrummerModel) -> None:
    cues = make_cues()
    mask = np.zeros((cues.grid.steps, 9), np.bool_)
    mask[:, 2] = True
    given = model.play(cues, make_rngs(9))[0]
    hidden = given.replace(hits=given.hits & mask[:, model.kit.mapping(NINE)])
    assert same(*(model.play(cues, make_rngs(1), known=Known(mask, g))[0] for g in (given, hidden)))


def test_without_a_band_nothing_of_it_is_heard(model: DrummerModel) -> None:
    one = make_cues(4)
    other = replace(hear_nothing(one.grid), matches=one.matches)
    assert same(*(model.play(c, make_rngs(1), band=False)[0] for c in (one, other)))


def test_the_score_is_the_likelihood_that_it_plays_with(model: DrummerModel, monkeypatch: pytest.MonkeyPatch) -> None:
    cues = make_cues(6)
    given: list[np.ndarray] = []
    play = model.session.play

    def listen_in(*arguments: Any) -> Any:
        outputs = play(*arguments)
        given.append(outputs[0][0, 0].astype(np.float64) / np.log(2))
        return outputs

    with monkeypatch.context() as patch:
        patch.setattr(model.session, "play", listen_in)
        groove = model.play(cues, make_rngs(4), how=Sampling(rehearsals=1, velocity_temperature=1))[0]
    words = groove_to_words(groove)
    example = pack(cues.grid, groove, cues, band=True)
    assert example.dynamic, "the take must have dynamics, for velocities to count"
    scores = model.score(example)
    assert scores.shape == (cues.grid.steps,) and scores.max() <= 0
    assert scores == pytest.approx(np.array([g[w] for g, w in zip(given, words, strict=True)]), abs=2e-3)


def test_the_score_knows_no_future(model: DrummerModel) -> None:
    cues = make_cues(6)
    groove = model.play(cues, make_rngs(4))[0]
    cut = groove.replace(hits=groove.hits & (np.arange(cues.grid.steps) < 50)[:, None])
    one, two = (model.score(pack(cues.grid, g, cues, band=True)) for g in (groove, cut))
    assert one[:50] == pytest.approx(two[:50], abs=1e-5)
    assert not np.allclose(one[50:], two[50:])


def test_the_score_hears_the_band_where_it_may(model: DrummerModel) -> None:
    loud, soft = make_cues(6), make_cues(6)
    soft = replace(soft, velocities=soft.velocities / 2, onsets=soft.onsets / 2)
    groove = model.play(loud, make_rngs(4))[0]
    one, two = (pack(c.grid, groove, c, band=True) for c in (loud, soft))
    assert not np.allclose(model.score(one), model.score(two))
    assert np.array_equal(model.score(one, band=False), model.score(two, band=False))
    assert not np.allclose(model.score(one), model.score(one, style=3))


def test_a_grid_of_its_own(model: DrummerModel) -> None:
    grid = Grid.regular(2, 5, 4)
    assert model.play(hear_nothing(grid, 90), make_rngs(1), band=False)[0].hits.shape == (40, len(model.kit))


def know_all_but(cues: Cues, *bars: int) -> np.ndarray:
    """Bool [steps, 9]: every bar is known but these."""
    return np.repeat(~np.isin(cues.grid.bar_of_step, bars)[:, None], 9, axis=1)


def test_the_score_of_a_gap_is_the_likelihood_it_is_played_with(model: DrummerModel, monkeypatch: pytest.MonkeyPatch) -> None:
    cues = make_cues(8)
    given = model.play(cues, make_rngs(4), how=Sampling(velocity_temperature=1))[0]
    mask = know_all_but(cues, 2, 3)
    drawn: list[np.ndarray] = []
    play = model.session.play

    def listen_in(*arguments: Any) -> Any:
        outputs = play(*arguments)
        if outputs[0].shape[1] == 1:
            drawn.append(outputs[0][0, 0].astype(np.float64) / np.log(2))
        return outputs

    with monkeypatch.context() as patch:
        patch.setattr(model.session, "play", listen_in)
        groove = model.play(cues, make_rngs(1), how=Sampling(rehearsals=1), known=Known(mask, given))[0]
    assert len(drawn) == 32, "only the steps that are open are played one by one"
    words = groove_to_words(groove)
    order = order_bars(cues, mask.all(axis=1))
    scores = model.score(pack(cues.grid, groove, cues, band=True), known=mask, order=order)
    assert scores[32:64] == pytest.approx(np.array([g[w] for g, w in zip(drawn, words[32:64], strict=True)]), abs=2e-3)
    assert np.abs(scores[:32]).max() < 1e-6 and np.abs(scores[64:]).max() < 1e-6, "what is known is certain"


def test_what_lies_behind_a_gap_is_remembered_before_it(model: DrummerModel) -> None:
    cues = make_cues(8)
    settled = know_all_but(cues, 2, 3, 5).all(axis=1)
    order = order_bars(cues, settled)
    assert order.bars.tolist() == [4, 6, 7, 0, 1, 2, 3, 4, 5]
    assert np.array_equal(order.steps[order.places], np.arange(cues.grid.steps))
    assert np.array_equal(np.diff(order.grid.first_steps), cues.grid.bar_steps[order.bars])
    assert (order.matches < np.arange(len(order.bars))[:, None]).all(), "matches point back"
    for nothing in (np.zeros_like(settled), np.ones_like(settled)):
        assert order_bars(cues, nothing).bars.tolist() == list(range(8))


def test_a_restricted_word_still_sums_to_one(model: DrummerModel) -> None:
    cues = make_cues(4)
    mask = know_all_but(cues, 1)
    mask[:, 0] = True
    example = pack(cues.grid, model.play(cues, make_rngs(4))[0], cues, band=True)
    words = model.predict(example, known=mask)
    assert np.exp(words.astype(np.float64)).sum(axis=1) == pytest.approx(np.ones(len(words)), abs=1e-4)
    assert ((words > -np.inf).sum(axis=1)[16:32] == 256).all() and ((words > -np.inf).sum(axis=1)[:16] == 1).all()


def test_a_bias_is_obeyed(model: DrummerModel) -> None:
    cues = make_cues(3)
    bias = np.zeros((cues.grid.steps, 512), np.float32)
    bias[::4, 0] = -np.inf
    bias[1::4, 1:] = -np.inf
    hits = to_nine(model.play(cues, make_rngs(1), bias=bias)[0])
    assert hits[::4].any(axis=1).all() and not hits[1::4].any()
