import type { Part, PlaybackView } from "../api/types";
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

/** What each part is called, by its index: as the file says where that tells it from the others, else by its sound, and numbered where both are the same. */
export function nameParts(parts: readonly Part[]): Map<number, string> {
  const times = (all: string[]): Map<string, number> => all.reduce((counts, name) => counts.set(name, (counts.get(name) ?? 0) + 1), new Map<string, number>());
  const said = parts.map((part) => part.name.trim() || part.program_name);
  const often = times(said);
  const told = parts.map((part, i) => (often.get(said[i] as string) === 1 ? (said[i] as string) : part.program_name));
  const still = times(told);
  const seen = new Map<string, number>();
  return new Map(
    parts.map((part, i) => {
      const name = told[i] as string;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return [part.index, still.get(name) === 1 ? name : `${name} ${seen.get(name)}`];
    }),
  );
}

/** Parts that are not heard: the muted ones, and where some are solo all others. */
export function silent(all: readonly number[], muted: ReadonlySet<number>, solo: ReadonlySet<number>): Set<number> {
  return new Set(all.filter((index) => muted.has(index) || (solo.size > 0 && !solo.has(index))));
}
