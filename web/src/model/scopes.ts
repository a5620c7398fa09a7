import type { Settings, StateView } from "../api/types";

/** Where a setting is asked for: the song, a section, or a run of bars. */
export type Place = { kind: "song" } | { kind: "section"; section: number } | { kind: "bars"; bars: readonly [number, number] };

export type Key = keyof Settings;

/** The settings said at a place itself; of several bars, what they have in common. */
export function ownSettings(state: StateView, place: Place): Settings {
  if (place.kind === "song") return state.settings;
  if (place.kind === "section") return state.sections[String(place.section)] ?? {};
  const [first, last] = place.bars;
  const common: Settings = { ...(state.bars[String(first)] ?? {}) };
  for (let bar = first + 1; bar <= last; bar++) {
    const other = state.bars[String(bar)] ?? {};
    for (const key of Object.keys(common) as Key[]) if (common[key] !== other[key]) delete common[key];
  }
  return common;
}

/** What holds at a place where nothing is said there: the section's, else the song's value; and whose it is. */
export function inherited(state: StateView, place: Place, key: Key, sectionOf: (bar: number) => number | null): { value: Settings[Key]; from: "drummer" | "song" | "section" } {
  if (place.kind === "bars") {
    const section = sectionOf(place.bars[0]);
    const value = section === null ? null : state.sections[String(section)]?.[key];
    if (value !== null && value !== undefined) return { value, from: "section" };
  }
  const value = place.kind === "song" ? null : state.settings[key];
  return value !== null && value !== undefined ? { value, from: "song" } : { value: null, from: "drummer" };
}
