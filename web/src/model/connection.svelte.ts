import { api, ApiError } from "../api/client";
import type { About, StudioEvent } from "../api/types";

const PING_MS = 1000;

/** Whether the server answers, waiting for it when it does not, and the news that it sends. */
export class Connection {
  online = $state(true);
  private comeback: Promise<void> | null = null;
  private events: EventSource | null = null;

  /**
   * @param back called when the server is back.
   * @param hear called with each piece of news.
   * @param opened called when news begin to be heard: some may have been missed.
   */
  constructor(
    private readonly back: (about: About | undefined) => Promise<void>,
    private readonly hear: (event: StudioEvent) => void,
    private readonly opened: () => void,
  ) {}

  /** Do it; if there was no answer, wait for the server, and then do it again or say that it was not done. */
  async attempt<T>(again: boolean, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ApiError) || !error.gone) throw error;
        await this.lost();
        if (!again) throw new ApiError(-1, "The studio was away for a moment. Nothing is lost; please do the last step again.");
      }
    }
  }

  /** The server is gone; done when it is back. Called again meanwhile, it is the same wait. */
  lost(): Promise<void> {
    this.online = false;
    this.comeback ??= this.wait().finally(() => (this.comeback = null));
    return this.comeback;
  }

  private async wait(): Promise<void> {
    for (;;) {
      await new Promise((done) => setTimeout(done, PING_MS));
      const about = await api.about().catch((error: unknown) => (error instanceof ApiError && error.gone ? null : undefined));
      if (about === null) continue;
      this.online = true;
      await this.back(about);
      return;
    }
  }

  /** Ask until there is an answer, good or bad. */
  patiently<T>(ask: () => Promise<T>): Promise<T> {
    return this.attempt(true, ask);
  }

  /** Hear what happens, as long as the page is seen: a browser has but six connections to one address, for all its pages. */
  listen(): void {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.events?.close() : this.tune()));
    this.tune();
  }

  private tune(): void {
    this.events?.close();
    if (document.hidden) return;
    const events = new EventSource("/api/events");
    this.events = events;
    events.onopen = () => this.opened();
    events.onmessage = (event: MessageEvent<string>) => this.hear(JSON.parse(event.data) as StudioEvent);
    events.onerror = () => {
      events.close();
      void this.listenAgain();
    };
  }

  private async listenAgain(): Promise<void> {
    await this.patiently(() => api.about()).catch(() => null);
    await new Promise((done) => setTimeout(done, PING_MS));
    this.tune();
  }
}
