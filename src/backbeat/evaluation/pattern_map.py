"""A map of drum patterns: where they lie, how genres lie to each other, and the page that shows, plays and bends them."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.patterns import Patterns
from backbeat.errors import InputError, MissingExtraError
from backbeat.kits import load_kit
from backbeat.metrics.patterns import measure_purity
from backbeat.models.pattern_space import PatternSpace

Points = npt.NDArray[np.float32]
RELATED = (
    ("rock", "metal"), ("rock", "punk"), ("punk", "metal"), ("rock", "pop"), ("funk", "soul"), ("soul", "gospel"), ("soul", "pop"), ("funk", "hiphop"),
    ("hiphop", "electronic"), ("latin", "afro"), ("blues", "rock"), ("jazz", "blues"), ("country", "folk"), ("country", "rock"), ("pop", "electronic"),
)  # fmt: skip
"""Genres that grew from each other; what else there is counts as unrelated."""
SHUFFLES = 20
NEIGHBOURS = 10
LEAST_OF_GENRE = 20
LEAST_POINTS = 12
COLOURS = (
    "#1f77b4", "#d1770a", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#17a3b8", "#8f8f00", "#0b5345", "#5b2c6f", "#b9770e", "#1a5276", "#7d6608", "#515a5a",
    "#784212", "#196f3d",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class PatternMap:
    """Patterns on a plane.

    Args:
        patterns: uint16 [n, steps]; the first are those learned from, then come the generated ones.
        latents: float32 [n, latent].
        places: float32 [n, 2].
        genres: [n], "" where it is not known; generated ones have none.
        generated: how many of them were generated, the last ones.
        model: of whose latent space this is a map.
    """

    patterns: Patterns
    latents: Points
    places: Points
    genres: tuple[str, ...]
    generated: int
    model: PatternSpace

    @property
    def centres(self) -> dict[str, Points]:
        """Genre -> float32 [2], the mean place of its patterns, of genres with at least ``LEAST_OF_GENRE``."""
        names = np.array(self.genres)
        return {g: self.places[names == g].mean(axis=0) for g in sorted({*self.genres} - {""}) if (names == g).sum() >= LEAST_OF_GENRE}


def place_points(latents: Points, added: Points, *, seed: int = 0, perplexity: float = 30.0) -> tuple[Points, Points]:
    """t-SNE of latent points (van der Maaten, Hinton 2008; as interpolated by openTSNE, Poličar et al. 2019).

    Args:
        latents: float32 [n, latent], at least ``LEAST_POINTS``.
        added: float32 [m, latent], placed among the others without moving them.
        seed: of the optimisation.
        perplexity: how many neighbours count; at most a third of the points.

    Returns:
        places float32 [n, 2] and [m, 2].

    Raises:
        InputError: there are too few points.
        MissingExtraError: openTSNE is not installed.
    """
    try:
        from openTSNE import TSNE
    except ImportError as error:
        raise MissingExtraError("openTSNE", "report") from error
    if len(latents) < LEAST_POINTS:
        raise InputError(f"a map needs at least {LEAST_POINTS} patterns, not {len(latents)}")
    # Points that coincide would be torn apart by the distances' rounding: a hair of noise, the same for the same seed.
    noise = np.random.default_rng(seed).standard_normal(latents.shape) * 1e-5 * latents.std()
    neighbours = "exact" if len(latents) < 1000 else "annoy"
    fitted = TSNE(perplexity=min(perplexity, (len(latents) - 1) / 3), random_state=seed, n_jobs=-1, neighbors=neighbours).fit(
        latents.astype(np.float64) + noise
    )
    places = np.asarray(fitted, dtype=np.float32)
    if not len(added):
        return places, np.zeros((0, 2), np.float32)
    return places, np.asarray(fitted.transform(added.astype(np.float64)), dtype=np.float32)


def place_among(latents: Points, places: Points, added: Points) -> Points:
    """float32 [m, 2]: points placed beside the known point that lies nearest in the latent space.

    Args:
        latents: float32 [n, latent].
        places: float32 [n, 2].
        added: float32 [m, latent].
    """
    squares = (latents.astype(np.float64) ** 2).sum(axis=1)
    rows = [np.argmin(squares - 2 * added[i : i + 256].astype(np.float64) @ latents.T.astype(np.float64), axis=1) for i in range(0, len(added), 256)]
    return np.asarray(places[np.concatenate([np.zeros(0, np.int64), *rows])], dtype=np.float32)


def measure_map(points: npt.NDArray[np.floating], genres: Sequence[str], *, seed: int = 0) -> dict[str, Any]:
    """How well genres keep together, and whether related ones lie near each other.

    Args:
        points: [n, dimensions], latent points or places.
        genres: [n], "" where it is not known.
        seed: of the shuffles.

    Returns:
        patterns and genres counted; purity (mean share of a pattern's 10 nearest neighbours with a genre that have its own; every genre is
        cut to the size of the smallest kept, so that no genre wins by its number), the same with shuffled labels (mean of 20);
        the mean distance of the centres of related and of unrelated genres, and p, the share of random relations of as many
        genres with related ones at least as near; {} where fewer than two genres have ``LEAST_OF_GENRE`` patterns.
    """
    names, counts = np.unique([g for g in genres if g], return_counts=True)
    names = names[counts >= LEAST_OF_GENRE]
    if len(names) < 2:
        return {}
    rng, labels = np.random.default_rng(seed), np.array(genres)
    size = int(min(counts[counts >= LEAST_OF_GENRE]))
    rows = np.concatenate([rng.choice(np.flatnonzero(labels == name), size, replace=False) for name in names])
    numbers = np.repeat(np.arange(len(names)), size)
    chosen = np.asarray(points[rows], dtype=np.float64)
    shuffled = [measure_purity(chosen, rng.permutation(numbers), NEIGHBOURS) for _ in range(SHUFFLES)]
    spread = points.std(axis=0)
    centres = np.stack([points[labels == name].mean(axis=0) / np.where(spread > 0, spread, 1) for name in names])
    distances = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
    out: dict[str, Any] = {"patterns": int(sum(1 for g in genres if g)), "genres": names.tolist(), "of each": size}
    out |= {"purity": measure_purity(chosen, numbers, NEIGHBOURS), "purity, shuffled": float(np.mean(shuffled))}
    return out | _compare_relations(distances, names.tolist(), rng)


def _compare_relations(distances: npt.NDArray[np.float64], names: list[str], rng: np.random.Generator) -> dict[str, float]:
    """Distances of related and unrelated genres, and how often as many genres with shuffled names are related as closely."""
    related = np.zeros(distances.shape, np.bool_)
    for one, other in RELATED:
        if one in names and other in names:
            related[names.index(one), names.index(other)] = related[names.index(other), names.index(one)] = True
    unrelated = ~related & ~np.eye(len(names), dtype=np.bool_)
    if not related.any() or not unrelated.any():
        return {}
    near = float(distances[related].mean())
    turns = [rng.permutation(len(names)) for _ in range(2000)]
    as_near = np.mean([distances[np.ix_(turn, turn)][related].mean() <= near for turn in turns])
    return {"distance, related": near, "distance, unrelated": float(distances[unrelated].mean()), "p": float(as_near)}


def write_map(drawn: PatternMap, figures: dict[str, Any], title: str = "Drum patterns", *, origin: str = "mined patterns") -> str:
    """The map as one HTML page that needs no network: hover shows, a click plays, a drag bends, a lasso exports.

    Args:
        drawn: the patterns and their places.
        figures: what ``measure_map`` found.
        title: of the page.
        origin: what those that count as learned from are.
    """
    names = sorted({*drawn.genres} - {""})
    kit, model = load_kit("drum_space_14"), drawn.model
    layers = model.layers
    arrays = [
        drawn.places.astype("<f4"),
        drawn.latents.astype("<f4"),
        *(part.astype("<f4") for layer in layers for part in layer),
        drawn.patterns.astype("<u2"),
        np.array([names.index(g) + 1 if g else 0 for g in drawn.genres], "u1"),
    ]
    head = {
        "points": len(drawn.patterns),
        "generated": drawn.generated,
        "origin": origin,
        "steps": drawn.patterns.shape[1],
        "latent": model.latent,
        "model": model.name,
        "layers": [list(weight.shape) for weight, _ in layers],
        "genres": [{"name": n, "colour": COLOURS[k % len(COLOURS)]} for k, n in enumerate(names)],
        "centres": {name: [round(float(x), 3) for x in place] for name, place in drawn.centres.items()},
        "kit": [{"name": c.name, "label": c.label, "note": c.write} for c in kit.classes],
        "figures": figures,
    }
    packed = base64.b64encode(zlib.compress(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays), 6)).decode("ascii")
    folder = resources.files(__package__).joinpath("templates")
    page = Template(folder.joinpath("map.html").read_text(encoding="utf-8"))
    parts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in ("map.css", "map_data.js", "map_sound.js", "map.js")}
    facts = json.dumps(head).replace("<", "\\u003c")
    return page.substitute(
        title=_escape(title),
        style=parts["map.css"],
        head=facts,
        data=packed,
        script="\n".join(parts[name] for name in ("map_data.js", "map_sound.js", "map.js")),
    )


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def draw_map(drawn: PatternMap, path: str, title: str = "Drum patterns") -> bytes:
    """The map as a picture for papers.

    Args:
        drawn: the patterns and their places.
        path: its ending says which kind, .png or .svg.
        title: above it.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "report") from error
    import io

    figure = Figure(figsize=(9, 8))
    axes = figure.add_subplot()
    learned = len(drawn.patterns) - drawn.generated
    axes.scatter(drawn.places[:learned, 0], drawn.places[:learned, 1], s=2, color="#b0b0b0", linewidths=0, rasterized=True, label=f"{learned:,} mined")
    labels = np.array(drawn.genres)
    for index, name in enumerate(sorted({*drawn.genres} - {""})):
        axes.scatter(drawn.places[labels == name, 0], drawn.places[labels == name, 1], s=4, color=COLOURS[index % len(COLOURS)], linewidths=0, rasterized=True)
    if drawn.generated:
        axes.scatter(
            drawn.places[learned:, 0], drawn.places[learned:, 1], s=3, color="#c00000", linewidths=0, rasterized=True, label=f"{drawn.generated:,} generated"
        )
    for index, name in enumerate(sorted({*drawn.genres} - {""})):
        if name in drawn.centres:
            box = {"facecolor": "white", "edgecolor": COLOURS[index % len(COLOURS)], "alpha": 0.85, "boxstyle": "round,pad=0.2"}
            axes.annotate(name, (float(drawn.centres[name][0]), float(drawn.centres[name][1])), ha="center", va="center", fontsize=9, bbox=box)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title)
    axes.legend(loc="lower right", markerscale=4)
    picture = io.BytesIO()
    figure.savefig(picture, format="svg" if path.lower().endswith(".svg") else "png", dpi=150, bbox_inches="tight")
    return picture.getvalue()
