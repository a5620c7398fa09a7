"""LSTMetallica on one fold of its 57 songs, beside the floors of the same fold: perplexity per word of text, BAR included.

    python benchmarks/metallica_fold.py measure [MODEL ...] [--floors] [--json] [--data FOLDER]
    python benchmarks/metallica_fold.py train OUT [--from RUN] [--config NAME] [--set FIELD=VALUE ...] [--on tune|held|corpus] [--corpus FOLDER]

Folds are those of ``backbeat evaluate MODEL lstmetallica``; this is the last of ten. ``train`` learns from the fold's songs and is validated on
its tuning songs (``--on tune``), or learns from both and is measured on the held-out songs once, at the end (``--on held``: give as many updates as
validation chose), or learns from a corpus of songs without those of Metallica (``--on corpus``), for a warm start. ``measure`` scores the
held-out songs whole, and in windows that know 7 to 15 bars (119 to 255 words) before. Models that read no text get BAR for nothing, as it is certain
behind 16 words; those of characters have the product over a word's characters.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from backbeat.codecs.metallica_text import STEPS, write_text
from backbeat.datasets.lstmetallica import DATASET
from backbeat.datasets.source import Source
from backbeat.evaluation.cases import Choice, list_corpus
from backbeat.evaluation.fitting import open_model, read_pieces
from backbeat.evaluation.metallica import deal_folds, make_cache, spell_bars
from backbeat.models.cache import CacheMixture
from backbeat.models.lstmetallica import Lstmetallica
from backbeat.models.ngram import NGram
from backbeat.models.protocol import Piece

WINDOW = 15
"""Bars of about 256 words."""


def deal(data: Path) -> tuple[list[Source], list[Source], list[Source]]:
    """Songs to learn from, to tune on and held out, of the last fold."""
    return list(deal_folds(sorted(DATASET.list_sources(data), key=lambda s: s.name.lower())))[-1]


def score_in_windows(model: Any, piece: Piece) -> np.ndarray:  # noqa: ANN401 - any model that scores
    """Scores of a piece, each bar with WINDOW // 2 to WINDOW - 1 bars before it where there are as many."""
    half, parts = WINDOW // 2, []
    for first in range(0, piece.grid.bars, WINDOW - half):
        low, high = max(0, first - half), min(piece.grid.bars, first + WINDOW - half)
        parts.append(score_words(model, piece.cut(low, high))[(first - low) * (STEPS + 1) :])
    return np.concatenate(parts)


def score_characters(model: Lstmetallica, piece: Piece) -> np.ndarray:
    """log2 p of every word and BAR of a piece as a model of characters has them, its blank included: float64 [bars x 17]."""
    text = write_text([piece.words])
    numbers = {character: k for k, character in enumerate(model.types)}
    tokens, state = np.array([numbers.get(c, 0) for c in text], np.int64), model.session.start()
    scores, before = np.zeros(len(tokens)), np.full((1, len(model.types)), -np.log(len(model.types)))
    for start in range(0, len(tokens), 2048):
        part = tokens[start : start + 2048]
        outputs, state = model.session.run({"tokens": part[None]}, state)
        log_p = np.concatenate([before, outputs["log_p"][0]])
        scores[start : start + 2048], before = log_p[np.arange(len(part)), part], log_p[-1:]
    ends = np.append(0, np.flatnonzero([c == " " for c in text])[: piece.grid.bars * (STEPS + 1)] + 1)
    ends[-1] = len(text)
    return np.add.reduceat(scores, ends[:-1]) / np.log(2)


def score_words(model: Any, piece: Piece) -> np.ndarray:  # noqa: ANN401 - any model that scores
    """log2 p of every word and BAR of a piece: float64 [bars x 17]."""
    if isinstance(model, Lstmetallica) and model.level == "char":
        return score_characters(model, piece)
    if isinstance(model, (Lstmetallica, NGram, CacheMixture)):
        return model.score(spell_bars(piece))
    return np.pad(model.score(piece).reshape(-1, STEPS), [(0, 0), (0, 1)]).ravel()


def measure(models: list[str], data: Path, *, floors: bool, as_json: bool) -> None:
    learn, tune, held = (read_pieces(part, Choice(text=True)) for part in deal(data))
    ready = [(name, open_model(name)) for name in models]
    for name, model in (("unigram", NGram.of_order(1)), ("ngram5", NGram.of_order(5)), ("ngram17", NGram.of_order(17)), ("cache", make_cache())):
        if floors:
            for learned in (learn, learn + tune):
                model.fit([spell_bars(p) for p in learned])
                if learned is learn:
                    model.tune([spell_bars(p) for p in tune])
            ready.append((name, model))
    lines = []
    for name, model in ready:
        whole = np.concatenate([score_words(model, p) for p in held])
        windows = np.concatenate([score_in_windows(model, p) for p in held])
        lines.append({"model": name, "perplexity": float(2 ** -whole.mean()), "windows_perplexity": float(2 ** -windows.mean()), "words": len(whole)})
        if not as_json:
            print(f"{name}: whole songs {2 ** -whole.mean():.4f}, windows {2 ** -windows.mean():.4f} ({len(whole):,} words of {len(held)} songs)", flush=True)
    if as_json:
        print(json.dumps({"model": models[:1], "songs": len(held), "likelihood, whole songs, per word of text with BAR": lines}))


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
    measuring.add_argument("--json", action="store_true", dest="as_json")
    training = verbs.add_parser("train")
    training.add_argument("out", type=Path)
    training.add_argument("--from", dest="begin", type=Path)
    training.add_argument("--config", default="")
    training.add_argument("--set", action="append", default=[])
    training.add_argument("--on", choices=["tune", "held", "corpus"], default="tune")
    training.add_argument("--corpus", type=Path)
    arguments = parser.parse_args()
    if arguments.verb == "measure":
        measure(arguments.models, arguments.data, floors=arguments.floors, as_json=arguments.as_json)
    else:
        train(arguments)


if __name__ == "__main__":
    main()
