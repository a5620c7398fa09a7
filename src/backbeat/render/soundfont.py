"""SoundFonts for a renderer that reads only SF2: SF3 files are expanded, and missing programs stand in for one another.

SF3 is SF2 with each sample as an Ogg Vorbis stream: its sample headers hold byte offsets where SF2 has frames, and loops counted from
the sample's start. Expanding the shipped band takes 1 to 2 seconds, so ``fontcache`` keeps the result.
"""

from __future__ import annotations

import io
import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError
from backbeat.render.programs import find_kit_stand_in, find_stand_in

Table = npt.NDArray[np.void]

PRESET = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "V12")])
BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
WIDE_BAG = np.dtype([("generator", "<i8"), ("modulator", "<i8")])
PRESET_TABLES = ((b"phdr", PRESET), (b"pbag", BAG), (b"pgen", np.dtype("V4")), (b"pmod", np.dtype("V10")))
SAMPLE = np.dtype(
    [
        ("name", "S20"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop", "<u4"),
        ("loop_end", "<u4"),
        ("rate", "<u4"),
        ("pitch", "V2"),
        ("link", "<u2"),
        ("kind", "<u2"),
    ]
)
TABLES = (b"phdr", b"pbag", b"pmod", b"pgen", b"inst", b"ibag", b"imod", b"igen", b"shdr")

VORBIS = 0x10
"""The bit of a sample's kind that says its data are a Vorbis stream."""
DRUM_BANK = 128
GAP = 46
"""Silent frames that SF2 asks for behind every sample."""


class SoundFont(NamedTuple):
    """A SoundFont taken apart: the chunks of its INFO list in order, its sample data, and its tables by name."""

    info: list[tuple[bytes, bytes]]
    samples: bytes
    tables: dict[bytes, bytes]


def expand_soundfont(data: bytes) -> bytes:
    """An SF3 file as SF2, with stand-ins for the General MIDI programs and drum kits it lacks; ``data`` itself where it is SF2.

    Raises:
        InputError: the bytes are no SoundFont, or a sample cannot be decoded.
    """
    font = parse_soundfont(data)
    if not (np.frombuffer(font.tables[b"shdr"], dtype=SAMPLE)[:-1]["kind"] & VORBIS).any():
        return data
    try:
        headers, samples = _decode_samples(font)
        presets = _add_stand_ins(font.tables)
    except (IndexError, OverflowError, ValueError):
        raise InputError("it is a damaged SoundFont") from None
    info = [(kind, struct.pack("<HH", 2, 1) if kind == b"ifil" else body) for kind, body in font.info]
    return build_soundfont(SoundFont(info, samples, {**font.tables, **presets, b"shdr": headers.tobytes()}))


def parse_soundfont(data: bytes) -> SoundFont:
    """Take a SoundFont apart.

    Raises:
        InputError: the bytes are no SoundFont, or end early.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise InputError("it is not a SoundFont")
    lists = {body[:4]: _split_chunks(body[4:]) for kind, body in _split_chunks(data[12:]) if kind == b"LIST"}
    samples = dict(lists.get(b"sdta", [])).get(b"smpl")
    tables = dict(lists.get(b"pdta", []))
    if samples is None or any(name not in tables for name in TABLES) or len(tables[b"shdr"]) % SAMPLE.itemsize:
        raise InputError("it is a damaged SoundFont")
    return SoundFont(lists.get(b"INFO", []), samples, tables)


def build_soundfont(font: SoundFont) -> bytes:
    """The file of a SoundFont: the inverse of ``parse_soundfont``."""
    tables = [(name, font.tables[name]) for name in TABLES]
    lists = ((b"INFO", font.info), (b"sdta", [(b"smpl", font.samples)]), (b"pdta", tables))
    body = b"".join(_join_chunk(b"LIST", kind + b"".join(_join_chunk(*chunk) for chunk in chunks)) for kind, chunks in lists)
    return _join_chunk(b"RIFF", b"sfbk" + body)


def _split_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks, position = [], 0
    while position + 8 <= len(data):
        kind, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "little")
        if position + 8 + size > len(data):
            raise InputError("it is a SoundFont that ends early")
        chunks.append((kind, data[position + 8 : position + 8 + size]))
        position += 8 + size + (size & 1)
    return chunks


def _join_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1)


def _decode_samples(font: SoundFont) -> tuple[Table, bytes]:
    """The sample headers in frames, and the samples (int16, each with its gap) that they point into."""
    headers = np.frombuffer(font.tables[b"shdr"], dtype=SAMPLE).copy()
    pieces: list[bytes] = []
    placed: dict[tuple[int, int], tuple[int, int]] = {}
    frames = 0
    for header in headers[:-1]:
        if not header["kind"] & VORBIS:
            raise InputError("it mixes Vorbis with plain samples")
        span = int(header["start"]), int(header["end"])
        if span not in placed:
            sample = _decode_vorbis(font.samples[span[0] : span[1]])
            placed[span] = frames, frames + len(sample)
            pieces += [sample.tobytes(), bytes(2 * GAP)]
            frames += len(sample) + GAP
        start, end = placed[span]
        header["loop"], header["loop_end"] = (min(start + int(header[f]), end) for f in ("loop", "loop_end"))
        header["start"], header["end"] = start, end
        header["kind"] &= ~np.uint16(VORBIS)
    return headers, b"".join(pieces)


def _decode_vorbis(data: bytes) -> npt.NDArray[np.int16]:
    import soundfile

    try:
        sample, _ = soundfile.read(io.BytesIO(data), dtype="int16")
    except soundfile.LibsndfileError:
        raise InputError("a sample in it cannot be decoded") from None
    return np.ascontiguousarray(sample if sample.ndim == 1 else sample[:, 0], dtype="<i2")


def _add_stand_ins(tables: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """The preset tables with one more preset for each General MIDI program and drum kit that is missing.

    A preset's zones reach to where those of the next begin, so a stand-in needs its own copy of them; the samples stay where they are.
    """
    presets, bags, generators, modulators = (np.frombuffer(tables[name], dtype=dtype) for name, dtype in PRESET_TABLES)
    chosen = [*enumerate(zip(presets["bank"][:-1].tolist(), presets["program"][:-1].tolist(), strict=True)), *_choose_stand_ins(presets[:-1])]
    rows = presets[[model for model, _ in chosen] + [-1]].copy()
    columns: list[list[Table]] = [[], [], []]
    counts = [0, 0, 0]
    for row, (model, (bank, program)) in zip(rows, chosen, strict=False):
        row["bank"], row["program"], row["bag"] = bank, program, counts[0]
        zones = bags[int(presets["bag"][model]) : int(presets["bag"][model + 1]) + 1].astype(WIDE_BAG)
        spans = [slice(int(zones[name][0]), int(zones[name][-1])) for name in ("generator", "modulator")]
        for name, count, span in zip(("generator", "modulator"), counts[1:], spans, strict=True):
            zones[name] += count - span.start
        for i, table in enumerate((zones[:-1], generators[spans[0]], modulators[spans[1]])):
            columns[i].append(table)
            counts[i] += len(table)
    rows["bag"][-1] = counts[0]
    if max(counts) > 0xFFFF:
        raise InputError("it has too many presets")
    columns[0].append(np.array([(counts[1], counts[2])], dtype=WIDE_BAG))
    joined = np.concatenate(columns[0]).astype(BAG), np.concatenate([*columns[1], generators[-1:]]), np.concatenate([*columns[2], modulators[-1:]])
    return {b"phdr": rows.tobytes(), b"pbag": joined[0].tobytes(), b"pgen": joined[1].tobytes(), b"pmod": joined[2].tobytes()}


def _choose_stand_ins(presets: Table) -> list[tuple[int, tuple[int, int]]]:
    """Which preset (its row) is to sound for each bank and program that is missing."""
    chosen = []
    for bank, find in ((0, find_stand_in), (DRUM_BANK, find_kit_stand_in)):
        rows = {int(presets["program"][row]): int(row) for row in np.flatnonzero(presets["bank"] == bank)}
        for program in sorted(set(range(128)) - set(rows)):
            model = find(program, rows)
            if model is not None:
                chosen.append((rows[model], (bank, program)))
    return chosen
