"""What a player hits: a preference for words of hits, by the place in the bar, added to the drummer's log-probabilities.

Two things are learned, because a drummer who listens needs less than one who begins. *Listening*: a log-linear model over the drummer's
distribution (minimum discrimination information adaptation, Della Pietra et al. 1992): each word gains or loses by the classes in it and
by itself, anywhere and at each 16th of the player's usual bar. Maximum likelihood with Gaussian priors at nothing; how wide they are is
chosen on takes that are left out, and may be nothing at all. *Playing*: the logarithm of how often the player has each word at each
place, smoothed, as a second expert beside the drummer; and which drums of a class the player never touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from backbeat.codecs.words import CLASSES, VOCABULARY, WORD_BITS
from backbeat.datasets.preparation import Example
from backbeat.grid import Grid
from backbeat.models.drummer import DrummerModel
from backbeat.profiles.likeness import choose_among
from backbeat.profiles.takes import Take
from backbeat.units import Floats, Ints

WORDS = 64
"""Words that may gain or lose; all others stay as they are."""
LONGEST_BAR = 32
MOST_STEPS, MOST_HEARD = 640, 256
"""Steps of each take that are learned from, and by which the style is chosen."""
STRENGTHS = (0.5, 2.0)
"""Times the standard deviations below, of which one is chosen."""
SPREAD = (0.5, 0.4, 0.4, 0.6)
"""Standard deviations at strength 1: of a class anywhere, a class at a place, a word anywhere, a word at a place."""
TRUST = 0.3
"""Weight of a step beside the priors, see ``calibration``."""
_STEPS, _RATE, _FOLDS, _GAIN = 25, 0.18, 2, 0.004
LEAN, MOST, FIRM, PLACE_FIRM = 0.8, 12.0, 20.0, 4.0
"""How far the player is followed in playing, the logarithm that a word loses at most, and steps that the smoothing is worth."""
ANY = "any"


class Heard(NamedTuple):
    """Steps of takes as the drummer hears them.

    Args:
        words: int64 [n], what was hit.
        expected: float32 [n, 512], log p (natural) of every word.
        places: int64 [n], 16th of the bar.
        lengths: int64 [n], 16ths of the bar.
    """

    words: Ints
    expected: npt.NDArray[np.float32]
    places: Ints
    lengths: Ints


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What a player likes to hit.

    Args:
        style: of the drummer's, that suits the player; "any" = none.
        length: 16ths of the bars whose places are told apart, 1 to ``LONGEST_BAR``.
        words: int64 [v], those that gain or lose.
        bias: float64 [length + 1, v], what is added at each place when takes are heard; the last row in bars of other lengths.
        playing: float64 [length + 1, 512], the same of all words when a take is played.
        touched: float64 [classes of the drummer's kit], how often each drum was struck.
    """

    style: str
    length: int
    words: Ints
    bias: Floats
    playing: Floats
    touched: Floats

    def suggest(self, grid: Grid) -> npt.NDArray[np.float32]:
        """Float32 [steps, 512]: to be added to log-probabilities on a grid of 16ths, to play as the player."""
        return self.playing[find_rows(grid.step_in_bar, grid.bar_steps[grid.bar_of_step], self.length)].astype(np.float32)

    def measure(self, heard: Heard) -> Floats:
        """float64 [n]: log p (natural) of the words that were hit."""
        rows = find_rows(heard.places, heard.lengths, self.length)
        moved = heard.expected.astype(np.float64)
        moved[:, self.words] += self.bias[rows]
        return np.asarray(moved[np.arange(len(rows)), heard.words] - np.logaddexp.reduce(moved, axis=1), dtype=np.float64)


def find_rows(places: Ints, lengths: Ints, length: int) -> Ints:
    """int64 [n]: the row of ``Vocabulary.bias`` of each step."""
    return np.where(np.asarray(lengths) == length, np.minimum(places, length), length).astype(np.int64)


class VocabularyEar:
    """Hears takes with the drummer, each once.

    Args:
        model: the drummer, which stays as it is.
    """

    def __init__(self, model: DrummerModel) -> None:
        self.model = model
        self._heard: dict[tuple[int, str], tuple[Example, npt.NDArray[np.float32]]] = {}  # pieces are kept, so that their ids stay their own
        self._scored: dict[tuple[int, str], tuple[Example, Floats]] = {}

    def hear(self, piece: Example, bars: slice, style: str, most: int | None = None) -> Heard:
        """Some bars of a piece, at most so many steps of them."""
        key = (id(piece), style)
        if key not in self._heard:
            self._heard[key] = (piece, self.model.predict(piece, band=False, style=self.model.styles.index(style)))
        lengths = piece.layout[:, 0].astype(np.int64)
        number = np.arange(len(lengths))
        bar = np.repeat(number, lengths)
        chosen = np.flatnonzero(np.isin(bar, number[bars]))[:most]
        places = np.arange(len(bar)) - (np.cumsum(lengths) - lengths)[bar]
        return Heard(piece.words[chosen].astype(np.int64), self._heard[key][1][chosen], places[chosen], lengths[bar[chosen]])

    def score(self, piece: Example, style: str) -> Floats:
        """float64 [n]: log2 p of the first steps of a piece in a style."""
        key = (id(piece), style)
        if key not in self._scored:
            begun = _begin(piece, MOST_HEARD)
            self._scored[key] = (piece, self.model.score(begun, band=False, style=self.model.styles.index(style)))
        return self._scored[key][1]


def learn_vocabulary(ear: VocabularyEar, takes: Sequence[Take]) -> Vocabulary:
    """What the player of takes likes to hit; nothing where none of them lies on a grid, or nothing helps with takes that are left out.

    Args:
        ear: of the drummer.
        takes: of one player.
    """
    known = [(t.piece, slice(t.first_bar, t.stop_bar)) for t in takes if t.piece is not None]
    if not known:
        return like_nothing()
    styles = {style: np.concatenate([ear.score(piece, style) for piece, _ in known]) for style in ear.model.styles}
    style = choose_among(styles)
    heard = [ear.hear(piece, bars, style, MOST_STEPS) for piece, bars in known]
    whole = join_heard(heard)
    if not len(whole.words):
        return like_nothing()
    strength = _choose_strength(heard, style)
    found = fit_vocabulary(whole, style, strength or STRENGTHS[0])
    if not strength:
        found = replace(found, bias=0 * found.bias)
    touched = np.zeros(len(ear.model.kit))
    for piece, _ in known:
        touched += np.bincount(piece.articulations[piece.articulations < len(touched)], minlength=len(touched))
    return replace(found, playing=prefer_words(count_words(whole, found.length)), touched=touched)


def count_words(heard: Heard, length: int) -> Floats:
    """float64 [length + 1, 512]: how often each word stood at each place; the last row anywhere."""
    rows = find_rows(heard.places, heard.lengths, length)
    counts = np.zeros((length + 1, VOCABULARY))
    np.add.at(counts, (rows, heard.words), 1)
    counts[length] = counts.sum(axis=0)
    return counts


def prefer_words(counts: Floats) -> Floats:
    """float64 [length + 1, 512]: what to add to the drummer's log-probabilities, a product of experts (Hinton 2002): 0 for the likeliest word of a place.

    Args:
        counts: see ``count_words``.
    """
    usual = (counts[-1] + FIRM / VOCABULARY) / (counts[-1].sum() + FIRM)
    found = np.log((counts + PLACE_FIRM * usual) / (counts.sum(axis=1, keepdims=True) + PLACE_FIRM))
    return np.asarray(LEAN * np.maximum(found - found.max(axis=1, keepdims=True), -MOST))


def _choose_strength(heard: Sequence[Heard], style: str) -> float:
    """The strength that helps most with takes that are left out, 0 where none does; the least for a single take, which cannot say."""
    folds = [[h for i, h in enumerate(heard) if i % _FOLDS == k] for k in range(_FOLDS)]
    if len(heard) < _FOLDS:
        return STRENGTHS[0]
    gains = {0.0: _GAIN * sum(len(h.words) for h in heard)} | dict.fromkeys(STRENGTHS, 0.0)
    for number, fold in enumerate(folds):
        kept, rest = join_heard(fold), join_heard([h for k, other in enumerate(folds) if k != number for h in other])
        if not len(kept.words) or not len(rest.words):
            continue
        before = like_nothing(style).measure(kept).sum()
        for strength in STRENGTHS:
            gains[strength] += float(fit_vocabulary(rest, style, strength).measure(kept).sum() - before)
    return max(gains, key=lambda s: gains[s])


def measure_words(ear: VocabularyEar, take: Take, vocabulary: Vocabulary) -> Floats:
    """float64 [n]: log2 p of the words of a take that count; none where it does not lie on a grid."""
    if take.piece is None:
        return np.zeros(0)
    heard = ear.hear(take.piece, slice(take.first_bar, take.stop_bar), vocabulary.style)
    return np.asarray(vocabulary.measure(heard) / np.log(2))


def count_hits(take: Take) -> int:
    """Onsets of the words of a take that count."""
    if take.piece is None:
        return 0
    bars = np.arange(len(take.piece.layout))[take.first_bar : take.stop_bar]
    return int(WORD_BITS[take.piece.words[np.isin(np.repeat(np.arange(len(take.piece.layout)), take.piece.layout[:, 0]), bars)]].sum())


def like_nothing(style: str = ANY) -> Vocabulary:
    """The drummer as he is, in a style."""
    return Vocabulary(style, 1, np.zeros(0, np.int64), np.zeros((2, 0)), np.zeros((2, VOCABULARY)), np.zeros(0))


def join_heard(heard: Sequence[Heard]) -> Heard:
    """Takes end to end."""
    return Heard(*(np.concatenate(parts) for parts in zip(*heard, strict=True)))


def fit_vocabulary(heard: Heard, style: str, strength: float) -> Vocabulary:
    """The likeliest preferences, as far as their priors let them go (Adam of Kingma and Ba 2015, all steps at once).

    Args:
        heard: takes of one player.
        style: in which they were heard.
        strength: times the standard deviations of ``SPREAD``.
    """
    length = int(np.bincount(np.minimum(heard.lengths, LONGEST_BAR)).argmax())
    chances = np.exp(heard.expected)
    words = np.sort(np.argsort(-(np.bincount(heard.words, minlength=VOCABULARY) + chances.mean(axis=0)), kind="stable")[:WORDS])
    rows = find_rows(heard.places, heard.lengths, length)
    place = np.zeros((length + 1, len(rows)), np.float32)
    place[rows, np.arange(len(rows))] = 1
    place[length] = 0  # bars of other lengths know no places
    expected = heard.expected[:, words]
    others = np.maximum(1 - chances[:, words].sum(axis=1, dtype=np.float64), 1e-9).astype(np.float32)
    hit = (heard.words[:, None] == words).astype(np.float32)
    bits, wide = WORD_BITS[words], strength * np.array(SPREAD)
    point = [np.zeros(CLASSES), np.zeros((length + 1, CLASSES)), np.zeros(len(words)), np.zeros((length + 1, len(words)))]
    first, second = [np.zeros_like(p) for p in point], [np.zeros_like(p) for p in point]
    for step in range(1, _STEPS + 1):
        bias = _add_up(point, wide, bits)
        moved = np.exp(expected + bias.astype(np.float32)[rows])
        rest = hit - moved / (moved.sum(axis=1, keepdims=True) + others[:, None])
        by_place = place @ rest
        slopes = [rest.sum(axis=0) @ bits, by_place @ bits, rest.sum(axis=0), by_place]
        for k, slope in enumerate(slopes):
            gradient = TRUST * wide[k] * slope.astype(np.float64) - point[k]
            first[k], second[k] = 0.9 * first[k] + 0.1 * gradient, 0.99 * second[k] + 0.01 * gradient**2
            rate = _RATE * (1 - (step - 1) / _STEPS)
            point[k] = point[k] + rate * (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.99**step)) + 1e-9)
    bias = _add_up(point, wide, bits)
    return Vocabulary(style, length, words.astype(np.int64), bias, np.zeros((length + 1, VOCABULARY)), np.zeros(0))


def _add_up(point: Sequence[Floats], wide: Floats, bits: npt.NDArray[np.float32]) -> Floats:
    """float64 [length + 1, words]: the preferences of classes and words together."""
    classes = wide[0] * point[0] + wide[1] * point[1]
    return np.asarray(classes @ bits.T + wide[2] * point[2] + wide[3] * point[3], dtype=np.float64)


def _begin(piece: Example, most: int) -> Example:
    """The first bars of a piece, of about so many steps."""
    ends = np.cumsum(piece.layout[:, 0])
    bars = max(1, int(np.searchsorted(ends, most, side="right")))
    steps = int(ends[bars - 1])
    by_step = {n: getattr(piece, n)[:steps] for n in ("step", "words", "velocities", "articulations", "offsets")}
    return replace(piece, **by_step, **{n: getattr(piece, n)[:bars] for n in ("bar", "layout", "tempo", "matches")})
