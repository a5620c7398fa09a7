"""From a source to a case: real drums and a band, read as they are, without any cleaning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from backbeat.codecs.metallica_text import read_song_words
from backbeat.codecs.words import words_to_groove
from backbeat.cues import Cues, hear, hear_nothing
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.preparation import KIT, MAX_QUARTERS, Example, pack
from backbeat.datasets.source import Source
from backbeat.errors import BackbeatError, InputError
from backbeat.evaluation.results import Case
from backbeat.grid import Grid
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, parse_song
from backbeat.models.pieces import read_pieces
from backbeat.models.protocol import HeardBand, Piece
from backbeat.song import Song

MIN_BAND_NOTES = 32
"""With fewer notes there is no band to listen to."""


@dataclass(frozen=True)
class Choice:
    """Which pieces of a data set are wanted.

    Args:
        style: word of a genre, "" for all.
        kind: "beat" or "fill", "" for both.
        metre: "4/4" for pieces that are in 4/4 throughout, "" for all.
        text: read drums as LSTMetallica's text has them.
    """

    style: str = ""
    kind: str = ""
    metre: str = ""
    text: bool = False

    def admits(self, source: Source) -> bool:
        """Whether a source is of the style and kind."""
        words = {w for text in (source.genre, *source.tags) for w in text.lower().replace("-", " ").replace("/", " ").split()}
        return (not self.style or self.style.lower() in words) and (not self.kind or self.kind in source.tags)


def load_case(source: Source, choice: Choice | None = None) -> Case | str:
    """Read a piece as it is, or say why it cannot be measured on.

    Args:
        source: a MIDI file, or a piece of a corpus (see ``list_corpus``).
        choice: what is wanted; none = any piece.
    """
    choice = choice or Choice()
    try:
        case = _load_packed(source) if source.reader is _refuse_bytes else _load_song(source, choice)
    except BackbeatError as error:
        return f"unreadable: {error}"
    if isinstance(case, str):
        return case
    if not case.piece.words.any():
        return "no drums"
    grid = case.piece.grid
    if choice.metre and any(f"{n}/{d}" != choice.metre for n, d in zip(grid.numerators, grid.denominators, strict=True)):
        return f"not in {choice.metre} throughout"
    return case


def _load_song(source: Source, choice: Choice) -> Case | str:
    song = parse_song(source.read(), source.name)
    if not song.drum_parts:
        return "no drums"
    if choice.text:
        return _load_text(source, song)
    has_band = source.band is not False and sum(len(p.notes) for p in song.band) >= MIN_BAND_NOTES
    if source.band and not has_band:
        return "no band"
    grid = song.grid()
    if grid.steps > MAX_QUARTERS * grid.steps_per_quarter:
        return "too long"
    cues = hear(song, grid) if has_band else hear_nothing(grid, song.tempo.qpm())
    groove, report = extract_groove(song, grid, load_kit(KIT))
    example = pack(grid, groove, cues, band=has_band, unknown=sum(report.unknown.values()), merged=report.merged)
    return _make_case(source, grid, example, cues)


def _load_text(source: Source, song: Song) -> Case:
    grid, words = read_song_words(song)
    cues = hear_nothing(grid, song.tempo.qpm())
    example = pack(grid, words_to_groove(words, grid).to_kit(load_kit(KIT)), cues, band=False)
    return _make_case(source, grid, replace(example, words=words), cues)


def _make_case(source: Source, grid: Grid, example: Example, cues: Cues) -> Case:
    band = HeardBand(cues.onsets, cues.active_bars) if example.band else None
    return Case(source, Piece(source.name, grid, example.words, band, example, cues), example, cues)


def list_corpus(folder: Path, split: str = "") -> list[Source]:
    """The pieces of a corpus as sources that ``load_case`` knows how to open.

    Args:
        folder: what ``backbeat corpus build`` wrote.
        split: only the pieces of this split, "" for all.

    Raises:
        InputError: the folder is no corpus, is on another grid than 16ths, or has nothing of the split.
    """
    corpus = Corpus(folder)
    corpus.check_density()
    chosen = corpus.choose(split).tolist() if split else range(len(corpus))
    if not len(chosen):
        raise InputError(f"{folder}: no piece in it" + (f" of split {split!r}, leave out --split to measure on all" if split else ""))
    return [Source(str(folder), f"piece {i}", band=bool(corpus.pieces[i]["band"]), split=split, member=str(i), reader=_refuse_bytes) for i in chosen]


def _refuse_bytes(source: Source) -> bytes:
    raise InputError(f"{source.path}: a corpus holds arrays, not the MIDI file of {source.name}")


@lru_cache(maxsize=4)
def _open_corpus(folder: str) -> Corpus:
    return Corpus(Path(folder))


def _load_packed(source: Source) -> Case | str:
    """A packed piece; its cues hold what the packed bytes still say, which is enough to judge drums by, not to play to."""
    corpus, index = _open_corpus(source.path), int(source.member)
    arrays = corpus.piece(index)
    layout, step, bar = arrays["layout"], arrays["step"], arrays["bar"]
    quarters = tuple(Fraction(int(n), int(d)) for n, d in layout[:, 3:5])
    grid = Grid(np.cumsum([0, *(max(1, int(q * 480)) for q in quarters)]), quarters, tuple(layout[:, 1].tolist()), tuple(layout[:, 2].tolist()))
    if grid.steps != len(arrays["words"]):
        return "not on a grid of 16ths"
    shape = arrays["words"].shape[0], 9
    offsets = arrays.get("offsets", np.zeros(shape, np.int8))
    matches = arrays.get("matches", np.full((grid.bars, 2), -1, np.int32))
    row = corpus.pieces[index]
    example = Example(
        step=np.array(step),
        bar=np.array(bar),
        song=np.array(arrays["song"]),
        words=np.array(arrays["words"]),
        velocities=np.array(arrays["velocities"]),
        articulations=np.array(arrays["articulations"]),
        offsets=np.array(offsets),
        matches=np.array(matches),
        layout=np.array(layout),
        tempo=np.array(arrays.get("tempo", np.full(grid.bars, 120, np.float32))),
        band=bool(row["band"]),
        dynamic=bool(row["dynamic"]),
        unknown=0,
        merged=0,
    )
    onsets, loud, sustained, pitches = (np.asarray(step[:, 6 * k : 6 * k + 6] / 255, dtype=np.float32) for k in range(4))
    cues = replace(
        hear_nothing(grid),
        onsets=np.asarray(4 * onsets, dtype=np.float32),
        velocities=loud,
        sustained=sustained,
        pitches=pitches,
        section_starts=np.asarray(bar[:, 8] > 0, dtype=np.bool_),
        matches=np.array(matches, np.int64),
    )
    case = _make_case(source, grid, example, cues)
    return replace(case, piece=replace(case.piece, cues=None))


def read_corpus(folder: Path, every: int = 1, *, band: bool) -> list[Piece]:
    """Pieces of a corpus to learn from: those with a band, or drum takes where there are any.

    Raises:
        InputError: the folder is no corpus, or has no such piece.
    """
    corpus = Corpus(folder)
    pieces = list(read_pieces(corpus, every=every, band_only=band))
    if not pieces:
        raise InputError(f"{folder} holds no piece{' with a band' if band else ''} to learn from: name another corpus")
    return pieces
