import { getContext, setContext } from "svelte";
import { Desk, toggled } from "./desk.svelte";
import { silent } from "./parts";
import { Session } from "./session.svelte";
import { Transport } from "./transport.svelte";
import { hitAt } from "./groove";
import { chooseRows } from "./rows";

/** Everything of one page: the project, what is chosen, the sound, and what a person can do with them. */
export class Studio {
  readonly session = new Session();
  readonly desk = new Desk(this.session);
  readonly transport = new Transport();

  rows = $derived(chooseRows(this.session.about?.kit.classes ?? [], this.session.used, this.desk.allRows));

  constructor() {
    this.session.onPlayback = (playback, clock) => this.transport.load(playback, clock);
  }

  /** Parts and classes that are not heard. */
  mutes = $derived.by(() => {
    const parts = (this.session.project?.song.parts ?? []).filter((p) => !p.drums).map((p) => p.index);
    const classes = (this.session.about?.kit.classes ?? []).map((_, i) => i);
    const { mutedParts, soloParts, mutedClasses, soloClasses } = this.desk;
    const quiet = { parts: silent(parts, mutedParts, soloParts), classes: silent(classes, mutedClasses, soloClasses) };
    if (soloParts.size > 0 && soloClasses.size === 0) quiet.classes = new Set(classes);
    if (soloClasses.size > 0 && soloParts.size === 0) quiet.parts = new Set(parts);
    return quiet;
  });

  className(cls: number): string {
    return this.session.about?.kit.classes[cls]?.name ?? "";
  }

  isLocked(bar: number, cls: number): boolean {
    return this.session.state?.locks[String(bar)]?.includes(this.className(cls)) ?? false;
  }

  // ---- what can be done, each by a button and a key

  generate(): void {
    if (this.session.working) return;
    const takes = this.session.state?.settings.takes ?? 3;
    void this.session.act({ type: "generate", takes });
  }

  redoSelection(takes = 1): void {
    if (this.session.working) return;
    if (!this.desk.selected) return this.session.say("Select bars or pieces first: click in the ruler, or on a name beside the grid.");
    void this.session.act({ type: "redo", bars: this.desk.barList(), classes: this.desk.classList(), takes });
  }

  feel(): void {
    if (this.session.working) return;
    void this.session.act({ type: "feel", bars: this.desk.barList(), classes: this.desk.classList() });
  }

  lockSelection(): void {
    if (!this.desk.selected) return this.session.say("Select bars or pieces first: click in the ruler, or on a name beside the grid.");
    void this.session.act({ type: this.selectionLocked ? "unlock" : "lock", bars: this.desk.barList(), classes: this.desk.classList() });
  }

  /** Whether every cell of the selection is locked. */
  get selectionLocked(): boolean {
    const { project, state, about } = this.session;
    if (!project || !state || !about || !this.desk.selected) return false;
    const bars = this.desk.barList() ?? project.song.bars.map((_, i) => i);
    const classes = this.desk.classList() ?? about.kit.classes.map((c) => c.name);
    return bars.every((bar) => classes.every((name) => state.locks[String(bar)]?.includes(name) ?? false));
  }

  clearSelection(): void {
    if (!this.desk.selected) return;
    void this.session.act({ type: "clear", bars: this.desk.barList(), classes: this.desk.classList() });
  }

  toggleCell(step: number, cls: number): void {
    const hit = hitAt(this.session.groove, step, cls);
    this.setCell(step, cls, hit ? null : this.usualVelocity(cls));
  }

  setCell(step: number, cls: number, velocity: number | null, offset?: number): void {
    const bar = this.session.clock?.barOf(step) ?? 0;
    if (this.isLocked(bar, cls)) return this.session.complain(new Error(`${this.label(cls)} is locked in bar ${bar + 1}. Unlock it first (l).`));
    const cell = { step, class: this.className(cls), velocity };
    void this.session.edit([velocity === null || offset === undefined ? cell : { ...cell, offset }]);
  }

  label(cls: number): string {
    return this.session.about?.kit.classes[cls]?.label ?? "";
  }

  /** The middle velocity of a piece in this take, else a plain one. */
  usualVelocity(cls: number): number {
    const { groove } = this.session;
    const all: number[] = [];
    for (let i = 0; i < groove.cls.length; i++) if (groove.cls[i] === cls) all.push(groove.velocity[i] as number);
    return all.sort((a, b) => a - b)[all.length >> 1] ?? 96;
  }

  /** Mute or solo the piece in focus. */
  toggleMute(which: "mutedClasses" | "soloClasses"): void {
    const focus = this.desk.focus;
    if (focus) this.desk[which] = toggled(this.desk[which], focus.cls);
  }

  /** Loop what is selected, or all; off when just that is looped. */
  toggleLoop(): void {
    const { clock } = this.session;
    if (!clock) return;
    const [first, last] = this.desk.bars ?? [0, clock.bars.length - 1];
    const wanted = this.loopOf(first, last);
    const now = this.transport.loop;
    const off = now !== null && (this.desk.bars === null || (now[0] === wanted[0] && now[1] === wanted[1]));
    this.transport.setLoop(off ? null : wanted);
  }

  loopOf(first: number, last: number): [number, number] {
    const clock = this.session.clock;
    if (!clock) return [0, 0];
    const end = last + 1 < clock.bars.length ? clock.bar(last + 1).first_step : clock.steps;
    return [clock.secondsOf(clock.bar(first).first_step), clock.secondsOf(end)];
  }
}

const KEY = Symbol("studio");

export function provideStudio(): Studio {
  return setContext(KEY, new Studio());
}

export function useStudio(): Studio {
  return getContext<Studio>(KEY);
}
