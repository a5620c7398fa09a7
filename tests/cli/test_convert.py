"""``backbeat convert`` and ``backbeat text``: MIDI to words and back through the command line."""

import json

import numpy as np
from click.testing import CliRunner

from backbeat.cli import group
from backbeat.codecs.metallica_text import read_text, write_midi, write_text
from backbeat.errors import InputError
from backbeat.midi import parse_song, read_song


def run(*arguments, fails=""):
    result = CliRunner().invoke(group, [str(a) for a in arguments])
    if fails:
        assert isinstance(result.exception, InputError) and fails in str(result.exception), result.output
    else:
        assert result.exit_code == 0, (result.output, result.exception)
    return result


def make_folder(tmp_path):
    songs = [np.array([k + 1, 0, 4, 0] * 8, np.uint16) for k in range(3)]
    folder = tmp_path / "songs"
    folder.mkdir()
    for name, words in zip(("b.mid", "A.mid", "c.mid"), songs, strict=True):
        (folder / name).write_bytes(write_midi([words]))
    (folder / "d.mid").write_bytes(b"no MIDI")
    return folder, [songs[1], songs[0], songs[2]]


def test_a_folder_becomes_one_text_in_the_order_of_names(tmp_path):
    folder, songs = make_folder(tmp_path)
    result = run("convert", folder, "--to", "words", "-o", tmp_path / "corpus.txt", "--per-file", tmp_path / "each", "--json")
    report = json.loads(result.stdout)
    assert (tmp_path / "corpus.txt").read_text() == write_text(songs)
    assert report["songs"] == 3 and report["bars"] == 6 and report["words"] == 6 * 17 and list(report["left_out"]) == ["d.mid"]
    assert (tmp_path / "each" / "A.txt").read_text() == write_text(songs[:1])
    assert run("convert", folder, "--to", "words").stdout == write_text(songs)


def test_text_becomes_one_file_or_a_file_a_song(tmp_path):
    folder, songs = make_folder(tmp_path)
    run("convert", folder, "--to", "words", "--marks", "-o", tmp_path / "c.txt")
    run("convert", tmp_path / "c.txt", "--to", "midi", "-o", tmp_path / "c.mid", "--tempo", "150")
    assert read_song(tmp_path / "c.mid").tempo.qpm() == 150
    assert run("convert", tmp_path / "c.mid", "--to", "words", "--marks").stdout == (tmp_path / "c.txt").read_text() == write_text(songs, marks=True)
    run("convert", tmp_path / "c.txt", "--to", "midi", "-o", tmp_path / "each")
    assert sorted(p.name for p in (tmp_path / "each").iterdir()) == ["song-1.mid", "song-2.mid", "song-3.mid"]


def test_drums_move_to_another_kit_and_the_song_stays(tmp_path):
    folder, _ = make_folder(tmp_path)
    report = json.loads(run("convert", folder / "c.mid", "--to", "kit:drum_space_14", "-o", tmp_path / "k.mid", "--json").stdout)
    assert report["kit"] == "drum_space_14" and report["notes"] > 0
    assert parse_song((tmp_path / "k.mid").read_bytes(), "k").drum_parts


def test_what_cannot_be_converted_is_said(tmp_path):
    folder, _ = make_folder(tmp_path)
    run("convert", folder, "--to", "score", "-o", tmp_path / "x", fails="words, midi or kit")
    run("convert", folder, "--to", "midi", fails="-o")
    run("convert", folder / "d.mid", "--to", "words", fails="nothing to make words of")
    run("convert", tmp_path / "no.txt", "--to", "midi", "-o", tmp_path / "x.mid", fails="no.txt")
    run("convert", folder / "b.mid", folder / "c.mid", "--to", "kit:drum_space_14", "-o", tmp_path / "x.mid", fails="one MIDI file")


def test_text_is_written_for_every_diversity(tmp_path):
    run("text", "--diversity", "blog", "--bars", "2", "-o", tmp_path / "t.txt")
    lines = (tmp_path / "t.txt").read_text().splitlines()
    assert len(lines) == 5 and all(len(read_text(line).songs[0]) <= 32 for line in lines)
    (tmp_path / "p.txt").write_text(lines[0])
    three = run("text", "--primer", tmp_path / "p.txt", "--bars", "1", "--as-original").stdout.splitlines()
    assert three[0] == "diversity:1.00" and three[2].startswith(three[1]) and len(three) == 3
    run("text", "--diversity", "loud", fails="numbers in 0-5")
    run("text", "--model", "rock-loop", fails="writes no text")
