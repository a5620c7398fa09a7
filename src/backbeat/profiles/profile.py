"""A profile at work, and as a folder: ``config.json``, ``arrays.npz`` and ``card.md``."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat import __version__
from backbeat.codecs.strokes import Strokes
from backbeat.codecs.words import VOCABULARY
from backbeat.errors import ModelError, OutputError
from backbeat.files import write_bytes
from backbeat.kits import load_kit
from backbeat.models.performer import SHIPPED, WEIGHTS, PerformerNet, open_performer
from backbeat.models.performer_inputs import FAMILIES, LATE_SCALE, VELOCITY_CENTRE, VELOCITY_SCALE, describe_strokes, map_families, scale_played
from backbeat.models.performer_limits import bound_lateness, find_graces, follow_mains
from backbeat.performer import Performer, Playing
from backbeat.profiles.calibration import KNOTS, Calibration
from backbeat.profiles.drawing import Drawing
from backbeat.profiles.habits import COMPONENTS, LATEST, LEVELS, PLACES, Habits, find_places
from backbeat.profiles.learning import Manner, measure
from backbeat.profiles.steadiness import SPREAD, Steadiness, Tables
from backbeat.profiles.takes import STROKE_ARRAYS, make_take
from backbeat.profiles.vocabulary import LONGEST_BAR, Vocabulary
from backbeat.units import Floats, Ints

SCHEMA = 2
_AS_PEOPLE_PLAY = Playing()
PROFILE = "profile"
_CONFIG, _ARRAYS, _CARD = "config.json", "arrays.npz", "card.md"
_SHAPES = {
    "calibration": (len(FAMILIES), KNOTS + 3),
    "loud": (len(FAMILIES), PLACES, LEVELS),
    "late": (len(FAMILIES), PLACES, 2 * LATEST + 1),
    "weights": (2, len(FAMILIES), COMPONENTS),
    "steadiness": (2, len(SPREAD)),
    "counts": (len(FAMILIES), PLACES),
    "values": (2, len(FAMILIES), PLACES),
    "rests": (2, len(FAMILIES), PLACES),
    "offsets": (2, len(FAMILIES), PLACES),
    "factors": (2, len(FAMILIES)),
}


_POSITIVE = ("loud", "late", "weights", "counts", "factors")


class ProfiledPerformer(Performer):
    """The performer in a player's manner.

    Args:
        net: see ``open_performer``.
        manner: see ``learn_manner``.
    """

    def __init__(self, net: PerformerNet, manner: Manner) -> None:
        super().__init__(net)
        self.manner = manner

    def perform_strokes(
        self, strokes: Strokes, *, seed: int = 0, how: Playing = _AS_PEOPLE_PLAY, accents: Ints | None = None, rounded: bool = False
    ) -> Strokes:
        """As ``Performer.perform_strokes``, in the player's manner; a style or drummer that is asked for goes before the player's own likeness."""
        told = self._lean(how)
        played = super().perform_strokes(strokes, seed=seed, how=replace(told, tightness=1.0, dynamics=1.0), accents=accents, rounded=rounded)
        if not len(strokes):
            return played
        order = np.lexsort((strokes.columns, strokes.quarters))
        families, places = map_families(strokes.kit)[strokes.columns], find_places(strokes.places)
        loud, late = self._carry(played, order, told, accents, rounded, (families, places))
        if not how.mean:
            loud, late = self.manner.habits.draw(loud, late, families, places, np.random.default_rng([abs(seed), int(seed < 0), 9]))
        loud, late = _spread(loud, late, strokes.columns, how)
        ordered = replace(strokes, **{n: getattr(strokes, n)[order] for n in STROKE_ARRAYS})
        graces = find_graces(ordered)
        bounds = bound_lateness(ordered, graces)
        late[order], loud[order] = follow_mains(ordered, np.clip(late[order], -bounds, bounds), loud[order], graces)
        velocities = np.clip(np.floor(loud * 127 + 0.5), 1, 127) / 127
        return strokes.play(velocities=velocities.astype(np.float32), late=late.astype(np.float32))

    def _carry(self, played: Strokes, order: Ints, told: Playing, accents: Ints | None, rounded: bool, where: tuple[Ints, Ints]) -> tuple[Floats, Floats]:
        """Velocities (0-1) and lateness in ms of strokes that the performer drew, as the player plays them."""
        said = self._tell(played, told, accents)
        ordered = replace(played, **{n: getattr(played, n)[order] for n in STROKE_ARRAYS})
        means = np.zeros((len(played), 2))
        means[order] = self.net.expect(describe_strokes(ordered, rounded=rounded), said._replace(accents=said.accents[order])).means[:, :2]
        drawn = self.manner.drawing.carry(scale_played(played.velocities, played.late).astype(np.float64), means, *where)
        frame = VELOCITY_CENTRE + VELOCITY_SCALE * drawn[:, 0], LATE_SCALE * drawn[:, 1]
        return self.manner.calibration.to_player(*frame, where[0])

    def log_likelihood(self, strokes: Strokes, how: Playing = _AS_PEOPLE_PLAY, *, rounded: bool = False) -> Floats:
        """As ``Performer.log_likelihood``, in the player's manner; places count as they are, rounded or not."""
        if not len(strokes):
            return np.zeros((0, 2))
        told = self._lean(how)
        out = np.zeros((len(strokes), 2))
        manner = replace(self.manner, style=told.style, drummer=told.drummer)
        self._tell(strokes, told, None)
        out[np.lexsort((strokes.columns, strokes.quarters))] = measure(self.net, make_take(strokes), manner)
        return out

    def _lean(self, how: Playing) -> Playing:
        return replace(
            how,
            style=self.manner.style if how.style == "any" else how.style,
            drummer=self.manner.drummer if how.drummer == "any" else how.drummer,
        )


def _spread(loud: Floats, late: Floats, columns: Ints, how: Playing) -> tuple[Floats, Floats]:
    """Dynamics and tightness, as in ``Playing``."""
    if how.dynamics != 1:
        means = (np.bincount(columns, loud) / np.maximum(np.bincount(columns), 1))[columns]
        loud = means + how.dynamics * (loud - means)
    return loud, late.mean() + (late - late.mean()) / how.tightness


def hash_performer(folder: Path | None = None) -> str:
    """SHA-256 of the network's weights, by which a profile knows what it was learned on; none = the one that ships."""
    if folder is None:
        with resources.as_file(resources.files("backbeat").joinpath(SHIPPED)) as shipped:
            return hash_performer(shipped)
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()


def check_profile_folder(folder: Path) -> None:
    """Refuse a folder that is taken.

    Raises:
        OutputError: it is a file, or holds something.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file: name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise OutputError(f"{folder} holds something already: name another folder, or empty it")


def write_profile(manner: Manner, folder: Path, data: dict[str, Any], figures: dict[str, Any]) -> None:
    """Keep a manner as a folder.

    Args:
        manner: see ``learn_manner``.
        folder: made if missing; must be empty.
        data: what it was learned from.
        figures: bits before and after, and the like.

    Raises:
        OutputError: it holds something, or cannot be written.
    """
    from io import BytesIO

    check_profile_folder(folder)
    config = {"schema": SCHEMA, "model": PROFILE, "backbeat": __version__, "performer": hash_performer(), "style": manner.style, "drummer": manner.drummer}
    v = manner.vocabulary
    config |= {"vocabulary": {"style": v.style, "length": v.length}, "families": list(FAMILIES), "data": data, "figures": figures}
    arrays = BytesIO()
    np.savez_compressed(arrays, allow_pickle=False, **_list_arrays(manner))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror or error})") from error
    write_bytes(folder / _CARD, _write_card(manner, data, figures).encode("utf-8"))
    write_bytes(folder / _ARRAYS, arrays.getvalue())
    write_bytes(folder / _CONFIG, (json.dumps(config, indent=1, ensure_ascii=False) + "\n").encode("utf-8"))


def load_profile(folder: Path) -> ProfiledPerformer:
    """The performer in the manner of a folder.

    Raises:
        ModelError: it holds no profile, is damaged, or was learned on another performer.
    """
    try:
        config = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: no readable config.json, so this is not a profile: 'backbeat learn MY_TAKES -o {folder.name}' makes one") from error
    if not isinstance(config, dict) or config.get("model") != PROFILE or config.get("schema") != SCHEMA or config.get("families") != list(FAMILIES):
        raise ModelError(f"{folder} holds no profile that this version can read: 'backbeat learn' makes one")
    if config.get("performer") != hash_performer():
        raise ModelError(f"{folder}: this profile was learned on another performer: learn it again")
    net = open_performer()
    style, drummer = config.get("style"), config.get("drummer")
    if style not in net.styles or drummer not in net.drummers:
        raise ModelError(f"{folder}: the performer knows no style {style!r} or drummer {drummer!r}: learn the profile again")
    arrays = _read_arrays(folder)
    habits = Habits(arrays["loud"], arrays["late"], arrays["weights"])
    steadiness = Steadiness(arrays["steadiness"], Tables(arrays["counts"], arrays["values"], arrays["rests"]))
    drawing, vocabulary = Drawing(arrays["offsets"], arrays["factors"]), _read_vocabulary(folder, config.get("vocabulary"), arrays)
    return ProfiledPerformer(net, Manner(style, drummer, Calibration(arrays["calibration"]), steadiness, habits, drawing, vocabulary))


def _list_arrays(manner: Manner) -> dict[str, npt.NDArray[Any]]:
    h, s, v = manner.habits, manner.steadiness, manner.vocabulary
    arrays: dict[str, npt.NDArray[Any]] = {"calibration": manner.calibration.numbers, "weights": h.weights, "steadiness": s.numbers}
    arrays |= {"loud": h.loud.astype(np.float32), "late": h.late.astype(np.float32)}
    arrays |= {"counts": s.tables.counts, "values": s.tables.values, "rests": s.tables.rests}
    arrays |= {"offsets": manner.drawing.offsets, "factors": manner.drawing.factors}
    return arrays | {"words": v.words, "bias": v.bias, "playing": v.playing, "touched": v.touched}


def _read_arrays(folder: Path) -> dict[str, Floats]:
    try:
        with (folder / _ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[name], dtype=np.float64) for name in (*_SHAPES, "words", "bias", "playing", "touched")}
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        raise ModelError(f"{folder}: {_ARRAYS} is missing or damaged ({type(error).__name__}): learn the profile again") from error
    sane = all(arrays[n].shape == shape for n, shape in _SHAPES.items()) and all(np.isfinite(a).all() for a in arrays.values())
    if not sane or any((arrays[n] < 0).any() for n in _POSITIVE) or not np.allclose(arrays["weights"].sum(axis=-1), 1):
        raise ModelError(f"{folder}: {_ARRAYS} does not hold a profile's numbers: learn the profile again")
    return arrays


def _read_vocabulary(folder: Path, said: object, arrays: dict[str, Floats]) -> Vocabulary:
    """The words that a player likes, which are checked apart from the other arrays."""
    known: dict[str, Any] = said if isinstance(said, dict) else {}
    style, length = known.get("style"), known.get("length")
    words, bias = arrays["words"], arrays["bias"]
    good = isinstance(style, str) and isinstance(length, int) and 1 <= length <= LONGEST_BAR and words.ndim == 1
    rows = length + 1 if isinstance(length, int) else 0
    good = good and bias.shape == (rows, len(words)) and arrays["playing"].shape == (rows, VOCABULARY)
    good = good and arrays["touched"].shape in ((0,), (len(load_kit("backbeat")),))
    if not good or np.any((words < 0) | (words >= VOCABULARY) | (words != np.floor(words))):
        raise ModelError(f"{folder}: the vocabulary is damaged: learn the profile again")
    return Vocabulary(str(style), rows - 1, words.astype(np.int64), bias, arrays["playing"], arrays["touched"])


def _write_card(manner: Manner, data: dict[str, Any], figures: dict[str, Any]) -> str:
    lines = [
        "# A drummer's profile",
        "",
        "Learned by `backbeat learn`: how one player's hits differ from what the performer expects. The performer itself is as it was.",
    ]
    lines += [
        "",
        f"Plays like: {manner.drummer}, style {manner.style}.",
        "",
        "## Learned from",
        "",
        *(f"- {k.replace('_', ' ')}: {v}" for k, v in data.items()),
    ]
    lines += ["", "## Figures (held-out takes)", "", *(f"- {k.replace('_', ' ')}: {v}" for k, v in figures.items())]
    return "\n".join([*lines, "", "## Limits", "", "Counts of strokes and preferences for hits are kept, no take is. What is hit was learned on 16ths.", ""])
