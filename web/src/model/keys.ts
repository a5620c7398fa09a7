import { MAX_STEP, MIN_STEP } from "../draw/layout";
import { hitAt } from "./groove";
import type { Studio } from "./studio.svelte";

/** The keys as the help shows them. */
export const GROUPS: readonly { title: string; keys: readonly (readonly [string, string])[] }[] = [
  {
    title: "Playing",
    keys: [
      ["space", "play, pause"],
      ["home", "to the beginning"],
      ["o", "loop the selected bars"],
      ["c", "count-in"],
      ["m", "mute the piece in focus"],
      ["s", "solo the piece in focus"],
      ["f", "follow the cursor"],
    ],
  },
  {
    title: "The drummer",
    keys: [
      ["g", "generate takes"],
      ["1 – 9", "choose a take, also while it plays"],
      ["r", "redo the selection"],
      ["a", "three alternatives of the selection"],
      ["e", "perform anew: feel only"],
      ["l", "lock, unlock the selection"],
      ["esc", "cancel; select nothing"],
    ],
  },
  {
    title: "The grid",
    keys: [
      ["← → ↑ ↓", "move the focus"],
      ["page↑ page↓", "a bar back, a bar on"],
      ["enter", "set or take away a hit"],
      ["+ −", "louder, softer"],
      ["alt ← →", "earlier, later"],
      ["del", "take away the hit, or clear the selection"],
    ],
  },
  {
    title: "Selecting",
    keys: [
      ["b", "select the bar in focus"],
      ["shift ← →", "more or fewer bars"],
      ["k", "select the piece in focus"],
      ["ctrl a", "select all bars"],
    ],
  },
  {
    title: "Work",
    keys: [
      ["ctrl z", "undo"],
      ["ctrl shift z", "take the undo back"],
      ["[ ]", "zoom out, in"],
      ["p", "show or hide the panel"],
      ["?", "this help"],
    ],
  },
  {
    title: "Mouse and finger",
    keys: [
      ["click", "a cell: set or take away a hit"],
      ["drag↕", "a hit: its velocity"],
      ["alt drag↔", "a hit: its timing"],
      ["shift drag", "the grid: select bars and pieces"],
      ["drag", "the ruler: select bars"],
      ["dblclick", "the ruler: play from there"],
      ["ctrl wheel", "zoom"],
    ],
  },
];

const VELOCITY_STEP = 6;
const OFFSET_STEP = 0.02;

/** What an element needs for itself, so that the page's keys leave it alone. */
function needs(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement) return target.type !== "range" || key.startsWith("Arrow") || key === "Home" || key === "End" || key.startsWith("Page");
  if (target.closest("button, a") && (key === "Enter" || key === " ")) return true;
  return target.closest("dialog") !== null;
}

/** Does what a key says; true when it did. */
export function pressKey(studio: Studio, event: KeyboardEvent): boolean {
  const { session, desk } = studio;
  if (!session.project || event.defaultPrevented || needs(event.target, event.key)) return false;
  if (event.ctrlKey || event.metaKey) return pressControl(studio, event);
  if (event.key.startsWith("Arrow") || event.key.startsWith("Page")) return moveFocus(studio, event);
  if (event.altKey) return false;
  if (/^[1-9]$/.test(event.key)) {
    session.chooseTake(Number(event.key) - 1);
    return true;
  }
  const act = PLAIN[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return false;
  act(studio);
  if (event.key !== "?" && desk.help) desk.help = false;
  return true;
}

const PLAIN: Record<string, (studio: Studio) => void> = {
  " ": (s) => s.transport.toggle(),
  Home: (s) => s.transport.seek(0),
  o: (s) => s.toggleLoop(),
  c: (s) => s.transport.setCountIn(!s.transport.countIn),
  f: (s) => void (s.desk.follow = !s.desk.follow),
  m: (s) => s.toggleMute("mutedClasses"),
  s: (s) => s.toggleMute("soloClasses"),
  g: (s) => s.generate(),
  r: (s) => s.redoSelection(),
  a: (s) => s.redoSelection(3),
  e: (s) => s.feel(),
  l: (s) => s.lockSelection(),
  p: (s) => void (s.desk.panelOpen = !s.desk.panelOpen),
  "?": (s) => void (s.desk.help = true),
  "[": (s) => void (s.desk.stepWidth = Math.max(s.desk.stepWidth / 1.3, MIN_STEP)),
  "]": (s) => void (s.desk.stepWidth = Math.min(s.desk.stepWidth * 1.3, MAX_STEP)),
  Enter: (s) => s.desk.focus && s.toggleCell(s.desk.focus.step, s.desk.focus.cls),
  "+": (s) => nudge(s, VELOCITY_STEP, 0),
  "=": (s) => nudge(s, VELOCITY_STEP, 0),
  "-": (s) => nudge(s, -VELOCITY_STEP, 0),
  Delete: (s) => remove(s),
  Backspace: (s) => remove(s),
  b: (s) => {
    const bar = s.desk.focus && s.session.clock?.barOf(s.desk.focus.step);
    if (typeof bar === "number") s.desk.selectBars(bar, bar);
  },
  k: (s) => s.desk.focus && s.desk.toggleClass(s.className(s.desk.focus.cls)),
  Escape: (s) => {
    if (s.session.working) void s.session.cancel();
    else if (s.desk.selected) s.desk.clear();
    else s.desk.focus = null;
  },
};

function pressControl(studio: Studio, event: KeyboardEvent): boolean {
  const { session, desk } = studio;
  const key = event.key.toLowerCase();
  if (key === "z") void (event.shiftKey ? session.redo() : session.undo());
  else if (key === "y") void session.redo();
  else if (key === "a" && session.clock) desk.selectBars(0, session.clock.bars.length - 1);
  else return false;
  return true;
}

function moveFocus(studio: Studio, event: KeyboardEvent): boolean {
  const { desk, session, rows } = studio;
  const clock = session.clock;
  const first = rows.find((row) => row.name === "snare") ?? rows[0];
  if (!clock || !first || clock.steps === 0) return false;
  if (event.altKey) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return false;
    nudge(studio, 0, event.key === "ArrowLeft" ? -OFFSET_STEP : OFFSET_STEP);
    return true;
  }
  const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
  if (event.shiftKey && sideways) {
    const at = desk.bars ?? [clock.barOf(desk.focus?.step ?? 0), clock.barOf(desk.focus?.step ?? 0)];
    const last = at[1] + (event.key === "ArrowRight" ? (desk.bars ? 1 : 0) : desk.bars ? -1 : 0);
    desk.selectBars(at[0], Math.min(Math.max(last, at[0]), clock.bars.length - 1));
    return true;
  }
  if (!desk.focus) {
    desk.focus = { step: Math.floor(clock.stepOf(studio.transport.player.position + 1e-4)), cls: first.cls };
    return true;
  }
  const { step, cls } = desk.focus;
  const bar = clock.barOf(step);
  const moves: Record<string, number> = {
    ArrowLeft: step - 1,
    ArrowRight: step + 1,
    PageUp: clock.bar(clock.bar(bar).first_step < step ? bar : bar - 1).first_step,
    PageDown: bar + 1 < clock.bars.length ? clock.bar(bar + 1).first_step : step,
  };
  const row = rows.findIndex((r) => r.cls === cls) + (event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0);
  desk.focus = { step: Math.min(Math.max(moves[event.key] ?? step, 0), clock.steps - 1), cls: rows[Math.min(Math.max(row, 0), rows.length - 1)]?.cls ?? cls };
  return true;
}

/** Louder or softer, earlier or later. */
function nudge(studio: Studio, velocity: number, offset: number): void {
  const focus = studio.desk.focus;
  const hit = focus && hitAt(studio.session.groove, focus.step, focus.cls);
  if (!hit) return;
  const loud = Math.min(Math.max(hit.velocity + velocity, 1), 127);
  studio.setCell(hit.step, hit.cls, loud, Math.min(Math.max(hit.offset + offset, -0.5), 0.499));
}

function remove(studio: Studio): void {
  const focus = studio.desk.focus;
  if (focus && hitAt(studio.session.groove, focus.step, focus.cls)) studio.setCell(focus.step, focus.cls, null);
  else studio.clearSelection();
}
