/** The chat without a face, over real HTTP and a real socket. */

import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "../../src/core/api";
import { Client, type ClientOptions } from "../../src/core/client";
import { TENANT } from "../support/config";
import { SARA } from "../support/conversations";
import { Platform } from "../support/platform";

let platform: Platform;
let clients: Client[] = [];
const retries: string[] = [];
const problems: string[] = [];
const noPerson = vi.fn();

beforeEach(async () => {
  platform = new Platform();
  platform.pace = 1;
  await platform.start();
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  retries.length = problems.length = 0;
  noPerson.mockClear();
  await platform.stop();
  vi.useRealTimers();
});

function client(options: Partial<ClientOptions> = {}): Client {
  const made = new Client({
    api: new Api(platform.url, TENANT),
    tenantId: TENANT,
    brandId: undefined,
    token: () => `h.${Buffer.from('{"sub":"visitor-1"}').toString("base64url")}.s`,
    socketUrl: () => `${platform.url.replace("http", "ws")}/ws`,
    locale: () => "en",
    onRetry: (what) => retries.push(what),
    onProblem: ({ code }) => problems.push(code),
    onNoPerson: noPerson,
    ...options,
  });
  clients.push(made);
  return made;
}

const texts = (of: Client) => of.state.value.conversation.messages.map((message) => message.text);
const hellos = () => platform.frames.filter((frame) => frame["type"] === "hello").length;
const until = (check: () => void) => vi.waitFor(check, { timeout: 60_000, interval: 10 });

/** Without the browser's `XMLHttpRequest`. */
class FetchApi extends Api {
  override async upload(...[token, conversationId, item]: Parameters<Api["upload"]>) {
    const body = new FormData();
    body.set("client_message_id", item.id);
    body.set("file", item.file.blob, item.file.name);
    const headers = { Authorization: `Bearer ${await token()}` };
    const path = `/v1/conversations/${conversationId ?? "new"}/attachments`;
    return (await fetch(platform.url + path, { method: "POST", headers, body })).json();
  }
}

describe("a client", () => {
  it("says and is answered", async () => {
    const visitor = client();
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toEqual(["Hello", "Thank you."]));
    expect(visitor.state.value.outbox).toEqual([]);
  });

  it("keeps what is said while there is no connection, and says it once, in order", async () => {
    platform.answer = () => null;
    const visitor = client();
    visitor.say("one");
    await until(() => expect(texts(visitor)).toEqual(["one"]));
    platform.away(true);
    visitor.say("two");
    visitor.say("three");
    await until(() => expect(visitor.state.value.link).toBe("offline"));
    expect(visitor.state.value.outbox.map((item) => item.text)).toEqual(["two", "three"]);
    platform.away(false);
    visitor.probe();
    await until(() => expect(texts(visitor)).toEqual(["one", "two", "three"]));
    expect(platform.last.messages.map((message) => message.seq)).toEqual([1, 2, 3]);
    expect(retries).toContain("connection");
    expect(visitor.state.value.retries).toBe(retries.length);
  });

  it("is cut off ten times while an answer streams, and has the same text in the end", async () => {
    platform.pace = 8;
    const answer = Array.from({ length: 80 }, (_, index) => `word${index}`).join(" ");
    platform.answer = () => ({ text: answer });
    const visitor = client();
    visitor.state.subscribe(({ link }) => link === "offline" && visitor.probe());
    visitor.say("Tell me");
    for (let cut = 1; cut <= 10; cut += 1) {
      await until(() => expect(visitor.state.value.link).toBe("online"));
      await new Promise((resolve) => setTimeout(resolve, 40));
      platform.cut();
      await until(() => expect(hellos()).toBe(cut + 1));
    }
    await until(() => expect(texts(visitor)).toEqual(["Tell me", answer]));
    expect(platform.conversations.all.size).toBe(1);
  });

  it("comes back after so long as a process that stops asks for", async () => {
    const visitor = client();
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    const stopped = performance.now();
    platform.shutdown(400);
    await until(() => expect(visitor.state.value.link).toBe("offline"));
    await until(() => expect(visitor.state.value.link).toBe("online"));
    expect(performance.now() - stopped).toBeGreaterThanOrEqual(390);
  });

  it("gets a fresh token when its own does not hold", async () => {
    const token = vi.fn(() => `h.${Buffer.from('{"sub":"visitor-1"}').toString("base64url")}.s`);
    const visitor = client({ token });
    visitor.start();
    await until(() => expect(visitor.state.value.link).toBe("online"));
    platform.closeAll(4401);
    await until(() => expect(hellos()).toBe(2));
    await until(() => expect(visitor.state.value.link).toBe("online"));
    expect(token).toHaveBeenCalledTimes(2);
  });

  it("gets a fresh token when the API does not take its own", async () => {
    const tokens = ["h.bad.s", `h.${Buffer.from('{"sub":"visitor-1"}').toString("base64url")}.s`];
    const visitor = client({ token: () => tokens.shift() ?? "" });
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    expect(tokens).toEqual([]);
  });

  it("asks for another token when its own has run out meanwhile", async () => {
    let asked = 0;
    const visitor = client({
      token: () => {
        asked += 1;
        const token = `h.${Buffer.from('{"sub":"visitor-1"}').toString("base64url")}.s`;
        return { token, expires_at: new Date(Date.now() + (asked === 1 ? -1_000 : 600_000)).toISOString() };
      },
    });
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    await visitor.conversations();
    expect(asked).toBe(2);
  });

  it("refreshes its token in time", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const visitor = client();
    visitor.start();
    await vi.waitFor(() => expect(visitor.state.value.link).toBe("online"), { timeout: 30_000, interval: 5 });
    for (let minute = 0; minute < 5; minute += 1) {
      // Pings are answered meanwhile.
      for (let tick = 0; tick < 12; tick += 1) {
        vi.advanceTimersByTime(5_000);
        await pause(1);
      }
    }
    await vi.waitFor(() => expect(platform.frames.map((frame) => frame["type"])).toContain("refresh"), {
      timeout: 30_000,
    });
    expect(visitor.state.value.link).toBe("online");
  });

  it.each([4400, 4403, 4422])("does not come back after %i", async (code) => {
    const visitor = client();
    visitor.start();
    await until(() => expect(visitor.state.value.link).toBe("online"));
    platform.closeAll(code);
    await until(() => expect(visitor.state.value.link).toBe("refused"));
    expect(problems).toHaveLength(1);
  });

  it("forgets a conversation that the server does not know", async () => {
    const visitor = client();
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    platform.conversations.all.clear();
    platform.cut();
    await until(() => expect(visitor.state.value.conversation.id).toBeNull());
    await until(() => expect(visitor.state.value.link).toBe("online"));
  });

  it("goes on with its last open conversation", async () => {
    const first = client();
    first.say("Hello");
    await until(() => expect(texts(first)).toHaveLength(2));
    const second = client();
    second.start();
    await until(() => expect(texts(second)).toEqual(["Hello", "Thank you."]));
    expect(second.state.value.historySeq).toBe(2);
  });

  it("is in one conversation in two tabs, also when both were open before it began", async () => {
    const [first, second] = [client(), client()];
    first.start();
    second.start();
    await until(() => expect(platform.openPages).toBe(2));
    first.say("Hello");
    await until(() => expect(texts(second)).toEqual(["Hello", "Thank you."]));
    second.say("And again");
    await until(() => expect(texts(first)).toHaveLength(4));
    expect(texts(second)).toEqual(texts(first));
    expect(platform.conversations.all.size).toBe(1);
  });

  it("asks for a person with its first words", async () => {
    platform.answer = () => null;
    const visitor = client();
    visitor.start();
    await until(() => expect(visitor.state.value.link).toBe("online"));
    await visitor.handoff("A person, please.");
    await until(() =>
      expect(visitor.state.value.conversation.queue).toEqual({ position: 2, expected_wait_seconds: 180 }),
    );
    expect(texts(visitor)).toEqual(["A person, please."]);
    platform.conversations.stand(platform.last, "human", { agent: SARA });
    await until(() => expect(visitor.state.value.conversation.agent).toEqual(SARA));
  });

  it("asks for a person when the network is back, in words that wait meanwhile", async () => {
    const visitor = client();
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    platform.answer = () => null;
    platform.away(true);
    await until(() => expect(visitor.state.value.link).toBe("offline"));
    await visitor.handoff("A person, please.");
    expect(visitor.state.value.outbox.map((item) => item.text)).toEqual(["A person, please."]);
    platform.away(false);
    visitor.probe();
    await until(() => expect(visitor.state.value.conversation.state).toBe("waiting"));
    await until(() => expect(texts(visitor).at(-1)).toBe("A person, please."));
    expect(visitor.state.value.handoffAsked).toBe(false);
    expect(noPerson).not.toHaveBeenCalled();
  });

  it("says that no person is to be had where the platform refuses", async () => {
    const visitor = client();
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    platform.noPerson = true;
    await visitor.handoff("A person, please.");
    expect(noPerson).toHaveBeenCalledOnce();
    expect(problems).toEqual(["handoff_not_offered"]);
    expect(visitor.state.value.handoffAsked).toBe(false);
  });

  it("ends the conversation when the network is back and everything is said", async () => {
    const visitor = client();
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    platform.away(true);
    await until(() => expect(visitor.state.value.link).toBe("offline"));
    visitor.say("That is all.");
    visitor.finish();
    platform.away(false);
    visitor.probe();
    await until(() => expect(visitor.state.value.conversation.state).toBe("closed"));
    expect(platform.last.messages.map((message) => message.text)).toContain("That is all.");
    expect(platform.conversations.all.size).toBe(1);
  });

  it("begins a new conversation after a closed one", async () => {
    const visitor = client();
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    platform.conversations.stand(platform.last, "closed");
    await until(() => expect(visitor.state.value.conversation.csatAsked).toBe(true));
    visitor.say("Hello again");
    await until(() => expect(texts(visitor)).toEqual(["Hello again", "Thank you."]));
    expect(platform.conversations.all.size).toBe(2);
  });

  it("is somebody else after identify, and knows nothing of the one before", async () => {
    const visitor = client();
    visitor.say("Hello");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    visitor.identify(`h.${Buffer.from('{"sub":"visitor-2"}').toString("base64url")}.s`);
    await until(() => expect(visitor.state.value.link).toBe("online"));
    expect(texts(visitor)).toEqual([]);
    visitor.say("I am new");
    await until(() => expect(texts(visitor)).toHaveLength(2));
    expect(platform.last.visitor).toBe("visitor-2");
  });

  it("leaves the conversation of the one before, also when it is found too late", async () => {
    const tokenOf = (visitor: string) => `h.${Buffer.from(JSON.stringify({ sub: visitor })).toString("base64url")}.s`;
    for (const visitor of ["visitor-1", "visitor-2"]) {
      const earlier = client({ token: () => tokenOf(visitor) });
      earlier.say(`I am ${visitor}`);
      await until(() => expect(texts(earlier)).toHaveLength(2));
    }
    const found: (() => void)[] = [];
    class SlowApi extends Api {
      override async conversations(token: () => Promise<string>) {
        const summaries = await super.conversations(token);
        await new Promise<void>((resolve) => found.push(resolve));
        return summaries;
      }
    }
    const visitor = client({ api: new SlowApi(platform.url, TENANT), token: () => tokenOf("visitor-1") });
    visitor.start();
    await until(() => expect(found).toHaveLength(1));
    visitor.identify(() => tokenOf("visitor-2"));
    await until(() => expect(found).toHaveLength(2));
    for (const tell of found) tell();
    await until(() => expect(texts(visitor)).toEqual(["I am visitor-2", "Thank you."]));
  });

  it("sends a file again when the host's own server had no token for it", async () => {
    let away = false;
    const visitor = client({
      api: new FetchApi(platform.url, TENANT),
      token: () => {
        if (away) throw new Error("the host's server is away");
        const token = `h.${Buffer.from('{"sub":"visitor-1"}').toString("base64url")}.s`;
        return { token, expires_at: new Date(Date.now() + 300).toISOString() };
      },
    });
    visitor.start();
    await until(() => expect(visitor.state.value.link).toBe("online"));
    away = true;
    await new Promise((resolve) => setTimeout(resolve, 350));
    visitor.sendFile({ name: "a.txt", size: 2, type: "text/plain", blob: new Blob(["hi"]) });
    await until(() => expect(visitor.state.value.outbox[0]?.problem?.code).toBe("no_token"));
    away = false;
    await until(() => expect(visitor.state.value.conversation.messages[0]?.attachments?.[0]?.name).toBe("a.txt"));
    expect(visitor.state.value.outbox).toEqual([]);
  });

  it("sends two files that begin a conversation into the same one", async () => {
    const visitor = client({ api: new FetchApi(platform.url, TENANT) });
    visitor.start();
    await until(() => expect(visitor.state.value.link).toBe("online"));
    for (const name of ["a.txt", "b.txt"])
      visitor.sendFile({ name, size: 2, type: "text/plain", blob: new Blob(["hi"]) });
    const names = () =>
      visitor.state.value.conversation.messages.flatMap(
        (message) => message.attachments?.map(({ name }) => name) ?? [],
      );
    await until(() => expect(names()).toEqual(["a.txt", "b.txt"]));
    expect(platform.conversations.all.size).toBe(1);
    expect(visitor.state.value.outbox).toEqual([]);
  });

  it("says in no other conversation what was said in one", async () => {
    platform.answer = () => null;
    const visitor = client();
    visitor.say("one");
    await until(() => expect(texts(visitor)).toEqual(["one"]));
    const first = visitor.state.value.conversation.id;
    platform.away(true);
    await until(() => expect(visitor.state.value.link).toBe("offline"));
    visitor.say("my card is blocked");
    visitor.switchTo(null);
    expect(visitor.state.value.outbox).toEqual([]);
    visitor.say("something else");
    platform.away(false);
    await until(() => expect(texts(visitor)).toEqual(["something else"]));
    expect(visitor.state.value.conversation.id).not.toBe(first);
    visitor.switchTo(first);
    await until(() => expect(texts(visitor)).toEqual(["one", "my card is blocked"]));
    expect(platform.conversations.all.size).toBe(2);
  });

  it("waits for a host's own server that fails", async () => {
    let calls = 0;
    const visitor = client({
      token: () => {
        calls += 1;
        if (calls === 1) throw new Error("the host's server is away");
        return `h.${Buffer.from('{"sub":"visitor-1"}').toString("base64url")}.s`;
      },
    });
    visitor.say("Hello");
    await until(() => expect(problems).toEqual(["no_token"]));
    visitor.probe();
    await until(() => expect(texts(visitor)).toHaveLength(2));
  });
});
