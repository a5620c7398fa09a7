"""LSTMetallica on one fold of its 57 songs, beside the floors of the same fold: perplexity per word of text, BAR included.

    python benchmarks/metallica_fold.py measure [MODEL ...] [--floors] [--data FOLDER]
    python benchmarks/metallica_fold.py train OUT [--from RUN] [--config NAME] [--set FIELD=VALUE ...] [--on tune|held|corpus] [--corpus FOLDER]

Folds are those of ``backbeat evaluate MODEL lstmetallica``; this is the last of ten. ``train`` learns from the fold's songs and is validated on
its tuning songs (``--on tune``), or learns from both and is measured on the held-out songs once, at the end (``--on held``: give as many updates as
validation chose), or learns from a corpus of songs without those of Metallica (``--on corpus``), for a warm start. ``measure`` scores the
held-out songs whole, and in windows that know 7 to 15 bars (119 to 255 words) before.
"""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from backbeat.datasets.lstmetallica import DATASET
from backbeat.datasets.source import Source
from backbeat.evaluation.cases import Choice, list_corpus
from backbeat.evaluation.fitting import read_pieces
from backbeat.evaluation.metallica import deal_folds, make_cache, spell_bars
from backbeat.models.ngram import NGram
from backbeat.models.protocol import Piece
from backbeat.models.registry import load_model

WINDOW = 15
"""Bars of about 256 words."""


def deal(data: Path) -> tuple[list[Source], list[Source], list[Source]]:
    """Songs to learn from, to tune on and held out, of the last fold."""
    return list(deal_folds(sorted(DATASET.list_sources(data), key=lambda s: s.name.lower())))[-1]


def score_in_windows(score: Callable[[Piece], np.ndarray], piece: Piece) -> np.ndarray:
    """Scores of a piece, each bar with WINDOW // 2 to WINDOW - 1 bars before it where there are as many."""
    half, parts = WINDOW // 2, []
    for first in range(0, piece.grid.bars, WINDOW - half):
        low, high = max(0, first - half), min(piece.grid.bars, first + WINDOW - half)
        parts.append(score(spell_bars(piece.cut(low, high)))[(first - low) * 17 :])
    return np.concatenate(parts)


def measure(models: list[str], data: Path, *, floors: bool) -> None:
    learn, tune, held = (read_pieces(part, Choice(text=True)) for part in deal(data))
    ready = [(name, load_model(name)) for name in models]
    for name, model in (("unigram", NGram.of_order(1)), ("ngram5", NGram.of_order(5)), ("ngram17", NGram.of_order(17)), ("cache", make_cache())):
        if floors:
            for learned in (learn, learn + tune):
                model.fit([spell_bars(p) for p in learned])
                if learned is learn:
                    model.tune([spell_bars(p) for p in tune])
            ready.append((name, model))
    for name, model in ready:
        whole = np.concatenate([model.score(spell_bars(p)) for p in held])
        windows = np.concatenate([score_in_windows(model.score, p) for p in held])
        print(f"{name}: whole songs {2 ** -whole.mean():.4f}, windows {2 ** -windows.mean():.4f} ({len(whole):,} words of {len(held)} songs)", flush=True)


def train(arguments: argparse.Namespace) -> None:
    import torch

    from backbeat.evaluation.learning import Data
    from backbeat.training.running import run_training
    from backbeat.training.trainables import find_trainable

    torch.set_num_threads(1)
    learn, tune, held = deal(arguments.data)
    if arguments.on == "corpus":
        titles = {"".join(c for c in Path(s.name).stem.lower() if c.isalnum()) for s in (*learn, *tune, *held)}
        titles = {t for t in titles if len(t) > 7} | {"metallica"}
        sources = list_corpus(arguments.corpus)
        learn = [s for s, name in zip(sources, list_names(arguments.corpus), strict=True) if not any(t in name for t in titles)]
        print(f"{len(sources) - len(learn)} pieces left out by their names")
    data = {"held": Data("lstmetallica, fold 10 of 10", learn + tune, held)}.get(arguments.on, Data("lstmetallica, fold 10 of 10: tuning", learn, tune))
    recipe = find_trainable("lstmetallica").choose(arguments.config, arguments.set)
    started = time.time()
    run_training(
        find_trainable("lstmetallica"),
        recipe,
        data,
        arguments.out,
        begin=arguments.begin,
        device="cpu",
        report=lambda p: print(f"{time.time() - started:.0f} s", p.update, "validation" if p.is_validation else "", p.figures, flush=True),
    )


def list_names(folder: Path) -> list[str]:
    """Names of a corpus's pieces, letters and digits alone."""
    from backbeat.datasets.corpus import Corpus

    if (folder / "manifest.parquet").is_file():
        names = Corpus(folder).names
    else:
        import csv

        with (folder / "manifest.csv").open(encoding="utf-8") as file:
            names = [row["name"] for row in csv.DictReader(file) if row["result"] == "kept"]
    return ["".join(c for c in name.lower() if c.isalnum()) for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("BACKBEAT_DATA", "data")))
    verbs = parser.add_subparsers(dest="verb", required=True)
    measuring = verbs.add_parser("measure")
    measuring.add_argument("models", nargs="*")
    measuring.add_argument("--floors", action="store_true")
    training = verbs.add_parser("train")
    training.add_argument("out", type=Path)
    training.add_argument("--from", dest="begin", type=Path)
    training.add_argument("--config", default="")
    training.add_argument("--set", action="append", default=[])
    training.add_argument("--on", choices=["tune", "held", "corpus"], default="tune")
    training.add_argument("--corpus", type=Path)
    arguments = parser.parse_args()
    if arguments.verb == "measure":
        measure(arguments.models, arguments.data, floors=arguments.floors)
    else:
        train(arguments)


if __name__ == "__main__":
    main()
