"""``backbeat kits``: the list of kit maps, and each of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from backbeat.kits import list_kits, load_kit
from tests.cli.conftest import Run


def test_the_list_names_every_kit_with_its_size(run: Run) -> None:
    lines = run("kits").out.splitlines()
    assert [line.split()[0] for line in lines] == list(list_kits())
    assert all(f" {len(load_kit(line.split()[0]))} classes " in line for line in lines)


def test_the_list_as_json_names_source_and_licence(run: Run) -> None:
    rows = json.loads(run("kits", "--json").out)
    assert {r["name"] for r in rows} == set(list_kits())
    assert all(set(r) == {"name", "classes", "title", "source", "licence"} and r["source"] and r["licence"] for r in rows)


@pytest.mark.parametrize("name", list_kits())
def test_a_kit_is_shown_class_by_class(run: Run, name: str) -> None:
    kit = load_kit(name)
    first, second, *classes = run("kits", name).out.splitlines()
    assert first == kit.title and kit.source in second and kit.licence in second
    assert [line.split()[0] for line in classes] == [c.name for c in kit.classes]
    assert [line.split()[1:3] for line in classes] == [["writes", str(c.write)] for c in kit.classes]
    assert [[int(n) for n in line.split("reads")[1].split()] for line in classes] == [list(c.notes) for c in kit.classes]


@pytest.mark.parametrize("name", list_kits())
def test_a_kit_as_json_is_the_kit(run: Run, name: str) -> None:
    assert json.loads(run("kits", name, "--json").out) == json.loads(json.dumps(load_kit(name).to_dict()))


@pytest.mark.parametrize("arguments", [("bongos",), ("bongos", "--json"), ("../kits/backbeat",), ("",)])
def test_an_unknown_kit_is_one_line(refused: Callable[..., str], arguments: tuple[str, ...]) -> None:
    assert "drums_rnn_9" in refused("kits", *arguments)
