"""``backbeat train`` for networks, on a folder of MIDI files: what it leaves, how it goes on, and what is refused before anything is read."""

import json

import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")

from tests.datasets.here import midi

pytestmark = pytest.mark.filterwarnings("ignore")
TINY = (
    "--config",
    "small",
    *(f"--set={s}" for s in ("layers=1", "units=8", "attention=4", "batch=2", "updates=2", "validate_every=1", "min_bars=1")),
    "--device",
    "cpu",
)


@pytest.fixture(scope="module")
def band(tmp_path_factory):
    """Eleven files with drums, and one that is none."""
    folder = tmp_path_factory.mktemp("band")
    for k in range(11):
        (folder / f"{k:02}.mid").write_bytes(midi(*[36, 38] * (8 + k)))
    (folder / "broken.mid").write_bytes(b"junk")
    return folder


@pytest.mark.slow
def test_a_run_is_gone_on_with_and_what_it_leaves_plays(run, band, tmp_path):
    out = tmp_path / "run"
    first = run("train", "drums-rnn", band, *TINY, "-o", out, "--json")
    assert first.code == 0, first.err
    assert json.loads(first.out)["updates"] == 2 and "pieces to learn from" in first.err and "event accuracy" in first.err
    assert "add --resume" in run("train", "drums-rnn", band, *TINY, "-o", out).err
    assert "other settings" in run("train", "drums-rnn", band, *TINY, "--set", "units=9", "-o", out, "--resume").err
    more = run("train", "drums-rnn", band, *TINY, "--set", "updates=3", "-o", out, "--resume", "--json")
    assert json.loads(more.out)["updates"] == 3
    played = run("continue", "--model", out / "model", "--bars", 2, "-o", tmp_path / "a.mid", "--json")
    assert played.code == 0 and json.loads(played.out)["steps"] == 32
    warm = run("train", "drums-rnn", band, *TINY, "--set", "units=9", "--from", out, "-o", tmp_path / "warm")
    assert warm.code == 1 and "of other sizes" in warm.err.splitlines()[-1]


@pytest.mark.slow
def test_a_sweep_prints_a_line_for_each_length(run, band, tmp_path):
    swept = run("train", "drums-rnn", band, *TINY, "--sweep", "units=8,9 updates=1,2", "-o", tmp_path)
    lines = swept.out.splitlines()
    assert swept.code == 0 and lines[0].startswith("| data | units | parameters | updates |") and len(lines) == 6
    assert sorted(p.name for p in tmp_path.iterdir()) == ["units=8", "units=9"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--config", "nope"), "no config 'nope': choose from memory, original, one-drum, small"),
        (("--set", "batch=0"), "--set batch=0: batch is 1 at least"),
        (("--set", "layers=two"), "--set layers=two: 'two' is not a int"),
        (("--sweep", "layers"), 'write it as "layers=1,2,3 units=64,128"'),
        (("--sweep", "layers=1,0"), "--set layers=0: layers is 1 at least"),
        (("--sweep", "depth=3"), "the recipe has no field 'depth'"),
        (("--device", "nonsense"), "--device nonsense: torch cannot use it here"),
        (("--from", "nowhere"), "--from nowhere: there is no such run or weights file"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_is_read(refused, tmp_path, options, message):
    assert message in refused("train", "drums-rnn", tmp_path / "no data are looked for", *options, "-o", tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_the_run_is_needed(refused, tmp_path):
    assert "name a folder for the run with -o" in refused("train", "drums-rnn", tmp_path)


def test_one_file_is_too_little(refused, band, tmp_path):
    assert "0 pieces to learn from and 1 to measure on" in refused("train", "drums-rnn", band / "00.mid", "-o", tmp_path / "run")
