import type { Bar, SongView } from "../api/types";

/** Steps, bars, beats and seconds of a song, from one to the other. */
export class Clock {
  readonly bars: readonly Bar[];
  readonly steps: number;
  readonly seconds: Float64Array;

  constructor(song: Pick<SongView, "bars" | "steps" | "step_seconds">) {
    this.bars = song.bars;
    this.steps = song.steps;
    this.seconds = Float64Array.from(song.step_seconds);
  }

  get end(): number {
    return this.seconds[this.seconds.length - 1] ?? 0;
  }

  bar(index: number): Bar {
    const bar = this.bars[Math.min(Math.max(index, 0), this.bars.length - 1)];
    if (!bar) throw new Error("a song without bars");
    return bar;
  }

  barOf(step: number): number {
    let low = 0;
    let high = this.bars.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.bar(middle).first_step <= step) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Steps of one beat of a bar: the beat is the metre's denominator, a quarter has four steps. */
  beatSteps(bar: number): number {
    return Math.max(16 / this.bar(bar).denominator, 1);
  }

  /** Seconds of a place between steps; a hit's offset counts as share of the step it lies in. */
  secondsOf(step: number): number {
    const last = this.seconds.length - 1;
    if (last < 1) return 0;
    const low = Math.min(Math.max(Math.floor(step), 0), last - 1);
    const from = this.seconds[low] as number;
    const to = this.seconds[low + 1] as number;
    return Math.max(from + (step - low) * (to - from), 0);
  }

  stepOf(seconds: number): number {
    const last = this.seconds.length - 1;
    if (last < 1) return 0;
    let low = 0;
    let high = last - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.seconds[middle] as number) <= seconds) low = middle;
      else high = middle - 1;
    }
    const from = this.seconds[low] as number;
    const width = (this.seconds[low + 1] as number) - from;
    return low + (width > 0 ? Math.min(Math.max((seconds - from) / width, 0), 1) : 0);
  }

  /** Milliseconds of one step where a step lies. */
  stepMs(step: number): number {
    const at = Math.min(Math.max(Math.floor(step), 0), Math.max(this.steps - 1, 0));
    return Math.max((this.secondsOf(at + 1) - this.secondsOf(at)) * 1000, 1);
  }

  /** Seconds where each bar begins, and where the last ends. */
  barTimes(): number[] {
    return [...this.bars.map((bar) => this.secondsOf(bar.first_step)), this.end];
  }

  /** "5.2.3": bar, beat and step in it, all from 1. */
  label(step: number): string {
    const bar = this.barOf(step);
    const inside = Math.max(Math.floor(step) - this.bar(bar).first_step, 0);
    const beat = this.beatSteps(bar);
    return `${bar + 1}.${Math.floor(inside / beat) + 1}.${Math.floor(inside % beat) + 1}`;
  }
}

/** "3:07" */
export function clockText(seconds: number): string {
  const whole = Math.max(Math.floor(seconds), 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
