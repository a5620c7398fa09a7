"""One humanising, step by step: read, add ghosts, play, give the feel, write, measure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backbeat.codecs.places import Swing, warp
from backbeat.humanising.adding import LOUDEST, SOFTEST, Score, add_ghosts, drop_impossible, find_leaders, find_snare, write_ghosts, write_graces
from backbeat.humanising.measuring import Measured, count_leading, find_paired_notes, find_swingable, learn_groove, match_notes, measure, read_drums
from backbeat.humanising.spoiling import remark_spoilt
from backbeat.humanising.wish import Player, Wish
from backbeat.metrics.feel import Likeness, compare_feel
from backbeat.midi import parse_song
from backbeat.midi.restrike import NewNote, find_struck, limit_ticks, open_ends, restrike
from backbeat.performer import load_performer
from backbeat.song import Song
from backbeat.transforms.feel import (
    Aim,
    Flags,
    find_pairs,
    hold_back,
    keep_flams,
    list_columns,
    list_pair_aims,
    reach_means,
    round_evenly,
    scale_spread,
    scale_velocities,
)
from backbeat.transforms.feel_template import follow_template
from backbeat.transforms.ornaments import Ornament, Scene
from backbeat.units import Floats, Ints

_STRAIGHTEST = 58.5
"""Swings below this are shown to the performer as straight, those from there on as triplets: what it was taught on."""
_PLAIN = 6.0
"""MIDI units: drums whose velocities spread less say nothing about accents."""
_USUAL_LOUD, _GHOST, _ACCENT = 80.0, 50.0, 100.0
_COARSE_MS = 5.0
_TURNS, _TRIES = 3, 16
_FAR = 1 / 3
"""A push of more than this share of a 16th is remarked upon."""


@dataclass(frozen=True)
class Humanised:
    """Drums played anew.

    Args:
        data: the file.
        before, after: the feel as it was and as it is in the file, of the strokes that were there.
        likeness: how like the groove whose feel was taken, if one was.
        ornaments: what was added.
        notes: drum notes in the input.
        aligned: whether they lie near the bars at all.
        remarks: what could not be as asked, one line each.
    """

    data: bytes
    before: Measured
    after: Measured
    likeness: Likeness | None
    ornaments: tuple[Ornament, ...]
    notes: int
    aligned: bool
    remarks: tuple[str, ...]


def humanise(song: Song, wish: Wish | None = None, *, player: Player | None = None, groove: Song | None = None) -> Humanised:
    """Play the drum notes of a song anew.

    Args:
        song: any song with drums; only its drum notes change.
        wish: how; none = as the performer plays.
        player: who plays; none = the performer that ships.
        groove: a song whose drums' feel is taken.

    Raises:
        InputError: the song (or the groove) has no drum notes, or a class is not in the kit.
    """
    session = _Session(song, wish or Wish(), groove)
    return session.play(player)


class _Session:
    """What is known of one humanising."""

    def __init__(self, song: Song, wish: Wish, groove: Song | None) -> None:
        self.song, self.wish, self.reading = song, wish, read_drums(song)
        self.remarks: list[str] = []
        self.template = learn_groove(groove) if groove is not None else None
        reading = self.reading
        self.score = Score(reading.strokes, reading.straight, reading.binary, reading.drift, reading.lateness, count_leading(reading), len(reading.strokes))
        self.of = wish.feel.swing_of or find_paired_notes(reading)
        self.swing = self._aim_swing()
        self.places = self._lay(self.swing)
        self.rng = np.random.default_rng([abs(wish.seed), int(wish.seed < 0), 6])

    def play(self, player: Player | None) -> Humanised:
        """From what was read to the file."""
        self._add_ghosts()
        late, velocities = self._perform(player)
        group = self.score.strokes.columns
        if self.template is not None:
            late, velocities, group, _ = follow_template(self.score.strokes, self.score.straight, late, velocities, self.template)
            late, velocities = self._keep(late, velocities)
        late = self._give_feel(late)
        wide = float(velocities.std()) * self.wish.feel.dynamics
        velocities, clipped = scale_velocities(velocities, self.wish.feel.dynamics)
        if clipped:
            reached = float(velocities.std())
            more = f"; their spread becomes {reached:.1f}, {wide:.1f} were asked for" if abs(reached - wide) > 0.01 * wide else ""
            self.remarks.append(f"dynamics: {clipped} velocities are cut off at 1 or 127{more}")
        ticks, loud = self._round(late, velocities, group)
        added = self._write_added(ticks, loud, late, velocities)
        self._remark_coarse()
        data = restrike(self.song, self.reading.notes, ticks, loud, tuple(note for _, note in added))
        bare = restrike(self.song, self.reading.notes, ticks, loud) if added else data
        return self._report(data, bare, [ornament for ornament, _ in added])

    def _aim_swing(self) -> Swing:
        """The swing of the result."""
        own, feel = self.reading.swing, self.wish.feel
        if feel.swing is not None:
            if not self._find_pairs(self.of)[1].any():
                self.remarks.append(f"the drums play no {self.of}ths off the beat: there is nothing to swing")
            return Swing(self.of, feel.swing)
        if self.template is not None and not self.wish.keep_timing:
            return self.template.swing if self.template.swing.of else Swing(own.of, 50.0)
        return own

    def _lay(self, swing: Swing) -> Floats:
        """float64 [m]: where strokes nominally sound in a swing, quarters from the start of their bar; pairs that a bar line cuts stay straight."""
        score = self.score
        if not swing.of:
            return score.strokes.places
        length = 8 / swing.of
        whole = (np.floor(score.straight / length + 1e-6) + 1) * length <= score.strokes.bar_quarters + 1e-6
        whole &= find_swingable(self.reading, score.strokes.bars, swing.of)
        straight = np.where(score.binary, score.straight, score.strokes.places)
        return np.where(score.binary & whole, warp(score.straight, swing), straight)

    def _seconds(self) -> Floats:
        """float64 [m]: when strokes nominally sound, without the drift."""
        return self.reading.clock.seconds_at(self.score.strokes.starts + self.places)

    def _scene(self) -> Scene:
        return Scene(self.score.strokes, self.score.straight, self.score.binary, self._seconds())

    def _add_ghosts(self) -> None:
        if self.wish.ornaments.kinds and find_snare(self.reading.notes) is None:
            self.remarks.append("the drums have no snare: there is nothing to ornament")
        if "ghosts" in self.wish.ornaments.kinds:
            sound = warp(np.arange(5) / 4, self.swing)
            self.score = add_ghosts(self.score, self._scene(), self.reading, self.wish.ornaments, self.rng, sound)
            self.places = self._lay(self.swing)

    def _perform(self, player: Player | None) -> tuple[Floats, Floats]:
        """Lateness in ms, drift included, and velocities in MIDI units, before any feel."""
        wish, score = self.wish, self.score
        own = score.strokes.velocities.astype(np.float64) * 127
        if wish.keep_timing and wish.keep_velocity:
            return score.given, own
        shown = self._lay(Swing(self.swing.of, 50.0 if self.swing.percent < _STRAIGHTEST else 200 / 3))
        how = replace(wish.playing, tightness=1.0, dynamics=1.0)
        asked = replace(score.strokes, places=shown, late=np.zeros(len(own), np.float32))
        played = (player or load_performer()).perform_strokes(asked, seed=abs(wish.seed), how=how, accents=self._read_accents(own))
        late = played.late.astype(np.float64)
        # The kit as a whole stays where it is against the band: a player's habit of being early shows only in what is earlier than what.
        late = self._settle(late + np.average(score.given - score.drift, weights=score.weights) - np.average(late, weights=score.weights))
        return self._keep(late + score.drift, played.velocities.astype(np.float64) * 127)

    def _keep(self, late: Floats, velocities: Floats) -> tuple[Floats, Floats]:
        """What was played, or what is in the file where that is to be kept."""
        own = self.score.strokes.velocities.astype(np.float64) * 127
        return self.score.given if self.wish.keep_timing else late, own if self.wish.keep_velocity else velocities

    def _read_accents(self, velocities: Floats) -> Ints | None:
        """int64 [m]: ghost, normal, accent as in the file, where it says so; ghosts that were added are ghosts."""
        own, count = velocities[: self.score.own], len(velocities)
        accents = np.full(count, -1, np.int64)
        if self.wish.accents and own.std() >= _PLAIN:
            scaled = own * _USUAL_LOUD / max(1.0, float(np.percentile(own, 70)))
            accents[: len(own)] = np.digitize(scaled, [_GHOST, _ACCENT])
        accents[len(own) :] = 0
        return accents if accents.max() >= 0 else None

    def _settle(self, late: Floats) -> Floats:
        """Lateness [m] without the drift, within reach of the places, flams still flams."""
        return self._keep_flams(hold_back(late, self._seconds()))

    def _keep_flams(self, late: Floats) -> Floats:
        names = np.array(self.score.strokes.kit.names)[self.score.strokes.columns]
        place = np.unique(np.round(self._seconds(), 6), return_inverse=True)[1].reshape(-1)
        return keep_flams(late, self.score.given, place, names == "kick", names == "snare")

    def _give_feel(self, late: Floats) -> Floats:
        feel = self.wish.feel
        self.classes = self._find_classes()
        if feel.late_ms and abs(feel.late_ms) > _FAR * 15_000 / float(self.score.strokes.qpm.max()):
            self.remarks.append(f"{abs(feel.late_ms):g} ms is more than a third of a 16th where these drums are fastest")
        return self._finish(late) if feel.tightness == 1 else self._tighten(late, feel.tightness)

    def _finish(self, late: Floats) -> Floats:
        """Lateness [m] with the means that are asked for, flams still flams."""
        aims, drift, weights = self._list_aims(late), self.score.drift, self.score.weights
        mean = np.average(late, weights=weights)
        for _ in range(_TURNS if aims else 0):
            late = reach_means(late, aims, self._seconds(), weights)
            late = late if self._parts_flams() else self._keep_flams(late)
        if not self._is_moved():  # a swing that is kept leaves the kit as a whole where it is
            late = late + mean - np.average(late, weights=weights)
        return late if self._is_moved() or self.wish.keep_timing else self._settle(late - drift) + drift

    def _is_moved(self) -> bool:
        """Whether strokes are asked to lie elsewhere than a performer puts them."""
        feel = self.wish.feel
        return feel.swing is not None or feel.late_ms is not None or bool(feel.late_ms_of) or self.template is not None

    def _parts_flams(self) -> bool:
        """Whether kick and snare are asked to lie apart, in which case they may."""
        return bool({"kick", "snare"} & set(self.wish.feel.late_ms_of))

    def _tighten(self, late: Floats, tightness: float) -> Floats:
        """Lateness [m] with its spread divided by the tightness, as it will be heard: strokes held back, the start of the file and ticks are made up for."""
        drift = self.score.drift
        wanted, scale = self._measure_spread(self._finish(late)) / tightness, 1 / tightness
        best, miss, reached = late, np.inf, 0.0
        for _ in range(_TRIES):
            out = scale_spread(late - drift, scale)
            out = self._finish((self._settle(out) if tightness < 1 else out) + drift)
            got = self._measure_spread(out)
            if abs(got - wanted) < miss:
                best, miss, reached = out, abs(got - wanted), got
            if got <= 1e-9 or miss < 1e-3 * wanted:
                break
            scale = min(scale * wanted / got, 4 / tightness)
        if wanted > 1e-9 and miss > 0.01 * wanted:
            self.remarks.append(
                f"tightness: the spread of the timing becomes {reached:.1f} ms, {wanted:.1f} ms were asked for (strokes stray no farther, ticks are no finer)"
            )
        return best

    def _measure_spread(self, late: Floats) -> float:
        """Standard deviation of the lateness [m], of the strokes of the file; within classes where these are asked to lie apart."""
        heard, columns = self._hear(late)[: self.score.own], self.score.strokes.columns[: self.score.own]
        for column in np.unique(columns).tolist() if self.classes else ():
            heard[columns == column] -= heard[columns == column].mean()
        return float(heard.std())

    def _hear(self, late: Floats) -> Floats:
        """Lateness [m] without the drift after rounding to ticks, none of which comes before 0 or behind the end of its track."""
        clock, seconds = self.reading.clock, self._seconds()
        ticks = np.maximum(self._find_ticks(late, self.score.strokes.columns), 0)
        if not self._is_moved():
            ticks[: self.score.own] = np.minimum(ticks[: self.score.own], self.reading.notes.high[find_leaders(self.reading)])
        return np.asarray((clock.seconds(ticks) - seconds) * 1000 - self.score.drift)

    def _find_ticks(self, late: Floats, group: Ints) -> Ints:
        """int64 [m]: ticks of strokes, rounded so that groups keep their means."""
        now = self.reading.clock.ticks(self._seconds() + late / 1000)
        near = np.floor(now + 0.5)
        return round_evenly(np.where(np.abs(now - near) < 1e-6, near, now), group)

    def _list_aims(self, late: Floats) -> list[Aim]:
        """The means to be reached: those that are asked for, and the swing."""
        feel, columns = self.wish.feel, self.score.strokes.columns
        own = self.classes
        rest = ~np.isin(columns, list(own))
        aims = self._list_pair_aims(late, own)
        if feel.swing is not None:
            first, second = self._find_pairs(self.swing.of)
            aims.append(Aim(np.flatnonzero(rest & ~first & ~second), feel.late_ms or 0.0))
            columns = np.where(first | second, -1, columns)
        elif feel.late_ms is not None:
            aims.append(Aim(np.flatnonzero(rest), feel.late_ms))
        return aims + [Aim(np.flatnonzero(columns == column), ms) for column, ms in own.items()]

    def _find_classes(self) -> dict[int, float]:
        """Column -> mean lateness that is asked for."""
        own, missing = list_columns(self.wish.feel.late_ms_of, self.score.strokes)
        self.remarks += [f"the drums have no {name.replace('_', ' ')}: its push is left out" for name in missing]
        return own

    def _list_pair_aims(self, late: Floats, own: dict[int, float]) -> list[Aim]:
        """First and second notes of pairs equally late, class by class: as late as is asked for, or as the first ones are."""
        feel, score = self.wish.feel, self.score
        if not self.swing.of or (feel.swing is None and (self.template is not None or self.wish.keep_timing)):
            return []
        goals = None if feel.swing is None else {c: own.get(c, feel.late_ms or 0.0) for c in np.unique(score.strokes.columns).tolist()}
        return list_pair_aims(late, score.strokes, *self._find_pairs(self.swing.of), goals)

    def _find_pairs(self, of: int) -> tuple[Flags, Flags]:
        """Bool [m] each: the first and the second notes of pairs that can swing, see ``find_swingable``."""
        score = self.score
        return find_pairs(score.straight, score.binary & find_swingable(self.reading, score.strokes.bars, of), score.strokes.bar_quarters, of)

    def _round(self, late: Floats, velocities: Floats, group: Ints) -> tuple[Ints, Ints]:
        """Ticks and velocities of the notes of the file, int64 [n]; notes that follow keep their distance and share."""
        reading, own = self.reading, self.score.own
        notes = reading.notes
        leader = find_leaders(reading)
        old = notes.tick[leader]
        shift = self._find_ticks(late, group)[:own] - old
        wanted = np.maximum(notes.tick + shift[reading.stroke_of], 0)
        ticks = limit_ticks(open_ends(notes, wanted) if self._is_moved() else notes, wanted)
        loud = np.clip(round_evenly(velocities[:own], group[:own]), 1, 127)
        share = notes.velocity / notes.velocity[leader][reading.stroke_of]
        return ticks, np.clip(np.floor(loud[reading.stroke_of] * share + 0.5), 1, 127).astype(np.int64)

    def _write_added(self, ticks: Ints, loud: Ints, late: Floats, velocities: Floats) -> list[tuple[Ornament, NewNote]]:
        if not self.wish.ornaments.kinds or find_snare(self.reading.notes) is None:
            return []
        soft = np.clip(np.floor(velocities + 0.5), SOFTEST, LOUDEST).astype(np.int64)
        added = write_ghosts(self.score, self.reading, self._seconds() + late / 1000, soft)
        added += write_graces(self.score, self._scene(), self.reading, self.wish.ornaments, self.rng, ticks, loud)
        count = len(added)
        added = drop_impossible(self.song, self.reading.notes, ticks, loud, added)
        if not added:
            why = "they would stand in bars that two hands and two feet cannot play" if count else "no place and hand is free for one"
            self.remarks.append(f"ornaments: none was added, {why}")
        return sorted(added, key=lambda pair: pair[1].tick)

    def _remark_coarse(self) -> None:
        tick_ms = float(self.reading.clock.tick_ms(self.reading.notes.tick).max())
        if tick_ms > _COARSE_MS:
            division = self.song.tempo.ticks_per_quarter
            self.remarks.append(f"a tick of this file ({division} to the quarter) lasts up to {tick_ms:.1f} ms: finer timing is rounded, means are kept")
        if not self.reading.aligned:
            self.remarks.append("the drums do not lie on the bars of this file: each stroke counts as meant where it is")

    def _report(self, data: bytes, bare: bytes, ornaments: list[Ornament]) -> Humanised:
        """Read back what was written, ``bare`` of ornaments, and measure it."""
        reading = self.reading
        leader = find_leaders(reading)
        written = parse_song(bare)
        ticks, loud = match_notes(reading.notes, find_struck(replace(written, parts=self.song.parts)))
        late = (reading.clock.seconds(ticks[leader]) - self._seconds()[: self.score.own]) * 1000
        velocities = loud[leader].astype(np.float64)
        was = reading.strokes.velocities.astype(np.float64) * 127
        before = measure(reading, reading.strokes.places, reading.swing, reading.lateness, was, self.of)
        after = measure(reading, self.places[: self.score.own], self.swing, late, velocities, self.swing.of or self.of)
        self.remarks += remark_spoilt(self.song, written)
        likeness = None
        if self.template is not None:
            likeness = compare_feel(replace(reading.strokes, velocities=(velocities / 127).astype(np.float32)), reading.straight, late, self.template)
        return Humanised(data, before, after, likeness, tuple(ornaments), len(reading.notes), reading.aligned, tuple(self.remarks))
