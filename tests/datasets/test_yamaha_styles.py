from collections import Counter

import pytest

from backbeat.datasets import DATASETS
from backbeat.datasets.yamaha_styles import cut_midi, name_genre
from backbeat.errors import InputError
from backbeat.midi import parse_song
from tests.datasets.here import list_here, midi, write_tree

CASM = b"CASM\x00\x00\x00\x04CSEG\x00"


def write(folder, name, data):
    write_tree(folder / "styles", name)
    (folder / "styles" / name).write_bytes(data)


def test_only_the_midi_file_inside_is_read(tmp_path):
    write(tmp_path, "a.sty", midi(36, 38) + CASM)
    write(tmp_path, "b.PRS", b"junk before" + midi(36) + b"MT")
    a, b = DATASETS["yamaha_styles"].list_sources(tmp_path)
    assert (a.read(), b.read()) == (midi(36, 38), midi(36))


def test_a_track_that_is_cut_off_stays_to_be_reported():
    assert cut_midi(midi(36)[:-3]) == midi(36)[:-3]
    assert cut_midi(b"MThd") == b"MThd"


def test_a_style_without_midi_is_a_source_that_says_why(tmp_path):
    write(tmp_path, "a.AC7", b"AC07" + bytes(100))
    (source,) = DATASETS["yamaha_styles"].list_sources(tmp_path)
    with pytest.raises(InputError, match=r"a.AC7: no MIDI inside \(no MThd\): a style format that is not read"):
        source.read()


def test_mixer_settings_are_no_style(tmp_path):
    write(tmp_path, "a.sty", midi(36))
    write(tmp_path, "a.mix", b"<MidiMix>")
    assert [s.name for s in DATASETS["yamaha_styles"].list_sources(tmp_path)] == ["a.sty"]


@pytest.mark.parametrize(
    ("name", "genre"),
    [
        ("jjazzlab/Rhythms/Swing&Jazz/Bebop.S468.sst", "Swing&Jazz"),
        ("jjazzlab/YamahaDefaultFiles/DiscoFunk.S524.prs", "Disco Funk"),
        ("jjazzlab/YamahaDefaultFiles/KoolFunk.STY", "Kool Funk"),
        ("orinayo/16 Beat Shuffle 2 X3000.AC7", "16 Beat Shuffle 2"),
        ("orinayo/Peachy R&amp;B.sas", "Peachy R&B"),
        ("orinayo/jazz.rock.sty.sas", "jazz rock"),
        ("orinayo/FunkNight_E443.sty", "Funk Night"),
        ("a.sty", "a"),
    ],
)
def test_the_genre_of_a_name(name, genre):
    assert name_genre(name) == genre


@pytest.mark.slow
def test_the_drum_parts_of_real_styles():
    counts = Counter()
    for source in list_here("yamaha_styles"):
        try:
            song = parse_song(source.read(), source.name)
        except InputError:
            counts["refused"] += 1
            continue
        drums = {p.channel for p in song.drum_parts}
        counts["read"] += 1
        counts["no drums"] += not drums
        counts["channel 9 missed"] += bool({p.channel for p in song.parts if p.channel == 8} - drums)
    assert counts == {"read": 299, "refused": 14, "no drums": 0, "channel 9 missed": 3}
