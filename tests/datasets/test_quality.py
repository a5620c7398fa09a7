"""Quality flags: what they say of plain, odd and mechanical drums."""

from __future__ import annotations

import pytest

from backbeat.datasets.preparation import Example, prepare_bytes
from backbeat.datasets.quality import flag
from tests.midi.builders import Track, midi


def make_take(*, pickup: int = 0, snares: tuple[int, ...] = (1, 3), bars: int = 12, late: int = 0, loud: bool = True, steps: int = 4) -> Example:
    """Kick on 1 and 3, snare on some beats, in 4/4 after ``pickup`` ticks in which nobody plays; the last bar has a crash."""
    metre, kit = Track().metre(0, 4, 4), Track()
    if pickup:
        metre.metre(pickup, 3, 4).metre(pickup + 1440, 4, 4)
    start = pickup + 1440 if pickup else 0
    for bar in range(bars):
        for beat in range(4):
            tick = start + bar * 1920 + beat * 480
            pitch = 49 if bar == bars - 1 and not beat else 38 if beat in snares else 36
            kit.note(tick + late, 60, pitch, 60 + (bar * 7 + beat) % 50 if loud else 80, 9)
    example = prepare_bytes(midi(metre.chunk(), kit.chunk(start + bars * 1920)), "take", band=False, steps_per_quarter=steps)
    assert isinstance(example, Example)
    return example


def test_a_plain_beat_has_no_flag() -> None:
    flags = flag(make_take())
    assert flags == {
        "bars": 12, "drum_bars": 12, "hits": 48, "grid_fit": 1.0, "snare_backbeat": 1.0, "backbeat_shifted": False,
        "distinct_bars": round(2 / 12, 4), "one_bar_loop": False, "single_velocity": False,
    }  # fmt: skip


@pytest.mark.parametrize("steps", [1, 3, 4, 8, 12])
@pytest.mark.parametrize("pickup", [0, 160, 240, 640, 960])
def test_the_backbeat_is_found_after_a_cut_bar_on_any_grid(pickup: int, steps: int) -> None:
    assert flag(make_take(pickup=pickup, steps=steps))["snare_backbeat"] == 1.0
    assert flag(make_take(pickup=pickup, steps=steps, snares=(0, 2)))["snare_backbeat"] == 0.0


def test_a_beat_shifted_against_the_metre_is_flagged() -> None:
    assert flag(make_take(snares=(0, 2)))["backbeat_shifted"] is True


def test_too_few_snares_say_nothing() -> None:
    flags = flag(make_take(snares=()))
    assert flags["snare_backbeat"] is None and flags["backbeat_shifted"] is False


def test_drums_off_the_grid_and_of_one_loudness_are_flagged() -> None:
    flags = flag(make_take(late=40, loud=False))
    assert flags["grid_fit"] == 0.0 and flags["single_velocity"] is True


def test_a_loop_of_minutes_is_flagged() -> None:
    assert flag(make_take(bars=40))["one_bar_loop"] is True
    assert flag(make_take(bars=20))["one_bar_loop"] is False
