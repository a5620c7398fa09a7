import { describe, expect, it } from "vitest";
import type { Part, StateView } from "../api/types";
import { layOut, rowAt, zoneAt, HEAD } from "../draw/layout";
import { nameParts, silent } from "./parts";
import { chooseRows, MAIN } from "./rows";
import { inherited, ownSettings } from "./scopes";

const classes = ["kick", "snare", "cowbell", "closed_hat", "crash"].map((name) => ({ name, label: name, note: 36, group: "" }));

describe("rows", () => {
  it("shows the main pieces and those with hits, cymbals above, the kick below", () => {
    expect(chooseRows(classes, [], false).map((r) => r.name)).toEqual(["crash", "closed_hat", "snare", "kick"]);
    expect(chooseRows(classes, [0, 0, 3], false).map((r) => r.name)).toContain("cowbell");
    expect(chooseRows(classes, [], true)).toHaveLength(5);
    expect(MAIN).toContain("kick");
  });

  it("lie where they are found again", () => {
    const layout = layOut([0, 2], true, chooseRows(classes, [], false), 24);
    for (const row of layout.rows) {
      expect(rowAt(layout, row.top + 3)?.name).toBe(row.name);
      expect(zoneAt(layout, HEAD + row.top + 3 - 10, 10)).toBe("grid");
    }
    expect(rowAt(layout, layout.drumsTitle)).toBeNull();
    expect(zoneAt(layout, 3, 0)).toBe("ruler");
    expect(zoneAt(layout, HEAD + 4, 0)).toBe("parts");
  });
});

describe("parts", () => {
  it("are told from each other by their names, else by their sounds, else by numbers", () => {
    const parts = [
      ["Retro", "Piano"],
      ["Retro", "Bass"],
      ["Retro", "Bass"],
      ["Lead ", "Piano"],
      ["", "Flute"],
    ].map(([name, program_name], index) => ({ index, name, program_name }) as Part);
    expect([...nameParts(parts).values()]).toEqual(["Piano", "Bass 1", "Bass 2", "Lead", "Flute"]);
  });
});

describe("what is not heard", () => {
  it("solo silences all others; mute wins over solo", () => {
    expect([...silent([0, 1, 2], new Set(), new Set([1]))]).toEqual([0, 2]);
    expect([...silent([0, 1, 2], new Set([1]), new Set([1]))]).toEqual([0, 1, 2]);
    expect([...silent([0, 1], new Set(), new Set())]).toEqual([]);
  });
});

describe("settings", () => {
  const state = {
    settings: { style: "rock", density: null },
    sections: { "1": { style: "jazz" } },
    bars: { "4": { fills: 1, fill: true }, "5": { fills: 1 } },
  } as unknown as StateView;
  const sectionOf = (bar: number): number => (bar >= 4 ? 1 : 0);

  it("of several bars are what they have in common", () => {
    expect(ownSettings(state, { kind: "bars", bars: [4, 5] })).toEqual({ fills: 1 });
    expect(ownSettings(state, { kind: "bars", bars: [4, 6] })).toEqual({});
    expect(ownSettings(state, { kind: "section", section: 0 })).toEqual({});
  });

  it("come from the section, else from the song, else from the drummer", () => {
    expect(inherited(state, { kind: "bars", bars: [4, 4] }, "style", sectionOf)).toEqual({ value: "jazz", from: "section" });
    expect(inherited(state, { kind: "bars", bars: [0, 0] }, "style", sectionOf)).toEqual({ value: "rock", from: "song" });
    expect(inherited(state, { kind: "bars", bars: [0, 0] }, "density", sectionOf)).toEqual({ value: null, from: "drummer" });
    expect(inherited(state, { kind: "song" }, "style", sectionOf).from).toBe("drummer");
  });
});
