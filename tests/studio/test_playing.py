"""What is played anew in the studio: by hand, beside what stays, with the feel that is set, and as it was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backbeat.asking import Wishes
from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.humanising import measure_feel
from backbeat.humanising.measuring import Measured
from backbeat.kits import load_kit
from backbeat.midi import parse_song
from backbeat.midi.writer import build_song
from backbeat.performer import Playing
from backbeat.studio.actions import read_action
from backbeat.studio.alone import LEAD, TAIL
from backbeat.studio.beside import find_meant, play_beside
from backbeat.studio.drums import Drums, pack, studio_kit
from backbeat.studio.engine import Studio
from backbeat.studio.hands import drop_impossible, play_new
from backbeat.studio.jobs import Cancelled
from backbeat.studio.leaning import lean, play_again
from backbeat.studio.playing import find_known, make_wishes, play
from backbeat.studio.project import Project
from backbeat.studio.states import State, Take
from backbeat.studio.steps import find_cells
from backbeat.studio.store import Store
from backbeat.studio.windows import AROUND, Window, open_window
from backbeat.transforms.feel import Feel
from backbeat.transforms.playability import PLAYED, find_conflicts
from tests.midi.builders import METRES, Track, band_song, midi
from tests.studio.fake import FakeDrummer

BARS = 24
KIT = studio_kit()
KICK, SNARE, HAT = (KIT.index(n) for n in ("kick", "snare", "closed_hat"))


def beat(bars: int = BARS, hat: int = 2, louder: int = 0, late: float = 0.0) -> Drums:
    """A beat with hats, typed in; every third and fourth bar ``louder``."""
    cells = []
    for step in range(0, 16 * bars, hat):
        loud = 70 + louder * (step // 16 % 4 >= 2)
        cells.append((step, HAT, loud - 20 * (step % 4 > 0), late))
        if step % 8 in (0, 4):
            cells.append((step, (KICK, SNARE)[step % 8 // 4], loud + 15, late))
    return Drums.from_hits(pack(cells), Grid.regular(bars))


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Store(tmp_path), load=FakeDrummer)  # type: ignore[arg-type]


def with_drums(studio: Studio, drums: Drums, **settings: Any) -> Project:
    """A project whose take are some drums."""
    project = studio.open(studio.store.create("x.mid", band_song(len(drums.bars))).id)
    state = State().put(Take("Take 1", 0, drums.key))
    project.commit(project.entry, {"type": "edit"}, "", state, [drums])
    studio.act(project.id, None, {"type": "settings", "scope": "song", "values": settings})
    return project


def run(studio: Studio, project: Project, **action: Any) -> Groove:
    job = studio.start(project.id, None, action)
    assert job.ended.wait(20) and job.state == "done", job.error
    return project.groove()


def measure(project: Project, groove: Groove) -> Measured:
    return measure_feel(parse_song(build_song(groove, project.song.tempo, project.song.metre)), 8)


def whole_window(drums: Drums) -> tuple[Groove, Window]:
    song = parse_song(band_song(len(drums.bars)))
    groove = drums.to_groove(song.grid())
    window = open_window(song, groove.grid, np.ones_like(groove.hits))
    return window.cut(groove), window


@pytest.mark.parametrize(
    ("values", "swing", "push"), [({"swing": 58}, 58, 0), ({"swing": 66}, 66, 0), ({"push_ms": -15}, 50, -15), ({"swing": 62, "push_ms": 9}, 62, 9)]
)
def test_feel_gives_the_swing_and_the_push_that_are_set(studio: Studio, values: dict[str, float], swing: float, push: float) -> None:
    project = with_drums(studio, beat(), **values)
    before = project.groove()
    groove = run(studio, project, type="feel")
    measured = measure(project, groove)
    assert measured.swing == pytest.approx(swing, abs=1.5) and measured.late_ms["all"] == pytest.approx(push, abs=1.5)
    assert groove.count_hits() == before.count_hits()
    moved = groove.hits != before.hits
    assert set((np.nonzero(moved)[0] % 4).tolist()) <= {2, 3} and (moved.sum() < 10 or swing >= 62)


def test_tightness_and_dynamics_are_what_is_set(studio: Studio) -> None:
    spread, wide = {}, {}
    for tightness in (0.5, 2, 8):
        spread[tightness] = measure_spread(run(studio, with_drums(studio, beat(), tightness=tightness), type="feel"))
    for dynamics in (0, 0.5, 1.5):
        groove = run(studio, with_drums(studio, beat(), dynamics=dynamics), type="feel")
        wide[dynamics] = float(groove.velocities[groove.hits].std())
    assert spread[0.5] > 2.5 * spread[2] > 6 * spread[8] > 0
    assert wide[0] < 0.04 and 2 * wide[0.5] < wide[1.5]


def measure_spread(groove: Groove) -> float:
    return float(groove.offsets[groove.hits].std())


def test_feel_keeps_ghosts_soft_and_quiet_bars_quiet(studio: Studio) -> None:
    project = with_drums(studio, beat(louder=40))
    groove = run(studio, project, type="feel")
    by_bar = [groove.velocities[16 * b : 16 * b + 16][groove.hits[16 * b : 16 * b + 16]].mean() for b in range(BARS)]
    quiet, loud = ([v for b, v in enumerate(by_bar) if (b % 4 >= 2) == is_loud] for is_loud in (False, True))
    assert max(quiet) < min(loud)
    on, off = (groove.velocities[k::4, HAT][groove.hits[k::4, HAT]].mean() for k in (0, 2))
    assert on > off + 0.05


def test_feel_after_feel_starts_from_what_was_played(studio: Studio) -> None:
    once = with_drums(studio, beat())
    run(studio, once, type="feel", seed=5)
    often = with_drums(studio, beat())
    for values in ({"swing": 66}, {"tightness": 0.3, "swing": None}, {"tightness": None}):
        studio.act(often.id, None, {"type": "settings", "scope": "song", "values": values})
        run(studio, often, type="feel", seed=5)
    assert often.drums().key == once.drums().key


def test_feel_of_some_leaves_the_others_to_the_bit(studio: Studio) -> None:
    project = with_drums(studio, beat(), swing=66, push_ms=20)
    before = project.drums()
    run(studio, project, type="feel", bars=[4, 5], classes=["closed_hat"])
    after, cells = project.drums(), find_cells(project.grid, [4, 5], ["closed_hat"])
    kept, old = ({(s, c, v, o) for s, c, v, o in d.hits.tolist() if not cells[s, c]} for d in (after, before))
    assert kept == old and sorted(after.find_changes(before)) == [4, 5]
    with pytest.raises(InputError, match="no hit that could be played"):
        play(studio.drummer, project, project.entry, read_action({"type": "feel", "classes": ["china"]}, project.grid).with_seed(1), lambda _: None)


def human(seed: int = 3) -> Drums:
    """A beat as a person plays it."""
    groove, window = whole_window(beat())
    return Drums.from_groove(play_again(groove, np.ones_like(groove.hits), window, Playing(tightness=1.5), None, seed))


def test_redone_hits_are_played_by_hand_beside_human_drums(studio: Studio) -> None:
    project = with_drums(studio, human())
    groove = run(studio, project, type="redo", bars=[10, 11])
    inside = slice(160, 192)
    new = groove.hits[inside]
    assert new.sum() > 10
    assert len(np.unique(groove.velocities[inside][new])) > 5 and groove.offsets[inside][new].std() > 0.01
    assert np.abs(groove.offsets[inside][new]).max() < 0.5


def test_redone_hits_are_typed_beside_typed_drums(studio: Studio) -> None:
    project = with_drums(studio, beat(late=0.125))
    groove = run(studio, project, type="redo", bars=[10, 11], classes=["snare", "closed_hat"])
    inside = slice(160, 192)
    played = studio.drummer.redo_takes(
        project.song,
        beat(late=0.125).to_groove(project.grid),
        find_known(beat().to_groove(project.grid), find_cells(project.grid, [10, 11], ["snare", "closed_hat"])),
        1,
        style="any",
        seed=project.entry.seed or 0,
        watch=lambda _: None,
    )[0]
    new = groove.hits[inside, SNARE]
    assert new.any() and np.array_equal(groove.velocities[inside, SNARE][new], played.velocities[inside, SNARE][new])
    assert not groove.offsets[inside, SNARE].any()


@pytest.mark.slow
def test_new_strokes_follow_the_ones_beside_them() -> None:
    """Where the drummer strikes hats softly the new hats are soft, too; where loudly, loud."""
    groove, window = whole_window(human())
    new = np.zeros_like(groove.hits)
    new[192:224] = groove.hits[192:224]
    means = {}
    for level in (0.5, 1.0):
        scaled = groove.replace(velocities=np.where(new, groove.velocities, np.clip(groove.velocities * level, 1 / 127, 1)).astype(np.float32))
        struck = [play_beside(scaled, new, window, Playing(tightness=1.5), seed)[0][new].mean() for seed in range(3)]
        means[level] = float(np.mean(struck))
    assert means[0.5] < means[1.0] - 0.03
    assert max(play_beside(groove, new, window, Playing(), seed)[0][new].max() for seed in range(3)) <= groove.velocities[groove.hits & ~new].max()
    again = [play_beside(groove, new, window, Playing(), 1) for _ in range(2)]
    assert all(np.array_equal(a, b) for a, b in zip(*again, strict=True))
    played = play_new(groove, new, window, Playing(), 1)
    assert np.array_equal(played.velocities[~new], groove.velocities[~new]) and np.array_equal(played.offsets[~new], groove.offsets[~new])


def test_hits_are_meant_on_the_grid_or_where_their_place_usually_is() -> None:
    cells = [(step, HAT, 80, 0.02 * (step % 3 - 1) + (0.3 if step % 4 == 2 else 0.0)) for step in range(0, 160, 2)]
    groove = Drums.from_hits(pack([*cells, (5, SNARE, 80, 1 / 3), (161, SNARE, 60, 0.1)]), Grid.regular(11)).to_groove(Grid.regular(11))
    new = np.zeros_like(groove.hits)
    new[161, SNARE] = True
    meant = find_meant(groove, new)
    assert meant[0, HAT] == 0 and meant[2, HAT] == pytest.approx(0.3, abs=0.01) == meant[6, HAT]
    assert meant[5, SNARE] == pytest.approx(1 / 3) and meant[161, SNARE] == np.float32(0.1)


def test_new_hits_can_be_played_together_with_what_stays() -> None:
    groove, window = whole_window(beat())
    hits, new = groove.hits.copy(), np.zeros_like(groove.hits)
    for name, every in (("ride", 2), ("low_tom", 4), ("crash", 16)):
        new[96:160:every, KIT.index(name)] = hits[96:160:every, KIT.index(name)] = True
    crowded = Groove(groove.grid, KIT, hits, np.where(hits, np.maximum(groove.velocities, 0.5), 0).astype(np.float32), groove.offsets)
    left = drop_impossible(crowded, new, window)
    assert not find_conflicts(left, window.tempo)
    assert (left.hits & ~new == groove.hits).all() and (left.hits & new).any()


def test_a_swing_moves_no_hit_onto_another_nor_out_of_its_cells() -> None:
    full = Drums.from_hits(pack((step, HAT, 80, 0.0) for step in range(16 * 8)), Grid.regular(8))
    groove, window = whole_window(full)
    swung = lean(groove, np.ones_like(groove.hits), window, Feel(swing=70, swing_of=8))
    assert (swung.hits == groove.hits).all()
    groove, window = whole_window(beat(8))
    cells = groove.hits.copy()
    assert (lean(groove, cells, window, Feel(swing=70)).hits == groove.hits).all()
    assert lean(groove, cells, window, None) is groove


def test_known_cells_hold_what_stays() -> None:
    groove = Drums.from_hits(pack([(0, KIT.index("crash"), 90, 0.0), (1, KIT.index("china"), 90, 0.0), (2, KICK, 90, 0.0)]), Grid.regular(2)).to_groove(
        Grid.regular(2)
    )
    cells = find_cells(groove.grid, [0], ["china"])
    known, nine = find_known(groove, cells), load_kit("drums_rnn_9")
    crash = int(KIT.mapping(nine)[KIT.index("china")])
    assert crash == int(KIT.mapping(nine)[KIT.index("crash")])
    open_ = ~known
    assert open_[:, crash].tolist() == [False, *[True] * 15, *[False] * 16] and open_.sum() == 15


def test_wishes_of_bars_go_before_those_of_sections_and_of_the_song(studio: Studio) -> None:
    project = with_drums(studio, beat())
    assert make_wishes(project, project.state) is None
    state = State(
        settings={**project.state.settings, "density": 0.5, "style": "rock"},
        sections={0: {"density": 0.2, "style": "jazz"}},
        bars={0: {"density": 0.9}, 3: {"fill": True}, 4: {"fill": False, "intensity": 0.1}},
    )
    wishes = make_wishes(project, state)
    assert isinstance(wishes, Wishes)
    first, end = project.sections[0]
    assert wishes.density[0] == np.float32(0.9) and set(wishes.density[1:end].tolist()) <= {float(np.float32(0.2))} and first == 0 and end < BARS
    assert set(wishes.density[end:].tolist()) == {0.5} and wishes.fills[3] == 1 and wishes.fills[4] == 0 and np.isnan(wishes.fills[5])
    assert wishes.intensity[4] == np.float32(0.1) and set(wishes.styles[:end]) == {"jazz"} and set(wishes.styles[end:]) <= {"any"}
    studio.act(project.id, None, {"type": "settings", "scope": {"bars": [2, 5]}, "values": {"fills": 1.0, "density": 0.1}})
    run(studio, project, type="redo", bars=[2])
    asked = studio.drummer.asked[-1]  # type: ignore[attr-defined]
    assert asked["style"] == "any" and asked["wishes"].density[2] == np.float32(0.1) and asked["wishes"].fills[2:6].sum() == 2


def test_temperature_style_and_seed_reach_the_drummer(studio: Studio) -> None:
    project = with_drums(studio, beat(), temperature=0.3, style="jazz", tightness=3, dynamics=0.5)
    run(studio, project, type="generate", takes=2, seed=77)
    asked = studio.drummer.asked[-1]  # type: ignore[attr-defined]
    assert (asked["temperature"], asked["style"], asked["seed"]) == (0.3, "jazz", 77)
    assert asked["touch"].playing.tightness == 3 and asked["touch"].playing.dynamics == 0.5
    assert [t.name for t in project.state.takes] == ["Take 1", "Take 2", "Take 3"] and project.state.take == 1
    studio.act(project.id, None, {"type": "settings", "scope": "song", "values": {"temperature": None}})
    for action, temperature in (({"bars": [1]}, None), ({}, 1.0)):
        run(studio, project, type="redo", **action)
        assert studio.drummer.asked[-1]["temperature"] == temperature  # type: ignore[attr-defined]


@pytest.mark.slow
def test_work_can_be_stopped_at_any_time(studio: Studio) -> None:
    project = with_drums(studio, human(), swing=60)
    for action in ({"type": "generate", "takes": 2}, {"type": "redo", "bars": [3], "takes": 2}, {"type": "feel"}):
        shares: list[float] = []
        asked = read_action(action, project.grid).with_seed(1)
        play(studio.drummer, project, project.entry, asked, shares.append)
        assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
        for stop in range(len(shares)):
            calls = iter(range(stop))

            def watch(_: float, calls: Any = calls) -> None:
                if next(calls, None) is None:
                    raise Cancelled

            with pytest.raises(Cancelled):
                play(studio.drummer, project, project.entry, asked, watch)


def test_drums_without_a_band_are_played_too(studio: Studio) -> None:
    project = studio.open(studio.store.blank("x", 8, "7/8", 100).id)
    for action in ({"type": "generate", "takes": 2}, {"type": "redo", "bars": [1, 2]}, {"type": "feel"}):
        groove = run(studio, project, **action)
        assert groove.hits.any() and groove.grid.steps == 8 * 14
    assert len({t.groove for t in project.state.takes}) == 2


def test_a_band_of_one_bar_gets_drums_too(studio: Studio) -> None:
    project = studio.open(studio.store.create("x.mid", midi(Track().program(0, 33).note(0, 100, 40).chunk(1920))).id)
    for action in ({"type": "generate"}, {"type": "redo"}):
        assert run(studio, project, **action).grid.bars == 1


@pytest.mark.parametrize("bars", [1, 4])
def test_a_piece_without_a_band_begins_with_its_beat(tmp_path: Path, drummer_folder: Path, bars: int) -> None:
    studio = Studio(Store(tmp_path))
    project = studio.open(studio.store.blank("x", bars, "4/4", 100).id)
    for action in ({"type": "generate", "takes": 3}, {"type": "redo", "takes": 3}):
        run(studio, project, **action)
        for take in range(len(project.state.takes)):
            assert project.groove(take).hits[:16].sum() >= 3, "nobody is waited for"


def test_what_is_asked_of_the_first_bar_is_asked_of_those_before_it(studio: Studio) -> None:
    project = studio.open(studio.store.blank("x", 2, "7/8", 100).id)
    studio.act(project.id, None, {"type": "settings", "scope": {"bar": 0}, "values": {"density": 0.75, "style": "jazz", "fill": True}})
    run(studio, project, type="generate")
    asked = studio.drummer.asked[-1]["wishes"]  # type: ignore[attr-defined]
    assert asked.density[: LEAD + 1].tolist() == [0.75] * (LEAD + 1) and np.isnan(asked.density[LEAD + 1 :]).all()
    assert asked.styles == ("jazz",) * (LEAD + 1) + ("any",) * (TAIL + 1) and np.isnan(asked.fills[:LEAD]).all() and asked.fills[LEAD] == 1


@pytest.mark.parametrize(("numerator", "denominator"), METRES)
def test_a_window_is_the_same_bars(numerator: int, denominator: int) -> None:
    song = parse_song(band_song(30, numerator=numerator, denominator=denominator, division=96))
    grid = song.grid()
    cells = find_cells(grid, [12, 14], ["kick"])
    window = open_window(song, grid, cells)
    assert window.bars == slice(12 - AROUND, 15 + AROUND)
    ticks = grid.step_ticks[window.start : window.start + window.grid.steps + 1] - grid.step_ticks[window.start]
    finer = window.tempo.ticks_per_quarter // song.tempo.ticks_per_quarter
    assert finer >= 20 and np.abs(window.grid.step_ticks - ticks * finer).max() <= finer
    again = Grid.lay(window.tempo, window.metre, int(window.grid.bar_ticks[-1]))
    assert np.array_equal(again.bar_ticks, window.grid.bar_ticks)
    rng = np.random.default_rng(1)
    groove = Drums.from_hits(pack((s, 0, 90, 0.25) for s in range(0, grid.steps, 3)), grid).to_groove(grid)
    empty = Groove.empty(window.grid, KIT)
    pasted = window.paste(groove, empty)
    assert not pasted.hits[window.steps].any() and pasted.hits.sum() == groove.hits.sum() - window.cut(groove).hits.sum()
    assert rng is not None


def test_a_window_behind_changes_of_tempo_and_metre() -> None:
    conductor = Track().metre(0, 4, 4).tempo(0, 500_000).metre(1920 * 20, 3, 4).tempo(1920 * 10, 400_000).tempo(1920 * 20 + 1440 * 15, 600_000)
    bass = Track().program(0, 33)
    for quarter in range(80 + 90):
        bass.note(480 * quarter, 400, 40)
    song = parse_song(midi(conductor.chunk(), bass.chunk()))
    grid = song.grid()
    window = open_window(song, grid, find_cells(grid, [30], None))
    start = int(grid.bar_ticks[window.first])
    for tick in range(0, int(window.grid.bar_ticks[-1]), 960):
        assert window.tempo.qpm(tick) == song.tempo.qpm(start + tick // 4)
    assert window.grid.numerators == grid.numerators[window.bars]
    assert np.array_equal(Grid.lay(window.tempo, window.metre, int(window.grid.bar_ticks[-1])).bar_ticks, window.grid.bar_ticks)


@pytest.mark.slow
def test_the_real_drummer_redoes_bars_that_can_be_played(tmp_path: Path, drummer_folder: Path) -> None:
    from backbeat.drummer import load_drummer

    studio = Studio(Store(tmp_path), load=lambda: load_drummer(drummer_folder))
    project = studio.open(studio.store.create("x.mid", band_song(16)).id)
    run(studio, project, type="generate", takes=1)
    before = project.drums()
    groove = run(studio, project, type="redo", bars=[4, 5])
    assert set(project.drums().find_changes(before)) <= {4, 5}
    assert not find_conflicts(groove, project.song.tempo, PLAYED)
    blank = studio.open(studio.store.blank("y", 8).id)
    assert run(studio, blank, type="generate", takes=1).grid.bars == 8
    run(studio, blank, type="redo", bars=[2])
