"""All models by name: adding one is one file and one line of ``_ENTRIES``, see docs/models.md.

A model *scores* real drums (``protocol.Scorer``), *plays* its own (``protocol.Player``), or does both. One that *learns* is
fitted by ``backbeat train NAME`` and kept as a checkpoint folder (see ``checkpoint``); it must be ``protocol.Stored``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from backbeat.errors import InputError, ModelError
from backbeat.models.accompanist import Accompanist
from backbeat.models.cache import CacheMixture
from backbeat.models.checkpoint import Checkpoint, read_checkpoint, read_config, write_checkpoint
from backbeat.models.drums_rnn import DrumsRnnModel
from backbeat.models.drums_rnn import load_shipped as load_drums_rnn
from backbeat.models.floors import CopyBars, RockLoop, RockWithBass, Template
from backbeat.models.lstmetallica import Lstmetallica
from backbeat.models.neural_drummer import load_shipped as load_neural_drummer
from backbeat.models.neural_drummer import open_neural_drummer
from backbeat.models.ngram import NGram
from backbeat.models.trees import BoostedTrees

SHIPPED = "weights/drummer"
"""Where the drummer that ships stands in the package."""


@dataclass(frozen=True)
class Entry:
    """One model of the house.

    Args:
        name: what the command line calls it.  title: one line for people.
        make: gives it, not yet fitted where it learns.
        learns: whether it has to be fitted.  scores, plays: what it can do.
        shipped: whether a trained one comes with Backbeat.
        hears: whether it listens to the band.  copies: whether it looks at the real drums of earlier bars when it plays.
        settings: whole numbers that ``make`` takes by name.
    """

    name: str
    title: str
    make: Callable[..., Any]
    learns: bool
    scores: bool
    plays: bool = True
    shipped: bool = False
    hears: bool = False
    copies: bool = False
    settings: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether it plays by its name alone, without a checkpoint folder."""
        return self.shipped or not self.learns


def _make_drummer() -> Accompanist:
    with resources.as_file(resources.files("backbeat").joinpath(SHIPPED)) as folder:
        return Accompanist(folder)


_ENTRIES = (
    Entry("unigram", "how often each word is played", lambda: NGram.of_order(1), learns=True, scores=True),
    Entry("bigram", "each word given the one before", lambda: NGram.of_order(2), learns=True, scores=True),
    Entry("ngram5", "each word given the 4 before (Kneser-Ney)", lambda: NGram.of_order(5), learns=True, scores=True),
    Entry("ngram17", "each word given the 16 before (Kneser-Ney)", lambda: NGram.of_order(17), learns=True, scores=True),
    Entry("cache", "n-grams mixed with what this take has done so far", CacheMixture, learns=True, scores=True),
    Entry("copy1", "the song's own drums, a bar late", lambda: CopyBars(1), learns=False, scores=False, copies=True),
    Entry("copy4", "the song's own drums, four bars late", lambda: CopyBars(4), learns=False, scores=False, copies=True),
    Entry("template", "one bar a metre: what most bars hit", Template, learns=True, scores=False),
    Entry("rock-loop", "hat on 8ths, kick on 1 and 3, snare on 2 and 4", RockLoop, learns=False, scores=False),
    Entry("rock-bass", "the rock loop with the bass's onsets for a kick", RockWithBass, learns=False, scores=False, hears=True),
    Entry("trees", "boosted trees on the band's onsets", BoostedTrees, learns=True, scores=False, hears=True, settings=("steps", "rounds", "seed")),
    Entry("drums-rnn", "Drums RNN, told what this take has played before", load_drums_rnn, learns=True, scores=True, shipped=True),
    Entry("neural-drummer", "NeuralDrummer, told how much the band plays", load_neural_drummer, learns=True, scores=True, shipped=True, hears=True),
    Entry("lstmetallica", "LSTMetallica, told what this song has played before", Lstmetallica.shipped, learns=True, scores=True, shipped=True),
    Entry("drummer", "the network that listens to the band", _make_drummer, learns=True, scores=True, shipped=True, hears=True),
)
_NETWORKS: dict[str, Callable[[Path], Any]] = {
    "drummer": Accompanist,
    "drums-rnn": DrumsRnnModel,
    "lstmetallica": Lstmetallica,
    "neural-drummer": open_neural_drummer,
}
"""What opens a folder with a network, by the network's name in its config.json."""

MODELS: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def find_entry(name: str) -> Entry:
    """The entry of a name.

    Raises:
        ModelError: there is no model of this name.
    """
    if name not in MODELS:
        raise ModelError(f"no model {name!r}: choose from {', '.join(MODELS)}")
    return MODELS[name]


def make_model(name: str, settings: Mapping[str, int] | None = None) -> Any:  # noqa: ANN401 - a Scorer, a Player or both, see the entry
    """A new model, not fitted; the drummer is the one that ships.

    Raises:
        ModelError: there is no model of this name.
        InputError: it has no such setting.
    """
    entry = find_entry(name)
    unknown = [key for key in settings or {} if key not in entry.settings]
    if unknown:
        known = f"it has {', '.join(entry.settings)}" if entry.settings else "there is nothing to set"
        raise InputError(f"{name} has no setting {unknown[0]!r}: {known}")
    return entry.make(**(settings or {}))


def load_model(name_or_folder: str | Path) -> Any:  # noqa: ANN401 - as above
    """A model that is ready: by name where it learns nothing or ships, else from its checkpoint folder.

    Raises:
        ModelError: it has to be trained first, or the folder holds no model.
    """
    name, folder = str(name_or_folder), Path(name_or_folder)
    if name in MODELS and (MODELS[name].is_ready or not folder.is_dir()):
        if MODELS[name].is_ready:
            return make_model(name)
        raise ModelError(f"{name} has to be trained first: 'backbeat train {name} CORPUS -o FOLDER', then name the folder")
    if not folder.exists() and folder.parent == Path():
        raise ModelError(f"no model {name!r}: name a folder, or choose from {', '.join(n for n, e in MODELS.items() if e.is_ready)}")
    return _load_folder(folder)


def _load_folder(folder: Path) -> Any:  # noqa: ANN401 - as above
    config = read_config(folder)
    if "network" in config:
        return _NETWORKS.get(str(config["network"]), Accompanist)(folder)
    kept = read_checkpoint(folder)
    if kept.model not in MODELS or not MODELS[kept.model].learns or MODELS[kept.model].shipped:
        raise ModelError(f"{folder} holds a model {kept.model!r} that this version does not know: it knows {', '.join(MODELS)}")
    model = make_model(kept.model)
    try:
        model.unpack(kept.settings, kept.arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder}: the checkpoint of {kept.model} is damaged ({error}): train it again") from error
    return model


def name_model(model: Any) -> str:  # noqa: ANN401 - as above
    """The registry's name of a model that can be kept.

    Raises:
        ModelError: the registry does not have it, or it learns nothing.
    """
    for entry in MODELS.values():
        if entry.learns and not entry.shipped and entry.make().name == model.name:
            return entry.name
    raise ModelError(f"{model.name!r} cannot be kept: only models that learn and stand in the registry are")


def save_model(model: Any, folder: Path, corpus_meta: Mapping[str, Any] | None = None, metrics: Mapping[str, Any] | None = None) -> None:  # noqa: ANN401 - as above
    """Keep a fitted model as a checkpoint folder, which appears whole or not at all.

    Args:
        model: made by ``make_model`` and fitted.
        folder: made if missing; an older checkpoint there is replaced.
        corpus_meta: what it was fitted on; of a corpus, ``Corpus.meta``. Kit and array shapes are left out.
        metrics: title -> figures, such as those on held-out pieces.

    Raises:
        ModelError: it cannot be kept, or is not fitted.
        OutputError: the folder holds something else, or cannot be written.
    """
    name = name_model(model)
    settings, arrays = model.pack()
    data = {key: value for key, value in (corpus_meta or {}).items() if key not in ("arrays", "kit", "styles")}
    write_checkpoint(Checkpoint(name, settings, arrays, data, dict(metrics or {})), folder, write_card(MODELS[name], data, metrics or {}))


def write_card(entry: Entry, data: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The card of a checkpoint: what it is, its data and licences, its scores and limits."""
    lines = [f"# {entry.name}: {entry.title}", "", f"A floor of Backbeat, trained by `backbeat train {entry.name}`; see docs/models.md.", "", "## Data", ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in data.items()] or ["Not said."]
    lines += [
        "",
        "The licence of every file stands in the corpus's manifest. What is kept are counts (or trees), under hashes of words; no file is redistributed.",
    ]
    lines += ["", "## Figures", ""]
    lines += [f"- {title}: {_tell_figures(figures)}" for title, figures in metrics.items()] or ["Not measured."]
    lines += ["", "## Limits", "", "Thinks in 16ths and in the nine classes of Drums RNN; decides what is hit, not how loud nor how late."]
    lines += ["It listens to the band." if entry.hears else "It does not hear the band; it only rests where the band rests.", ""]
    return "\n".join(lines)


def _tell_figures(figures: Any) -> str:  # noqa: ANN401 - figures by name, or anything that JSON takes
    if not isinstance(figures, Mapping):
        return str(figures)
    return ", ".join(
        f"{name.replace('_', ' ')} {value:,.0f}" if float(value).is_integer() else f"{name.replace('_', ' ')} {value:.4f}" for name, value in figures.items()
    )
