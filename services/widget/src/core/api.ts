/** The visitors' HTTP API. */

import type { ConversationState } from "../public";
import type { OutgoingFile } from "./outbox";
import type { Message, Problem, Standing } from "./protocol";

export interface SessionAnswer {
  readonly token: string;
  readonly expires_at: string;
  readonly visitor_id: string;
}

export interface ConversationSummary {
  readonly id: string;
  readonly state: ConversationState;
  readonly agent: { readonly name: string; readonly avatar_url: string | null } | null;
  readonly last_message: { readonly role: string; readonly text: string; readonly created_at: string } | null;
  readonly last_seq: number;
  readonly read_seq: number;
  readonly updated_at: string;
}

export interface Contact {
  readonly name?: string;
  readonly email?: string;
}

export interface TicketRequest {
  readonly name: string;
  readonly email: string;
  readonly problem: string;
  readonly conversation_id?: string;
  readonly subject?: string;
}

export interface Ticket {
  readonly id: string;
  readonly number: number;
  readonly status: string;
}

/** The platform said no, or (status 0) did not answer. */
export class ApiError extends Error {
  readonly problem: Problem;
  /** The server's own wish, in milliseconds. */
  readonly retryAfterMs: number | null;

  constructor(problem: Problem, retryAfterMs: number | null = null) {
    super(problem.detail || problem.title);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    const { status } = this.problem;
    return status === 0 || status === 401 || status === 429 || status >= 500;
  }
}

type Token = () => Promise<string>;

export class Api {
  readonly #base: string;
  readonly #tenantId: string;
  readonly #brandId: string | undefined;

  constructor(base: string, tenantId: string, brandId?: string) {
    this.#base = base.replace(/\/+$/, "");
    this.#tenantId = tenantId;
    this.#brandId = brandId;
  }

  session(): Promise<SessionAnswer> {
    const body = { tenant_id: this.#tenantId, ...(this.#brandId ? { brand_id: this.#brandId } : {}) };
    // The cookie keeps an anonymous visitor the same; it goes to this address and to `claim` only.
    return this.#json("POST", "/v1/widget/sessions", { body, credentials: "include" });
  }

  /** Give the visitor of the token what the anonymous one of the cookie began. */
  async claim(token: Token): Promise<void> {
    await this.#ask("POST", "/v1/widget/sessions/claim", { token, credentials: "include" });
  }

  async conversations(token: Token): Promise<readonly ConversationSummary[]> {
    const page = await this.#json<{ items: ConversationSummary[] }>("GET", "/v1/conversations?limit=50", { token });
    return page.items;
  }

  handoff(token: Token, id: string, body: { reason?: string; contact?: Contact }): Promise<Standing> {
    return this.#json("POST", `/v1/conversations/${id}/handoff`, { token, body });
  }

  async rate(token: Token, id: string, score: number, comment: string): Promise<void> {
    const body = { score, ...(comment ? { comment } : {}) };
    await this.#json("POST", `/v1/conversations/${id}/csat`, { token, body });
  }

  async transcript(token: Token, id: string): Promise<Blob> {
    return (await this.#ask("GET", `/v1/conversations/${id}/transcript?format=txt`, { token })).blob();
  }

  async mailTranscript(token: Token, id: string, email: string): Promise<void> {
    await this.#ask("POST", `/v1/conversations/${id}/transcript`, { token, body: { email } });
  }

  openTicket(token: Token, body: TicketRequest): Promise<Ticket> {
    return this.#json("POST", "/v1/tickets", { token, body });
  }

  async attachment(token: Token, id: string): Promise<Blob> {
    return (await this.#ask("GET", `/v1/attachments/${id}`, { token })).blob();
  }

  /** Say who the visitor is, as the form before the chat asked; the token that comes back takes the old one's place. */
  introduce(token: Token, fields: Readonly<Record<string, string>>): Promise<SessionAnswer> {
    return this.#json("PUT", "/v1/widget/visitor", { token, body: { fields } });
  }

  /** Send a file; `fetch` tells nothing of how far it is, so this goes by `XMLHttpRequest`. */
  async upload(
    token: Token,
    conversationId: string | null,
    item: { readonly id: string; readonly text: string; readonly file: OutgoingFile },
    onProgress: (share: number) => void,
    signal: AbortSignal,
  ): Promise<Message> {
    const form = new FormData();
    form.set("client_message_id", item.id);
    if (item.text) form.set("text", item.text);
    form.set("file", item.file.blob, item.file.name);
    const bearer = await token();
    if (signal.aborted) throw unreachable(); // meanwhile: it would not be told any more
    const request = new XMLHttpRequest();
    request.open("POST", `${this.#base}/v1/conversations/${conversationId ?? "new"}/attachments`);
    request.setRequestHeader("Authorization", `Bearer ${bearer}`);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    return new Promise((resolve, reject) => {
      request.onload = () => {
        const body = parse(request.responseText);
        if (request.status === 201) resolve(body as Message);
        else reject(errorOf(request.status, body, request.getResponseHeader("Retry-After")));
      };
      request.onerror = request.onabort = () => reject(unreachable());
      request.send(form);
    });
  }

  async #json<T>(method: string, path: string, options: RequestOptions): Promise<T> {
    return (await (await this.#ask(method, path, options)).json()) as T;
  }

  async #ask(method: string, path: string, { token, body, credentials = "omit" }: RequestOptions): Promise<Response> {
    const headers: Record<string, string> = {};
    if (token) headers["Authorization"] = `Bearer ${await token()}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await fetch(this.#base + path, {
        method,
        headers,
        credentials,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw unreachable();
    }
    if (response.ok) return response;
    throw errorOf(response.status, parse(await response.text()), response.headers.get("Retry-After"));
  }
}

interface RequestOptions {
  readonly token?: Token;
  readonly body?: unknown;
  readonly credentials?: RequestCredentials;
}

function unreachable(): ApiError {
  return new ApiError({ code: "unreachable", title: "The platform does not answer", status: 0, detail: "" });
}

function errorOf(status: number, body: unknown, retryAfter: string | null): ApiError {
  const given = (typeof body === "object" && body !== null ? body : {}) as Partial<Problem>;
  const { code = `http_${status}`, title = "", detail = "" } = given;
  const seconds = Number(retryAfter);
  return new ApiError({ code, title, status, detail }, retryAfter && Number.isFinite(seconds) ? seconds * 1000 : null);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
