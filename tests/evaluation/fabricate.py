"""A made-up evaluation: six small songs, a model that plays something, and floors; no data set and no network."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from backbeat.codecs.words import groove_to_words, hits_to_words
from backbeat.cues import hear
from backbeat.datasets.source import Source
from backbeat.evaluation.excerpts import accent
from backbeat.evaluation.results import REAL, Case, Report, Result
from backbeat.kits import load_kit
from backbeat.metrics import likelihood
from backbeat.midi import extract_groove, parse_song, splice_drums
from backbeat.models.floors import CopyBars, RockLoop, RockWithBass
from backbeat.models.protocol import Piece

EXAMPLE = Path(__file__).parents[2] / "examples" / "song.mid"
HOSTILE = '<script>alert("1")</script> & $title "x" \'y\'/../../z'
PLAYERS = (RockLoop(), RockWithBass(), CopyBars(1))


def make_case(folder, name, seed):
    """The example song with drums of its own: a rock loop on which some hits are thrown away and some added."""
    band = parse_song(EXAMPLE.read_bytes())
    grid = band.grid()
    cues = hear(band, grid)
    rng = np.random.default_rng(seed)
    loop = RockWithBass().play(Piece("", grid, np.zeros(grid.steps, np.uint16), cues), rng)
    hits = (loop & (rng.random(loop.shape) > 0.1 * (seed % 4))) | (rng.random(loop.shape) < 0.004 * (seed % 5))
    path = folder / f"{seed}.mid"
    path.write_bytes(splice_drums(band, accent(hits, grid)))
    song = parse_song(path.read_bytes())
    words = groove_to_words(extract_groove(song, song.grid(), load_kit("drums_rnn_9"))[0])
    return Case(Source(str(path), name), Piece(name, song.grid(), words, hear(song, song.grid())), cast(Any, None), cues)


def make_result(case, seed):
    rng = np.random.default_rng(100 + seed)
    piece = case.piece
    played = piece.hits & (rng.random(piece.hits.shape) > 0.15 + 0.1 * (seed % 5))
    played[:: 7 + seed, 2] = True
    busy = hits_to_words(piece.hits) > 0
    log2_p = {"drummer": np.where(busy, -0.8 - 0.2 * seed, -0.05), "drummer, no band": np.where(busy, -1.2, -0.1)}
    log2_p |= {"unigram": np.where(busy, -3.0, -0.5), "cache": np.where(busy, -1.4 + 0.05 * seed, -0.05)}
    hits = {REAL: piece.hits, "drummer": played}
    expected = {"drummer": np.where(played, 0.8, 0.05).astype(np.float32), "cache": np.where(piece.hits, 0.9, 0.1).astype(np.float32)}
    return Result(case, log2_p, hits | {p.name: p.play(piece, rng) for p in PLAYERS}, expected=expected)


def make_report(folder, count=6):
    names = [HOSTILE, *(f"song {i}" for i in range(1, count))]
    results = [make_result(make_case(folder, name, i), i) for i, name in enumerate(names)]
    words = np.concatenate([r.case.piece.words for r in results])
    rows = [{"model": n, **likelihood.evaluate(np.concatenate([r.log2_p[n] for r in results]), words)} for n in results[0].log2_p]
    tables = {"likelihood, whole song": rows, "onsets": [{"model": REAL, "micro_f1": 1.0}, {"model": "drummer", "micro_f1": 0.5, "note": float("nan")}]}
    rejected = {"broken <b>song</b>": "unreadable: no MIDI file", "silent": "no drums"}
    return Report("drummer", "songs:validation", "whole songs", tables, rejected, results)
