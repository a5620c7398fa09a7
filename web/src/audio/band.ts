/** The SoundFont synthesiser (spessasynth_core) as the transport wants it, with samples decoded before they are needed. */

import { SoundBankLoader, SpessaSynthProcessor } from "spessasynth_core";
import type { BasicPreset } from "spessasynth_core";
import { DRUM_CHANNEL } from "./timeline";
import type { Synth } from "./transport";

type Sample = { getAudioData(): Float32Array };

/** Loud enough beside other music; what rises above `KNEE` is rounded off instead of cut. */
const GAIN = 1.7;
const KNEE = 0.75;
const VOICES = 160;

/** Plays the shipped SoundFont. Samples are Vorbis in it: each is decoded once, ahead of time where there is time. */
export class Band implements Synth {
  private readonly synth: SpessaSynthProcessor;
  private samples: Sample[] = [];
  private kit: Sample[] = [];
  private presets: BasicPreset[] = [];

  /** @param rate frames a second. */
  constructor(rate: number) {
    this.synth = new SpessaSynthProcessor(rate, { eventsEnabled: false });
    this.synth.setSystemParameter("voiceCap", VOICES);
  }

  /** Reads the SoundFont. */
  async open(data: ArrayBuffer): Promise<void> {
    await this.synth.processorInitialized;
    const bank = SoundBankLoader.fromArrayBuffer(data);
    this.synth.soundBankManager.addSoundBank(bank, "band");
    this.presets = bank.presets;
    this.kit = this.listSamples((preset) => preset.isGMGSDrum && preset.program === 0);
    this.samples = [...new Set([...this.kit, ...bank.samples])];
  }

  /** How many samples are not decoded yet. */
  get left(): number {
    return this.samples.length;
  }

  /** Decodes the next sample. */
  warm(): void {
    decode(this.samples.shift());
  }

  /** These programs' samples are the next to be decoded. */
  prefer(programs: readonly number[]): void {
    const wanted = new Set([...this.kit, ...this.listSamples((preset) => !preset.isGMGSDrum && programs.includes(preset.program))]);
    this.samples = [...this.samples.filter((sample) => wanted.has(sample)), ...this.samples.filter((sample) => !wanted.has(sample))];
  }

  private listSamples(wanted: (preset: BasicPreset) => boolean): Sample[] {
    const zones = this.presets.filter(wanted).flatMap((preset) => preset.zones.flatMap((zone) => zone.instrument?.zones ?? []));
    return [...new Set(zones.map((zone) => zone.sample).filter((sample) => sample !== undefined))];
  }

  /** Everything as after switching on. */
  reset(): void {
    this.synth.reset();
  }

  noteOn(channel: number, pitch: number, velocity: number): void {
    this.synth.noteOn(channel, pitch, velocity);
  }

  noteOff(channel: number, pitch: number): void {
    this.synth.noteOff(channel, pitch);
  }

  control(status: number, data1: number, data2: number): void {
    if ((status & 15) !== DRUM_CHANNEL) this.synth.processMessage([status, data1, data2]);
  }

  stopAll(): void {
    this.synth.stopAllChannels(true);
  }

  process(left: Float32Array, right: Float32Array, start: number, count: number): void {
    this.synth.process(left, right, start, count);
    for (let i = start; i < start + count; i++) {
      left[i] = soften(left[i]! * GAIN);
      right[i] = soften(right[i]! * GAIN);
    }
  }
}

/** A damaged sample is silent; it must not stop the others. */
function decode(sample: Sample | undefined): void {
  try {
    sample?.getAudioData();
  } catch {
    return;
  }
}

/** Unchanged up to the knee, above it bent so that it never reaches 1. */
function soften(value: number): number {
  const size = Math.abs(value);
  if (size <= KNEE) return value;
  return Math.sign(value) * (KNEE + (1 - KNEE) * Math.tanh((size - KNEE) / (1 - KNEE)));
}
