"""A training run from data to checkpoint folder, and sweeps of many."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from backbeat.errors import InputError
from backbeat.evaluation.learning import Data
from backbeat.training.checkpoints import load_tensors
from backbeat.training.curves import draw_curves, write_events
from backbeat.training.loop import BEST, LAST, Progress, Run, Schedule, rank, read_log, train
from backbeat.training.trainables import Trainable, set_fields

MODEL = "model"
"""Folder below a run that holds what ships: network.onnx, config.json and card.md."""
Report = Callable[[Progress], None]


def pick_device(name: str) -> torch.device:
    """The device of a name; "auto" is a GPU where there is one. Processes that torchrun started on one machine take a GPU each.

    Raises:
        InputError: it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and torch.cuda.is_available() and "LOCAL_RANK" in os.environ:
        name = f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"--device {name}: torch cannot use it here; leave it out to take what there is") from error
    return device


LIMITS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("updates", "batch", "validate_every", "save_every", "layers", "units", "width", "length", "every", "min_bars", "steps"), (1, 10**9)),
    **dict.fromkeys(("warm_up", "patience", "decay", "clip", "attention", "excerpts", "loops"), (0, 10**6)),
    **dict.fromkeys(("floor", "forget"), (0, 1)),
    "rate": (1e-9, 10),
    "dropout": (0, 0.99),
    "keep": (0.01, 1),
    "average": (0, 0.99999),
    "max_steps": (2, 10**6),
}
"""Smallest and largest value of fields of recipes, by name."""


def check_recipe(recipe: Schedule) -> Schedule:
    """The recipe, if its numbers can be trained with.

    Raises:
        InputError: a number is out of its range, or there is no such optimiser.
    """
    for name, (least, most) in LIMITS.items():
        values = getattr(recipe, name, least)
        for value in values if isinstance(values, tuple) else (values,):
            if not least <= value <= most:
                reach = f"{least:g} at least" if most >= 10**6 else f"{least:g} to {most:g}"
                raise InputError(f"--set {name}={value:g}: {name} is {reach}")
    if recipe.optimiser not in ("adam", "adamw"):
        raise InputError(f"--set optimiser={recipe.optimiser}: choose from adam and adamw")
    return recipe


def run_training(
    trainable: Trainable, recipe: Schedule, data: Data, folder: Path, *, begin: Path | None = None, device: str = "auto", report: Report = lambda progress: None
) -> Run:
    """Train a model, or go on with a run, and write its checkpoint folder, curves and event files.

    Args:
        trainable: the model.  recipe: how.  data: from what.
        folder: of the run; the checkpoint folder is ``model`` in it.
        begin: a run or weights file to start from (a warm start).
        device: "auto", "cpu", "cuda" ...
        report: called with the progress now and then.

    Raises:
        InputError: the data cannot be used, or the folder holds another run.
    """
    chosen = pick_device(device)
    torch.manual_seed(check_recipe(recipe).seed)
    task = trainable.make_task(recipe, data)
    task.network.to(chosen)
    weights = read_start(begin, task.network) if begin else None
    about = {"model": trainable.name, "recipe": asdict(recipe), "data": data.describe(), "begin": str(begin) if begin else None}
    run = train(Run(folder, task, recipe, about, weights), report)
    if rank() == 0:
        finish_run(trainable, run, about)
    return run


def read_start(begin: Path, network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Weights to start from, of a run or a file.

    Args:
        begin: the run's folder, or a weights file.
        network: that is to take them.

    Raises:
        InputError: there are none, or they are of a network of other sizes.
    """
    path = begin / BEST if begin.is_dir() else begin
    if not path.is_file():
        raise InputError(f"--from {begin}: no {BEST} in it; name the folder of a run (not the model in it), or a weights file")
    weights, own = load_tensors(path), network.state_dict()
    differing = sorted({*weights} ^ {*own}) or [name for name, value in own.items() if value.shape != weights[name].shape]
    if differing:
        raise InputError(f"--from {begin}: weights of another network or of other sizes ({differing[0]}): take the same --config and --set as that run's")
    return weights


def finish_run(trainable: Trainable, run: Run, about: Mapping[str, Any]) -> None:
    """Write the best weights as a checkpoint folder, and the curves."""
    best = run.folder / (BEST if (run.folder / BEST).is_file() else LAST)
    tensors = load_tensors(best)
    run.task.network.load_state_dict({k.removeprefix("network."): v for k, v in tensors.items() if best.name == BEST or k.startswith("network.")})
    run.task.network.to("cpu").eval()
    validations = [line for line in read_log(run.folder) if "validation" in line]
    figures: dict[str, float] = min((line["validation"] for line in validations), key=lambda f: f[run.task.target], default={})
    trainable.export(run.task, run, run.folder / MODEL, {**about, "updates": run.update, "validation": figures})
    draw_curves(run.folder)
    write_events(run.folder)


def parse_grid(text: str) -> list[list[str]]:
    """Every combination of "layers=1,2 units=64,128" as settings: [["layers=1", "units=64"], ...].

    Raises:
        InputError: the text is not of this form.
    """
    axes = []
    for part in text.split():
        key, equals, values = part.partition("=")
        if not equals or not key or not all(values.split(",")):
            raise InputError(f'--sweep {text!r}: write it as "layers=1,2,3 units=64,128"')
        axes.append([f"{key}={value}" for value in values.split(",")])
    if not axes:
        raise InputError('--sweep: name at least one field, as in "layers=1,2,3 units=64,128"')
    return [list(c) for c in itertools.product(*axes)]


def sweep(
    trainable: Trainable,
    recipe: Schedule,
    grid: Sequence[Sequence[str]],
    data: Mapping[str, Data],
    folder: Path,
    report: Callable[[str, Progress], None] = lambda name, progress: None,
    device: str = "auto",
) -> list[dict[str, Any]]:
    """Train every combination of settings on every kind of data; finished runs are not run again.

    Args:
        trainable: the model.  recipe: what the settings change.
        grid: settings of each run, see ``parse_grid``.
        data: by name, "all" or a genre.
        folder: each run gets a folder in it.
        report: called with a run's name and progress.
        device: as in ``run_training``.

    Returns:
        a row a combination: its settings, parameters, updates, where validation was best up to there, seconds, and the figures of it.

    Lengths are not trained one by one where the rate does not depend on them: ``updates=100,400`` is one run, looked at twice.
    """
    rows, runs = [], _join_lengths(recipe, grid)
    for genre, pieces in data.items():
        for settings, lengths in runs:
            name = ",".join([*([genre] if len(data) > 1 else []), *settings]) or "run"
            chosen = set_fields(recipe, settings)
            if lengths:
                chosen = replace(chosen, updates=max(lengths), validate_every=math.gcd(chosen.validate_every, *lengths))
            run = run_training(trainable, chosen, pieces, folder / name, device=device, report=lambda p, n=name: report(n, p))  # type: ignore[misc]
            about = {"data": genre, **dict(s.split("=", 1) for s in settings), "parameters": sum(p.numel() for p in run.task.network.parameters())}
            rows += [_make_row(about, run, length) for length in lengths or [run.update]]
    return rows


def _join_lengths(recipe: Schedule, grid: Sequence[Sequence[str]]) -> list[tuple[list[str], list[int]]]:
    """Settings without their "updates", and all lengths that are wanted of them; none where each length is a run of its own."""
    joined: dict[tuple[str, ...], list[int]] = {}
    for settings in grid:
        chosen = check_recipe(set_fields(recipe, settings))
        joins = chosen.floor == 1 and any(s.startswith("updates=") for s in settings)
        lengths = joined.setdefault(tuple(s for s in settings if not (joins and s.startswith("updates="))), [])
        if joins and chosen.updates not in lengths:
            lengths.append(chosen.updates)
    return [(list(settings), sorted(lengths)) for settings, lengths in joined.items()]


def _make_row(about: Mapping[str, Any], run: Run, length: int) -> dict[str, Any]:
    """A line of a sweep's table: a run as it was after so many updates."""
    lines = [line for line in read_log(run.folder) if "validation" in line and line["update"] <= length]
    best = min(lines, key=lambda line: line["validation"][run.task.target])
    return {**about, "updates": min(length, run.update), "best at": best["update"], **best["validation"], "seconds": lines[-1]["seconds"]}
