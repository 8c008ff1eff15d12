/** An OpenAI-compatible model that says what a test tells it to, word by word, as slowly as the test wants. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

export class Model {
  answer = "";
  /** Milliseconds between two words. */
  pace = 0;
  /** Answers whose last word was said, and those that the platform left before. */
  readonly ended = { whole: 0, left: 0 };
  readonly #server = createServer((request, response) => void this.#complete(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get settings(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return { OPENAI_API_KEY: "test", OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, OPENAI_MODEL: "test" };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #complete(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = (await json(request)) as { stream?: boolean };
    if (!asked.stream) {
      const message = { role: "assistant", content: this.answer };
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ ...HEAD, choices: [{ index: 0, message, finish_reason: "stop" }], usage: USAGE }));
      return;
    }
    response.setHeader("Content-Type", "text/event-stream");
    for (const content of this.answer.match(/\S+\s*/g) ?? []) {
      if (response.destroyed) break;
      response.write(event({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }));
      await pause(this.pace);
    }
    this.ended[response.destroyed ? "left" : "whole"] += 1;
    const end = { choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: USAGE };
    response.end(`${event(end)}data: [DONE]\n\n`);
  }
}

const HEAD = { id: "chatcmpl-test", object: "chat.completion.chunk", model: "test" };
const USAGE = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 };

function event(what: object): string {
  return `data: ${JSON.stringify({ ...HEAD, ...what })}\n\n`;
}
