"""Names of instruments."""

from __future__ import annotations

import pytest

from backbeat.codecs.instruments import FAMILIES, INSTRUMENTS, find_program, name_program
from backbeat.errors import InputError


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_names_are_programs_and_come_back(name):
    assert name_program(find_program(name.upper())) == name


def test_numbers_are_programs_and_families_have_names():
    assert find_program("127") == 127 and find_program(" 0 ") == 0
    assert len(FAMILIES) == 16 and name_program(34) == "bass" and name_program(66) == "reeds"


@pytest.mark.parametrize("name", ["", "128", "-1", "tuba d'amore", "²", "1.5"])
def test_others_are_refused(name):
    with pytest.raises(InputError, match="choose from piano"):
        find_program(name)
