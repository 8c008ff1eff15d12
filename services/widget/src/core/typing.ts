/** Tells the other side that somebody writes: now and then while keys are pressed, and once when no more come. */

const AGAIN_AFTER_MS = 4_000;
const ENDS_AFTER_MS = 6_000;

export class TypingSignal {
  readonly #send: (active: boolean) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When it was last told; 0 where the other side holds that nobody writes. */
  #toldAt = 0;

  constructor(send: (active: boolean) => void) {
    this.#send = send;
  }

  set(active: boolean): void {
    this.cancel();
    if (active) this.#timer = setTimeout(() => this.set(false), ENDS_AFTER_MS);
    const due = Date.now() - this.#toldAt > AGAIN_AFTER_MS;
    if (active ? due : this.#toldAt > 0) this.#send(active);
    if (!active) this.#toldAt = 0;
    else if (due) this.#toldAt = Date.now();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
