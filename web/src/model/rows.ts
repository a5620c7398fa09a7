import type { KitClass } from "../api/types";

/** Classes that are always shown, from the top of a kit's page to its bottom. */
export const MAIN = ["crash", "ride", "open_hat", "closed_hat", "pedal_hat", "high_tom", "mid_tom", "low_tom", "side_stick", "snare", "kick"];

const ORDER = [
  "china",
  "splash",
  "crash",
  "ride_bell",
  "ride",
  "open_hat",
  "closed_hat",
  "pedal_hat",
  "high_tom",
  "mid_tom",
  "low_tom",
  "clap",
  "side_stick",
  "snare",
  "kick",
  "cowbell",
  "tambourine",
  "shaker",
  "light_shaker",
  "claves",
  "hand_percussion_high",
  "high_bongo",
  "mute_conga",
  "low_conga",
];

export type Family = "drums" | "hats" | "cymbals" | "percussion";

export function familyOf(name: string): Family {
  if (/hat/.test(name)) return "hats";
  if (/crash|ride|china|splash/.test(name)) return "cymbals";
  if (/kick|snare|tom|stick/.test(name)) return "drums";
  return "percussion";
}

export interface Row {
  /** Index of the class in the kit. */
  cls: number;
  name: string;
  label: string;
  family: Family;
}

/** Rows to show: those with hits and the main ones, or all; in the order in which a drummer's page has them. */
export function chooseRows(classes: readonly KitClass[], counts: ArrayLike<number>, all: boolean): Row[] {
  const rank = (name: string): number => {
    const at = ORDER.indexOf(name);
    return at < 0 ? ORDER.length : at;
  };
  return classes
    .map((c, cls) => ({ cls, name: c.name, label: c.label, family: familyOf(c.name) }))
    .filter((row) => all || (counts[row.cls] ?? 0) > 0 || MAIN.includes(row.name))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.cls - b.cls);
}
