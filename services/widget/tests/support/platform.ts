/** A platform for tests of the widget alone: the visitors' API and `/ws` as they are documented, in memory, on one port. */

import { randomUUID } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type WebSocket, WebSocketServer } from "ws";
import type { WidgetConfig } from "../../src/core/config";
import { CONFIG } from "./config";
import { type Answer, type Conversation, Conversations } from "./conversations";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".map": "application/json" };

interface Page {
  readonly socket: WebSocket;
  readonly visitor: string;
  conversation: string | null;
}

export class Platform {
  config: WidgetConfig = CONFIG;
  /** What a visitor's message is answered with; null stays silent. */
  answer: (text: string) => Answer | null = () => ({ text: "Thank you." });
  /** Milliseconds between the pieces of a reply. */
  pace = 15;
  /** How long tokens last. */
  tokenSeconds = 600;
  /** Nobody can be asked for. */
  noPerson = false;
  page = "";
  /** Of the pages, to see that the widget works under a strict one. */
  policy = "";
  readonly posted: { readonly path: string; readonly body: unknown }[] = [];
  readonly frames: Record<string, unknown>[] = [];
  readonly conversations = new Conversations((conversation, frame) => {
    for (const page of this.#pages) if (page.conversation === conversation.id) send(page.socket, frame);
  });
  readonly #pages = new Set<Page>();
  readonly #files = new Map<string, { readonly name: string; readonly type: string; readonly bytes: Buffer }>();
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  #refusing = false;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#onRequest(request, response).catch((error) => problem(response, 500, "broken", String(error)));
    });
    this.#server.on("upgrade", (request, socket, head) => {
      if (this.#refusing) return socket.destroy();
      this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#onSocket(opened));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this.url;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Cut every connection without a word. */
  cut(): void {
    for (const { socket } of this.#pages) socket.terminate();
  }

  /** Be away, or back. */
  away(refusing: boolean): void {
    this.#refusing = refusing;
    if (refusing) this.cut();
  }

  /** Say goodbye as a process that stops does. */
  shutdown(retryAfterMs: number): void {
    for (const { socket } of this.#pages) {
      send(socket, { type: "shutdown", retry_after_ms: retryAfterMs });
      socket.close(1012);
    }
  }

  closeAll(code: number): void {
    for (const { socket } of this.#pages) socket.close(code);
  }

  get openPages(): number {
    return this.#pages.size;
  }

  get last(): Conversation {
    const last = [...this.conversations.all.values()].at(-1);
    if (!last) throw new Error("no conversation has begun");
    return last;
  }

  #onSocket(socket: WebSocket): void {
    let page: Page | null = null;
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as Record<string, unknown>;
      this.frames.push(frame);
      if (page) this.#onFrame(page, frame);
      else page = this.#onHello(socket, frame);
    });
    socket.on("close", () => page && this.#pages.delete(page));
  }

  #onHello(socket: WebSocket, frame: Record<string, unknown>): Page | null {
    const visitor = visitorOf(String(frame["token"]));
    if (!visitor) {
      socket.close(4401);
      return null;
    }
    const known = this.conversations.all.get(String(frame["conversation_id"]));
    if (frame["conversation_id"] && known?.visitor !== visitor) {
      socket.close(4404);
      return null;
    }
    const page: Page = { socket, visitor, conversation: known?.id ?? null };
    this.#pages.add(page);
    send(socket, {
      type: "ready",
      conversation_id: known?.id ?? null,
      seq: known?.messages.length ?? 0,
      read_seq: known?.readSeq ?? 0,
      state: known?.standing.state ?? "bot",
      expires_at: new Date(Date.now() + this.tokenSeconds * 1000).toISOString(),
    });
    for (const message of known?.messages.slice(Number(frame["after_seq"] ?? 0)) ?? []) {
      send(socket, { type: "message", ...message });
    }
    if (known) send(socket, { type: "state", ...known.standing });
    return page;
  }

  #onFrame(page: Page, frame: Record<string, unknown>): void {
    const conversation = this.conversations.all.get(page.conversation ?? "");
    if (frame["type"] === "ping") return send(page.socket, { type: "pong" });
    if (frame["type"] === "message") return this.#onMessage(page, frame);
    if (frame["type"] === "refresh") {
      const expires = new Date(Date.now() + this.tokenSeconds * 1000).toISOString();
      return send(page.socket, { type: "refreshed", expires_at: expires });
    }
    if (!conversation) return;
    if (frame["type"] === "close") this.conversations.stand(conversation, "closed");
    if (frame["type"] === "read") {
      conversation.readSeq = Math.max(conversation.readSeq, Number(frame["seq"]));
      this.conversations.tell(conversation, { type: "read", seq: conversation.readSeq });
    }
  }

  #onMessage(page: Page, frame: Record<string, unknown>): void {
    const clientId = String(frame["client_message_id"]);
    const known = this.conversations.known(page.visitor, clientId);
    const place = page.conversation ?? known?.conversation_id ?? "";
    const conversation = this.conversations.all.get(place) ?? this.conversations.begin(page.visitor);
    const text = String(frame["text"]);
    if (!known) this.conversations.add(conversation, { role: "visitor", text, client_message_id: clientId });
    if (page.conversation === null) {
      for (const message of conversation.messages) send(page.socket, { type: "message", ...message });
    }
    page.conversation = conversation.id;
    if (!known && conversation.standing.state === "bot") void this.#reply(conversation, text);
  }

  async #reply(conversation: Conversation, text: string): Promise<void> {
    const answer = this.answer(text);
    if (!answer) return;
    this.conversations.tell(conversation, { type: "typing", role: "bot", active: true });
    await pause(this.pace * 4);
    const reply = this.conversations.reply(conversation);
    for (const piece of answer.text.split(/(?<=\s)/)) {
      await pause(this.pace);
      reply.delta(piece);
    }
    for (const citation of answer.citations ?? []) reply.cite(citation);
    reply.done(answer);
    this.conversations.tell(conversation, { type: "typing", role: "bot", active: false });
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "*");
    response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Access-Control-Allow-Headers", "authorization, content-type");
    response.setHeader("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    if (request.method === "GET" && this.#file(url.pathname, response)) return;
    if (this.#refusing) return void response.destroy();
    const body = await read(request);
    if (request.method !== "GET") this.posted.push({ path: url.pathname, body: parsed(body) });
    if (url.pathname === "/v1/widget/config") return json(response, 200, this.config);
    if (url.pathname === "/v1/widget/sessions") return this.#session(request, response);
    const visitor = visitorOf(request.headers.authorization?.replace("Bearer ", "") ?? "");
    if (!visitor) return problem(response, 401, "unauthenticated", "no token");
    await this.#visitors(visitor, url, request, body, response);
  }

  async #visitors(
    visitor: string,
    url: URL,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> {
    const [, , kind, id, what] = url.pathname.split("/");
    const conversation = this.conversations.all.get(id ?? "");
    if (url.pathname === "/v1/widget/sessions/claim") return this.#claim(visitor, request, response);
    if (kind === "widget") return this.#token(visitor, response);
    if (kind === "tickets") return json(response, 201, { id: randomUUID(), number: 1042, status: "open" });
    if (kind === "attachments") return this.#download(id ?? "", response);
    if (kind === "conversations" && !id)
      return json(response, 200, { items: this.#summaries(visitor), next_cursor: null });
    if (what === "attachments") return this.#upload(visitor, conversation, request, body, response);
    if (!conversation || conversation.visitor !== visitor)
      return problem(response, 404, "not_found", "no such conversation");
    if (what === "csat") return json(response, 201, {});
    if (what === "handoff" && this.noPerson) return problem(response, 409, "handoff_not_offered", "nobody is there");
    if (what === "handoff") {
      this.conversations.stand(conversation, "waiting", { queue: { position: 2, expected_wait_seconds: 180 } });
      return json(response, 200, conversation.standing);
    }
    if (what === "transcript" && request.method === "POST") return void response.writeHead(202).end();
    if (what === "transcript")
      return void response.end(conversation.messages.map((m) => `${m.role}: ${m.text}`).join("\n"));
    problem(response, 404, "not_found", "no such path");
  }

  #claim(claimant: string, request: IncomingMessage, response: ServerResponse): void {
    const anonymous = anonymousOf(request);
    const claimed = [...this.conversations.all.values()].filter(({ visitor }) => visitor === anonymous);
    for (const conversation of claimed) conversation.visitor = claimant;
    json(response, 200, { conversation_ids: claimed.map(({ id }) => id) });
  }

  #session(request: IncomingMessage, response: ServerResponse): void {
    const visitor = anonymousOf(request) ?? randomUUID();
    response.setHeader("Set-Cookie", `xin_visitor=${visitor}; HttpOnly; SameSite=Lax; Path=/`);
    this.#token(visitor, response);
  }

  #token(visitor: string, response: ServerResponse): void {
    const expires_at = new Date(Date.now() + this.tokenSeconds * 1000).toISOString();
    json(response, 200, { token: tokenOf(visitor), expires_at, visitor_id: visitor });
  }

  #summaries(visitor: string) {
    return [...this.conversations.all.values()]
      .filter((conversation) => conversation.visitor === visitor)
      .reverse()
      .map(({ id, standing, messages, readSeq }) => ({
        id,
        state: standing.state,
        agent: standing.agent,
        last_message: messages.at(-1) ?? null,
        last_seq: messages.length,
        read_seq: readSeq,
        updated_at: messages.at(-1)?.created_at ?? new Date().toISOString(),
      }));
  }

  async #upload(
    visitor: string,
    known: Conversation | undefined,
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> {
    const type = request.headers["content-type"] ?? "";
    const form = await new Response(new Uint8Array(body), { headers: { "Content-Type": type } }).formData();
    const clientId = String(form.get("client_message_id"));
    const file = form.get("file") as File;
    const before = this.conversations.known(visitor, clientId);
    if (before) return json(response, 201, before);
    const id = randomUUID();
    this.#files.set(id, { name: file.name, type: file.type, bytes: Buffer.from(await file.arrayBuffer()) });
    const attachment = { id, name: file.name, mime: file.type, size: file.size, status: "stored" };
    const conversation = known ?? this.conversations.begin(visitor);
    const what = { role: "visitor", text: "", client_message_id: clientId, attachments: [attachment] } as const;
    json(response, 201, this.conversations.add(conversation, what));
  }

  #download(id: string, response: ServerResponse): void {
    const file = this.#files.get(id);
    if (!file) return problem(response, 404, "not_found", "no such file");
    response.writeHead(200, { "Content-Type": file.type, "Content-Disposition": "attachment" }).end(file.bytes);
  }

  #file(path: string, response: ServerResponse): boolean {
    if (path === "/") {
      response.writeHead(200, {
        "Content-Type": "text/html",
        ...(this.policy ? { "Content-Security-Policy": this.policy } : {}),
      });
      response.end(this.page);
      return true;
    }
    const file = DIST + normalize(path);
    if (!extname(path) || !existsSync(file)) return false;
    response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
    return true;
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const tokenOf = (visitor: string) => `h.${Buffer.from(JSON.stringify({ sub: visitor })).toString("base64url")}.s`;

function anonymousOf(request: IncomingMessage): string | undefined {
  return /xin_visitor=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
}

function visitorOf(token: string): string | null {
  const payload = parsed(Buffer.from(token.split(".")[1] ?? "", "base64url")) as { sub?: string } | null;
  return payload?.sub ?? null;
}

function send(socket: WebSocket, frame: unknown): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return null;
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, code: string, detail: string): void {
  response.writeHead(status, { "Content-Type": "application/problem+json" });
  response.end(JSON.stringify({ type: `urn:xin:problem:${code}`, title: code, status, code, detail }));
}
