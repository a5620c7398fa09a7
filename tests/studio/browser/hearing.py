"""What a page played, as samples, and where in it something is struck."""

import base64
from dataclasses import dataclass

import numpy as np

FRAME = 0.002


@dataclass(frozen=True)
class Recording:
    """Mono samples in -1..1; the first is at ``start`` seconds of the audio context."""

    start: float
    samples: np.ndarray
    rate: float

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def loudness(self) -> float:
        """Root mean square."""
        return float(np.sqrt(np.mean(self.samples**2))) if len(self.samples) else 0.0

    def longest_silence(self, below=1e-4) -> float:
        """Seconds."""
        quiet = np.abs(self.samples) < below
        edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(int), [0]])))
        return float((edges[1::2] - edges[::2]).max(initial=0)) / self.rate

    def envelope(self) -> np.ndarray:
        """Every 2 ms: how much louder the next 12 ms are than the 16 ms before, in decibels."""
        rough = np.square(np.diff(self.samples, prepend=0))  # the high part: attacks stand out of what rings on
        total = np.concatenate([[0], np.cumsum(rough)])
        places = np.arange(int(self.seconds / FRAME)) * FRAME

        def mean(begin, end):
            low, high = (np.clip(np.round((places + t) * self.rate).astype(int), 0, len(rough)) for t in (begin, end))
            return (total[high] - total[low]) / ((end - begin) * self.rate) + 1e-9

        return 10 * np.log10(mean(0, 0.012) / mean(-0.016, 0))


def record(page, since) -> Recording:
    start, text = page.evaluate("since => takeHeard(since)", since)
    rate = page.evaluate("heard.rate")
    return Recording(start / rate, np.frombuffer(base64.b64decode(text), np.int16).astype(np.float64) / 32767, rate)


def match_onsets(recording: Recording, times, between=(0.0, 1e9)) -> tuple[float, np.ndarray]:
    """Where the strikes at ``times`` (seconds of the song) are heard, if the song begins ``between`` these seconds of the recording.

    Returns:
        when the song's beginning is heard, in seconds of the recording, and for each strike by how many seconds its steepest rise is off.
    """
    times = np.asarray(times)
    rises = np.clip(recording.envelope(), 0, 30)
    last = min(between[1], recording.seconds - times[-1])
    shifts = np.arange(int(between[0] / FRAME), int(last / FRAME))
    places = np.round(times / FRAME).astype(int)
    best = max(shifts, key=lambda shift: pick(rises, places + shift).sum())
    off = []
    for place in places + best:
        off.append((int(np.argmax(pick(rises, np.arange(place - 20, place + 21)))) - 20) * FRAME)
    off = np.array(off)
    return best * FRAME + float(np.median(off)), off - float(np.median(off))


def pick(values, places) -> np.ndarray:
    """Values at places; nothing where there are none."""
    inside = (places >= 0) & (places < len(values))
    return np.where(inside, values[np.clip(places, 0, len(values) - 1)], 0)
