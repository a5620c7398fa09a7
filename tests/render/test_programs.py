from importlib import resources

import numpy as np

from backbeat.render.programs import NAMES, STAND_INS, find_kit_stand_in, find_stand_in
from backbeat.render.soundfont import PRESET, parse_soundfont


def read_shipped():
    data = resources.files("backbeat.sounds").joinpath("band.sf3").read_bytes()
    rows = np.frombuffer(parse_soundfont(data).tables[b"phdr"], dtype=PRESET)[:-1]
    return {bank: {int(r["program"]) for r in rows if r["bank"] == bank} for bank in (0, 128)}


def test_every_program_has_a_name_and_a_stand_in_that_is_shipped():
    programs = read_shipped()[0]
    assert len(NAMES) == 128 and all(NAMES)
    assert all(find_stand_in(p, programs) in programs for p in range(128))
    assert all(STAND_INS[p // 8][p % 8] == p for p in programs)


def test_basses_stay_basses():
    assert {find_stand_in(p, read_shipped()[0]) for p in range(32, 40)} == {33, 38}


def test_a_font_without_the_tables_choice_lends_the_nearest_of_the_family():
    assert find_stand_in(34, {36, 38}) == 36
    assert find_stand_in(34, {0}) is None


def test_missing_kits_are_played_on_their_family_or_the_standard_kit():
    kits = read_shipped()[128]
    assert [find_kit_stand_in(p, kits) for p in (1, 9, 26, 48, 127)] == [0, 8, 24, 0, 0]
    assert find_kit_stand_in(3, set()) is None
