"""What the folder of a pattern space holds, read and checked."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.errors import ModelError

NETWORK = "pattern-space"
Latents = npt.NDArray[np.float32]
ARRAYS = ("mean", "covariance", "weights", "centres", "roots", "known")


@dataclass(frozen=True, eq=False)
class Genre:
    """Where a genre lies.

    Args:
        centre: float32 [latent], the mean of its patterns.
        deviation: float32 [latent] of them.
        patterns: how many there were.
    """

    centre: Latents
    deviation: Latents
    patterns: int


def read_config(folder: Path) -> dict[str, Any]:
    """The settings of a folder.

    Raises:
        ModelError: there are none, or those of another network or version.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: no readable config.json, so this is not a model folder") from error
    if not isinstance(config, dict) or config.get("network") != NETWORK or config.get("schema") != 1:
        raise ModelError(f"{folder} holds no {NETWORK} that this version can read: 'backbeat train pattern-space' makes one")
    sizes = config.get("sizes")
    if not isinstance(sizes, dict) or not {"kind", "steps", "latent"} <= sizes.keys() or not isinstance(config.get("genres"), dict):
        raise ModelError(f"{folder}: config.json lacks sizes or genres: install or train the model again")
    return config


def open_network(path: Path) -> Any:  # noqa: ANN401 - a session of onnxruntime
    """A network ready to run, on one thread, so that the same input gives the same bytes.

    Raises:
        ModelError: it is missing or damaged.
    """
    import onnxruntime as ort  # slow to import: only when something is computed

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own that share no base
        raise ModelError(f"{path}: the weights cannot be loaded ({type(error).__name__}): install or train the model again") from error


def read_arrays(path: Path, latent: int) -> dict[str, npt.NDArray[Any]]:
    """Where the training patterns lie, their hashes, and the layers of a plain decoder.

    Args:
        path: ``space.npz``.
        latent: dimensions.

    Raises:
        ModelError: it is missing or damaged, or of other dimensions.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in (*ARRAYS, *(n for n in file.files if n.startswith("layer")))}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is missing or damaged ({type(error).__name__}): install or train the model again") from error
    parts = len(arrays["weights"])
    shapes = {"mean": (latent,), "covariance": (latent, latent), "centres": (parts, latent), "roots": (parts, latent, latent)}
    if any(arrays[name].shape != shape for name, shape in shapes.items()) or arrays["known"].dtype != np.uint64:
        raise ModelError(f"{path} does not fit config.json: install or train the model again")
    arrays["weights"] = arrays["weights"].astype(np.float64) / arrays["weights"].astype(np.float64).sum()
    return arrays


def read_genre(genre: Any, latent: int, folder: Path) -> Genre:  # noqa: ANN401 - of a JSON file
    """Where a genre lies.

    Args:
        genre: an object of config.json.
        latent: dimensions.
        folder: for messages.

    Raises:
        ModelError: the object is damaged, or of other dimensions.
    """
    try:
        found = Genre(np.array(genre["centre"], np.float32), np.array(genre["deviation"], np.float32), int(genre["patterns"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder}: config.json has a damaged genre: install or train the model again") from error
    if found.centre.shape != (latent,) or found.deviation.shape != (latent,):
        raise ModelError(f"{folder}: config.json has a genre of other dimensions: install or train the model again")
    return found
