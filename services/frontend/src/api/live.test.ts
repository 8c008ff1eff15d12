import { describe, expect, it, vi } from "vitest";
import { type LiveEvent, LiveFeed } from "./live";
import { EventParser } from "./sse";

describe("the parser", () => {
  it("gives whole events whatever the pieces", () => {
    const text = 'id: 7:1\nevent: message.sent\ndata: {"a":\ndata: 1}\n\n: comment\n\nevent: ping\r\ndata: {}\r\n\r\n';
    for (const size of [1, 3, 7, text.length]) {
      const parser = new EventParser();
      const events = (text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []).flatMap((piece) => parser.push(piece));
      expect(events).toEqual([
        { name: "message.sent", data: '{"a":\n1}', id: "7:1" },
        { name: "ping", data: "{}", id: undefined },
      ]);
    }
  });
});

/** A server that answers each connection with the frames given, then breaks off. */
function server(...connections: string[]) {
  const asked: (string | null)[] = [];
  const open = (request: Request) => {
    asked.push(request.headers.get("Last-Event-ID"));
    const frames = connections.shift();
    if (frames === undefined)
      return new Promise<Response>((_, reject) =>
        request.signal.addEventListener("abort", () => reject(new TypeError())),
      );
    return Promise.resolve(new Response(frames, { headers: { "Content-Type": "text/event-stream" } }));
  };
  return { asked, open };
}

const frame = (name: string, id = "", data = "{}") => `${id && `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`;

async function until(condition: () => boolean) {
  for (let waited = 0; !condition() && waited < 8000; waited += 20)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(condition()).toBe(true);
}

describe("the feed", () => {
  it("resumes from the last event and tells nothing twice", async () => {
    const { asked, open } = server(
      frame("ping") + frame("ready", "10") + frame("message.received", "11", '{"conversation_id":"c"}'),
      frame("message.sent", "12", '{"conversation_id":"c"}') +
        frame("typing", "", '{"conversation_id":"c","active":true}'),
    );
    const feed = new LiveFeed("t", open);
    const told: (LiveEvent | "behind")[] = [];
    feed.listen((event) => told.push(event));
    void feed.run();
    await until(() => asked.length === 3);
    feed.close();
    expect(asked).toEqual([null, "11", "12"]);
    expect(told.map((event) => (event === "behind" ? event : event.name))).toEqual([
      "behind",
      "message.received",
      "message.sent",
      "typing",
    ]);
  });

  it("says that what is shown may be old when the server lost the place", async () => {
    const { open } = server(frame("ready", "1"), frame("reset", "900"));
    const feed = new LiveFeed("t", open);
    const told: unknown[] = [];
    feed.listen((event) => told.push(event));
    void feed.run();
    await until(() => told.length === 2);
    feed.close();
    expect(told).toEqual(["behind", "behind"]);
  });

  it("comes back when the session's token could not be renewed", async () => {
    const { asked, open } = server(frame("ready", "10"));
    let refused = 0;
    const feed = new LiveFeed("t", (request) => {
      if (refused > 0) return open(request);
      refused += 1;
      return Promise.resolve(new Response('{"detail":"no","code":"unauthenticated"}', { status: 401 }));
    });
    const told: unknown[] = [];
    feed.listen((event) => told.push(event));
    void feed.run();
    await until(() => told.length === 1);
    feed.close();
    expect(asked[0]).toBeNull();
  });

  it("knocks seldom where it is not allowed, and comes in once it is", async () => {
    vi.useFakeTimers();
    const { open } = server(frame("ready", "10"));
    let asked = 0;
    const feed = new LiveFeed("t", (request) => {
      asked += 1;
      if (asked > 1) return open(request);
      return Promise.resolve(new Response('{"detail":"no","code":"forbidden"}', { status: 403 }));
    });
    const seen: string[] = [];
    feed.status.subscribe(() => seen.push(feed.status.get()));
    const running = feed.run();
    await vi.advanceTimersByTimeAsync(29_000);
    expect([asked, feed.status.get()]).toEqual([1, "refused"]);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(asked).toBe(2);
    expect(seen).toContain("live");
    feed.close();
    await running;
    vi.useRealTimers();
  });
});
