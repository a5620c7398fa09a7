"""``backbeat models``."""

import json

from backbeat.models.registry import MODELS


def test_all_models_are_listed_for_machines(run):
    rows = json.loads(run("models", "--json").out)
    assert [row["name"] for row in rows] == list(MODELS)
    drummer = next(row for row in rows if row["name"] == "drummer")
    assert drummer["scores"] and drummer["plays"] and drummer["shipped"] and drummer["ready"] and drummer["hears"]
    assert {row["name"] for row in rows if row["ready"]} == {row["name"] for row in rows if row["shipped"] or not row["learns"]}
    assert {"copy1", "copy4", "rock-loop", "rock-bass", "drummer"} <= {row["name"] for row in rows if row["ready"]}


def test_all_models_are_listed_for_people(run):
    lines = run("models").out.splitlines()
    assert len(lines) == len(MODELS) + 1 and all(line.startswith(name) for line, name in zip(lines[1:], MODELS, strict=True))
    assert lines[1].split()[1:6] == ["yes", "yes", "-", "yes", "-"]
    assert len({line.index(MODELS[name].title) for line, name in zip(lines[1:], MODELS, strict=True)}) == 1  # long names do not push columns
