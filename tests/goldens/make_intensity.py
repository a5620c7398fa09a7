"""Make the golden files of NeuralDrummer's tokens: ``python -m tests.goldens.make_intensity`` in the root of the checkout.

Small songs, written by mido, and the line that NeuralDrummer's tokeniser gives of each. The lines come from the slow implementation
below: it follows the tokeniser's documented rules one by one, with mido as its reader and beats added up as pretty_midi 0.2 adds
them, for metres in quarters. Nothing here imports ``backbeat``. On real songs the package was compared with pretty_midi itself,
see experiments/LOG.md, 2026-11-21.
"""

from __future__ import annotations

import base64
import io
import json
import random
from itertools import pairwise
from pathlib import Path

import mido
import numpy as np

FILE = Path(__file__).parent / "intensity.json"
PPQ = 480


def write_midi(tracks, meta=()):
    """A file of a conductor track with (tick, message) and of tracks with (tick, length, channel, pitch, velocity)."""
    file = mido.MidiFile(type=1, ticks_per_beat=PPQ)
    rows = [[(tick, 0, message) for tick, message in meta]]
    for number, notes in enumerate(tracks):
        row = [(0, 0, mido.Message("program_change", channel=notes[0][2], program=number))] if notes else []
        for tick, length, channel, pitch, velocity in notes:
            row.append((tick, 2, mido.Message("note_on", channel=channel, note=pitch, velocity=velocity)))
            row.append((tick + length, 1, mido.Message("note_off", channel=channel, note=pitch)))
        rows.append(row)
    for row in rows:
        track = mido.MidiTrack()
        now = 0
        for tick, _, message in sorted(row, key=lambda r: r[:2]):
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def metre(tick, numerator, denominator=4):
    return tick, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)


def tempo(tick, bpm):
    return tick, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))


def make_beat(bars, rng, start=0, quarters=4, channel=9):
    notes = []
    for step in range(bars * quarters * 4):
        tick = start + step * PPQ // 4 + rng.choice([0, 0, 0, 7, -5]) * (step > 0)
        for pitch, chance in ((36, 0.3), (38, 0.2), (42, 0.5), (46, 0.05), (49, 0.03), (45, 0.05), (54, 0.1)):
            if rng.random() < chance:
                notes.append((tick, rng.choice([60, 110, 120]), channel, pitch, rng.randint(1, 127)))
    return notes


def make_band(bars, rng, channel, quarters=4, density=0.4, burst=()):
    notes = []
    for step in range(bars * quarters * 4):
        if rng.random() < density:
            for pitch in rng.sample(range(40, 80), rng.choice([1, 1, 3])):
                notes.append((step * PPQ // 4, rng.choice([100, 240, 900]), channel, pitch, 80))
        if step in burst:
            notes += [(step * PPQ // 4 + k, 50, channel, 30 + k, 80) for k in range(30)]
    return notes


def make_songs():
    rng = random.Random(7)
    four = [metre(0, 4), tempo(0, 120)]
    yield "plain", write_midi([make_band(8, rng, 0), make_beat(8, rng)], four)
    yield "no metre, no tempo", write_midi([make_band(9, rng, 0), make_beat(9, rng)])
    yield "outliers", write_midi([make_band(10, rng, 0, burst=(2, 33, 34, 158)), make_beat(10, rng)], four)
    yield (
        "tempo changes",
        write_midi([make_band(12, rng, 1), make_beat(12, rng)], [metre(0, 4), tempo(0, 93), tempo(3000, 140.5), tempo(7777, 61), tempo(7999, 200)]),
    )
    yield "3/4", write_midi([make_band(12, rng, 2, 3), make_beat(12, rng, 0, 3)], [metre(0, 3), tempo(0, 171)])
    yield "5/4, odd tempo", write_midi([make_band(8, rng, 2, 5), make_beat(8, rng, 0, 5)], [metre(0, 5), tempo(0, 133.7)])
    yield (
        "metre changes",
        write_midi([make_band(14, rng, 2), make_beat(14, rng)], [metre(0, 4), tempo(0, 100), metre(4 * 1920, 3), metre(4 * 1920 + 6 * 1440, 4)]),
    )
    yield "two drum tracks", write_midi([make_beat(8, rng), make_band(8, rng, 0), make_beat(6, rng, 960)], four)
    yield "drums end early", write_midi([make_band(16, rng, 0), make_beat(4, rng)], four)
    yield "drums go on", write_midi([make_band(6, rng, 0), make_beat(16, rng)], four)
    yield "the same each step", write_midi([[(k * 240, 100, 9, 42, 80) for k in range(80)]], four)
    yield "late start", write_midi([[(t + 5 * 1920, *rest) for t, *rest in make_band(8, rng, 0)], make_beat(8, rng, 5 * 1920)], four)
    yield "too short", write_midi([make_band(3, rng, 0), make_beat(3, rng)], four)
    yield "no drums", write_midi([make_band(8, rng, 0)], four)
    yield "nothing", write_midi([[]], four)
    yield "not a MIDI file", b"MThd and nothing more"


class Clock:
    """Seconds of ticks, as pretty_midi tabulates them."""

    def __init__(self, changes, resolution, last):
        self.changes = changes
        self.resolution = resolution
        self.table = np.zeros(max(last, changes[-1][0]) + 2)
        origin = 0
        for index, (begin, scale) in enumerate(changes):
            end = changes[index + 1][0] if index + 1 < len(changes) else len(self.table) - 1
            self.table[begin : end + 1] = origin + scale * np.arange(end - begin + 1)
            origin = self.table[end]

    def __getitem__(self, tick):
        return self.table[tick]


def read(data):
    """Clock, metres, and instruments as lists of (start, pitch) with whether they are drums and when they end."""
    file = mido.MidiFile(file=io.BytesIO(data))
    for track in file.tracks:
        now = 0
        for event in track:
            now += event.time
            event.time = now
    changes = [(0, 60.0 / (120.0 * file.ticks_per_beat))]
    for event in file.tracks[0]:
        if event.type == "set_tempo":
            scale = 60.0 / ((6e7 / event.tempo) * file.ticks_per_beat)
            if event.time == 0:
                changes = [(0, scale)]
            elif scale != changes[-1][1]:
                changes.append((event.time, scale))
    clock = Clock(changes, file.ticks_per_beat, max(e.time for t in file.tracks for e in t))
    metres = [(clock[e.time], e.numerator, e.denominator) for e in file.tracks[0] if e.type == "time_signature"]
    instruments = {}
    for number, track in enumerate(file.tracks):
        program, open_notes = {}, {}
        for event in track:
            if event.type == "program_change":
                program[event.channel] = event.program
            elif event.type == "note_on" and event.velocity:
                open_notes.setdefault((event.channel, event.note), []).append(event.time)
            elif event.type in ("note_on", "note_off"):
                for start in open_notes.pop((event.channel, event.note), []):
                    if start != event.time:
                        key = (program.get(event.channel, 0), event.channel, number)
                        notes = instruments.setdefault(key, [])
                        notes.append((clock[start], event.note, clock[event.time]))
    return clock, metres, [(key[1] == 9, notes) for key, notes in instruments.items()]


def count_beats(clock, metres, end):
    """Metres in quarters only, in which every beat is a quarter."""
    times = [clock[t] for t, _ in clock.changes]
    paces = [60.0 / (scale * clock.resolution) for _, scale in clock.changes]
    marks = [m[0] for m in metres]
    beats, k, m = [0.0], 0, 0
    while beats[-1] < end:
        following = beats[-1] + 60.0 / paces[k]
        if k + 1 < len(times) and following > times[k + 1]:
            following, rest = beats[-1], 1.0
            while k + 1 < len(times) and following + rest * 60.0 / paces[k] >= times[k + 1]:
                share = (times[k + 1] - following) / (60.0 / paces[k])
                following += share * 60.0 / paces[k]
                rest -= share
                k += 1
            following += rest * 60.0 / paces[k]
        if m + 1 < len(marks) and (following > marks[m + 1] or np.isclose(following, marks[m + 1])):
            m += 1
            following = marks[m]
        beats.append(following)
    return beats[:-1]


def list_bar_lines(beats, metres):
    lines = []
    metres = metres or [(0.0, 4, 4)]
    begin = 0
    for index, (_, numerator, _) in enumerate(metres):
        last = index + 1 == len(metres)
        end = len(beats) if last else int(np.flatnonzero(np.isclose(beats, metres[index + 1][0]))[0])
        lines += beats[begin:end:numerator]
        begin = end
    return lines


def lay_half_beats(beats):
    grid = []
    for one, two in pairwise(beats):
        grid += [one, one + (two - one) * 2 / 4]
    for _ in range(32):
        grid.append(grid[-1] + (beats[-1] - beats[-2]) / 2)
    return grid


def to_steps(notes, grid):
    steps = []
    for start, pitch, _ in sorted(notes, key=lambda n: n[0]):
        place = int(np.argmin([abs(t - start) for t in grid]))
        while len(steps) <= place:
            steps.append([])
        steps[place].append(str(pitch))
    return steps


def merge(rows):
    return [[token for row in rows if index < len(row) for token in row[index]] for index in range(max(map(len, rows)))]


def even_out(values):
    mean, spread = np.mean(values), np.std(values)
    good = [mean - 2 * spread < v < mean + 2 * spread for v in values]
    out = []
    for index, value in enumerate(values):
        if good[index] or not any(good):
            out.append(value)
            continue
        before = [v for v, ok in zip(values[:index], good[:index], strict=True) if ok]
        behind = [v for v, ok in zip(values[index:], good[index:], strict=True) if ok]
        pair = [before[-1] if before else behind[0], behind[0] if behind else before[-1]]
        out.append(np.mean(pair))
    return out


def tell_intensities(everything, last_line):
    values = [float(len(step)) for step in everything[: last_line - 1]]
    values = values[1:] + values[-1:]
    values += values[-1:] * 4
    even = even_out(values)
    with np.errstate(all="ignore"):
        return [["i" + str(np.round((np.float64(v) - np.mean(even)) / np.std(even), 1))] for v in even]


def tokenise(data):
    """The line for training and the line for playing, or a reason twice."""
    try:
        clock, metres, instruments = read(data)
    except Exception:
        return "Broken!", "Broken!"
    if not instruments:
        return "Broken!", "Broken!"
    end = max([n[2] for _, notes in instruments for n in notes] + [m[0] for m in metres] + [clock[t] for t, _ in clock.changes])
    beats = count_beats(clock, metres, end)
    grid, lines = lay_half_beats(beats), list_bar_lines(beats, metres)
    bar = lines[-1] - lines[-2]
    for _ in range(4):
        lines.append(lines[-1] + bar)
    rows = [(drums, to_steps(notes, grid)) for drums, notes in instruments]
    everything = merge([row for _, row in rows])
    if len(everything) <= 32:
        return "File too short!", "File too short!"
    places = list(dict.fromkeys(int(np.argmin(np.abs(np.array(grid) - line))) for line in lines))
    intensities = tell_intensities(everything, places[-1])
    drums = [row for is_drum, row in rows if is_drum]
    whole = join(merge([everything, intensities]))
    return (join(merge([drums[-1], intensities])) if drums else "Empty!"), whole


def join(steps):
    return ",".join(token for step in steps for token in [*step, "-1"])


def main():
    goldens = []
    for name, data in make_songs():
        line, whole = tokenise(data)
        goldens.append({"name": name, "midi": base64.b64encode(data).decode(), "line": line, "whole": whole})
    FILE.write_text(json.dumps(goldens, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
