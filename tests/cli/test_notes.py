"""``backbeat notes``."""

import json

import numpy as np
import pytest

from backbeat.codecs.notes import notes_to_midi, read_notes
from backbeat.midi import read_song


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch = pytest.importorskip("torch", reason="needs torch: pip install 'backbeat[train]'")
    from backbeat.networks.note_lstm import NoteRnn, NoteRnnConfig
    from backbeat.training.notes import export_notes

    torch.manual_seed(1)
    path = tmp_path_factory.mktemp("notes") / "model"
    export_notes(NoteRnn(NoteRnnConfig(embedding=8, units=16)), path, {})
    return path


@pytest.fixture
def primer(tmp_path):
    path = tmp_path / "primer.mid"
    path.write_bytes(notes_to_midi(np.array([[60.0, 0, 0.5], [64, 0.5, 0.5], [67, 0.5, 0.5]])))
    return path


def test_notes_are_added_and_the_seed_decides(run, primer, folder, tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", -3)):
        result = run("notes", "--primer", primer, "-o", tmp_path / name, "--notes", 20, "--model", folder, "--seed", seed, "--json")
        assert result.code == 0, result.err
        report = json.loads(result.out)
        assert (report["primer_notes"], report["notes"], report["seed"]) == (3, 20, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
    assert len(read_song(tmp_path / "a").parts[0].notes) == 20


def test_the_primer_may_stand_in_front(run, primer, folder, tmp_path):
    assert "5 notes" in run("notes", "--primer", primer, "-o", tmp_path / "out.mid", "--notes", 5, "--model", folder, "--keep-primer").out
    notes = read_notes(read_song(tmp_path / "out.mid"), "all")
    assert len(notes) == 8 and {60, 64, 67} <= set(notes[:, 0])


@pytest.mark.parametrize(("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_a_plot_is_drawn(run, primer, folder, tmp_path, ending, begins):
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'backbeat[report]'")
    plot = tmp_path / f"plot.{ending}"
    assert run("notes", "--primer", primer, "-o", tmp_path / "out.mid", "--notes", 9, "--model", folder, "--plot", plot).code == 0
    assert plot.read_bytes().startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--notes", "0"), "the number of notes must lie in 1-10,000, not 0"),
        (("--temperature", "6"), "the temperature must lie in 0-5, not 6"),
        (("--plot", "plot.gif"), "a plot ends in .png, .svg, .pdf"),
        (("--model", "."), "not a model folder"),
    ],
)
def test_what_cannot_be_is_one_line(refused, primer, folder, tmp_path, arguments, message):
    model = () if "--model" in arguments else ("--model", folder)
    assert message in refused("notes", "--primer", primer, "-o", tmp_path / "out.mid", *model, *arguments)


def test_the_primer_is_never_written_over(refused, primer, folder):
    before = primer.read_bytes()
    assert "is the primer: use another -o" in refused("notes", "--primer", primer, "-o", primer, "--model", folder)
    assert primer.read_bytes() == before


def test_a_primer_of_drums_alone_is_told(refused, folder, tmp_path):
    from tests.midi.builders import Track, midi

    (tmp_path / "drums.mid").write_bytes(midi(Track().note(0, 10, 36, channel=9).chunk()))
    assert "drums.mid has 0 notes that are not drums: the model needs at least 1" in refused(
        "notes", "--primer", tmp_path / "drums.mid", "-o", tmp_path / "out.mid", "--model", folder
    )


def test_without_out_a_free_name_is_chosen(run, primer, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("primer-notes.mid", "primer-notes-2.mid"):
        assert f"wrote {name}" in run("notes", "--primer", primer, "--notes", 4, "--model", folder).out
        assert len(read_song(tmp_path / name).parts[0].notes) == 4


def test_a_plot_stands_in_the_place_of_nothing_and_is_looked_at_first(refused, primer, folder, tmp_path):
    out = tmp_path / "out.mid"
    assert "a plot ends in" in refused("notes", "--primer", primer, "-o", out, "--model", folder, "--plot", "roll.gif")
    assert not out.exists()
    same = tmp_path / "roll.png"
    assert "is the primer or the output" in refused("notes", "--primer", primer, "-o", same, "--model", folder, "--plot", same)
