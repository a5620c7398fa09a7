"""The figures of the pattern space: the filter on the published samples, pass rates by radius and at the data, and reconstruction.

    python benchmarks/pattern_figures.py DATA [--train TRAIN.tsv] [--held HELD.tsv ...] [--models wide acai vae ae] [--samples 10000]

DATA is the folder with drum-space. TRAIN.tsv is the table that the models learned from, HELD.tsv are others; 'backbeat patterns mine' makes
both (docs/patterns.md has the lines). Without them the tables that need them are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from backbeat.codecs.patterns import Patterns, find_first, hash_patterns, hits_to_patterns, measure_entropy, patterns_to_hits
from backbeat.datasets.drum_space import read_patterns
from backbeat.datasets.pattern_table import read_table
from backbeat.metrics.patterns import FilterReport, filter_patterns, is_novel, is_rich, measure_hits, measure_steps
from backbeat.models.pattern_space import PatternSpace, open_pattern_space

RADII = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Of the data's own radius."""
MOST_FOR_AXES = 40_000
"""Patterns of which the principal components are computed, at even distances."""


def show_published(data: Path) -> None:
    """The filter on the samples that were published; what it takes besides those with little entropy are whole classes of rotations."""
    print(
        "## Published samples\n\n| model | rows | entropy >= 0.9 | kept by the filter | distinct up to rotation | distinct kept |\n| --- | --- | --- | --- | --- | --- |"
    )
    for model in ("ae", "vae", "acai"):
        raw, kept = (read_patterns(data / "drum-space" / f"sampled10k_{model}_{kind}")[0] for kind in ("raw", "filtered"))
        known = np.setdiff1d(hash_patterns(raw[is_rich(raw)]), hash_patterns(kept))
        report = filter_patterns(raw, known)
        same = sorted(map(tuple, raw[is_rich(raw) & is_novel(raw, known)].tolist())) == sorted(map(tuple, kept.tolist()))
        print(
            f"| {model} | {len(raw):,} | {report.pass_rate:.1%} | {report.novel:,}{'' if same else ' (not the published rows!)'} | {report.distinct:,} | {report.distinct_novel:,} |"
        )


def tell(report: FilterReport) -> str:
    """A row of a table."""
    return f"{report.pass_rate:.1%} | {report.distinct:,} | {report.distinct_rich:,} | {report.novel:,} | {report.distinct_novel:,}"


def show_samples(models: list[PatternSpace], count: int) -> None:
    """Pass rates by radius, and as the data lie."""
    print(f"\n## {count:,} samples of each model; known are its own training patterns\n")
    print("| model | points drawn from | pass rate | distinct | distinct that pass | pass and are new | distinct of these |\n" + "| --- " * 7 + "|")
    for model in models:
        for share in RADII:
            rng = np.random.default_rng(1)
            patterns, _ = model.sample(count, rng, radius=share * model.radius)
            print(f"| {model.name} | N(0, {share * model.radius:.2f}), {share:g} x the data's radius | {tell(filter_patterns(patterns, model.known))} |")
        patterns, _ = model.sample(count, np.random.default_rng(1), radius=1.0)
        print(f"| {model.name} | N(0, 1) | {tell(filter_patterns(patterns, model.known))} |")
        points = np.random.default_rng(1).multivariate_normal(model.mean, model.covariance, count).astype(np.float32)
        print(f"| {model.name} | normal distribution with the data's moments | {tell(filter_patterns(model.decode(points), model.known))} |")
        patterns, _ = model.sample(count, np.random.default_rng(1))
        print(f"| **{model.name}** | **as the data lie (mixture)** | {tell(filter_patterns(patterns, model.known))} |")


def describe(patterns: Patterns) -> str:
    """What a drummer would see at a glance."""
    hits = patterns_to_hits(patterns)
    half = patterns.shape[1] // 2
    alike, kick, snare = (patterns[:, :half] == patterns[:, half:]).mean(), hits[:, 0, 0].mean(), hits[:, 4::8, 1].mean()
    return (
        f"{is_rich(patterns).mean():.1%} | {measure_entropy(patterns).mean():.2f} | {hits.sum(axis=(1, 2)).mean():.1f} | {alike:.2f} | {kick:.2f} | {snare:.2f}"
    )


def show_likeness(models: list[PatternSpace], train: Patterns, count: int) -> None:
    """Samples beside the data themselves: entropy can be had by noise, the rest cannot."""
    print("\n## Are they like beats? Samples as the data lie, beside the training patterns (of the paper's 82 % pass)\n")
    print("| patterns | pass | entropy | hits | steps alike in both bars | kick on 1 | snare on 2 and 4 |\n" + "| --- " * 7 + "|")
    print(f"| training patterns ({len(train):,}) | {describe(train)} |")
    for model in models:
        for spread in (1.0, 0.6):
            print(f"| {model.name}, spread {spread:g} | {describe(model.sample(count, np.random.default_rng(1), spread=spread)[0])} |")


def reconstruct_linearly(train: Patterns, held: Patterns, count: int) -> Patterns:
    """What principal component analysis with so many axes makes of patterns."""
    some = train[:: max(1, len(train) // MOST_FOR_AXES)]
    cells = patterns_to_hits(some).reshape(len(some), -1).astype(np.float64)
    mean = cells.mean(axis=0)
    axes = np.linalg.eigh(np.cov(cells.T))[1][:, -count:]
    flat = patterns_to_hits(held).reshape(len(held), -1) - mean
    return hits_to_patterns((flat @ axes @ axes.T + mean).reshape(len(held), train.shape[1], -1))


def show_reconstruction(models: list[PatternSpace], train: Patterns, tables: list[Path]) -> None:
    """Step accuracies on patterns of other songs."""
    print("\n## Reconstruction of held-out patterns (from songs of other near-duplicate clusters; rotations of training patterns left out)\n")
    print("| held-out table | patterns | model | latent | step accuracy | sampled | F1 of hits, sampled | PCA of the same size |\n" + "| --- " * 8 + "|")
    for path in tables:
        held = read_table(path).patterns
        held = held[is_novel(held, hash_patterns(train))]
        held = held[find_first(hash_patterns(held))]
        for model in models:
            rng = np.random.default_rng(1)
            mean, deviation = model.encode_widely(held)
            drawn = model.decode(mean + deviation * rng.standard_normal(mean.shape).astype(np.float32), rng)
            linear = measure_steps(held, reconstruct_linearly(train, held, model.latent))
            figures = f"{measure_steps(held, model.decode(mean)):.3f} | {measure_steps(held, drawn):.3f} | {measure_hits(held, drawn):.3f} | {linear:.3f}"
            print(f"| {path.name} | {len(held):,} | {model.name} | {model.latent} | {figures} |")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--train", type=Path)
    parser.add_argument("--held", type=Path, nargs="*", default=[])
    parser.add_argument("--models", nargs="*", default=["ae", "vae", "acai", "wide"])
    parser.add_argument("--samples", type=int, default=10_000)
    arguments = parser.parse_args()
    models = [open_pattern_space(name) for name in arguments.models]
    show_published(arguments.data)
    show_samples(models, arguments.samples)
    if arguments.train:
        train = read_table(arguments.train).patterns
        show_likeness(models, train, arguments.samples)
        show_reconstruction(models, train, arguments.held)


if __name__ == "__main__":
    main()
