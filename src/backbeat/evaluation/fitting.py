"""Floors, and what they learn from: the training data that match what is measured.

Groove MIDI: its official training split, tuned on its validation split, with the same choice of style, kind and metre.
LSTMetallica: the other folds. Anything else: a corpus, tuned on named songs. In windows of N bars an n-gram is fitted on
windows of N bars, too, so that it is trained as it is tested; the cache is fitted on whole takes and tuned on windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from backbeat.datasets import DATASETS, list_sources
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.evaluation.cases import Choice, list_corpus, load_case, read_corpus
from backbeat.evaluation.contexts import cut_all
from backbeat.evaluation.listener import Listener
from backbeat.evaluation.metallica import deal_folds, make_cache, spell_bars
from backbeat.models.accompanist import Accompanist
from backbeat.models.cache import CacheMixture
from backbeat.models.lstmetallica import Lstmetallica
from backbeat.models.protocol import Piece
from backbeat.models.registry import MODELS, load_model, make_model
from backbeat.units import Floats

SONG_FLOORS = ("unigram", "ngram5", "cache", "template", "trees", "rock-loop", "rock-bass", "copy1", "copy4")
TAKE_FLOORS = ("unigram", "bigram", "ngram5", "ngram17", "cache", "copy1", "copy4")
"""Floors of songs, and of drum takes without a band."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class DataSet:
    """What is measured on.

    Args:
        name: data set and split, as in ``groove_midi:test``; a path as it was given.
        data: folder with the data sets, for named ones.
        choice: which pieces.
        split: of a corpus folder, "" for all.
    """

    name: str
    data: Path | None
    choice: Choice
    split: str = ""

    @property
    def family(self) -> str:
        """The data set without its split."""
        return self.name.partition(":")[0]

    @property
    def is_named(self) -> bool:
        """Whether it is a data set by name rather than a path."""
        return self.family in DATASETS

    @property
    def is_corpus(self) -> bool:
        """Whether it is a corpus folder."""
        return not self.is_named and (Path(self.name) / "meta.json").is_file()

    def list(self, split: str = "") -> list[Source]:
        """Its sources of the chosen style and kind; of another split where one is named.

        Raises:
            InputError: it is not there, or nothing in it is of the style and kind.
        """
        if self.is_corpus:
            found = list_corpus(Path(self.name), split or self.split)
        else:
            found = list_sources(f"{self.family}:{split}" if split and self.is_named else self.name, self.data)
        chosen = [s for s in found if self.choice.admits(s)]
        if not chosen:
            raise InputError(f"{self.name}: nothing to measure on" + (", leave out --style or --kind" if found else ""))
        return sorted(chosen, key=lambda s: s.name.lower()) if self.choice.text else chosen


@dataclass(frozen=True, eq=False)
class Round:
    """One fold: what floors learn from, what they are tuned on, and what is measured.

    Args:
        learn, tune: give the pieces; called only where something has to be fitted.
        sources: what is measured.
        refit: learn from both once the tuning is done.
    """

    learn: Callable[[], list[Piece]]
    tune: Callable[[], list[Piece]]
    sources: list[Source]
    refit: bool = False


class TextReader:
    """A scorer that reads LSTMetallica's text, BAR tokens and all; ``score`` gives 17 numbers a bar.

    Args:
        model: a model that counts words.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - any Scorer
        self.model, self.name = model, str(model.name)

    def fit(self, pieces: Iterable[Piece]) -> None:
        """Learn from pieces, spelt."""
        self.model.fit([spell_bars(p) for p in pieces])

    def tune(self, pieces: Iterable[Piece]) -> None:
        """Tune on pieces, spelt."""
        self.model.tune([spell_bars(p) for p in pieces])

    def score(self, piece: Piece) -> Floats:
        """float64 [steps + bars]: log2 p of the words of each bar and of its BAR token."""
        scores: Floats = self.model.score(spell_bars(piece))
        return scores


def open_model(name: str) -> Any:  # noqa: ANN401 - a Scorer, a Player or both
    """A model by name or checkpoint folder; one that learns and has no folder is not fitted yet.

    Raises:
        ModelError: there is no such model.
    """
    entry = MODELS.get(name)
    model = make_model(name) if entry else load_model(name)
    return Listener(model.model) if isinstance(model, Accompanist) else model


def needs_fitting(name: str) -> bool:
    """Whether a model has to be fitted here: it is named, learns, and none ships."""
    return name in MODELS and not MODELS[name].is_ready


def make_floors(names: Sequence[str], *, text: bool) -> list[tuple[str, Any]]:
    """Floors by name, each with it, not fitted; for text those that score read text."""
    return [(n, prepare_for_text(make_model(n), fitted=False) if text else make_model(n)) for n in names]


def prepare_for_text(model: Any, *, fitted: bool) -> Any:  # noqa: ANN401 - as above
    """A model as LSTMetallica's text wants it: one that is fitted here reads BAR tokens, and the cache knows that a bar has 17 words.

    Args:
        model: any.
        fitted: it comes as it is. What has learned elsewhere has never seen a BAR token, and scores the words alone; only the
            network of LSTMetallica knows them.
    """
    if not hasattr(model, "score") or (fitted and not isinstance(model, Lstmetallica)):
        return model
    return TextReader(make_cache() if model.name == make_cache().name else model)


def fit_models(models: Sequence[Any], part: Round, context: int, tell: Tell) -> list[Piece]:
    """Fit and tune models on a round's pieces, in windows where the context has them.

    Returns:
        what was learned from, whole.
    """
    learn, tune = part.learn(), part.tune()
    shown, tuned = cut_all(learn, context), cut_all(tune, context)
    both = shown + tuned if part.refit else shown
    if part.refit:
        tell(f"fitting {len(models)} models on {len(learn) + len(tune)} pieces")
    for model in models:
        if not part.refit:
            tell(f"fitting {model.name} on {len(learn)} pieces")
        counts = hasattr(model, "score")
        # The cache is defined as one model of whole takes, in windows "the same with nothing before"; only its weights are tuned there.
        model.fit(shown if counts and not isinstance(model, CacheMixture) else learn)
        model.tune(tuned if counts else tune)
        if part.refit:
            model.fit(both if counts else learn + tune)
    return learn + tune if part.refit else learn


def plan_rounds(
    data_set: DataSet, *, corpus: Path | None = None, share: int = 1, tuning: str = "songs:validation", workers: int = 1, seed: int = 0
) -> Iterator[Round]:
    """The rounds of an evaluation: one, or ten folds of LSTMetallica.

    Args:
        data_set: what is measured.
        corpus: where floors of songs learn from.
        share: they learn from every n-th piece of it.
        tuning: songs that they are tuned on.
        workers: processes that read files.
        seed: of the folds.
    """
    sources = data_set.list()
    read = partial(read_pieces, choice=data_set.choice, workers=workers)
    if data_set.choice.text:
        known = {p.name: p for p in read(sources)}  # each piece is in every fold: read once
        for learn, tune, held in deal_folds(sources, seed=seed):
            yield Round(partial(_find, known, learn), partial(_find, known, tune), held, refit=True)
    elif data_set.is_named and data_set.family == "groove_midi":
        yield Round(lambda: read(data_set.list("train")), lambda: read(data_set.list("validation")), sources)
    else:
        band = any(s.band is not False for s in sources)
        tuned_on = replace(data_set, name=tuning, choice=Choice())
        yield Round(lambda: _read_corpus(corpus, share, band=band), lambda: read_pieces(tuned_on.list(), Choice(), workers), sources)


def _find(known: dict[str, Piece], sources: Sequence[Source]) -> list[Piece]:
    return [known[s.name] for s in sources if s.name in known]


def _read_corpus(corpus: Path | None, share: int, *, band: bool) -> list[Piece]:
    if corpus is None:
        raise InputError("floors need something to learn from: name a corpus with --corpus DIR (or BACKBEAT_CORPUS)")
    return read_corpus(corpus, share, band=band)


def read_pieces(sources: Sequence[Source], choice: Choice, workers: int = 1) -> list[Piece]:
    """The pieces of sources, words and band alone; what cannot be read is left out.

    Raises:
        InputError: nothing is left.
    """
    read = partial(_read_piece, choice=choice)
    if workers > 1 and len(sources) > 50:
        with ProcessPoolExecutor(workers) as pool:
            pieces = list(pool.map(read, sources, chunksize=16))
    else:
        pieces = [read(s) for s in sources]
    kept = [p for p in pieces if p is not None]
    if not kept:
        raise InputError("there is nothing to learn from: no file could be read, or none is of this style, kind and metre")
    return kept


def _read_piece(source: Source, choice: Choice) -> Piece | None:
    case = load_case(source, choice)
    return None if isinstance(case, str) else replace(case.piece, example=None, cues=None)
