import type { Family } from "../model/rows";

export const INK = {
  page: "#11161b",
  lane: "#161c22",
  laneOdd: "#192027",
  cellLine: "#232d37",
  beatLine: "#37444f",
  barLine: "#566676",
  text: "#e7ecf1",
  quiet: "#a3b0bd",
  faint: "#6f7e8c",
  head: "#1b222a",
  select: "rgba(88, 196, 181, 0.16)",
  selectEdge: "#58c4b5",
  lock: "rgba(176, 196, 222, 0.20)",
  lockEdge: "#9db3cc",
  loop: "#f0b35c",
  band: "#6fa8dc",
  bandFill: "rgba(111, 168, 220, 0.26)",
};

/** Hue, saturation and lightness of a loud hit. */
const HITS: Record<Family, readonly [number, number]> = { drums: [35, 84], hats: [171, 50], cymbals: [208, 66], percussion: [276, 48] };

const shades = new Map<Family, string[]>();

/** A hit's colour by its velocity: the louder the brighter. */
export function shadeOf(family: Family): readonly string[] {
  let made = shades.get(family);
  if (!made) {
    const [hue, saturation] = HITS[family];
    made = Array.from({ length: 128 }, (_, velocity) => {
      const share = velocity / 127;
      return `hsl(${hue} ${Math.round(saturation * (0.45 + 0.55 * share))}% ${Math.round(27 + 45 * share)}%)`;
    });
    shades.set(family, made);
  }
  return made;
}

const SECTIONS = [
  ["#2d5b80", "#d9ebfa"],
  ["#7a5a20", "#fbecd0"],
  ["#2c6a5c", "#d5f5ec"],
  ["#6d3f77", "#f5e0f8"],
  ["#7c3f3f", "#fbe1df"],
  ["#4d6327", "#ebf6d6"],
  ["#414f8a", "#e0e5fb"],
  ["#6b4a35", "#f7e6da"],
] as const;

/** Fill and text colour of a section: the same letter has the same. */
export function sectionColour(label: string): readonly [string, string] {
  let sum = 0;
  for (const letter of label.toUpperCase()) sum = sum * 26 + Math.max(letter.charCodeAt(0) - 65, 0);
  return SECTIONS[sum % SECTIONS.length] ?? SECTIONS[0];
}
