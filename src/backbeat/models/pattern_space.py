"""A latent space of drum patterns at work: encode, decode, interpolate, sample; with ONNX Runtime, no torch.

A folder holds ``encoder.onnx`` (hits to mean and log deviation), ``decoder.onnx`` (latent points to probabilities of hits),
``space.npz`` (where the training patterns lie, and hashes of them), ``config.json`` (kind, sizes, where each genre lies, figures) and
``card.md``. The training patterns themselves are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.patterns import CLASSES, Patterns, find_first, hash_patterns, hits_to_patterns, patterns_to_hits
from backbeat.datasets.styles import find_style
from backbeat.errors import InputError, ModelError
from backbeat.metrics.patterns import LEAST_ENTROPY, Hashes, is_novel, is_rich
from backbeat.models.pattern_folder import Genre, Latents, open_network, read_arrays, read_config, read_genre

SHIPPED = {"wide": "pattern_wide", "acai": "pattern_acai", "vae": "pattern_vae", "ae": "pattern_ae"}
"""Models that ship by name, and their folders below ``weights``; the first is the default."""
MOST = 100_000
"""Patterns that are sampled at once."""
BATCH = 4096
LEAST_OF_GENRE = 8
"""Genres with fewer patterns get no place."""


class PatternSpace:
    """A model of patterns.

    Args:
        folder: a checkpoint folder.

    Raises:
        ModelError: it is none, is damaged, or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, read_config(folder)
        sizes = self.config["sizes"]
        self.kind, self.steps, self.latent = str(sizes["kind"]), int(sizes["steps"]), int(sizes["latent"])
        self._encoder, self._decoder = (open_network(folder / name) for name in ("encoder.onnx", "decoder.onnx"))
        self._space = read_arrays(folder / "space.npz", self.latent)
        self.genres = {name: read_genre(g, self.latent, folder) for name, g in self.config["genres"].items()}

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.config.get("name") or self.kind)

    @property
    def known(self) -> Hashes:
        """uint64 [m]: hashes of the patterns that it learned from, see ``codecs.patterns.hash_patterns``."""
        return self._space["known"]

    @property
    def mean(self) -> Latents:
        """float32 [latent]: the mean of the training patterns' points."""
        return np.asarray(self._space["mean"], np.float32)

    @property
    def covariance(self) -> Latents:
        """float32 [latent, latent]: the covariance of the training patterns' points."""
        return np.asarray(self._space["covariance"], np.float32)

    @property
    def radius(self) -> float:
        """Root of the mean squared distance of the training patterns from their mean, per dimension: the radius of the data."""
        return float(np.sqrt(np.trace(self._space["covariance"]) / self.latent))

    @property
    def layers(self) -> list[tuple[Latents, Latents]]:
        """Weights [outputs, inputs] and biases of a decoder of plain layers (ReLU between, a sigmoid at the end); [] where it is none."""
        count = sum(name.endswith("_weight") for name in self._space)
        return [(self._space[f"layer{k}_weight"], self._space[f"layer{k}_bias"]) for k in range(count)]

    def check(self, patterns: Patterns) -> None:
        """Check that patterns have the model's length.

        Raises:
            InputError: they have another.
        """
        if patterns.ndim != 2 or patterns.shape[1] != self.steps:
            raise InputError(f"the model {self.name} knows patterns of {self.steps} steps, not of {patterns.shape[-1]}")

    def encode_widely(self, patterns: Patterns) -> tuple[Latents, Latents]:
        """Mean and standard deviation of the latent points of patterns, float32 [n, latent] each.

        Args:
            patterns: uint16 [n, steps].

        Raises:
            InputError: they have another length than the model's.
        """
        self.check(patterns)
        parts = [self._encoder.run(None, {"hits": _flatten(patterns[i : i + BATCH])}) for i in range(0, len(patterns), BATCH)]
        if not parts:
            return np.zeros((0, self.latent), np.float32), np.zeros((0, self.latent), np.float32)
        return np.concatenate([p[0] for p in parts]), np.exp(np.concatenate([p[1] for p in parts]))

    def encode(self, patterns: Patterns) -> Latents:
        """float32 [n, latent]: the latent points of patterns.

        Args:
            patterns: uint16 [n, steps].

        Raises:
            InputError: they have another length than the model's.
        """
        return self.encode_widely(patterns)[0]

    def rate_hits(self, latents: Latents) -> npt.NDArray[np.float32]:
        """float32 [n, steps, 14]: the probability of each hit.

        Args:
            latents: [n, latent].

        Raises:
            InputError: the points have another number of dimensions, or are not finite.
        """
        if latents.ndim != 2 or latents.shape[1] != self.latent or not np.isfinite(latents).all():
            raise InputError(f"the model {self.name} needs points of {self.latent} finite numbers")
        parts = [self._decoder.run(None, {"latents": np.asarray(latents[i : i + BATCH], np.float32)})[0] for i in range(0, len(latents), BATCH)]
        return np.concatenate([np.zeros((0, self.steps * CLASSES), np.float32), *parts]).reshape(-1, self.steps, CLASSES)

    def decode(self, latents: Latents, rng: np.random.Generator | None = None) -> Patterns:
        """uint16 [n, steps]: the patterns at latent points.

        Args:
            latents: [n, latent].
            rng: draw each hit with its probability; none = take those that are likelier than not.

        Raises:
            InputError: the points have another number of dimensions, or are not finite.
        """
        likely = self.rate_hits(latents)
        return hits_to_patterns(likely if rng is None else rng.random(likely.shape, dtype=np.float32) < likely)

    def interpolate(self, start: Patterns, end: Patterns, points: int) -> tuple[Patterns, Latents]:
        """The way from one pattern to another: decoded ``a * end + (1 - a) * start`` of their points.

        Args:
            start, end: uint16 [steps].
            points: at even distances, both ends among them; at least 2.

        Returns:
            patterns uint16 [points, steps] and their latent points.

        Raises:
            InputError: the patterns have another length, or there are too few or many points.
        """
        if not 2 <= points <= MOST:
            raise InputError(f"an interpolation has 2 to {MOST:,} points, not {points}")
        first, last = self.encode(np.stack([start, end]) if start.shape == end.shape else start[None])[[0, -1]]
        self.check(end[None])
        share = np.linspace(0, 1, points, dtype=np.float32)[:, None]
        latents = (1 - share) * first + share * last
        return self.decode(latents), latents

    def draw_points(self, count: int, rng: np.random.Generator, *, radius: float | None = None, styles: Sequence[str] = (), spread: float = 1.0) -> Latents:
        """float32 [count, latent]: random latent points.

        Args:
            count: how many.
            rng: the same seed gives the same points.
            radius: standard deviation of a normal distribution about 0, per dimension; none = as the training patterns lie
                (a mixture of normal distributions fitted to their points).
            styles: near the mean of these genres' centres instead.
            spread: with styles, deviations of the genres; otherwise of the mixture's parts.

        Raises:
            InputError: there is no such genre, or a number is out of range.
        """
        if not 0 <= count <= MOST:
            raise InputError(f"the number of patterns must lie in 0-{MOST:,}, not {count}")
        if not 0 <= spread <= 100 or not (radius is None or 0 <= radius <= 1e6):
            raise InputError("a radius lies in 0-1,000,000 and a spread in 0-100")
        noise = rng.standard_normal((count, self.latent)).astype(np.float32)
        if styles:
            centre, deviation = self._meet(styles)
            return centre + spread * deviation * noise
        if radius is not None:
            return np.asarray(radius * noise, np.float32)
        part = rng.choice(len(self._space["weights"]), count, p=self._space["weights"])
        drawn = self._space["centres"][part] + spread * np.einsum("nij,nj->ni", self._space["roots"][part], noise)
        return np.asarray(drawn, np.float32)

    def find_genre(self, word: str) -> Genre:
        """Where a genre lies, by its name or by any word for its style ("death metal").

        Raises:
            InputError: the model has none that is called that.
        """
        name = word if word in self.genres else " ".join(word.lower().split())
        name = name if name in self.genres else find_style(word)
        if name not in self.genres:
            raise InputError(f"the model {self.name} has no style {word!r}: choose from {', '.join(sorted(self.genres)) or 'none, it has no genres'}")
        return self.genres[name]

    def _meet(self, styles: Sequence[str]) -> tuple[Latents, Latents]:
        """Between genres: the mean of their centres, and of their deviations."""
        chosen = [self.find_genre(style) for style in styles]
        return np.mean([g.centre for g in chosen], axis=0), np.mean([g.deviation for g in chosen], axis=0)

    def sample(
        self,
        count: int,
        rng: np.random.Generator,
        *,
        radius: float | None = None,
        styles: Sequence[str] = (),
        spread: float = 1.0,
        filtered: bool = False,
        drawn: bool = False,
    ) -> tuple[Patterns, Latents]:
        """New patterns.

        Args:
            count: how many.
            rng, radius, styles, spread: see ``draw_points``.
            filtered: only such as pass the paper's filter (entropy, novelty), each once however turned; fewer than ``count`` where a
                hundred times as many points do not have them.
            drawn: draw each hit with its probability instead of taking those that are likelier than not.

        Returns:
            patterns uint16 [n, steps] and their latent points.

        Raises:
            InputError: see ``draw_points``.
        """
        latents = self.draw_points(count, rng, radius=radius, styles=styles, spread=spread)
        patterns = self.decode(latents, rng if drawn else None)
        if not filtered:
            return patterns, latents
        tried = count
        while True:
            kept = np.flatnonzero(is_rich(patterns, LEAST_ENTROPY) & is_novel(patterns, self.known)) if len(patterns) else np.zeros(0, np.int64)
            kept = kept[find_first(hash_patterns(patterns[kept]))] if len(kept) else kept
            patterns, latents = patterns[kept], latents[kept]
            if len(patterns) >= count or tried >= 100 * count:
                return patterns[:count], latents[:count]
            more = min(MOST, max(64, 2 * count))
            tried += more
            points = self.draw_points(more, rng, radius=radius, styles=styles, spread=spread)
            patterns, latents = np.concatenate([patterns, self.decode(points, rng if drawn else None)]), np.concatenate([latents, points])

    def find_nearest(self, patterns: Patterns, candidates: Latents, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The nearest of some points to each pattern.

        Args:
            patterns: uint16 [n, steps].
            candidates: [m, latent].
            count: how many of the nearest.

        Returns:
            their numbers int64 [n, count] and distances float64 [n, count], the nearest first.

        Raises:
            InputError: the patterns have another length, or the candidates other dimensions.
        """
        if candidates.ndim != 2 or candidates.shape[1] != self.latent:
            raise InputError(f"the model {self.name} needs points of {self.latent} numbers")
        squares = (candidates.astype(np.float64) ** 2).sum(axis=1)
        count = min(count, len(candidates))
        found, far = [], []
        for point in self.encode(patterns).astype(np.float64):
            distances = np.maximum(squares - 2 * candidates @ point + point @ point, 0)
            best = np.argsort(distances, kind="stable")[:count]
            found.append(best)
            far.append(np.sqrt(distances[best]))
        return np.array(found, np.int64).reshape(-1, count), np.array(far).reshape(-1, count)


def _flatten(patterns: Patterns) -> npt.NDArray[np.float32]:
    return patterns_to_hits(patterns).reshape(len(patterns), -1).astype(np.float32)


def place_genres(points: Latents, genres: Sequence[str], least: int = LEAST_OF_GENRE) -> dict[str, dict[str, Any]]:
    """Centre and deviation of the points of each genre that has enough patterns, as config.json keeps them.

    Args:
        points: float32 [n, latent].
        genres: [n], "" where it is not known; () = of none.
        least: patterns that are enough.
    """
    places = {}
    for genre in sorted(set(genres) - {""}):
        own = points[np.array(genres) == genre]
        if len(own) >= least:
            centre, deviation = own.mean(axis=0).tolist(), own.std(axis=0).tolist()
            places[genre] = {"centre": [round(x, 5) for x in centre], "deviation": [round(x, 5) for x in deviation], "patterns": len(own)}
    return places


def open_pattern_space(model: str | Path = "wide") -> PatternSpace:
    """A model by name ("wide", "acai", "vae", "ae") or by its folder.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    if str(model) in SHIPPED:
        with resources.as_file(resources.files("backbeat").joinpath("weights", SHIPPED[str(model)])) as folder:
            return PatternSpace(folder)
    if not Path(model).is_dir():
        raise ModelError(f"no model {str(model)!r} of patterns: choose from {', '.join(SHIPPED)}, or name the folder of a trained one")
    return PatternSpace(Path(model))
