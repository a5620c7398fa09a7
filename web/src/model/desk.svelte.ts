import type { Place } from "./scopes";
import type { Session } from "./session.svelte";

export type Bars = readonly [number, number];

/** What is chosen and shown on this page, and on this page only: selection, focus, zoom, what is heard. */
export class Desk {
  bars = $state.raw<Bars | null>(null);
  classes = $state.raw<ReadonlySet<string>>(new Set());
  section = $state<number | null>(null);
  focus = $state.raw<{ step: number; cls: number } | null>(null);
  stepWidth = $state(15);
  follow = $state(true);
  allRows = $state(false);
  partsOpen = $state(true);
  scope = $state<"song" | "section" | "bars">("song");
  tab = $state<"ask" | "history">("ask");
  panelOpen = $state(true);
  help = $state(false);
  mutedParts = $state.raw<ReadonlySet<number>>(new Set());
  soloParts = $state.raw<ReadonlySet<number>>(new Set());
  mutedClasses = $state.raw<ReadonlySet<number>>(new Set());
  soloClasses = $state.raw<ReadonlySet<number>>(new Set());

  constructor(private readonly session: Session) {}

  /** Whose settings the panel shows. */
  place = $derived.by<Place>(() => {
    if (this.scope === "section" && this.section !== null) return { kind: "section", section: this.section };
    if (this.scope === "bars" && this.bars) return { kind: "bars", bars: this.bars };
    return { kind: "song" };
  });

  selected = $derived(this.bars !== null || this.classes.size > 0);

  reset(): void {
    this.clear();
    this.focus = null;
    this.mutedParts = new Set();
    this.soloParts = new Set();
    this.mutedClasses = new Set();
    this.soloClasses = new Set();
    this.tab = "ask";
  }

  clear(): void {
    this.bars = null;
    this.classes = new Set();
    this.section = null;
    this.scope = "song";
  }

  selectBars(first: number, last: number): void {
    this.bars = first <= last ? [first, last] : [last, first];
    this.section = this.session.project?.song.bars[this.bars[0]]?.section ?? null;
    this.scope = "bars";
  }

  extendTo(bar: number): void {
    const anchor = this.bars ? (bar < this.bars[0] ? this.bars[1] : this.bars[0]) : bar;
    this.selectBars(anchor, bar);
  }

  selectSection(index: number): void {
    const section = this.session.project?.song.sections[index];
    if (!section) return;
    this.bars = [section.first_bar, section.first_bar + section.bars - 1];
    this.section = index;
    this.scope = "section";
  }

  toggleClass(name: string): void {
    this.classes = toggled(this.classes, name);
  }

  /** The bars of the selection as the server takes them; null = all. */
  barList(): number[] | null {
    if (!this.bars) return null;
    const [first, last] = this.bars;
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }

  classList(): string[] | null {
    return this.classes.size > 0 ? [...this.classes] : null;
  }
}

export function toggled<T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}
