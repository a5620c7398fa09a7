from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, list_kits, load_kit
from backbeat.midi import parse_song, write_groove
from backbeat.transforms.playability import (
    PLAYED,
    WRITTEN,
    Fault,
    Limb,
    Limits,
    Timed,
    assign_limbs,
    assign_note_limbs,
    find_conflicts,
    find_note_conflicts,
    judge,
    make_playable,
)
from backbeat.transforms.playability.surfaces import SURFACES, look_up_kit, look_up_notes
from backbeat.units import MetreMap, TempoMap

KIT = load_kit("backbeat")


def make_groove(rows: dict[str, str], *, numerator: int = 4, denominator: int = 4, per_quarter: int = 4, velocity: float = 0.8, kit: Kit = KIT) -> Groove:
    """A groove from lines of x and . (a soft hit is an o), one a class."""
    steps = len(next(iter(rows.values())))
    per_bar = per_quarter * 4 * numerator // denominator
    grid = Grid.regular(-(-steps // per_bar), numerator, denominator, steps_per_quarter=per_quarter)
    velocities = np.zeros((grid.steps, len(kit)), np.float32)
    for name, row in rows.items():
        for step, mark in enumerate(row):
            velocities[step, kit.index(name)] = {"x": velocity, "o": 0.3}.get(mark, 0)
    return Groove(grid, kit, velocities > 0, velocities, np.zeros_like(velocities))


def at(qpm: float) -> TempoMap:
    return TempoMap(480, (0,), (round(60_000_000 / qpm),))


def list_left_out(groove: Groove, tempo: TempoMap) -> set[tuple[int, str]]:
    gone = groove.hits & ~make_playable(groove, tempo).hits
    return {(int(s), groove.kit.names[c]) for s, c in zip(*np.nonzero(gone), strict=True)}


PLAYABLE = {
    "rock": ({"closed_hat": "x.x.x.x.x.x.x.x.", "snare": "....x.......x...", "kick": "x.......x.x....."}, 120),
    "16th hats with two hands": ({"closed_hat": "xxxxxxxxxxxxxxxx", "snare": "....x.......x...", "kick": "x..x..x...x....."}, 110),
    "blast beat": ({"ride": "x.x.x.x.x.x.x.x.", "snare": ".x.x.x.x.x.x.x.x", "kick": "xxxxxxxxxxxxxxxx"}, 200),
    "snare roll in 32nds": ({"snare": "xxxxxxxxxxxxxxxx"}, 280),
    "crash and snare and kick": ({"crash": "x.......", "snare": "x...x...", "kick": "x.x.x.x."}, 140),
    "pedal with ride": ({"ride": "x.x.x.x.", "pedal_hat": "..x...x.", "snare": "..x...x.", "kick": "x...x..."}, 200),
}


@pytest.mark.parametrize("name", PLAYABLE)
def test_what_people_play_is_playable(name: str) -> None:
    rows, qpm = PLAYABLE[name]
    groove = make_groove(rows)
    assert find_conflicts(groove, at(qpm)) == []
    assert make_playable(groove, at(qpm)) is groove


def test_three_hands_lose_the_least_important() -> None:
    groove = make_groove({"closed_hat": "x.x.x.x.", "crash": "x.......", "snare": "x...x...", "kick": "x......."})
    (conflict,) = find_conflicts(groove, at(120))
    assert (conflict.bar, conflict.seconds, conflict.what) == (0, 0, ("closed hat",))
    assert conflict.why == "three hands at once: snare + closed hat + crash"
    assert list_left_out(groove, at(120)) == {(0, "closed_hat")}


def test_a_hat_is_not_open_and_closed_at_once() -> None:
    groove = make_groove({"closed_hat": "x.x.x.x.", "open_hat": "......x."})
    (conflict,) = find_conflicts(groove, at(120))
    assert conflict.why == "the hat is struck open and closed at once"
    assert list_left_out(groove, at(120)) == {(6, "closed_hat")}


def test_an_open_hat_is_not_closed_by_its_pedal_at_once() -> None:
    groove = make_groove({"open_hat": "..x...x.", "pedal_hat": "x.x....."})
    (conflict,) = find_conflicts(groove, at(120))
    assert "pedal" in conflict.why and conflict.what == ("hat pedal",)


@pytest.mark.parametrize(("qpm", "double", "single"), [(120, True, True), (200, True, False), (280, True, False), (400, False, False)])
def test_kicks_are_as_fast_as_feet(qpm: float, double: bool, single: bool) -> None:
    groove = make_groove({"kick": "x" * 32})
    assert (find_conflicts(groove, at(qpm)) == []) == double
    assert (find_conflicts(groove, at(qpm), WRITTEN.with_pedals(False)) == []) == single


def test_nothing_to_play() -> None:
    groove = Groove.empty(Grid.regular(2), KIT)
    assert find_conflicts(groove, at(120)) == [] and make_playable(groove, at(120)) is groove


METRES = [(4, 4), (3, 4), (6, 8), (7, 8), (5, 4), (12, 8), (5, 16)]


@st.composite
def draw_grooves(draw: st.DrawFn) -> tuple[Groove, TempoMap]:
    """Any groove: any kit, metre, grid, density and timing, at 40 to 280 qpm, in two tempi."""
    kit, (numerator, denominator) = load_kit(draw(st.sampled_from(list_kits()))), draw(st.sampled_from(METRES))
    grid = Grid.regular(draw(st.integers(1, 3)), numerator, denominator, steps_per_quarter=draw(st.sampled_from([2, 3, 4, 6, 8])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    hits = rng.random((grid.steps, len(kit))) < draw(st.sampled_from([0.02, 0.1, 0.3, 0.7]))
    velocities = np.where(hits, rng.uniform(0.05, 1, hits.shape), 0).astype(np.float32)
    offsets = np.where(hits, rng.uniform(-0.5, 0.49, hits.shape) * draw(st.sampled_from([0, 0.2, 1])), 0).astype(np.float32)
    tempi = draw(st.tuples(st.floats(40, 280), st.floats(40, 280)))
    return Groove(grid, kit, hits, velocities, offsets), TempoMap(480, (0, 1000), tuple(round(6e7 / q) for q in tempi))


@settings(deadline=None, max_examples=30)
@given(draw_grooves())
def test_what_is_made_playable_has_no_conflict(case: tuple[Groove, TempoMap]) -> None:
    groove, tempo = case
    made = make_playable(groove, tempo)
    assert find_conflicts(made, tempo) == []
    assert find_conflicts(made, tempo, PLAYED) == []
    assert not (made.hits & ~groove.hits).any()
    np.testing.assert_array_equal(made.velocities, np.where(made.hits, groove.velocities, 0))
    np.testing.assert_array_equal(made.offsets, np.where(made.hits, groove.offsets, 0))
    assert make_playable(made, tempo) is made
    assert (find_conflicts(groove, tempo) == []) == (made is groove)


@settings(deadline=None, max_examples=15)
@given(draw_grooves(), st.booleans())
def test_one_pedal_is_enough_where_it_is_asked_for(case: tuple[Groove, TempoMap], percussionist: bool) -> None:
    groove, tempo = case
    limits = WRITTEN.with_pedals(False).with_percussionist(percussionist)
    made = make_playable(groove, tempo, limits)
    assert find_conflicts(made, tempo, limits) == []
    limbs = assign_limbs(made, tempo, limits)
    surfaces = look_up_kit(groove.kit)
    assert (limbs[:, surfaces == 0][made.hits[:, surfaces == 0]] == Limb.RIGHT_FOOT).all()


@settings(deadline=None, max_examples=30)
@given(draw_grooves())
def test_the_sticking_keeps_the_limits(case: tuple[Groove, TempoMap]) -> None:
    groove, tempo = case
    made = make_playable(groove, tempo)
    limbs, surfaces = assign_limbs(made, tempo), look_up_kit(groove.kit)
    assert ((limbs >= 0) == (made.hits & (surfaces >= 0))).all()
    steps, columns = np.nonzero(made.hits & (surfaces >= 0))
    seconds = np.array([tempo.seconds(int(t)) for t in made.grid.ticks(steps, made.offsets[steps, columns].astype(np.float64))])
    for limb, needs in ((Limb.RIGHT_HAND, WRITTEN.tabulate_hands()), (Limb.LEFT_HAND, WRITTEN.tabulate_hands()), (Limb.LEFT_FOOT, WRITTEN.tabulate_feet())):
        mine = limbs[steps, columns] == limb
        order = np.argsort(seconds[mine], kind="stable")
        when, where = seconds[mine][order], surfaces[columns[mine][order]]
        least = np.where(where[1:] == where[:-1], WRITTEN.hand_press / 1000, needs[where[:-1], where[1:]])
        assert (np.diff(when) >= least - 1e-5).all()


def can_play(strokes: Timed, limits: Limits, limbs: tuple[int, ...]) -> bool:
    """Whether an assignment of hands (0, 1; -1 = left out) keeps the limits, spelled out."""
    needs = limits.tabulate_hands()
    for hand in (0, 1):
        last, fast = -1, False
        for k in [k for k in range(len(strokes)) if limbs[k] == hand]:
            if last >= 0:
                gap, here, there = strokes.seconds[k] - strokes.seconds[last], strokes.surfaces[last], strokes.surfaces[k]
                bounces = here == there and strokes.velocities[k] <= limits.soft and gap >= limits.hand_press / 1000
                at_ease = gap >= needs[here, there] and not (fast and gap < limits.hand_rest / 1000)
                if not (bounces or at_ease):
                    return False
                fast = bool(here == there and gap < limits.hand_steady / 1000) if at_ease else True
            last = k
    return True


@pytest.mark.parametrize("seed", range(40))
def test_the_search_finds_what_trying_everything_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 6
    seconds = np.sort(rng.integers(0, 30, n) * rng.choice([0.013, 0.031, 0.057]))
    strokes = Timed(seconds, rng.choice([2, 4, 6, 9, 17], n), rng.uniform(0.2, 1, n), rng.uniform(1, 9, n))
    ways = [way for way in product((-1, 0, 1), repeat=n) if can_play(strokes, WRITTEN, way)]
    least = min(strokes.weights[np.array(way) < 0].sum() for way in ways)
    verdict = judge(strokes, WRITTEN)
    assert can_play(strokes, WRITTEN, tuple(verdict.limbs.tolist()))
    assert strokes.weights[verdict.impossible].sum() == pytest.approx(least)


def time_strokes(*strokes: tuple[float, int, int]) -> Timed:
    """Strokes of seconds, MIDI note and velocity."""
    seconds, notes, velocities = (np.array(column) for column in zip(*strokes, strict=True))
    return Timed(seconds.astype(np.float64), look_up_notes()[notes], velocities / 127, velocities / 127)


def test_a_flam_takes_both_hands_and_a_drag_bounces() -> None:
    assert set(judge(time_strokes((0.0, 38, 50), (0.025, 38, 110)), WRITTEN).limbs) == {Limb.RIGHT_HAND, Limb.LEFT_HAND}
    drag = time_strokes((0.0, 38, 40), (0.03, 38, 40), (0.09, 38, 120))
    assert not judge(drag, WRITTEN).impossible.any()
    loud = time_strokes((0.0, 38, 120), (0.015, 38, 120), (0.03, 38, 120))
    assert judge(loud, WRITTEN).impossible.sum() == 1


def test_a_hand_does_not_cross_the_kit_in_no_time() -> None:
    strokes = time_strokes((0.0, 42, 100), (0.0, 38, 100), (0.06, 51, 100), (0.06, 43, 100))
    assert judge(strokes, WRITTEN).faults.tolist().count(Fault.HANDS) >= 1
    slower = Timed(strokes.seconds * 3, strokes.surfaces, strokes.velocities, strokes.weights)
    assert not judge(slower, WRITTEN).impossible.any()


def test_the_left_foot_is_on_one_pedal_at_a_time() -> None:
    kicks = time_strokes(*((0.055 * k, 36, 100) for k in range(8)))
    assert not judge(kicks, WRITTEN).impossible.any()
    with_hat = time_strokes(*sorted([*((0.055 * k, 36, 100) for k in range(8)), (0.165, 44, 100)]))
    assert (judge(with_hat, WRITTEN).faults == Fault.FEET).any()


def test_triggers_of_an_electronic_kit_are_no_strokes_of_their_own() -> None:
    rim = time_strokes((0.0, 38, 100), (0.003, 37, 90), (0.003, 42, 90))
    assert not judge(rim, PLAYED).impossible.any() and judge(rim, WRITTEN).impossible.any()
    splash = time_strokes((0.0, 38, 100), (0.0, 51, 100), (0.004, 46, 30), (0.006, 44, 90))
    assert not judge(splash, PLAYED).impossible.any() and judge(splash, WRITTEN).impossible.any()


def test_a_stream_of_triggers_is_no_single_stroke() -> None:
    stream = time_strokes(*((0.008 * k, 36, 100) for k in range(60)))
    assert judge(stream, PLAYED).impossible.sum() > 40


def test_notes_that_nobody_strikes_are_not_judged() -> None:
    strokes = time_strokes((0.0, 33, 100), (0.0, 38, 100), (0.0, 42, 100), (0.0, 71, 100), (0.0, 100, 100))
    assert not judge(strokes, WRITTEN).impossible.any()
    assert judge(strokes, WRITTEN).limbs.tolist() == [-1, 1, 0, -1, -1]


def test_kick_and_snare_on_the_beat_and_the_first_crash_stay() -> None:
    names = ["kick", "snare", "crash", "closed_hat", "ride", "tambourine", "cowbell"]
    made = make_playable(make_groove(dict.fromkeys(names, "x.......")), at(120))
    assert {name for name, n in made.count_hits().items() if n} == {"kick", "snare", "crash"}


def test_only_the_least_of_hits_that_cannot_go_together_leave() -> None:
    groove = make_groove({"ride": "x.x.x.x.", "snare": "....x...", "tambourine": "xxxxxxxx", "kick": "x...x..."})
    assert list_left_out(groove, at(120)) == {(4, "tambourine")}


def test_a_written_groove_is_found_playable_in_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    grid = Grid.regular(16)
    hits = rng.random((grid.steps, len(KIT))) < 0.2
    velocities = np.where(hits, rng.uniform(0.1, 1, hits.shape), 0).astype(np.float32)
    groove = Groove(grid, KIT, hits, velocities, np.where(hits, rng.normal(0, 0.1, hits.shape).clip(-0.4, 0.4), 0).astype(np.float32))
    made = make_playable(groove, at(130))
    for each, good in ((groove, False), (made, True)):
        write_groove(each, tmp_path / f"{good}.mid", at(130), MetreMap())
        song = parse_song((tmp_path / f"{good}.mid").read_bytes())
        assert (find_note_conflicts(song) == []) == good
        strokes, bars, limbs = assign_note_limbs(song)
        assert len(strokes) == len(bars) == len(limbs) == int(each.hits.sum())


def test_every_conflict_has_a_bar_a_time_and_a_sentence() -> None:
    rng = np.random.default_rng(1)
    grid = Grid.regular(8, 7, 8)
    hits = rng.random((grid.steps, len(KIT))) < 0.4
    velocities = hits.astype(np.float32)
    conflicts = find_conflicts(Groove(grid, KIT, hits, velocities, np.zeros_like(velocities)), at(150))
    assert {c.bar for c in conflicts} == set(range(8))
    for c in conflicts:
        assert c.bar == int(c.seconds / (3.5 * 60 / 150) + 1e-6)
        assert c.what and c.why and set(c.what) <= set(c.among) <= {s.name for s in SURFACES}, c


def test_wrong_strokes_and_limits_are_refused() -> None:
    one = np.ones(1)
    with pytest.raises(ValueError, match="one length"):
        Timed(np.zeros(2), np.zeros(1, np.int64), one, one)
    with pytest.raises(ValueError, match="ascend"):
        Timed(np.array([1.0, 0.5]), np.zeros(2, np.int64), np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match="surfaces"):
        Timed(np.zeros(1), np.array([99]), one, one)
    with pytest.raises(ValueError, match="milliseconds"):
        Limits(hand_bounce=200)
