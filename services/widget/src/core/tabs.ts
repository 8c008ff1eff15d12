/** Tabs of one page tell one another which conversation has begun. Ids only: whoever hears them needs a token to use them. */

export interface Told {
  readonly visitorId: string | null;
  readonly conversationId: string;
}

export class Tabs {
  readonly #channel: BroadcastChannel | null;

  constructor(name: string, onTold: (told: Told) => void) {
    this.#channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(name) : null;
    if (!this.#channel) return;
    this.#channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const told = data as Partial<Told> | null;
      if (typeof told?.conversationId === "string") {
        onTold({ visitorId: told.visitorId ?? null, conversationId: told.conversationId });
      }
    };
  }

  tell(told: Told): void {
    this.#channel?.postMessage(told);
  }

  close(): void {
    this.#channel?.close();
  }
}
