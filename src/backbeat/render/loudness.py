"""How loud a sound is: integrated loudness in LUFS, after ITU-R BS.1770-4.

Conventions: samples float [frames, channels] in [-1, 1] at 48 kHz, channels weighing the same (mono or stereo). A sine of
997 Hz at full scale in one channel has -3.01 LUFS.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
RATE = 48_000
SILENT = float("-inf")
BLOCK, HOP = 19_200, 4_800
"""400 ms, and a quarter of it."""

ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0
OFFSET = -0.691
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
"""Numerator and denominator of the two filters at 48 kHz, from tables 1 and 2 of the recommendation."""


def measure_loudness(samples: Samples) -> float:
    """Integrated loudness in LUFS, gated; ``-inf`` for silence.

    Args:
        samples: float [frames, channels] in [-1, 1] at 48 kHz.

    Raises:
        ValueError: not [frames, channels].
    """
    if samples.ndim != 2:
        raise ValueError(f"samples must be [frames, channels], not {samples.shape}")
    weighted = _weigh(samples)
    padded = np.concatenate([weighted, np.zeros((max(0, BLOCK - len(weighted)), weighted.shape[1]))])
    power = np.concatenate([np.zeros(1), np.cumsum(np.square(padded).sum(axis=1))])
    starts = np.arange(0, len(padded) - BLOCK + 1, HOP)
    blocks = np.maximum(power[starts + BLOCK] - power[starts], 0) / min(BLOCK, max(len(weighted), 1))
    loud = blocks[_to_lufs(blocks) > ABSOLUTE_GATE]
    if not len(loud):
        return SILENT
    return float(_to_lufs(loud[_to_lufs(loud) > _to_lufs(loud.mean()) + RELATIVE_GATE].mean()))


def _to_lufs(power: npt.NDArray[np.float64] | np.floating) -> npt.NDArray[np.float64]:
    return np.asarray(OFFSET + 10 * np.log10(np.maximum(power, 1e-12)), dtype=np.float64)


def _weigh(samples: Samples) -> npt.NDArray[np.float64]:
    """The samples after both filters, applied as their frequency response (with room behind for them to ring)."""
    length = len(samples) + RATE
    size = 1 << (length - 1).bit_length()
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones(len(z), np.complex128)
    for above, below in (_SHELF, _HIGH_PASS):
        response *= np.polyval(above[::-1], z) / np.polyval(below[::-1], z)
    spectrum = np.fft.rfft(samples, size, axis=0) * response[:, None]
    return np.asarray(np.fft.irfft(spectrum, size, axis=0)[: len(samples)], dtype=np.float64)
