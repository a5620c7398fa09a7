import { Player } from "../audio/player";
import type { KitClass, PlaybackView } from "../api/types";
import type { Clock } from "./clock";
import type { Groove } from "./groove";

/** The player, and what of it the page shows. */
export class Transport {
  readonly player = new Player();
  playing = $state(false);
  counting = $state(false);
  blocked = $state(false);
  ready = $state(false);
  failed = $state("");
  loop = $state.raw<readonly [number, number] | null>(null);
  countIn = $state(false);
  volume = $state(0.8);
  /** Goes up when the position jumps while nothing plays. */
  moved = $state(0);

  constructor() {
    this.player.onState((state) => {
      this.playing = state.playing;
      this.counting = state.counting;
      this.blocked = state.blocked;
      this.failed = state.error ?? "";
      this.moved += 1;
    });
    this.player.ready.then(
      () => (this.ready = true),
      () => undefined,
    );
  }

  load(playback: PlaybackView, clock: Clock): void {
    this.setLoop(null);
    this.player.load(playback, clock.bars);
  }

  setDrums(groove: Groove, clock: Clock, classes: readonly KitClass[]): void {
    const hits = [];
    for (let i = 0; i < groove.step.length; i++) {
      const cls = groove.cls[i] as number;
      const time = clock.secondsOf((groove.step[i] as number) + (groove.offset[i] as number));
      hits.push({ time, pitch: classes[cls]?.note ?? 38, velocity: groove.velocity[i] as number, cls });
    }
    this.player.setDrums(hits.sort((a, b) => a.time - b.time));
  }

  toggle(): void {
    if (this.player.playing) this.player.pause();
    else this.player.play();
  }

  stop(): void {
    if (this.player.playing) this.player.pause();
  }

  seek(seconds: number): void {
    this.player.seek(Math.max(seconds, 0));
    this.moved += 1;
  }

  setLoop(loop: readonly [number, number] | null): void {
    this.loop = loop;
    this.player.loop = loop ? [loop[0], loop[1]] : null;
  }

  setCountIn(on: boolean): void {
    this.countIn = on;
    this.player.countIn = on;
  }

  setVolume(volume: number): void {
    this.volume = volume;
    this.player.volume = volume;
  }
}
