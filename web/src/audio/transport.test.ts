/// <reference types="node" />

import { readFileSync } from "node:fs";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Band } from "./band";
import { type Hit, type Playback, makeTimeline } from "./timeline";
import { type Anchor, type Synth, Transport } from "./transport";

const RATE = 48_000;
const BLOCK = 128;
/** A grain: what a message may be early or late. */
const NEAR = 0.0004;

/** Writes down what it is told, and when. */
class Recorder implements Synth {
  told: { at: number; what: string; channel: number; pitch: number }[] = [];
  frame = 0;
  note = (what: string, channel: number, pitch: number) => this.told.push({ at: this.frame / RATE, what, channel, pitch });
  noteOn = (channel: number, pitch: number) => void this.note("on", channel, pitch);
  noteOff = (channel: number, pitch: number) => void this.note("off", channel, pitch);
  control = (status: number, data1: number) => void this.note("control", status & 15, data1);
  stopAll = () => void this.note("stop", 0, 0);
  process = (_left: Float32Array, _right: Float32Array, _start: number, count: number) => {
    this.frame += count;
  };
  ons = (channel?: number) => this.told.filter((one) => one.what === "on" && (channel === undefined || one.channel === channel));
}

const playback: Playback = {
  duration: 4,
  parts: [
    { index: 0, channel: 0, notes: [[0, 4, 40, 90]] },
    { index: 1, channel: 1, notes: [[0, 0.5, 60, 90], [1, 1.5, 62, 90], [2.003, 2.5, 64, 90], [3, 3.5, 65, 90]] },
  ],
  controls: [[0, 0xc0, 33, 0], [2, 0xb1, 7, 60]],
};
const hits = (cls: number, pitch: number, ...times: number[]): Hit[] => times.map((time) => ({ time, pitch, velocity: 100, cls }));

describe("the transport", () => {
  let synth: Recorder;
  let anchors: Anchor[];
  let transport: Transport;
  let frame: number;
  const run = (seconds: number) => {
    const left = new Float32Array(BLOCK);
    for (const end = frame + seconds * RATE; frame < end; frame += BLOCK) {
      synth.frame = frame;
      transport.render(left, left.slice(), frame);
    }
  };

  beforeEach(() => {
    synth = new Recorder();
    anchors = [];
    frame = 0;
    transport = new Transport(synth, RATE, (anchor) => anchors.push(anchor));
    transport.load(makeTimeline(playback));
    transport.setDrums(hits(0, 36, 0, 1, 2, 3));
    synth.told = [];
  });

  it("plays every note at its time, ends it, and stops at the end", () => {
    transport.play(0);
    run(7);
    const told = synth.ons(1).map((one) => one.at);
    for (const [index, time] of [0, 1, 2.003, 3].entries()) expect(Math.abs(told[index]! - time)).toBeLessThan(NEAR);
    expect(synth.ons(9)).toHaveLength(4);
    for (const [channel, pitch] of [[0, 40], [1, 60], [1, 65], [9, 36]]) {
      const of = (what: string) => synth.told.filter((one) => one.what === what && one.channel === channel && one.pitch === pitch).length;
      expect(of("off")).toBe(of("on"));
    }
    expect(anchors.at(-1)).toMatchObject({ playing: false, position: 0 });
    expect(transport.playing).toBe(false);
  });

  it("begins in the middle with what is held and how the channels stand", () => {
    transport.play(2.2);
    run(0.1);
    expect(synth.ons().map((one) => one.pitch)).toEqual([40, 64]);
    expect(synth.told.findIndex((one) => one.what === "control" && one.pitch === 33)).toBeLessThan(synth.told.findIndex((one) => one.what === "on"));
    run(1);
    expect(synth.ons(9).map((one) => one.at)[0]).toBeCloseTo(0.8, 3);
  });

  it("loops without losing time", () => {
    transport.setLoop([1, 1.7]);
    transport.play(1);
    run(70.5);
    const told = synth.ons(9).map((one) => one.at);
    expect(told).toHaveLength(101);
    told.forEach((time, pass) => expect(Math.abs(time - pass * 0.7)).toBeLessThan(2 * NEAR));
    expect(synth.ons(1)).toHaveLength(101);
  });

  it("goes into a loop that lies behind", () => {
    transport.play(3.5);
    run(0.1);
    transport.setLoop([1, 2]);
    run(0.1);
    expect(synth.ons(9)).toHaveLength(1);
    expect(anchors.at(-1)).toMatchObject({ playing: true, position: 1 });
  });

  it("stops at once, and nothing comes after", () => {
    transport.play(0);
    run(1.2);
    transport.pause();
    const count = synth.ons().length;
    expect(synth.told.filter((one) => one.what === "off" && one.channel === 0)).toHaveLength(1);
    run(2);
    expect(synth.ons()).toHaveLength(count);
    expect(synth.told.at(-1)!.what).toBe("stop");
    expect(anchors.at(-1)!.position).toBeCloseTo(1.2, 2);
  });

  it("takes other drums while it plays: no hit twice, none missing, the band undisturbed", () => {
    transport.play(0);
    run(1.5);
    transport.setDrums([...hits(1, 38, 0.5, 1.5, 2.5), ...hits(0, 36, 0, 1.503, 3.1)]);
    run(2);
    expect(synth.ons(9).map((one) => [one.pitch, Math.round(one.at * 10) / 10])).toEqual([[36, 0], [36, 1], [38, 1.5], [36, 1.5], [38, 2.5], [36, 3.1]].slice(0, 6));
    expect(synth.ons(0)).toHaveLength(1);
  });

  it("mutes classes and parts, ends what they hold and takes it up again", () => {
    transport.setMutes({ parts: new Set(), classes: new Set([0]) });
    transport.play(0);
    run(1.5);
    expect(synth.ons(9)).toHaveLength(0);
    transport.setMutes({ parts: new Set([0]), classes: new Set() });
    expect(synth.told.at(-1)).toMatchObject({ what: "off", channel: 0 });
    run(1);
    expect(synth.ons(9)).toHaveLength(1);
    transport.setMutes({ parts: new Set(), classes: new Set() });
    expect(synth.told.at(-1)).toMatchObject({ what: "on", channel: 0, pitch: 40 });
  });

  it("counts in, then begins", () => {
    transport.play(1, [{ time: 0, accent: true }, { time: 0.5, accent: false }], 1);
    const left = new Float32Array(RATE / 2);
    for (let at = 0; at < left.length; at += BLOCK) transport.render(left.subarray(at, at + BLOCK), new Float32Array(BLOCK), at);
    expect(Math.max(...left.slice(0, 2000))).toBeGreaterThan(0.2);
    expect(Math.max(...left.slice(10_000, 20_000))).toBeLessThan(0.01);
    expect(synth.ons()).toHaveLength(0);
    frame = left.length;
    run(0.6);
    expect(synth.ons(9)[0]!.at).toBeCloseTo(1, 3);
    expect(synth.ons().map((one) => one.channel).sort()).toEqual([0, 1, 9]);
  });
});

describe("the band", () => {
  let data: ArrayBuffer;
  beforeAll(() => {
    const bytes = readFileSync(new URL("../../../src/backbeat/sounds/band.sf3", import.meta.url));
    data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  });

  it("sounds at the times of the hits, does not clip, and is silent after a stop", { timeout: 20_000 }, async () => {
    const band = new Band(RATE);
    await band.open(data.slice(0));
    band.prefer([33]);
    while (band.left > 220) band.warm();
    const transport = new Transport(band, RATE, () => undefined);
    transport.load(makeTimeline({ duration: 2, parts: [], controls: [] }));
    transport.setDrums(hits(0, 36, 0.25, 0.75, 1.25, 1.7));
    const sound = new Float32Array(2 * RATE);
    transport.play(0);
    for (let at = 0; at + BLOCK <= sound.length; at += BLOCK) transport.render(sound.subarray(at, at + BLOCK), new Float32Array(BLOCK), at);
    for (const time of [0.25, 0.75, 1.25]) {
      const first = sound.subarray((time - 0.05) * RATE, (time + 0.05) * RATE).findIndex((value) => Math.abs(value) > 0.02);
      expect(Math.abs(first / RATE - 0.05)).toBeLessThan(0.005);
    }
    expect(Math.max(...sound)).toBeLessThan(1);
    transport.pause();
    const after = new Float32Array(BLOCK * 20);
    for (let at = 0; at < after.length; at += BLOCK) transport.render(after.subarray(at, at + BLOCK), new Float32Array(BLOCK), sound.length + at);
    expect(Math.max(...after.subarray(BLOCK * 10).map(Math.abs))).toBe(0);
  });
});
