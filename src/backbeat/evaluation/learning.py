"""What a model learns from and what is held out, from the name of any data: a data set, folder, archive or corpus."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backbeat.datasets import DATASETS, list_sources
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.cases import Choice, list_corpus


@dataclass(frozen=True)
class Data:
    """What a run learns from and is measured on.

    Args:
        name: as it was asked for.
        train, validation: the pieces.
    """

    name: str
    train: Sequence[Source]
    validation: Sequence[Source]

    def describe(self) -> dict[str, Any]:
        """For config.json: the name, how many pieces, and a hash of what they are called."""
        names = "\n".join([*(s.name for s in self.train), "", *(s.name for s in self.validation)])
        digest = hashlib.sha256(names.encode()).hexdigest()
        return {"name": self.name, "pieces": len(self.train), "validation_pieces": len(self.validation), "names_sha256": digest}


def hold_out(sources: Sequence[Source], every: int = 10) -> tuple[list[Source], list[Source]]:
    """Sources without a split of their own: every tenth is for validation."""
    return [s for i, s in enumerate(sources) if i % every], [s for i, s in enumerate(sources) if i % every == 0]


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
    if (Path(name) / "meta.json").is_file():
        has_split = len(Corpus(Path(name)).choose(split)) > 0
        sources = list_corpus(Path(name), split if has_split else "")
    else:
        sources = list_sources(name, folder)
    return [s for s in sources if choice.admits(s)]


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
