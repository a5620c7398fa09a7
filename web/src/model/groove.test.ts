import { describe, expect, it } from "vitest";
import { countClasses, EMPTY, findHit, fromHits, fromView, hitAt, lowerBound, withCell, type Groove } from "./groove";

const groove = fromHits([
  { step: 4, cls: 1, velocity: 100, offset: 0.25 },
  { step: 0, cls: 6, velocity: 70, offset: 0 },
  { step: 0, cls: 0, velocity: 110, offset: -0.125 },
]);

function cells(g: Groove): string[] {
  return Array.from(g.step, (step, i) => `${step}:${g.cls[i]}:${g.velocity[i]}:${g.offset[i]}`);
}

describe("Groove", () => {
  it("is sorted by step, then class", () => {
    expect(cells(groove)).toEqual(["0:0:110:-0.125", "0:6:70:0", "4:1:100:0.25"]);
  });

  it("reads the server's view, and leaves out classes that the kit has not", () => {
    const view = { bars: { "1": [[16, 0, 90, 0]], "0": [[2, 99, 90, 0]] } } as const;
    expect(cells(fromView(view as never, (cls) => (cls === 99 ? -1 : Number(cls))))).toEqual(["16:0:90:0"]);
  });

  it("finds hits", () => {
    expect(lowerBound(groove, 1)).toBe(2);
    expect(findHit(groove, 0, 6)).toBe(1);
    expect(findHit(groove, 0, 1)).toBe(-1);
    expect(hitAt(groove, 4, 1)).toEqual({ step: 4, cls: 1, velocity: 100, offset: 0.25 });
  });

  it("changes one cell and leaves the old groove as it was", () => {
    const before = cells(groove);
    expect(cells(withCell(groove, 0, 3, 64, 0))).toEqual(["0:0:110:-0.125", "0:3:64:0", "0:6:70:0", "4:1:100:0.25"]);
    expect(cells(withCell(groove, 0, 6, 12, 0.5))).toEqual(["0:0:110:-0.125", "0:6:12:0.5", "4:1:100:0.25"]);
    expect(cells(withCell(groove, 0, 0, null, 0))).toEqual(["0:6:70:0", "4:1:100:0.25"]);
    expect(withCell(groove, 9, 9, null, 0)).toBe(groove);
    expect(cells(groove)).toEqual(before);
  });

  it("begins from nothing", () => {
    expect(cells(withCell(EMPTY, 7, 2, 1, 0))).toEqual(["7:2:1:0"]);
    expect(countClasses(groove)[6]).toBe(1);
  });
});
