"""Every measure against figures that scikit-learn, scipy or a slow implementation made (tests/goldens/make_metrics.py)."""

import json
from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.words import words_to_hits
from backbeat.metrics import bandgain, calibration, copying, discrimination, fills, likelihood, novelty, onsets, sense, timing, weak

FOLDER = Path(__file__).parent.parent / "goldens" / "metrics"
NAMES = ("likelihood", "bandgain", "onsets", "copying", "calibration", "timing", "discrimination", "novelty", "sense", "fills", "weak")


def read_golden(name):
    """Inputs and expected figures; a golden that is absent is a failure, never a skip."""
    path = FOLDER / f"{name}.json"
    assert path.is_file(), f"{path} is missing: python -m tests.goldens.make_metrics"
    golden = json.loads(path.read_text(encoding="utf-8"))
    return golden["inputs"], golden["expected"]


def near(expected):
    return pytest.approx(expected, rel=1e-9, abs=1e-12)


def as_words(values):
    return np.array(values, np.uint16)


def as_hits(values):
    return words_to_hits(as_words(values))


def agree(figures, expected):
    """Every expected figure is given and the same."""
    assert {k: figures[k] for k in expected} == near(expected)


@pytest.mark.parametrize("name", NAMES)
def test_no_golden_is_absent(name):
    assert read_golden(name)


def test_no_golden_is_left_over():
    assert {p.stem for p in FOLDER.glob("*.json")} == set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_script_still_makes_the_golden(name):
    pytest.importorskip("sklearn")
    from tests.goldens.make_metrics import make

    made, expected = make(name)["expected"], read_golden(name)[1]
    assert made.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(np.ravel(made[key]).astype(float), np.ravel(value).astype(float), rtol=1e-9, atol=1e-12, err_msg=f"{name}: {key}")


def test_likelihood():
    given, expected = read_golden("likelihood")
    agree(likelihood.evaluate(np.array(given["log2_p"]), as_words(given["words"])), expected)


def test_band_gain():
    given, expected = read_golden("bandgain")
    scores = {k: np.array(given[k]) for k in ("wrong", "twin")}
    agree(bandgain.evaluate(np.array(given["log2_p"]), as_words(given["words"]), **scores), expected)


def test_onsets():
    given, expected = read_golden("onsets")
    real, played = ([as_hits(w) for w in given[side]] for side in ("real", "played"))
    bars = [np.arange(0, len(r) + 1, n) for r, n in zip(real, given["bar_steps"], strict=True)]
    by_class = expected.pop("class_f1")
    agree(onsets.evaluate(real, played, bars), expected)
    assert onsets.class_f1(np.concatenate(real), np.concatenate(played)).tolist() == near(by_class)


def test_copying():
    given, expected = read_golden("copying")
    assert copying.evaluate([as_hits(given["words"])], [np.array(given["first_steps"])]) == near(expected)


def test_calibration():
    given, expected = read_golden("calibration")
    probabilities, hits = np.array(given["probabilities"]), np.array(given["hits"])
    curve = calibration.reliability(probabilities, hits)
    assert curve.predicted.tolist() == near(expected.pop("predicted"))
    assert curve.happened.tolist() == near(expected.pop("happened"))
    agree(calibration.evaluate(probabilities, hits), expected)


def make_feel(hits, **struck):
    arrays = {k: np.array(v, np.float64) for k, v in struck.items()}
    return timing.Feel(timing.number_cells(np.array(hits["classes"]), np.array(hits["places"])), arrays["offsets"], arrays["velocities"], arrays["qpm"])


def test_timing():
    given, expected = read_golden("timing")
    real, other = make_feel(given["real"], **given["real"]), make_feel(given["other"], **given["other"])
    paired = make_feel(given["real"], **(given["real"] | given["paired"]))
    errors = ("timing_mae_ms", "timing_mse", "velocity_mae", "velocity_r2")
    agree(timing.evaluate(real, paired), {k: expected[k] for k in errors})
    agree(timing.evaluate(real, other), {k: v for k, v in expected.items() if k not in errors})


def test_discrimination():
    given, expected = read_golden("discrimination")
    assert discrimination.auc(np.array(given["scores"]), np.array(given["labels"])) == near(expected["auc"])
    assert discrimination.make_windows(as_words(given["words"]), np.array(given["first_steps"])).tolist() == expected["windows"]


@pytest.mark.parametrize("rotations", [False, True])
@pytest.mark.parametrize("tempi", [False, True])
def test_novelty(rotations, tempi):
    given, expected = read_golden("novelty")
    nearest = novelty.find_nearest(as_words(given["windows"]), as_words(given["training"]), rotations=rotations, tempi=tempi)
    assert nearest.tolist() == expected[f"nearest rotations={rotations} tempi={tempi}"]


def test_longest_run():
    given, expected = read_golden("novelty")
    assert novelty.find_longest_run(as_words(given["line"]), [as_words(p) for p in given["pieces"]]) == expected["longest_run"]


def test_sense():
    given, expected = read_golden("sense")
    bars = len(given["section_starts"])
    played = sense.Performance(
        as_hits(given["words"]),
        np.array(given["first_steps"]),
        (4,) * bars,
        (4,) * bars,
        np.array(given["bass"]),
        np.ones(bars, bool),
        np.array(given["section_starts"]),
    )
    agree(sense.evaluate([played]), expected)


def test_fills():
    given, expected = read_golden("fills")
    found = [fills.find_fills(as_hits(p["words"]), np.array(p["first_steps"])).tolist() for p in given["pieces"]]
    assert found == expected["fills"]


def test_weak():
    given, expected = read_golden("weak")
    hits, bars = as_hits(given["words"]), np.array(given["first_steps"])
    assert weak.groove_consistency(hits, bars) == near(expected["groove_consistency"])
    assert weak.drum_pattern_consistency(np.array(given["places"]), 24) == near(expected["drum_pattern_consistency"])
    assert weak.word_entropy(as_words(given["words"]).reshape(-1, 16)).tolist() == near(expected["word_entropy"])
    assert weak.overlap_area(np.array(given["first"]), np.array(given["second"])) == pytest.approx(expected["overlap_area"], abs=1e-3)
