"""``backbeat models``."""

import json

from backbeat.models.registry import MODELS


def test_all_models_are_listed_for_machines(run):
    rows = json.loads(run("models", "--json").out)
    assert [row["name"] for row in rows] == list(MODELS)
    drummer = rows[-1]
    assert drummer["scores"] and drummer["plays"] and drummer["shipped"] and drummer["ready"] and drummer["hears"]
    assert {row["name"] for row in rows if row["ready"]} == {"copy1", "copy4", "rock-loop", "rock-bass", "drummer"}


def test_all_models_are_listed_for_people(run):
    lines = run("models").out.splitlines()
    assert len(lines) == len(MODELS) + 1 and all(line.startswith(name) for line, name in zip(lines[1:], MODELS, strict=True))
    assert lines[1].split()[1:6] == ["yes", "yes", "-", "yes", "-"]
