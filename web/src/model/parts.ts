import type { PlaybackView } from "../api/types";
import type { Clock } from "./clock";

/** A part of the band for drawing: its notes by start, in steps; height 0 (lowest pitch of the part) to 1. */
export interface PartShape {
  readonly start: Float32Array;
  readonly end: Float32Array;
  readonly height: Float32Array;
  /** The longest note in steps: how far before the left edge a visible note may start. */
  readonly longest: number;
}

export function shapeParts(playback: PlaybackView, clock: Clock): Map<number, PartShape> {
  const shapes = new Map<number, PartShape>();
  for (const part of playback.parts) {
    const notes = [...part.notes].sort((a, b) => a[0] - b[0]);
    let low = 127;
    let high = 0;
    for (const note of notes) {
      low = Math.min(low, note[2]);
      high = Math.max(high, note[2]);
    }
    const start = Float32Array.from(notes, (n) => clock.stepOf(n[0]));
    const end = Float32Array.from(notes, (n) => clock.stepOf(n[1]));
    let longest = 0;
    for (let i = 0; i < start.length; i++) longest = Math.max(longest, (end[i] as number) - (start[i] as number));
    shapes.set(part.index, { start, end, height: Float32Array.from(notes, (n) => (high > low ? (n[2] - low) / (high - low) : 0.5)), longest });
  }
  return shapes;
}

/** Parts that are not heard: the muted ones, and where some are solo all others. */
export function silent(all: readonly number[], muted: ReadonlySet<number>, solo: ReadonlySet<number>): Set<number> {
  return new Set(all.filter((index) => muted.has(index) || (solo.size > 0 && !solo.has(index))));
}
