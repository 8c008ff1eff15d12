/** Whether the platform can be reached, as far as the browser and the console's own files tell. */
import { useSyncExternalStore } from "react";
import { createStore, useStore } from "@/lib/store";

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/** A page's files are asked for again and again: the platform does not answer. */
const unanswered = createStore(false);

function onLineChange(listener: () => void): () => void {
  for (const name of ["online", "offline"]) addEventListener(name, listener);
  return () => {
    for (const name of ["online", "offline"]) removeEventListener(name, listener);
  };
}

export function useUnreachable(): boolean {
  const offline = useSyncExternalStore(onLineChange, () => !navigator.onLine);
  return useStore(unanswered) || offline;
}

async function answers(): Promise<boolean> {
  return fetch(import.meta.env.BASE_URL, { method: "HEAD", cache: "no-store" }).then(
    (response) => response.ok,
    () => false,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}

/**
 * Loads a page's file for as long as it takes. The router answers a file that it cannot have by loading the whole console
 * anew, which is right after a deployment, and without a network ends everything: what was written and not sent is gone.
 */
export async function patiently<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(LONGEST_WAIT_MS, wait * 2)) {
      try {
        return await load();
      } catch (error) {
        if (await answers()) throw error;
      }
      unanswered.set(true);
      await pause(wait);
    }
  } finally {
    unanswered.set(false);
  }
}
