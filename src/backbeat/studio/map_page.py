"""The page of the pattern map: patterns sampled from the shipped space, on a plane; made at the first request and kept."""

from __future__ import annotations

import contextlib
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from backbeat import __version__
from backbeat.errors import BackbeatError
from backbeat.files import write_bytes

MODEL = "vae"
GENRES = ("rock", "pop", "metal", "punk", "blues", "country", "funk", "soul", "disco", "hiphop", "house", "reggae", "bossa", "samba", "salsa", "jazz")
OF_EACH, SPREAD, OTHERS, SEED = 90, 0.8, 560, 0
TITLE = "Drum patterns"
VERSION = 2
"""Part of the kept page's name: raise it when ``make_page`` gives another page."""

Points = npt.NDArray[np.float32]


class MapPage:
    """Makes the page and keeps it.

    Args:
        home: the studio's folder.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / f"map-{__version__}-{VERSION}.html"
        self._lock = Lock()

    def read(self) -> bytes:
        """The page.

        Raises:
            ModelError: the shipped weights are missing.
        """
        with self._lock:
            with contextlib.suppress(OSError):
                return self._file.read_bytes()
            page = make_page()
            with contextlib.suppress(BackbeatError):  # a page that cannot be kept is made again
                write_bytes(self._file, page)
            return page


def make_page(of_each: int = OF_EACH, others: int = OTHERS) -> bytes:
    """A map of patterns that the shipped space dreams up: some near the centre of each genre, and some from everywhere.

    Args:
        of_each: how many of each genre.
        others: how many from everywhere, in red.
    """
    from backbeat.evaluation.pattern_map import PatternMap, write_map
    from backbeat.models.pattern_space import open_pattern_space

    space, rng = open_pattern_space(MODEL), np.random.default_rng(SEED)
    genres = [genre for genre in GENRES if genre in space.genres]
    drawn = [space.sample(of_each, rng, styles=[genre], spread=SPREAD)[0] for genre in genres]
    patterns = np.concatenate([*drawn, space.sample(others, rng)[0]])
    latents = space.encode(patterns)
    names = (*(genre for genre in genres for _ in range(of_each)), *("",) * others)
    labels = np.repeat(np.arange(len(genres)), of_each)
    shown = PatternMap(patterns, latents, place_by_genre(latents, labels), names, others, space)
    return write_map(shown, {}, TITLE, origin="patterns sampled near the genres").encode()


def place_by_genre(latents: Points, labels: npt.NDArray[np.int64]) -> Points:
    """The plane on which genres lie as far apart as they can, for their spread (linear discriminants, Fisher 1936).

    Args:
        latents: float32 [n, latent].
        labels: int64 [m], the genre of the first m of them.

    Returns:
        float32 [n, 2].
    """
    known = latents[: len(labels)].astype(np.float64)
    centres = np.stack([known[labels == genre].mean(axis=0) for genre in range(int(labels.max()) + 1)])
    within = np.cov(known - centres[labels], rowvar=False) + 1e-6 * np.eye(latents.shape[1])
    values, vectors = np.linalg.eigh(within)
    whiten = vectors / np.sqrt(values)
    directions = np.linalg.svd((centres - centres.mean(axis=0)) @ whiten, full_matrices=False)[2][:2]
    return np.asarray((latents - known.mean(axis=0)) @ whiten @ directions.T, dtype=np.float32)
