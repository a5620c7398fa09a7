"""``backbeat patterns`` end to end: songs in, a table out, and new patterns from it."""

import json
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from backbeat.codecs.patterns import hash_patterns, write_pattern
from backbeat.datasets.drum_space import read_patterns
from backbeat.datasets.pattern_files import encode_midi, read_midi
from backbeat.datasets.pattern_table import read_table
from backbeat.metrics.patterns import is_rich
from backbeat.models.pattern_space import open_pattern_space

ROCK = np.array([5, 0, 4, 0, 6, 0, 4, 0, 5, 0, 4, 1, 6, 0, 4, 0] * 2, np.uint16)
HALF = np.array([5, 0, 4, 0, 4, 0, 4, 0, 6, 0, 4, 0, 4, 0, 4, 0] * 2, np.uint16)
A, B = write_pattern(ROCK), write_pattern(HALF)


@pytest.fixture(params=["acai", "wide"])
def model(request):
    if not resources.files("backbeat").joinpath(f"weights/pattern_{request.param}/config.json").is_file():
        pytest.skip("this model does not ship yet")
    return request.param


@pytest.fixture
def songs(tmp_path):
    """Two songs with the same beat, begun elsewhere, one with another, and a file that is none."""
    folder = tmp_path / "songs"
    folder.mkdir()
    for name, pattern in {"a": ROCK, "b": np.roll(ROCK, 8), "c": HALF}.items():
        (folder / f"{name}.mid").write_bytes(encode_midi(pattern[None], repeats=4))
    (folder / "d.mid").write_bytes(b"nothing")
    return folder


def test_mine(run, songs, tmp_path):
    out = tmp_path / "p.tsv"
    result = run("patterns", "mine", songs, "-o", out, "--workers", 1)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[1].split() == ["4", "200,000", "files"] and "33,000  patterns unique under all rotations" in result.out
    table = read_table(out)
    assert len(table) == 2 and table.latents.shape == (2, 4) and table.places.shape == (2, 2)
    assert sorted(table.files.tolist()) == [1, 2] and set(table.repeats.tolist()) == {4}
    assert set(hash_patterns(table.patterns).tolist()) == set(hash_patterns(np.stack([ROCK, HALF])).tolist())
    report = json.loads(run("patterns", "mine", songs, "--workers", 1, "--json").out)
    assert report["counts"]["readable"] == 3 and report["counts"]["patterns"] == 2 and report["out"] is None


def test_mine_writes_what_the_original_reads(run, songs, tmp_path):
    out = tmp_path / "p.tsv"
    assert run("patterns", "mine", songs, "-o", out, "--plain", "--workers", 1).code == 0
    patterns, latents, places = read_patterns(out)
    assert len(patterns) == 2 and latents.shape == (2, 4) and places.shape == (2, 2)


def test_mine_other_metres(run, tmp_path):
    (tmp_path / "a.mid").write_bytes(encode_midi(ROCK[None], repeats=4))
    result = run("patterns", "mine", tmp_path / "a.mid", "--metre", "3/4", "--workers", 1, "--json")
    assert json.loads(result.out)["steps"] == 24 and json.loads(result.out)["counts"]["metre"] == 0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("mine", "nowhere"), "nowhere: no file, folder or data set"),
        (("mine", ""), "a corpus has an empty name"),
        (("mine", "{songs}", "--metre", "waltz"), "metre 'waltz' is none"),
        (("mine", "{songs}", "--repeats", "0"), "repeats and times lie in 1-1000"),
        (("sample", "--model", "gan"), "no model 'gan' of patterns"),
        (("sample", "--model", "acai", "--style", "xyzzy"), "has no style 'xyzzy': choose from"),
        (("sample", "--model", "acai", "--radius", "1", "--at-data"), "three ways to choose points"),
        (("sample", "--model", "acai", "--radius", "nan"), "a radius lies in"),
        (("sample", "--model", "acai", "--tempo", "1", "-o", "x.mid"), "a tempo lies in 4-1000"),
        (("sample", "--model", "acai", "-o", "{songs}"), "this folder is not empty"),
        (("interpolate", "rock", "1,2", "--model", "acai"), "rock: no pattern"),
        (("interpolate", "1,2", "1,2", "--model", "acai"), "knows patterns of 32 steps, not of 2"),
        (("encode", "1,2", "--model", "acai"), "knows patterns of 32 steps, not of 2"),
        (("encode", A, "--model", "acai", "-o", "x.mid"), "latent points are written as a table"),
        (("decode", "1,2", "--model", "acai"), "a point of the model acai has 4 numbers, this has 2"),
        (("decode", "x", "--model", "acai"), "x: no latent point"),
        (("nearest", A, "--in", "none.tsv", "--model", "acai"), "none.tsv: cannot be read as a table"),
        (("filter", "none.tsv"), "none.tsv: cannot be read as a table"),
        (("show", "x"), "x: no pattern"),
    ],
)
def test_what_is_wrong_is_one_line(refused, songs, monkeypatch, tmp_path, arguments, line):
    monkeypatch.chdir(tmp_path)
    assert line in refused("patterns", *(str(a).format(songs=songs) for a in arguments))


def test_sample_to_a_table_a_file_and_a_folder(run, model, tmp_path):
    common = ("patterns", "sample", "--model", model, "-n", 5, "--seed", 3, "--filter")
    printed = run(*common)
    assert printed.code == 0 and len(printed.out.splitlines()) == 5
    assert run(*common).out == printed.out != run(*common[:-2], 4, "--filter").out
    assert run(*common, "-o", tmp_path / "s.tsv").code == 0
    assert (tmp_path / "s.tsv").read_text() == printed.out
    patterns = read_table(tmp_path / "s.tsv").patterns
    assert is_rich(patterns).all()
    assert run(*common, "-o", tmp_path / "midi").code == 0
    files = sorted((tmp_path / "midi").iterdir())
    assert [f.name for f in files] == [f"pattern-000{k}.mid" for k in range(1, 6)]
    assert files[0].read_bytes() == encode_midi(patterns[:1])
    assert run(*common, "-o", tmp_path / "all.mid", "--published").code == 0
    assert (tmp_path / "all.mid").read_bytes() == encode_midi(patterns, ticks_per_quarter=360)


def test_sample_between_styles(run, model):
    report = json.loads(run("patterns", "sample", "--model", model, "--style", "rock", "--style", "jazz", "-n", 4, "--json").out)
    assert report["styles"] == ["rock", "jazz"] and report["count"] == 4 and len(report["patterns"][0]["pattern"].split(",")) == 32


def test_interpolate(run, model):
    report = json.loads(run("patterns", "interpolate", A, B, "--steps", 5, "--model", model, "--json").out)
    latents = np.array([row["latent"] for row in report["patterns"]])
    assert len(latents) == 5 and np.allclose(np.diff(latents, axis=0), (latents[-1] - latents[0]) / 4, atol=1e-4)


def test_encode_and_decode(run, model, tmp_path):
    encoded = run("patterns", "encode", A, B, "--model", model, "-o", tmp_path / "e.tsv")
    assert encoded.code == 0
    table = read_table(tmp_path / "e.tsv")
    assert table.patterns.tolist() == [ROCK.tolist(), HALF.tolist()]
    by_table = run("patterns", "decode", tmp_path / "e.tsv", "--model", model).out
    by_numbers = run("patterns", "decode", "--model", model, "--", *(",".join(map(repr, point)) for point in table.latents.tolist())).out
    assert [line.split("\t")[0] for line in by_table.splitlines()] == [line.split("\t")[0] for line in by_numbers.splitlines()]


def test_nearest(run, model, songs, tmp_path):
    run("patterns", "mine", songs, "-o", tmp_path / "p.tsv", "--workers", 1)
    report = json.loads(run("patterns", "nearest", A, "--in", tmp_path / "p.tsv", "-n", 2, "--model", model, "--json").out)
    assert report["hits_that_differ"][0] == 0 and report["distances"] == sorted(report["distances"]) and report["count"] == 2


def test_filter_and_show(run, songs, tmp_path):
    run("patterns", "mine", songs, "-o", tmp_path / "p.tsv", "--workers", 1)
    report = json.loads(run("patterns", "filter", tmp_path / "p.tsv", "--entropy", 0.5, "--against", tmp_path / "p.tsv", "--json").out)
    assert report == {"patterns": 2, "entropy": 2, "novel": 0, "distinct": 0, "kept": 0, "out": None}
    assert json.loads(run("patterns", "filter", tmp_path / "p.tsv", "--entropy", 0.5, "-o", tmp_path / "k.tsv", "--json").out)["kept"] == 2
    assert len(read_table(tmp_path / "k.tsv")) == 2
    shown = run("patterns", "show", songs / "a.mid").out
    assert "Kick |x...|....|x..x|....|" in shown
    assert read_midi(songs / "a.mid").tolist() == ROCK.tolist()


def test_genres_can_be_placed(run, refused, model, tmp_path):
    folder = shutil.copytree(Path(str(resources.files("backbeat"))) / "weights" / f"pattern_{model}", tmp_path / "model")
    rows = [f"{A}\t\t\tpolka-core"] * 8 + [f"{B}\t\t\trare"] * 7
    (tmp_path / "t.tsv").write_text("\n".join(rows))
    placed = run("patterns", "genres", folder, tmp_path / "t.tsv", "--add")
    assert placed.code == 0 and placed.out.split() == ["8", "polka-core"]
    space = open_pattern_space(folder)
    assert {"polka-core", "rock"} <= set(space.genres) and np.allclose(space.genres["polka-core"].centre, space.encode(ROCK[None])[0], atol=1e-4)
    assert json.loads(run("patterns", "sample", "--model", folder, "--style", "Polka-Core", "-n", 2, "--json").out)["count"] == 2
    assert "no genre with 9 patterns or more" in refused("patterns", "genres", folder, tmp_path / "t.tsv", "--least", 9)


def test_the_input_is_not_written_over(refused, run, songs, tmp_path):
    path = tmp_path / "p.tsv"
    run("patterns", "mine", songs, "-o", path, "--workers", 1)
    before, midi = path.read_bytes(), (songs / "a.mid").read_bytes()
    for arguments in (
        ("encode", path, "--model", "acai", "-o", path),
        ("decode", path, "--model", "vae", "-o", path),
        ("filter", path, "-o", path),
        ("nearest", A, "--in", path, "--model", "acai", "-o", path),
        ("interpolate", f"{path}:1", B, "--model", "acai", "-o", path),
        ("mine", path, "-o", path),
        ("interpolate", songs / "a.mid", B, "--model", "acai", "-o", songs / "a.mid"),
    ):
        assert "is the input: use another -o" in refused("patterns", *arguments)
    assert path.read_bytes() == before and (songs / "a.mid").read_bytes() == midi


def test_mine_finds_mistakes_before_it_mines(run, songs, tmp_path):
    song = songs / "a.mid"
    before = song.read_bytes()
    for arguments, message in (
        (("-o", song), "is the input"),
        (("-o", tmp_path / "none" / "x.tsv"), "there is no folder"),
        (("-o", tmp_path / "x.tsv", "--model", "vea"), "no model 'vea'"),
    ):
        result = run("patterns", "mine", songs, "--workers", 1, *arguments)
        assert result.code == 1 and message in result.err and len(result.err.splitlines()) == 1
    assert song.read_bytes() == before


def test_mine_in_two_processes_without_threadpoolctl(songs):
    # In a process of its own: threadpoolctl belongs to the extra "data", and mining has to do without.
    code = "import sys; sys.modules['threadpoolctl'] = None; from backbeat.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code, "patterns", "mine", str(songs), "--workers", "2", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["patterns"] == 2


def test_filter_and_sample_refuse_what_makes_no_sense(run, tmp_path):
    table = tmp_path / "t.tsv"
    table.write_text(A + "\n")
    for arguments, message in (
        (("filter", table, "--entropy", "nan"), "--entropy nan"),
        (("sample", "-n", 1, "-o", tmp_path / "x.png"), "written as .tsv or .mid"),
    ):
        result = run("patterns", *arguments)
        assert result.code == 1 and message in result.err and len(result.err.splitlines()) == 1


def test_where_nothing_is_left_an_empty_table_is_written(run, songs, tmp_path):
    mined = run("patterns", "mine", songs, "--workers", 1, "--entropy", 9, "-o", tmp_path / "m.tsv")
    table = tmp_path / "t.tsv"
    table.write_text(A + "\n")
    filtered = run("patterns", "filter", table, "--entropy", 9, "-o", tmp_path / "f.tsv")
    assert mined.code == filtered.code == 0, mined.err + filtered.err
    assert (tmp_path / "m.tsv").read_bytes() == (tmp_path / "f.tsv").read_bytes() == b""


def test_a_published_table_has_no_ending_and_is_read(run, tmp_path):
    table = tmp_path / "sampled10k_vae_raw"
    table.write_text(f"{A}\t1,2,3,4\n{B}\t1,2,3,4\n")
    encoded, decoded = run("patterns", "encode", table, "--model", "vae"), run("patterns", "decode", table, "--model", "vae")
    assert encoded.code == decoded.code == 0, encoded.err + decoded.err
    assert [line.split("\t")[0] for line in encoded.out.splitlines()] == [A, B] and len(decoded.out.splitlines()) == 2
