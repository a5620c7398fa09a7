"""A trained pattern space to the folder that ships: two ONNX files, where the training patterns lie, config.json, card.md."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from backbeat.codecs.patterns import hash_patterns, patterns_to_hits
from backbeat.datasets.pattern_table import PatternTable
from backbeat.errors import MissingExtraError, ModelError
from backbeat.files import write_bytes
from backbeat.kits import load_kit
from backbeat.models.pattern_folder import NETWORK
from backbeat.models.pattern_space import PatternSpace, place_genres
from backbeat.networks import pattern_space as networks
from backbeat.training.still import Still

TOLERANCE = 2e-4
PARTS = 64
"""Normal distributions of which the mixture of the training patterns' points is made, where there are enough patterns."""
Latents = npt.NDArray[np.float32]


class _Encoder(nn.Module):
    def __init__(self, network: networks.PatternSpace) -> None:
        super().__init__()
        self.network = network

    def forward(self, hits: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.encode(hits)


class _Decoder(nn.Module):
    def __init__(self, network: networks.PatternSpace) -> None:
        super().__init__()
        self.network = network

    def forward(self, latents: Tensor) -> tuple[Tensor, ...]:
        return (self.network.decode(latents).sigmoid(),)


def export_space(network: networks.PatternSpace, train: PatternTable, folder: Path, about: Mapping[str, Any]) -> None:
    """Write a checkpoint folder and check that ONNX Runtime and torch agree.

    Args:
        network: trained weights.
        train: the patterns that it learned from, with genres where they are known.
        folder: made if missing.
        about: what config.json says: name, recipe, data, validation ...

    Raises:
        ModelError: the exported network gives other numbers.
        MissingExtraError: scikit-learn is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config, hits = network.config, torch.rand(3, network.config.flat).round()
    latents = torch.randn(3, config.latent)
    _export(_Encoder(network), hits, folder / "encoder.onnx", ["hits"], ["mean", "deviation"])
    _export(_Decoder(network), latents, folder / "decoder.onnx", ["latents"], ["likely"])
    codec = {"name": "patterns", "steps": config.steps, "classes": config.classes}
    written = {"schema": 1, "network": NETWORK, "name": about.get("name", config.kind), "sizes": asdict(config), "codec": codec}
    kit = {"kit": load_kit("drum_space_14").to_dict()}
    mean, deviation = encode_all(network, train)
    genres = place_genres(mean, train.genres)
    training = {key: value for key, value in about.items() if key != "name"} | {"patterns": len(train)}
    space = io.BytesIO()
    arrays = fit_mixture(mean, deviation) | list_layers(network) | {"known": np.sort(hash_patterns(train.patterns))}
    np.savez_compressed(space, **arrays)  # type: ignore[arg-type]
    write_bytes(folder / "space.npz", space.getvalue())
    write_bytes(folder / "config.json", (json.dumps({**written, **kit, "genres": genres, "training": training}, indent=1) + "\n").encode())
    write_bytes(folder / "card.md", write_card(network, training, str(written["name"])).encode())
    _compare(network, hits, latents, folder)


def _export(module: nn.Module, example: Tensor, path: Path, inputs: list[str], outputs: list[str]) -> None:
    axes = {name: {0: "patterns"} for name in (*inputs, *outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, and used here as for the other networks
        torch.onnx.export(Still(module), (example,), str(path), dynamo=False, opset_version=17, input_names=inputs, output_names=outputs, dynamic_axes=axes)


@torch.no_grad()
def _compare(network: networks.PatternSpace, hits: Tensor, latents: Tensor, folder: Path) -> None:
    network.eval()  # the exporter leaves it in training mode
    model = PatternSpace(folder)
    patterns = (hits.numpy().reshape(len(hits), -1, network.config.classes) * (1 << np.arange(network.config.classes))).sum(axis=2).astype(np.uint16)
    mean, deviation = model.encode_widely(patterns)
    theirs = network.encode(hits)
    pairs = [(mean, theirs[0]), (deviation, theirs[1].exp()), (model.rate_hits(latents.numpy()).reshape(len(latents), -1), network.decode(latents).sigmoid())]
    worst = max(float(np.abs(ours - reference.numpy()).max()) for ours, reference in pairs)
    if worst > TOLERANCE:
        raise ModelError(f"{folder}: the exported network differs from the trained one by {worst:.2g}")


def list_layers(network: networks.PatternSpace) -> dict[str, npt.NDArray[Any]]:
    """Weights [outputs, inputs] and biases of a decoder of plain layers, which a page can run by itself; {} for one with a linear path beside them."""
    layers = [layer for layer in network.decoder if isinstance(layer, nn.Linear)]
    if network.config.direct:
        return {}
    named = {f"layer{k}_{name}": getattr(layer, name).detach().numpy() for k, layer in enumerate(layers) for name in ("weight", "bias")}
    return {name: array.astype(np.float32) for name, array in named.items()}


@torch.no_grad()
def encode_all(network: networks.PatternSpace, table: PatternTable) -> tuple[Latents, Latents]:
    """Mean and standard deviation of the latent points of a table's patterns, float32 [n, latent] each."""
    network.eval()
    parts = []
    for first in range(0, len(table), 4096):
        hits = patterns_to_hits(table.patterns[first : first + 4096])
        mean, deviation = network.encode(torch.from_numpy(hits.reshape(len(hits), -1).astype(np.float32)))
        parts.append((mean.numpy(), deviation.exp().numpy()))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def fit_mixture(points: Latents, deviations: Latents) -> dict[str, npt.NDArray[Any]]:
    """Moments of points, and the mixture of normal distributions that lies as they do.

    Args:
        points: float32 [n, latent].
        deviations: float32 [n, latent], of the posterior about each point; its mean square is part of every normal distribution.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.mixture import GaussianMixture
    except ImportError as error:
        raise MissingExtraError("scikit-learn", "train") from error
    from threadpoolctl import threadpool_limits

    latent = points.shape[1]
    parts = max(1, min(PARTS if latent <= 8 else PARTS // 4, len(points) // 50))
    mixture = GaussianMixture(parts, covariance_type="full", random_state=0, max_iter=200, reg_covar=1e-6, init_params="k-means++", tol=1e-2)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one that has not quite settled lies as well
        mixture.fit(points[:: max(1, len(points) // 20_000)].astype(np.float64))
    covariances = mixture.covariances_ + np.diag(np.mean(deviations.astype(np.float64) ** 2, axis=0))
    return {
        "mean": points.mean(axis=0),
        "covariance": np.atleast_2d(np.cov(points.T)).astype(np.float32).reshape(latent, latent),
        "weights": mixture.weights_.astype(np.float32),
        "centres": mixture.means_.astype(np.float32),
        "roots": np.linalg.cholesky(covariances).astype(np.float32),
    }


_TITLES = {"ae": "an autoencoder", "vae": "a variational autoencoder", "acai": "an adversarially constrained autoencoder (ACAI)"}


def write_card(network: networks.PatternSpace, training: Mapping[str, Any], name: str) -> str:
    """The card of a checkpoint folder: what it is, its data and licences, its figures and limits."""
    config, data, figures = network.config, training.get("data", {}), training.get("validation", {})
    sizes = " > ".join(map(str, (config.flat, *config.hidden, config.latent)))
    lines = [
        f"# Pattern space: {name}",
        "",
        f"Drum patterns of {config.steps} steps and {config.classes} classes in {config.latent} dimensions:",
        f"{_TITLES[config.kind]}, {sizes}, the decoder mirrored.",
        "Trained by `backbeat train pattern-space`; after Tikhonov and Yamshchikov, arXiv 2007.06284. See docs/patterns.md.",
        "",
        "## Data",
        "",
        f"- patterns: {training.get('patterns', 0)}, each once however it is turned, mined from songs by `backbeat patterns mine`",
        *(f"- {key.replace('_', ' ')}: {value}" for key, value in data.items()),
        "",
        "The songs stand in their data set's manifest with their licences, mostly none stated. No pattern is shipped: `space.npz` keeps eight bytes of a",
        "one-way hash of each, to tell what is new, and a mixture of normal distributions of where they lie.",
        "",
        "## Figures",
        "",
        *(f"- {key.replace('_', ' ')}, held out: {value:.4f}" for key, value in figures.items()),
        "",
        "## Limits",
        "",
        "Two bars of 4/4 in 16ths; what is hit, not how loud nor how late. Genres are those of the few songs that state one.",
        "",
    ]
    return "\n".join(lines)
