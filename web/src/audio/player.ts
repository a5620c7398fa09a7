/** The page's player: fetches the sounds when the page opens, and gives orders to the audio worklet. */

import { type Order, PROCESSOR, type Report } from "./messages";
import processorUrl from "./processor.ts?worker&url";
import { type Bar, type Hit, type Playback, checkLoop, countIn, listPrograms, makeTimeline, wrap } from "./timeline";
import type { Anchor } from "./transport";

export type { Bar, Hit, Playback } from "./timeline";

/** What a page shows of the player. */
export interface PlayerState {
  playing: boolean;
  /** The count-in is heard; the song has not begun. */
  counting: boolean;
  /** The browser lets nothing sound until the page is clicked. */
  blocked: boolean;
  /** Why there is no sound at all, in one line. */
  error: string | null;
}

const SOUNDS = "/sounds/band.sf3";
const BLOCKED_MS = 400;
const WARM_LATER_MS = 600;

/** Plays a song with drums. Everything that is set before the sounds are there is done once they are. */
export class Player {
  /** Fulfilled when the sounds are there; rejected with one line why not. */
  readonly ready: Promise<void>;
  /** Whether one bar of clicks comes before playing. */
  countIn = false;

  private readonly context: AudioContext | null = null;
  private readonly gain: GainNode | null = null;
  private node: AudioWorkletNode | null = null;
  private waiting: Order[] = [];
  private anchors: Anchor[] = [];
  private listeners = new Set<(state: PlayerState) => void>();
  private state: PlayerState = { playing: false, counting: false, blocked: false, error: null };
  private bars: readonly Bar[] = [];
  private duration = 0;
  private currentLoop: [number, number] | null = null;
  private place = 0;
  private turn = 0;
  private loudness = 1;

  /** @param sounds where the SoundFont lies. */
  constructor(sounds = SOUNDS) {
    try {
      this.context = new AudioContext({ latencyHint: "balanced" });
      this.gain = this.context.createGain();
      this.gain.connect(this.context.destination);
    } catch {
      this.change({ error: "This browser gives no audio output." });
    }
    this.ready = this.open(sounds);
    this.ready.catch((error: unknown) => this.change({ error: error instanceof Error ? error.message : String(error) }));
  }

  /**
   * Takes another song; if it plays already, plays it from its beginning. Drums and mutes stay until others are set, the loop does not.
   * `bars` are needed for the count-in.
   */
  load(playback: Playback, bars: readonly Bar[]): void {
    const timeline = makeTimeline(playback);
    const on = this.playing;
    this.bars = bars;
    this.duration = timeline.duration;
    this.currentLoop = null;
    this.setPlace(0);
    this.order({ type: "load", turn: ++this.turn, timeline, programs: listPrograms(timeline) });
    if (on) this.play(0);
  }

  /** Takes other drums, at once and without a gap if it plays. */
  setDrums(hits: readonly Hit[]): void {
    this.order({ type: "drums", hits: hits.map(({ time, pitch, velocity, cls }) => ({ time, pitch, velocity, cls })) });
  }

  /** Says what is not heard. */
  setMutes(mutes: { parts: ReadonlySet<number>; classes: ReadonlySet<number> }): void {
    this.order({ type: "mutes", parts: [...mutes.parts], classes: [...mutes.classes] });
  }

  /** Plays on, or from `from` seconds. */
  play(from?: number): void {
    const begin = wrap(Math.max(0, from ?? this.position), this.currentLoop);
    const clicks = this.countIn ? countIn(this.bars, begin, this.duration) : { clicks: [], seconds: 0 };
    this.order({ type: "play", turn: ++this.turn, from: begin, clicks: clicks.clicks, wait: clicks.seconds });
    this.place = begin;
    this.anchors = [];
    this.change({ playing: true, counting: clicks.seconds > 0 });
    void this.wake();
  }

  /** Stops where it is. */
  pause(): void {
    const place = this.position;
    this.order({ type: "pause", turn: ++this.turn, position: place });
    this.setPlace(place);
  }

  /** Goes to a place in seconds; plays on from there if it plays. */
  seek(seconds: number): void {
    const place = Math.max(0, seconds);
    this.order({ type: "seek", turn: ++this.turn, position: place });
    this.place = place;
    this.anchors = [];
  }

  get playing(): boolean {
    return this.state.playing;
  }

  /** Seconds of what is heard now: what the sound takes on its way out is taken off. */
  get position(): number {
    if (!this.playing) return this.place;
    const heard = this.heardTime();
    const rate = this.context!.sampleRate;
    const anchor = this.anchors.findLast((one) => one.frame / rate <= heard);
    if (!anchor) return this.place;
    if (this.state.counting) this.change({ counting: false });
    return anchor.playing ? wrap(anchor.position + heard - anchor.frame / rate, this.currentLoop) : anchor.position;
  }

  get loop(): [number, number] | null {
    return this.currentLoop;
  }

  set loop(loop: readonly [number, number] | null) {
    this.currentLoop = checkLoop(loop, Infinity);
    this.order({ type: "loop", loop: this.currentLoop });
  }

  /** 0 (silent) to 1. */
  get volume(): number {
    return this.loudness;
  }

  set volume(volume: number) {
    this.loudness = Math.min(1, Math.max(0, volume));
    this.gain?.gain.setTargetAtTime(this.loudness ** 2, this.context!.currentTime, 0.01);
  }

  /** Calls back now and whenever the state changes. Returns the way to end that. */
  onState(callback: (state: PlayerState) => void): () => void {
    this.listeners.add(callback);
    callback(this.state);
    return () => void this.listeners.delete(callback);
  }

  private async open(sounds: string): Promise<void> {
    const context = this.context;
    if (!context?.audioWorklet) throw new Error("This browser gives no audio output.");
    const [data] = await Promise.all([fetchSounds(sounds), context.audioWorklet.addModule(processorUrl)]);
    const node = new AudioWorkletNode(context, PROCESSOR, { numberOfInputs: 0, outputChannelCount: [2] });
    node.connect(this.gain!);
    await new Promise<void>((resolve, reject) => {
      node.onprocessorerror = () => reject(new Error("The synthesiser stopped; reload the page."));
      node.port.onmessage = ({ data: report }: MessageEvent<Report>) => {
        if (report.type === "failed") reject(new Error(`The sounds cannot be read: ${report.error}`));
        else if (report.type === "ready") resolve();
      };
      node.port.postMessage({ type: "sounds", data } satisfies Order, [data]);
    });
    this.begin(node);
  }

  /** The sounds are there: gives the orders that waited, and has the samples decoded one by one. */
  private begin(node: AudioWorkletNode): void {
    this.node = node;
    node.port.onmessage = ({ data }: MessageEvent<Report>) => this.hear(data);
    node.onprocessorerror = () => this.change({ playing: false, error: "The synthesiser stopped; reload the page." });
    for (const order of this.waiting.splice(0)) node.port.postMessage(order);
    node.port.postMessage({ type: "warm" } satisfies Order);
  }

  private order(order: Order): void {
    if (this.node) this.node.port.postMessage(order);
    else this.waiting.push(order);
  }

  private hear(report: Report): void {
    if (report.type === "anchor") this.anchor(report.anchor);
    else if (report.type === "warmed" && report.left > 0) {
      if (this.playing) setTimeout(() => this.order({ type: "warm" }), WARM_LATER_MS);
      else this.order({ type: "warm" });
    }
  }

  /** The song started, jumped or stopped in the worklet. */
  private anchor(anchor: Anchor): void {
    if (anchor.turn < this.turn) return;
    this.anchors = [...this.anchors.slice(-7), anchor];
    if (anchor.playing || !this.playing) return;
    this.setPlace(anchor.position);
  }

  private setPlace(place: number): void {
    this.place = place;
    this.anchors = [];
    this.change({ playing: false, counting: false });
  }

  /** The context's time of what leaves the loudspeaker now. */
  private heardTime(): number {
    const context = this.context!;
    const late = context.outputLatency || context.baseLatency || 0;
    const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp?.() ?? {};
    const stamped = contextTime + (performance.now() - performanceTime) / 1000;
    const plain = context.currentTime - late;
    return contextTime > 0 && Math.abs(stamped - plain) < 0.2 ? stamped : plain;
  }

  /** A page that was not clicked yet may not sound; then the state says so until it may. */
  private async wake(): Promise<void> {
    const context = this.context;
    if (!context || context.state === "running") return;
    const timer = setTimeout(() => this.change({ blocked: true }), BLOCKED_MS);
    await context.resume().catch(() => undefined);
    clearTimeout(timer);
    this.change({ blocked: false });
  }

  private change(change: Partial<PlayerState>): void {
    const state = { ...this.state, ...change };
    if ((Object.keys(change) as (keyof PlayerState)[]).every((key) => this.state[key] === state[key])) return;
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }
}

async function fetchSounds(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok) throw new Error("The sounds cannot be fetched: is the studio still running?");
  return answer.arrayBuffer();
}
