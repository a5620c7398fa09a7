"""Names of files to take away, notes for other kits, and pieces."""

import numpy as np
import pytest

from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.studio.downloads import find_notes, name_download, split_pieces, write_for_kit
from backbeat.studio.views import PIECES, list_kit_maps

OWN = load_kit("backbeat")


def every_class_once():
    hits = np.eye(len(OWN), dtype=bool)
    hits = np.concatenate([hits, np.zeros((8, len(OWN)), bool)])
    return Groove(Grid.regular(2), OWN, hits, hits * 0.5, hits * 0.25)


@pytest.mark.parametrize("kit", [kit["name"] for kit in list_kit_maps()])
def test_no_hit_is_lost_in_another_kit(kit):
    groove = every_class_once()
    there = write_for_kit(groove, load_kit(kit))
    assert np.array_equal(there.hits, groove.hits) and np.array_equal(there.offsets, groove.offsets)
    heard = load_kit(kit).lookup[there.kit.written]
    assert np.all(heard >= 0), "every note is one that the kit knows"


def test_general_midi_keeps_every_note():
    assert find_notes(OWN, load_kit("backbeat")) == OWN.written.tolist()
    known = [note for name, note in zip(OWN.names, find_notes(OWN, load_kit("general_midi")), strict=True) if name != "light_shaker"]
    assert known == [note for name, note in zip(OWN.names, OWN.written.tolist(), strict=True) if name != "light_shaker"]


def test_what_a_sampler_lacks_sounds_as_its_nearest():
    notes = dict(zip(OWN.names, find_notes(OWN, load_kit("addictive_drums_2")), strict=True))
    assert notes["splash"] == notes["crash"] == 77 and notes["cowbell"] == notes["ride_bell"] == 61 and notes["shaker"] == notes["closed_hat"] == 49
    assert [notes[n] for n in ("low_tom", "mid_tom", "high_tom")] == [67, 69, 71]


def test_pieces_share_out_all_hits():
    groove = every_class_once()
    pieces = split_pieces(groove)
    assert list(pieces) == list(PIECES) and np.array_equal(sum(p.hits.astype(int) for p in pieces.values()), groove.hits)


@pytest.mark.parametrize(
    ("name", "what", "file"),
    [
        ("Tune", "song.mid", "Tune-drums.mid"),
        ("Tune", "stems.zip", "Tune-stems.zip"),
        ("Tune", "project.backbeat", "Tune.backbeat"),
        ("../x", "song.wav", "_x.wav"),
        ("a/b\\c:d", "drums.wav", "a_b_c_d-drums.wav"),
        ("...", "pieces.mid", "song-pieces.mid"),
        ("x" * 500, "drums.mid", "x" * 80 + "-drums-only.mid"),
        ("Élan ♪", "song.mid", "Élan ♪-drums.mid"),
    ],
)
def test_names_of_files(name, what, file):
    assert name_download(name, what) == file
