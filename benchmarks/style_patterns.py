"""Count where the drummers of each style hit, for ``models/drummer_styles.py``.

    python benchmarks/style_patterns.py CORPUS [OUT]

CORPUS is the training corpus (``backbeat corpus build``: Groove MIDI and songs); OUT is weights/drummer/styles.json unless it is said. Only bars of
4/4 with drums count, in windows of eight, each piece with the same weight; of a style with at least ten takes of Groove MIDI only these, as songs
are mostly programmed. Of each style with at least eight pieces a mixture of one to ten patterns is fitted (expectation maximisation), a pattern
for every two pieces, its rates drawn towards those of all styles as if half a piece more had these. Rock and pop are left out: the network
knows them. Nothing but these rates is kept.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import words_to_hits
from backbeat.datasets.corpus import Corpus

BARS, LEAST, TAKES, PIECES_A_PATTERN, MOST, SHRINK, EFFECTIVE = 8, 8, 10, 2, 10, 0.5, 6.0
FAMILIAR = ("rock", "pop")
"""What most songs are: the network plays them as it should, and leaning would only make it follow the band less."""
Floats = npt.NDArray[np.float64]
OUT = Path(__file__).parents[1] / "src" / "backbeat" / "weights" / "drummer" / "styles.json"


def windows(piece: dict[str, npt.NDArray[Any]]) -> Iterator[Floats]:
    """float64 [144]: shares of bars with a hit, of each window of eight bars of 4/4 with drums."""
    layout = piece["layout"]
    hits = words_to_hits(piece["words"])
    first = np.concatenate([[0], np.cumsum(layout[:, 0])])
    whole = [b for b in range(len(layout)) if layout[b, 0] == 16 and tuple(layout[b, 1:3]) == (4, 4) and hits[first[b] : first[b] + 16].any()]
    for a in range(0, len(whole), BARS):
        bars = whole[a : a + BARS]
        if len(bars) >= min(4, len(whole)):
            yield np.mean([hits[first[b] : first[b] + 16] for b in bars], axis=0).ravel()


def read(corpus: Corpus) -> dict[str, tuple[Floats, Floats]]:
    """Of each style its windows [n, 144] and their weights [n], which sum to the number of pieces."""
    found: dict[str, list[tuple[Floats, float, bool]]] = {}
    names, styles, tags = (corpus.manifest.column(n).to_pylist() for n in ("name", "style", "tags"))
    for index, (style, tag) in enumerate(zip(styles, tags, strict=True)):
        take = names[index].startswith("drummer")
        if style == "any" or (take and "fill" in tag):
            continue
        rows = list(windows(corpus.piece(index)))
        found.setdefault(style, []).extend((row, 1 / len(rows), take) for row in rows)
    out = {}
    for style, rows in found.items():
        weights, takes = np.array([w for _, w, _ in rows]), np.array([t for *_, t in rows])
        if weights[takes].sum() >= TAKES:
            weights[~takes] = 0
        if weights.sum() >= LEAST:
            out[style] = np.array([r for r, *_ in rows])[weights > 0], weights[weights > 0]
    return out


def fit(rows: Floats, weights: Floats, general: Floats, patterns: int) -> tuple[Floats, Floats]:
    """Shares [patterns] and rates [patterns, 144] of a mixture; the best of eight beginnings."""
    best: tuple[float, Floats, Floats] | None = None
    for seed in range(8):
        rng = np.random.default_rng(seed)
        rates = 0.5 * rows[rng.choice(len(rows), patterns, p=weights / weights.sum())] + 0.5 * general
        shares = np.full(patterns, 1 / patterns)
        for _ in range(60):
            logs = EFFECTIVE * (rows @ np.log(rates).T + (1 - rows) @ np.log1p(-rates).T) + np.log(shares)
            total = np.logaddexp.reduce(logs, axis=1)
            belongs = np.exp(logs - total[:, None]) * weights[:, None]
            counts = belongs.sum(axis=0)
            shares = (counts + 1) / (counts + 1).sum()
            rates = np.clip((belongs.T @ rows + SHRINK * general) / (counts[:, None] + SHRINK), 0.002, 0.98)
        value = float((total * weights).sum())
        if best is None or value > best[0]:
            best = value, shares, rates
    return best[1:]


def main() -> None:
    """Write the table and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", nargs="?", type=Path, default=OUT)
    options = parser.parse_args()
    found = read(Corpus(options.corpus))
    general = np.clip(np.mean([np.average(rows, axis=0, weights=weights) for rows, weights in found.values()], axis=0), 0.002, 0.98)
    table: dict[str, Any] = {"styles": {}}
    for style, (rows, weights) in sorted(found.items()):
        if style in FAMILIAR:
            continue
        shares, rates = fit(rows, weights, general, int(np.clip(weights.sum() // PIECES_A_PATTERN, 1, MOST)))
        table["styles"][style] = {"shares": np.round(shares, 3).tolist(), "rates": np.round(1000 * rates).astype(int).tolist()}
        print(f"{style:<12}{weights.sum():7.0f} pieces, patterns {', '.join(f'{s:.2f}' for s in shares)}")
    options.out.write_text(json.dumps(table, separators=(",", ":")).replace('],"', '],\n"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
