"""Mine drum patterns: loops of some bars that a drum track plays again and again, each once however it is turned.

The rules are those of the paper (Tikhonov, Yamshchikov: Artificial Neural Networks Jamming on the Beat, arXiv 2007.06284, section
2.1): the drum channel, a metre and its 16ths, a map that merges drums, split at long pauses, a pattern repeated at least three times in
a row, entropy above a threshold, unique among all rotations. What the paper does not say is an option here, see ``Rules``.

A track of n steps is searched in time proportional to n: a pattern of L steps is repeated from step t on as long as every step is
like the one L steps later. All windows of such a run are rotations of one another, so each run gives one pattern.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import NamedTuple

import numpy as np

from backbeat.codecs.patterns import CLASSES, KIT, MERGING_KIT, MOST_STEPS, Patterns, hash_patterns, hits_to_patterns, measure_entropy
from backbeat.datasets import engines
from backbeat.datasets.source import Source
from backbeat.datasets.styles import find_style
from backbeat.errors import BackbeatError, InputError
from backbeat.grid import Grid
from backbeat.kits import Kit, load_kit
from backbeat.midi import parse_song
from backbeat.midi.drumparts import DRUM_CHANNEL
from backbeat.midi.grooves import collect_hits
from backbeat.song import Song
from backbeat.units import Ints

ANY_METRE = "any"
MAX_BYTES = 4 << 20
BLOCK = 32
RULES = (
    ("files", "files"),
    ("readable", "that can be read"),
    ("tracks", "with a drum track that is not trivial"),
    ("metre", "with bars in the metre"),
    ("on grid", "on the grid"),
    ("chunks", "chunks between long pauses"),
    ("long", "chunks long enough for the repeats"),
    ("loops", "patterns repeated in a row"),
    ("entropy", "patterns with enough entropy"),
    ("patterns", "patterns unique under all rotations"),
)
"""What is counted, in the order in which the rules apply, and how it is called for people."""
PUBLISHED = {"files": 200_000, "tracks": 90_000, "patterns": 33_000}
"""The paper's funnel, as far as it is told ("approximately", "almost", "thirty-three thousand")."""


@dataclass(frozen=True)
class Rules:
    """What counts as a pattern.

    Args:
        metre: bars that are looked at, as "4/4"; "any" takes every track as one run of 4/4, as the paper did.
        bars: length of a pattern.
        steps_per_quarter: density of the grid: 4 = 16ths, 3 = triplets of 8ths.
        kit: kit map that merges notes; what it writes must be notes of kit ``drum_space_14``.
        all_drums: take drum parts on other channels than the tenth, too.
        least_notes: fewer drum notes that the kit knows are a trivial track.
        off_grid: largest share of hits that are more than a quarter of a step off the grid; 1 = quantise whatever there is.
        pause: steps of silence at which a track is split.
        repeats: times in a row that a pattern must be played; 1 takes what stands at every bar line, repeated or not.
        times: passages of a piece in which it must be found, wherever they are.
        entropy: nats of the step words that a pattern must exceed.
    """

    metre: str = "4/4"
    bars: int = 2
    steps_per_quarter: int = 4
    kit: str = MERGING_KIT
    all_drums: bool = False
    least_notes: int = 32
    off_grid: float = 1.0
    pause: int = 16
    repeats: int = 3
    times: int = 1
    entropy: float = 0.5

    @property
    def steps(self) -> int:
        """Steps of a pattern.

        Raises:
            InputError: the metre is none, or bars of it have no whole number of steps.
        """
        numerator, denominator = self.read_metre()
        steps = Fraction(4 * numerator * self.bars * self.steps_per_quarter, denominator)
        if steps.denominator > 1 or not 2 <= steps <= MOST_STEPS:
            what = f"{self.bars} bars of {self.metre} have {float(steps):g} steps at {self.steps_per_quarter} a quarter"
            raise InputError(f"{what}: 2-{MOST_STEPS} whole ones are needed")
        return int(steps)

    def read_metre(self) -> tuple[int, int]:
        """Numerator and denominator; those of 4/4 for "any".

        Raises:
            InputError: the metre is none.
        """
        numerator, _, denominator = ("4/4" if self.metre == ANY_METRE else self.metre).partition("/")
        if not (numerator.isdecimal() and denominator.isdecimal()) or not 1 <= int(numerator) <= 255 or denominator not in ("1", "2", "4", "8", "16", "32"):
            raise InputError(f"metre {self.metre!r} is none: write it as 4/4, 3/4 or 12/8, or 'any' to take everything as 4/4")
        return int(numerator), int(denominator)

    def check(self) -> None:
        """Check that they can be followed.

        Raises:
            InputError: one of them cannot.
        """
        wrong = [
            name
            for name, is_right in {
                f"bars must lie in 1-16, not {self.bars}": 1 <= self.bars <= 16,
                f"steps per quarter must lie in 1-24, not {self.steps_per_quarter}": 1 <= self.steps_per_quarter <= 24,
                f"a pause is at least one step, not {self.pause}": self.pause >= 1,
                f"repeats and times lie in 1-1000, not {self.repeats} and {self.times}": 1 <= self.repeats <= 1000 and 1 <= self.times <= 1000,
                f"the entropy must lie in 0-10 nats, not {self.entropy:g}": 0 <= self.entropy <= 10,
                f"the share off the grid must lie in 0-1, not {self.off_grid:g}": 0 <= self.off_grid <= 1,
            }.items()
            if not is_right
        ]
        if wrong:
            raise InputError(wrong[0])
        _ = self.steps
        if (_map_classes(load_kit(self.kit)) < 0).all():
            raise InputError(f"kit {self.kit} writes no note that {KIT} knows: choose {MERGING_KIT}")


def _map_classes(kit: Kit) -> Ints:
    return kit.mapping(load_kit(KIT))


class Found(NamedTuple):
    """What one file gave: counts by rule, patterns uint16 [n, steps], and int64 [n] how often each is played in a row."""

    counts: Counter[str]
    patterns: Patterns
    repeats: Ints


@dataclass(frozen=True, eq=False)
class Mined:
    """The patterns of a collection.

    Args:
        rules: by which they were found.
        patterns: uint16 [n, steps], no two of them rotations of each other.
        sources: int64 [n], the first source of each.
        files: int64 [n], how many files play each.
        repeats: int64 [n], most times in a row.
        genres: of each, "" where no source says.
        counts: what was left behind each rule of ``RULES``.
    """

    rules: Rules
    patterns: Patterns
    sources: Ints
    files: Ints
    repeats: Ints
    genres: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)


def find_loops(words: Patterns, steps: int, repeats: int) -> list[tuple[int, int]]:
    """Where a track repeats itself.

    Args:
        words: uint16 [n].
        steps: length of what is repeated.
        repeats: times in a row that are needed, at least 2.

    Returns:
        first step and length of each passage of at least ``repeats * steps`` steps in which every step is like the one ``steps`` later.
    """
    if len(words) < repeats * steps:
        return []
    alike = np.concatenate([[False], words[:-steps] == words[steps:], [False]])
    edges = np.flatnonzero(np.diff(alike.astype(np.int8)))
    return [(int(a), int(b - a) + steps) for a, b in edges.reshape(-1, 2) if b - a >= (repeats - 1) * steps]


def split_at_pauses(words: Patterns, pause: int) -> list[tuple[int, int]]:
    """First step and end of each chunk between silences of at least ``pause`` steps.

    A chunk keeps ``pause - 1`` steps of the silence before and behind it, as a loop may begin or end with rests.

    Args:
        words: uint16 [n].
        pause: steps.
    """
    struck = np.flatnonzero(words)
    if not len(struck):
        return []
    cuts = np.flatnonzero(np.diff(struck) > pause)
    firsts, lasts = struck[np.concatenate([[0], cuts + 1])], struck[np.concatenate([cuts, [len(struck) - 1]])]
    return [(max(0, int(a) - pause + 1), min(len(words), int(b) + pause)) for a, b in zip(firsts, lasts, strict=True)]


def _list_regions(grid: Grid, rules: Rules) -> list[tuple[int, int]]:
    """First step and end of each run of whole bars in the metre."""
    if rules.metre == ANY_METRE:
        return [(0, grid.steps)]
    numerator, denominator = rules.read_metre()
    fits = np.array([False, *(n == numerator and d == denominator for n, d in zip(grid.numerators, grid.denominators, strict=True)), False])
    fits[1:-1] &= grid.bar_steps * rules.bars == rules.steps
    edges = np.flatnonzero(np.diff(fits.astype(np.int8)))
    return [(int(grid.first_steps[a]), int(grid.first_steps[b])) for a, b in edges.reshape(-1, 2)]


def read_track(song: Song, rules: Rules) -> tuple[Patterns, Grid, float]:
    """The drums of a song as words on its grid, and the share of hits that are off it; no words where the track is trivial.

    Args:
        song: a song.
        rules: its kit, channel and density count.

    Raises:
        SongError: the song is longer than can be laid out.
    """
    parts = [p for p in song.drum_parts if rules.all_drums or p.channel == DRUM_CHANNEL]
    kit = load_kit(rules.kit)
    known = kit.lookup >= 0
    if sum(int(known[p.notes["pitch"]].sum()) for p in parts) < max(1, rules.least_notes):
        return np.zeros(0, np.uint16), Grid.regular(1), 0.0
    drums = replace(song, parts=tuple(parts))
    grid = drums.grid(rules.steps_per_quarter)
    hits = collect_hits(drums, grid, kit)[0]
    columns = _map_classes(kit)[hits.columns]
    struck = np.zeros((grid.steps, CLASSES), np.bool_)
    struck[hits.steps[columns >= 0], columns[columns >= 0]] = True
    return hits_to_patterns(struck), grid, float(np.mean(np.abs(hits.offsets) > 0.25)) if len(hits.offsets) else 0.0


def mine_song(song: Song, rules: Rules) -> Found:
    """The patterns of one song, each once; those with too little entropy are counted only.

    Args:
        song: a song.
        rules: what counts.

    Raises:
        SongError: the song is longer than can be laid out.
    """
    counts, steps = Counter({"files": 1, "readable": 1}), rules.steps
    words, grid, off = read_track(song, rules)
    regions = _list_regions(grid, rules) if len(words) else []
    counts["tracks"], counts["metre"] = int(len(words) > 0), int(len(regions) > 0)
    counts["on grid"] = int(bool(regions) and off <= rules.off_grid)
    loops: list[Patterns] = []
    repeats: list[int] = []
    for first, end in regions if counts["on grid"] else []:
        for a, b in split_at_pauses(words[first:end], rules.pause):
            chunk = words[first + a : first + b]
            counts["chunks"] += 1
            counts["long"] += len(chunk) >= steps * rules.repeats
            for start, count in _list_starts(grid, chunk, first + a, rules):
                loops.append(words[start : start + steps])
                repeats.append(count)
    return _sort_out(np.array(loops, np.uint16).reshape(-1, steps), np.array(repeats, np.int64), counts, rules)


def _list_starts(grid: Grid, chunk: Patterns, begin: int, rules: Rules) -> list[tuple[int, int]]:
    """First step in the track of each pattern of a chunk, and how often it is played in a row from there on.

    A pattern starts at a bar line where the passage has one.
    """
    steps = rules.steps
    if rules.repeats == 1:
        bars = grid.first_steps[np.searchsorted(grid.first_steps, begin) : np.searchsorted(grid.first_steps, begin + len(chunk) - steps, side="right")]
        return [(int(bar), 1) for bar in bars]
    starts = []
    for start, length in find_loops(chunk, steps, rules.repeats):
        first = begin + start
        bar = int(grid.first_steps[np.searchsorted(grid.first_steps, first)])
        starts.append((bar if bar - first <= length - steps else first, length // steps))
    return starts


def _sort_out(patterns: Patterns, repeats: Ints, counts: Counter[str], rules: Rules) -> Found:
    """Each pattern of a file once, with its longest passage, if it has enough entropy."""
    _, first, which, times = np.unique(hash_patterns(patterns), return_index=True, return_inverse=True, return_counts=True)
    longest = np.zeros(len(first), np.int64)
    np.maximum.at(longest, which, repeats)
    order = np.argsort(first)
    order = order[times[order] >= rules.times]
    patterns, repeats = patterns[first[order]], longest[order]
    rich = measure_entropy(patterns) > rules.entropy
    counts["loops"], counts["entropy"] = len(patterns), int(rich.sum())
    return Found(counts, patterns[rich], repeats[rich])


def mine_source(source: Source, rules: Rules) -> Found:
    """The patterns of one source; one that cannot be read is counted and gives none."""
    try:
        data = source.read()
        if len(data) > MAX_BYTES:
            raise InputError(f"{source.path}: too large")
        return mine_song(parse_song(data, source.name), rules)
    except (BackbeatError, MemoryError):
        return _find_nothing(source, rules)


def _find_nothing(source: Source, rules: Rules) -> Found:
    return Found(Counter({"files": 1}), np.zeros((0, rules.steps), np.uint16), np.zeros(0, np.int64))


def mine_block(sources: Sequence[Source], rules: Rules) -> list[Found]:
    """The patterns of some sources: the work of one task."""
    return [mine_source(source, rules) for source in sources]


def _rescue(sources: Sequence[Source], run_alone: Callable[..., list[Found] | None], rules: Rules) -> list[Found]:
    """A block again, without the sources that kill the process that reads them."""
    work = partial(mine_block, rules=rules)
    return [(run_alone(work, [source]) or [_find_nothing(source, rules)])[0] for source in sources]


def mine(sources: Sequence[Source], rules: Rules, *, workers: int = 1, stated: bool = False, progress: Callable[[int], None] = lambda done: None) -> Mined:
    """The patterns of a collection, each once however it is turned; the same for any number of workers.

    Args:
        sources: the files, in the order that decides which of equal patterns is kept: the first.
        rules: what counts.
        workers: processes; 1 works here.
        stated: genres as the sources state them, in small letters; otherwise as styles of ``styles``.
        progress: called with the number of sources done.

    Raises:
        InputError: the rules cannot be followed.
    """
    rules.check()
    blocks = [sources[i : i + BLOCK] for i in range(0, len(sources), BLOCK)]
    tasks, work, done = list(enumerate(blocks)), partial(mine_block, rules=rules), 0
    found: list[list[Found]] = [[] for _ in blocks]
    results = engines.run_pool(work, tasks, workers, partial(_rescue, rules=rules)) if workers > 1 else engines.run_here(work, tasks)
    with closing(results):
        for index, block in results:
            found[index] = block
            done += len(block)
            progress(done)
    return _join([f for block in found for f in block], [_name_genre(s, stated) for s in sources], rules)


def _name_genre(source: Source, stated: bool) -> str:
    style = find_style(source.genre)
    return " ".join(source.genre.lower().split()) if stated else "" if style == "any" else style


def _join(found: Sequence[Found], names: Sequence[str], rules: Rules) -> Mined:
    """All files together: of equal patterns the first stays, with the genre that most of its files have."""
    counts = Counter({name: 0 for name, _ in RULES})
    for one in found:
        counts.update(one.counts)
    patterns = np.concatenate([np.zeros((0, rules.steps), np.uint16), *(f.patterns for f in found)])
    repeats = np.concatenate([np.zeros(0, np.int64), *(f.repeats for f in found)])
    owners = np.repeat(np.arange(len(found)), [len(f.patterns) for f in found])
    _, first, which = np.unique(hash_patterns(patterns), return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(first), np.int64)
    place[order] = np.arange(len(first))
    which = place[which]
    longest = np.zeros(len(first), np.int64)
    np.maximum.at(longest, which, repeats)
    counts["patterns"] = len(first)
    genres = _choose_genres(which, owners, names, len(first))
    first = first[order]
    return Mined(rules, patterns[first], owners[first], np.bincount(which, minlength=len(first)), longest, genres, counts)


def _choose_genres(which: Ints, owners: Ints, names: Sequence[str], count: int) -> tuple[str, ...]:
    """The genre that most of the files with a pattern have; of equals the first; "" where none has one."""
    votes: list[Counter[str]] = [Counter() for _ in range(count)]
    for pattern, owner in zip(which.tolist(), owners.tolist(), strict=True):
        if names[owner]:
            votes[pattern][names[owner]] += 1
    return tuple(vote.most_common(1)[0][0] if vote else "" for vote in votes)
