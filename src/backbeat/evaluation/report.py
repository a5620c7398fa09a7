"""An evaluation as one HTML page: tables, plots, drum grids and sound, with nothing to load from anywhere.

The same report gives the same bytes. Every name (songs, models, reasons) is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from backbeat import __version__
from backbeat.errors import InputError, OutputError
from backbeat.evaluation import report_figures as figures
from backbeat.evaluation import report_html as markup
from backbeat.evaluation import report_plots as plots
from backbeat.evaluation.excerpts import Excerpt, open_excerpt
from backbeat.evaluation.results import REAL, Report, Result
from backbeat.files import write_bytes
from backbeat.kits import load_kit
from backbeat.render.audio import RATE
from backbeat.render.grid_svg import draw_hits
from backbeat.render.passage import encode_mp3, to_small

SECONDS = 16.0
"""Longest sound of a song."""

BARS_DRAWN, STEPS_A_LINE = 8, 64
FLOORS_DRAWN = 3
SAMPLE = 200
"""Features are counted in so many pieces at most, spread over the set."""

LEGEND = (
    '<p class="note"><span class="mark" aria-hidden="true"></span> filled square: both tracks have this hit &nbsp; '
    '<span class="mark alone" aria-hidden="true"></span> hollow diamond: only this track has it. '
    "Bars are numbered, ticks mark the beats. In the sound both tracks are played alike, loud on the beat and softer between.</p>"
)
Progress = Callable[[int], None]


def write_report(report: Report, folder: Path, *, songs: int = 3, sound: bool = True, progress: Progress = lambda n: None) -> Path:
    """Write ``index.html`` into a folder, which is made where it is missing.

    Args:
        report: what was measured.
        folder: where to.
        songs: how many of the best and of the worst pieces are drawn and heard.
        sound: False leaves the sound out, which takes most of the time.
        progress: called with the number of pieces drawn so far (there are up to ``2 * songs``).

    Returns:
        the page.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the folder cannot be made ({error})") from None
    page = folder / "index.html"
    write_bytes(page, build_page(report, songs=songs, sound=sound, progress=progress).encode("utf-8", "backslashreplace"))
    return page


def build_page(report: Report, *, songs: int = 3, sound: bool = True, progress: Progress = lambda n: None) -> str:
    """The page as text; see ``write_report``."""
    sections = [
        ("tables", "Figures", _write_tables(report)),
        ("classes", "Onsets by class", _write_classes(report)),
        ("features", "Features", _write_features(report)),
        ("calibration", "Calibration", _write_calibration(report)),
        ("pieces", "Piece by piece", _write_scatter(report)),
        ("songs", "Worst and best", _write_songs(report, songs, sound, progress)),
        ("rejected", "Left out", _write_rejected(report)),
    ]
    kept = [(name, title, parts) for name, title, parts in sections if any(parts)]
    return markup.load_template("report.html").substitute(
        title=escape(f"{report.model} on {report.data}"),
        lead=_write_lead(report),
        contents="\n".join(f'<li><a href="#{name}">{title}</a></li>' for name, title, _ in kept),
        body="\n".join(markup.write_section(name, title, *parts) for name, title, parts in kept),
        version=escape(__version__),
    )


def _write_lead(report: Report) -> str:
    where = f"{len(report.results)} pieces of {report.data}, {len(report.rejected)} left out. Context of the likelihoods: {report.context}."
    texts = []
    if report.model in figures.list_scorers(report):
        best = figures.find_best_floor(report)
        bits = figures.pool_bits(report, [report.model, *([best] if best else [])])
        if bits:
            texts.append(f"{report.model} needs {bits[report.model]:.3f} bits per onset" + (f", the best floor ({best}) {bits[best]:.3f}." if best else "."))
        if bits and best:
            difference = figures.measure_bits(report, report.model) - figures.measure_bits(report, best)
            difference = difference[np.isfinite(difference)]
            texts.append(f"It is ahead of that floor in {int((difference < 0).sum())} of {len(difference)} pieces.")
    return "".join(markup.write_paragraph(t, "lead") for t in texts) + markup.write_paragraph(where, "note")


def _write_tables(report: Report) -> list[str]:
    return [markup.write_table(rows, f"{title}; {report.data}, {report.context}", report.model) for title, rows in report.tables.items() if rows]


def _write_classes(report: Report) -> list[str]:
    players = [p for p in figures.list_players(report) if p != REAL]
    if not players:
        return []
    floors = [f for f in figures.rank_floors(report) if figures.HISTORY not in f]
    scores = {p: figures.score_classes(report, p) for p in players}
    drawn = [p for p in players if p == report.model] + floors[:FLOORS_DRAWN]
    names = load_kit("drums_rnn_9").names
    tasks = {p: "with history" if figures.HISTORY in p else "song only" for p in players}
    rows = [{"model": p, "task": tasks[p]} | {n: round(float(v), 3) for n, v in zip(names, scores[p], strict=True)} for p in players]
    return [
        markup.write_figure(
            plots.plot_classes({p: scores[p] for p in drawn}),
            "F1 on the exact 16th over all pieces, from the song alone: the model and the best three floors.",
        ),
        f"<details><summary>All players as a table</summary>{markup.write_table(rows, 'onset F1 by class', report.model)}</details>",
    ]


def _write_features(report: Report) -> list[str]:
    players = figures.list_players(report)
    if REAL not in players or len(players) < 2:
        return []
    count = min(SAMPLE, len(report.results))
    few = Report(report.model, report.data, report.context, {}, {}, [report.results[i * len(report.results) // count] for i in range(count)])
    measured = {f: {p: figures.measure_feature(few, p, f) for p in players} for f in figures.FEATURES}
    rows = []
    for player in players:
        values = {f.name: by[player] for f, by in measured.items()}
        means = {f"{n}, mean": float(np.nanmean(v)) if np.isfinite(v).any() else math.nan for n, v in values.items()}
        rows.append({"model": player} | means)
    notes = "; ".join(f"{f.name}: {f.note}" for f in figures.FEATURES)
    caption = f"Over {count} pieces. Grey: the real drums; line: the player; W: Wasserstein distance between the two, 0 = alike. Counted are {notes}."
    table = markup.write_table(rows, "means over pieces", report.model)
    return [markup.write_figure(plots.plot_features(measured), caption), f"<details><summary>Means as a table</summary>{table}</details>"]


def _write_calibration(report: Report) -> list[str]:
    parts = []
    curves = {name: figures.calibrate_hits(report, name) for name in figures.list_expecting(report)[: FLOORS_DRAWN + 1]}
    if curves:
        parts.append(
            markup.write_figure(
                plots.plot_reliability(curves), "Given all real steps before: of the hits given a chance of 30 %, do 30 % fall? On the dashed line they do."
            )
        )
    players = [p for p in figures.list_players(report) if p == report.model] + figures.rank_floors(report)[:2]
    places = {p: place for p in players if (place := figures.calibrate_places(report, p)) is not None}
    if places:
        one = next(iter(places.values()))
        caption = (
            f"Marginal calibration: each mark is a class at a place of a {one.metre} bar; how many of {one.bars:,} bars hit it, played against real. "
            "On the dashed line a player hits it as often as drummers do. Below it: too seldom."
        )
        parts.append(markup.write_figure(plots.plot_places(places), caption))
    return parts


def _write_scatter(report: Report) -> list[str]:
    floor = figures.find_best_floor(report)
    if not floor or report.model not in figures.list_scorers(report):
        return []
    worst, best, _ = figures.rank_results(report)
    ours, theirs = figures.measure_bits(report, report.model), figures.measure_bits(report, floor)
    svg = plots.plot_songs(report.model, floor, ours, theirs, {"worst": worst, "best": best})
    return [markup.write_figure(svg, f"A mark a piece. Below the dashed line {report.model} predicts the real drums better than {floor}, the best floor.")]


def _write_songs(report: Report, songs: int, sound: bool, progress: Progress) -> list[str]:
    worst, best, by = figures.rank_results(report, songs)
    if not worst + best:
        return []
    parts = [markup.write_paragraph(f"Ranked by {by}, worst first. The passage is chosen by place, a quarter into the drums, not by how well it went."), LEGEND]
    done = 0
    for kind, indices in (("Worst", worst), ("Best", best)):
        for place, index in enumerate(indices, 1):
            parts.append(_write_song(report, report.results[index], f"{kind} {place}", sound))
            done += 1
            progress(done)
    return parts


def _write_song(report: Report, result: Result, rank: str, sound: bool) -> str:
    name = result.case.piece.name
    one = Report(report.model, report.data, report.context, {}, {}, [result])
    told = [f"{n} {float(b[0]):.3f} bits per onset" for n in figures.list_scorers(report) if np.isfinite(b := figures.measure_bits(one, n)).all()][:6]
    told += [f"onset F1 {float(f[0]):.3f}" for f in (figures.measure_f1(one, report.model),) if np.isfinite(f).all()]
    heading = f"<h3>{escape(f'{rank}: {name}')}</h3>{markup.write_paragraph('; '.join(told), 'note')}"
    try:
        excerpt = open_excerpt(result.case, SECONDS)
    except InputError as error:
        return heading + _draw(report, result, 0, min(BARS_DRAWN, result.case.piece.grid.bars)) + markup.write_paragraph(f"No sound: {error}", "note")
    return heading + _draw(report, result, excerpt.first, min(excerpt.first + BARS_DRAWN, excerpt.last)) + (_play(report, result, excerpt) if sound else "")


def _draw(report: Report, result: Result, first: int, last: int) -> str:
    """The bars of the real drums, those of the model under them, as many to a line as fit."""
    grid, real, played = result.case.piece.grid, result.case.piece.hits, result.hits.get(report.model)
    steps = slice(int(grid.first_steps[first]), int(grid.first_steps[last]))
    used = real[steps].any(axis=0) | (np.zeros(real.shape[1], np.bool_) if played is None else played[steps].any(axis=0))
    columns = np.flatnonzero(used) if used.any() else np.arange(3)
    labels = [load_kit("drums_rnn_9").classes[c].label for c in columns]
    tracks = [(REAL, real, played), *([] if played is None else [(report.model, played, real)])]
    lines = []
    for start, stop in _split_lines(grid.bar_steps[first:last].tolist()):
        pair = ""
        for name, hits, other in tracks:
            compared = None if other is None else other[:, columns]
            svg = draw_hits(hits[:, columns], grid, labels, first + start, first + stop, other=compared, title=name)
            pair += f'<figure class="track"><figcaption>{escape(name)}</figcaption>{svg}</figure>'
        lines.append(f'<div class="pair">{pair}</div>')
    return "\n".join(lines)


def _split_lines(lengths: Sequence[int]) -> list[tuple[int, int]]:
    """First and last bar (behind it) of each line of at most ``STEPS_A_LINE`` steps, one bar at least."""
    lines, start, width = [], 0, 0
    for bar, length in enumerate(lengths):
        if bar > start and width + length > STEPS_A_LINE:
            lines.append((start, bar))
            start, width = bar, 0
        width += length
    return [*lines, (start, len(lengths))]


def _play(report: Report, result: Result, excerpt: Excerpt) -> str:
    players = []
    for name, hits in ((REAL, result.case.piece.hits), (report.model, result.hits.get(report.model))):
        if hits is None:
            continue
        try:
            mp3 = encode_mp3(to_small(excerpt.render(hits, seconds=SECONDS)), RATE // 2)
            players.append(markup.write_audio(mp3, f"{name}, bars {excerpt.first + 1} to {excerpt.last}"))
        except InputError as error:
            players.append(markup.write_paragraph(f"{name}: no sound ({error})", "note"))
    return f'<div class="players">{"".join(players)}</div>'


def _write_rejected(report: Report) -> list[str]:
    if not report.rejected:
        return []
    rows = [{"piece": name, "reason": reason} for name, reason in sorted(report.rejected.items())]
    table = markup.write_table(rows, f"{len(rows)} pieces could not be measured on", key="piece")
    return [f"<details{' open' if len(rows) <= 20 else ''}><summary>{len(rows)} pieces and the reasons</summary>{table}</details>"]
