import json

from click.testing import CliRunner

from backbeat.cli.corpus_check import check as command
from backbeat.datasets.checksums import hash_file
from backbeat.datasets.lstmetallica import DATASET
from backbeat.errors import InputError
from tests.datasets.here import write_tree


def run(monkeypatch, data, *options):
    return CliRunner().invoke(command, ["lstmetallica", "--data", str(data), *options])


def prepare(monkeypatch, tmp_path):
    write_tree(tmp_path / "lstmetallica" / "midi", "a.mid", "b.mid")
    index = {f"lstmetallica/midi/{n}": hash_file(tmp_path / "lstmetallica" / "midi" / n) for n in ("a.mid", "b.mid")}
    monkeypatch.setitem(vars(DATASET), "index", index)


def test_a_whole_copy(monkeypatch, tmp_path):
    prepare(monkeypatch, tmp_path)
    result = run(monkeypatch, tmp_path)
    assert (result.exit_code, result.output) == (0, "lstmetallica: all 2 checksums fit\n")
    assert json.loads(run(monkeypatch, tmp_path, "--json").output) == {"name": "lstmetallica", "checked": 2, "faults": []}


def test_a_damaged_copy_names_the_files_and_fails(monkeypatch, tmp_path):
    prepare(monkeypatch, tmp_path)
    (tmp_path / "lstmetallica" / "midi" / "a.mid").write_bytes(b"")
    (tmp_path / "lstmetallica" / "midi" / "b.mid").unlink()
    result = run(monkeypatch, tmp_path)
    assert result.stdout == "changed: lstmetallica/midi/a.mid\nmissing: lstmetallica/midi/b.mid\n"
    assert isinstance(result.exception, InputError)
    assert str(result.exception).startswith("lstmetallica: 2 of 2 checksums do not fit: put the MIDI files of")
    assert json.loads(run(monkeypatch, tmp_path, "--json").stdout)["faults"] == ["changed: lstmetallica/midi/a.mid", "missing: lstmetallica/midi/b.mid"]


def test_an_unknown_set_is_refused(tmp_path):
    result = CliRunner().invoke(command, ["nothing", "--data", str(tmp_path)])
    assert isinstance(result.exception, InputError)
    assert str(result.exception).startswith("no data set 'nothing': choose from songs, groove_midi")
