/** What the server sends and takes; the same words as in the Python package. */

export interface KitClass {
  name: string;
  label: string;
  note: number;
  group: string;
}

export interface About {
  version: string;
  styles: string[];
  kit: { name: string; classes: KitClass[] };
  kits: { name: string; label: string }[];
  limits: Record<string, unknown>;
}

export interface ProjectLine {
  id: string;
  name: string;
  changed: string | number;
  bars: number;
}

export interface Bar {
  tick: number;
  seconds: number;
  numerator: number;
  denominator: number;
  steps: number;
  first_step: number;
  qpm: number;
  section: number | null;
}

export interface Part {
  index: number;
  name: string;
  channel: number;
  program: number;
  program_name: string;
  notes: number;
  drums: boolean;
}

export interface Section {
  first_bar: number;
  bars: number;
  label: string;
}

export interface SongView {
  bars: Bar[];
  steps: number;
  step_seconds: number[];
  duration: number;
  parts: Part[];
  sections: Section[];
  intensity: number[];
  warnings: string[];
}

/** Null or absent: the drummer decides, or the wider scope does. */
export interface Settings {
  style?: string | null;
  density?: number | null;
  intensity?: number | null;
  fills?: number | null;
  temperature?: number | null;
  seed?: number | null;
  swing?: number | null;
  tightness?: number | null;
  dynamics?: number | null;
  push_ms?: number | null;
  takes?: number | null;
  fill?: boolean | null;
}

export interface Take {
  name: string;
  seed: number | null;
  groove: string;
}

export interface StateView {
  revision: number;
  entry: number | string;
  can_undo: boolean;
  can_redo: boolean;
  label: string;
  settings: Settings;
  sections: Record<string, Settings>;
  bars: Record<string, Settings>;
  takes: Take[];
  take: number | null;
  locks: Record<string, string[]>;
}

export interface ProjectView {
  id: string;
  name: string;
  blank: boolean;
  song: SongView;
  state: StateView;
}

/** A hit as it is sent: step in the piece, class index, velocity, offset in steps. */
export type HitRow = [number, number, number, number];

export interface GrooveView {
  bars: Record<string, HitRow[]>;
}

/** A note of the band: start and end in seconds, pitch, velocity. */
export type NoteRow = [number, number, number, number];

export interface PlaybackView {
  duration: number;
  parts: { index: number; channel: number; notes: NoteRow[] }[];
  controls: [number, number, number, number][];
}

export interface HistoryLine {
  entry: number | string;
  parent: number | string | null;
  label: string;
  seed: number | null;
  time: string | number;
}

export interface Job {
  id: string;
  kind: string;
  project: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  progress: number;
  error: string | null;
  revision?: number | null;
  entry?: number | string | null;
  /** The project had moved on: the result is that entry of the history, and not what is current. */
  aside?: boolean;
}

export type StudioEvent = { type: "project"; id: string; revision: number | null } | { type: "job"; job: Job } | { type: "missed" };

export type Scope = "song" | { section: number } | { bar: number } | { bars: [number, number] };

export interface CellEdit {
  step: number;
  class: string;
  velocity: number | null;
  offset?: number;
}

export type Action =
  | { type: "settings"; scope: Scope; values: Settings }
  | { type: "generate"; takes?: number; seed?: number }
  | { type: "redo"; bars: number[] | null; classes: string[] | null; takes?: number; seed?: number }
  | { type: "feel"; bars?: number[] | null; classes?: string[] | null }
  | { type: "edit"; cells: CellEdit[] }
  | { type: "lock" | "unlock" | "clear"; bars: number[] | null; classes: string[] | null }
  | { type: "take"; index: number }
  | { type: "rename_take"; index: number; name: string }
  | { type: "remove_take"; index: number }
  | { type: "original" };
