/** A line to a server that can be cut: its connections end without a word, and new ones are refused until it is mended. */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

export class Line {
  readonly #ends = new Set<Socket>();
  readonly #server = createServer((near) => this.#join(near));
  #isCut = false;

  constructor(private readonly target: URL) {}

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  /** The server's address at this end of the line. */
  get url(): string {
    const near = new URL(this.target);
    near.port = String((this.#server.address() as AddressInfo).port);
    return near.href.replace(/\/$/, "");
  }

  get connections(): number {
    return this.#ends.size;
  }

  cut(): void {
    this.#isCut = true;
    for (const end of this.#ends) end.resetAndDestroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    if (this.#isCut) return void near.resetAndDestroy();
    const far = connect(Number(this.target.port), this.target.hostname);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#ends.add(end);
      end
        .on("error", () => undefined)
        .on("close", () => {
          this.#ends.delete(end);
          other.destroy();
        });
      end.pipe(other);
    }
  }
}
