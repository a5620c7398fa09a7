"""Make the golden files of the metrics: ``python -m tests.goldens.make_metrics`` in the root of the checkout.

Each file holds small seeded inputs and the figures expected of them. The figures come from scikit-learn and scipy where these
have the measure, else from a slow implementation in plain Python below, written from the definition in docs/measures.md and
never from the package: nothing here imports ``backbeat``.
"""

from __future__ import annotations

import json
import math
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.stats import entropy, gaussian_kde, wasserstein_distance
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, f1_score, mean_absolute_error, mean_squared_error, r2_score, roc_auc_score

FOLDER = Path(__file__).parent / "metrics"
KICK, SNARE, CRASH = 0, 1, 7
TOMS = (4, 5, 6)


def make_bars(seed, bars=24, steps=16):
    """Words of a drummer who repeats a bar, with fills, crashes, rests and noise."""
    rng = random.Random(seed)
    loop = [rng.choice([0, 0, 4, 4, 5, 6, 1, 2]) for _ in range(steps)]
    words = []
    for bar in range(bars):
        line = list(loop)
        for step in range(steps):
            if rng.random() < 0.06:
                line[step] = rng.randrange(512)
        if bar % 8 == 7:
            line[steps // 2 :] = [rng.choice([2, 16, 32, 64, 0]) for _ in range(steps - steps // 2)]
        if bar % 8 == 0 or rng.random() < 0.1:
            line[0] |= 1 << CRASH
        if rng.random() < 0.05:
            line = [0] * steps
        words += line
    return words


def hit(word, column):
    return word >> column & 1


def count_hits(words):
    return sum(bin(w).count("1") for w in words)


def split_bars(words, first_steps):
    return [words[a:b] for a, b in pairwise(first_steps)]


def make_likelihood():
    words = make_bars(1, 4)
    log2_p = [-random.Random(s).random() * 6 for s in range(len(words))]
    bits = -math.fsum(log2_p)
    expected = {"bits_per_step": bits / len(words), "bits_per_onset": bits / count_hits(words), "perplexity": 2 ** (bits / len(words))}
    return {"log2_p": log2_p, "words": words}, expected


def make_bandgain():
    words = make_bars(2, 4)
    rng = random.Random(2)
    right, wrong, twin = ([-rng.random() * top for _ in words] for top in (3, 4, 3.5))
    onsets = count_hits(words)
    expected = {
        "wrong_band_gain": (math.fsum(right) - math.fsum(wrong)) / onsets,
        "twin_gain": (math.fsum(right) - math.fsum(twin)) / onsets,
    }
    return {"log2_p": right, "wrong": wrong, "twin": twin, "words": words}, expected


def make_onsets():
    words = [make_bars(3), make_bars(4, 12, 12)]
    played = [[w ^ (random.Random(i).randrange(512) if random.Random(-i).random() < 0.3 else 0) for i, w in enumerate(line)] for line in words]
    flat = [np.array([[hit(w, c) for c in range(9)] for line in side for w in line]) for side in (words, played)]
    bars = [(r, p) for wr, wp, n in zip(words, played, (16, 12), strict=True) for r, p in zip(*(list(batch(x, n)) for x in (wr, wp)), strict=True)]
    scores = [slow_f1(r, p) for r, p in bars if any(r) or any(p)]
    expected = {
        "micro_f1": f1_score(*flat, average="micro"),
        "class_f1": f1_score(*flat, average=None, zero_division=0).tolist(),
        "bar_mean_f1": sum(scores) / len(scores),
        "song_mean_f1": sum(slow_f1(r, p) for r, p in zip(words, played, strict=True)) / 2,
    }
    return {"real": words, "played": played, "bar_steps": [16, 12]}, expected


def batch(line, size):
    for start in range(0, len(line), size):
        yield line[start : start + size]


def slow_f1(real, played):
    return 2 * count_hits(r & p for r, p in zip(real, played, strict=True)) / (count_hits(real) + count_hits(played))


def make_copying():
    words, bars = make_bars(5), [0, *range(16, 16 * 12 + 1, 16)]
    bars += [bars[-1] + 12 * (i + 1) for i in range(16)]  # twelve bars of 4/4, sixteen of 3/4
    expected = {}
    for back in (1, 4):
        same = steps = found = both = 0
        for bar in range(back, len(bars) - 1):
            now, before = words[bars[bar] : bars[bar + 1]], words[bars[bar - back] : bars[bar - back + 1]]
            for real, copy in zip(now, before, strict=False):
                same, steps = same + (real == copy), steps + 1
                found, both = found + bin(real & copy).count("1"), both + bin(real).count("1") + bin(copy).count("1")
        expected |= {f"step_accuracy_{back}": same / steps, f"onset_f1_{back}": 2 * found / both}
    return {"words": words, "first_steps": bars}, expected


def make_calibration():
    rng = random.Random(6)
    probabilities = [rng.choice([0.0, 1.0, round(rng.random(), 1), rng.random() ** 3]) for _ in range(400)]
    hits = [rng.random() < p**0.7 for p in probabilities]
    happened, predicted = calibration_curve(hits, probabilities, n_bins=10)
    counts = [sum(1 for p in probabilities if (i == 0 or p > np.linspace(0, 1, 11)[i]) and p <= np.linspace(0, 1, 11)[i + 1]) for i in range(10)]
    error = sum(n * abs(a - b) for n, a, b in zip(counts, happened, predicted, strict=True)) / 400
    expected = {
        "happened": happened.tolist(),
        "predicted": predicted.tolist(),
        "calibration_error": error,
        "brier_score": brier_score_loss(hits, probabilities),
    }
    return {"probabilities": probabilities, "hits": hits}, expected


def make_timing():
    rng = np.random.default_rng(7)
    n, m = 300, 260
    classes, places = rng.integers(0, 3, n), rng.integers(0, 4, n)
    real = {"offsets": rng.uniform(-0.5, 0.5, n), "velocities": rng.uniform(0.1, 1, n), "qpm": rng.uniform(80, 160, n)}
    paired = {
        "offsets": np.clip(real["offsets"] + rng.normal(0, 0.1, n), -0.5, 0.49),
        "velocities": np.clip(real["velocities"] + rng.normal(0, 0.1, n), 0.01, 1),
    }
    other = {
        "classes": rng.integers(0, 3, m),
        "places": rng.integers(0, 4, m),
        "offsets": rng.normal(0, 0.1, m),
        "velocities": rng.uniform(0.3, 1, m),
        "qpm": rng.uniform(80, 160, m),
    }
    to_ms = 15000 / real["qpm"]
    expected = {
        "timing_mae_ms": mean_absolute_error(real["offsets"] * to_ms, paired["offsets"] * to_ms),
        "timing_mse": mean_squared_error(real["offsets"], paired["offsets"]),
        "velocity_mae": 127 * mean_absolute_error(real["velocities"], paired["velocities"]),
        "velocity_r2": r2_score(real["velocities"], paired["velocities"]),
        "timing_w1_pooled_ms": wasserstein_distance(real["offsets"] * to_ms, other["offsets"] * 15000 / other["qpm"]),
        "velocity_w1_pooled": 127 * wasserstein_distance(real["velocities"], other["velocities"]),
    }
    sums = {"timing_w1_ms": 0.0, "velocity_w1": 0.0, "covered": 0.0}
    for cls in range(3):
        for place in range(4):
            ours, theirs = (classes == cls) & (places == place), (other["classes"] == cls) & (other["places"] == place)
            if min(ours.sum(), theirs.sum()) >= 20:
                sums["timing_w1_ms"] += ours.sum() * wasserstein_distance((real["offsets"] * to_ms)[ours], (other["offsets"] * 15000 / other["qpm"])[theirs])
                sums["velocity_w1"] += ours.sum() * 127 * wasserstein_distance(real["velocities"][ours], other["velocities"][theirs])
                sums["covered"] += ours.sum()
    expected |= {"timing_w1_ms": sums["timing_w1_ms"] / sums["covered"], "velocity_w1": sums["velocity_w1"] / sums["covered"], "covered": sums["covered"] / n}
    return {"real": {"classes": classes, "places": places} | real, "paired": paired, "other": other}, expected


def make_discrimination():
    rng = np.random.default_rng(8)
    labels, scores = rng.random(120) < 0.3, np.round(rng.normal(size=120), 1)
    words, bars = make_bars(8, 9), [0, 16, 32, 44, 60, 76, 92, 108, 124, 140]
    words[60:92] = [0] * 32
    windows = [words[a:b] for a, b in [(0, 32), (92, 124)]]  # bars 2-3 have 28 steps, 4-5 are silent, 8 is half a window
    return {"scores": scores, "labels": labels, "words": words[:140], "first_steps": bars}, {"auc": roc_auc_score(labels, scores), "windows": windows}


def make_novelty():
    training = [list(w) for w in batch(make_bars(9, 8), 16)]
    windows = [training[0], training[1][3:] + training[1][:3], [training[2][i // 2] if i % 2 == 0 else 0 for i in range(16)]]
    windows += [[a | b for a, b in batch(training[3], 2)] * 2, *(list(w) for w in batch(make_bars(10, 4), 16))]
    expected = {}
    for rotations in (False, True):
        for tempi in (False, True):
            heard = list(training)
            if tempi:
                heard += [[w for word in t[h : h + 8] for w in (word, 0)] for t in training for h in (0, 8)]
                heard += [[a | b for a, b in batch(t, 2)] * 2 for t in training]
            turns = range(16) if rotations else (0,)
            nearest = [min(sum(bin(a ^ b).count("1") for a, b in zip(w, t[k:] + t[:k], strict=True)) for t in heard for k in turns) for w in windows]
            expected[f"nearest rotations={rotations} tempi={tempi}"] = nearest
    line, pieces = make_bars(11, 3), [make_bars(11, 2)[5:], make_bars(12, 2)]
    runs = [
        k
        for p in pieces
        for i in range(len(line))
        for j in range(len(p))
        for k in range(len(line) + 1)
        if line[i : i + k] == p[j : j + k] and len(p) - j >= k <= len(line) - i
    ]
    expected["longest_run"] = max(runs)
    return {"windows": windows, "training": training, "line": line, "pieces": pieces}, expected


def find_fills(bars):
    """The rule of docs/measures.md, read again."""
    fills = []
    for i, bar in enumerate(bars):
        neighbours = [bars[j] for j in range(i - 4, i + 5) if j != i and 0 <= j < len(bars) and len(bars[j]) == len(bar) and any(bars[j])]
        if len(neighbours) < 3 or not any(bar):
            fills.append(False)
            continue
        usual = [{c for c in range(9) if 2 * sum(hit(n[s], c) for n in neighbours) > len(neighbours)} for s in range(len(bar))]
        late = range(len(bar) // 2, len(bar))
        extra = [c for s in late for c in (SNARE, *TOMS) if hit(bar[s], c) and c not in usual[s]]
        crash_after = i + 1 < len(bars) and hit(bars[i + 1][0], CRASH) and CRASH not in usual[0]
        expected = sum(len(usual[s]) for s in late)
        dropped = expected >= 4 and count_hits(bar[s] for s in late) <= expected / 2
        toms = any(c in TOMS for c in extra)
        fills.append(bool(len(extra) > 4 or (len(extra) == 4 and toms) or (crash_after and (len(extra) >= 2 or dropped))))
    return fills


def make_sense():
    words, bars = make_bars(13, 40), list(range(0, 641, 16))
    rng = random.Random(13)
    bass = [rng.random() < (0.6 if hit(w, KICK) else 0.2) for w in words]
    starts = [bar % 8 == 0 for bar in range(40)]
    lines = split_bars(words, bars)
    fills = find_fills(lines)
    kicks = [i for i, w in enumerate(words) if hit(w, KICK)]
    snares = [i % 16 for i, w in enumerate(words) if hit(w, SNARE)]
    density = [count_hits(line) / 16 for line in lines]
    change = {True: [], False: []}
    for b in range(1, 39):
        if density[b] and density[b - 1]:
            change[starts[b + 1]].append(abs(density[b] - density[b - 1]))
    crash = {side: [bool(hit(lines[b][0], CRASH)) for b in range(1, 40) if starts[b] == side] for side in (True, False)}
    lead = {side: [fills[b] for b in range(39) if starts[b + 1] == side] for side in (True, False)}
    mean = lambda x: sum(x) / len(x)  # noqa: E731
    expected = {
        "kick_bass_excess": mean([bass[k] for k in kicks]) - mean([bass[(k + 7 * 16) % 640] for k in kicks]),
        "backbeat_snares": mean([s in (4, 12) for s in snares]),
        "crash_lift": mean(crash[True]) / mean(crash[False]) if any(crash[False]) else math.inf,
        "change_lift": mean(change[True]) / mean(change[False]),
        "fills_before_sections": mean(lead[True]),
        "fills_elsewhere": mean(lead[False]),
        "fill_lift": mean(lead[True]) / mean(lead[False]) if any(lead[False]) else math.inf,
    }
    return {"words": words, "first_steps": bars, "bass": bass, "section_starts": starts}, expected


def make_fills():
    pieces, expected = [], []
    for seed in range(20, 28):
        steps = 16 if seed % 2 else 12
        words = [w for part in range(4) for w in make_bars(seed + 100 * part, 6, steps)]  # the pattern changes, so that reach matters
        pieces.append({"words": words, "first_steps": list(range(0, 24 * steps + 1, steps))})
        expected.append(find_fills(list(batch(words, steps))))
    return {"pieces": pieces}, {"fills": expected}


def make_weak():
    words, bars = make_bars(14, 16), list(range(0, 257, 16))
    lines = split_bars(words, bars)
    distances = [sum((a > 0) != (b > 0) for a, b in zip(x, y, strict=True)) / 16 for x, y in pairwise(lines)]
    rng = np.random.default_rng(14)
    first, second, places = rng.normal(0, 1, 40), rng.gamma(2, 1, 30), rng.integers(0, 24 * 16, 50)
    densities = [gaussian_kde(a) for a in (first, second)]
    points = np.linspace(-12, 25, 20_000)
    overlap = np.trapezoid(np.minimum(densities[0](points), densities[1](points)), points)
    within = places % 24
    rates = [np.isin(within, range(0, 24, step)).mean() for step in (6, 8)]
    expected = {
        "groove_consistency": 1 - sum(distances) / len(distances),
        "drum_pattern_consistency": max(rates),
        "word_entropy": [entropy(np.unique(line, return_counts=True)[1]) for line in lines],
        "overlap_area": overlap,
    }
    return {"words": words, "first_steps": bars, "first": first, "second": second, "places": places}, expected


MAKERS = {
    "likelihood": make_likelihood,
    "bandgain": make_bandgain,
    "onsets": make_onsets,
    "copying": make_copying,
    "calibration": make_calibration,
    "timing": make_timing,
    "discrimination": make_discrimination,
    "novelty": make_novelty,
    "sense": make_sense,
    "fills": make_fills,
    "weak": make_weak,
}


def simplify(value):
    """Numpy as JSON."""
    if isinstance(value, dict):
        return {k: simplify(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [simplify(v) for v in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def make(name):
    """One golden: its inputs and the figures expected of them."""
    inputs, expected = MAKERS[name]()
    return simplify({"made_by": "tests/goldens/make_metrics.py", "inputs": inputs, "expected": expected})


def main():
    FOLDER.mkdir(exist_ok=True)
    for name in MAKERS:
        (FOLDER / f"{name}.json").write_text(json.dumps(make(name), allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
