"""Everything that ``backbeat train`` can train by the common loop: adding one is one file and one line of ``TRAINABLES``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from backbeat.errors import InputError
from backbeat.evaluation.learning import Data
from backbeat.training.loop import Run, Schedule, Task

TRAINABLES = {
    "drummer": "backbeat.training.drummer",
    "lstmetallica": "backbeat.training.lstmetallica",
    "drums-rnn": "backbeat.training.drums_rnn",
    "neural-drummer": "backbeat.training.neural_drummer",
    "notes": "backbeat.training.notes",
    "performer": "backbeat.training.performer",
    "melody": "backbeat.training.melody",
    "pattern-space": "backbeat.training.pattern_space",
}
"""Name -> module with a constant ``TRAINABLE``."""


@dataclass(frozen=True)
class Trainable:
    """A model that the common loop trains.

    Args:
        name: what the command line calls it.  title: one line for people.
        configs: recipes by name; "original" is faithful to the source, the first one is the default.
        make_task: reads the data and makes the network, for a recipe.
        export: writes the checkpoint folder that ships, from a task with trained weights, the run, and what config.json says
            of data and figures.
    """

    name: str
    title: str
    configs: Mapping[str, Schedule]
    make_task: Callable[[Any, Data], Task]
    export: Callable[[Any, Run, Path, dict[str, Any]], None]

    def choose(self, config: str, settings: Sequence[str] = ()) -> Schedule:
        """A recipe by name, with fields set.

        Args:
            config: name of a recipe, "" for the default.
            settings: "field=value" each.

        Raises:
            InputError: there is no such recipe or field, or the value is not of the field's kind.
        """
        name = config or next(iter(self.configs))
        if name not in self.configs:
            raise InputError(f"{self.name} has no config {name!r}: choose from {', '.join(self.configs)}")
        return set_fields(self.configs[name], settings)


def set_fields(recipe: Schedule, settings: Sequence[str]) -> Schedule:
    """A recipe with fields set from "field=value".

    Raises:
        InputError: there is no such field, or the value is not of its kind.
    """
    known = {f.name: getattr(recipe, f.name) for f in fields(recipe)}
    for setting in settings:
        key, _, text = setting.partition("=")
        if key not in known:
            raise InputError(f"--set {setting}: the recipe has no field {key!r}; it has {', '.join(known)}")
        value: Any = _read_value(setting, text, known[key])
        recipe = replace(recipe, **{key: value})
    return recipe


def _read_value(setting: str, text: str, like: Any) -> Any:  # noqa: ANN401 - of the kind of ``like``
    try:
        if isinstance(like, bool):
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        if isinstance(like, tuple):
            return tuple(type(like[0])(t) for t in text.split(",")) if like else tuple(int(t) for t in text.split(","))
        return type(like)(text)
    except (ValueError, KeyError) as error:
        raise InputError(f"--set {setting}: {text!r} is not a {type(like).__name__}") from error


def find_trainable(name: str) -> Trainable:
    """The trainable of a name.

    Raises:
        InputError: there is none.
    """
    if name not in TRAINABLES:
        raise InputError(f"no model {name!r} to train: choose from {', '.join(TRAINABLES)}")
    trainable: Trainable = import_module(TRAINABLES[name]).TRAINABLE
    return trainable
