/**
 * The live feed of a tenant's inbox. It is kept open, opened again with patience, and resumed by the last event's place,
 * so that what happened while the network was away is told then. Who listens gets every event once.
 */
import { createStore, type Store } from "@/lib/store";
import { authorizedFetch } from "./client";
import { Problem } from "./problem";
import { EventParser, type ServerEvent } from "./sse";

export interface LiveEvent {
  name: string;
  data: Readonly<Record<string, unknown>>;
}

/** `behind`: what is shown may be out of date; load it anew. */
export type LiveListener = (event: LiveEvent | "behind") => void;
/** `refused`: whoever listens may not, as far as the server that was asked knows; asked again now and then. */
export type LiveStatus = "connecting" | "live" | "lost" | "refused";

/** Events about the connection, not about the inbox. */
const SILENT = new Set(["ping", "shutdown", "error"]);

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** Another server may know of a new role half a minute later than the one that gave it. */
const REFUSED_WAIT_MS = 30_000;
/** The server says `ping` every 15 s: after so much silence the connection is dead, whatever the network stack believes. */
const SILENCE_MS = 40_000;

export class LiveFeed {
  readonly status: Store<LiveStatus> = createStore<LiveStatus>("connecting");
  readonly #listeners = new Set<LiveListener>();
  #stop = new AbortController();
  #place: string | null = null;
  #failures = 0;

  constructor(
    readonly tenantId: string,
    private readonly open: (request: Request) => Promise<Response> = authorizedFetch,
  ) {}

  listen(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs until `close`; may be run again after that, from where it was. */
  async run(): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    while (!stop.signal.aborted) {
      const problem = await this.#once().catch((error: unknown) => error);
      if (stop.signal.aborted) return;
      // Not allowed, or no such tenant; who listens closes the feed once that is certain. A token that could not be renewed is no refusal.
      const refused = problem instanceof Problem && [403, 404].includes(problem.status);
      this.status.set(refused ? "refused" : "lost");
      await this.#pause(refused ? REFUSED_WAIT_MS : this.#patience());
    }
  }

  close(): void {
    this.#stop.abort();
  }

  #patience(): number {
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures) * (0.5 + Math.random() / 2);
    this.#failures += 1;
    return wait;
  }

  async #pause(wait: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, wait);
      function done() {
        clearTimeout(timer);
        removeEventListener("online", done);
        resolve();
      }
      addEventListener("online", done);
      this.#stop.signal.addEventListener("abort", done, { once: true });
    });
  }

  async #once(): Promise<void> {
    const url = new URL(`/admin/live?tenant_id=${encodeURIComponent(this.tenantId)}`, location.origin);
    const connection = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, connection.signal]);
    const headers: Record<string, string> = this.#place ? { "Last-Event-ID": this.#place } : {};
    let silence = setTimeout(() => connection.abort(), SILENCE_MS);
    try {
      const response = await this.open(new Request(url, { headers, signal }));
      if (!response.ok || !response.body) throw Problem.from(response, await response.json().catch(() => null));
      const parser = new EventParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        clearTimeout(silence);
        silence = setTimeout(() => connection.abort(), SILENCE_MS);
        for (const event of parser.push(piece.value)) this.#take(event);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  #take(event: ServerEvent): void {
    if (event.id) this.#place = event.id;
    this.#failures = 0;
    this.status.set("live");
    // A feed that begins anew does not know what was before it.
    if (event.name === "ready" || event.name === "reset") this.#tell("behind");
    else if (!SILENT.has(event.name)) this.#tell({ name: event.name, data: JSON.parse(event.data) });
  }

  #tell(event: LiveEvent | "behind"): void {
    for (const listener of this.#listeners) listener(event);
  }
}
