import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbeat.errors import InputError
from backbeat.evaluation.listening_analysis import Answers, analyse, estimate, gather, read_answers, read_key

SYSTEMS = ["real drums", "drummer", "rock loop"]


def make_key(songs=4):
    clips = {f"{s}{k}": {"song": f"song {s}", "system": name} for s in range(songs) for k, name in enumerate(SYSTEMS)}
    return {"format": "backbeat-listening-key", "version": 1, "test": "t1", "systems": SYSTEMS, "clips": clips}


def make_answers(listener="x", rate=lambda clip: 3, songs=4, **changed):
    answers = [{"clip": clip, "suits": rate(clip), "human": 2} for clip in make_key(songs)["clips"]]
    return {"format": "backbeat-listening-answers", "version": 1, "test": "t1", "listener": listener, "answers": answers} | changed


def write(folder, data, name="answers.json"):
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


@pytest.fixture
def key(tmp_path):
    return read_key(write(tmp_path, make_key(), "key.json"))


def test_known_ratings_give_known_means_and_differences(key, tmp_path):
    rate = {"0": 5, "1": 4, "2": 2}
    files = [write(tmp_path, make_answers(f"l{i}", lambda clip: rate[clip[1]]), f"{i}.json") for i in range(3)]
    result = analyse(key, [read_answers(f, key) for f in files])
    assert (result["listeners"], result["songs"], result["ratings"]) == (3, 4, 72)
    suits = result["questions"]["suits"]
    assert suits["means"][0] == {"system": "real drums", "mean": 5.0, "low": 5.0, "high": 5.0, "ratings": 12}
    assert [(d["a"], d["b"], d["difference"]) for d in suits["differences"]] == [
        ("real drums", "drummer", 1.0),
        ("real drums", "rock loop", 3.0),
        ("drummer", "rock loop", 2.0),
    ]
    assert {m["mean"] for m in result["questions"]["human"]["means"]} == {2.0}
    json.dumps(result)


def test_strict_listeners_and_easy_songs_do_not_blur_a_difference():
    rng = np.random.default_rng(0)
    base = rng.integers(1, 4, (6, 1)) + rng.integers(0, 2, (1, 5))
    _, low, high = estimate(base.astype(float))
    mean, lower, upper = estimate((base + 1.0) - base)
    assert high - low > 0.5 and (mean, lower, upper) == (1.0, 1.0, 1.0)


@pytest.mark.slow
def test_intervals_hold_the_true_mean_about_as_often_as_they_say():
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        ratings = 3 + rng.normal(0, 0.5, (6, 1)) + rng.normal(0, 0.4, (1, 8)) + rng.normal(0, 0.7, (6, 8))
        _, low, high = estimate(ratings, seed)
        held += low <= 3 <= high
    assert held >= 51  # 95 % of 60 are 57; a true 95 % falls below 51 once in 500 times


def test_more_listeners_give_a_narrower_interval():
    rng = np.random.default_rng(1)
    ratings = 3 + rng.normal(0, 1, (40, 8))
    few, many = estimate(ratings[:4]), estimate(ratings)
    assert many[2] - many[1] < 0.6 * (few[2] - few[1])


@given(st.lists(st.lists(st.one_of(st.integers(1, 5), st.just(float("nan"))), min_size=3, max_size=3), min_size=1, max_size=5))
def test_an_interval_holds_the_mean_and_stays_within_the_ratings(rows):
    ratings = np.array(rows, dtype=float)
    mean, low, high = estimate(ratings)
    known = ratings[np.isfinite(ratings)]
    if len(known) > 1:
        assert known.min() - 1e-9 <= low <= high <= known.max() + 1e-9
        assert known.min() <= mean <= known.max()
    else:
        assert np.isnan(low) and np.isnan(high) and np.isnan(mean) == (not len(known))


def test_missing_ratings_are_left_out_and_nothing_is_not_known(key, tmp_path):
    answers = make_answers()
    answers["answers"] = [{"clip": "00", "suits": 4}, {"clip": "11", "human": None, "suits": 2}]
    result = analyse(key, [read_answers(write(tmp_path, answers), key)])
    first, second, third = result["questions"]["suits"]["means"]
    assert (first["mean"], first["low"], first["ratings"]) == (4.0, None, 1)
    assert second["mean"] == 2.0 and third["mean"] is None
    assert [d["ratings"] for d in result["questions"]["suits"]["differences"]] == [0, 0, 0]


def test_of_two_files_of_a_listener_the_later_counts(key):
    one, two = (Answers("x", {"suits": {"00": rating}, "human": {}}) for rating in (1, 5))
    assert gather(key, [one, two])["suits"].shape[0] == 1
    assert analyse(key, [one, two])["questions"]["suits"]["means"][0]["mean"] == 5.0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "not an answers file of a listening test, or a damaged one"),
        ("[" * 100_000, "or a damaged one"),
        ("[]", "has no format"),
        (make_key(), "has no format 'backbeat-listening-answers'"),
        (make_answers(version=2), "version 2"),
        (make_answers(test="t2"), "answers to another listening test"),
        (make_answers(listener=7), "a damaged answers file"),
        (make_answers(answers={"a": 1}), "a damaged answers file"),
        (make_answers(answers=[7]), "answer 1 is to no clip of this test"),
        (make_answers(answers=[{"clip": "99", "suits": 1}]), "answer 1 is to no clip"),
        (make_answers(answers=[{"clip": "00", "suits": 1}, {"clip": "01", "suits": 6}]), "answer 2 has the rating '6', not a whole number from 1 to 5"),
        (make_answers(answers=[{"clip": "00", "human": True}]), "has the rating 'True'"),
        (make_answers(answers=[{"clip": "00", "human": 2.5}]), "has the rating '2.5'"),
    ],
)
def test_damaged_answers_are_refused_with_one_line(key, tmp_path, data, message):
    with pytest.raises(InputError, match=message) as error:
        read_answers(write(tmp_path, data), key)
    assert "answers.json" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("change", [{"clips": {"a": {}}}, {"clips": []}, {"systems": None}, {"systems": ["other"]}])
def test_a_damaged_key_is_refused(tmp_path, change):
    with pytest.raises(InputError, match="a damaged key"):
        read_key(write(tmp_path, make_key() | change))


def test_a_key_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"key\.json: cannot be read \(no such file"):
        read_key(tmp_path / "key.json")
