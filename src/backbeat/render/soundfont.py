"""SoundFonts for a renderer that reads only SF2: SF3 files are expanded, and missing programs stand in for one another.

SF3 is SF2 with each sample as an Ogg Vorbis stream: its sample headers hold byte offsets where SF2 has frames, and loops counted from
the sample's start. Expanding the shipped band takes 1 to 2 seconds, so the result is kept in the user's cache folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import struct
import sys
import tempfile
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.errors import InputError, OutputError
from backbeat.files import write_bytes

Table = npt.NDArray[np.void]

PRESET = np.dtype([("name", "S20"), ("program", "<u2"), ("bank", "<u2"), ("bag", "<u2"), ("unused", "V12")])
BAG = np.dtype([("generator", "<u2"), ("modulator", "<u2")])
GENERATOR, MODULATOR = np.dtype("V4"), np.dtype("V10")
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
GAP = 46
"""Silent frames that SF2 asks for behind every sample."""
CACHE_VERSION = 1
"""Part of a cached file's name: to be raised when the expansion changes."""

# fmt: off
STAND_INS = (
    0, 0, 0, 0, 4, 4, 0, 0,          # pianos
    4, 4, 4, 4, 4, 4, 4, 4,          # bells and mallets: the electric piano
    16, 16, 16, 16, 16, 16, 16, 16,  # organs
    25, 25, 27, 27, 27, 30, 30, 27,  # guitars
    33, 33, 33, 33, 33, 33, 38, 38,  # basses
    48, 48, 48, 48, 48, 25, 25, 48,  # bowed strings; pizzicato and harp: plucked
    48, 48, 48, 48, 52, 52, 52, 61,  # ensemble and choir
    56, 61, 61, 56, 61, 61, 61, 61,  # brass
    65, 65, 65, 65, 65, 65, 65, 65,  # reeds
    73, 73, 73, 73, 73, 73, 73, 73,  # pipes
    81, 81, 81, 81, 81, 81, 81, 81,  # leads
    89, 89, 89, 89, 89, 89, 89, 89,  # pads
    89, 89, 89, 89, 89, 89, 89, 89,  # effects
    25, 25, 25, 25, 4, 65, 48, 65,   # sitar to koto: plucked; kalimba, bagpipe, fiddle, shanai
    4, 4, 4, 4, 4, 4, 4, 89,         # tuned percussion
    89, 89, 89, 89, 89, 89, 89, 89,  # noises
)
# fmt: on
"""The program of ``band.sf3`` that sounds for each General MIDI program: the nearest of its family."""


class SoundFont(NamedTuple):
    """A SoundFont taken apart: the chunks of its INFO list in order, its sample data, and its tables by name."""

    info: list[tuple[bytes, bytes]]
    samples: bytes
    tables: dict[bytes, bytes]


def load_soundfont(path: Path | None = None) -> bytes:
    """The bytes of an SF2 file.

    Args:
        path: an SF2 or SF3 file; none = the band that ships with Backbeat.

    Raises:
        InputError: the file cannot be read, or is no SoundFont.
    """
    if path is None:
        return _load_band()
    try:
        return expand_cached(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such SoundFont") from None
    except (OSError, InputError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be used as a SoundFont ({reason})") from None


@lru_cache(maxsize=1)
def _load_band() -> bytes:
    return expand_cached(resources.files("backbeat.sounds").joinpath("band.sf3").read_bytes())


def expand_cached(data: bytes) -> bytes:
    """``expand``, with the result kept between runs; data that need no expansion are returned as they are.

    Raises:
        InputError: the bytes are no SoundFont.
    """
    if not is_compressed(data):
        return data
    name = f"soundfont-{CACHE_VERSION}-{hashlib.sha256(data).hexdigest()[:24]}.sf2"
    folders = list_cache_folders()
    for folder in folders:
        with contextlib.suppress(OSError):
            kept = (folder / name).read_bytes()
            if len(kept) > 12 and len(kept) == 8 + int.from_bytes(kept[4:8], "little"):
                return kept
    expanded = expand(data)
    for folder in folders:
        with contextlib.suppress(OSError, OutputError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_bytes(folder / name, expanded)
            break
    return expanded


def list_cache_folders() -> list[Path]:
    """Where expanded SoundFonts are kept: the user's cache folder, else one of the user's own in the temporary folder."""
    if sys.platform == "win32":
        cache = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or ("~/Library/Caches" if sys.platform == "darwin" else "~/.cache")
    folders = []
    with contextlib.suppress(RuntimeError):
        folders.append(Path(cache).expanduser() / "backbeat")
    user = os.getuid() if hasattr(os, "getuid") else 0
    temporary = Path(tempfile.gettempdir()) / f"backbeat-{user}"
    # Somebody else could have made a folder of that name in a shared temporary folder, with a file of their choice in it.
    if not temporary.exists() or not hasattr(os, "getuid") or temporary.lstat().st_uid == user:
        folders.append(temporary)
    return folders


def is_compressed(data: bytes) -> bool:
    """Whether a SoundFont has Vorbis samples.

    Raises:
        InputError: the bytes are no SoundFont.
    """
    return bool((np.frombuffer(parse_soundfont(data).tables[b"shdr"], dtype=SAMPLE)[:-1]["kind"] & VORBIS).any())


def expand(data: bytes) -> bytes:
    """An SF3 file as SF2, with stand-ins for the General MIDI programs it lacks.

    Raises:
        InputError: the bytes are no SoundFont, or a sample cannot be decoded.
    """
    font = parse_soundfont(data)
    headers, samples = _decode_samples(font)
    info = [(kind, struct.pack("<HH", 2, 1) if kind == b"ifil" else body) for kind, body in font.info]
    return build_soundfont(SoundFont(info, samples, {**font.tables, **_add_stand_ins(font.tables), b"shdr": headers.tobytes()}))


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
    """The preset tables with one more preset for each General MIDI program of bank 0 that is missing.

    A preset's zones reach to where those of the next begin, so a stand-in needs its own copy of them; the samples stay where they are.
    """
    presets, bags, generators, modulators = (
        np.frombuffer(tables[name], dtype=dtype) for name, dtype in ((b"phdr", PRESET), (b"pbag", BAG), (b"pgen", GENERATOR), (b"pmod", MODULATOR))
    )
    place = {int(p["program"]): i for i, p in enumerate(presets[:-1]) if p["bank"] == 0}
    wanted = [(program, place[model]) for program, model in enumerate(STAND_INS) if program not in place and model in place]
    names = [*range(len(presets) - 1), *(i for _, i in wanted)]
    new_presets, new_bags = [], []
    picked_generators, picked_modulators = [], []
    bag_count = generator_count = modulator_count = 0
    for row, i in enumerate(names):
        preset = presets[i : i + 1].copy()
        preset["bag"] = bag_count
        if row >= len(presets) - 1:
            preset["program"] = wanted[row - len(presets) + 1][0]
        zones = bags[int(presets["bag"][i]) : int(presets["bag"][i + 1]) + 1]
        first, last = zones[0], zones[-1]
        moved = zones[:-1].copy()
        moved["generator"] += np.uint16(generator_count - int(first["generator"]) & 0xFFFF)
        moved["modulator"] += np.uint16(modulator_count - int(first["modulator"]) & 0xFFFF)
        new_presets.append(preset)
        new_bags.append(moved)
        picked_generators.append(generators[int(first["generator"]) : int(last["generator"])])
        picked_modulators.append(modulators[int(first["modulator"]) : int(last["modulator"])])
        bag_count, generator_count, modulator_count = (
            bag_count + len(moved),
            generator_count + len(picked_generators[-1]),
            modulator_count + len(picked_modulators[-1]),
        )
    end = presets[-1:].copy()
    end["bag"] = bag_count
    end_bag = np.array([(generator_count, modulator_count)], dtype=BAG)
    return {
        b"phdr": np.concatenate([*new_presets, end]).tobytes(),
        b"pbag": np.concatenate([*new_bags, end_bag]).tobytes(),
        b"pgen": np.concatenate([*picked_generators, generators[-1:]]).tobytes(),
        b"pmod": np.concatenate([*picked_modulators, modulators[-1:]]).tobytes(),
    }
