import type { GrooveView } from "../api/types";

/** The hits of a take, by step, then class; typed arrays of one length, so that drawing allocates nothing. */
export interface Groove {
  readonly step: Int32Array;
  readonly cls: Uint8Array;
  readonly velocity: Uint8Array;
  readonly offset: Float32Array;
}

export interface Hit {
  step: number;
  cls: number;
  velocity: number;
  offset: number;
}

export const MAX_CLASSES = 64;

export const EMPTY: Groove = { step: new Int32Array(0), cls: new Uint8Array(0), velocity: new Uint8Array(0), offset: new Float32Array(0) };

export function fromHits(hits: Hit[]): Groove {
  const sorted = [...hits].sort((a, b) => a.step - b.step || a.cls - b.cls);
  return {
    step: Int32Array.from(sorted, (h) => h.step),
    cls: Uint8Array.from(sorted, (h) => h.cls),
    velocity: Uint8Array.from(sorted, (h) => h.velocity),
    offset: Float32Array.from(sorted, (h) => h.offset),
  };
}

/** `indexOf` turns the class of a row into an index: the server may send either. */
export function fromView(view: GrooveView, indexOf: (cls: string | number) => number): Groove {
  const hits: Hit[] = [];
  for (const rows of Object.values(view.bars)) {
    for (const [step, cls, velocity, offset] of rows) {
      const index = indexOf(cls);
      if (index >= 0) hits.push({ step, cls: index, velocity, offset });
    }
  }
  return fromHits(hits);
}

/** The first hit at or after a step. */
export function lowerBound(groove: Groove, step: number): number {
  let low = 0;
  let high = groove.step.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((groove.step[middle] as number) < step) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where the hit of a cell is, or -1. */
export function findHit(groove: Groove, step: number, cls: number): number {
  for (let i = lowerBound(groove, step); i < groove.step.length && groove.step[i] === step; i++) {
    if (groove.cls[i] === cls) return i;
  }
  return -1;
}

export function hitAt(groove: Groove, step: number, cls: number): Hit | null {
  const i = findHit(groove, step, cls);
  return i < 0 ? null : { step, cls, velocity: groove.velocity[i] as number, offset: groove.offset[i] as number };
}

/** The same hits but for one cell; `velocity` null takes its hit away. */
export function withCell(groove: Groove, step: number, cls: number, velocity: number | null, offset: number): Groove {
  const there = findHit(groove, step, cls);
  if (velocity !== null && there >= 0) {
    const changed = { ...groove, velocity: groove.velocity.slice(), offset: groove.offset.slice() };
    changed.velocity[there] = velocity;
    changed.offset[there] = offset;
    return changed;
  }
  if (velocity === null) return there < 0 ? groove : spliced(groove, there, 1);
  let at = lowerBound(groove, step);
  while (at < groove.step.length && groove.step[at] === step && (groove.cls[at] as number) < cls) at++;
  return spliced(groove, at, 0, { step, cls, velocity, offset });
}

/** A copy in which, from place `at`, `less` hits are left out and perhaps one is put in. */
function spliced(groove: Groove, at: number, less: number, hit?: Hit): Groove {
  const length = groove.step.length - less + (hit ? 1 : 0);
  const made = { step: new Int32Array(length), cls: new Uint8Array(length), velocity: new Uint8Array(length), offset: new Float32Array(length) };
  for (const key of ["step", "cls", "velocity", "offset"] as const) {
    made[key].set(groove[key].subarray(0, at));
    made[key].set(groove[key].subarray(at + less), at + (hit ? 1 : 0));
    if (hit) made[key][at] = hit[key];
  }
  return made;
}

/** How many hits each class has. */
export function countClasses(groove: Groove): Int32Array {
  const counts = new Int32Array(MAX_CLASSES);
  for (const cls of groove.cls) counts[cls] = (counts[cls] as number) + 1;
  return counts;
}
