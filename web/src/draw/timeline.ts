import type { SongView } from "../api/types";
import type { Clock } from "../model/clock";
import { lowerBound, type Groove } from "../model/groove";
import type { PartShape } from "../model/parts";
import { HEAD, INTENSITY, RULER, SECTIONS, TITLE, type Layout } from "./layout";
import { INK, sectionColour, shadeOf } from "./palette";

/** All that a picture of the timeline depends on. */
export interface Scene {
  width: number;
  height: number;
  ratio: number;
  scrollLeft: number;
  scrollTop: number;
  stepWidth: number;
  song: SongView;
  clock: Clock;
  groove: Groove;
  layout: Layout;
  shapes: ReadonlyMap<number, PartShape>;
  quietParts: ReadonlySet<number>;
  quietClasses: ReadonlySet<number>;
  locked: (bar: number, cls: number) => boolean;
  bars: readonly [number, number] | null;
  classes: ReadonlySet<string>;
  loop: readonly [number, number] | null;
  /** Bars and sections that have settings of their own. */
  marked: ReadonlySet<number>;
  markedSections: ReadonlySet<number>;
  font: string;
}

type Pen = CanvasRenderingContext2D;

/** Draws what is visible, and nothing else: the cost depends on the window, not on the song. */
export function drawTimeline(pen: Pen, scene: Scene): void {
  const { ratio, width, height, clock, scrollLeft, stepWidth } = scene;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = INK.page;
  pen.fillRect(0, 0, width, height);
  if (clock.bars.length === 0) return;
  const firstBar = clock.barOf(scrollLeft / stepWidth);
  const lastBar = clock.barOf((scrollLeft + width) / stepWidth);
  pen.save();
  pen.beginPath();
  pen.rect(0, HEAD, width, height - HEAD);
  pen.clip();
  drawLanes(pen, scene, firstBar, lastBar);
  drawParts(pen, scene);
  drawLocks(pen, scene, firstBar, lastBar);
  drawHits(pen, scene);
  drawSelection(pen, scene);
  pen.restore();
  drawHead(pen, scene, firstBar, lastBar);
}

function xOf(scene: Scene, step: number): number {
  return step * scene.stepWidth - scene.scrollLeft;
}

function endStep(scene: Scene, bar: number): number {
  const { clock } = scene;
  return bar + 1 < clock.bars.length ? clock.bar(bar + 1).first_step : clock.steps;
}

function drawLanes(pen: Pen, scene: Scene, firstBar: number, lastBar: number): void {
  const { layout, width, clock, stepWidth } = scene;
  const end = Math.min(xOf(scene, clock.steps), width);
  const y = (top: number): number => HEAD + top - scene.scrollTop;
  pen.fillStyle = INK.head;
  if (layout.drumsTitle > 0) pen.fillRect(0, y(layout.partsTitle), end, TITLE);
  pen.fillRect(0, y(layout.drumsTitle), end, TITLE);
  for (const part of layout.parts) {
    pen.fillStyle = INK.lane;
    pen.fillRect(0, y(part.top), end, layout.rowHeight - 1);
  }
  layout.rows.forEach((row, i) => {
    pen.fillStyle = scene.classes.has(row.name) ? "#1d3234" : i % 2 ? INK.laneOdd : INK.lane;
    pen.fillRect(0, y(row.top), end, layout.rowHeight - 1);
  });
  const first = layout.rows[0];
  const top = first ? y(first.top) : 0;
  const tall = layout.rows.length * layout.rowHeight - 1;
  for (let bar = firstBar; bar <= lastBar; bar++) {
    const from = clock.bar(bar).first_step;
    const beat = clock.beatSteps(bar);
    const until = endStep(scene, bar);
    if (stepWidth * beat >= 7) {
      for (let step = from; step < until; step++) {
        const onBeat = (step - from) % beat === 0;
        if (step === from || (!onBeat && stepWidth < 9)) continue;
        pen.fillStyle = onBeat ? INK.beatLine : INK.cellLine;
        pen.fillRect(Math.round(xOf(scene, step)), top, 1, tall);
      }
    }
    pen.fillStyle = INK.barLine;
    pen.fillRect(Math.round(xOf(scene, from)), HEAD, 1, y(layout.height) - HEAD - 8);
  }
}

function drawParts(pen: Pen, scene: Scene): void {
  const { layout, width, scrollLeft, stepWidth } = scene;
  const left = scrollLeft / stepWidth;
  const right = (scrollLeft + width) / stepWidth;
  // Folded, the parts lie over each other in the title's strip.
  const lanes = layout.parts.length ? layout.parts : layout.drumsTitle > 0 ? [...scene.shapes.keys()].map((index) => ({ index, top: layout.partsTitle })) : [];
  const tall = layout.parts.length ? layout.rowHeight : TITLE;
  for (const part of lanes) {
    const shape = scene.shapes.get(part.index);
    const top = HEAD + part.top - scene.scrollTop;
    if (!shape || top > scene.height || top + tall < HEAD) continue;
    pen.fillStyle = scene.quietParts.has(part.index) ? "#3a4651" : INK.band;
    for (let i = startAt(shape.start, left - shape.longest); i < shape.start.length; i++) {
      const start = shape.start[i] as number;
      if (start > right) break;
      const end = shape.end[i] as number;
      if (end < left) continue;
      const y = top + 3 + (1 - (shape.height[i] as number)) * (tall - 9);
      pen.fillRect(start * stepWidth - scrollLeft, y, Math.max((end - start) * stepWidth - 0.6, 1.2), 2.4);
    }
  }
}

function startAt(sorted: Float32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function drawHits(pen: Pen, scene: Scene): void {
  const { groove, layout, stepWidth, scrollLeft, width, scrollTop } = scene;
  const places = new Map(layout.rows.map((row) => [row.cls, row]));
  const last = Math.ceil((scrollLeft + width) / stepWidth) + 1;
  const box = Math.max(stepWidth * 0.56, 1.6);
  const round = stepWidth >= 10 ? 2 : 0;
  const tall = layout.rowHeight - 5;
  for (let i = lowerBound(groove, Math.floor(scrollLeft / stepWidth) - 1); i < groove.step.length; i++) {
    const step = groove.step[i] as number;
    if (step > last) break;
    const row = places.get(groove.cls[i] as number);
    if (!row) continue;
    const velocity = groove.velocity[i] as number;
    const height = Math.round(tall * (0.42 + 0.58 * (velocity / 127)));
    const middle = HEAD + row.top - scrollTop + (layout.rowHeight - 1) / 2;
    const x = (step + 0.5 + (groove.offset[i] as number)) * stepWidth - scrollLeft;
    if (stepWidth >= 14) {
      pen.fillStyle = INK.barLine;
      pen.fillRect(Math.round((step + 0.5) * stepWidth - scrollLeft), middle - tall / 2 - 1, 1, tall + 2);
    }
    pen.fillStyle = scene.quietClasses.has(row.cls) ? "#48545f" : (shadeOf(row.family)[velocity] as string);
    if (round) {
      pen.beginPath();
      pen.roundRect(x - box / 2, middle - height / 2, box, height, round);
      pen.fill();
    } else pen.fillRect(x - box / 2, middle - height / 2, box, height);
  }
}

let hatch: CanvasPattern | null = null;

function lockPattern(pen: Pen): CanvasPattern | string {
  if (hatch) return hatch;
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const ink = tile.getContext("2d");
  if (!ink) return INK.lock;
  ink.strokeStyle = INK.lock;
  ink.lineWidth = 1.6;
  ink.beginPath();
  for (const shift of [-8, 0, 8]) {
    ink.moveTo(shift, 8);
    ink.lineTo(shift + 8, 0);
  }
  ink.stroke();
  hatch = pen.createPattern(tile, "repeat");
  return hatch ?? INK.lock;
}

function drawLocks(pen: Pen, scene: Scene, firstBar: number, lastBar: number): void {
  const { layout } = scene;
  for (const row of layout.rows) {
    const top = HEAD + row.top - scene.scrollTop;
    for (let bar = firstBar; bar <= lastBar; bar++) {
      if (!scene.locked(bar, row.cls)) continue;
      const x = xOf(scene, scene.clock.bar(bar).first_step) + 1;
      const wide = (endStep(scene, bar) - scene.clock.bar(bar).first_step) * scene.stepWidth - 1;
      pen.fillStyle = lockPattern(pen);
      pen.fillRect(x, top, wide, layout.rowHeight - 1);
      if (wide > 40) drawPadlock(pen, x + 3, top + 3);
    }
  }
}

function drawPadlock(pen: Pen, x: number, y: number): void {
  pen.fillStyle = INK.lockEdge;
  pen.fillRect(x, y + 3.5, 6, 4.5);
  pen.strokeStyle = INK.lockEdge;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.arc(x + 3, y + 3.5, 2, Math.PI, 0);
  pen.stroke();
}

function drawSelection(pen: Pen, scene: Scene): void {
  if (!scene.bars) return;
  const from = xOf(scene, scene.clock.bar(scene.bars[0]).first_step);
  const to = xOf(scene, endStep(scene, scene.bars[1]));
  const { layout } = scene;
  const rows = scene.classes.size > 0 ? layout.rows.filter((row) => scene.classes.has(row.name)) : layout.rows;
  pen.fillStyle = INK.select;
  for (const row of rows) pen.fillRect(from, HEAD + row.top - scene.scrollTop, to - from, layout.rowHeight - 1);
  pen.fillStyle = INK.selectEdge;
  const top = HEAD + layout.drumsTitle - scene.scrollTop;
  const tall = layout.height - layout.drumsTitle;
  pen.fillRect(from, top, 1.5, tall);
  pen.fillRect(to - 1, top, 1.5, tall);
}

function drawHead(pen: Pen, scene: Scene, firstBar: number, lastBar: number): void {
  const { width, clock, song } = scene;
  const end = Math.min(xOf(scene, clock.steps), width);
  pen.fillStyle = INK.head;
  pen.fillRect(0, 0, width, HEAD);
  pen.textBaseline = "middle";
  drawLoop(pen, scene);
  drawRuler(pen, scene, firstBar, lastBar);
  song.sections.forEach((section, index) => {
    const from = xOf(scene, clock.bar(section.first_bar).first_step);
    const to = xOf(scene, endStep(scene, section.first_bar + section.bars - 1));
    if (to < 0 || from > width) return;
    const [fill, text] = sectionColour(section.label);
    pen.fillStyle = fill;
    pen.beginPath();
    pen.roundRect(from + 1, RULER + 2, Math.max(to - from - 2, 1), SECTIONS - 4, 3);
    pen.fill();
    if (to - from < 18) return;
    pen.fillStyle = text;
    pen.font = `600 11px ${scene.font}`;
    const wide = to - Math.max(from, 0);
    if (scene.markedSections.has(index)) {
      pen.fillStyle = INK.loop;
      pen.beginPath();
      pen.arc(Math.min(to, width) - 9, RULER + SECTIONS / 2, 2.4, 0, Math.PI * 2);
      pen.fill();
      pen.fillStyle = text;
    }
    pen.fillText(wide > 84 ? `${section.label}  · ${section.bars} ${section.bars === 1 ? "bar" : "bars"}` : section.label, Math.max(from, 0) + 7, RULER + SECTIONS / 2 + 0.5, Math.max(wide - 10, 4));
  });
  drawIntensity(pen, scene, firstBar, lastBar);
  pen.fillStyle = INK.barLine;
  pen.fillRect(0, HEAD - 1, end, 1);
}

function drawLoop(pen: Pen, scene: Scene): void {
  if (!scene.loop) return;
  const from = xOf(scene, scene.clock.stepOf(scene.loop[0]));
  const to = xOf(scene, scene.clock.stepOf(scene.loop[1]));
  pen.fillStyle = "rgba(240, 179, 92, 0.20)";
  pen.fillRect(from, 0, to - from, RULER);
  pen.fillStyle = INK.loop;
  pen.fillRect(from, 0, to - from, 3);
  pen.fillRect(from, 0, 2, RULER);
  pen.fillRect(to - 2, 0, 2, RULER);
}

function drawRuler(pen: Pen, scene: Scene, firstBar: number, lastBar: number): void {
  const { clock, stepWidth } = scene;
  if (scene.bars) {
    const from = xOf(scene, clock.bar(scene.bars[0]).first_step);
    const to = xOf(scene, endStep(scene, scene.bars[1]));
    pen.fillStyle = "rgba(88, 196, 181, 0.30)";
    pen.fillRect(from, 0, to - from, RULER);
  }
  const every = spread(clock.bar(firstBar).steps * stepWidth, 30);
  for (let bar = firstBar; bar <= lastBar; bar++) {
    const here = clock.bar(bar);
    const before = bar > 0 ? clock.bar(bar - 1) : null;
    const x = Math.round(xOf(scene, here.first_step));
    const numbered = bar % every === 0;
    pen.fillStyle = numbered ? INK.barLine : INK.beatLine;
    pen.fillRect(x, numbered ? 8 : 20, 1, numbered ? RULER - 8 : RULER - 20);
    const said: string[] = [];
    if (!before || before.numerator !== here.numerator || before.denominator !== here.denominator) said.push(`${here.numerator}/${here.denominator}`);
    if (!before || Math.abs(before.qpm - here.qpm) >= 0.5) said.push(`♩${Math.round(here.qpm)}`);
    if (numbered) {
      pen.font = `600 11px ${scene.font}`;
      pen.fillStyle = INK.text;
      pen.fillText(String(bar + 1), x + 5, 11);
    }
    const wide = here.steps * stepWidth;
    if (said.length && wide * every > 26) {
      const beside = numbered && wide > 90;
      pen.font = `10px ${scene.font}`;
      pen.fillStyle = INK.quiet;
      pen.fillText(said.join("  "), x + (beside ? 14 + 7 * String(bar + 1).length : 5), beside ? 11.5 : 23);
    }
    if (scene.marked.has(bar)) {
      pen.fillStyle = INK.loop;
      pen.beginPath();
      pen.arc(x + Math.max(here.steps * stepWidth - 7, 4), 11, 2.4, 0, Math.PI * 2);
      pen.fill();
    }
  }
}

/** Every how many bars a number fits. */
function spread(barWidth: number, room: number): number {
  let every = 1;
  while (barWidth * every < room) every *= 2;
  return every;
}

function drawIntensity(pen: Pen, scene: Scene, firstBar: number, lastBar: number): void {
  const { clock, song } = scene;
  const base = HEAD - 2;
  const tall = INTENSITY - 6;
  const first = Math.max(firstBar - 1, 0);
  const last = Math.min(lastBar + 1, clock.bars.length - 1);
  const middle = (bar: number): number => xOf(scene, (clock.bar(bar).first_step + endStep(scene, bar)) / 2);
  const y = (bar: number): number => base - Math.min(Math.max(song.intensity[bar] ?? 0, 0), 1) * tall;
  pen.beginPath();
  const left = first === 0 ? xOf(scene, 0) : middle(first);
  const right = last === clock.bars.length - 1 ? xOf(scene, clock.steps) : middle(last);
  pen.moveTo(left, y(first));
  for (let bar = first; bar <= last; bar++) pen.lineTo(middle(bar), y(bar));
  pen.lineTo(right, y(last));
  pen.strokeStyle = INK.band;
  pen.lineWidth = 1.4;
  pen.stroke();
  pen.lineTo(right, base);
  pen.lineTo(left, base);
  pen.closePath();
  pen.fillStyle = INK.bandFill;
  pen.fill();
}
