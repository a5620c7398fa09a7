"""LSTMetallica's text: a word of nine bits a 16th, ``BAR`` behind every 16 words whatever the metre, one line.

``0b100000001`` is kick and crash: the bits stand for kick, snare, closed hat, open hat, floor tom, low tom, high tom, ride and
crash (kit ``lstmetallica_9``), the kick first. Every token is followed by a space. A song's last bar is padded with rests.
``SONG_BEGIN`` and ``SONG_END`` around each song are optional; the original's author wished for them.

Conventions: inside Backbeat a word keeps the order of ``drums_rnn_9`` (see ``codecs.words``; floor, low and high tom are its low, mid
and high tom), uint16 [steps]. A MIDI file made from text says in a text event how many bars each song has, so that rests at an
end, and songs in one file, come back; any other file ends with the bar of its last hit.

Source: Choi, Fazekas, Sandler 2016 (arXiv 1604.05358); its 57 files, in the order of their names without regard to capitals, give its
text: 2,141,692 characters, 185,759 tokens of 118 types, 10,927 bars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, PLAIN_VELOCITY, VOCABULARY, Words, hits_to_words, words_to_hits
from backbeat.errors import InputError, SongError
from backbeat.grid import Grid
from backbeat.groove import Groove
from backbeat.kits import Kit, load_kit
from backbeat.midi.drumtrack import build_drum_chunk, encode_chunk, encode_delta, encode_meta, plan_notes
from backbeat.midi.events import END_OF_TRACK, SET_TEMPO, TEXT, TIME_SIGNATURE
from backbeat.midi.grooves import extract_groove
from backbeat.song import Song
from backbeat.units import round_half_up

STEPS = 16
"""Words of a bar."""
BAR, SONG_BEGIN, SONG_END = "BAR", "SONG_BEGIN", "SONG_END"
_NAMES = ("kick", "snare", "closed_hat", "open_hat", "low_tom", "mid_tom", "high_tom", "ride", "crash")
_BARS = re.compile(rb"backbeat words: ((?:\d+ )+)bars")
_WORD = re.compile(r"0b[01]{9}\Z")


@cache
def list_columns() -> tuple[int, ...]:
    """Where each bit of a text word, the first one first, stands among the classes of ``drums_rnn_9``."""
    kit = load_kit("drums_rnn_9")
    return tuple(kit.index(name) for name in _NAMES)


@cache
def list_spellings() -> tuple[str, ...]:
    """The text of each of the 512 words of ``drums_rnn_9``."""
    bits = words_to_hits(np.arange(VOCABULARY, dtype=np.uint16))[:, list_columns()].astype(int)
    return tuple("0b" + "".join(map(str, row)) for row in bits.tolist())


@cache
def _list_words() -> dict[str, int]:
    return {text: word for word, text in enumerate(list_spellings())}


def spell_tokens(words: Iterable[int], *, marks: bool = False) -> list[str]:
    """A song as tokens.

    Args:
        words: [steps] in the order of ``drums_rnn_9``; the last bar is padded with rests.
        marks: put it between SONG_BEGIN and SONG_END.
    """
    spellings, out = list_spellings(), [SONG_BEGIN] if marks else []
    spelt = [spellings[word] for word in words]
    spelt += [spellings[0]] * (-len(spelt) % STEPS)
    for start in range(0, len(spelt), STEPS):
        out += [*spelt[start : start + STEPS], BAR]
    return [*out, SONG_END] if marks else out


def write_text(songs: Iterable[Words], *, marks: bool = False) -> str:
    """Songs as one line of text, as the original's: a space behind every token."""
    return "".join(f"{token} " for words in songs for token in spell_tokens(words.tolist(), marks=marks))


@dataclass(frozen=True, eq=False)
class Text:
    """What was read from text.

    Args:
        songs: uint16 [steps] each, whole bars. Text without marks is one song.
        irregular: bars that had not 16 words; their words run on, as the original plays them, and bars are counted anew.
        marked: whether there were SONG_BEGIN or SONG_END.
    """

    songs: tuple[Words, ...]
    irregular: int
    marked: bool


def read_text(text: str) -> Text:
    """Read text; what stands outside all songs' marks is a song, too.

    Raises:
        InputError: there is no word, or a token that is none.
    """
    known, songs, now = _list_words(), [], list[int]()
    irregular, length, marked = 0, 0, False
    for number, token in enumerate(text.split(), 1):
        if token == BAR:
            irregular, length = irregular + (length != STEPS), 0
        elif token in (SONG_BEGIN, SONG_END):
            marked, irregular, length = True, irregular + bool(length), 0
            if now:
                songs.append(now)
            now = []
        elif _WORD.match(token):
            now.append(known[token])
            length += 1
        else:
            raise InputError(f"token {number} of the text, {token[:20]!r}, is neither a word such as 0b100000001 nor BAR, SONG_BEGIN or SONG_END")
    songs += [now] if now else []
    if not songs:
        raise InputError("the text holds no word such as 0b100000001")
    return Text(tuple(_pad(s) for s in songs), irregular + bool(length), marked)


def _pad(words: Sequence[int]) -> Words:
    return np.array([*words, *[0] * (-len(words) % STEPS)], np.uint16)


def read_song_words(song: Song) -> tuple[Grid, Words]:
    """A song's drums as the text has them: 16ths from tick 0, ``((tick + 60) // 120) * 120`` at 480 ticks per quarter.

    Args:
        song: any; its metre is not looked at.

    Returns:
        a grid of 4/4 bars and uint16 [steps].

    Raises:
        SongError: no note of the text's kit is played.
    """
    kit, quarter = load_kit("lstmetallica_9"), song.tempo.ticks_per_quarter
    stated = _read_bars(song)
    bars = sum(stated) if stated else _count_bars(song, kit)
    if not bars:
        raise SongError(f"{song.source or 'the song'}: no drum that LSTMetallica's text knows")
    grid = Grid.regular(bars, ticks_per_quarter=quarter)
    hits = np.zeros((grid.steps, CLASSES), np.bool_)
    hits[:, list_columns()] = extract_groove(song, grid, kit)[0].hits
    return grid, hits_to_words(hits)


def read_songs_words(song: Song) -> list[Words]:
    """The songs of a file: more than one where it was made from text with marks; uint16 [steps] each.

    Raises:
        SongError: no note of the text's kit is played.
    """
    _, words = read_song_words(song)
    ends = np.cumsum(_read_bars(song) or [len(words) // STEPS]) * STEPS
    return np.split(words, ends[:-1])


def _count_bars(song: Song, kit: Kit) -> int:
    """Bars up to that of the last hit, 0 without one."""
    quarter = song.tempo.ticks_per_quarter
    onsets = [p.notes["onset"][kit.lookup[p.notes["pitch"]] >= 0] for p in song.drum_parts]
    last = max((int(o.max()) for o in onsets if len(o)), default=-1)
    return 0 if last < 0 else -(-((8 * last + quarter) // (2 * quarter) + 1) // STEPS)


def _read_bars(song: Song) -> list[int]:
    """Bars of each song, where the file was made from text; else []."""
    found = _BARS.search(song.data)
    return [int(n) for n in found[1].split()] if found else []


def words_to_text_groove(words: Words) -> Groove:
    """A song as a groove of kit ``lstmetallica_9`` on bars of 4/4, every hit with ``PLAIN_VELOCITY``."""
    grid = Grid.regular(-(-len(words) // STEPS))
    hits = np.zeros((grid.steps, CLASSES), np.bool_)
    hits[: len(words)] = words_to_hits(words)[:, list_columns()]
    return Groove(grid, load_kit("lstmetallica_9"), hits, hits * np.float32(PLAIN_VELOCITY), np.zeros(hits.shape, np.float32))


def write_midi(songs: Sequence[Words], qpm: float = 120.0, kit: Kit | None = None) -> bytes:
    """Songs, one behind the other, as a MIDI file that ``read_songs_words`` reads back.

    Args:
        songs: uint16 [steps] each, whole bars.
        qpm: quarters a minute.
        kit: whose notes are written, none = ``lstmetallica_9``, which are General MIDI's. What another kit does not have is lost.

    Raises:
        InputError: the tempo is out of range.
    """
    if not 4 <= qpm <= 1000:
        raise InputError(f"the tempo must lie in 4-1000 quarter notes a minute, not {qpm:g}")
    groove = words_to_text_groove(np.concatenate(songs))
    groove = groove.to_kit(kit) if kit else groove
    end, lengths = int(groove.grid.bar_ticks[-1]), "".join(f"{len(s) // STEPS} " for s in songs)
    events = (
        (TEXT, f"backbeat words: {lengths}bars".encode()),
        (SET_TEMPO, round_half_up(60e6 / qpm).to_bytes(3, "big")),
        (TIME_SIGNATURE, bytes([4, 2, 24, 8])),
    )
    conductor = b"".join(b"\0" + encode_meta(kind, payload) for kind, payload in events) + encode_delta(end) + encode_meta(END_OF_TRACK, b"")
    head = encode_chunk(b"MThd", bytes([0, 1, 0, 2]) + (480).to_bytes(2, "big"))
    return head + encode_chunk(b"MTrk", conductor) + build_drum_chunk(plan_notes(groove, end), "Drums", end)


class MetallicaCodec:
    """Grooves as the numbers that the words' bits spell, behind the protocol of codecs."""

    name = "metallica_text"
    size = VOCABULARY

    @property
    def kit(self) -> Kit:
        """The text's nine classes."""
        return load_kit("lstmetallica_9")

    def encode(self, groove: Groove) -> npt.NDArray[np.int64]:
        """int64 [steps]: 0b100000001 = 257 is kick and crash."""
        return np.asarray(groove.to_kit(self.kit).hits @ (1 << np.arange(CLASSES)[::-1]), dtype=np.int64)

    def decode(self, codes: npt.NDArray[np.int64], grid: Grid) -> Groove:
        """The hits of ``codes`` on ``grid``."""
        hits = (np.asarray(codes)[:, None] >> np.arange(CLASSES)[::-1]) & 1 == 1
        return Groove(grid, self.kit, hits, hits * np.float32(PLAIN_VELOCITY), np.zeros(hits.shape, np.float32))
