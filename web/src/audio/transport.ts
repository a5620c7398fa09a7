/** Plays a timeline: hands a synthesiser its messages at the very sample, loops, mutes, counts in. It knows no clock but the frames it is asked for. */

import { type Click, type Control, DRUM_CHANNEL, type Hit, type Note, type Timeline, chase, checkLoop, findFirst, findHeld } from "./timeline";

/** What the transport asks of a synthesiser. */
export interface Synth {
  noteOn(channel: number, pitch: number, velocity: number): void;
  noteOff(channel: number, pitch: number): void;
  control(status: number, data1: number, data2: number): void;
  stopAll(): void;
  /** Adds `count` frames from `start` on to the two channels. */
  process(left: Float32Array, right: Float32Array, start: number, count: number): void;
}

/** Where the song is: at `frame` it is at `position`; if `playing`, it goes on from there. */
export interface Anchor {
  frame: number;
  position: number;
  playing: boolean;
  /** Which order of the page this follows. */
  turn: number;
}

/** Parts and kit classes that are not heard. */
export interface Mutes {
  parts: ReadonlySet<number>;
  classes: ReadonlySet<number>;
}

interface Sounding {
  note: Note | null;
  channel: number;
  pitch: number;
  end: number;
}

/** Messages are given at multiples of this many frames (0.7 ms), so that the synthesiser is not asked for single samples. */
const GRAIN = 32;
const DRUM_SECONDS = 0.25;
const TAIL_SECONDS = 2;
const FADE_SECONDS = 0.012;
const CLICK_SECONDS = 0.06;
const SAME_HIT_SECONDS = 0.015;
const EMPTY: Timeline = { notes: [], controls: [], duration: 0, longest: 0 };

/** The state of playing; `render` is called for every block of frames in turn. */
export class Transport {
  playing = false;
  position = 0;
  /** The number of the page's last order; what is told carries it. */
  turn = 0;
  private timeline = EMPTY;
  private hits: Hit[] = [];
  private mutes: Mutes = { parts: new Set(), classes: new Set() };
  private loop: [number, number] | null = null;
  private origin = 0;
  private begin = 0;
  private waiting = false;
  private frame = 0;
  private next = { note: 0, control: 0, hit: 0 };
  private sounding: Sounding[] = [];
  private struck = new Map<number, number>();
  private clicks: { frame: number; accent: boolean }[] = [];
  private level = 0;
  private quiet = 0;

  /**
   * @param synth what sounds.
   * @param rate frames a second.
   * @param tell is called with where the song is whenever it starts, jumps or stops.
   */
  constructor(
    private readonly synth: Synth,
    private readonly rate: number,
    private readonly tell: (anchor: Anchor) => void,
  ) {}

  /** Takes another song; stops. Drums and mutes stay until others are set; the loop does not. */
  load(timeline: Timeline): void {
    this.halt(0);
    this.timeline = timeline;
    this.loop = null;
  }

  /** Takes other drums at once; what rings goes on ringing. */
  setDrums(hits: readonly Hit[]): void {
    this.hits = [...hits].sort((a, b) => a.time - b.time);
    this.next.hit = findFirst(this.hits, this.playing ? this.position : 0, (hit) => hit.time);
  }

  /** Seconds until nothing more comes. */
  get duration(): number {
    return Math.max(this.timeline.duration, this.hits.at(-1)?.time ?? 0);
  }

  /** Mutes at once; a part that comes back takes up its held notes. */
  setMutes(mutes: Mutes): void {
    const before = this.mutes;
    this.mutes = mutes;
    if (!this.playing) return;
    for (const one of this.sounding) if (one.note && mutes.parts.has(one.note.part)) this.synth.noteOff(one.channel, one.pitch);
    this.sounding = this.sounding.filter((one) => !one.note || !mutes.parts.has(one.note.part));
    for (const note of findHeld(this.timeline, this.position)) if (before.parts.has(note.part) && !mutes.parts.has(note.part)) this.start(note);
  }

  /** Sets the loop, or none; playing on behind its end goes to its beginning. */
  setLoop(loop: readonly [number, number] | null): void {
    this.loop = checkLoop(loop, Math.max(this.duration, loop?.[1] ?? 0));
    if (this.loop && this.playing && this.position >= this.loop[1]) this.jump(this.loop[0]);
  }

  /** Plays from a place, after clicks that take `wait` seconds. */
  play(from: number, clicks: readonly Click[] = [], wait = 0): void {
    this.release();
    this.playing = true;
    this.quiet = 0;
    const begin = this.frame + Math.round(wait * this.rate);
    this.clicks = clicks.map((click) => ({ frame: this.frame + Math.round(click.time * this.rate), accent: click.accent }));
    this.place(from, begin);
    for (const control of chase(this.timeline.controls, from)) this.send(control);
    this.waiting = true;
  }

  /** Stops, at a place or where it is; every note ends. */
  pause(position = this.position): void {
    this.halt(position);
  }

  /** Goes to a place, playing on if it plays. */
  seek(position: number): void {
    if (this.playing) this.jump(position);
    else this.halt(position);
  }

  /** Renders the block that begins at `frame`: adds to both channels. */
  render(left: Float32Array, right: Float32Array, frame: number): void {
    this.frame = frame;
    const frames = left.length;
    let done = 0;
    while (done < frames) {
      if (this.playing) this.dispatch(frame + done);
      const count = Math.min(this.playing ? this.countFree(frame + done) : frames, frames - done);
      if (this.quiet < TAIL_SECONDS * this.rate) this.synth.process(left, right, done, count);
      done += count;
      this.frame = frame + done;
    }
    this.fade(left, right);
    this.click(left, right, frame);
  }

  /** Gives all messages that are due at a frame. */
  private dispatch(frame: number): void {
    if (frame < this.begin) return;
    if (this.waiting) this.startHeld();
    this.position = (frame - this.origin) / this.rate;
    if (this.loop && this.position >= this.loop[1] - 1e-9) this.repeat(frame);
    const now = this.position + GRAIN / this.rate / 2;
    this.endNotes(now);
    const { controls, notes } = this.timeline;
    while (this.next.control < controls.length && controls[this.next.control]![0] <= now) this.send(controls[this.next.control++]!);
    while (this.next.note < notes.length && notes[this.next.note]!.start <= now) this.start(notes[this.next.note++]!);
    while (this.next.hit < this.hits.length && this.hits[this.next.hit]!.time <= now) this.strike(this.hits[this.next.hit++]!);
    if (!this.loop && this.position > this.duration + TAIL_SECONDS) this.halt(0);
  }

  /** Frames until the next message, in grains; at least one grain. */
  private countFree(frame: number): number {
    if (frame < this.begin) return Math.max(GRAIN, Math.floor((this.begin - frame) / GRAIN) * GRAIN);
    const { controls, notes } = this.timeline;
    const ends = this.sounding.map((one) => one.end);
    const times = [controls[this.next.control]?.[0], notes[this.next.note]?.start, this.hits[this.next.hit]?.time, this.loop?.[1], ...ends];
    const due = times.reduce<number>((least, time) => Math.min(least, time ?? Infinity), this.position + 1);
    return Math.max(1, Math.floor(((due - this.position) * this.rate) / GRAIN + 0.5)) * GRAIN;
  }

  /** At `frame` the song is at `position`. */
  private place(position: number, frame: number): void {
    this.position = position;
    this.begin = frame;
    this.waiting = false;
    this.origin = frame - position * this.rate;
    this.next = {
      note: findFirst(this.timeline.notes, position, (note) => note.start),
      control: findFirst(this.timeline.controls, position, (control) => control[0]),
      hit: findFirst(this.hits, position, (hit) => hit.time),
    };
    this.struck.clear();
    this.tell({ frame, position, playing: this.playing, turn: this.turn });
  }

  /** From the loop's end to its beginning, without losing a part of a frame. */
  private repeat(frame: number): void {
    const [begin, end] = this.loop!;
    const over = this.position - end;
    this.release();
    this.place(begin, frame);
    if (over < end - begin) this.origin -= over * this.rate;
    this.position = (frame - this.origin) / this.rate;
    for (const control of chase(this.timeline.controls, begin)) this.send(control);
    this.startHeld();
  }

  private jump(position: number): void {
    this.release();
    this.clicks = [];
    this.place(position, this.frame);
    for (const control of chase(this.timeline.controls, position)) this.send(control);
    this.startHeld();
  }

  private halt(position: number): void {
    this.release();
    this.playing = false;
    this.clicks = [];
    this.place(position, this.frame);
  }

  /** Ends all notes, also those that a pedal holds. */
  private release(): void {
    const channels = new Set(this.timeline.notes.map((note) => note.channel));
    for (const channel of channels) this.synth.control(0xb0 | channel, 64, 0);
    for (const one of this.sounding) this.synth.noteOff(one.channel, one.pitch);
    this.sounding = [];
  }

  private startHeld(): void {
    this.waiting = false;
    for (const note of findHeld(this.timeline, this.position)) this.start(note);
  }

  private start(note: Note): void {
    if (this.mutes.parts.has(note.part)) return;
    this.synth.noteOn(note.channel, note.pitch, note.velocity);
    this.sounding.push({ note, channel: note.channel, pitch: note.pitch, end: note.end });
  }

  private strike(hit: Hit): void {
    const last = this.struck.get(hit.pitch);
    if (this.mutes.classes.has(hit.cls) || hit.velocity < 1 || (last !== undefined && Math.abs(hit.time - last) < SAME_HIT_SECONDS)) return;
    this.struck.set(hit.pitch, hit.time);
    this.synth.noteOn(DRUM_CHANNEL, hit.pitch, hit.velocity);
    this.sounding.push({ note: null, channel: DRUM_CHANNEL, pitch: hit.pitch, end: hit.time + DRUM_SECONDS });
  }

  private endNotes(now: number): void {
    if (!this.sounding.some((one) => one.end <= now)) return;
    for (const one of this.sounding) if (one.end <= now) this.synth.noteOff(one.channel, one.pitch);
    this.sounding = this.sounding.filter((one) => one.end > now);
  }

  private send([, status, data1, data2]: Control): void {
    this.synth.control(status, data1, data2);
  }

  /** Quiet within some milliseconds of a stop, and then no work for the synthesiser. */
  private fade(left: Float32Array, right: Float32Array): void {
    const goal = this.playing ? 1 : 0;
    const step = 1 / (FADE_SECONDS * this.rate);
    if (this.level === 1 && goal === 1) return;
    for (let i = 0; i < left.length; i++) {
      this.level = goal ? Math.min(1, this.level + step * 4) : Math.max(0, this.level - step);
      left[i]! *= this.level;
      right[i]! *= this.level;
    }
    if (goal || this.level > 0) return;
    if (this.quiet === 0) this.synth.stopAll();
    this.quiet += left.length;
  }

  /** The count-in: short sine tones, which need no SoundFont and which nothing mutes. */
  private click(left: Float32Array, right: Float32Array, frame: number): void {
    if (this.clicks.length === 0) return;
    for (const { frame: begin, accent } of this.clicks) {
      const pitch = (2 * Math.PI * (accent ? 1760 : 1175)) / this.rate;
      for (let i = Math.max(0, begin - frame); i < left.length; i++) {
        const age = frame + i - begin;
        const value = (accent ? 0.4 : 0.28) * Math.exp((-age * 7) / (CLICK_SECONDS * this.rate)) * Math.sin(pitch * age);
        left[i]! += value;
        right[i]! += value;
      }
    }
    this.clicks = this.clicks.filter((one) => one.frame + CLICK_SECONDS * 2 * this.rate > frame);
  }
}
