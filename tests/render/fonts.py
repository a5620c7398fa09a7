"""A SoundFont of one looped sample, with Vorbis data (SF3) or plain ones (SF2), made by hand."""

from __future__ import annotations

import io
import struct

import numpy as np
import soundfile

FRAMES, LOOP = 2_000, (400, 1_600)


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def tone() -> np.ndarray:
    return (np.sin(np.arange(FRAMES) * 2 * np.pi / 100) * 20_000).astype(np.int16)


def make_font(*, vorbis: bool = True, presets: tuple[tuple[int, int], ...] = ((0, 0), (0, 33), (128, 0))) -> bytes:
    """A font whose presets (bank, program) all play one tone; the last sample header marks the end."""
    if vorbis:
        file = io.BytesIO()
        soundfile.write(file, tone(), 32_000, format="OGG", subtype="VORBIS")
        data, span, loop, kind = file.getvalue(), (0, len(file.getvalue())), LOOP, 17
    else:
        data, span, loop, kind = tone().tobytes() + bytes(92), (0, FRAMES), LOOP, 1
    count = len(presets)
    phdr = b"".join(struct.pack("<20s3H12x", b"tone", program, bank, i) for i, (bank, program) in enumerate(presets))
    phdr += struct.pack("<20s3H12x", b"EOP", 0, 0, count)
    tables = {
        b"phdr": phdr,
        b"pbag": b"".join(struct.pack("<2H", i, 0) for i in range(count + 1)),
        b"pmod": bytes(10),
        b"pgen": struct.pack("<2H", 41, 0) * count + bytes(4),
        b"inst": struct.pack("<20sH", b"tone", 0) + struct.pack("<20sH", b"EOI", 1),
        b"ibag": struct.pack("<4H", 0, 0, 2, 0),
        b"imod": bytes(10),
        b"igen": struct.pack("<4H", 54, 1, 53, 0) + bytes(4),
        b"shdr": struct.pack("<20s5IBbHH", b"tone", *span, *loop, 32_000, 60, 0, 0, kind) + bytes(46),
    }
    info = chunk(b"ifil", struct.pack("<2H", 3 if vorbis else 2, 1)) + chunk(b"isng", b"EMU8000\0") + chunk(b"INAM", b"one tone")
    lists = (b"INFO" + info, b"sdta" + chunk(b"smpl", data), b"pdta" + b"".join(chunk(k, v) for k, v in tables.items()))
    return chunk(b"RIFF", b"sfbk" + b"".join(chunk(b"LIST", body) for body in lists))
