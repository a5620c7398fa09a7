"""Pieces of HTML for the pages of an evaluation. Everything that is given as text is escaped here."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from backbeat.evaluation.results import REAL

NOTHING = "–"


def load_template(name: str) -> Template:
    """A page of ``templates`` with ``$names`` to fill in."""
    return Template(resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8"))


def write_number(value: object, whole: bool = True) -> str:
    """A figure for people: three decimals, a dash for nothing.

    Args:
        value: the figure; what is no number is written as escaped text.
        whole: write whole numbers without decimals, which a column of fractions should not do.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return escape(str(value)) if value is not None else NOTHING
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if isinstance(value, int) or (whole and value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 0.001 or not value else f"{value:.1e}"


def write_table(rows: Sequence[Mapping[str, Any]], caption: str, ours: str = "", key: str = "model") -> str:
    """A table with a row a mapping.

    Args:
        rows: each maps ``key`` to its name and column names to figures; columns may be missing in some.
        caption: what it shows.
        ours: the name whose row is marked.
        key: the column that names the rows.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row if name != key))
    head = "".join(f'<th scope="col">{escape(str(c).replace("_", " "))}</th>' for c in (key, *columns))
    whole = {c: all(_is_whole(row.get(c)) for row in rows) for c in columns}
    body = "\n".join(_write_row(row, whole, ours, key) for row in rows)
    table = f"<table><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
    return f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0">{table}</div>'


def _is_whole(value: object) -> bool:
    return not isinstance(value, float) or not math.isfinite(value) or value.is_integer()


def _write_row(row: Mapping[str, Any], whole: Mapping[str, bool], ours: str, key: str) -> str:
    """A row; ``whole`` maps the columns to whether all their figures are whole numbers."""
    name = str(row.get(key, ""))
    kind = ' class="ours"' if ours and name == ours else ' class="human"' if name == REAL else ""
    cells = "".join(_write_cell(row[c], w) if c in row else "<td></td>" for c, w in whole.items())
    return f'<tr{kind}><th scope="row">{escape(name)}</th>{cells}</tr>'


def _write_cell(value: object, whole: bool) -> str:
    kind = ' class="text"' if isinstance(value, str) else ""
    return f"<td{kind}>{write_number(value, whole)}</td>"


def write_figure(svg: str, caption: str) -> str:
    """A drawing with its caption; "" without a drawing."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>" if svg else ""


def write_section(name: str, title: str, *parts: str) -> str:
    """A section of the page; "" where all its parts are empty."""
    body = "\n".join(p for p in parts if p)
    return (
        f'<section id="{escape(name)}" aria-labelledby="{escape(name)}-title">\n<h2 id="{escape(name)}-title">{escape(title)}</h2>\n{body}\n</section>'
        if body
        else ""
    )


def write_paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f'<p class="{escape(kind)}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def write_audio(mp3: bytes, label: str) -> str:
    """A player with the sound in it.

    Args:
        mp3: an MP3 file.
        label: what is heard.
    """
    data = base64.b64encode(mp3).decode("ascii")
    return (
        f'<div><span>{escape(label)}</span><audio controls preload="metadata" aria-label="{escape(label)}" src="data:audio/mpeg;base64,{data}"></audio></div>'
    )
