import { describe, expect, it } from "vitest";
import { type Control, type Playback, chase, checkLoop, countIn, findBar, findFirst, findHeld, listPrograms, makeTimeline, wrap } from "./timeline";

const playback: Playback = {
  duration: 8,
  parts: [
    { index: 3, channel: 1, notes: [[2, 4, 60, 90], [0, 6, 48, 80]] },
    { index: 5, channel: 1, notes: [[1, 1, 62, 70]] },
  ],
  controls: [
    [3, 0xb1, 7, 50],
    [0, 0xc1, 11, 0],
    [0, 0xb1, 0, 127],
    [0, 0xc9, 16, 0],
    [5, 0xe1, 0, 96],
    [4, 0xb1, 64, 127],
    [4.5, 0xb1, 64, 0],
    [2, 0xb1, 123, 0],
  ],
  stand_ins: { "11": 4 },
};

describe("a timeline", () => {
  const timeline = makeTimeline(playback);

  it("has the notes of all parts by time, none without length", () => {
    expect(timeline.notes.map((note) => [note.start, note.part, note.channel])).toEqual([
      [0, 3, 1],
      [1, 5, 1],
      [2, 3, 1],
    ]);
    expect(timeline.notes[1]!.end).toBeGreaterThan(1);
    expect(timeline).toMatchObject({ duration: 8, longest: 6 });
  });

  it("plays the program that stands in, and leaves banks, channel modes and the drum channel alone", () => {
    expect(timeline.controls).toEqual([
      [0, 0xc1, 4, 0],
      [3, 0xb1, 7, 50],
      [4, 0xb1, 64, 127],
      [4.5, 0xb1, 64, 0],
      [5, 0xe1, 0, 96],
    ]);
    expect(listPrograms(timeline)).toEqual([4]);
    expect(listPrograms(makeTimeline({ ...playback, controls: [] }))).toEqual([0]);
  });

  it("knows what is held", () => {
    expect(findHeld(timeline, 3).map((note) => note.pitch)).toEqual([48, 60]);
    expect(findHeld(timeline, 5).map((note) => note.pitch)).toEqual([48]);
    expect(findHeld(timeline, 2).map((note) => note.pitch)).toEqual([48]);
    expect(findHeld(timeline, 6)).toEqual([]);
  });
});

describe("chasing", () => {
  const { controls } = makeTimeline(playback);
  /** What every knob stands at after some messages. */
  const play = (messages: Control[]) => Object.fromEntries(messages.map(([, status, a, b]) => [(status & 0xf0) === 0xb0 ? `${status}/${a}` : status, [a, b]]));

  it.each([0, 0.5, 3.5, 4.2, 4.7, 9])("to %s s gives what playing from the beginning gives", (time) => {
    const start = play(chase(controls, 0));
    const played = { ...start, ...play(controls.filter(([at]) => at < time)) };
    expect(play(chase(controls, time))).toEqual(played);
  });

  it("turns back what comes later only", () => {
    expect(chase(controls, 0)).toEqual([
      [0, 0xc1, 0, 0],
      [0, 0xb1, 7, 100],
      [0, 0xb1, 64, 0],
      [0, 0xe1, 0, 64],
    ]);
  });

  it("tells registered parameters in their order, after their default", () => {
    const range: Control[] = [[1, 0xb2, 101, 0], [1, 0xb2, 100, 0], [1, 0xb2, 6, 12]];
    expect(chase(range, 2).slice(-3)).toEqual(range);
    expect(chase(range, 0.5).map(([, , a, b]) => [a, b])).toContainEqual([6, 2]);
    expect(chase(range, 0.5)).not.toContainEqual(range[2]);
  });
});

describe("places", () => {
  it.each([[-1, 0], [0, 0], [0.5, 1], [1, 1], [1.5, 3], [9, 4]])("the first not before %s is %s", (time, index) => {
    expect(findFirst([0, 1, 1, 2], time, (item) => item)).toBe(index);
  });

  it("unrolls a loop", () => {
    expect([0, 1, 3.9, 4, 5, 8.5].map((time) => wrap(time, [2, 4]))).toEqual([0, 1, 3.9, 2, 3, 2.5]);
    expect(wrap(7, null)).toBe(7);
  });

  it("takes no loop that cannot be played", () => {
    expect(checkLoop([4, 2], 10)).toEqual([2, 4]);
    expect(checkLoop([-1, 20], 10)).toEqual([0, 10]);
    for (const loop of [null, [2, 2.01], [NaN, 3], [11, 12]] as const) expect(checkLoop(loop as [number, number] | null, 10)).toBeNull();
  });
});

describe("the count-in", () => {
  const bars = [
    { seconds: 0, numerator: 4, denominator: 4 },
    { seconds: 2, numerator: 6, denominator: 8 },
    { seconds: 3.5, numerator: 6, denominator: 8 },
  ];

  it("finds the bar", () => {
    expect([-1, 0, 1.9, 2, 3.4, 99].map((time) => findBar(bars, time))).toEqual([0, 0, 0, 1, 1, 2]);
  });

  it("is one bar in the metre and the tempo there", () => {
    expect(countIn(bars, 1, 5)).toEqual({ seconds: 2, clicks: [0, 0.5, 1, 1.5].map((time) => ({ time, accent: time === 0 })) });
    const compound = countIn(bars, 2.1, 5);
    expect(compound.seconds).toBe(1.5);
    expect(compound.clicks.map((click) => click.accent)).toEqual([true, false, false, true, false, false]);
  });

  it("of a last bar that is cut off is as long as the one before", () => {
    expect(countIn(bars, 4, 3.8).seconds).toBe(1.5);
    expect(countIn([], 0, 0).clicks).toHaveLength(4);
  });
});
