"""Ornaments stand where people play them and where a hand is free."""

from __future__ import annotations

import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.midi.reading import read_strokes
from backbeat.transforms.ornaments import (
    DRAG_MS,
    FLAM_MS,
    HAND_SECONDS,
    KINDS,
    Ornament,
    Ornaments,
    Scene,
    choose_ghosts,
    choose_graces,
    draw_graces,
    list_ghost_places,
    load_rates,
    look_up_rates,
)
from tests.humanising.made import HAT, KICK, SNARE, rock, song_of
from tests.midi.builders import Track


def scene_of(track: Track) -> Scene:
    reading = read_strokes(song_of(track))
    return Scene(reading.strokes, reading.straight, reading.binary, reading.nominal_seconds())


def ghosts(track: Track, amount: float = 10, qpm: float = 120) -> tuple[Scene, np.ndarray, np.ndarray]:
    """The scene, and bars and places of the ghosts that are chosen."""
    scene = scene_of(track)
    bars, places = list_ghost_places(scene)
    chosen = choose_ghosts(scene, bars, places, (bars * 4 + places) * 60 / qpm, amount, np.random.default_rng(0))
    return scene, bars[chosen], places[chosen]


def test_wrong_wishes_are_refused():
    with pytest.raises(InputError, match="rolls: say ghosts, flams, drags or all"):
        Ornaments(("ghosts", "rolls"))
    with pytest.raises(InputError, match="lies in 0-10"):
        Ornaments(("ghosts",), 11)


def test_the_rates_are_those_of_people():
    rates = load_rates()
    assert set(rates) == set(KINDS) and all(r.shape == (16,) and (r >= 0).all() and (r <= 1).all() for r in rates.values())
    assert rates["ghosts"][[1, 5, 7, 9, 15]].min() > rates["ghosts"][[0, 4, 8, 12]].max()  # between the beats, not on them
    assert rates["drags"].mean() < rates["flams"].mean() < rates["ghosts"].mean()


def test_rates_of_other_metres_are_those_of_the_place_in_the_beat():
    rates = load_rates()["ghosts"]
    found = look_up_rates("ghosts", np.array([0.25, 0.25, 1 / 3]), np.array([4.0, 3.0, 4.0]))
    assert found.tolist() == [rates[1], pytest.approx(rates[[1, 5, 9, 13]].mean()), 0]


def test_ghosts_stand_on_free_16ths_with_room_for_the_hand():
    scene, bars, places = ghosts(rock(8))
    assert len(bars) > 8 and set((places % 1).tolist()) <= {0, 0.25, 0.5, 0.75}
    snares = scene.seconds[scene.of(("snare",))]
    when = (bars * 4 + places) / 2
    assert min(np.abs(snares - w).min() for w in when) >= HAND_SECONDS and np.diff(np.sort(when)).min() >= HAND_SECONDS


@pytest.mark.parametrize("kind", ["no snare", "no hats", "two hands", "fast"])
def test_no_ghosts_where_they_do_not_belong(kind):
    track = rock(8, parts=4 if kind == "two hands" else 2, qpm=250 if kind in ("fast", "two hands") else 120)
    unwanted = {"no snare": SNARE, "no hats": HAT}.get(kind)
    track.events = [e for e in track.events if len(e[1]) < 3 or e[1][1] != unwanted or e[1][0] == 0xFF]
    assert len(ghosts(track, qpm=250 if kind in ("fast", "two hands") else 120)[1]) == 0


def test_an_amount_of_nothing_adds_nothing():
    assert len(ghosts(rock(8), amount=0)[1]) == 0


def test_flams_stand_on_snares_without_a_hat():
    track = rock(16)
    hatless = [e for e in track.events if not (e[1][0] in (0x99, 0x89) and e[1][1] == HAT)]
    both, alone = scene_of(track), scene_of(Track(hatless))
    assert len(choose_graces(both, "flams", 10, np.random.default_rng(0))) == 0
    chosen = choose_graces(alone, "flams", 10, np.random.default_rng(0))
    assert len(chosen) > 1 and alone.of(("snare",))[chosen].all()


def test_no_flam_in_a_roll():
    track = Track()
    for k in range(64):
        track.note(k * 60, 20, SNARE, 100, 9)  # 32nds at 120
    track.note(0, 20, KICK, 100, 9)
    assert len(choose_graces(scene_of(track), "flams", 10, np.random.default_rng(0))) <= 1


def test_grace_notes_lie_where_people_put_them():
    rng = np.random.default_rng(4)
    for _ in range(50):
        ((before, share),) = draw_graces("flams", rng)
        assert FLAM_MS[0] <= before <= FLAM_MS[1] and share < 0.6
        (first, soft), (second, louder) = draw_graces("drags", rng)
        assert DRAG_MS[0] <= second <= DRAG_MS[1] and first == 2 * second and soft < louder


def test_an_ornament_as_json_counts_from_1():
    assert Ornament("ghost", 2, 1.25, 38, 30, 0.1234).to_dict() == {"kind": "ghost", "bar": 3, "quarter": 2.25, "note": 38, "velocity": 30, "seconds": 0.1234}
