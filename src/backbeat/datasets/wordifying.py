"""Any collection of MIDI files as LSTMetallica's words: the corpus of a band of your own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from backbeat.codecs.metallica_text import read_songs_words
from backbeat.codecs.words import Words
from backbeat.datasets import list_sources
from backbeat.datasets.source import Source
from backbeat.errors import InputError
from backbeat.midi import parse_song


def list_wordable(specs: Sequence[str], data: Path | None = None) -> list[Source]:
    """The pieces that names stand for, each name's in the order of the published text: by name, without regard to capitals.

    Args:
        specs: data sets, folders, archives or files, see ``datasets.list_sources``.
        data: the folder with the data sets.

    Raises:
        InputError: a name stands for nothing.
    """
    return [s for spec in specs for s in sorted(list_sources(spec, data), key=lambda s: s.name.lower())]


def wordify(sources: Iterable[Source]) -> Iterator[tuple[Source, list[Words] | str]]:
    """Each piece with its songs' words (more than one only where the file was made from text with marks), or why it has none."""
    for source in sources:
        try:
            yield source, read_songs_words(parse_song(source.read(), source.name))
        except InputError as error:
            yield source, str(error)
