"""``backbeat log-likelihood``: the figures of a file, for any model that scores."""

import json
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from backbeat.cli import group
from backbeat.errors import BackbeatError
from backbeat.models.drums_rnn import load_shipped
from tests.cli.test_continue import BEAT
from tests.cli.test_continue import run as go_on

pytestmark = pytest.mark.skipif(
    not (Path(str(resources.files("backbeat"))) / "weights" / "drums_rnn" / "config.json").is_file(), reason="the shipped weights are not there yet"
)
LOOP = np.tile([5, 0, 4, 0, 6, 0, 4, 0], 2)


@pytest.fixture
def loop(tmp_path):
    go_on(BEAT, "--bars", 4, "--temperature", 0, "-o", tmp_path / "loop.mid")
    return tmp_path / "loop.mid"


def run(*arguments):
    result = CliRunner().invoke(group, ["log-likelihood", *map(str, arguments)])
    if isinstance(result.exception, BackbeatError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_it_is_what_the_model_scores(loop):
    figures = json.loads(run(loop, "--json"))["models"]["drums-rnn"]
    assert figures["steps"] % 16 == 0 and len(figures["bits_per_bar"]) == figures["steps"] // 16
    assert figures["log_likelihood"] == pytest.approx(-figures["bits_per_step"] * figures["steps"] * np.log(2), rel=1e-3)
    first = -load_shipped().score_words(LOOP, [16]).sum()
    assert figures["bits_per_bar"][0] == pytest.approx(first, abs=0.02)


def test_models_contexts_and_bars(loop, tmp_path):
    out = run(loop, "--model", "drums-rnn", "--model", "drummer", "--bars", "-o", tmp_path / "x.json")
    assert "drums-rnn" in out and "drummer" in out and "bar    1" in out
    assert set(json.loads((tmp_path / "x.json").read_text())["models"]) == {"drums-rnn", "drummer"}
    whole, cut = (json.loads(run(loop, "--json", "--context", c))["models"]["drums-rnn"]["log_likelihood"] for c in ("whole", "1-bar"))
    assert cut < whole


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--model", "rock-loop"), "cannot say how likely"), (("--model", "unigram"), "has to be trained first"), (("--context", "long"), "no context 'long'")],
)
def test_what_cannot_be_done_is_one_line(loop, arguments, message):
    with pytest.raises(BackbeatError, match=message):
        run(loop, *arguments)


def test_a_file_without_drums_is_refused(tmp_path):
    with pytest.raises(BackbeatError, match="missing.mid"):
        run(tmp_path / "missing.mid")
