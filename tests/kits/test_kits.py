"""Every shipped kit keeps the contract, and the figures of the originals' maps."""

import numpy as np
import pytest

from backbeat.errors import InputError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import GENERAL_MIDI, STAND_INS, Kit, KitClass, list_kits, load_kit

EXPECTED = {
    "addictive_drums_2": 12,
    "backbeat": 24,
    "drum_space_14": 14,
    "drums_rnn_9": 9,
    "general_midi": 47,
    "logic_drum_kit_designer": 18,
    "lstmetallica_9": 9,
    "mt_power_drum_kit": 14,
    "neuraldrummer_17": 17,
    "neuraldrummer_6": 6,
    "roland_td11": 9,
    "toontrack": 17,
}
"""Shipped kits and their number of classes."""

GROOVE_MIDI_NOTES = {22, 26, 36, 37, 38, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 57, 58, 59}
"""Every note that occurs in the 1,150 files of Groove MIDI 1.0."""


def test_all_expected_kits_ship():
    assert EXPECTED.items() <= {name: len(load_kit(name)) for name in list_kits()}.items()


@pytest.mark.parametrize("name", list_kits())
def test_kit_contract(name):
    kit = load_kit(name)
    assert kit.name == name
    assert kit.title and kit.source and kit.licence and kit.version >= 1
    assert all(c.label and c.notes for c in kit.classes)
    # what is written is read back as the class it was written for
    assert kit.mapping(kit).tolist() == list(range(len(kit)))
    assert Kit.from_dict(kit.to_dict()) == kit


def test_backbeat_maps_down_to_drums_rnn_exactly():
    own, nine = load_kit("backbeat"), load_kit("drums_rnn_9")
    down = own.mapping(nine)
    for index, cls in enumerate(own.classes):
        assert {nine.lookup[n] for n in cls.notes} == {down[index]}, cls.name
    assert np.all(np.diff(down) >= 0) and set(down.tolist()) == set(range(9))
    assert {n for c in nine.classes for n in c.notes} == {n for c in own.classes for n in c.notes}


def test_backbeat_separates_what_a_drummer_separates():
    lookup = load_kit("backbeat").lookup
    assert len({lookup[n] for n in (36, 38, 37, 42, 44, 46, 49, 55, 52, 51, 53, 54, 45, 47, 50)}) == 15


@pytest.mark.parametrize("name", ["roland_td11", "drums_rnn_9", "backbeat"])
def test_groove_midi_is_read_whole(name):
    assert all(load_kit(name).lookup[n] >= 0 for n in GROOVE_MIDI_NOTES)


def test_tom_groups_differ_between_maps():
    nine, roland, metallica = load_kit("drums_rnn_9"), load_kit("roland_td11"), load_kit("lstmetallica_9")
    assert nine.names[nine.lookup[58]] == "crash" and roland.names[roland.lookup[58]] == "low_tom"
    assert nine.names[nine.lookup[45]] == "low_tom" and roland.names[roland.lookup[45]] == "mid_tom"
    assert metallica.names[-2:] == ("ride", "crash") and metallica.names[metallica.lookup[55]] == "ride"


def test_written_notes_of_the_originals():
    assert load_kit("drums_rnn_9").written.tolist() == [36, 38, 42, 46, 45, 48, 50, 49, 51]
    assert load_kit("lstmetallica_9").written.tolist() == [36, 38, 42, 46, 41, 45, 48, 51, 49]
    assert load_kit("neuraldrummer_6").written.tolist() == [35, 38, 42, 46, 49, 51]
    drum_space = load_kit("drum_space_14").written.tolist()
    assert drum_space[:9] + drum_space[10:] == [36, 38, 42, 41, 45, 46, 48, 49, 51, 60, 61, 62, 64]


def test_general_midi_is_one_class_a_note():
    kit = load_kit("general_midi")
    assert [c.notes for c in kit.classes] == [(n,) for n in range(35, 82)]
    assert kit.names[54 - 35] == "tambourine" and kit.names[81 - 35] == "open_triangle"


def test_a_backbeat_groove_maps_down_without_losing_a_cell():
    own, nine = load_kit("backbeat"), load_kit("drums_rnn_9")
    hits = np.random.default_rng(1).random((16, len(own))) < 0.2
    down = Groove(Grid.regular(1), own, hits, hits * 0.5, hits * 0.0).to_kit(nine)
    expected = np.zeros((16, 9), bool)
    for column, into in enumerate(own.mapping(nine)):
        expected[:, into] |= hits[:, column]
    assert np.array_equal(down.hits, expected)


def test_unknown_kit_names_the_known_ones():
    with pytest.raises(InputError, match=r"no kit 'tabla'.*drums_rnn_9"):
        load_kit("tabla")


def test_unknown_class_names_the_known_ones():
    with pytest.raises(InputError, match=r"no class 'cajon'.*kick, snare"):
        load_kit("drums_rnn_9").index("cajon")


def test_a_note_in_two_classes_is_refused():
    with pytest.raises(InputError, match="belongs to two classes"):
        Kit("bad", "", "", "", 1, (KitClass("a", "A", (36,), 36), KitClass("b", "B", (36,), 36)))


def test_a_kit_without_classes_is_refused():
    with pytest.raises(InputError, match="not a kit map"):
        Kit.from_dict({"name": "x"})


SAMPLERS = [name for name in list_kits() if load_kit(name).layout != GENERAL_MIDI]


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_class_sounds_on_a_sampler(name):
    own, sampler = load_kit("backbeat"), load_kit(name)
    assert set(sampler.names) <= set(own.names), "samplers call their classes as the kit backbeat does"
    into = own.mapping(sampler)
    assert np.all(into >= 0)
    for column, cls in enumerate(own.classes):
        if cls.name in sampler.names:
            assert sampler.names[into[column]] == cls.name
        else:
            assert sampler.names[into[column]] in STAND_INS.values()


def test_a_groove_goes_to_a_sampler_by_name_not_by_note():
    own, sampler = load_kit("backbeat"), load_kit("addictive_drums_2")
    hits = np.zeros((16, len(own)), bool)
    hits[0, own.index("closed_hat")] = hits[4, own.index("side_stick")] = hits[8, own.index("ride_bell")] = True
    there = Groove(Grid.regular(1), own, hits, hits * 0.5, hits * 0.0).to_kit(sampler)
    steps, columns = np.nonzero(there.hits)
    assert [(s, sampler.written[c]) for s, c in zip(steps, columns, strict=True)] == [(0, 49), (4, 42), (8, 61)]


def test_the_layout_is_kept_in_a_checkpoint():
    sampler = load_kit("addictive_drums_2")
    assert Kit.from_dict(sampler.to_dict()).layout == "addictive_drums_2" and "layout" not in load_kit("backbeat").to_dict()
