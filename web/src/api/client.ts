import type { About, Action, GrooveView, HistoryLine, Job, PlaybackView, ProjectLine, ProjectView, StateView } from "./types";

/** An answer that is not a good one. `status` 0: there was no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  get gone(): boolean {
    return this.status === 0;
  }

  get stale(): boolean {
    return this.status === 409;
  }
}

async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError(0, "The studio does not answer.");
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  const told = body && typeof body === "object" && "error" in body ? String(body.error) : `The studio answered ${response.status}.`;
  throw new ApiError(response.status, told);
}

function post<T>(path: string, body: unknown): Promise<T> {
  return ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

const at = (id: string): string => `/api/projects/${encodeURIComponent(id)}`;

export const api = {
  about: () => ask<About>("/api/about"),
  projects: () => ask<ProjectLine[]>("/api/projects"),
  upload: (name: string, data: Blob) =>
    ask<ProjectView>(`/api/projects?name=${encodeURIComponent(name)}`, {
      method: "POST",
      headers: { "content-type": "application/octet-stream" },
      body: data,
    }),
  blank: (name: string, bars: number, metre: string, qpm: number) => post<ProjectView>("/api/projects/blank", { name, bars, metre, qpm }),
  project: (id: string) => ask<ProjectView>(at(id)),
  remove: (id: string) => ask<unknown>(at(id), { method: "DELETE" }),
  groove: (id: string, groove: string) => ask<GrooveView>(`${at(id)}/grooves/${encodeURIComponent(groove)}`),
  playback: (id: string) => ask<PlaybackView>(`${at(id)}/playback`),
  history: (id: string) => ask<HistoryLine[]>(`${at(id)}/history`),
  act: (id: string, revision: number | null, action: Action) => post<{ state?: StateView; job?: Job }>(`${at(id)}/actions`, { revision, action }),
  undo: (id: string, revision: number | null) => post<{ state: StateView }>(`${at(id)}/undo`, { revision }),
  redo: (id: string, revision: number | null) => post<{ state: StateView }>(`${at(id)}/redo`, { revision }),
  goto: (id: string, revision: number | null, entry: number | string) => post<{ state: StateView }>(`${at(id)}/goto`, { revision, entry }),
  job: async (job: string) => (await ask<{ job: Job }>(`/api/jobs/${encodeURIComponent(job)}`)).job,
  cancel: (job: string) => post<unknown>(`/api/jobs/${encodeURIComponent(job)}/cancel`, {}),
  render: (id: string, what: string, take: number | null) => post<{ job: Job }>(`${at(id)}/renders`, take === null ? { what } : { what, take }),
  resultPath: (job: string): string => `/api/jobs/${encodeURIComponent(job)}/result`,
  downloadPath: (id: string, what: string, take: number | null, kit: string): string => {
    const query = new URLSearchParams();
    if (take !== null) query.set("take", String(take));
    if (kit) query.set("kit", kit);
    const asked = query.toString();
    return `${at(id)}/download/${what}${asked ? `?${asked}` : ""}`;
  },
};
