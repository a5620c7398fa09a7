"""What is compared: drum tracks as words with their bars, and the training tracks laid one behind the other.

Conventions: words are uint16 9-bit sets (``codecs/words.py``), one a 16th; bars are given by the step each starts at. In a ``Library``
a ``BARRIER`` stands between two tracks and ``MARGIN`` of them at both ends, so that no comparison runs from one track into the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import Words
from backbeat.datasets.corpus import Corpus
from backbeat.datasets.folders import is_midi
from backbeat.datasets.preparation import KIT, fold_groove
from backbeat.errors import BackbeatError, InputError
from backbeat.kits import load_kit
from backbeat.midi import extract_groove, read_song
from backbeat.units import Ints

BARRIER = 0xFFFF
"""No word: differs from every word in at least seven bits."""

MARGIN = 512
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Track:
    """A drum track.

    Args:
        name: whose it is.
        words: uint16 [steps].
        first_steps: int64 [bars + 1], the step each bar starts at, and the end.
        cluster: near-duplicates have the same, "" if unknown.
    """

    name: str
    words: Words
    first_steps: Ints
    cluster: str = ""


def read_track(path: str | Path, steps_per_quarter: int = 4) -> Track:
    """The drum parts of a MIDI file (drums alone or a whole song), on a grid of some density.

    Raises:
        InputError: it cannot be read, or has no drums.
    """
    song = read_song(path)
    if not song.drum_parts:
        raise InputError(f"{path}: no drums in it: name a file with a drum track")
    grid = song.grid(steps_per_quarter)
    words = fold_groove(extract_groove(song, grid, load_kit(KIT))[0])[0]
    if not words.any():
        raise InputError(f"{path}: its drum track has no note of a drum kit")
    return Track(str(path), words, grid.first_steps)


def read_names(corpus: Corpus) -> list[str]:
    """The name of every piece of a corpus; "piece 17" where it keeps none.

    Raises:
        MissingExtraError: its manifest is Parquet, and pyarrow is not installed.
    """
    old = corpus.folder / "manifest.csv"
    names = list(_read_kept(old)) if old.is_file() else corpus.names
    return names if len(names) == len(corpus) else [f"piece {i + 1}" for i in range(len(corpus))]


def read_clusters(corpus: Corpus) -> list[str]:
    """The near-duplicate cluster of every piece; "" where the corpus does not know."""
    if (corpus.folder / "manifest.csv").is_file() or "cluster" not in corpus.manifest.column_names:
        return [""] * len(corpus)
    return [str(c) if c is not None else "" for c in corpus.manifest.column("cluster").to_pylist()]


def _read_kept(manifest: Path) -> Iterator[str]:
    import csv

    with manifest.open(newline="", encoding="utf-8") as file:
        yield from (row["name"] for row in csv.DictReader(file) if row["result"] == "kept")


def list_corpus_tracks(corpus: Corpus) -> Iterator[Track]:
    """The pieces of a corpus as tracks."""
    for name, cluster, piece in zip(read_names(corpus), read_clusters(corpus), corpus, strict=True):
        first = np.concatenate([[0], np.cumsum(piece["layout"][:, 0], dtype=np.int64)])
        yield Track(name, np.asarray(piece["words"]), np.minimum(first, len(piece["words"])), cluster)


def list_midi_files(folder: Path) -> list[Path]:
    """The MIDI files below a folder, in the order of their names."""
    return sorted(p for p in folder.rglob("*") if is_midi(p.name) and p.is_file())


def list_folder_tracks(folder: Path, progress: Callable[[int], None] = lambda done: None) -> Iterator[Track]:
    """The MIDI files below a folder that have drums, as tracks; the others are left out."""
    for done, path in enumerate(list_midi_files(folder), 1):
        try:
            track = read_track(path)
        except BackbeatError:
            continue
        finally:
            progress(done)
        yield Track(path.relative_to(folder).as_posix(), track.words, track.first_steps)


@dataclass(frozen=True, eq=False)
class Library:
    """Training tracks, one behind the other.

    Args:
        names: of the tracks.
        words: uint16 [places], with barriers.
        bars: int32 [bars], the place each bar starts at.
        bar_steps: int32 [bars], its length.
        bar_tracks: int32 [bars], whose it is.
        track_places: int32 [tracks], where each track starts.
        track_bars: int32 [tracks], the first bar of each.
        track_groups: int32 [tracks], the same for near-duplicates.
    """

    names: list[str]
    words: Words
    bars: Int32s
    bar_steps: Int32s
    bar_tracks: Int32s
    track_places: Int32s
    track_bars: Int32s
    track_groups: Int32s

    @classmethod
    def lay(cls, tracks: Iterable[Track]) -> Library:
        """Lay tracks one behind the other.

        Raises:
            InputError: there is none.
        """
        names, words, bars, lengths, owners, places, firsts = list[str](), [_barriers(MARGIN)], list[Ints](), list[Ints](), list[int](), list[int](), [0]
        place, known, groups = MARGIN, dict[str, int](), list[int]()
        for track in tracks:
            groups.append(known.setdefault(track.cluster or f"\0{len(names)}", len(names)))
            names.append(track.name)
            places.append(place)
            words += [np.asarray(track.words, dtype=np.uint16), _barriers(1)]
            bars.append(track.first_steps[:-1] + place)
            lengths.append(np.diff(track.first_steps))
            owners.append(len(track.first_steps) - 1)
            firsts.append(firsts[-1] + owners[-1])
            place += len(track.words) + 1
        if not names:
            raise InputError("no training track to compare with: name a corpus or a folder with MIDI files that have drums")
        whose = np.repeat(np.arange(len(names)), owners)
        columns = (np.concatenate(bars), np.concatenate(lengths), whose, np.array(places), np.array(firsts[:-1]), np.array(groups))
        return cls(names, np.concatenate([*words, _barriers(MARGIN)]), *(c.astype(np.int32) for c in columns))

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything but the names, by name."""
        return {n: getattr(self, n) for n in ("words", "bars", "bar_steps", "bar_tracks", "track_places", "track_bars", "track_groups")}

    @classmethod
    def restore(cls, names: list[str], arrays: Mapping[str, npt.NDArray[np.generic]]) -> Library:
        """The library whose ``arrays`` these are."""
        return cls(names, *(arrays[n] for n in ("words", "bars", "bar_steps", "bar_tracks", "track_places", "track_bars", "track_groups")))  # type: ignore[arg-type]

    def find_track(self, places: Ints | Int32s) -> Ints:
        """int64, the track that each place belongs to."""
        return np.asarray(np.searchsorted(self.track_places, np.asarray(places, dtype=np.int32), side="right") - 1, dtype=np.int64)

    def find_group(self, places: Ints | Int32s) -> Ints:
        """int64, the group of near-duplicates that each place belongs to."""
        return self.track_groups[self.find_track(places)].astype(np.int64)

    def find_bar(self, place: int) -> tuple[int, int]:
        """The bar of a place within its track, counted from 1, and the step in the bar from 0."""
        bar = int(np.searchsorted(self.bars, np.int32(place), side="right")) - 1
        return bar - int(self.track_bars[self.bar_tracks[bar]]) + 1, place - int(self.bars[bar])


def _barriers(count: int) -> Words:
    return np.full(count, BARRIER, dtype=np.uint16)
