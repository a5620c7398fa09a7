"""What is asked of the drummer and what comes of it: density, intensity, fills, style; and fills when nothing is asked.

    python benchmarks/control_figures.py [DATA] [--songs 50] [--bars 32] [--split validation] [--model FOLDER] [--only density,style] [--json FILE]

DATA is the folder with the data sets (default: the environment variable BACKBEAT_DATA). Songs in one metre with drums and a band; of each so
many bars from the 9th on are played, through to the performer, with each control at five settings over all bars.

    hits a bar, velocity, fills     means of songs of each measure at the setting (fills: share of bars, see ``metrics.fills``)
    Spearman                        of the setting and the measure: mean over songs, and the lowest
    rising                          share of the songs whose measure rises at every setting
Style: a classifier (extremely randomised trees: Geurts, Ernst, Wehenkel, Machine Learning 63, 2006) learns the styles of Groove MIDI from hits by
place in the bar, eight bars at once, every take and every style with the same weight. Chance is one over the number of styles.
    held out    takes of the validation and test splits; for the rest it learns from all splits
    alone       eight bars without a band, 16 seeds a style
    with songs  the first 20 of the songs above, each in every style
Nothing asked: share of bars that are fills, before sections and elsewhere, share of hits that are toms, onset F1 to the real drums, of the real drums,
of the drummer as he is, and as he is without the fills that are suggested to him (``asking.suggest_fills``).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tap_figures import cut, to_nine

from backbeat.asking import Wishes
from backbeat.cues import hear
from backbeat.datasets import list_sources
from backbeat.datasets.styles import find_style
from backbeat.drummer import Drummer, load_drummer
from backbeat.errors import BackbeatError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import load_kit
from backbeat.metrics.fills import before_sections, find_fills
from backbeat.midi import extract_groove, parse_song
from backbeat.song import Song
from backbeat.takes import check_song

SETTINGS = (0.1, 0.3, 0.5, 0.7, 0.9)
STYLES = ("rock", "jazz", "latin", "funk", "hiphop", "soul")
"""Styles with at least ten takes in the training split of Groove MIDI."""
FIRST, ALONE, STYLED = 8, 16, 20
Bits = npt.NDArray[np.bool_]
Table = dict[str, Any]


def read_songs(data: Path, split: str, count: int, bars: int) -> list[Song]:
    """The same songs every time."""
    found: list[Song] = []
    sources = list_sources(f"songs:{split}", data)
    for index in np.random.default_rng(11).permutation(len(sources)):
        try:
            song = parse_song(sources[index].read(), sources[index].name)
            if len(song.metre.ticks) > 1 or song.grid().bars < FIRST + bars or song.tempo.ticks_per_second or not song.drum_parts:
                continue
            part = cut(song, FIRST, bars)
            check_song(part)
        except BackbeatError:
            continue
        real = to_nine(extract_groove(part, part.grid(), load_kit("drums_rnn_9"))[0])
        if part.grid().bars == bars and real.sum() >= 4 * bars and hear(part, part.grid()).active_bars.mean() > 0.75:
            found.append(part)
        if len(found) == count:
            break
    return found


def measure(groove: Groove, name: str) -> float:
    """Hits a bar, mean MIDI velocity, or share of bars with a fill."""
    if name == "density":
        return float(to_nine(groove).sum()) / groove.grid.bars
    if name == "intensity":
        return 127 * float(groove.velocities[groove.hits].mean()) if groove.hits.any() else float("nan")
    return float(find_fills(to_nine(groove), groove.grid.first_steps).mean())


def ask(song: Song, name: str, setting: float) -> Wishes:
    """A control at a setting in all bars."""
    cues = hear(song, song.grid())
    nothing = Wishes.nothing(cues.grid.bars)
    if name == "fills":
        return nothing.ask_fills(setting, cues.section_starts, np.flatnonzero(cues.active_bars).tolist())
    return nothing.ask(**{name: setting})  # type: ignore[arg-type]


def rank_correlation(values: npt.NDArray[np.float64]) -> float:
    """Spearman's of the settings and the values, ties shared."""
    ranks = np.array([(values < v).sum() + 0.5 * ((values == v).sum() - 1) for v in values])
    order = np.arange(len(values), dtype=np.float64)
    return float(np.corrcoef(order, ranks)[0, 1]) if np.ptp(ranks) else 0.0


def sweep(drummer: Drummer, songs: list[Song], name: str) -> Table:
    """The measure at every setting."""
    rows = np.array([[measure(drummer.accompany(song, seed=1, wishes=ask(song, name, s)), name) for s in SETTINGS] for song in songs])
    rho = np.array([rank_correlation(row) for row in rows])
    return {
        "means": [round(float(m), 3) for m in np.nanmean(rows, axis=0)],
        "spearman": round(float(rho.mean()), 3),
        "lowest": round(float(rho.min()), 3),
        "rising": round(float((np.diff(rows) > 0).all(axis=1).mean()), 3),
    }


def describe(hits: Bits, grid: Grid) -> list[npt.NDArray[np.float64]]:
    """What the classifier sees of each eight bars of 16 steps, every four bars."""
    rows = []
    if (grid.bar_steps == 16).all():
        for first in range(0, max(grid.bars - 8, 0) + 1, 4):
            bars = hits[grid.first_steps[first] : grid.first_steps[min(grid.bars, first + 8)]].reshape(-1, 16, 9).astype(np.float64)
            if bars.any():
                mean = bars.mean(axis=0)
                rows.append(np.concatenate([mean.ravel(), bars.std(axis=0).mean(axis=0), mean.sum(axis=0), [mean.sum()], np.sort(mean.sum(axis=0)[[2, 3, 8]])]))
    return rows


def read_takes(data: Path, splits: Iterable[str]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_], npt.NDArray[np.float64]]:
    """Rows, their styles and their weights."""
    rows, styles, takes = [], [], []
    for split in splits:
        for source in list_sources(f"groove_midi:{split}", data):
            if "beat" in source.tags and (style := find_style(source.genre)) in STYLES:
                song = parse_song(source.read(), source.name)
                new = describe(to_nine(extract_groove(song, song.grid(), load_kit("drums_rnn_9"))[0]), song.grid())
                rows += new
                styles += [style] * len(new)
                takes += [1 / max(len(new), 1)] * len(new)
    said, weights = np.array(styles), np.array(takes)
    for style in STYLES:
        weights[said == style] /= max(weights[said == style].sum(), 1e-9)
    return np.array(rows), said, weights


def recognise(model: Any, name: str, play: Callable[[str], list[Groove]]) -> Table:  # noqa: ANN401 - a scikit-learn classifier
    """How often what was asked for is what is recognised, by style."""
    shares = {}
    for style in STYLES:
        rows = [row for groove in play(style) for row in describe(to_nine(groove), groove.grid)[-1:]]
        shares[style] = round(float(np.mean(model.predict(np.array(rows)) == style)), 2)
    overall = round(float(np.mean(list(shares.values()))), 3)
    print(f"{name:<12}{overall:>8}   {overall * len(STYLES):.1f} times chance   " + ", ".join(f"{k} {v}" for k, v in shares.items()), flush=True)
    return {"recognised": overall, "times_chance": round(overall * len(STYLES), 2)} | shares


def compare_styles(drummer: Drummer, songs: list[Song], data: Path) -> Table:
    """The table of styles."""
    from sklearn.ensemble import ExtraTreesClassifier

    def fit(splits: tuple[str, ...]) -> Any:  # noqa: ANN401 - a scikit-learn classifier
        rows, said, weights = read_takes(data, splits)
        return ExtraTreesClassifier(500, min_samples_leaf=2, random_state=0).fit(rows, said, sample_weight=weights)

    print(f"\nstyles: {', '.join(STYLES)}; chance {1 / len(STYLES):.3f}")
    rows, said, _ = read_takes(data, ("validation", "test"))
    guessed = fit(("train",)).predict(rows)
    held = round(float(np.mean([(guessed[said == s] == s).mean() for s in STYLES if (said == s).any()])), 3)
    print(f"{'held out':<12}{held:>8}")
    model, grid = fit(("train", "validation", "test")), Grid.regular(8)
    alone = recognise(model, "alone", lambda style: [drummer.play_alone(grid, style=style, seed=k) for k in range(ALONE)])
    fours = [song for song in songs if (song.grid().bar_steps == 16).all()][:STYLED]
    return {"held_out": held, "alone": alone, "songs": recognise(model, "with songs", lambda style: [drummer.accompany(s, style=style, seed=1) for s in fours])}


def compare_unasked(drummer: Drummer, songs: list[Song]) -> Table:
    """Fills and toms of real drums, of the drummer, and of the drummer without suggestions."""
    table = {}
    print(f"\n{'nothing asked':<22}{'fills':>8}{'before':>8}{'else':>8}{'toms':>8}{'hits a bar':>12}{'F1':>8}")
    ways: dict[str, Callable[[Song], Bits]] = {
        "real drums": lambda song: to_nine(extract_groove(song, song.grid(), load_kit("drums_rnn_9"))[0]),
        "the drummer": lambda song: to_nine(drummer.accompany(song, seed=1)),
        "without suggestions": lambda song: to_nine(drummer.play_cues(hear(song, song.grid()), seed=1)[0]),
    }
    for name, play in ways.items():
        sums = np.zeros(10)
        for song in songs:
            hits, real, cues = play(song), ways["real drums"](song), hear(song, song.grid())
            fills, before = find_fills(hits, cues.grid.first_steps)[:-1], before_sections(cues.section_starts)[:-1]
            counts = (fills.sum(), len(fills), fills[before].sum(), before.sum(), fills[~before].sum(), (~before).sum())
            sums += (*counts, hits[:, 4:7].sum(), hits.sum(), (hits & real).sum(), real.sum())
        row = [sums[0] / sums[1], sums[2] / max(sums[3], 1), sums[4] / sums[5], sums[6] / sums[7], sums[7] / sums[1], 2 * sums[8] / (sums[7] + sums[9])]
        table[name] = dict(zip(("fills", "before", "else", "toms", "hits", "f1"), (round(float(v), 3) for v in row), strict=True))
        print(f"{name:<22}" + "".join(f"{v:>{12 if k == 4 else 8}.3f}" for k, v in enumerate(row)), flush=True)
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", default=os.environ.get("BACKBEAT_DATA"), type=Path)
    parser.add_argument("--songs", type=int, default=50)
    parser.add_argument("--bars", type=int, default=32)
    parser.add_argument("--split", default="validation", choices=["validation", "test"])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--only", default="density,intensity,fills,style,nothing")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.data is None:
        parser.error("name the folder with the data sets, or set BACKBEAT_DATA")
    drummer, wanted = load_drummer(options.model), options.only.split(",")
    songs = read_songs(options.data, options.split, options.songs, options.bars)
    report: Table = {"songs": len(songs), "bars": options.bars, "split": options.split}
    print(f"{len(songs)} songs, {options.bars} bars each, songs-{options.split}\n")
    print(f"{'asked for':<12}" + "".join(f"{s:>9}" for s in SETTINGS) + f"{'Spearman':>11}{'lowest':>8}{'rising':>8}")
    for name in ("density", "intensity", "fills"):
        if name in wanted:
            report[name] = row = sweep(drummer, songs, name)
            print(f"{name:<12}" + "".join(f"{m:>9}" for m in row["means"]) + f"{row['spearman']:>11}{row['lowest']:>8}{row['rising']:>8}", flush=True)
    if "style" in wanted:
        report["style"] = compare_styles(drummer, songs, options.data)
    if "nothing" in wanted:
        report["nothing"] = compare_unasked(drummer, songs)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
