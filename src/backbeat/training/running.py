"""A training run from data to checkpoint folder, and sweeps of many."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from backbeat.datasets import DATASETS, list_sources
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.cases import Choice, list_corpus
from backbeat.training.checkpoints import load_tensors
from backbeat.training.curves import draw_curves, write_events
from backbeat.training.loop import BEST, LAST, Progress, Run, Schedule, rank, read_log, train
from backbeat.training.trainables import Data, Trainable, hold_out, set_fields

MODEL = "model"
"""Folder below a run that holds what ships: network.onnx, config.json and card.md."""
Report = Callable[[Progress], None]


def find_data(name: str, validation: str, folder: Path | None, choice: Choice) -> Data:
    """What to learn from and what to measure on.

    Args:
        name: a data set, folder, archive or corpus. A data set with splits gives its train split.
        validation: the same; "" = the data's own validation split, or every tenth piece held out.
        folder: with the data sets.
        choice: style and kind of the pieces that are wanted.

    Raises:
        InputError: there is no such data, or none of it is wanted.
    """
    train_name, own = name, ""
    if name in DATASETS and {"train", "validation"} <= set(DATASETS[name].splits):
        train_name, own = f"{name}:train", f"{name}:validation"
    elif name.endswith(":train") and name.split(":")[0] in DATASETS:
        own = name.replace(":train", ":validation")
    learn = _list(train_name, folder, choice, "train")
    held = _list(validation or own, folder, choice, "validation") if validation or own else []
    if not held:
        learn, held = hold_out(learn)
    if not learn or not held:
        raise InputError(f"{name}: {len(learn)} pieces to learn from and {len(held)} to measure on: both are needed, name other data or another style")
    return Data(name, learn, held)


def _list(name: str, folder: Path | None, choice: Choice, split: str) -> list[Source]:
    is_corpus = (Path(name) / "meta.json").is_file()
    sources = (list_corpus(Path(name), split) or list_corpus(Path(name))) if is_corpus else list_sources(name, folder)
    return [s for s in sources if choice.admits(s)]


def pick_device(name: str) -> torch.device:
    """The device of a name; "auto" is a GPU where there is one.

    Raises:
        InputError: it is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {name}: torch cannot use it here; leave it out to take what there is") from error
    return device


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
    torch.manual_seed(recipe.seed)
    task = trainable.make_task(recipe, data)
    task.network.to(pick_device(device))
    weights = load_tensors(begin / BEST if begin.is_dir() else begin) if begin else None
    about = {"model": trainable.name, "recipe": asdict(recipe), "data": data.describe(), "begin": str(begin) if begin else None}
    run = train(Run(folder, task, recipe, about, weights), report)
    if rank() == 0:
        finish_run(trainable, run, about)
    return run


def finish_run(trainable: Trainable, run: Run, about: Mapping[str, Any]) -> None:
    """Write the best weights as a checkpoint folder, and the curves."""
    best = run.folder / (BEST if (run.folder / BEST).is_file() else LAST)
    tensors = load_tensors(best)
    run.task.network.load_state_dict({k.removeprefix("network."): v for k, v in tensors.items() if best.name == BEST or k.startswith("network.")})
    run.task.network.to("cpu").eval()
    validations = [line for line in read_log(run.folder) if "validation" in line]
    figures = min((line["validation"] for line in validations), key=lambda f: f[run.task.target], default={})
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
        a row a run: its settings, parameters, updates, seconds, and the figures of its best validation.
    """
    rows = []
    for genre, pieces in data.items():
        for settings in grid:
            name = ",".join([*([genre] if len(data) > 1 else []), *settings])
            started = time.monotonic()
            chosen = set_fields(recipe, settings)
            run = run_training(trainable, chosen, pieces, folder / name, device=device, report=lambda p, n=name: report(n, p))  # type: ignore[misc]
            validations = [line for line in read_log(run.folder) if "validation" in line]
            best = min(validations, key=lambda line: line["validation"][run.task.target])
            row: dict[str, Any] = {"data": genre, **dict(s.split("=", 1) for s in settings)}
            row |= {"parameters": sum(p.numel() for p in run.task.network.parameters()), "updates": run.update, "best at": best["update"]}
            rows.append(row | best["validation"] | {"seconds": round(time.monotonic() - started, 1)})
    return rows


def split_by_genre(data: Data, least: int = 10) -> dict[str, Data]:
    """The data as a whole ("all") and by genre, genres with fewer than ``least`` pieces to learn from left out."""
    genres: dict[str, int] = {}
    for source in data.train:
        genres[source.genre] = genres.get(source.genre, 0) + 1
    out = {"all": data}
    for genre, count in sorted(genres.items(), key=lambda item: -item[1]):
        learn, held = ([s for s in sources if s.genre == genre] for sources in (data.train, data.validation))
        if genre and count >= least and held:
            out[genre] = Data(f"{data.name} ({genre})", learn, held)
    return out
