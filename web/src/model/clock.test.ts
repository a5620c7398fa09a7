import { describe, expect, it } from "vitest";
import type { Bar } from "../api/types";
import { Clock, clockText } from "./clock";
import { describeCell, describeOffset, describePlace } from "./describe";

function bar(first_step: number, steps: number, numerator: number, denominator: number): Bar {
  return { tick: 0, seconds: 0, numerator, denominator, steps, first_step, qpm: 120, section: 0 };
}

/** A bar of 4/4, one of 7/8 at half the tempo, one of 3/4. */
const bars = [bar(0, 16, 4, 4), bar(16, 14, 7, 8), bar(30, 12, 3, 4)];
const step_seconds = Array.from({ length: 43 }, (_, s) => (s <= 16 ? s * 0.125 : 2 + (s - 16) * 0.25));
const clock = new Clock({ bars, steps: 42, step_seconds });

describe("Clock", () => {
  it("finds the bar of every step", () => {
    expect([0, 15, 16, 29, 30, 41].map((s) => clock.barOf(s))).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it("goes from steps to seconds and back, through a change of tempo", () => {
    for (const step of [0, 3.5, 15.75, 16, 16.5, 41.25]) expect(clock.stepOf(clock.secondsOf(step))).toBeCloseTo(step, 9);
    expect(clock.secondsOf(17)).toBeCloseTo(2.25);
  });

  it("takes a hit before the first bar to the beginning", () => {
    expect(clock.secondsOf(-0.4)).toBe(0);
  });

  it("gives the length of a step where it lies", () => {
    expect(clock.stepMs(3)).toBeCloseTo(125);
    expect(clock.stepMs(20)).toBeCloseTo(250);
  });

  it("counts beats in the metre's own denominator", () => {
    expect(clock.label(18)).toBe("2.2.1");
    expect(clock.label(34)).toBe("3.2.1");
    expect(clock.barTimes()).toHaveLength(4);
  });

  it("tells time", () => {
    expect(clockText(187.9)).toBe("3:07");
  });
});

describe("describeCell", () => {
  it("says what is under the focus", () => {
    const hit = { step: 4, cls: 1, velocity: 96, offset: 0.064 };
    expect(describeCell(clock, 4, "Snare", hit, false)).toBe("bar 1, beat 2, snare, velocity 96, 8 ms late");
    expect(describeCell(clock, 5, "Snare", null, true)).toBe("bar 1, beat 2, 16th 2, snare, no hit, locked");
  });

  it("says eighths of 7/8 as beats", () => {
    expect(describePlace(clock, 28)).toBe("bar 2, beat 7");
  });

  it("says early and on the grid", () => {
    expect(describeOffset(-0.104, 125)).toBe("13 ms early");
    expect(describeOffset(0.001, 125)).toBe("on the grid");
  });
});
