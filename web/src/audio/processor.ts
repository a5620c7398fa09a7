/** The audio worklet: the transport and the synthesiser, on the audio thread, where no work of the page can make them late. */

import { Band } from "./band";
import { type Order, PROCESSOR, type Report } from "./messages";
import { Transport } from "./transport";

declare const sampleRate: number;
declare const currentFrame: number;
declare function registerProcessor(name: string, made: new () => AudioWorkletProcessor): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class BandProcessor extends AudioWorkletProcessor {
  private readonly band = new Band(sampleRate);
  private readonly transport = new Transport(this.band, sampleRate, (anchor) => this.report({ type: "anchor", anchor }));

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<Order>) => void this.obey(event.data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [left, right] = outputs[0] ?? [];
    if (left && right) this.transport.render(left, right, currentFrame);
    return true;
  }

  private report(report: Report): void {
    this.port.postMessage(report);
  }

  private async obey(order: Order): Promise<void> {
    const transport = this.transport;
    if ("turn" in order) transport.turn = order.turn;
    if (order.type === "sounds") await this.listen(order.data);
    else if (order.type === "warm") this.warm();
    else if (order.type === "load") this.load(order);
    else if (order.type === "drums") transport.setDrums(order.hits);
    else if (order.type === "mutes") transport.setMutes({ parts: new Set(order.parts), classes: new Set(order.classes) });
    else if (order.type === "loop") transport.setLoop(order.loop);
    else if (order.type === "play") transport.play(order.from, order.clicks, order.wait);
    else if (order.type === "pause") transport.pause(order.position);
    else transport.seek(order.position);
  }

  private async listen(data: ArrayBuffer): Promise<void> {
    try {
      await this.band.open(data);
      this.report({ type: "ready" });
    } catch (error) {
      this.report({ type: "failed", error: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Decodes one sample, unless something sounds: a long one would interrupt it. */
  private warm(): void {
    if (!this.transport.playing) this.band.warm();
    this.report({ type: "warmed", left: this.band.left });
  }

  private load(order: Order & { type: "load" }): void {
    this.transport.load(order.timeline);
    this.band.reset();
    this.band.prefer(order.programs);
  }
}

registerProcessor(PROCESSOR, BandProcessor);
