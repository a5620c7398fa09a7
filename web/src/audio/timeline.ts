/** What is played when: pure functions over the song's notes and controllers, without a synthesiser and without a clock. */

/** A note of the band: start and end in seconds, pitch and velocity 0-127. */
export type PlaybackNote = [start: number, end: number, pitch: number, velocity: number];
/** A channel message of the band: seconds, status byte, two data bytes. */
export type Control = [time: number, status: number, data1: number, data2: number];

/** What GET /api/projects/ID/playback answers: the band without its drums. */
export interface Playback {
  duration: number;
  parts: { index: number; channel: number; notes: PlaybackNote[] }[];
  controls: Control[];
  /** For programs that the SoundFont lacks: the one that sounds instead. */
  stand_ins?: Record<string, number>;
}

/** A drum hit in seconds; `cls` is its kit class, by which it is muted. */
export interface Hit {
  time: number;
  pitch: number;
  velocity: number;
  cls: number;
}

/** A bar: where it begins in seconds, and its metre. */
export interface Bar {
  seconds: number;
  numerator: number;
  denominator: number;
}

/** A note with its channel and part. */
export interface Note {
  start: number;
  end: number;
  pitch: number;
  velocity: number;
  channel: number;
  part: number;
}

/** A click of the count-in, in seconds from its beginning. */
export interface Click {
  time: number;
  accent: boolean;
}

/** The band in the order in which it is played. */
export interface Timeline {
  notes: Note[];
  controls: Control[];
  duration: number;
  /** Seconds of the longest note: how far back a held note can begin. */
  longest: number;
}

export const DRUM_CHANNEL = 9;
const CONTROL = 0xb0;
const PROGRAM = 0xc0;
const PRESSURE = 0xd0;
const BEND = 0xe0;
const KEY_PRESSURE = 0xa0;
/** Bank numbers: the SoundFont has one bank, and in some systems they would make drums of a channel. */
const BANKS = [0, 32];
/** Registered parameters: these controllers mean something only in their order. */
const REGISTERED = [6, 38, 96, 97, 98, 99, 100, 101];
const DEFAULTS: Record<number, number> = { 7: 100, 8: 64, 10: 64, 11: 127, 71: 64, 72: 64, 73: 64, 74: 64, 75: 64, 76: 64, 77: 64, 78: 64, 91: 40 };
/** A bend range of two semitones, and no parameter chosen after that. */
const RANGE_RESET: [number, number][] = [
  [101, 0],
  [100, 0],
  [6, 2],
  [38, 0],
  [101, 127],
  [100, 127],
];
const MIN_NOTE = 0.01;

const kindOf = (status: number): number => status & 0xf0;
const channelOf = (status: number): number => status & 15;

/** Merges the parts into one list by time; leaves out what would disturb the drums, and puts in the programs that stand in for missing ones. */
export function makeTimeline(playback: Playback): Timeline {
  const notes = playback.parts.flatMap((part) =>
    part.notes.map(([start, end, pitch, velocity]) => ({ start, end: Math.max(end, start + MIN_NOTE), pitch, velocity, channel: part.channel, part: part.index })),
  );
  notes.sort((a, b) => a.start - b.start || a.pitch - b.pitch);
  const longest = notes.reduce((most, note) => Math.max(most, note.end - note.start), 0);
  const last = notes.reduce((most, note) => Math.max(most, note.end), 0);
  return { notes, controls: cleanControls(playback), duration: Math.max(playback.duration, last), longest };
}

function cleanControls(playback: Playback): Control[] {
  const standIns = playback.stand_ins ?? {};
  const controls = playback.controls
    .filter(([, status, data1]) => channelOf(status) !== DRUM_CHANNEL && !(kindOf(status) === CONTROL && (BANKS.includes(data1) || data1 >= 120)))
    .map(([time, status, data1, data2]): Control => [time, status, kindOf(status) === PROGRAM ? (standIns[data1] ?? data1) : data1, data2]);
  return controls.sort((a, b) => a[0] - b[0]);
}

/** The first index whose time is not before `time`. */
export function findFirst<T>(items: readonly T[], time: number, timeOf: (item: T) => number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(items[middle]!) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The notes that began before `time` and sound for at least `rest` seconds after it. */
export function findHeld(timeline: Timeline, time: number, rest = 0.03): Note[] {
  const first = findFirst(timeline.notes, time - timeline.longest, (note) => note.start);
  const end = findFirst(timeline.notes, time, (note) => note.start);
  return timeline.notes.slice(first, end).filter((note) => note.end >= time + rest);
}

const knobOf = ([, status, data1]: Control): number => status * 128 + ([CONTROL, KEY_PRESSURE].includes(kindOf(status)) ? data1 : 0);

/** What a knob stands at before the song sets it. */
function defaultOf([, status, data1]: Control): Control {
  const kind = kindOf(status);
  if (kind === CONTROL) return [0, status, data1, DEFAULTS[data1] ?? 0];
  if (kind === BEND) return [0, status, 0, 64];
  return [0, status, kind === KEY_PRESSURE ? data1 : 0, 0];
}

/**
 * The messages that bring the synthesiser to where it stands just before `time`, wherever it was: of every knob that the song ever turns the last
 * value before `time`, or its default. Registered parameters are told anew in their order.
 */
export function chase(controls: readonly Control[], time: number): Control[] {
  const knobs = new Map<number, Control>();
  const registered: Control[] = [];
  for (const control of controls) {
    const inOrder = kindOf(control[1]) === CONTROL && REGISTERED.includes(control[2]);
    if (inOrder) registered.push(control);
    else if (control[0] < time) knobs.set(knobOf(control), control);
    else if (!knobs.has(knobOf(control))) knobs.set(knobOf(control), defaultOf(control));
  }
  const channels = [...new Set(registered.map(([, status]) => status))];
  const reset = channels.flatMap((status) => RANGE_RESET.map(([data1, data2]): Control => [0, status, data1, data2]));
  const told = registered.filter((control) => control[0] < time);
  const order = [PROGRAM, CONTROL, KEY_PRESSURE, PRESSURE, BEND];
  const rest = [...knobs.values()].sort((a, b) => order.indexOf(kindOf(a[1])) - order.indexOf(kindOf(b[1])));
  return [...reset, ...told, ...rest];
}

/** The programs a song asks for, the piano for channels that name none. */
export function listPrograms(timeline: Timeline): number[] {
  const named = timeline.controls.filter(([, status]) => kindOf(status) === PROGRAM);
  const settled = new Set(named.filter(([time]) => time <= (timeline.notes[0]?.start ?? 0)).map(([, status]) => channelOf(status)));
  const silent = timeline.notes.some((note) => !settled.has(note.channel));
  return [...new Set([...named.map(([, , program]) => program), ...(silent ? [0] : [])])];
}

/** Where a moment lies in a loop that began before it: seconds in [begin, end). A moment before the end stays. */
export function wrap(time: number, loop: readonly [number, number] | null): number {
  if (!loop || time < loop[1]) return time;
  const length = loop[1] - loop[0];
  return loop[0] + ((time - loop[0]) % length);
}

/** A loop that can be played: in order, inside the song and not shorter than `shortest` seconds; else none. */
export function checkLoop(loop: readonly [number, number] | null, duration: number, shortest = 0.05): [number, number] | null {
  if (!loop || !loop.every(Number.isFinite)) return null;
  const begin = Math.max(0, Math.min(loop[0], loop[1]));
  const end = Math.min(duration, Math.max(loop[0], loop[1]));
  return end - begin >= shortest ? [begin, end] : null;
}

/** The bar that holds `time` (the first for times before it, none without bars). */
export function findBar(bars: readonly Bar[], time: number): number {
  return Math.max(0, findFirst(bars, time + 1e-6, (bar) => bar.seconds) - 1);
}

/**
 * One bar of clicks before playing from `time`, in the metre and tempo there. In compound metres (6/8, 9/8, 12/8) every third click is an accent, else the first.
 *
 * Returns the clicks and the seconds they take; playing begins when these are over.
 */
export function countIn(bars: readonly Bar[], time: number, duration: number): { clicks: Click[]; seconds: number } {
  const index = findBar(bars, time);
  const bar = bars[index];
  if (!bar) return { clicks: [0, 0.5, 1, 1.5].map((at) => ({ time: at, accent: at === 0 })), seconds: 2 };
  const next = bars[index + 1]?.seconds ?? duration;
  const length = lengthOf(bars, index, next - bar.seconds);
  const compound = bar.denominator >= 8 && bar.numerator > 3 && bar.numerator % 3 === 0;
  const clicks = Array.from({ length: bar.numerator }, (_, beat) => ({
    time: (beat * length) / bar.numerator,
    accent: compound ? beat % 3 === 0 : beat === 0,
  }));
  return { clicks, seconds: length };
}

/** Seconds of a bar; of the last one, which may be cut off, those of the bar before it where the metre is the same. */
function lengthOf(bars: readonly Bar[], index: number, measured: number): number {
  const bar = bars[index]!;
  const before = bars[index - 1];
  const same = before && before.numerator === bar.numerator && before.denominator === bar.denominator;
  const length = index === bars.length - 1 && same ? bar.seconds - before.seconds : measured;
  return length > 0.2 && length < 60 ? length : 2;
}
