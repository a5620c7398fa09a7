/** What the page and the audio worklet tell each other. */

import type { Click, Hit, Timeline } from "./timeline";
import type { Anchor } from "./transport";

/** The name under which the worklet registers its processor. */
export const PROCESSOR = "backbeat-band";

/** From the page to the worklet. */
export type Order =
  | { type: "sounds"; data: ArrayBuffer }
  | { type: "warm" }
  | { type: "load"; turn: number; timeline: Timeline; programs: number[] }
  | { type: "drums"; hits: Hit[] }
  | { type: "mutes"; parts: number[]; classes: number[] }
  | { type: "loop"; loop: [number, number] | null }
  | { type: "play"; turn: number; from: number; clicks: Click[]; wait: number }
  | { type: "pause"; turn: number; position: number }
  | { type: "seek"; turn: number; position: number };

/** From the worklet to the page: `warmed` after each sample decoded ahead of time, `left` of them to come. */
export type Report = { type: "ready" } | { type: "failed"; error: string } | { type: "warmed"; left: number } | { type: "anchor"; anchor: Anchor };
