"""Trees as arrays against scikit-learn's own."""

import subprocess
import sys

import numpy as np
import pytest

from backbeat.models.registry import save_model
from backbeat.models.trees import BoostedTrees, Forest
from tests.models.test_floors import make_band_pieces

SKLEARN = pytest.importorskip("sklearn.ensemble")


@pytest.mark.parametrize("seed", [0, 1])
def test_our_trees_answer_as_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 5, (600, 12)).astype(np.float32)
    x[:, 3] = rng.normal(size=600)
    y = x[:, 3] + x[:, 5] * x[:, 7] + rng.normal(0, 1, 600) > 4
    classifier = SKLEARN.HistGradientBoostingClassifier(max_iter=12, learning_rate=0.15, early_stopping=False, random_state=0).fit(x, y)
    new = np.concatenate([x, rng.normal(0, 3, (500, 12)).astype(np.float32)])
    ours, theirs = Forest.of_classifier(classifier).predict(new), classifier.predict_proba(new)[:, 1]
    assert np.abs(ours - theirs).max() <= 1e-12 and len(np.unique(ours)) > 50


def test_a_class_that_never_or_always_sounds_needs_no_tree():
    x = np.zeros((3, 112), np.float32)
    assert Forest.constant(False).predict(x).tolist() == [0, 0, 0] and Forest.constant(True).predict(x).tolist() == [1, 1, 1]


@pytest.mark.slow
def test_playing_needs_no_scikit_learn(tmp_path):
    model = BoostedTrees(steps=300, rounds=2)
    model.fit(make_band_pieces(0, 5))
    save_model(model, tmp_path / "trees")
    code = (
        "import sys, numpy as np\nsys.modules['sklearn'] = None\nfrom backbeat.models.registry import load_model\n"
        "from backbeat.models.protocol import Piece\nfrom backbeat.grid import Grid\n"
        "print(load_model(sys.argv[1]).play(Piece('x', Grid.regular(1), np.zeros(16, np.uint16)), np.random.default_rng(0)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "trees")], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("(16, 9)", "")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("0.left", lambda a: np.zeros_like(a)),
        ("0.right", lambda a: a + 100_000),
        ("0.features", lambda a: a + 500),
        ("0.roots", lambda a: a - 1),
        ("0.values", lambda a: a[1:]),
        ("thresholds", lambda a: a[1:]),
    ],
)
def test_damaged_trees_are_refused_before_they_run(tmp_path, name, change):
    model = BoostedTrees(steps=300, rounds=2)
    model.fit(make_band_pieces(0, 5))
    settings, arrays = model.pack()
    with pytest.raises(ValueError, match=r"tree"):
        BoostedTrees().unpack(settings, arrays | {name: change(arrays[name])})
