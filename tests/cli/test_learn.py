"""``backbeat learn`` and what plays with a profile."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Run


@pytest.mark.slow
def test_a_profile_is_learned_and_played(run: Run, refused: Callable[..., str], tmp_path: Path) -> None:
    take = tmp_path / "take.mid"
    assert run("groove", "-o", take, "--bars", 12, "--seed", 1).code == 0
    me = tmp_path / "me"
    result = run("learn", take, "-o", me, "--json")
    assert result.code == 0, result
    report = json.loads(result.out)
    assert set(report["bits_per_onset"]) == {"before", "after"} and set(report["falls"]) == {"hits", "sum", "all"}
    assert report["held_out_hits"] > 0 and report["takes"] == 1 and report["seconds"] < 120
    assert {p.name for p in me.iterdir()} == {"arrays.npz", "config.json", "card.md"}
    for command in (("humanise", take), ("groove", "--bars", 4), ("accompany", EXAMPLES / "ballad.mid")):
        plain, own = tmp_path / f"{command[0]}.mid", tmp_path / f"{command[0]}-me.mid"
        assert run(*command, "-o", plain).code == 0
        assert run(*command, "-o", own, "--profile", me).code == 0
        assert plain.read_bytes() != own.read_bytes()
    assert "holds something" in refused("learn", take, "-o", me)


def test_wrong_takes_and_profiles_are_one_line(refused: Callable[..., str], tmp_path: Path) -> None:
    empty, broken, out = tmp_path / "empty", tmp_path / "broken.mid", tmp_path / "me"
    empty.mkdir()
    broken.write_bytes(b"MThd")
    assert "no MIDI files" in refused("learn", empty, "-o", out)
    assert "broken.mid" in refused("learn", broken, "-o", out)
    assert "no drum" in refused("learn", EXAMPLES / "ballad.mid", "-o", out)
    assert "not a profile" in refused("groove", "-o", tmp_path / "g.mid", "--profile", empty)
    many = []
    for k in range(11):
        many.append(tmp_path / f"{k}.mid")
        many[-1].write_bytes(b"")
    assert "choose up to 10" in refused("learn", *many, "-o", out)
    assert not out.exists()
