"""What a musician takes away as MIDI: the song with its drums, the drums alone, or one track a piece of the kit; for any kit map."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from backbeat.errors import InputError
from backbeat.groove import Groove
from backbeat.kits import STAND_INS, Kit, load_kit
from backbeat.midi import splice_drums
from backbeat.midi.drumtrack import build_drum_chunk, plan_notes
from backbeat.midi.writer import build_song
from backbeat.studio.project import Project
from backbeat.studio.views import PIECES

MIDI, ZIP, WAVE = "audio/midi", "application/zip", "audio/wav"
DOWNLOADS = {"song.mid": MIDI, "drums.mid": MIDI, "pieces.mid": MIDI, "project.backbeat": "application/octet-stream"}
MAX_FILE_NAME = 80


def write_download(what: str, project: Project, take: int | None, kit: str | None) -> bytes:
    """The bytes of a MIDI file to take away.

    Args:
        what: ``song.mid``: the song's own file with the drums as one more track, every other byte as it was; ``drums.mid``: the drums alone, with
            tempi and metres; ``pieces.mid``: likewise, one track a piece.
        project: the song and its drums.
        take: which take; none = the current one.
        kit: the kit map that the notes are written for; none = General MIDI.

    Raises:
        InputError: there is no such take or kit, or nothing to write.
    """
    groove = write_for_kit(take_groove(project, take), None if kit is None else load_kit(kit))
    if what == "song.mid":
        return splice_drums(project.song, groove)
    return build_drums(project, groove) if what == "drums.mid" else build_pieces(project, groove)


def take_groove(project: Project, take: int | None) -> Groove:
    """The drums of a take.

    Args:
        project: the song and its drums.
        take: which; none = the current one.

    Raises:
        InputError: there is no such take, or none at all.
    """
    if take is None and project.state.take is None:
        raise InputError("there are no drums yet: ask for some first")
    return project.groove(take)


def build_drums(project: Project, groove: Groove) -> bytes:
    """The drums alone, where they are in the song."""
    return build_song(groove, project.song.tempo, project.song.metre)


def build_pieces(project: Project, groove: Groove) -> bytes:
    """The drums with one track for each piece of the kit that is played, in the order of ``PIECES``."""
    end, tempo, metre = int(groove.grid.bar_ticks[-1]), project.song.tempo, project.song.metre
    pieces = split_pieces(groove)
    if not pieces:
        return build_song(groove, tempo, metre)
    (first, played), *others = pieces.items()
    chunks = [build_drum_chunk(plan_notes(part, end), PIECES[name][0], end) for name, part in others]
    return build_song(played, tempo, metre, chunks, name=PIECES[first][0])


def split_pieces(groove: Groove) -> dict[str, Groove]:
    """The groove of each piece that is played, by its name in ``PIECES``."""
    out = {}
    for piece, (_, _, names) in PIECES.items():
        columns = np.isin(groove.kit.names, names)
        hits = groove.hits & columns
        if hits.any():
            out[piece] = groove.replace(hits=hits)
    return out


def write_for_kit(groove: Groove, kit: Kit | None) -> Groove:
    """The same groove, whose notes are those of another kit map; a class that it lacks sounds as the nearest that it has.

    Args:
        groove: in the kit ``backbeat``.
        kit: the kit map; none = General MIDI.
    """
    if kit is None or kit.name == groove.kit.name:
        return groove
    notes = find_notes(groove.kit, kit)
    classes = tuple(replace(cls, write=note) for cls, note in zip(groove.kit.classes, notes, strict=True))
    return Groove(groove.grid, replace(groove.kit, classes=classes), groove.hits, groove.velocities, groove.offsets)


def find_notes(own: Kit, kit: Kit) -> list[int]:
    """The note that another kit map writes for each class of the kit ``backbeat``, or for what stands in for it; else the class's own."""
    columns, notes = own.mapping(kit), []
    for column, name, note in zip(columns.tolist(), own.names, own.written.tolist(), strict=True):
        column = kit.names.index(name) if name in kit.names else column
        while column < 0 and name in STAND_INS:
            name = STAND_INS[name]
            column = int(columns[own.index(name)])
        notes.append(note if column < 0 else kit.classes[column].write)
    return notes


def name_download(name: str, what: str) -> str:
    """A file name for what is taken away: the project's name and what it is.

    Args:
        name: of the project.
        what: one of ``DOWNLOADS`` or of the renders.
    """
    stem = re.sub(r'[\x00-\x1f<>:"/\\|?*\x7f]', "_", name).strip(" .")[:MAX_FILE_NAME].strip(" .") or "song"
    kind, dot, ending = what.partition(".")
    endings = {"song.mid": f"{stem}-drums.mid", "drums.mid": f"{stem}-drums-only.mid", "project.backbeat": f"{stem}.backbeat", "song.wav": f"{stem}.wav"}
    return endings.get(what, f"{stem}-{kind}{dot}{ending}")
