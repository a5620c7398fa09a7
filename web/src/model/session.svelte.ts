import { api, ApiError } from "../api/client";
import type { About, Action, CellEdit, HistoryLine, Job, ProjectLine, ProjectView, StateView, StudioEvent, Take } from "../api/types";
import { Clock } from "./clock";
import { Connection } from "./connection.svelte";
import { countClasses, EMPTY, fromView, hitAt, MAX_CLASSES, withCell, type Groove } from "./groove";
import { Jobs, type Made } from "./jobs.svelte";
import { shapeParts, type PartShape } from "./parts";

export interface Message {
  kind: "error" | "note";
  text: string;
}

const CACHED_GROOVES = 48;
const NOTE_MS = 6000;
const HISTORY_MS = 80;

/** The project that is open, as the server has it, and the ways to change it. One at a time changes are sent, in the order they were made. */
export class Session {
  about = $state.raw<About | null>(null);
  projects = $state.raw<ProjectLine[] | null>(null);
  project = $state.raw<ProjectView | null>(null);
  state = $state.raw<StateView | null>(null);
  groove = $state.raw<Groove>(EMPTY);
  grooveId = $state("");
  /** What is shown is being dragged, and not heard yet. */
  previewing = $state(false);
  /** Hits by class over the takes that have been seen, so that rows stay where they are when takes change. */
  used = $state.raw<Int32Array>(new Int32Array(MAX_CLASSES));
  shapes = $state.raw<Map<number, PartShape>>(new Map());
  history = $state.raw<HistoryLine[]>([]);
  message = $state.raw<Message | null>(null);
  opening = $state("");
  clock = $derived(this.project ? new Clock(this.project.song) : null);
  take = $derived.by<Take | null>(() => (this.state ? (this.state.takes[this.state.take ?? -1] ?? null) : null));

  /** Called with the band's notes when a song has been opened. */
  onPlayback: (playback: Awaited<ReturnType<typeof api.playback>>, clock: Clock) => void = () => {};

  /** Called before a project is closed that is no more. */
  onLost: () => void = () => {};

  private readonly connection = new Connection(
    async (about) => {
      if (about) this.about = about;
      if (this.project) await this.refresh(true);
    },
    (event) => this.hear(event),
    () => void (this.project && this.refresh(true)),
  );
  private readonly jobs = new Jobs(this, this.connection);
  private grooves = new Map<string, Groove>();
  private queue: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private editing = 0;
  private known = 0;
  private noteTimer = 0;
  private historyTimer = 0;

  /** Whether the server answers. */
  get online(): boolean {
    return this.connection.online;
  }

  /** The work that is under way. */
  get job(): Job | null {
    return this.jobs.current;
  }

  get working(): boolean {
    return this.jobs.working;
  }

  /** Changes that the server has not answered yet. */
  get unsaved(): boolean {
    return this.waiting > 0;
  }

  // ---- what is said to the person

  say(text: string): void {
    this.show({ kind: "note", text });
    this.noteTimer = window.setTimeout(() => (this.message = null), NOTE_MS);
  }

  complain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.show({ kind: "error", text: text.charAt(0).toUpperCase() + text.slice(1) });
  }

  dismiss(): void {
    this.message = null;
  }

  private show(message: Message): void {
    window.clearTimeout(this.noteTimer);
    this.message = message;
  }

  // ---- opening

  async begin(): Promise<void> {
    this.about = await this.connection.patiently(() => api.about());
    this.connection.listen();
  }

  async list(): Promise<void> {
    this.projects = await this.connection.patiently(() => api.projects());
  }

  async upload(file: File): Promise<ProjectView | null> {
    return this.opened(`Reading ${file.name}`, () => api.upload(file.name, file));
  }

  async startBlank(bars: number, metre: string, qpm: number, style: string | null): Promise<ProjectView | null> {
    const project = await this.opened("Making a new piece", () => api.blank(`${bars} bars${style ? ` of ${style}` : ""}, ${qpm} BPM`, bars, metre, qpm));
    if (project && style) await this.act({ type: "settings", scope: "song", values: { style } });
    return project;
  }

  async open(id: string): Promise<ProjectView | null> {
    if (this.project?.id === id) return this.project;
    return this.opened("Opening", () => api.project(id));
  }

  async remove(id: string): Promise<void> {
    try {
      await api.remove(id);
      await this.list();
    } catch (error) {
      this.complain(error);
    }
  }

  close(): void {
    this.project = null;
    this.state = null;
    this.groove = EMPTY;
    this.grooveId = "";
    this.shapes = new Map();
    this.history = [];
    this.used = new Int32Array(MAX_CLASSES);
    this.jobs.forget();
    this.grooves.clear();
  }

  private async opened(doing: string, ask: () => Promise<ProjectView>): Promise<ProjectView | null> {
    this.opening = doing;
    try {
      const project = await ask();
      this.close();
      this.message = null;
      this.known = project.state.revision;
      this.project = project;
      this.adopt(project.state);
      void this.loadBand(project);
      for (const warning of project.song.warnings.slice(0, 1)) this.say(`In this file ${warning}.`);
      return project;
    } catch (error) {
      if (error instanceof ApiError && error.gone) this.connection.lost();
      this.complain(error);
      return null;
    } finally {
      this.opening = "";
    }
  }

  private async loadBand(project: ProjectView): Promise<void> {
    try {
      const playback = await this.connection.patiently(() => api.playback(project.id));
      if (this.project?.id !== project.id || !this.clock) return;
      this.onPlayback(playback, this.clock);
      this.shapes = shapeParts(playback, this.clock);
    } catch (error) {
      this.complain(error);
    }
  }

  // ---- changes

  /** Send an action; true when it was done. Jobs are only begun. */
  act(action: Action): Promise<boolean> {
    const again = action.type === "edit" || action.type === "settings" || action.type === "lock" || action.type === "unlock" || action.type === "clear";
    return this.enqueue(again, async (id, revision) => {
      const answer = await api.act(id, revision, action);
      if (answer.job) this.jobs.follow(answer.job);
      return answer.state ?? null;
    });
  }

  undo(): Promise<boolean> {
    return this.enqueue(false, async (id, revision) => (await api.undo(id, revision)).state);
  }

  redo(): Promise<boolean> {
    return this.enqueue(false, async (id, revision) => (await api.redo(id, revision)).state);
  }

  goto(entry: number | string): Promise<boolean> {
    return this.enqueue(true, async (id, revision) => (await api.goto(id, revision, entry)).state);
  }

  chooseTake(index: number): void {
    const state = this.state;
    if (!state || !state.takes[index] || state.take === index) return;
    this.state = { ...state, take: index };
    this.showTake();
    void this.act({ type: "take", index });
  }

  /** Change cells: at once on the page, then at the server. */
  async edit(cells: CellEdit[]): Promise<void> {
    const classes = this.about?.kit.classes ?? [];
    this.previewing = false;
    for (const cell of cells) {
      const cls = classes.findIndex((c) => c.name === cell.class);
      const before = hitAt(this.groove, cell.step, cls);
      this.groove = withCell(this.groove, cell.step, cls, cell.velocity, cell.offset ?? before?.offset ?? 0);
      this.see(this.groove);
    }
    this.editing += 1;
    await this.act({ type: "edit", cells });
    this.editing -= 1;
    if (this.editing === 0) this.showTake(true);
  }

  /** Show a change that is not made yet: while something is dragged. */
  preview(step: number, cls: number, velocity: number, offset: number): void {
    this.previewing = true;
    this.groove = withCell(this.groove, step, cls, velocity, offset);
  }

  /** Show the take as it is, after a preview that came to nothing. */
  restore(): void {
    this.previewing = false;
    this.showTake(true);
  }

  private enqueue(again: boolean, work: (id: string, revision: number) => Promise<StateView | null>): Promise<boolean> {
    this.waiting += 1;
    const run = this.queue.then(async () => {
      const project = this.project;
      const told = this.message;
      if (!project || !this.state) return false;
      try {
        const state = await this.connection.attempt(again, () => work(project.id, this.state?.revision ?? 0));
        if (state && this.project?.id === project.id) this.adopt(state);
        if (told?.kind === "error" && this.message === told) this.message = null;
        return true;
      } catch (error) {
        await this.recover(error);
        return false;
      } finally {
        this.waiting -= 1;
        if (this.waiting === 0 && this.known > (this.state?.revision ?? 0)) void this.refresh();
      }
    });
    this.queue = run;
    return run;
  }

  private async recover(error: unknown): Promise<void> {
    if (error instanceof ApiError && error.stale) {
      await this.refresh(true);
      this.say("This song was changed in another window. You see its newest state now; please do the last step again.");
      return;
    }
    this.complain(error);
    this.showTake(true);
  }

  // ---- what the server says

  /** Take over a state. */
  private adopt(state: StateView): void {
    this.known = Math.max(this.known, state.revision);
    this.state = state;
    this.showTake();
    this.loadHistory();
  }

  async refresh(quietly = false): Promise<void> {
    const id = this.project?.id;
    if (!id) return;
    try {
      const project = await api.project(id);
      if (this.project?.id !== id) return;
      if (!quietly || project.state.revision !== this.state?.revision) this.adopt(project.state);
    } catch (error) {
      if (error instanceof ApiError && error.gone) void this.connection.lost();
      else this.complain(error);
    }
  }

  private showTake(force = false): void {
    if (this.editing > 0) return;
    const wanted = this.take?.groove ?? "";
    if (wanted === this.grooveId && !force) return;
    if (!wanted) {
      this.grooveId = "";
      this.groove = EMPTY;
      return;
    }
    void this.fetchGroove(wanted).then((groove) => {
      if (groove && this.take?.groove === wanted && this.editing === 0) {
        this.groove = groove;
        this.grooveId = wanted;
        this.prefetch();
      }
    });
  }

  private prefetch(): void {
    for (const take of this.state?.takes ?? []) void this.fetchGroove(take.groove);
  }

  private async fetchGroove(groove: string): Promise<Groove | null> {
    const cached = this.grooves.get(groove);
    const project = this.project;
    if (cached || !project) return cached ?? null;
    try {
      const view = await this.connection.patiently(() => api.groove(project.id, groove));
      const classes = this.about?.kit.classes ?? [];
      const made = fromView(view, (cls) => (typeof cls === "number" ? cls : classes.findIndex((c) => c.name === cls)));
      if (this.grooves.size >= CACHED_GROOVES) this.grooves.delete(this.grooves.keys().next().value as string);
      this.grooves.set(groove, made);
      this.see(made);
      return made;
    } catch (error) {
      this.complain(error);
      return null;
    }
  }

  private see(groove: Groove): void {
    const counts = countClasses(groove);
    if (counts.some((count, cls) => count > 0 && this.used[cls] === 0)) this.used = this.used.map((before, cls) => before + (counts[cls] ?? 0));
  }

  /** Soon, and once for many changes. */
  private loadHistory(): void {
    window.clearTimeout(this.historyTimer);
    this.historyTimer = window.setTimeout(() => void this.fetchHistory(), HISTORY_MS);
  }

  private async fetchHistory(): Promise<void> {
    const project = this.project;
    if (!project) return;
    const history = await api.history(project.id).catch(() => null);
    if (history && this.project?.id === project.id) this.history = history;
  }

  /** The project that is open has been deleted, in another window. */
  private lose(): void {
    const name = this.project?.name ?? "";
    this.onLost();
    this.close();
    this.complain(`${name} was deleted in another window.`);
  }

  private hear(event: StudioEvent): void {
    if (event.type === "missed") void this.refresh(true);
    else if (event.type === "job") {
      if (event.job.project === this.project?.id) this.jobs.follow(event.job);
    } else if (event.id === this.project?.id) {
      if (event.revision === null) return this.lose();
      this.known = Math.max(this.known, event.revision);
      if (this.waiting === 0 && this.known > (this.state?.revision ?? 0)) void this.refresh();
    }
  }

  cancel(): Promise<void> {
    return this.jobs.cancel();
  }

  /** The sound of the drums that are shown, where it was made already. */
  madeOf(what: string): Made | undefined {
    return this.jobs.made.find((made) => made.what === what && made.groove === this.take?.groove);
  }

  render(what: string): Promise<void> {
    return this.jobs.render(what);
  }
}
