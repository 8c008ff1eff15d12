/** Events of the widget, told to the page's listeners. */

import type { WidgetEvent, WidgetEventType } from "../public";
import type { Told } from "./host";

type Listener = (event: WidgetEvent) => void;

export class Emitter {
  readonly #listeners = new Map<WidgetEventType | "*", Set<Listener>>();

  on(type: WidgetEventType | "*", listener: Listener): () => void {
    const known = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, known.add(listener));
    return () => known.delete(listener);
  }

  /** Tell an event; false when a listener prevented its effect. A listener that fails harms nobody. */
  emit(told: Told): boolean {
    let prevented = false;
    const event = {
      ...told,
      get defaultPrevented() {
        return prevented;
      },
      preventDefault() {
        prevented = true;
      },
    } as WidgetEvent;
    for (const type of [told.type, "*"] as const) {
      for (const listener of [...(this.#listeners.get(type) ?? [])]) {
        try {
          listener(event);
        } catch (error) {
          reportError(error);
        }
      }
    }
    return !prevented;
  }

  clear(): void {
    this.#listeners.clear();
  }
}
