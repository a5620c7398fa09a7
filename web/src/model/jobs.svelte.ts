import { api, ApiError } from "../api/client";
import type { Job } from "../api/types";
import type { Connection } from "./connection.svelte";
import type { Session } from "./session.svelte";

const RUNNING = new Set(["queued", "running"]);
const POLL_MS = 700;
/** The server keeps a few more. */
const KEPT = 4;

/** Sound that was made: of which drums, and by which job, which has the file. */
export interface Made {
  what: string;
  groove: string;
  job: string;
}

/** The long work of the project that is open: heard of by news, looked at where none come. */
export class Jobs {
  current = $state.raw<Job | null>(null);
  working = $derived(this.current !== null && RUNNING.has(this.current.state));
  /** The newest first; they lie ready to be taken again, or dragged. */
  made = $state.raw<readonly Made[]>([]);
  private downloads = new Map<string, Made>();
  private ended = new Set<string>();
  private poll = 0;

  constructor(
    private readonly session: Session,
    private readonly connection: Connection,
  ) {}

  forget(): void {
    window.clearTimeout(this.poll);
    this.current = null;
    this.made = [];
  }

  follow(job: Job): void {
    if (this.ended.has(job.id)) return;
    if (RUNNING.has(job.state)) {
      if (this.current?.id === job.id && this.current.progress > job.progress) return;
      this.current = job;
      window.clearTimeout(this.poll);
      this.poll = window.setTimeout(() => void this.look(job.id), POLL_MS);
      return;
    }
    this.ended.add(job.id);
    if (this.current?.id === job.id || this.current === null) {
      this.current = null;
      window.clearTimeout(this.poll);
    }
    this.finish(job);
  }

  private finish(job: Job): void {
    if (job.state === "failed") this.session.complain(job.error || "This did not work.");
    else if (job.state === "cancelled") this.session.say("Cancelled. Nothing was changed.");
    else if (this.downloads.has(job.id)) this.take(this.downloads.get(job.id) as Made);
    else {
      if (job.aside) this.session.say("The song was changed in the meantime: what was made is in the history, and not what you see.");
      void this.session.refresh();
    }
  }

  private take(made: Made): void {
    this.downloads.delete(made.job);
    this.made = [made, ...this.made].slice(0, KEPT);
    save(api.resultPath(made.job));
  }

  private async look(id: string): Promise<void> {
    const job = await api.job(id).catch((error: unknown) => {
      if (!(error instanceof ApiError) || !error.gone) return null;
      void this.connection.lost();
      return undefined;
    });
    if (job) this.follow(job);
    else if (job === null && this.current?.id === id) {
      this.current = null;
      this.session.complain("The studio was started again and the work in progress stopped. Nothing else is lost; please ask for it again.");
    } else if (this.current?.id === id) this.poll = window.setTimeout(() => void this.look(id), POLL_MS);
  }

  async cancel(): Promise<void> {
    if (!this.current) return;
    try {
      await api.cancel(this.current.id);
    } catch (error) {
      this.session.complain(error);
    }
  }

  async render(what: string): Promise<void> {
    const { project, take } = this.session;
    if (!project) return;
    try {
      const { job } = await api.render(project.id, what, this.session.state?.take ?? null);
      this.downloads.set(job.id, { what, groove: take?.groove ?? "", job: job.id });
      // The news of its end may have come before this answer.
      if (this.ended.delete(job.id)) await this.look(job.id);
      else this.follow(job);
    } catch (error) {
      this.session.complain(error);
    }
  }
}

/** Have the browser save what lies at a path. */
function save(path: string): void {
  const link = document.createElement("a");
  link.href = path;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}
