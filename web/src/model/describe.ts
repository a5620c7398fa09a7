import type { Clock } from "./clock";
import type { Hit } from "./groove";

/** "bar 5, beat 2" or "bar 5, beat 2, 16th 3". */
export function describePlace(clock: Clock, step: number): string {
  const bar = clock.barOf(step);
  const inside = step - clock.bar(bar).first_step;
  const beat = clock.beatSteps(bar);
  const rest = inside % beat;
  return `bar ${bar + 1}, beat ${Math.floor(inside / beat) + 1}${rest > 0 ? `, 16th ${Math.floor(rest) + 1}` : ""}`;
}

/** "8 ms late", "on the grid". */
export function describeOffset(offset: number, stepMs: number): string {
  const ms = Math.round(offset * stepMs);
  if (ms === 0) return "on the grid";
  return `${Math.abs(ms)} ms ${ms > 0 ? "late" : "early"}`;
}

/** What lies under the focus of the grid, in words. */
export function describeCell(clock: Clock, step: number, label: string, hit: Hit | null, locked: boolean): string {
  const what = hit ? `velocity ${hit.velocity}, ${describeOffset(hit.offset, clock.stepMs(step))}` : "no hit";
  return `${describePlace(clock, step)}, ${label.toLowerCase()}, ${what}${locked ? ", locked" : ""}`;
}

/** "bar 9" or "bars 9 to 12". */
export function describeBars(bars: readonly [number, number]): string {
  return bars[0] === bars[1] ? `bar ${bars[0] + 1}` : `bars ${bars[0] + 1}–${bars[1] + 1}`;
}
