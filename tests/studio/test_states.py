"""States: what differs between two of them brings one back from the other, and nothing else is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbeat.errors import InputError
from backbeat.studio.drums import studio_kit
from backbeat.studio.settings import DEFAULTS
from backbeat.studio.states import MAX_LISTED, State, Take, apply_difference, read_classes, read_name

BARS, KEYS = 12, ("a", "b", "c")
NAMES = studio_kit().names

levels = st.one_of(st.none(), st.floats(0, 1))
songs = st.fixed_dictionaries(dict.fromkeys(("density", "intensity", "fills"), levels)).map(lambda v: DEFAULTS | v)
own = st.dictionaries(st.integers(0, BARS - 1), st.dictionaries(st.sampled_from(["density", "intensity", "fills"]), st.floats(0, 1), min_size=1))
locks = st.dictionaries(st.integers(0, BARS - 1), st.sets(st.sampled_from(NAMES), min_size=1).map(lambda s: tuple(n for n in NAMES if n in s)))
takes = st.lists(
    st.builds(
        Take, st.text("ab c", min_size=1).filter(str.strip).map(lambda s: " ".join(s.split())), st.one_of(st.none(), st.integers(0, 9)), st.sampled_from(KEYS)
    ),
    max_size=5,
)


@st.composite
def states(draw: st.DrawFn) -> State:
    listed = tuple(draw(takes))
    return State(draw(songs), draw(own), draw(own), listed, draw(st.integers(0, len(listed) - 1)) if listed else None, draw(locks))


@settings(max_examples=40)
@given(states(), states())
def test_a_difference_leads_from_one_state_to_the_other(before: State, after: State) -> None:
    change = json.loads(json.dumps(after.difference(before)))
    assert apply_difference(before, change, BARS, dict.fromkeys(KEYS)) == after
    assert after.difference(after) == {}


def test_locking_all_bars_is_one_run() -> None:
    locked = State(locks=dict.fromkeys(range(500), ("kick", "snare")))
    assert locked.difference(State()) == {"locks": [[0, 499, ["kick", "snare"]]]}


def test_the_first_takes_leave_when_there_are_too_many() -> None:
    state = State()
    for number in range(9):
        state = state.add([Take(f"{number}a", 1, "a"), Take(f"{number}b", 1, "b")])
    assert len(state.takes) == MAX_LISTED and state.current == Take("8a", 1, "a") and state.takes[0].name == "1a"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ([], "a change has settings"),
        ({"colour": 1}, "a change has settings"),
        ({"settings": {"colour": 1}}, "no setting 'colour'"),
        ({"settings": {"density": 1.5}}, "density is a number from 0 to 1, not 1.5"),
        ({"settings": {"density": True}}, "density is a number"),
        ({"settings": {"seed": 10**400}}, "seed is a whole number from 0 to .*, not a number of many digits"),
        ({"settings": {"style": "a\nb"}}, "style is the name of a style"),
        ({"settings": [1]}, "settings are names with values"),
        ({"sections": {}}, "runs are a list"),
        ({"bars": [[0, 99, {"density": 0.5}]]}, "a run is"),
        ({"bars": [[0, 5, {"density": 0.5}], [3, 6, None]]}, "a run is"),
        ({"bars": [[0, 0, {"fill": 1}]]}, "fill is true or false"),
        ({"sections": [[0, 0, {"fill": True}]]}, "no setting 'fill' here"),
        ({"bars": [[0.5, 1, None]]}, "a run is"),
        ({"locks": [[0, 1, ["triangle"]]]}, "no kit class 'triangle'"),
        ({"locks": [[0, 1, [99]]]}, "no kit class 99"),
        ({"takes": [{"name": "x", "seed": 1, "groove": "zz"}], "take": 0}, "the drums 'zz' of a take are not there"),
        ({"takes": [{"name": "x", "seed": -1, "groove": "a"}], "take": 0}, "seed is a whole number"),
        ({"takes": [{"name": "", "seed": 1, "groove": "a"}], "take": 0}, "a name has 1 to"),
        ({"takes": [{"name": "x", "seed": 1}], "take": 0}, "a take has name, seed and groove"),
        ({"takes": [{"name": "x", "seed": 1, "groove": "a"}] * 17, "take": 0}, "takes are a list of at most 16"),
        ({"takes": [{"name": "x", "seed": 1, "groove": "a"}]}, "the current take is None of 1"),
        ({"takes": [{"name": "x", "seed": 1, "groove": "a"}], "take": 1}, "the current take is 1 of 1"),
        ({"take": 0}, "the current take is 0 of 0"),
    ],
)
def test_anything_else_is_refused(change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        apply_difference(State(), change, BARS, dict.fromkeys(KEYS))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_names_are_one_line() -> None:
    assert read_name(" a\tb\x00c\n ") == "a b c"
    for wrong in ("", " \n", "x" * 121, 3, None):
        with pytest.raises(InputError, match="a name has"):
            read_name(wrong)


def test_classes_are_named_or_numbered() -> None:
    assert read_classes([1, "kick", "snare"]) == ("kick", "snare")
    for wrong in (["drum"], [True], [-1], [None], "kick", {}):
        with pytest.raises(InputError):
            read_classes(wrong)
